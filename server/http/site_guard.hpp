#ifndef ORDERPROC_SERVER_HTTP_SITE_GUARD_HPP
#define ORDERPROC_SERVER_HTTP_SITE_GUARD_HPP

// Keeps pages of foreign sites from using a visitor's browser against this server. A browser sends
// some POSTs of any page without asking first (fetch.spec.whatwg.org, 3.2.2), and a page whose
// name suddenly resolves to 127.0.0.1 (DNS rebinding) may read whatever is served there.

#include "http/message.hpp"
#include "http/problem.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::http {

// Whether pages of the origin may ask: it is one of these, or one of these is "*".
bool admits_origin(std::span<const std::string> origins, std::string_view origin) noexcept;

struct site_rules {
    // Whose pages may change something, beside this server's own: "https://shop.example", or "*".
    std::vector<std::string> origins;
    // Answer only to names of this machine, as a server on a loopback address does: localhost,
    // names below .localhost, loopback addresses, and those in hosts.
    bool loopback_only = false;
    std::vector<std::string> hosts;  // without ports; "*": any
};

// Whether the text can be a name in hosts.
bool is_host_name(std::string_view text) noexcept;

struct site_refusal {
    const problem_kind* kind = nullptr;  // none: there is no objection
    std::string_view detail;
};

// Safe to use from any thread.
class site_guard {
public:
    explicit site_guard(site_rules rules);

    // Judges Host of every request, and of a request that may change something what the browser
    // says about the page: Sec-Fetch-Site (w3.org/TR/fetch-metadata), and Origin where that is
    // missing. Programs that are not browsers send neither. trusted: a proxy of ours passed the
    // request on, which answers for Host and may name the public one in X-Forwarded-Host.
    site_refusal judge(const request& in, bool trusted) const noexcept;

private:
    bool answers_to(std::string_view host) const noexcept;

    const site_rules rules_;
};

}  // namespace orderproc::server::http

#endif
