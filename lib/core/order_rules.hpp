#ifndef ORDERPROC_LIB_CORE_ORDER_RULES_HPP
#define ORDERPROC_LIB_CORE_ORDER_RULES_HPP

// The rules of an order's fields, for all who make one: hosts, bodies and edits.

#include "core/json_reader.hpp"

#include <orderproc/order.hpp>

#include <cstddef>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// How deep metadata may nest: it is one level within an order, which nests json_reader::depth_max.
inline constexpr std::size_t metadata_levels = json_reader::depth_max - 1;

// What a value of metadata must be, going on from its name. Empty for none.
ORDERPROC_EXPORT std::string_view rule_of(json_breach breach) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
