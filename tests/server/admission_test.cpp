// Who is not let in, over real sockets: answered before the body is read, and nothing leaks.

#include "client.hpp"
#include "echo_service.hpp"
#include "http/io_thread.hpp"
#include "http/server.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string later = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post_head(std::size_t size, std::string_view fields = {}) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n" +
           std::string(fields) + "\r\n";
}
std::string post(std::string_view body) {
    return post_head(body.size()) + std::string(body);
}

struct fixture {
    fixture() {
        options.admits.overloaded = [this](const http::request&) { return overloaded.load(); };
    }
    http::server& open() {
        server = http::server::open(options, service).value();
        return *server;
    }
    client call() { return client(server->port()); }

    echo_service service;
    http::server_options options;
    std::atomic<bool> overloaded{false};
    std::unique_ptr<http::server> server;
};

void expect_overloaded(const answer& got) {
    BOOST_TEST(got.status == 503);
    BOOST_TEST(got.says("\"code\":\"overloaded\""));
    BOOST_TEST(got.find("Retry-After").value_or("") == "1");
    BOOST_TEST(got.find("X-Request-Id").has_value());
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(admission, fixture)

BOOST_AUTO_TEST_CASE(a_refusal_does_not_end_the_connection) {
    overloaded = true;
    open();
    client caller = call();
    for (int i = 0; i < 3; ++i) {
        const answer got = caller.ask(post("hello"));
        expect_overloaded(got);
        BOOST_TEST(!got.find("Connection"));
    }
    overloaded = false;
    BOOST_TEST(caller.ask(post("hello")).body == "hello");
    BOOST_TEST(!caller.ask(get).find("Retry-After"));
}

BOOST_AUTO_TEST_CASE(it_comes_before_the_body) {
    overloaded = true;
    open();
    client caller = call();
    expect_overloaded(caller.ask(post_head(5)));
    overloaded = false;
    BOOST_TEST(caller.ask("hello" + post("next")).body == "next");  // the body is no request
    BOOST_TEST(caller.ask(post("more")).body == "more");
}

BOOST_AUTO_TEST_CASE(what_is_not_worth_reading_ends_the_connection) {
    overloaded = true;
    open();
    const std::string chunked =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (const std::string& bytes :
         {post_head(64 * 1024 + 1), post_head(5, "Expect: 100-continue\r\n"), chunked,
          post_head(0, "Connection: close\r\n")}) {
        client caller = call();
        const answer got = caller.ask(bytes);
        expect_overloaded(got);
        BOOST_TEST(got.find("Connection").value_or("") == "close");
        BOOST_TEST(caller.closed());
    }
    client caller = call();
    expect_overloaded(caller.ask(post_head(64 * 1024)));
    overloaded = false;
    BOOST_TEST(caller.ask(std::string(64 * 1024, 'x') + post("next")).body == "next");
}

BOOST_AUTO_TEST_CASE(a_body_that_nobody_wants_still_has_to_come_in_time) {
    options.body_timeout = 50ms;
    overloaded = true;
    open();
    client caller = call();
    expect_overloaded(caller.ask(post_head(5)));
    BOOST_TEST(caller.closed());  // without a second answer
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_judged_one_by_one) {
    options.admits.overloaded = [](const http::request& in) { return in.path == "/no"; };
    open();
    client caller = call();
    const std::string no = "POST /no HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nno";
    caller.send(post("first") + no + post("second") + no + no + post("third"));
    BOOST_TEST(caller.read().body == "first");
    BOOST_TEST(caller.read().status == 503);
    BOOST_TEST(caller.read().body == "second");
    BOOST_TEST(caller.read().status == 503);
    BOOST_TEST(caller.read().status == 503);
    BOOST_TEST(caller.read().body == "third");
}

BOOST_AUTO_TEST_CASE(requests_in_flight_are_limited) {
    options.admits.requests_in_flight_max = 2;
    options.threads = 2;
    open();
    client first = call();
    client second = call();
    first.send(later);
    second.send(later);
    service.wait_for(2);
    client third = call();
    expect_overloaded(third.ask(get));
    service.release(2);
    BOOST_TEST(first.read().status == 200);
    BOOST_TEST(second.read().status == 200);
    BOOST_TEST(third.ask(get).status == 200);
}

// One that fails half way gives its place back, as does one whose client goes.
BOOST_AUTO_TEST_CASE(places_in_flight_come_back) {
    options.admits.requests_in_flight_max = 1;
    options.body_timeout = 50ms;
    open();
    for (int i = 0; i < 3; ++i) {
        client slow = call();
        BOOST_TEST(slow.ask(post_head(5) + "he").status == 408);
        client malformed = call();
        BOOST_TEST(malformed
                       .ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "x\r\n\r\n")
                       .status == 400);
        client gone = call();
        gone.send(later);
        service.wait_for(1);
        gone.reset();
        service.release(1);
        slow.finish_sending();
        malformed.finish_sending();
        BOOST_TEST(slow.closed());
        BOOST_TEST(malformed.closed());
        // Only the reset is not seen to be over from here.
        int status = 503;
        while (status == 503) status = call().ask(get).status;
        BOOST_TEST(status == 200);
    }
}

