#include "stages/common/owner_name.hpp"

#include <unistd.h>

#include <array>
#include <charconv>

namespace orderproc {
inline namespace v1 {
namespace detail {

std::string make_owner_name(random_source& random) {
    std::array<char, 41> host{};  // what does not fit is cut off, and may lack its end
    if (::gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    std::array<char, 16> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                   random.next() & 0xffffffffU, 16);
    std::string out = host[0] == '\0' ? "host" : host.data();
    out += '-';
    out += std::to_string(::getpid());
    out += '-';
    out.append(digits.data(), end.ptr);
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
