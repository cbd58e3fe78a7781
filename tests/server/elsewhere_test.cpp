// Answers that are sent by the thread that has them, over real sockets.

#include "client.hpp"
#include "echo_service.hpp"
#include "http/server.hpp"

#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using namespace std::chrono_literals;

namespace {

std::string ask(std::string_view path, std::string_view body = {}, std::string_view fields = {}) {
    return "POST " + std::string(path) +
           " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(fields) + "\r\n" + std::string(body);
}

struct fixture {
    explicit fixture(http::server_options options = {})
        : server(http::server::open(std::move(options), service).value()) {}

    // The server's only thread has done what came before.
    void settle() { BOOST_REQUIRE(client(server->port()).ask(ask("/")).status == 200); }
    // Waits for an answer that this thread may send.
    void offer(client& by, std::string_view request) {
        by.send(request);
        service.wait_for(1);
        settle();
    }
    bool sent_here() const { return service.answered_by.load() == std::this_thread::get_id(); }

    echo_service service;
    std::unique_ptr<http::server> server;
};

http::server_options hurried() {
    http::server_options out;
    out.idle_timeout = out.write_timeout = 20ms;
    return out;
}

// Has work to do for what asks for /work, which takes until the test says so.
class working_service final : public http::service {
public:
    std::unique_ptr<http::session> open(http::exchange& by) override {
        return std::make_unique<one>(*this, by);
    }
    void work() noexcept override {
        go_.get_future().wait();
        by_->ready();
    }
    void go() { go_.set_value(); }

private:
    class one final : public http::session {
    public:
        one(working_service& owner, http::exchange& by) : owner_(owner), by_(by) {}
        http::step begin(const http::request& in, http::response& out) noexcept override {
            if (in.path != "/work") return resume(in, out);
            owner_.by_ = &by_;
            by_.work_waits();
            return http::step::answer_follows;
        }
        http::step resume(const http::request& in, http::response& out) noexcept override {
            out.body = in.path;
            return http::step::answered;
        }

