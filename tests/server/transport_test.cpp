// The transport over real sockets, with a service that knows no orders.

#include "client.hpp"
#include "echo_service.hpp"
#include "http/server.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using namespace std::chrono_literals;

namespace {

const std::string get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const std::string later = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";

std::string post(std::string_view body, std::string_view fields = {}) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(fields) + "\r\n" + std::string(body);
}

struct fixture {
    std::unique_ptr<http::server> open(http::server_options options = {}) {
        return http::server::open(std::move(options), service).value();
    }
    echo_service service;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(transport, fixture)

BOOST_AUTO_TEST_CASE(a_connection_is_kept) {
    const auto server = open();
    client caller(server->port());
    for (int i = 0; i < 3; ++i) {
        const answer got = caller.ask(post(std::to_string(i)));
        BOOST_TEST(got.status == 200);
        BOOST_TEST(got.body == std::to_string(i));
        BOOST_TEST(!got.find("Connection"));
        BOOST_TEST(got.find("Date").value_or("").ends_with(" GMT"));
    }
}

namespace {

// Notes the order in which requests are answered. The first waits, on the thread that serves all
// connections, until the test has said everything.
class noting_service final : public http::service {
public:
    std::unique_ptr<http::session> open(http::exchange&) override {
        return std::make_unique<one>(*this);
    }
    void go() { said_.set_value(); }
    std::vector<std::string> paths;  // of the server's thread

private:
    class one final : public http::session {
    public:
        explicit one(noting_service& owner) : owner_(owner) {}
        http::step begin(const http::request& in, http::response&) noexcept override {
            if (owner_.paths.empty()) owner_.said_.get_future().wait();
            owner_.paths.emplace_back(in.path);
            return http::step::answered;
        }
        http::step resume(const http::request&, http::response&) noexcept override {
            return http::step::answered;
        }

    private:
        noting_service& owner_;
    };
    std::promise<void> said_;
};

}  // namespace

BOOST_AUTO_TEST_CASE(many_requests_at_once_do_not_keep_others_waiting) {
    noting_service notes;
    auto server = http::server::open({}, notes).value();
    client eager(server->port());
    std::string all;
    constexpr int many = 300;  // of which a connection reads all at once
    for (int i = 0; i < many; ++i) all += "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    eager.send(all);
    client modest(server->port());
    modest.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n");
    notes.go();
    BOOST_TEST(modest.read().status == 200);
    for (int i = 0; i < many; ++i) BOOST_TEST_REQUIRE(eager.read().status == 200);
    server.reset();
    const auto b = std::find(notes.paths.begin(), notes.paths.end(), "/b") - notes.paths.begin();
    BOOST_TEST(b < many / 2);
}

BOOST_AUTO_TEST_CASE(connection_close_is_obeyed) {
    const auto server = open();
    client caller(server->port());
    const answer got = caller.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("Connection").value_or("") == "close");
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_CASE(http_1_0_closes_unless_asked) {
    const auto server = open();
    client caller(server->port());
    const answer kept = caller.ask("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(kept.status == 200);
    BOOST_TEST(kept.find("Connection").value_or("") == "keep-alive");
    const answer last = caller.ask("GET / HTTP/1.0\r\n\r\n");
    BOOST_TEST(last.status == 200);
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_order) {
    const auto server = open();
    client caller(server->port());
    std::string bytes;
    for (int i = 0; i < 10; ++i) bytes += post("request " + std::to_string(i));
    caller.send(bytes);
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(caller.read().body == "request " + std::to_string(i));
    }
}

BOOST_AUTO_TEST_CASE(pipelined_requests_wait_for_one_that_takes_long) {
    const auto server = open();
    client caller(server->port());
    const auto numbered = [](std::string_view number) {
        return "GET /later HTTP/1.1\r\nHost: a\r\nX-Echo: " + std::string(number) + "\r\n\r\n";
    };
    caller.send(post("first") + numbered("second") + post("third") + numbered("fourth"));
    BOOST_TEST(caller.read().body == "first");
    service.release(1);
    BOOST_TEST(caller.read().find("X-Echo").value_or("") == "second");
    BOOST_TEST(caller.read().body == "third");
    service.release(1);
    BOOST_TEST(caller.read().find("X-Echo").value_or("") == "fourth");
}

BOOST_AUTO_TEST_CASE(bytes_may_come_one_by_one) {
    const auto server = open();
    client caller(server->port());
    const std::string bytes = "\r\n" + post("hello") + get;  // an empty line before is allowed
    for (const char c : bytes) caller.send({&c, 1});
    BOOST_TEST(caller.read().body == "hello");
    BOOST_TEST(caller.read().status == 200);
}

BOOST_AUTO_TEST_CASE(chunked_bodies_and_their_trailers) {
    const auto server = open();
    client caller(server->port());
    const std::string bytes =
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
        "5\r\nhello\r\n6;name=\"value\"\r\n world\r\n0\r\nX-Echo: trailer\r\n"
        "Connection: close\r\n\r\n";
    for (const bool at_once : {true, false}) {
        if (at_once) {
            caller.send(bytes);
        } else {
            for (const char c : bytes) caller.send({&c, 1});
        }
        const answer got = caller.read();
        BOOST_TEST(got.body == "hello world");
        BOOST_TEST(!got.find("X-Echo"));
        BOOST_TEST(!got.find("Connection"));
    }
}

BOOST_AUTO_TEST_CASE(a_body_of_the_largest_size) {
    const auto server = open();
    client caller(server->port());
    const std::string body(256 * 1024, 'b');
    BOOST_TEST((caller.ask(post(body)).body == body));
    BOOST_TEST(caller.ask(get).status == 200);
}

BOOST_AUTO_TEST_CASE(expect_continue) {
    const auto server = open();
    client caller(server->port());
    caller.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    BOOST_TEST(caller.read().status == 100);
    const answer got = caller.ask("ok");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.body == "ok");
    // With the body there already nobody waits.
    BOOST_TEST(caller.ask(post("ok", "Expect: 100-continue\r\n")).status == 200);
}

