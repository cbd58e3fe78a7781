#ifndef ORDERPROC_JSON_HPP
#define ORDERPROC_JSON_HPP

// Orders as JSON (RFC 8259), strictly read and exactly written.

#include <orderproc/order.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// One line, without spaces, fields always in the same order; times as to_string() writes
// them; money with exactly its currency's decimals; metadata as it was sent.
ORDERPROC_EXPORT void append_json(const order& value, std::string& out);
ORDERPROC_EXPORT std::string to_json(const order& value);

// Appends text as a JSON string with its quotes. What is not UTF-8 becomes U+FFFD.
ORDERPROC_EXPORT void append_json_string(std::string_view text, std::string& out);

// What is wrong with one field, for people who have to mend it.
struct field_error {
    std::string pointer;  // RFC 6901 as a URI fragment: "#/item_ids/2"; "#" is the whole
    std::string code;     // snake_case: "required", "unknown_field", "too_many_decimals"…
    std::string detail;
};

// Not JSON at all, or beyond the limits that keep parsing safe.
struct syntax_error {
    std::size_t line = 0;    // from 1; 0: the text is JSON
    std::size_t column = 0;  // from 1, in bytes
    std::string detail;
};

struct parsed_order {
    order value;  // as sent, with defaults; meaningful if there are no errors
    syntax_error syntax;
    std::vector<field_error> errors;  // all of them, in the order of the text, then what is missing
    bool ok() const noexcept { return syntax.line == 0 && errors.empty(); }
};

// The body of a create: order_id, user_id, item_ids, total_amount, currency, metadata, each as
// order.hpp bounds it, and nothing else. Numbers are judged by value and exactly. Refused as
// syntax: what RFC 8259 does not allow, text that is not UTF-8, nesting deeper than 32,
// duplicate names within an object. Metadata is kept byte for byte, without the space around it.
ORDERPROC_EXPORT parsed_order parse_order(std::string_view text);

}  // namespace v1
}  // namespace orderproc

#endif
