#include "http/site_guard.hpp"

#include "http/admission.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

using namespace orderproc::server::http;
namespace data = boost::unit_test::data;

namespace {

struct asked {
    std::string_view method;
    std::string_view host;
    std::string_view origin;   // empty: no such field
    std::string_view site;     // Sec-Fetch-Site, the same
    std::string_view refusal;  // the code; empty: let in

    friend std::ostream& operator<<(std::ostream& out, const asked& it) {
        return out << it.method << " " << it.host << " " << it.origin << " " << it.site;
    }
};

std::string_view judge(const site_guard& guard, const asked& it, bool trusted = false,
                       std::string_view forwarded = {}) {
    std::vector<field> fields;
    if (!it.host.empty()) fields.push_back({"Host", it.host});
    if (!it.origin.empty()) fields.push_back({"Origin", it.origin});
    if (!it.site.empty()) fields.push_back({"sec-fetch-site", it.site});
    if (!forwarded.empty()) fields.push_back({"X-Forwarded-Host", forwarded});
    request in;
    in.method = it.method;
    in.path = "/orders";
    in.fields = fields;
    const site_refusal found = guard.judge(in, trusted);
    return found.kind ? found.kind->code : std::string_view();
}

constexpr std::string_view local = "127.0.0.1:8000";

// A server on loopback, with one page of another origin that may ask and one more name.
const asked rows[] = {
    // Programs that are not browsers.
    {"POST", local, "", "", ""},
    {"GET", local, "", "", ""},
    {"POST", "", "", "", ""},
    // Its own pages, such as Swagger UI.
    {"POST", local, "http://127.0.0.1:8000", "same-origin", ""},
    {"POST", local, "http://127.0.0.1:8000", "", ""},
    {"POST", "LOCALHOST:8000", "http://localhost:8000", "", ""},
    {"DELETE", "localhost", "http://localhost", "", ""},
    {"POST", "localhost:80", "http://localhost", "", ""},
    {"PUT", "[::1]:8000", "http://[::1]:8000", "", ""},
    {"POST", local, "", "none", ""},
    {"POST", local, "", "same-origin", ""},
    // Behind a proxy that gives it another Host, the browser knows best.
    {"POST", local, "https://orders.example", "same-origin", ""},
    // Pages of others.
    {"POST", local, "https://evil.example", "cross-site", "cross_site"},
    {"POST", local, "https://evil.example", "", "cross_site"},
    {"POST", local, "", "cross-site", "cross_site"},
    {"POST", local, "null", "", "cross_site"},
    {"POST", local, "null", "cross-site", "cross_site"},
    {"PATCH", local, "http://127.0.0.1:3000", "same-site", "cross_site"},
    {"PUT", local, "http://127.0.0.1:3000", "", "cross_site"},
    {"DELETE", local, "http://127.0.0.1", "", "cross_site"},
    {"POST", "localhost", "https://localhost:80", "", "cross_site"},
    {"POST", local, "http://127.0.0.1:8000.evil.example", "", "cross_site"},
    {"POST", local, "127.0.0.1:8000", "", "cross_site"},
    {"POST", "", "http://", "", "cross_site"},
    {"BREW", local, "https://evil.example", "", "cross_site"},
    {"POST", local, "https://evil.example", "Same-Origin", "cross_site"},
    // They may read nothing, but asking changes nothing.
    {"GET", local, "https://evil.example", "cross-site", ""},
    {"HEAD", local, "https://evil.example", "cross-site", ""},
    {"OPTIONS", local, "https://evil.example", "cross-site", ""},
    // The page that may.
    {"POST", local, "https://shop.example", "cross-site", ""},
    {"POST", local, "https://shop.example", "", ""},
    {"POST", local, "https://shop.example:444", "", "cross_site"},
    {"POST", local, "http://shop.example", "", "cross_site"},
    // Names of this machine.
    {"GET", "localhost:1", "", "", ""},
    {"GET", "localhost.", "", "", ""},
    {"GET", "shop.localhost:8000", "", "", ""},
    {"GET", "127.0.0.1", "", "", ""},
    {"GET", "127.9.9.9:8000", "", "", ""},
    {"GET", "[::1]", "", "", ""},
    {"GET", "[::ffff:127.0.0.1]:8000", "", "", "foreign_host"},
    {"GET", "orders.example", "", "", ""},
    {"GET", "Orders.Example:8443", "", "", ""},
    // A page that had its name resolve to 127.0.0.1.
    {"GET", "evil.example", "", "same-origin", "foreign_host"},
    {"GET", "evil.example:8000", "", "", "foreign_host"},
    {"POST", "evil.example:8000", "http://evil.example:8000", "same-origin", "foreign_host"},
    {"OPTIONS", "evil.example:8000", "", "", "foreign_host"},
    {"GET", "localhost.evil.example", "", "", "foreign_host"},
    {"GET", "evillocalhost", "", "", "foreign_host"},
    {"GET", "127.0.0.1.evil.example", "", "", "foreign_host"},
    {"GET", "10.0.0.1", "", "", "foreign_host"},
    {"GET", "[::2]:8000", "", "", "foreign_host"},
    {"GET", "0.0.0.0:8000", "", "", "foreign_host"},
    {"GET", "sub.orders.example", "", "", "foreign_host"},
};

}  // namespace