BOOST_AUTO_TEST_CASE(expect_continue_of_too_much_is_refused_at_once) {
    const auto server = open();
    client caller(server->port());
    const answer got = caller.ask(
        "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 300000\r\n\r\n");
    BOOST_TEST(got.status == 413);
}

BOOST_AUTO_TEST_CASE(an_answer_to_head_has_no_body) {
    const auto server = open();
    client caller(server->port());
    caller.send("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
    const answer got = caller.read(false);
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("Content-Length").value_or("") == "5");
    BOOST_TEST(caller.ask(get).status == 200);  // and not five bytes of something
}

BOOST_AUTO_TEST_CASE(absolute_targets) {
    const auto server = open();
    client caller(server->port());
    caller.send("GET http://a/later?x=y HTTP/1.1\r\nHost: a\r\n\r\n");
    service.release(1);
    BOOST_TEST(caller.read().status == 200);
}

BOOST_AUTO_TEST_CASE(request_ids_are_the_callers_or_made) {
    const auto server = open();
    client caller(server->port());
    const auto id_of = [&](std::string_view sent) {
        return caller.ask(post("", "X-Request-Id: " + std::string(sent) + "\r\n"))
            .find("X-Request-Id")
            .value_or("");
    };
    BOOST_TEST(id_of("My.own_id-1") == "My.own_id-1");
    BOOST_TEST(id_of(std::string(128, 'a')) == std::string(128, 'a'));
    const std::string first = id_of("not valid");
    const std::string second = id_of(std::string(129, 'a'));
    BOOST_TEST(first != "not valid");
    BOOST_TEST(!first.empty());
    BOOST_TEST(first != second);
    client other(server->port());
    BOOST_TEST(other.ask(get).find("X-Request-Id").value_or("") != first);
}

