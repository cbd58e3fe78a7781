#ifndef ORDERPROC_JSON_HPP
#define ORDERPROC_JSON_HPP

// Orders as JSON (RFC 8259), strictly read and exactly written.

#include <orderproc/command.hpp>
#include <orderproc/json_text.hpp>
#include <orderproc/order_model.hpp>
#include <orderproc/processor.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// One line, without spaces, fields always in the same order; times as to_string() writes
// them; money with exactly its currency's decimals; metadata as it was sent, but for its line
// breaks, which become spaces; order_id null if there is none yet, last_error null if empty. A
// user who is an integer is a number, unless users of the model are texts; a guest is null. lines
// stand in the place of item_ids if there are any; tenant, attributes and annotations follow
// metadata if the order has them. Amounts are in the order's currency.
ORDERPROC_EXPORT void append_json(const order& value, std::string& out,
                                  const order_model& model = order_model::standard());
ORDERPROC_EXPORT std::string to_json(const order& value,
                                     const order_model& model = order_model::standard());

// What is wrong with one field, for people who have to fix it. The codes are required,
// unknown_field, read_only, wrong_type, not_an_integer, out_of_range, too_few_items,
// too_many_items, negative, too_many_decimals, too_large, unknown_currency, invalid_order_id,
// unsupported_number, unsupported_character, not_a_choice and wrong_total.
struct field_error {
    // RFC 6901 as a URI fragment: "#/item_ids/2", "#/lines/0/sku", "#/attributes/tax"; "#" is the
    // whole.
    std::string pointer;
    std::string code;
    std::string detail;  // goes on from the field's name: "must be an integer"
};

// Not JSON at all, or beyond the limits that keep parsing safe.
struct syntax_error {
    std::size_t line = 0;    // from 1; 0: the text is JSON
    std::size_t column = 0;  // from 1, in bytes
    std::string detail;
};

struct parsed_order {
    static constexpr std::size_t errors_max = 100;

    order_draft value;    // as sent, with defaults; meaningful if ok()
    syntax_error syntax;  // if there is one, errors is empty
    // All of them in the order of the text, then what is missing; the first errors_max.
    std::vector<field_error> errors;
    bool ok() const noexcept { return syntax.line == 0 && errors.empty(); }
};

// The body of a create: order_id, user_id, item_ids or lines, total_amount, currency, metadata,
// tenant, attributes, annotations and not_before, each if the model has it and as the model and
// order.hpp bound it, and nothing else. Numbers are judged by value and exactly: 5.0 and 5e0
// are the integer 5; amounts are judged in the body's currency, wherever that stands, as
// parse_amount() does, and may be strings ("149.99"). A currency may be in lower case. null stands
// for a field or an attribute that is left out, where that may be; "metadata":[] stands for {}, and
// so it does for attributes and annotations. Attributes that are left out have their default
// values. What is ok() is also right by order_model::validate().
//
// Refused as syntax: what RFC 8259 does not allow, text that is not UTF-8, a byte order mark,
// nesting deeper than 32, duplicate names within an object of the order or of its metadata
// (however escaped), and more than 4,096 names in one of these. Metadata is kept byte for byte,
// without the space around it; validate() says what it may contain. Takes time linear in the text,
// whatever it holds: beyond 16 KiB of metadata, and in what is no field of an order, nothing is
// looked at but the syntax. Annotations are kept as metadata is.
ORDERPROC_EXPORT parsed_order parse_order(std::string_view text,
                                          const order_model& model = order_model::standard());

// The items of an array, one after the other. They are judged by their syntax alone, and may be
// nested deeper than orders, as what shows an order is: whoever reads one judges the rest. The text
// must outlive the reader. Not copyable or movable.
class ORDERPROC_EXPORT json_array_reader {
public:
    explicit json_array_reader(std::string_view text);
    ~json_array_reader();
    json_array_reader(const json_array_reader&) = delete;
    json_array_reader& operator=(const json_array_reader&) = delete;

