#ifndef ORDERPROC_LIB_BRIDGE_JSON_FIELDS_HPP
#define ORDERPROC_LIB_BRIDGE_JSON_FIELDS_HPP

// What each field of an order has to be, for all bodies that carry an order's fields.

#include "core/json_reader.hpp"

#include <orderproc/json.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// To a member of the body (RFC 6901, section 6): "~" and "/" as the pointer wants them, then
// what RFC 3986 does not allow in a fragment percent-encoded.
std::string pointer_to(std::string_view name);

// Why the reader failed, or nothing. REQUIRES: its finish() was called.
syntax_error syntax_of(const json_reader& from);

// Are two JSON numbers the same integer of 1 or more?
bool same_positive(std::string_view left, std::string_view right) noexcept;

class order_judge;

// One row of the table of fields that a body may have.
struct order_field {
    std::string_view name;  // needs no escaping in a pointer
    bool required;
    void (order_judge::*judge)();  // reads the value that comes next
};

// The body of a create.
std::span<const order_field> create_fields() noexcept;

// On the wire alone: in C++ there is no default.
inline constexpr currency_code default_currency = "USD";

// Reads an object into an order and notes all that is wrong with it.
class order_judge {
public:
    order_judge(json_reader& from, parsed_order& out) noexcept : from_(from), out_(out) {
        out_.value.total_amount.currency = default_currency;
    }
    // Of an edit of current, if that is known; a patch starts from it.
    order_judge(json_reader& from, parsed_order& out, const order* current, bool patch);

    void read(std::span<const order_field> fields);  // at most 32

    void order_id();
    void user_id();
    void item_ids();
    void total_amount();
    void currency();
    void metadata();
    void patched_currency();
    void merged_metadata();       // into current's
    void server_field();          // has to be what current shows
    void server_field_or_null();  // the same, unless it is null

    void expect_amount_with_currency();
    bool needs_current() const noexcept { return needs_current_; }

private:
    bool expect(json_kind wanted, std::string_view pointer);
    bool integer(std::int64_t& out, std::string_view pointer);
    bool is_left_out();
    bool was_array();
    void unknown(std::string_view name);
    void keep_metadata(const kept_json& found);
    void judge_amount();
    void missing(std::span<const order_field> fields, std::uint32_t seen);
    void add(std::string_view pointer, std::string_view code, std::string_view detail);
    void add_at(std::size_t index, std::string_view pointer, std::string_view code,
                std::string_view detail);

    json_reader& from_;
    parsed_order& out_;
    // The currency, which may come later, decides on the amount.
    std::string_view amount_;
    std::string amount_text_;       // what amount_ views if it came as a string
    std::size_t amount_index_ = 0;  // where among the errors the amount's belongs
    bool currency_known_ = true;
    bool currency_seen_ = false;
    bool amount_seen_ = false;
    bool needs_current_ = false;
    const order_field* field_ = nullptr;  // that is being judged
    const order* current_ = nullptr;
    std::string shown_;  // current as JSON, once it is asked for
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