BOOST_AUTO_TEST_CASE(bodies_are_limited_together) {
    options.admits.bodies_size_max = 200 * 1024;
    open();
    client first = call();
    first.send(post_head(150 * 1024, "Expect: 100-continue\r\n"));
    BOOST_TEST(first.read().status == 100);  // its place is taken
    client second = call();
    expect_overloaded(second.ask(post_head(60 * 1024)));
    second.send(std::string(60 * 1024, 'x'));
    BOOST_TEST(second.ask(post("small ones do not count")).status == 200);
    BOOST_TEST(second.ask(post(std::string(40 * 1024, 'x'))).status == 200);
    // One of unknown size may come to the most.
    client chunked = call();
    expect_overloaded(
        chunked.ask("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
    BOOST_TEST(first.ask(std::string(150 * 1024, 'y')).status == 200);
    BOOST_TEST(second.ask(post(std::string(60 * 1024, 'x'))).status == 200);
}

BOOST_AUTO_TEST_CASE(rates_are_limited_and_told) {
    options.admits.limit = http::rate{0.001, 2};
    options.admits.unlimited = [](const http::request& in) { return in.path == "/free"; };
    open();
    client caller = call();
    answer got = caller.ask(get);
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("RateLimit-Policy").value_or("") == "\"default\";q=2;w=2000");
    BOOST_TEST(got.find("RateLimit").value_or("") == "\"default\";r=1;t=1000");
    BOOST_TEST(caller.ask(get).status == 200);
    got = caller.ask(post("x"));
    BOOST_TEST(got.status == 429);
    BOOST_TEST(got.says("\"code\":\"rate_limited\""));
    BOOST_TEST(got.find("Content-Type").value_or("") == "application/problem+json");
    BOOST_TEST(got.find("RateLimit").value_or("").starts_with("\"default\";r=0;t="));
    BOOST_TEST(std::stoi(got.find("Retry-After").value_or("0")) > 900);
    got = caller.ask("GET /free HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(!got.find("RateLimit"));
    // Who proved to be somebody is not taken for the neighbours.
    const std::string known = "GET / HTTP/1.1\r\nHost: a\r\nX-Proven: me\r\n\r\n";
    BOOST_TEST(caller.ask(known).status == 200);
    BOOST_TEST(call().ask(known).status == 200);
    BOOST_TEST(call().ask(known).status == 429);
    BOOST_TEST(call().ask(get).status == 429);
}

BOOST_AUTO_TEST_CASE(connections_of_an_ipv6_network_are_counted_together) {
    http::connection_counts counts(10, 2);
    const auto add = [&](const char* from) {
        return counts.add(boost::asio::ip::make_address(from), false);
    };
    BOOST_TEST(add("2001:db8::1"));
    BOOST_TEST(add("2001:db8::2"));
    BOOST_TEST(!add("2001:db8::3"));
    BOOST_TEST(add("2001:db8:0:1::3"));
    counts.remove(boost::asio::ip::make_address("2001:db8::1"));
    BOOST_TEST(add("2001:db8::3"));
    BOOST_TEST(counts.total() == 3U);
}

BOOST_AUTO_TEST_CASE(a_trusted_proxy_is_many_clients) {
    options.connections_per_address_max = 2;
    options.admits.trusted_proxies = {http::address_range::parse("127.0.0.1").value()};
    open();
    std::vector<client> callers;
    for (int i = 0; i < 5; ++i) callers.push_back(call());
    for (client& it : callers) BOOST_TEST(it.ask(get).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
