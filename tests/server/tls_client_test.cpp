// https as our client speaks it: whom it believes, what it takes for an end, and how long it waits.

#include "tls/tls_client.hpp"

#include "client/http_client.hpp"
#include "tls_peer.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using boost::asio::ip::make_address;
namespace data = boost::unit_test::data;
namespace ssl = boost::asio::ssl;

namespace {

constexpr std::chrono::seconds enough(60);
constexpr std::string_view ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

result<host_addresses> this_machine(const std::string&) {
    return host_addresses{make_address("127.0.0.1")};
}

void answer(secure_socket& by) {
    while (!read_head(by).empty()) say(by, ok);
}

struct fixture {
    std::unique_ptr<http::client_stream_maker> trusting(tls::client_files files = {}) const {
        if (files.ca.empty()) files.ca = ca.certificate();
        return tls::make_client(files).value();
    }
    result<fetch_response> ask(const http_url& to, http::client_stream_maker& by,
                               std::chrono::milliseconds timeout = enough) const {
        return fetch(to, {}, timeout, {this_machine, &by});
    }
    result<fetch_response> ask(const http_url& to) const { return ask(to, *trusting()); }

    authority ca;
    authority::files good = ca.issue({"orders", "DNS:shop.example,IP:127.0.0.1"});
};

struct row {
    const char* what;
    const char* host;  // of the URL
    certificate_names names;
    bool self_signed = false;
    const char* why = nullptr;  // nullptr: accepted
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.what;
}

const std::vector<row> rows{
    {"its name", "shop.example", {"x", "DNS:shop.example"}},
    {"its name, with a dot", "shop.example.", {"x", "DNS:shop.example"}},
    {"a wildcard", "a.shop.example", {"x", "DNS:*.shop.example"}},
    {"its address", "127.0.0.1", {"x", "IP:127.0.0.1"}},
    {"self-signed", "shop.example", {"x", "DNS:shop.example"}, true, "self-signed certificate"},
    {"other name", "shop.example", {"x", "DNS:other.example"}, false, "hostname mismatch"},
    {"longer name", "shop.example", {"x", "DNS:shop.example.org"}, false, "hostname mismatch"},
    {"parent", "a.shop.example", {"x", "DNS:shop.example"}, false, "hostname mismatch"},
    {"two labels", "a.b.shop.example", {"x", "DNS:*.shop.example"}, false, "hostname mismatch"},
    {"part of a label",
     "ab.shop.example",
     {"x", "DNS:a*.shop.example"},
     false,
     "hostname mismatch"},
    {"common name", "shop.example", {"shop.example", {}}, false, "hostname mismatch"},
    {"common name beside another",
     "shop.example",
     {"shop.example", "IP:127.0.0.1"},
     false,
     "hostname mismatch"},
    {"address for a name", "shop.example", {"x", "IP:127.0.0.1"}, false, "hostname mismatch"},
    {"name for an address", "127.0.0.1", {"x", "DNS:127.0.0.1"}, false, "IP address mismatch"},
    {"other address", "127.0.0.1", {"x", "IP:127.0.0.2"}, false, "IP address mismatch"},
    {"ended",
     "shop.example",
     {"x", "DNS:shop.example", "serverAuth", -7200, -3600},
     false,
     "certificate has expired"},
    {"not yet",
     "shop.example",
     {"x", "DNS:shop.example", "serverAuth", 3600, 7200},
     false,
     "certificate is not yet valid"},
    {"of a client",
     "shop.example",
     {"x", "DNS:shop.example", "clientAuth"},
     false,
     "unsuitable certificate purpose"},
};

}  // namespace

BOOST_DATA_TEST_CASE_F(fixture, only_the_hosts_own_certificate_is_accepted, data::make(rows), it) {
    tls_peer server(it.self_signed ? ca.self_signed(it.names) : ca.issue(it.names), answer);
    const auto got = ask(server.url(it.host));
    BOOST_TEST_REQUIRE(got.has_value() == !it.why, (got ? "" : got.error().detail));
    if (got) return;
    BOOST_TEST((got.error().code == errc::unavailable));
    BOOST_TEST(
        got.error().detail.find(std::string("was not accepted: ") + it.why) != std::string::npos,
        got.error().detail);
    BOOST_TEST(server.sni() == "");  // no handshake, and so no request
}

