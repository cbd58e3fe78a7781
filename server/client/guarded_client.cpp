#include "client/guarded_client.hpp"

#include "client/http_exchange.hpp"

#include <ifaddrs.h>

#include <memory>
#include <utility>

namespace orderproc::server {

host_addresses own_addresses() {
    host_addresses out;
    ifaddrs* found = nullptr;
    if (getifaddrs(&found) != 0) return out;
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(found, freeifaddrs);
    for (const ifaddrs* it = found; it; it = it->ifa_next) {
        if (it->ifa_addr) add_address(*it->ifa_addr, out);
    }
    return out;
}

result<fetch_response> guarded_fetch(std::string_view url, fetch_request what,
                                     const guard_policy& policy, const guarded_limits& limits,
                                     const guarded_means& by, std::stop_token stop) {
    const auto to = parse_guarded_url(url, policy);
    if (!to) return to.error();
    what.target = to->path;
    exchange_options with;
    with.body_max = limits.body_max;
    with.until = time_after(limits.timeout);
    with.connect = limits.timeout;
    with.secure = by.secure;
    with.vet = [&](const host_addresses& all) -> result<void> {
        const host_addresses own = by.own();
        if (own.empty()) return failure{errc::unavailable, "no addresses of this machine's own"};
        if (admits(policy, all, own)) return {};
        if (by.refused) by.refused(to->host, all);
        return failure{errc::unavailable, address_not_allowed};
    };
    return exchange_alone(*to, what, with, by.find, limits.timeout, std::move(stop));
}

result<std::string> guarded_get(std::string_view url, const guard_policy& policy,
                                const guarded_limits& limits, const guarded_means& by,
                                std::stop_token stop) {
    constexpr unsigned whole_answer = 200;
    auto got = guarded_fetch(url, {}, policy, limits, by, std::move(stop));
    if (!got) return std::move(got).error();
    if (got->status != whole_answer) return failure{errc::unavailable, got->status_text()};
    return std::move(got->body);
}

}  // namespace orderproc::server
