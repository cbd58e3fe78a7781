#include "stages/common/owner_name.hpp"

#include <unistd.h>

#include <array>
#include <charconv>

namespace orderproc {
inline namespace v1 {
namespace detail {

std::string host_name() {
    std::array<char, 41> host{};  // what does not fit is cut off, and may lack its end
    if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return host.data();
}

std::uint64_t process_id() noexcept {
    return static_cast<std::uint64_t>(::getpid());
}

std::string make_owner_name(random_source& random) {
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   random.next() & 0xffffffffU, 16);
    std::string out = host_name();
    if (out.empty()) out = "host";
    out += '-';
    out += std::to_string(process_id());
    out += '-';
    out.append(digits.data(), end.ptr);
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