BOOST_FIXTURE_TEST_CASE(the_name_is_sent_and_an_address_is_not, fixture) {
    tls_peer server(good, answer);
    BOOST_TEST(ask(server.url("shop.example"))->body == "ok");
    BOOST_TEST(server.sni() == "shop.example");
    tls_peer by_address(good, answer);
    BOOST_TEST(ask(by_address.url())->body == "ok");
    BOOST_TEST(by_address.sni() == "");
}

BOOST_FIXTURE_TEST_CASE(another_authority_and_the_systems_do_not_vouch_for_it, fixture) {
    tls_peer server(good, answer);
    const authority other("other");
    tls::client_files files;
    files.ca = other.certificate();
    BOOST_TEST(!ask(server.url(), *trusting(files)).has_value());
    BOOST_TEST(!ask(server.url(), *tls::make_client().value()).has_value());
    BOOST_TEST(server.shaken == 0);
}

BOOST_FIXTURE_TEST_CASE(without_tls_https_is_refused, fixture) {
    tls_peer server(good, answer);
    const auto got = fetch(server.url(), {}, enough, {this_machine, nullptr});
    BOOST_TEST(got.error().detail.ends_with(https_needs_tls));
    BOOST_TEST(server.accepted() == 0);
}

BOOST_FIXTURE_TEST_CASE(old_protocols_are_refused, fixture) {
    const auto speaks = [](int lowest, int highest) {
        return [=](ssl::context& it) {
            SSL_CTX_set_security_level(it.native_handle(), 0);
            SSL_CTX_set_min_proto_version(it.native_handle(), lowest);
            SSL_CTX_set_max_proto_version(it.native_handle(), highest);
            SSL_CTX_set_cipher_list(it.native_handle(), "ALL:@SECLEVEL=0");
        };
    };
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        tls_peer server(good, answer, speaks(version, version));
        BOOST_TEST(ask(server.url()).has_value());
    }
    tls_peer old(good, answer, speaks(TLS1_VERSION, TLS1_1_VERSION));
    BOOST_TEST(!ask(old.url()).has_value());
    tls_peer weak(good, answer, [&](ssl::context& it) {
        speaks(TLS1_2_VERSION, TLS1_2_VERSION)(it);
        SSL_CTX_set_cipher_list(it.native_handle(), "ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0");
    });
    BOOST_TEST(!ask(weak.url()).has_value());
}