BOOST_AUTO_TEST_CASE(half_a_connection_still_gets_its_answer) {
    const auto server = open();
    client caller(server->port());
    caller.send(later);
    caller.finish_sending();
    service.release(1);
    BOOST_TEST(caller.read().status == 200);
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_CASE(a_slow_header_and_a_slow_body_time_out) {
    for (const bool in_body : {false, true}) {
        http::server_options options;
        if (in_body) {
            options.body_timeout = 50ms;
        } else {
            options.header_timeout = 500ms;  // also from connecting to the first byte
        }
        const auto server = open(options);
        client caller(server->port());
        const answer got =
            caller.ask(in_body ? "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel"
                               : "GET / HTTP/1.1\r\nHo");
        BOOST_TEST(got.status == 408);
        BOOST_TEST(got.find("Connection").value_or("") == "close");
        BOOST_TEST(caller.closed());
    }
}

BOOST_AUTO_TEST_CASE(an_idle_connection_is_closed_without_a_word) {
    http::server_options options;
    options.idle_timeout = 50ms;
    const auto server = open(options);
    client caller(server->port());
    BOOST_TEST(caller.ask(get).status == 200);
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_CASE(a_connection_that_says_nothing_is_closed) {
    http::server_options options;
    options.header_timeout = 50ms;
    const auto server = open(options);
    client caller(server->port());
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_CASE(who_does_not_read_is_dropped) {
    http::server_options options;
    options.write_timeout = 50ms;
    const auto server = open(options);
    client caller(server->port(), 4096);
    caller.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    service.wait_for_the_end();  // dropped without the test having read a byte
    BOOST_TEST(caller.read().body.empty());
}

BOOST_AUTO_TEST_CASE(who_reads_slowly_gets_it_all) {
    const auto server = open();
    client caller(server->port(), 4096);
    caller.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n" + post("next"));
    BOOST_TEST(caller.read().body.size() == large_size);
    BOOST_TEST(caller.read().body == "next");
}

BOOST_AUTO_TEST_CASE(waiting_for_the_service_has_no_time_limit_here) {
    http::server_options options;
    options.header_timeout = 500ms;  // also from connecting to the first byte
    options.body_timeout = options.idle_timeout = 20ms;
    const auto server = open(options);
    client slow(server->port());
    slow.send(later);
    service.wait_for(1);
    client idle(server->port());
    BOOST_TEST(idle.ask(get).status == 200);
    BOOST_TEST(idle.closed());  // so much time has passed
    client silent(server->port());
    BOOST_TEST(silent.closed());  // and so much
    service.release(1);
    BOOST_TEST(slow.read().status == 200);
}

BOOST_AUTO_TEST_CASE(many_connections) {
    http::server_options options;
    options.threads = 2;
    const auto server = open(options);
    std::vector<client> callers;
    for (int i = 0; i < 200; ++i) callers.emplace_back(server->port());
    for (client& it : callers) it.send(later);
    service.wait_for(200);
    BOOST_TEST(server->connections() == 200U);
    service.release(200);
    for (client& it : callers) BOOST_TEST(it.read().status == 200);
    for (client& it : callers) BOOST_TEST(it.ask(post("x")).body == "x");
}

BOOST_AUTO_TEST_CASE(connections_are_limited) {
    for (const bool per_address : {false, true}) {
        http::server_options options;
        (per_address ? options.connections_per_address_max : options.connections_max) = 2;
        const auto server = open(options);
        client first(server->port());
        client second(server->port());
        BOOST_TEST(first.ask(get).status == 200);
        BOOST_TEST(second.ask(get).status == 200);
        client third(server->port());
        const answer refused = third.read();
        BOOST_TEST(refused.status == 503);
        BOOST_TEST(refused.says("too_many_connections"));
        BOOST_TEST(refused.find("Retry-After").has_value());
        BOOST_TEST(third.closed());
        BOOST_TEST(first.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").status ==
                   200);
        BOOST_TEST(first.closed());
        // Its place is free once the server has seen it go.
        first.finish_sending();
        for (int status = 503; status == 503;) {
            client fourth(server->port());
            fourth.send(get);
            status = fourth.read().status;
            if (status == 0) status = 503;  // reset: what was sent had not been read
        }
        BOOST_TEST(second.ask(get).status == 200);
    }
}

BOOST_AUTO_TEST_CASE(stopping_finishes_what_is_in_progress) {
    const auto server = open();
    client idle(server->port());
    BOOST_TEST(idle.ask(get).status == 200);
    client busy(server->port());
    busy.send(later);
    service.wait_for(1);
    server->stop(20s);
    BOOST_TEST(idle.closed());
    service.release(1);
    const answer got = busy.read();
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("Connection").value_or("") == "close");
    BOOST_TEST(busy.closed());
    busy.finish_sending();
    server->join();
    BOOST_TEST(server->connections() == 0U);
    BOOST_CHECK_THROW(client(server->port()), std::runtime_error);
}

// Its answer was ready before, and did not say that it is the last.
BOOST_AUTO_TEST_CASE(stopping_waits_for_an_answer_to_be_taken_and_not_for_the_next_request) {
    const auto server = open();
    client slow(server->port());
    slow.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(slow.read(false).status == 200);  // more is under way than any socket buffers
    server->stop(60s);
    slow.take(large_size);
    BOOST_TEST(slow.closed());
    server->join();
}

BOOST_AUTO_TEST_CASE(stopping_has_a_deadline) {
    http::server_options options;
    options.header_timeout = 20ms * 60;
    const auto server = open(options);
    client busy(server->port());
    busy.send(later);
    service.wait_for(1);
    server->stop(20ms);
    BOOST_TEST(busy.closed());
    service.release(1);  // too late for an answer, in time for a clean end
    server->join();
}

BOOST_AUTO_TEST_CASE(stopping_again_hurries_every_thread) {
    http::server_options options;
    options.threads = 2;
    const auto server = open(options);
    client idle(server->port());  // on the first thread, which has nothing to wait for
    BOOST_TEST(idle.ask(get).status == 200);
    client busy(server->port());
    busy.send(later);
    service.wait_for(1);
    server->stop(20s);
    BOOST_TEST(idle.closed());
    server->stop(0ms);
    BOOST_TEST(busy.closed());
    service.release(1);
    server->join();
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_before_its_answer) {
    const auto server = open();
    for (const bool by_reset : {true, false}) {
        client caller(server->port());
        caller.send(later);
        service.wait_for(1);
        if (by_reset) {
            caller.reset();
        } else {
            const client gone = std::move(caller);
        }
        service.release(1);
        service.wait_for_the_end();
    }
    client other(server->port());
    BOOST_TEST(other.ask(get).status == 200);
}

BOOST_AUTO_TEST_CASE(an_address_that_is_taken_or_none) {
    const auto server = open();
    http::server_options options;
    options.port = server->port();
    BOOST_TEST((http::server::open(options, service).error().code == errc::unavailable));
    options.address = "localhost";
    BOOST_TEST((http::server::open(options, service).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_SUITE_END()
