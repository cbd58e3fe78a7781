// URLs that others make us call. What passes is a public address in its one usual form, or a name
// that no resolver takes for an address, and reads the same a second time.

#include "address_registry.hpp"
#include "client/address_guard.hpp"
#include "fuzz.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string>

using namespace orderproc;
using namespace orderproc::server;

namespace {

void check(const http_url& it, const guard_policy& policy) {
    static const testing::address_registry registry;
    ORDERPROC_EXPECT(it.secure || policy.plain_http);
    ORDERPROC_EXPECT(it.path.starts_with('/') && it.path.find('#') == it.path.npos);
    ORDERPROC_EXPECT(
        std::all_of(it.path.begin(), it.path.end(), [](char c) { return c > ' ' && c < '\x7f'; }));
    boost::system::error_code name;
    const auto address = boost::asio::ip::make_address(it.host, name);
    if (!name) {
        ORDERPROC_EXPECT(registry.is_public(address));
    } else {
        in_addr odd;
        ORDERPROC_EXPECT(inet_aton(it.host.c_str(), &odd) == 0);
        ORDERPROC_EXPECT(std::all_of(it.host.begin(), it.host.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
        }));
        ORDERPROC_EXPECT(policy.local_names || it.host.find('.') != it.host.npos);
    }
    const std::string again = (it.secure ? "https://" : "http://") + it.authority() + it.path;
    const auto read = parse_guarded_url(again, policy);
    if (again.size() > 2048) return;  // "/" was added, or the port
    ORDERPROC_EXPECT(read.has_value());
    ORDERPROC_EXPECT(read->host == it.host && read->port == it.port && read->path == it.path &&
                     read->secure == it.secure);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    guard_policy wide;
    wide.plain_http = wide.local_names = true;
    for (unsigned port = 1; port <= 65535; port += 1 + port / 2) {
        wide.ports.push_back(static_cast<std::uint16_t>(port));
    }
    const auto strictly = parse_guarded_url(text, {});
    const auto widely = parse_guarded_url(text, wide);
    if (strictly) {
        check(*strictly, {});
        ORDERPROC_EXPECT(widely.has_value() && strictly->port == 443);
    }
    if (widely) {
        check(*widely, wide);
        ORDERPROC_EXPECT(parse_http_url(text).has_value());
    }
    return 0;
}
