// Calls to addresses that others name. The resolver is the test's; nothing beyond loopback is ever
// connected to: 127.0.0.1 is allowed, while 127.0.0.2 and ::1 stand for what is not.

#include "client/guarded_client.hpp"

#include "tls/tls_client.hpp"
#include "tls_peer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using boost::asio::ip::make_address;

namespace {

const std::string ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

host_addresses addresses(const std::vector<const char*>& texts) {
    host_addresses out;
    for (const char* it : texts) out.push_back(make_address(it));
    return out;
}

// Counts who connects to an address that nobody may connect to.
struct forbidden {
    forbidden(const char* address, std::uint16_t port) : acceptor(context) {
        const boost::asio::ip::tcp::endpoint at(make_address(address), port);
        acceptor.open(at.protocol());
        acceptor.bind(at);
        acceptor.listen();
        acceptor.non_blocking(true);
    }
    // Whoever connected is in the queue by now: a connection is made before connect() returns.
    int connections() {
        boost::system::error_code ec;
        for (;;) {
            const auto one = acceptor.accept(ec);
            if (ec) return count;
            ++count;
        }
    }
    boost::asio::io_context context;
    boost::asio::ip::tcp::acceptor acceptor;
    int count = 0;
};

bool has_ipv6() {
    try {
        forbidden probe("::1", 0);
        return true;
    } catch (const boost::system::system_error&) {
        return false;
    }
}

struct fixture {
    fixture() {
        policy.networks = {http::address_range::parse("127.0.0.1").value()};
        tls::client_files files;
        files.ca = ca.certificate();
        carrier = tls::make_client(files).value();
        means.secure = carrier.get();
        means.find = [this](const std::string& host) -> result<host_addresses> {
            ++looked_up;
            asked_host = host;
            return resolves_to;
        };
    }
    // Of a server at 127.0.0.1.
    std::string url(const tls_peer& of, const std::string& path = "/jwks") {
        const std::uint16_t port = of.url().port;
        policy.ports = {port};
        return "https://hooks.example:" + std::to_string(port) + path;
    }
    result<std::string> get(const std::string& from) const {
        return guarded_get(from, policy, limits, means);
    }
    // Refused without a word on the addresses.
    void expect_refused(const std::string& from) {
        const auto got = get(from);
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST((got.error().code == errc::unavailable));
        BOOST_TEST(got.error().detail.ends_with(std::string(": ") + address_not_allowed),
                   got.error().detail);
        for (const auto& it : resolves_to) {
            BOOST_TEST(got.error().detail.find(it.to_string()) == std::string::npos);
        }
    }

