#ifndef ORDERPROC_STAGES_COMMON_OWNER_NAME_HPP
#define ORDERPROC_STAGES_COMMON_OWNER_NAME_HPP

#include <orderproc/runtime.hpp>

#include <cstdint>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail {

std::string host_name();  // at most 40 bytes; empty: the system has none
std::uint64_t process_id() noexcept;

// Who holds a lease: host, process and a random part; at most 64 characters.
std::string make_owner_name(random_source& random);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
