// Orders over real sockets, with an engine that has a thread of its own.

#include "api/api_service.hpp"
#include "client.hpp"
#include "http/server.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture {
    static http::server_options two_threads() {
        http::server_options out;
        out.threads = 2;
        return out;
    }
    static std::string order_of(const std::string& id) {
        return R"({"order_id":")" + id + R"(","user_id":1,"item_ids":[1],"total_amount":1.5})";
    }
    static std::string post(const std::string& id, const std::string& fields = {}) {
        return post_to("/orders", order_of(id), fields);
    }
    static std::string post_to(const std::string& path, const std::string& body,
                               const std::string& fields = {}) {
        return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" +
               fields + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    static std::string get(const std::string& target) {
        return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
    }

    std::unique_ptr<storage> store = make_memory_storage();
    engine orders{*store, status_machine::standard(), system_runtime()};
    read_pool reads{*store};
    api handlers{orders, reads};
    api_service service{handlers};
    std::unique_ptr<http::server> server = http::server::open(two_threads(), service).value();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_over_http, fixture)

BOOST_AUTO_TEST_CASE(create_and_read) {
    client caller(server->port());
    const answer created = caller.ask(post("A-1"));
    BOOST_TEST(created.status == 201);
    BOOST_TEST(created.find("Location").value_or("") == "orders/A-1");
    const answer read = caller.ask(get("/orders/A-1"));
    BOOST_TEST(read.status == 200);
    BOOST_TEST(read.body == created.body);
    BOOST_TEST(caller.ask(post("A-1")).status == 409);
    BOOST_TEST(caller.ask(get("/orders?limit=1")).says(R"("order_id":"A-1")"));
    BOOST_TEST(caller.ask(get("/healthz")).status == 200);
    BOOST_TEST(caller.ask(get("/metrics")).says(R"("pending":1)"));
}

BOOST_AUTO_TEST_CASE(the_numbers_name_the_process_that_answers) {
    client caller(server->port());
    BOOST_REQUIRE(caller.ask(post("A-1")).status == 201);
    const answer who = caller.ask(get("/whoami"));
    const answer seen = caller.ask(get("/stats?span=1h"));
    BOOST_REQUIRE(seen.status == 200);
    BOOST_TEST(seen.says(R"("pending":1)"));
    BOOST_TEST(seen.says(R"("span":"1h","step":20,)"));
    const std::string name = R"("instance":")";
    const std::string instance = who.body.substr(who.body.find(name), name.size() + 16);
    BOOST_TEST(seen.says(instance));
    api other(orders, reads);  // as another server of the same storage, or this one after a restart
    api_service others(other);
    const auto behind = http::server::open(two_threads(), others).value();
    client elsewhere(behind->port());
    const answer another = elsewhere.ask(get("/stats?span=1h"));
    BOOST_TEST(another.says(R"("pending":1)"));
    BOOST_TEST(another.says(name));
    BOOST_TEST(!another.says(instance));
}

BOOST_AUTO_TEST_CASE(a_batch_and_many_patches_of_one_order) {
    std::string body;
    for (int i = 0; i < 300; ++i) {
        body += R"({"order_id":"B-)" + std::to_string(i) +
                R"(","user_id":1,"item_ids":[1],"total_amount":1})" + "\n";
    }
    client caller(server->port());
    const answer made = caller.ask(
        "POST /orders/batch HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\n"
        "Content-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    BOOST_TEST(made.status == 200);
    BOOST_TEST(made.says(R"("order_id":"B-299")"));
    BOOST_TEST(!made.says("problem"));

    // Each either gets through or is told that it did not.
    constexpr int clients = 4;
    constexpr int each = 25;
    std::vector<int> done(clients);
    std::vector<std::thread> threads;
    for (int c = 0; c < clients; ++c) {
        threads.emplace_back([&, c] {
            client one(server->port());
            for (int i = 0; i < each; ++i) {
                const answer got = one.ask(
                    "PATCH /orders/B-0 HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
                    "Content-Length: 2\r\n\r\n{}");
                if (got.status == 200) ++done[static_cast<std::size_t>(c)];
            }
        });
    }
    for (std::thread& it : threads) it.join();
    int sum = 0;
    for (const int count : done) sum += count;
    BOOST_TEST(sum > 0);
    BOOST_TEST(caller.ask(get("/orders/B-0")).says("\"version\":" + std::to_string(1 + sum) + ","));
}

