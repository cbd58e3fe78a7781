#ifndef ORDERPROC_WEBHOOKS_BASE64_HPP
#define ORDERPROC_WEBHOOKS_BASE64_HPP

// RFC 4648, section 4.

#include <orderproc/config.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

std::string to_base64(std::string_view bytes);
// nullopt: it is not what to_base64() writes for some bytes.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