    private:
        working_service& owner_;
        http::exchange& by_;
    };
    std::promise<void> go_;
    http::exchange* by_ = nullptr;
};

struct hurried_fixture : fixture {
    hurried_fixture() : fixture(hurried()) {}
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(elsewhere, fixture)

BOOST_AUTO_TEST_CASE(the_thread_that_has_the_answer_sends_it) {
    client caller(server->port());
    for (int i = 0; i < 3; ++i) {
        offer(caller, ask("/elsewhere", std::to_string(i)));
        service.release(1);
        BOOST_TEST(sent_here());
        BOOST_TEST(caller.read().body == std::to_string(i));
        BOOST_TEST(caller.ask(ask("/", "then")).body == "then");
    }
}

BOOST_AUTO_TEST_CASE(what_the_client_sends_meanwhile_is_answered_afterwards) {
    client caller(server->port());
    offer(caller, ask("/elsewhere", "one"));
    caller.send(ask("/", "two") + ask("/elsewhere", "three"));
    settle();
    service.release(1);
    BOOST_TEST(!sent_here());
    BOOST_TEST(caller.read().body == "one");
    BOOST_TEST(caller.read().body == "two");
    service.release(1);
    BOOST_TEST(caller.read().body == "three");
}

BOOST_AUTO_TEST_CASE(one_that_is_too_large_for_the_socket_is_finished_at_home) {
    client caller(server->port());
    offer(caller, ask("/elsewhere/large"));
    service.release(1);
    BOOST_TEST(sent_here());
    BOOST_TEST(caller.read().body.size() == large_size);
    BOOST_TEST(caller.ask(ask("/", "then")).body == "then");
}

BOOST_AUTO_TEST_CASE(the_last_answer_of_a_connection) {
    client caller(server->port());
    offer(caller, ask("/elsewhere", "x", "Connection: close\r\n"));
    service.release(1);
    BOOST_TEST(caller.read().body == "x");
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_CASE(a_client_that_has_ended_its_side_gets_its_answer) {
    client caller(server->port());
    offer(caller, ask("/elsewhere", "x"));
    caller.finish_sending();
    settle();
    service.release(1);
    BOOST_TEST(caller.read().body == "x");
    BOOST_TEST(caller.closed());
}

BOOST_AUTO_TEST_CASE(a_client_that_has_gone_gets_none) {
    {
        client caller(server->port());
        offer(caller, ask("/elsewhere"));
        caller.reset();
    }
    settle();
    service.release(1);
    service.wait_for_the_end();
}

BOOST_AUTO_TEST_CASE(stopping_waits_for_it_and_not_for_the_next_request) {
    client busy(server->port()), answered(server->port());
    offer(answered, ask("/elsewhere", "x"));
    service.release(1);
    BOOST_TEST(answered.read().body == "x");
    offer(busy, ask("/elsewhere", "y"));
    server->stop(60s);
    BOOST_TEST(answered.closed());
    service.release(1);
    const answer got = busy.read();
    BOOST_TEST(got.body == "y");
    BOOST_TEST(got.find("Connection").value_or("") == "close");
    BOOST_TEST(busy.closed());
    busy.finish_sending();
    server->join();
}

BOOST_AUTO_TEST_CASE(stopping_at_once_takes_it_back) {
    client busy(server->port());
    offer(busy, ask("/elsewhere"));
    server->stop(0ms);
    BOOST_TEST(busy.closed());
    service.release(1);
    server->join();
}

BOOST_AUTO_TEST_CASE(work_that_blocks_holds_up_nobody_else) {
    working_service works;
    const auto one_thread = http::server::open({}, works).value();
    client slow(one_thread->port()), quick(one_thread->port());
    slow.send(ask("/work"));
    for (int i = 0; i < 3; ++i) BOOST_TEST(quick.ask(ask("/quick")).body == "/quick");
    BOOST_TEST(client(one_thread->port()).ask(ask("/new")).body == "/new");
    works.go();
    BOOST_TEST(slow.read().body == "/work");
    BOOST_TEST(slow.ask(ask("/quick")).body == "/quick");
}

// Whichever thread is first: for the thread sanitizer.
BOOST_AUTO_TEST_CASE(both_threads_want_it) {
    constexpr int rounds = 200;
    std::vector<client> callers;
    for (int i = 0; i < 4; ++i) callers.emplace_back(server->port());
    for (int round = 0; round < rounds; ++round) {
        for (client& it : callers) it.send(ask("/elsewhere", "first"));
        std::jthread others([&] {
            if (round % 2 == 0) callers[0].send(ask("/", "second"));
        });
        service.release(callers.size());
        for (client& it : callers) BOOST_TEST_REQUIRE(it.read().body == "first");
        if (round % 2 == 0) BOOST_TEST_REQUIRE(callers[0].read().body == "second");
        if (round % 50 == 0) callers[3].reset();
        if (round % 50 == 0) callers.pop_back();
        if (round % 50 == 0) callers.emplace_back(server->port());
    }
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(elsewhere_in_time, hurried_fixture)

BOOST_AUTO_TEST_CASE(after_it_the_client_has_as_long_as_after_any_other) {
    client caller(server->port());
    caller.send(ask("/elsewhere", "x"));
    service.release(1);
    BOOST_TEST(caller.read().body == "x");
    BOOST_TEST(caller.closed());
}

// A client that sends more while its answer is being made elsewhere, and the clock that looks at
// all connections meanwhile: whoever is first, each request has one answer.
BOOST_AUTO_TEST_CASE(each_request_is_answered_once) {
    constexpr int rounds = 200;
    client caller(server->port());
    for (int round = 0; round < rounds; ++round) {
        offer(caller, ask("/elsewhere/held", "first"));
        const std::jthread other([&] { service.release(1); });
        service.wait_until_held();
        caller.send(ask("/", "second"));
        settle();
        service.let_go();
        BOOST_TEST_REQUIRE(caller.read().body == "first");
        BOOST_TEST_REQUIRE(caller.read().body == "second");
    }
}

// Else it could hold its connection, and the answer in memory, for ever.
BOOST_AUTO_TEST_CASE(a_client_that_takes_nothing_is_dropped) {
    for (const char* path : {"/large", "/later/large", "/elsewhere/large"}) {
        client caller(server->port());
        caller.send(ask(path));
        if (path != std::string_view("/large")) service.release(1);
        service.wait_for_the_end();
    }
}

BOOST_AUTO_TEST_SUITE_END()