BOOST_DATA_TEST_CASE(pages_and_names, data::make(rows), it) {
    const site_guard guard({{"https://shop.example"}, true, {"orders.example"}});
    BOOST_TEST(judge(guard, it) == it.refusal);
}

// Beyond loopback there is no telling what names lead here.
BOOST_DATA_TEST_CASE(beyond_loopback_any_name_will_do, data::make(rows), it) {
    const site_guard guard({{"https://shop.example"}, false, {}});
    const bool by_name = it.refusal == "foreign_host";
    BOOST_TEST(judge(guard, it) == (by_name ? std::string_view() : it.refusal));
}

BOOST_AUTO_TEST_CASE(proxies_of_ours) {
    const site_guard guard({{}, true, {}});
    const asked own{"POST", "orders.example", "https://orders.example", "", ""};
    BOOST_TEST(judge(guard, own) == "foreign_host");
    BOOST_TEST(judge(guard, own, true) == "");
    // The proxy's own name for this server is not the public one.
    const asked renamed{"POST", "backend:8000", "https://orders.example", "", ""};
    BOOST_TEST(judge(guard, renamed, true) == "cross_site");
    BOOST_TEST(judge(guard, renamed, true, "orders.example") == "");
    BOOST_TEST(judge(guard, renamed, true, "orders.example, inner.example") == "");
    BOOST_TEST(judge(guard, renamed, true, "evil.example") == "cross_site");
    // From anybody else the field means nothing.
    const asked from_outside{"POST", local, "https://orders.example", "", ""};
    BOOST_TEST(judge(guard, from_outside, false, "orders.example") == "cross_site");
}

BOOST_AUTO_TEST_CASE(everybody_may) {
    const site_guard guard({{"*"}, true, {"*"}});
    BOOST_TEST(judge(guard, {"POST", "evil.example", "https://evil.example", "cross-site", ""}) ==
               "");
    BOOST_TEST(judge(guard, {"POST", local, "null", "cross-site", ""}) == "");
}

BOOST_AUTO_TEST_CASE(host_names) {
    for (const char* good : {"orders.example", "a", "A-1_b", "[fd00::1]", "10.0.0.1", "*"}) {
        BOOST_TEST(is_host_name(good), good);
    }
    for (const char* bad : {"", "a:1", "http://a", "a/b", "a b", "[::1]:80", "\xC3\xA9", "a@b"}) {
        BOOST_TEST(!is_host_name(bad), bad);
    }
}

// Whoever is refused holds nothing.
BOOST_AUTO_TEST_CASE(before_anything_is_counted) {
    admission_options options;
    options.sites = site_rules{{}, true, {}};
    admission gate(std::move(options), 1);
    admission::ticket ticket;
    const field fields[] = {{"Host", "evil.example"}};
    request in;
    in.method = "GET";
    in.fields = fields;
    const auto peer = boost::asio::ip::make_address("127.0.0.1");
    const admission::refusal found = gate.judge(in, peer);
    BOOST_REQUIRE(found.kind != nullptr);
    BOOST_TEST(found.kind->status == 403U);
    BOOST_TEST(found.detail.find("--allowed-host") != std::string_view::npos);
    BOOST_TEST(gate.in_flight() == 0U);
    response out;
    ticket.close(out);
    BOOST_TEST(out.fields.find("Retry-After") == std::string::npos);
}