// What became of a request is nothing to the next one of its connection.
BOOST_AUTO_TEST_CASE(a_batch_behind_a_refusal_and_a_replay) {
    const std::string key = "Idempotency-Key: k\r\n";
    client caller(server->port());
    BOOST_TEST(caller.ask(post("A-1", key)).status == 201);
    BOOST_TEST(caller.ask(post("A-2", key)).status == 422);
    const answer first = caller.ask(post_to("/orders/batch", "[" + order_of("B-1") + "]"));
    BOOST_TEST(first.status == 200);
    BOOST_TEST(first.says(R"({"items":[{"status":201,)"));
    BOOST_TEST(caller.ask(post("A-1", key)).find("Idempotency-Replayed").has_value());
    const answer second = caller.ask(post_to("/orders/batch", "[" + order_of("B-2") + "]"));
    BOOST_TEST(second.status == 200);
    BOOST_TEST(!second.find("Idempotency-Replayed"));
}

BOOST_AUTO_TEST_CASE(a_read_behind_a_create_sees_it) {
    client caller(server->port());
    std::string bytes;
    for (int i = 0; i < 10; ++i) {
        const std::string id = "A-" + std::to_string(i);
        bytes += post(id) + get("/orders/" + id);
    }
    caller.send(bytes);
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(caller.read().status == 201);
        BOOST_TEST(caller.read().status == 200);
    }
}

BOOST_AUTO_TEST_CASE(many_clients) {
    constexpr int clients = 8;
    constexpr int each = 50;
    std::vector<int> created(clients);
    std::vector<std::thread> threads;
    for (int c = 0; c < clients; ++c) {
        threads.emplace_back([&, c] {
            client caller(server->port());
            for (int i = 0; i < each; ++i) {
                const std::string id = "A-" + std::to_string(c) + "-" + std::to_string(i);
                created[static_cast<std::size_t>(c)] += caller.ask(post(id)).status == 201;
            }
        });
    }
    for (std::thread& it : threads) it.join();
    for (const int count : created) BOOST_TEST(count == each);
    client caller(server->port());
    BOOST_TEST(caller.ask(get("/metrics")).says(R"("pending":400)"));
}

BOOST_AUTO_TEST_CASE(clients_that_go_before_their_answers) {
    for (int i = 0; i < 50; ++i) {
        client caller(server->port());
        caller.send(post("A-" + std::to_string(i)));
        if (i % 2 == 0) caller.reset();
    }
    client last(server->port());
    BOOST_TEST(last.ask(post("last")).status == 201);
}

BOOST_AUTO_TEST_CASE(stopping_answers_what_was_begun) {
    client caller(server->port());
    BOOST_TEST(caller.ask(post("A-0")).status == 201);
    caller.send(post("A-1"));
    server->stop(std::chrono::seconds(20));
    // Either it was read, then it is answered; or not, then it was not done.
    const answer got = caller.read();
    BOOST_TEST((got.status == 201 || got.status == 0));
    caller.finish_sending();
    server->join();
    const std::vector<std::string> ids = {"A-1"};
    load_params params;
    params.ids = ids;
    const auto stored =
        reader(*store).use([&](repository_reader& from) { return from.load(params); });
    BOOST_TEST(stored.value().orders.at(0).has_value() == (got.status == 201));
}

BOOST_AUTO_TEST_SUITE_END()
