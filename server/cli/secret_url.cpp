#include "cli/secret_url.hpp"

#include <fstream>

namespace orderproc::server {

bool has_password(std::string_view url) {
    const auto scheme = url.find("://");
    if (scheme == url.npos) return false;
    const std::string_view rest = url.substr(scheme + 3);
    const auto query = rest.find('?');
    if (query != rest.npos && rest.find("password=", query) != rest.npos) return true;
    const std::string_view authority = rest.substr(0, rest.find('/'));
    const auto at = authority.rfind('@');
    return at != authority.npos && authority.substr(0, at).find(':') != authority.npos;
}

result<std::string> read_url(const std::string& path, std::string_view what) {
    std::ifstream in(path);
    if (!in) return failure{errc::invalid_argument, "\"" + path + "\" cannot be read"};
    std::string out;
    std::getline(in, out);
    out.erase(out.find_last_not_of(" \t\r") + 1);
    if (out.empty()) {
        return failure{errc::invalid_argument,
                       "\"" + path + "\" has no line with a " + std::string(what) + "'s URL"};
    }
    return out;
}

}  // namespace orderproc::server
