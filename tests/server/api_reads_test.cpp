// Reads that take long, over real sockets and one thread for HTTP: they delay nobody else.

#include "api/api_service.hpp"
#include "api/event_stream.hpp"
#include "client.hpp"
#include "http/server.hpp"
#include "observe/health.hpp"
#include "observe/storage_probe.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/testing/fault_storage.hpp>

#include <boost/test/unit_test.hpp>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using orderproc::testing::fault_call;

namespace {

// While it is closed, reads wait in it.
class gate {
public:
    void pass() {
        std::unique_lock lock(mutex_);
        ++inside_;
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        --inside_;
    }
    void close() { set(false); }
    void open() { set(true); }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return inside_ >= count; });
    }

private:
    void set(bool open) {
        const std::lock_guard lock(mutex_);
        open_ = open;
        changed_.notify_all();
    }
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = true;
    std::size_t inside_ = 0;
};

struct fixture {
    fixture() {
        store.on_call([this](const orderproc::testing::fault_site& at) {
            if (at.call == fault_call::read) reads_pass.pass();
        });
        api_parts parts;
        parts.feed = &feed;
        parts.unhealthy = [this] { return state.unhealthy(); };
        parts.unready = [this] { return state.unready(); };
        read_pool_options options;
        options.threads = 1;
        options.load_thread = false;
        reads.emplace(store, options);
        handlers.emplace(orders, *reads, std::move(parts));
        service.emplace(*handlers);
        server = http::server::open({}, *service).value();
        BOOST_REQUIRE(client(server->port()).ask(post("A")).status == 201);
    }
    ~fixture() { reads_pass.open(); }

    static std::string post(const std::string& id) {
        const std::string body =
            R"({"order_id":")" + id + R"(","user_id":1,"item_ids":[1],"total_amount":1.5})";
        return "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
               "Content-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    static std::string get(const std::string& target) {
        return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    client& begin(const std::string& request) {
        client& it = waiting.emplace_back(server->port());
        it.send(request);
        return it;
    }
    // Returns when the request waits for the storage: what comes before it on the connection is
    // answered then.
    client& begin_and_wait(const std::string& request) {
        client& it = begin(get("/healthz") + request);
        BOOST_REQUIRE(it.read().status == 200);
        return it;
    }
    static health_limits patient() {
        health_limits out;
        out.probe_time_max = std::chrono::hours(1);
        return out;
    }
    std::size_t reads_made() const { return store.calls(fault_call::read); }

    gate reads_pass;
    std::unique_ptr<storage> inner = make_memory_storage();
    orderproc::testing::fault_storage store{*inner};
    health state{system_runtime().time, patient()};
    engine orders{store, status_machine::standard(), system_runtime(state)};
    reader feed_reads{store, 1};
    live_feed feed{orders, feed_reads, event_feed(std::string(default_event_source))};
    std::optional<read_pool> reads;
    std::optional<api> handlers;
    std::optional<api_service> service;
    std::unique_ptr<http::server> server;
    std::vector<client> waiting;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_reads, fixture)

// On the connection's thread the first of them would have held up all that follows.
BOOST_AUTO_TEST_CASE(neither_commits_nor_health_wait_for_a_read) {
    const storage_probe probe(store, orders, state);
    reads_pass.close();
    const std::vector<std::string> slow = {"/orders",
                                           "/orders/A",
                                           "/orders/status/pending",
                                           "/orders/A/history",
                                           "/orders/A?at=2100-01-01T00:00:00Z",
                                           "/orders?updated_from=2100-01-01T00:00:00Z",
                                           "/journal",
                                           "/metrics"};
    waiting.reserve(slow.size() + 3);
    for (const std::string& it : slow) begin(get(it));
    client& patch = begin(
        "PATCH /orders/A HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\n\r\n{}");
    client& events = begin(get("/events"));
    client& order_events = begin(get("/orders/A/events"));
    reads_pass.wait_for(3);  // one of each lane, and the probe's

    client other(server->port());
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(other.ask(get("/healthz")).status == 200);
        BOOST_TEST(other.ask(get("/readyz")).status == 200);
        BOOST_TEST(other.ask(post("B-" + std::to_string(i))).status == 201);
    }
    reads_pass.open();
    for (std::size_t i = 0; i < slow.size(); ++i) BOOST_TEST(waiting[i].read().status == 200);
    BOOST_TEST(patch.read().status == 200);
    BOOST_TEST(events.read(false).status == 200);
    BOOST_TEST(order_events.read(false).status == 200);
}

BOOST_AUTO_TEST_CASE(reads_of_clients_that_were_reset_are_dropped) {
    reads_pass.close();
    const std::size_t before = reads_made();
    waiting.reserve(2);
    client& first = begin(get("/orders"));
    reads_pass.wait_for(1);
    begin_and_wait(get("/orders?limit=1")).reset();
    while (server->connections() > 1) std::this_thread::yield();  // it was noticed while it waits
    reads_pass.open();
    BOOST_TEST(first.read().status == 200);
    BOOST_TEST(first.ask(get("/orders?limit=2")).status == 200);
    BOOST_TEST(reads_made() == before + 2);
}

BOOST_AUTO_TEST_CASE(a_client_that_only_stopped_sending_gets_its_answer) {
    reads_pass.close();
    waiting.reserve(1);
    client& half = begin(get("/orders/A"));
    half.finish_sending();
    reads_pass.wait_for(1);
    reads_pass.open();
    BOOST_TEST(half.read().status == 200);
}

BOOST_AUTO_TEST_CASE(the_end_drops_what_waits_and_waits_for_what_is_under_way) {
    reads_pass.close();
    const std::size_t before = reads_made();
    waiting.reserve(3);
    begin(get("/orders"));
    reads_pass.wait_for(1);
    begin_and_wait(get("/orders"));
    begin_and_wait(get("/orders"));
    server->stop(std::chrono::milliseconds(0));
    while (server->connections() > 1) std::this_thread::yield();
    reads_pass.open();
    server->join();
    BOOST_TEST(reads_made() == before + 1);
}

BOOST_AUTO_TEST_SUITE_END()
