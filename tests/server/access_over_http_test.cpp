// Credentials over real sockets: what is judged before a body is read, limits, and the end of a
// stream.

#include "api/event_stream.hpp"
#include "api_fixture.hpp"
#include "auth_fixture.hpp"
#include "http/server.hpp"

#include <orderproc/feed.hpp>

#include <map>
#include <memory>
#include <string>
#include <utility>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;

namespace {

struct listening : auth_fixture {
    void open() {
        options.admits.sites = http::site_rules{{}, true, {}};
        server = http::server::open(options, service).value();
    }
    client call() { return client(server->port()); }
    std::string add(std::string name, auth::scope_set scopes,
                    void (*change)(auth::api_key&) = nullptr) {
        auto made = make(std::move(name), scopes, change);
        refresh();
        ids[made.text] = made.key.id;
        return made.text;
    }
    static std::string head(const std::string& key, std::string_view line) {
        std::string out = std::string(line) + " HTTP/1.1\r\nHost: localhost\r\n";
        if (!key.empty()) out += "Authorization: Bearer " + key + "\r\n";
        return out;
    }
    static std::string get(const std::string& key, std::string_view target) {
        return head(key, "GET " + std::string(target)) + "\r\n";
    }
    static std::string post(const std::string& key, std::string_view target,
                            const std::string& body) {
        return head(key, "POST " + std::string(target)) +
               "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
               "\r\n\r\n" + body;
    }

    engine_options threaded;
    moody_storage store_of_orders;
    engine orders{store_of_orders, status_machine::standard(), system_runtime(errors), threaded};
    read_pool reads_of_orders{store_of_orders};
    reader feed_reads{store_of_orders, 1};
    live_feed feed{orders, feed_reads, event_feed("/test")};
    reader bound_reads{store_of_orders, 1};
    live_feed bound_feed{orders, bound_reads, bound_event_feed("/test")};
    auth::authenticator judge{&table, {}, 7};
    api handlers{orders, reads_of_orders, [this] {
                     api_parts out;
                     out.auth = &judge;
                     out.feed = &feed;
                     out.bound_feed = &bound_feed;
                     return out;
                 }()};
    api_service service{handlers};
    http::server_options options;
    std::map<std::string, std::string> ids;
    std::unique_ptr<http::server> server;
};

const std::string small_order = R"({"user_id":42,"item_ids":[1],"total_amount":1})";

void bind_to_42(auth::api_key& it) {
    it.user = "42";
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(over_sockets, listening)

BOOST_AUTO_TEST_CASE(who_asks_is_judged_before_the_body_is_read) {
    const std::string key = add("reads", {scope::orders_read});
    open();
    for (const auto& [sent, status] : {std::pair{std::string(), 401}, std::pair{key, 403}}) {
        client caller = call();
        const answer got = caller.ask(head(sent, "POST /orders") + "Content-Length: 100\r\n\r\n");
        BOOST_TEST(got.status == status);
        BOOST_TEST(!got.find("Connection"));
        caller.send(std::string(100, 'x'));  // what was announced is read, and dropped
        BOOST_TEST(caller.ask(get(key, "/orders")).status == 200);
        BOOST_TEST(caller.ask(get("", "/orders")).status == 401);  // each request for itself
        BOOST_TEST(caller.ask(get(key, "/orders")).status == 200);
    }
}

BOOST_AUTO_TEST_CASE(a_foreign_page_is_refused_whoever_asks) {
    const std::string key = add("writes", {scope::orders_write});
    open();
    client caller = call();
    const std::string foreign = "Sec-Fetch-Site: cross-site\r\nContent-Length: 0\r\n\r\n";
    for (const std::string& sent : {key, std::string(), auth::make_key("test")}) {
        const answer got = caller.ask(head(sent, "POST /orders") + foreign);
        BOOST_TEST(got.status == 403);
        BOOST_TEST(got.says("cross_site"));
    }
}

BOOST_AUTO_TEST_CASE(rates_are_of_the_principal) {
    const std::string one = add("one", {scope::orders_read});
    const std::string other = add("other", {scope::orders_read});
    options.admits.limit = http::rate{0.001, 2};
    options.admits.bound_limit = http::rate{0.001, 1};
    const std::string bound = add("bound", {scope::orders_read}, bind_to_42);
    open();
    client caller = call();
    for (const std::string& it : {one, other}) {
        BOOST_TEST(caller.ask(get(it, "/orders")).status == 200);
        BOOST_TEST(caller.ask(get(it, "/orders")).status == 200);
        BOOST_TEST(caller.ask(get(it, "/orders")).status == 429);
    }
    BOOST_TEST(caller.ask(get(bound, "/orders")).status == 200);
    BOOST_TEST(caller.ask(get(bound, "/orders")).status == 429);
}

BOOST_AUTO_TEST_CASE(a_batch_costs_a_token_for_each_order) {
    const std::string key = add("writes", {scope::orders_write});
    options.admits.limit = http::rate{0.001, 5};
    open();
    client caller = call();
    std::string batch = "[" + small_order;
    for (int i = 0; i < 2; ++i) batch += "," + small_order;
    answer got = caller.ask(post(key, "/orders/batch", batch + "]"));
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("RateLimit").value_or("").starts_with("\"default\";r=2;"));
    got = caller.ask(post(key, "/orders/batch", batch + "]"));  // one token more than there is
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("RateLimit").value_or("").starts_with("\"default\";r=0;"));
    got = caller.ask(post(key, "/orders", small_order));
    BOOST_TEST(got.status == 429);
    BOOST_TEST(std::stoi(got.find("Retry-After").value_or("0")) > 1000);  // two tokens are owed
}

