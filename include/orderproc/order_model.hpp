#ifndef ORDERPROC_ORDER_MODEL_HPP
#define ORDERPROC_ORDER_MODEL_HPP

// What an order of your shop looks like: which form its items, its user and its id have, and which
// attributes it has beside them. Like the status machine, the model is a table: it is built and
// checked once, and every part of the library asks it.

#include <orderproc/order.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

enum class items_form : std::uint8_t { item_ids, lines };
// integer: in decimal form, 1 to 2^63 - 1. text: not empty. none: no order has a user.
enum class user_form : std::uint8_t { integer, text, none };
// plain: see order_id::is_plain(). any: whatever an order_id may be.
enum class id_form : std::uint8_t { plain, any };

// choice: one of a list of texts.
enum class attribute_type : std::uint8_t { text, integer, amount, boolean, time, choice };
// any: as order_line::sku. ascii: printable ASCII. alphanumeric: letters and digits of ASCII.
// token: those and . _ : - as well.
enum class text_characters : std::uint8_t { any, ascii, alphanumeric, token, digits };
// When an attribute may change. until_work: while the order may be edited. never: it keeps the
// value that it had when the order was created. always: in every status, also by annotate_order.
enum class attribute_edits : std::uint8_t { until_work, never, always };
// Whether two orders may have the same value. A deleted or purged order no longer has its value.
enum class attribute_unique : std::uint8_t { no, in_tenant, everywhere };

struct attribute_rule {
    static constexpr std::size_t choices_max = 100;
    static constexpr std::size_t indexed_text_size_max = 128;

    std::string name;  // as order_attribute::name
    attribute_type type = attribute_type::text;
    bool required = false;
    std::optional<attribute_value> default_value = {};  // given to an order that has none
    attribute_edits edits = attribute_edits::until_work;
    bool personal = false;  // removed by redact_order. REQUIRES: neither required nor unique
    bool indexed = false;   // lists find orders by it. At most indexed_max of a model
    attribute_unique unique = attribute_unique::no;  // anything else REQUIRES indexed
    // Stands for the attribute in indexes. Never give the slot of one attribute to another. 1 to
    // 127; 0: the attribute's place in the table, from 1, so that new attributes must come last.
    std::uint8_t slot = 0;

    // Bounds of a text, in bytes.
    std::size_t size_min = 1;
    std::size_t size_max = order_attribute::text_size_max;  // indexed: indexed_text_size_max
    text_characters characters = text_characters::any;
    // Inclusive bounds of an integer, or of an amount in minor units.
    std::int64_t minimum = std::numeric_limits<std::int64_t>::min();  // of an amount: 0 at least
    std::int64_t maximum = std::numeric_limits<std::int64_t>::max();  // …: money::minor_units_max
    std::vector<std::string> choices = {};  // of a choice: 1 to choices_max texts, none twice

    friend bool operator==(const attribute_rule&, const attribute_rule&) = default;
};

// total_amount must be the sum of quantity * unit_amount over all lines, plus and minus these
// attributes.
struct total_rule {
    std::vector<std::string> added = {};       // amounts: "tax", "shipping"
    std::vector<std::string> subtracted = {};  // amounts: "discount"

    friend bool operator==(const total_rule&, const total_rule&) = default;
};

struct order_rules {
    items_form items = items_form::item_ids;
    user_form user = user_form::integer;
    bool guests = false;  // the user may be left out
    id_form ids = id_form::plain;
    // Each order has a tenant, which never changes and by which lists find it; else none has one.
    bool tenants = false;
    bool personal_metadata = true;     // removed by redact_order
    bool personal_annotations = true;  // the same
    std::vector<attribute_rule> attributes = {};
    std::optional<total_rule> total = {};  // REQUIRES lines, and each line has a unit_amount

    friend bool operator==(const order_rules&, const order_rules&) = default;
};

// A value by which an order is found. A storage keeps and compares its bytes and does not know what
// they mean.
struct index_entry {
    static constexpr std::size_t value_size_max = 200;

    std::uint8_t slot = 0;
    bool unique = false;  // no two orders have an entry with this slot and this value
    std::string value;    // compared byte by byte, unsigned

    friend auto operator<=>(const index_entry&, const index_entry&) = default;
};
// Orders with an entry of this slot whose value is from `from` to `to`, both inclusive.
struct index_condition {
    std::uint8_t slot = 0;
    std::string from;
    std::string to;

    friend bool operator==(const index_condition&, const index_condition&) = default;
};

// Immutable; safe to use from any thread. Views and references stay valid as long as it (or what
// it was moved into) lives.
class ORDERPROC_EXPORT order_model {
public:
    static constexpr std::size_t indexed_max = 8;

    // Items are ids, the user is an integer, the id is plain, and there is nothing beside them.
    static const order_model& standard();

    // errc::invalid_argument, with a detail that names the attribute, if a name is malformed or
    // stands twice, more than order_content::attributes_max or indexed_max are there, a slot is
    // taken, bounds contradict each other or the type, a default value breaks its own rule, an
    // attribute is unique and not indexed, unique in its tenant without tenants, personal and
    // required or unique, or the total rule names no amount.
    static result<order_model> build(order_rules rules);

    order_model(order_model&&) noexcept;
    order_model& operator=(order_model&&) noexcept;
    ~order_model();

    const order_rules& rules() const noexcept;  // as built, each attribute with its slot
    // Ascending by name.
    std::span<const attribute_rule* const> attributes() const noexcept;
    const attribute_rule* find(std::string_view name) const noexcept;  // or nullptr
    bool has_indexes() const noexcept;  // an indexed attribute, or tenants
    bool has_unique() const noexcept;
    bool has_fixed() const noexcept;  // an attribute that never changes

    // Gives an order the default values of the attributes that it comes without.
    void complete(order_content& value) const;

    // What a new order under this model keeps, beside what orderproc::validate() says of every
    // order. errc::invalid_argument, naming the field.
    result<void> validate(const order_content& value) const;

    // The entries of an order, ascending. REQUIRES: validate(value).
    std::vector<index_entry> index_of(const order_content& value) const;

    // The bytes by which orders with this value of an indexed attribute are found. They sort as
    // the values do, amounts within their currency. REQUIRES: the value has the rule's type.
    static std::string index_value(const attribute_rule& rule, const attribute_value& value,
                                   currency_code currency);

    // The orders of a tenant, for list_params::index of a list by creation. REQUIRES: the model of
    // the orders has tenants.
    static index_condition of_tenant(std::string_view tenant);

    // Removes what is personal from an order. The rest still satisfies validate().
    void redact(order_content& value) const;

private:
    struct ORDERPROC_HIDDEN impl;
    explicit order_model(std::unique_ptr<const impl> table) noexcept;
    std::unique_ptr<const impl> impl_;
};

// Whether orders that were stored under one model are valid under another. The new model may add
// attributes that are not required and may index attributes that were not indexed; all else must be
// equal. errc::invalid_argument, with a detail that names each difference.
ORDERPROC_EXPORT result<void> check_successor(const order_model& was, const order_model& is);

}  // namespace v1
}  // namespace orderproc

#endif
