#include "text/secret_file.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdio>

namespace orderproc::server {

result<void> check_secret_file(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
        return failure{errc::invalid_argument, path + ": cannot be read"};
    }
    if ((found.st_mode & 07) == 0) return {};
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", found.st_mode & 07777);
    return failure{errc::invalid_argument,
                   path + ": has the mode " + mode.data() +
                       ", so that every user of the machine can read it: chmod o= takes that away"};
}

}  // namespace orderproc::server