BOOST_FIXTURE_TEST_CASE(one_connection_carries_many_requests, fixture) {
    tls_peer server(good, answer);
    const auto secure = trusting();
    http_client_options options;
    options.secure = secure.get();
    http_client client(server.url(), options);
    fetch_request large;
    large.method = "PUT";
    large.body.assign(300'000, 'a');  // more than is written at once
    for (const fetch_request& it : {fetch_request(), large, fetch_request()}) {
        std::promise<result<fetch_response>> told;
        client.fetch(it, {}, [&](auto got) { told.set_value(std::move(got)); });
        const auto got = told.get_future().get();
        BOOST_TEST_REQUIRE(got.has_value(), got.error().detail);
        BOOST_TEST(got->body == "ok");
        if (it.method == "PUT") break;  // the peer reads no bodies: what follows is not a request
    }
    BOOST_TEST(server.shaken == 1);
}

BOOST_FIXTURE_TEST_CASE(an_end_that_was_not_announced_is_no_end, fixture) {
    const std::string open = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf";
    for (const bool announced : {true, false}) {
        tls_peer server(good, [&](secure_socket& by) {
            if (read_head(by).empty()) return;
            say(by, open);
            if (announced) bid_farewell(by);
        });
        const auto got = ask(server.url());
        BOOST_TEST_REQUIRE(got.has_value() == announced);
        if (announced) BOOST_TEST(got->body == "half");
        if (!announced) BOOST_TEST(got.error().detail.find("cut off") != std::string::npos);
    }
    tls_peer mid_body(good, [](secure_socket& by) {
        if (read_head(by).empty()) return;
        say(by, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
        bid_farewell(by);
    });
    BOOST_TEST(ask(mid_body.url()).error().detail.find("before the answer was whole") !=
               std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_client_says_farewell, fixture) {
    std::promise<boost::system::error_code> end;
    tls_peer server(good, [&](secure_socket& by) {
        if (read_head(by).empty()) return;
        say(by, ok);
        char more = 0;
        boost::system::error_code ec;
        by.read_some(boost::asio::buffer(&more, 1), ec);
        end.set_value(ec);
    });
    BOOST_TEST(ask(server.url()).has_value());
    BOOST_TEST(end.get_future().get() == boost::asio::error::eof);
}

BOOST_FIXTURE_TEST_CASE(a_server_may_ask_for_a_certificate, fixture) {
    const auto demands = [&](ssl::context& it) {
        it.load_verify_file(ca.certificate());
        it.set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
    };
    const auto own = ca.issue({"worker", {}, "clientAuth"});
    tls::client_files with;
    with.certificate = own.certificate;
    with.key = own.key;
    tls_peer server(good, answer, demands);
    BOOST_TEST(ask(server.url(), *trusting(with))->status == 200U);
    BOOST_TEST(!ask(server.url()).has_value());
    BOOST_TEST(server.shaken == 1);
}

BOOST_FIXTURE_TEST_CASE(files_that_do_not_do_are_named, fixture) {
    const auto own = ca.issue({"worker", {}, "clientAuth"});
    const auto other = ca.issue({"other", {}, "clientAuth"});
    const auto open = ca.issue({"open", {}, "clientAuth"});
    ::chmod(open.key.c_str(), 0644);
    const auto ended = ca.issue({"ended", {}, "clientAuth", -7200, -3600});
    const std::vector<std::pair<tls::client_files, std::string>> bad{
        {{"/nowhere.pem", {}, {}}, "--http-ca: /nowhere.pem: "},
        {{own.key, {}, {}}, "--http-ca: " + own.key + ": "},
        {{{}, own.certificate, {}}, "a client's certificate needs both --http-certificate"},
        {{{}, {}, own.key}, "a client's certificate needs both --http-certificate"},
        {{{}, own.certificate, other.key}, "--http-key: " + other.key + ": "},
        {{{}, open.certificate, open.key}, "--http-key: " + open.key + ": has the mode 0644"},
        {{{}, ended.certificate, ended.key}, "--http-certificate: "},
        {{{}, "/nowhere.pem", own.key}, "--http-certificate: /nowhere.pem: "},
        {{{}, own.certificate, "/nowhere.key"}, "--http-key: /nowhere.key: cannot be read"}};
    for (const auto& [files, text] : bad) {
        const auto made = tls::make_client(files);
        BOOST_TEST_REQUIRE(!made.has_value(), text);
        BOOST_TEST((made.error().code == errc::invalid_argument));
        BOOST_TEST(made.error().detail.starts_with(text), made.error().detail);
    }
}

BOOST_FIXTURE_TEST_CASE(time_limits_are_those_of_the_handshake_too, fixture) {
    bare_server silent([](peer_socket& it) { wait_for_end(it); });
    http_url to = silent.url();
    to.secure = true;
    const auto secure = trusting();
    const auto got = ask(to, *secure, std::chrono::milliseconds(50));
    BOOST_TEST(got.error().detail.ends_with("no connection within 50 ms"), got.error().detail);
    http_client_options options;
    options.secure = secure.get();
    options.connect_timeout = std::chrono::milliseconds(50);
    std::promise<result<fetch_response>> told;
    http_client client(to, options);
    client.fetch({}, {}, [&](auto it) { told.set_value(std::move(it)); });
    BOOST_TEST(told.get_future().get().error().detail.ends_with("no connection within 50 ms"));
}

BOOST_FIXTURE_TEST_CASE(a_client_that_goes_does_not_wait_for_a_handshake, fixture) {
    std::promise<void> greeted;
    bare_server silent([&](peer_socket& it) {
        char first = 0;
        boost::system::error_code ec;
        it.read_some(boost::asio::buffer(&first, 1), ec);
        greeted.set_value();
        wait_for_end(it);
    });
    http_url to = silent.url();
    to.secure = true;
    const auto secure = trusting();
    http_client_options options;
    options.secure = secure.get();
    options.connect_timeout = std::chrono::hours(1);
    std::promise<result<fetch_response>> told;
    {
        http_client client(to, options);
        client.fetch({}, {}, [&](auto it) { told.set_value(std::move(it)); });
        greeted.get_future().wait();
    }
    BOOST_TEST((told.get_future().get().error().code == errc::stopped));
}

BOOST_FIXTURE_TEST_CASE(plain_http_on_the_port_is_no_answer, fixture) {
    bare_server plain([](peer_socket& it) {
        say(it, ok);
        wait_for_end(it);
    });
    http_url to = plain.url();
    to.secure = true;
    BOOST_TEST(!ask(to).has_value());
}