    // The text of the next item. False: there is none, or the text is not an array, as syntax()
    // or errors() say then.
    bool next(std::string_view& item);
    const syntax_error& syntax() const noexcept;
    const std::vector<field_error>& errors() const noexcept;  // empty if there is a syntax error

private:
    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

// All of them at once.
struct json_array {
    std::vector<std::string_view> items;  // view the text
    syntax_error syntax;                  // if there is one, errors is empty
    std::vector<field_error> errors;      // it is no array
};

// Stops after most items, without a look at what follows them.
ORDERPROC_EXPORT json_array split_json_array(std::string_view text, std::size_t most);

// The body of an edit: value has no id.
struct parsed_edit : parsed_order {
    // What the body says depends on the order that it is about: without current it was judged
    // only as far as one can.
    bool needs_current = false;
};

// All fields that clients set, as parse_order() reads them, but no order_id and no not_before;
// those left out take their defaults, except that annotations, the tenant, and attributes that
// never change stay. What else an order shows may be sent if it is what current shows (times in any
// notation) or null, else the error's code is read_only, as it is for the tenant and for attributes
// that never change.
ORDERPROC_EXPORT parsed_edit parse_replacement(std::string_view text, const order* current,
                                               const order_model& model = order_model::standard());

// The same as a merge patch (RFC 7396) of current: what is left out stays. In metadata, annotations
// and attributes members that are null are removed; "metadata":null stands for {}, as it does for
// annotations. An attribute that has a default value takes it when it is removed. No other field
// that clients set may be null, but the user where there are guests. currency may only come
// together with total_amount, which means nothing without it, and if it changes, with all other
// amounts.
ORDERPROC_EXPORT parsed_edit parse_merge_patch(std::string_view text, const order* current,
                                               const order_model& model = order_model::standard());

// The body of an annotation: {"annotations":{…},"attributes":{…}}, each as in a merge patch. It may
// have the attributes that change in every status, and no others.
struct parsed_annotation {
    annotate_order value;  // meaningful if ok()
    syntax_error syntax;   // if there is one, errors is empty
    std::vector<field_error> errors;
    bool needs_current = false;  // as of parsed_edit
    bool ok() const noexcept { return syntax.line == 0 && errors.empty(); }
};
ORDERPROC_EXPORT parsed_annotation
parse_annotation(std::string_view text, const order* current,
                 const order_model& model = order_model::standard());

// What a client raises of its own: {"event":"ship","reason":"out of stock"}.
struct parsed_transition {
    static constexpr std::size_t reason_size_max = raise_event::reason_size_max;

    std::string event;
    std::string reason;   // empty if there is none
    syntax_error syntax;  // if there is one, errors is empty
    std::vector<field_error> errors;
    bool ok() const noexcept { return syntax.line == 0 && errors.empty(); }
};

// event is required; what events there are is not judged here. Read as parse_order() reads; a
// reason that is null is left out.
ORDERPROC_EXPORT parsed_transition parse_transition(std::string_view text);

// What becomes of an attempt that was handed over: one of {"advance":{"event":"ship"}},
// {"retry":{"delay_seconds":60,"reason":"no van"}}, {"fail":{"reason":"burnt"}} and
// {"extend":{"timeout_seconds":3600}}.
struct parsed_answer {
    static constexpr std::int64_t seconds_max = std::int64_t{366} * 24 * 3600;

    attempt_answer value;  // meaningful if ok()
    syntax_error syntax;   // if there is one, errors is empty
    std::vector<field_error> errors;
    bool ok() const noexcept { return syntax.line == 0 && errors.empty(); }
};

// All members of advance and retry may be left out, or be null; what events there are is not judged
// here. Read as parse_order() reads.
ORDERPROC_EXPORT parsed_answer parse_answer(std::string_view text);

}  // namespace v1
}  // namespace orderproc

#endif
