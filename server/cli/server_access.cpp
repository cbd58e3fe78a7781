#include "cli/server_access.hpp"

#include "cli/refusal.hpp"

#include <utility>

namespace orderproc::server {

result<server_access> server_access::open(const std::string& url, const outgoing_settings& outgoing,
                                          const credential_settings& credential) {
    auto to = of_option("--url", parse_http_url(url));
    if (!to) return std::move(to).error();
    if (to->path.find('?') != std::string::npos) {
        return failure{errc::invalid_argument, "--url: the URL of a server has no query"};
    }
    auto calls = outgoing_calls::open(outgoing);
    if (!calls) return std::move(calls).error();
    const auto carrier = of_option("--url", calls->carrier_to(*to));
    if (!carrier) return carrier.error();
    auto token = credential.token_for(*to);
    if (!token) return std::move(token).error();
    return server_access{std::move(*to), std::move(*token), std::move(*calls), *carrier};
}

}  // namespace orderproc::server
