#ifndef ORDERPROC_BRIDGE_URI_REFERENCE_HPP
#define ORDERPROC_BRIDGE_URI_REFERENCE_HPP

#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// RFC 3986, 4.1, except for what is inside the brackets of an IP literal, where only the characters
// are checked.
bool is_uri_reference(std::string_view text) noexcept;

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