// Row 3 of the attacks.
BOOST_AUTO_TEST_CASE(a_stream_ends_with_its_key) {
    const std::string key = add("reads", {scope::orders_read});
    const std::string other = add("other", {scope::orders_read});
    const std::string bound = add("bound", {scope::orders_read}, bind_to_42);
    options.heartbeat = std::chrono::milliseconds(20);
    open();
    client ends = call();
    client goes_on = call();
    client ends_too = call();
    for (const auto& [caller, sent] :
         {std::pair{&ends, key}, std::pair{&goes_on, other}, std::pair{&ends_too, bound}}) {
        caller->send(get(sent, "/events"));
        const answer got = caller->read(false);
        BOOST_TEST(got.status == 200);
        BOOST_TEST(caller->read_until(":\n\n", got).find("retry:") != std::string::npos);
    }
    BOOST_REQUIRE(admin.revoke(ids.at(key)).has_value());
    BOOST_REQUIRE(admin.revoke(ids.at(bound)).has_value());
    refresh();
    ends.read_to_the_end();
    BOOST_TEST(!ends.saw_the_end());  // broken off: the client is to come again, and be refused
    ends_too.read_to_the_end();
    BOOST_TEST(call().ask(get(key, "/events")).status == 401);
    BOOST_TEST(feed.subscriptions() == 1U);  // that of the other key
}

BOOST_AUTO_TEST_CASE(a_bound_stream_has_its_own_orders_without_reasons) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write});
    const std::string bound = add("bound", {scope::orders_read}, bind_to_42);
    open();
    client caller = call();
    caller.send(get(bound, "/events"));
    const answer got = caller.read(false);
    BOOST_TEST(got.status == 200);
    client writes = call();
    const auto create = [&](const char* id, const char* user) {
        return writes
            .ask(post(all, "/orders",
                      R"({"order_id":")" + std::string(id) + R"(","user_id":)" + user +
                          R"(,"item_ids":[1],"total_amount":1})"))
            .status;
    };
    BOOST_TEST(create("MINE", "42") == 201);
    BOOST_TEST(create("OTHER", "7") == 201);
    const std::string why = R"({"event":"cancel","reason":"till-9 burns"})";
    BOOST_TEST(writes.ask(post(all, "/orders/MINE/transitions", why)).status == 200);
    const std::string text = caller.read_until("order.cancel", got);
    BOOST_TEST(text.find("MINE") != text.npos);
    BOOST_TEST(text.find("OTHER") == text.npos);
    BOOST_TEST(text.find("till-9") == text.npos);
    BOOST_TEST(text.find("\"reason\":null") != text.npos);
    BOOST_TEST(writes.ask(get(bound, "/orders/OTHER/events")).status == 404);
}

// Row 8 of the attacks: where a stream goes on is no matter of whose orders it has.
BOOST_AUTO_TEST_CASE(a_last_event_id_shows_ones_own_alone) {
    const std::string all = add("all", {scope::orders_read, scope::orders_write});
    const std::string bound = add("bound", {scope::orders_read}, bind_to_42);
    open();
    client writes = call();
    for (const auto& [id, user] :
         {std::pair{"FIRST", "7"}, std::pair{"MINE", "42"}, std::pair{"OTHER", "7"}}) {
        const std::string body = R"({"order_id":")" + std::string(id) + R"(","user_id":)" + user +
                                 R"(,"item_ids":[1],"total_amount":1})";
        BOOST_REQUIRE(writes.ask(post(all, "/orders", body)).status == 201);
    }
    const std::string journal = writes.ask(get(all, "/journal?limit=1")).body;
    constexpr std::string_view name = R"("position":")";
    const std::size_t at = journal.find(name) + name.size();
    const std::string position = journal.substr(at, journal.find('"', at) - at);
    client caller = call();
    caller.send(head(bound, "GET /events") + "Last-Event-ID: " + position + "\r\n\r\n");
    const answer got = caller.read(false);
    BOOST_REQUIRE(got.status == 200);
    BOOST_REQUIRE(writes.ask(post(all, "/orders/MINE/cancel", "")).status == 200);
    const std::string text = caller.read_until("order.cancel", got);
    BOOST_TEST(text.find("MINE") != text.npos);
    BOOST_TEST(text.find("order.create") != text.npos);
    BOOST_TEST(text.find("FIRST") == text.npos);
    BOOST_TEST(text.find("OTHER") == text.npos);
}

BOOST_AUTO_TEST_SUITE_END()
