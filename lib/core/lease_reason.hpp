#ifndef ORDERPROC_LIB_CORE_LEASE_REASON_HPP
#define ORDERPROC_LIB_CORE_LEASE_REASON_HPP

// How the journal says that a lease has expired: the beginning of the reason.

#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline constexpr std::string_view lease_expired_of_worker = "the lease of worker ";
inline constexpr std::string_view nobody_answered = "nobody answered in time on attempt ";

inline bool tells_of_expired_lease(std::string_view reason) noexcept {
    return reason.starts_with(lease_expired_of_worker) || reason.starts_with(nobody_answered);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
