// Bodies that are made while they are sent, over real sockets.

#include "client.hpp"
#include "http/server.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using namespace std::chrono_literals;

namespace {

// A body that the test makes: what it says is sent, from its own thread.
class spoken_service final : public http::service {
public:
    std::unique_ptr<http::session> open(http::exchange&) override {
        return std::make_unique<one>(*this);
    }

    void say(std::string text) {
        change([&] { said_ += text; });
    }
    void finish(http::body_source::state how) {
        change([&] { state_ = how; });
    }
    void wait_for_listener() {
        wait([&] { return by_ != nullptr; });
    }
    void wait_for_the_end() {
        wait([&] { return heard_ && by_ == nullptr; });
    }

private:
    class body final : public http::body_source {
    public:
        explicit body(spoken_service& owner) : owner_(owner) {}
        ~body() override {
            owner_.with([&] { owner_.by_ = nullptr; });
        }
        void start(http::stream_exchange& by) override {
            owner_.with([&] {
                owner_.by_ = &by;
                owner_.heard_ = true;
            });
        }
        state take(std::vector<http::piece>& out, std::size_t, std::size_t) override {
            const std::lock_guard lock(owner_.mutex_);
            if (!owner_.said_.empty()) {
                const auto text =
                    std::make_shared<const std::string>(std::exchange(owner_.said_, {}));
                const std::size_t half = text->size() / 2;
                out.push_back({text, std::string_view(*text).substr(0, half)});
                out.push_back({text, std::string_view(*text).substr(half)});
            }
            return owner_.state_;
        }
        std::string_view heartbeat() const noexcept override { return "beat "; }

    private:
        spoken_service& owner_;
    };
    class one final : public http::session {
    public:
        explicit one(spoken_service& owner) : owner_(owner) {}
        http::step begin(const http::request& in, http::response& out) noexcept override {
            if (in.path == "/plain") {
                out.body = "plain";
            } else {
                out.content_type = "text/plain";
                out.stream = std::make_unique<body>(owner_);
            }
            return http::step::answered;
        }
        http::step resume(const http::request&, http::response&) noexcept override {
            return http::step::answered;
        }

    private:
        spoken_service& owner_;
    };

