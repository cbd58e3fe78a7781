#ifndef ORDERPROC_LIB_BRIDGE_JSON_MERGE_HPP
#define ORDERPROC_LIB_BRIDGE_JSON_MERGE_HPP

#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// RFC 7396, section 2, on texts: what the patch does not name stays byte for byte, and in its
// place. Takes time in n log n of the texts for each level of nesting.
// REQUIRES: both are JSON as json_reader reads it.
std::string merge_json(std::string_view target, std::string_view patch);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
