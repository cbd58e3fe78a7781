#include "text/secret_file.hpp"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <utility>

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

result<std::string> read_secret_file(const std::string& path, std::size_t size_max) {
    if (auto ok = check_secret_file(path); !ok) return std::move(ok).error();
    std::ifstream in(path, std::ios::binary);
    std::string out(size_max + 1, '\0');
    // A folder can be opened, and not read.
    if (!in || in.read(out.data(), static_cast<std::streamsize>(out.size())).bad()) {
        return failure{errc::invalid_argument, path + ": cannot be read"};
    }
    out.resize(static_cast<std::size_t>(in.gcount()));
    if (out.size() <= size_max) return out;
    return failure{errc::invalid_argument,
                   path + ": has more than " + std::to_string(size_max) + " bytes"};
}

}  // namespace orderproc::server
