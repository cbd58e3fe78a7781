#ifndef ORDERPROC_LIB_BRIDGE_JSON_FIELDS_HPP
#define ORDERPROC_LIB_BRIDGE_JSON_FIELDS_HPP

// What each field of an order has to be, for all bodies that carry an order's fields.

#include "core/json_reader.hpp"
#include "core/model_rules.hpp"

#include <orderproc/json.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// To a member of the body (RFC 6901, section 6): "~" and "/" as the pointer wants them, then
// what RFC 3986 does not allow in a fragment percent-encoded.
std::string pointer_to(std::string_view name);

// Why the reader failed, or nothing. REQUIRES: its finish() was called.
syntax_error syntax_of(const json_reader& from);

class order_judge;

// Which models' orders have a field. user: all, and it is required unless there may be guests.
enum class field_form : std::uint8_t { always, user, item_ids, lines, tenant, attributes };

// On the wire alone: in C++ there is no default.
inline constexpr currency_code default_currency = "USD";

// What the body is: a new order, all of an order, a merge patch of an order, or one of what changes
// in every status.
enum class body_form : std::uint8_t { create, replacement, patch, annotation };
inline constexpr std::size_t body_forms = 4;

// In which bodies a field has to be.
enum class field_need : std::uint8_t { optional, in_create, in_create_and_replacement };

// One row of the table of fields that bodies have.
struct order_field {
    using reader = void (order_judge::*)();  // reads the value that comes next

    std::string_view name;  // needs no escaping in a pointer
    field_form form;
    field_need need;
    reader readers[body_forms];  // as body_form says; none: such a body does not have it

    reader of(body_form body) const noexcept { return readers[static_cast<std::size_t>(body)]; }
};

// Reads an object into an order and notes all that is wrong with it.
class order_judge {
public:
    order_judge(json_reader& from, parsed_order& out, const order_model& model) noexcept
        : from_(from), out_(out), model_(model) {
        out_.value.total_amount.currency = default_currency;
    }
    // Of an edit of current, if that is known; a patch and an annotation start from it.
    order_judge(json_reader& from, parsed_order& out, const order_model& model,
                const order* current, body_form form);

    void read();

    void order_id();
    void user_id();
    void item_ids();
    void lines();
    void total_amount();
    void currency();
    void metadata();
    void annotations();
    void tenant();
    void attributes();
    void not_before();
    void patched_currency();
    void merged_metadata();       // into current's
    void merged_annotations();    // the same
    void server_field();          // has to be what current shows
    void server_field_or_null();  // the same, unless it is null

    bool needs_current() const noexcept { return needs_current_; }
    // What an annotation says, once it was read.
    annotate_order take_annotation();

private:
    // An amount, which the currency, that may come later, decides on.
    struct open_amount {
        std::string_view text;  // of a number; else it is in owned
        std::string owned;
        std::size_t index = 0;                 // where among the errors its own belongs
        const attribute_rule* rule = nullptr;  // of the attribute; none: of a line
        std::size_t line = 0;
    };

    const order_field* find(std::string_view name) const noexcept;
    bool has(const order_field& field) const noexcept;
    bool is_required(const order_field& field) const noexcept;
    bool expect(json_kind wanted, std::string_view pointer);
    bool integer(std::int64_t& out, std::string_view pointer, std::int64_t least = 1,
                 std::int64_t most = std::numeric_limits<std::int64_t>::max());
    bool text(std::string& out, const attribute_rule& rule, std::string_view pointer);
    bool time(timestamp& out, std::string_view pointer);
    bool is_left_out();
    bool was_array(std::string_view pointer);
    void unknown(std::string_view name);
    void keep_object(const kept_json& found, std::string_view pointer, std::string& to);
    void merge_object(std::string_view pointer, std::string_view into, std::string& to);
    void user_text();
    void line(std::size_t index);
    void attribute(const attribute_rule& rule);
    bool attribute_of_its_type(const attribute_rule& rule, attribute_value& out);
    void remove_attribute(const attribute_rule& rule);
    void put_attribute(const attribute_rule& rule, attribute_value value, std::size_t index);
    bool may_change(const attribute_rule& rule, const attribute_value* to, std::size_t index);
    void leave_open(open_amount&& it, std::string_view pointer);
    bool judge_amount(std::string_view text, std::string_view pointer, std::size_t index,
                      money& out);
    void judge_amounts();
    void judge_sum();
    void expect_amounts_with_currency();
    void finish_attributes();
    void keep_currency();
    void missing(std::uint32_t seen);
    void missing_attributes();
    // Whether what the body leaves out is known.
    bool knows_all() const noexcept { return !needs_current_ || current_; }
    void add(std::string_view pointer, std::string_view code, std::string_view detail);
    void add_at(std::size_t index, std::string_view pointer, std::string_view code,
                std::string_view detail);

    json_reader& from_;
    parsed_order& out_;
    const order_model& model_;
    // The currency, which may come later, decides on the amount.
    std::string_view amount_;
    std::string amount_text_;         // what amount_ views if it came as a string
    std::size_t amount_index_ = 0;    // where among the errors the amount's belongs
    std::size_t amounts_before_ = 0;  // of open_, before the total in the text
    std::vector<open_amount> open_;
    std::vector<const attribute_rule*> named_;  // by the body, with whatever value
    std::vector<order_attribute> given_;        // with a value that is right
    std::vector<std::string> removed_;          // names
    std::string path_;                          // of what is being judged, below the body's fields
    std::size_t noted_ = 0;                     // errors, with those beyond the first errors_max
    bool currency_known_ = true;
    bool currency_seen_ = false;
    bool amount_seen_ = false;
    bool lines_seen_ = false;
    bool annotations_seen_ = false;  // in an annotation
    bool needs_current_ = false;
    body_form form_ = body_form::create;
    const order_field* field_ = nullptr;  // that is being judged
    const order* current_ = nullptr;
    std::string shown_;  // current as JSON, once it is asked for
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
