#ifndef ORDERPROC_LIB_CORE_MODEL_RULES_HPP
#define ORDERPROC_LIB_CORE_MODEL_RULES_HPP

// The rules of an order model, for hosts and for bodies alike: what is wrong, for those who say
// where.

#include <orderproc/order_model.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// The slot of an order's tenant; and, added to the slot of an attribute that is unique within its
// tenant, that of its unique entries.
inline constexpr std::uint8_t tenant_slots = 128;

// nullptr: there is none of that name. REQUIRES: all ascend by name.
inline const order_attribute* find_attribute(const std::vector<order_attribute>& all,
                                             std::string_view name) noexcept {
    const auto at = std::lower_bound(
        all.begin(), all.end(), name,
        [](const order_attribute& it, std::string_view wanted) { return it.name < wanted; });
    return at != all.end() && at->name == name ? &*at : nullptr;
}

// What is wrong with a field: a code of field_error, and a detail that goes on from the name.
struct field_breach {
    std::string_view code;
    std::string detail;
};

// REQUIRES: nothing; a value of another type is a breach too.
ORDERPROC_EXPORT std::optional<field_breach> check_attribute(const attribute_rule& rule,
                                                             const attribute_value& value);

// "a text", "an integer", …: what a value has to be.
ORDERPROC_EXPORT std::string_view name_of(attribute_type type) noexcept;

// The amount that the total rule asks for. nullopt: no amount of money is so large, or so small.
// REQUIRES: each line has a unit_amount; rule is the model's.
ORDERPROC_EXPORT std::optional<amount> total_of(const total_rule& rule, const order_content& value);

// Whether the order's total is what the total rule asks for, if there is one. REQUIRES: then each
// line has a unit_amount.
ORDERPROC_EXPORT std::optional<field_breach> check_total(const order_rules& rules,
                                                         const order_content& value);

// As order_model::validate(), for an edit, whose tenant may be empty.
ORDERPROC_EXPORT result<void> validate_edit(const order_model& model, const order_content& value);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
