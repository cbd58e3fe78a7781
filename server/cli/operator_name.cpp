#include "cli/operator_name.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace orderproc::server {

namespace {

constexpr std::size_t as_size_max = 100;

std::string user_of_the_system() {
    std::array<char, 4096> text;
    passwd entry{};
    passwd* found = nullptr;
    const uid_t id = ::geteuid();
    if (::getpwuid_r(id, &entry, text.data(), text.size(), &found) == 0 && found) {
        return found->pw_name;
    }
    return std::to_string(id);
}

}  // namespace

result<std::string> operator_name(const std::string& as) {
    std::string out = "cli:" + user_of_the_system();
    if (as.empty()) return out;
    const bool plain = std::all_of(as.begin(), as.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    });
    if (!plain || as.size() > as_size_max) {
        return failure{errc::invalid_argument,
                       "--as: a name has at most 100 bytes and no control characters"};
    }
    return out.append(" as ").append(as);
}

}  // namespace orderproc::server
