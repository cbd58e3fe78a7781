#ifndef ORDERPROC_MODEL_FILE_HPP
#define ORDERPROC_MODEL_FILE_HPP

// The order model and the status machine of a shop as one JSON text (RFC 8259): a file that people
// write, what a server shows, and what a storage keeps. docs/model.md describes each field.

#include <orderproc/json.hpp>
#include <orderproc/order_model.hpp>
#include <orderproc/record.hpp>
#include <orderproc/status_machine.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// A text is at most so many bytes, both as it is read and as to_json() writes it.
inline constexpr std::size_t model_text_size_max = record_value_size_max;

struct parsed_model {
    std::optional<order_model> orders;       // if ok()
    std::optional<status_machine> statuses;  // if ok()
    syntax_error syntax;                     // if there is one, errors is empty
    // The first parsed_order::errors_max. Their codes are required, unknown_field, wrong_type,
    // not_an_integer, out_of_range, unknown_value, malformed, too_many, too_large, and invalid for
    // what order_model::build() or status_machine::build() refuses.
    std::vector<field_error> errors;
    bool ok() const noexcept { return orders.has_value() && statuses.has_value(); }
};

// Without "orders" the model is order_model::standard(), without "statuses" the machine is
// status_machine::standard(); "{}" is both. A field that has a default may be left out, and no
// other field than those of docs/model.md may be there. The syntax is judged as parse_order()
// judges it.
ORDERPROC_EXPORT parsed_model parse_model(std::string_view text);

// The canonical text, on several lines and without a line break at its end: fields are in one
// order, attributes and transitions in that of the tables. Each attribute has its slot; what has
// its default value is left out. parse_model() makes an equal model of it, whose text is the same,
// unless it is larger than model_text_size_max.
ORDERPROC_EXPORT std::string to_json(const order_model& orders, const status_machine& statuses);

// What is wrong with a text, in lines for people, "" if it is ok(). A line begins with a place
// ("line 3, column 8" or a pointer) and goes on with what is wrong there.
ORDERPROC_EXPORT std::string describe_errors(const parsed_model& of);

}  // namespace v1
}  // namespace orderproc

#endif
