#include "client/request_credential.hpp"

#include <iterator>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

// What is signed is "id.time.body": without a full stop in the id it can be read in one way only.
std::string without_full_stops(std::string_view id) {
    std::string out;
    for (const char c : id) {
        if (c == '.') {
            out += "%2E";
        } else if (c == '%') {
            out += "%25";
        } else {
            out += c;
        }
    }
    return out;
}

}  // namespace

result<void> request_credential::add_to(fetch_request& what, std::string_view id) const {
    what.fields.insert(what.fields.end(), fields.begin(), fields.end());
    if (!sign) return {};
    auto made = sign(without_full_stops(id), what.body);
    if (!made) return std::move(made).error();
    std::move(made->begin(), made->end(), std::back_inserter(what.fields));
    return {};
}

}  // namespace orderproc::server