    authority ca;
    authority::files good = ca.issue({"hooks", "DNS:hooks.example"});
    std::unique_ptr<http::client_stream_maker> carrier;
    guard_policy policy;
    guarded_limits limits{256 * 1024, std::chrono::seconds(60)};
    guarded_means means;
    host_addresses resolves_to = addresses({"127.0.0.1"});
    std::atomic<int> looked_up{0};
    std::string asked_host;
};

void answer(secure_socket& by) {
    if (!read_head(by).empty()) say(by, ok);
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_allowed_address_is_asked, fixture) {
    std::string asked;
    tls_peer server(good, [&](secure_socket& by) {
        asked = read_head(by);
        say(by, ok);
    });
    BOOST_TEST(get(url(server, "/jwks?v=1")).value() == "ok");
    BOOST_TEST(asked.starts_with("GET /jwks?v=1 HTTP/1.1\r\nHost: hooks.example:"));
    BOOST_TEST(asked_host == "hooks.example");
    BOOST_TEST(server.sni() == "hooks.example");
    BOOST_TEST(looked_up == 1);
}

// Row 34 of the attacks: one bad address refuses all.
BOOST_FIXTURE_TEST_CASE(one_forbidden_address_refuses_all, fixture) {
    tls_peer server(good, answer);
    const std::string from = url(server);
    forbidden second("127.0.0.2", server.url().port);
    std::vector<std::vector<const char*>> rows{{"127.0.0.1", "127.0.0.2"},
                                               {"127.0.0.2", "127.0.0.1"},
                                               {"127.0.0.2"},
                                               {"127.0.0.1", "::1"},
                                               {"::1"},
                                               {"::ffff:127.0.0.2"},
                                               {"127.0.0.1", "10.0.0.1"},
                                               {"127.0.0.1", "64:ff9b::127.0.0.2"}};
    std::unique_ptr<forbidden> sixth;
    if (has_ipv6()) sixth = std::make_unique<forbidden>("::1", server.url().port);
    for (const auto& row : rows) {
        resolves_to = addresses(row);
        expect_refused(from);
    }
    resolves_to.assign(1000, make_address("127.0.0.1"));
    expect_refused(from);
    resolves_to.clear();
    expect_refused(from);
    BOOST_TEST(server.accepted() == 0);
    BOOST_TEST(second.connections() == 0);
    if (sixth) BOOST_TEST(sixth->connections() == 0);
}

// Row 35: the addresses that were judged are those that are connected to.
BOOST_FIXTURE_TEST_CASE(a_name_is_not_looked_up_again, fixture) {
    tls_peer server(good, answer);
    const std::string from = url(server);
    forbidden later("127.0.0.2", server.url().port);
    means.find = [this](const std::string&) -> result<host_addresses> {
        return addresses({++looked_up == 1 ? "127.0.0.1" : "127.0.0.2"});
    };
    BOOST_TEST(get(from).value() == "ok");
    BOOST_TEST(looked_up == 1);
    expect_refused(from);  // at the next call the name is another's
    BOOST_TEST(looked_up == 2);
    BOOST_TEST(server.accepted() == 1);
    BOOST_TEST(later.connections() == 0);
}

BOOST_FIXTURE_TEST_CASE(the_next_address_is_tried_if_all_are_allowed, fixture) {
    tls_peer server(good, answer);
    policy.networks = {http::address_range::parse("127.0.0.0/8").value()};
    resolves_to = addresses({"127.0.0.2", "127.0.0.1"});
    BOOST_TEST(get(url(server)).value() == "ok");
}

BOOST_FIXTURE_TEST_CASE(an_address_in_the_url_is_judged_too, fixture) {
    tls_peer server(ca.issue({"x", "IP:127.0.0.1,IP:127.0.0.2"}), answer);
    url(server);  // allows its port
    const std::string port = ":" + std::to_string(server.url().port);
    forbidden second("127.0.0.2", server.url().port);
    BOOST_TEST(get("https://127.0.0.1" + port).value() == "ok");
    for (const char* host : {"127.0.0.2", "[::1]", "2130706434", "127.2", "[::ffff:127.0.0.2]"}) {
        const auto got = get("https://" + std::string(host) + port);
        BOOST_TEST_REQUIRE(!got.has_value(), host);
        BOOST_TEST((got.error().code == errc::invalid_argument), host);
    }
    BOOST_TEST(looked_up == 0);
    BOOST_TEST(second.connections() == 0);
}

BOOST_FIXTURE_TEST_CASE(this_machines_addresses_are_refused_unless_allowed, fixture) {
    const auto own = own_addresses();
    BOOST_TEST(std::count(own.begin(), own.end(), make_address("127.0.0.1")) == 1);
    tls_peer server(good, answer);
    const std::string from = url(server);
    resolves_to = addresses({"1.1.1.1"});
    means.own = [] { return addresses({"1.1.1.1"}); };
    expect_refused(from);
    means.own = [] { return host_addresses(); };  // nobody knows which ones are this machine's
    BOOST_TEST((get(from).error().code == errc::unavailable));
    BOOST_TEST(server.accepted() == 0);
}

BOOST_FIXTURE_TEST_CASE(the_log_alone_is_told_what_a_name_resolved_to, fixture) {
    tls_peer server(good, answer);
    resolves_to = addresses({"127.0.0.1", "127.0.0.2"});
    std::string host;
    host_addresses told;
    means.refused = [&](const std::string& name, const host_addresses& all) {
        host = name;
        told = all;
    };
    expect_refused(url(server));
    BOOST_TEST(host == "hooks.example");
    BOOST_TEST((told == resolves_to));
}

// Row 36: wherever it leads.
BOOST_FIXTURE_TEST_CASE(no_redirect_is_followed, fixture) {
    for (const int status : {300, 301, 302, 303, 307, 308}) {
        std::atomic<int> requests{0};
        std::string location;
        tls_peer server(good, [&](secure_socket& by) {
            while (!read_head(by).empty()) {
                ++requests;
                say(by, "HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + location +
                            "\r\nRefresh: 0; url=" + location + "\r\nContent-Length: 0\r\n\r\n");
            }
        });
        const std::string from = url(server);
        location = status % 2 == 0 ? from : "https://127.0.0.1/";
        const auto got = get(from);
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST(got.error().detail == "the server answered " + std::to_string(status) +
                                             ", and redirects are not followed");
        BOOST_TEST(requests == 1);
        BOOST_TEST(server.accepted() == 1);
    }
    tls_peer refreshing(good, [](secure_socket& by) {
        if (read_head(by).empty()) return;
        say(by,
            "HTTP/1.1 200 OK\r\nRefresh: 0; url=https://127.0.0.1/\r\nContent-Length: 2\r\n\r\nok");
    });
    BOOST_TEST(get(url(refreshing)).value() == "ok");
    BOOST_TEST(refreshing.accepted() == 1);
}

// Row 38: answers that take too much, or too long.
BOOST_FIXTURE_TEST_CASE(answers_are_bounded, fixture) {
    const std::string head = "HTTP/1.1 200 OK\r\n";
    const auto without_end = [](const std::string& first, const std::string& more) {
        return [=](secure_socket& by) {
            if (read_head(by).empty()) return;
            say(by, first);
            boost::system::error_code ec;
            while (!ec && !more.empty()) boost::asio::write(by, boost::asio::buffer(more), ec);
            if (!ec) (void)read_head(by);  // until the client goes
        };
    };
    const std::string filling(16 * 1024, 'a');
    std::string interim;
    for (int i = 0; i < 200; ++i) interim += "HTTP/1.1 103 Early Hints\r\n\r\n";
    const std::vector<std::pair<std::string, tls_peer::told>> rows{
        {"the answer is too large",
         without_end(head + "Content-Length: 10737418240\r\n\r\n", filling)},
        {"the answer is too large", without_end(head + "\r\n", filling)},
        {"the answer is too large",
         without_end(head + "Transfer-Encoding: chunked\r\n\r\n", "4000\r\n" + filling + "\r\n")},
        {"the answer's header is too large", without_end(head + "X: ", filling)},
        {"the answer's header is too large", without_end(head, "X: " + filling + "\r\n")},
        {"the answer's header is too large", without_end(interim, "")},
        {"malformed", without_end(head + "X: a\rb\r\n\r\n", "")}};
    for (const auto& [text, then] : rows) {
        tls_peer server(good, then);
        const auto got = get(url(server));
        BOOST_TEST_REQUIRE(!got.has_value(), text);
        BOOST_TEST(got.error().detail.find(text) != std::string::npos, got.error().detail);
    }
    const std::string most(limits.body_max, 'a');
    tls_peer just_fits(good, [&](secure_socket& by) {
        if (read_head(by).empty()) return;
        say(by, head + "Set-Cookie: a=b\r\nContent-Length: " + std::to_string(most.size()) +
                    "\r\n\r\n" + most);
    });
    BOOST_TEST(get(url(just_fits)).value() == most);
    const std::string packed = "\x1f\x8b bomb";
    tls_peer bomb(good, [&](secure_socket& by) {
        const std::string asked = read_head(by);
        if (asked.find("Accept-Encoding: identity\r\n") == std::string::npos) return;
        say(by, head + "Content-Encoding: gzip\r\nContent-Length: " +
                    std::to_string(packed.size()) + "\r\n\r\n" + packed);
    });
    BOOST_TEST(get(url(bomb)).value() == packed);  // nobody unpacks it
}

BOOST_FIXTURE_TEST_CASE(answers_that_never_end_have_their_time, fixture) {
    limits.timeout = std::chrono::milliseconds(100);
    for (const std::string part : {"", "H", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n",
                                   "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"}) {
        tls_peer server(good, [&](secure_socket& by) {
            if (read_head(by).empty()) return;
            if (!part.empty()) say(by, part);
            (void)read_head(by);  // until the client goes
        });
        const auto got = get(url(server));
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST(got.error().detail.ends_with("no answer within 100 ms"), got.error().detail);
    }
}

// Row 39, of which tls_client_test has more.
BOOST_FIXTURE_TEST_CASE(the_certificate_is_of_the_name_and_not_of_the_address, fixture) {
    const std::vector<authority::files> bad{
        ca.self_signed({"hooks.example", "DNS:hooks.example"}),
        ca.issue({"x", "DNS:other.example"}),
        ca.issue({"x", "DNS:hooks.example", "serverAuth", -7200, -3600}),
        ca.issue({"hooks.example", {}}), ca.issue({"x", "IP:127.0.0.1"})};
    for (const auto& files : bad) {
        tls_peer server(files, answer);
        const auto got = get(url(server));
        BOOST_TEST_REQUIRE(!got.has_value());
        BOOST_TEST((got.error().code == errc::unavailable));
        BOOST_TEST(server.shaken == 0);
    }
}

// Row 40: nothing but the arguments counts.
BOOST_FIXTURE_TEST_CASE(the_environment_names_no_proxy, fixture) {
    tls_peer server(good, answer);
    const std::string from = url(server);
    forbidden proxy("127.0.0.2", 0);
    const std::string at =
        "http://127.0.0.2:" + std::to_string(proxy.acceptor.local_endpoint().port());
    for (const char* name :
         {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"}) {
        ::setenv(name, at.c_str(), 1);
    }
    ::setenv("NO_PROXY", "", 1);
    BOOST_TEST(get(from).value() == "ok");
    BOOST_TEST(proxy.connections() == 0);
    for (const char* name : {"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY",
                             "all_proxy", "NO_PROXY"}) {
        ::unsetenv(name);
    }
}

BOOST_FIXTURE_TEST_CASE(a_fetch_sends_what_it_is_given_and_gives_back_any_status, fixture) {
    std::string asked;
    tls_peer server(good, [&](secure_socket& by) {
        asked = read_head(by);
        say(by, "HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n");
    });
    fetch_request what;
    what.method = "POST";
    what.target = "/elsewhere";  // the URL's counts
    what.fields = {{"webhook-id", "1"}};
    what.body = "{}";
    const auto got = guarded_fetch(url(server, "/hook"), what, policy, limits, means);
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->status == 410U);
    BOOST_TEST(asked.starts_with("POST /hook HTTP/1.1\r\n"));
    BOOST_TEST(asked.find("\r\nwebhook-id: 1\r\n") != std::string::npos);
    BOOST_TEST(asked.find("Cookie") == std::string::npos);
    BOOST_TEST(asked.find("Authorization") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_call_can_be_stopped, fixture) {
    std::stop_source stop;
    tls_peer server(good, [&](secure_socket& by) {
        if (read_head(by).empty()) return;
        stop.request_stop();
        (void)read_head(by);
    });
    const auto got = guarded_get(url(server), policy, limits, means, stop.get_token());
    BOOST_TEST((got.error().code == errc::stopped));
    const auto again = guarded_get(url(server), policy, limits, means, stop.get_token());
    BOOST_TEST((again.error().code == errc::stopped));
}

BOOST_FIXTURE_TEST_CASE(without_tls_nothing_is_sent, fixture) {
    tls_peer server(good, answer);
    means.secure = nullptr;
    BOOST_TEST(get(url(server)).error().detail.ends_with(https_needs_tls));
    BOOST_TEST(server.accepted() == 0);
}
