#ifndef ORDERPROC_TESTING_SHOP_HPP
#define ORDERPROC_TESTING_SHOP_HPP

// A marketplace whose orders are found by their attributes.

#include "testing/kit.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

// Attributes, each with an index: channel (of a few), weight (an integer), fee (an amount), placed
// (a time), reference (unique), code (unique in its tenant), email (personal); and tracking and
// gift, which have none. email, code and tracking change in every status.
const order_model& shop();
// The same before any attribute had an index.
const order_model& shop_without_indexes();

// An order of it, without attributes: of tenant north.
order shop_order(std::string_view id, std::string_view user = "1");
order with(order it, std::string_view attribute, attribute_value value);
order without(order it, std::string_view attribute);

// The orders with a value of the attribute, or from one to another by value.
list_params with_value(std::string_view attribute, const attribute_value& value);
list_params with_values(std::string_view attribute, const attribute_value& from,
                        const attribute_value& to);

// The slot of the attribute.
std::uint8_t slot_of(std::string_view attribute);

// What list() should answer of these orders, by definition: for the index too.
std::vector<order> found_by_value(std::vector<order> from, const list_params& params);

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