    template <class Change>
    void change(Change&& how) {
        const std::lock_guard lock(mutex_);
        how();
        if (by_) by_->wake();
    }
    template <class Change>
    void with(Change&& how) {
        const std::lock_guard lock(mutex_);
        how();
        changed_.notify_all();
    }
    template <class Condition>
    void wait(Condition holds) {
        std::unique_lock lock(mutex_);
        // Only a failing test waits for it.
        BOOST_REQUIRE(changed_.wait_for(lock, 60s, holds));
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    http::stream_exchange* by_ = nullptr;
    bool heard_ = false;
    std::string said_;
    http::body_source::state state_ = http::body_source::state::open;
};

const std::string get = "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
using state = http::body_source::state;

struct fixture {
    std::unique_ptr<http::server> open(http::server_options options = {}) {
        return http::server::open(std::move(options), service).value();
    }
    spoken_service service;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(streams, fixture)

BOOST_AUTO_TEST_CASE(a_body_comes_in_chunks_until_it_is_whole) {
    const auto server = open();
    client caller(server->port());
    const answer head = caller.ask(get);
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.find("Transfer-Encoding").value_or("") == "chunked");
    BOOST_TEST(head.find("Connection").value_or("") == "close");
    BOOST_TEST(!head.find("Content-Length"));
    service.say("one ");
    BOOST_TEST(caller.read_until("one ", head) == "one ");
    service.say("two ");
    BOOST_TEST(caller.read_until("two ", head) == "one two ");
    service.finish(state::ended);
    BOOST_TEST(caller.read_to_the_end() == "one two ");
    BOOST_TEST(caller.saw_the_end());
    BOOST_TEST(caller.closed());
    service.wait_for_the_end();
}

BOOST_AUTO_TEST_CASE(what_was_said_before_the_end_is_sent) {
    const auto server = open();
    service.say("all");
    service.finish(state::ended);
    client caller(server->port());
    (void)caller.ask(get);
    BOOST_TEST(caller.read_to_the_end() == "all");
    BOOST_TEST(caller.saw_the_end());
}

BOOST_AUTO_TEST_CASE(http_1_0_gets_it_until_the_connection_closes) {
    const auto server = open();
    client caller(server->port());
    const answer head = caller.ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    BOOST_TEST(head.status == 200);
    BOOST_TEST(!head.find("Transfer-Encoding"));
    BOOST_TEST(head.find("Connection").value_or("") == "close");
    service.say("text");
    BOOST_TEST(caller.read_until("text", head) == "text");
    service.finish(state::ended);
    service.say("");
    BOOST_TEST(caller.read_until("never", head) == "text");
}

BOOST_AUTO_TEST_CASE(head_gets_no_body_and_keeps_its_connection) {
    const auto server = open();
    client caller(server->port());
    caller.send("HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    const answer head = caller.read(false);
    BOOST_TEST(head.status == 200);
    BOOST_TEST(!head.find("Content-Length"));
    BOOST_TEST(head.find("Content-Type").value_or("") == "text/plain");
    BOOST_TEST(caller.ask("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n").body == "plain");
}

BOOST_AUTO_TEST_CASE(answers_before_it_come_first) {
    const auto server = open();
    client caller(server->port());
    caller.send("GET /plain HTTP/1.1\r\nHost: a\r\n\r\n" + get + get);
    BOOST_TEST(caller.read().body == "plain");
    const answer head = caller.read();
    BOOST_TEST(head.status == 200);
    service.say("text");
    BOOST_TEST(caller.read_until("text", head) == "text");
    service.finish(state::ended);
    BOOST_TEST(caller.read_to_the_end() == "text");  // and nothing for the request behind it
}

BOOST_AUTO_TEST_CASE(a_client_that_goes_is_noticed) {
    const auto server = open();
    for (const bool resets : {true, false}) {
        client caller(server->port());
        (void)caller.ask(get);
        service.wait_for_listener();
        if (resets) {
            caller.reset();
        } else {
            caller.finish_sending();
        }
        service.wait_for_the_end();
    }
}

BOOST_AUTO_TEST_CASE(a_body_that_fails_has_no_end) {
    const auto server = open();
    client caller(server->port());
    const answer head = caller.ask(get);
    service.say("text");
    BOOST_TEST(caller.read_until("text", head) == "text");
    service.finish(state::failed);
    service.wait_for_the_end();
    BOOST_TEST(caller.read_to_the_end() == "text");
    BOOST_TEST(!caller.saw_the_end());
}

BOOST_AUTO_TEST_CASE(a_heartbeat_when_there_is_nothing_to_say) {
    http::server_options options;
    options.heartbeat = 20ms;
    const auto server = open(options);
    client caller(server->port());
    const answer head = caller.ask(get);
    BOOST_TEST(caller.read_until("beat beat ", head).starts_with("beat beat "));
    service.say("text");
    BOOST_TEST(caller.read_until("text", head).ends_with("text"));
}

BOOST_AUTO_TEST_CASE(who_does_not_read_is_dropped) {
    http::server_options options;
    options.write_timeout = 100ms;
    const auto server = open(options);
    client caller(server->port(), 4096);
    (void)caller.ask(get);
    service.wait_for_listener();
    service.say(std::string(32 << 20, 'x'));
    service.wait_for_the_end();
    BOOST_TEST(caller.read_to_the_end().size() < std::size_t{32} << 20);
    BOOST_TEST(!caller.saw_the_end());
}

BOOST_AUTO_TEST_CASE(what_a_client_says_meanwhile_is_dropped_and_too_much_of_it_ends_it) {
    const auto server = open();
    client caller(server->port());
    const answer head = caller.ask(get);
    caller.send("hello");
    service.say("text");
    BOOST_TEST(caller.read_until("text", head) == "text");
    for (int i = 0; i < 100; ++i) caller.send(std::string(1024, 'x'));
    service.wait_for_the_end();
}

// Without a last chunk: the client sees that this was not all, and comes again.
BOOST_AUTO_TEST_CASE(stopping_breaks_the_body_off) {
    const auto server = open();
    client caller(server->port());
    const answer head = caller.ask(get);
    service.say("text");
    BOOST_TEST(caller.read_until("text", head) == "text");
    server->stop(20s);
    BOOST_TEST(caller.read_to_the_end() == "text");
    BOOST_TEST(!caller.saw_the_end());
    caller.finish_sending();
    server->join();
    service.wait_for_the_end();
}

BOOST_AUTO_TEST_CASE(stopping_at_once_drops_it) {
    auto server = open();
    client caller(server->port());
    (void)caller.ask(get);
    service.wait_for_listener();
    server.reset();
    service.wait_for_the_end();
}

BOOST_AUTO_TEST_CASE(streams_count_as_connections) {
    http::server_options options;
    options.connections_max = 1;
    const auto server = open(options);
    {
        client caller(server->port());
        (void)caller.ask(get);
        service.wait_for_listener();
        BOOST_TEST(server->connections() == 1U);
        client second(server->port());
        BOOST_TEST(second.read().status == 503);
    }
    service.wait_for_the_end();
}

BOOST_AUTO_TEST_SUITE_END()
