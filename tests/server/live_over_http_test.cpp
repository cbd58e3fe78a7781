// The live feed and CORS over real sockets, with an engine that has a thread of its own.

#include "api/api_service.hpp"
#include "api/cors.hpp"
#include "api/event_stream.hpp"
#include "client.hpp"
#include "http/server.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/memory.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture {
    static std::string post(const std::string& id, int user = 1) {
        const std::string body = R"({"order_id":")" + id + R"(","user_id":)" +
                                 std::to_string(user) + R"(,"item_ids":[1],"total_amount":1.5})";
        return "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
               "Content-Length: " +
               std::to_string(body.size()) + "\r\n\r\n" + body;
    }
    static std::string get(const std::string& target, const std::string& fields = {}) {
        return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n";
    }
    static std::string cancel(const std::string& id) {
        return "POST /orders/" + id + "/cancel HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    }
    static std::vector<std::string> ids(const std::string& text) {
        std::vector<std::string> out;
        for (auto at = text.find("\nid: "); at != text.npos; at = text.find("\nid: ", at + 1)) {
            const auto end = text.find('\n', at + 5);
            if (text.substr(end + 1, 6) == "data: ")
                out.push_back(text.substr(at + 5, end - at - 5));
        }
        return out;
    }

    std::unique_ptr<storage> store = make_memory_storage();
    engine orders{*store, status_machine::standard(), system_runtime()};
    read_pool reads{*store};
    reader feed_reads{*store, 1};
    live_feed feed{orders, feed_reads, event_feed(std::string(default_event_source))};
    api handlers{orders, reads, [this] {
                     api_parts out;
                     out.feed = &feed;
                     return out;
                 }()};
    api_service service{handlers};
    cors_service cors{service, {"https://shop.example"}};
    std::unique_ptr<http::server> server = http::server::open(
                                               [] {
                                                   http::server_options out;
                                                   out.threads = 2;
                                                   out.limits.body_size_max = 4096;
                                                   return out;
                                               }(),
                                               cors)
                                               .value();
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(live_over_http, fixture)

BOOST_AUTO_TEST_CASE(events_as_they_happen) {
    client caller(server->port());
    client listener(server->port());
    BOOST_TEST(caller.ask(post("A-0")).status == 201);
    const answer head = listener.ask(get("/events"));
    BOOST_TEST(head.status == 200);
    BOOST_TEST(head.find("Content-Type").value_or("") == "text/event-stream");
    BOOST_TEST(head.find("Cache-Control").value_or("") == "no-store");
    BOOST_TEST(head.find("Feed-Position").value_or("") == "1-1");
    BOOST_TEST(listener.read_until("\n\n", head).starts_with("retry: 3000\n"));
    BOOST_TEST(caller.ask(post("A-1")).status == 201);
    const std::string text = listener.read_until("\"subject\":\"A-1\"", head);
    BOOST_TEST(text.find("A-0") == text.npos);
    BOOST_TEST(text.find("\nid: 1-2\ndata: {\"specversion\":\"1.0\",\"id\":\"1-2\"") != text.npos);
}

BOOST_AUTO_TEST_CASE(last_event_id_is_stronger_than_after) {
    client caller(server->port());
    for (int i = 0; i < 5; ++i) (void)caller.ask(post("A-" + std::to_string(i)));
    client all(server->port());
    answer head = all.ask(get("/events?after=0"));
    BOOST_TEST((ids(all.read_until("A-4", head)) ==
                std::vector<std::string>{"1-1", "1-2", "1-3", "1-4", "1-5"}));
    client some(server->port());
    head = some.ask(get("/events?after=0", "Last-Event-ID: 1-3\r\n"));
    BOOST_TEST((ids(some.read_until("A-4", head)) == std::vector<std::string>{"1-4", "1-5"}));
    // EventSource polyfills send it in the query.
    client polyfill(server->port());
    head = polyfill.ask(get("/events?after=0&lastEventId=1-3"));
    BOOST_TEST((ids(polyfill.read_until("A-4", head)) == std::vector<std::string>{"1-4", "1-5"}));
    client both(server->port());
    head = both.ask(get("/events?lastEventId=1-1", "Last-Event-ID: 1-3\r\n"));
    BOOST_TEST((ids(both.read_until("A-4", head)) == std::vector<std::string>{"1-4", "1-5"}));
    client neither(server->port());
    head = neither.ask(get("/events?lastEventId=&after=1-3"));
    BOOST_TEST((ids(neither.read_until("A-4", head)) == std::vector<std::string>{"1-4", "1-5"}));
    client lost(server->port());
    head = lost.ask(get("/events", "Last-Event-ID: 9-3\r\n"));
    const std::string text = lost.read_until("A-4", head);
    BOOST_TEST(text.find("event: reset\nid: 1-0\n") != text.npos);
    BOOST_TEST(ids(text).size() == 1 + 5U);
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_wrongly) {
    client caller(server->port());
    for (const char* query : {"after=x", "after=1-01", "after=", "after=0&after=0", "status=GONE",
                              "user_id=0", "user_id=1&user_id=1", "order_id=~a", "limit=1",
                              "lastEventId=x", "lastEventId=1-1&lastEventId=1-2"}) {
        const answer got = caller.ask(get(std::string("/events?") + query));
        BOOST_TEST(got.status == 400, query);
        BOOST_TEST(got.says("\"code\":\"invalid_parameter\""));
        BOOST_TEST(got.says("\"parameter\":\"" +
                            std::string(query).substr(0, std::string(query).find('=')) + "\""));
    }
    BOOST_TEST(
        caller.ask(get("/events", "Last-Event-ID: x\r\n")).says("\"parameter\":\"Last-Event-ID\""));
    BOOST_TEST(caller.ask(get("/events?status=%zz")).status == 400);
    BOOST_TEST(caller.ask(get("/orders/A-9/events")).status == 404);
    (void)caller.ask(post("A-9"));
    BOOST_TEST(caller.ask(get("/orders/A-9/events?status=PENDING")).status == 400);
    BOOST_TEST(caller.ask(get("/orders/A-9/events?after=0&after=0")).status == 400);
    BOOST_TEST(
        caller.ask(get("/orders/A-9/events?lastEventId=x")).says("\"parameter\":\"lastEventId\""));
    BOOST_TEST(caller.ask("POST /events HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n").status ==
               405);
    caller.send("HEAD /events HTTP/1.1\r\nHost: a\r\n\r\n");
    BOOST_TEST(caller.read(false).status == 200);
    BOOST_TEST(feed.subscriptions() == 0U);
}

BOOST_AUTO_TEST_CASE(filters_of_the_query) {
    client caller(server->port());
    client listener(server->port());
    const answer head =
        listener.ask(get("/events?status=cancelled,failed&status=COMPLETED&user_id=7"));
    BOOST_TEST(head.status == 200);
    for (const auto& request : {post("A-1", 7), post("A-2", 8), cancel("A-2"), cancel("A-1")}) {
        BOOST_TEST(caller.ask(request).status / 100 == 2);
    }
    BOOST_TEST((ids(listener.read_until("A-1", head)) == std::vector<std::string>{"1-4"}));
}

BOOST_AUTO_TEST_CASE(an_orders_events_end_with_it) {
    client caller(server->port());
    client listener(server->port());
    (void)caller.ask(post("A-1"));
    const answer head = listener.ask(get("/orders/A-1/events"));
    (void)listener.read_until("\"event\":\"create\"", head);
    BOOST_TEST(caller.ask(cancel("A-1")).status == 200);
    const std::string text = listener.read_to_the_end();
    BOOST_TEST(listener.saw_the_end());
    BOOST_TEST((ids(text) == std::vector<std::string>{"1-1", "1-2"}));
    // Who has seen all of it is told not to come again (WHATWG HTML, 9.2.3).
    client again(server->port());
    BOOST_TEST(again.ask(get("/orders/A-1/events", "Last-Event-ID: 1-2\r\n")).status == 204);
    BOOST_TEST(again.ask(get("/orders/A-1/events?lastEventId=1-2")).status == 204);
    BOOST_TEST(again.ask(get("/orders/A-1/events", "Last-Event-ID: 1-1\r\n")).status == 200);
    BOOST_TEST((ids(again.read_to_the_end()) == std::vector<std::string>{"1-2"}));
}

BOOST_AUTO_TEST_CASE(http_1_0_listens_too) {
    client caller(server->port());
    client listener(server->port());
    const answer head = listener.ask("GET /events HTTP/1.0\r\n\r\n");
    BOOST_TEST(!head.find("Transfer-Encoding"));
    (void)listener.read_until("\n\n", head);
    (void)caller.ask(post("A-1"));
    BOOST_TEST(ids(listener.read_until("A-1", head)).size() == 1U);
}

// A comment, which clients leave out.
BOOST_AUTO_TEST_CASE(who_waits_sees_life) {
    http::server_options options;
    options.heartbeat = std::chrono::milliseconds(20);
    const auto often = http::server::open(options, service).value();
    client listener(often->port());
    const answer head = listener.ask(get("/events"));
    const std::string text = listener.read_until("\n\n:\n\n:\n\n", head);
    BOOST_TEST(text.starts_with("retry: 3000\nid: 1-0\n\n:\n\n"));
    client caller(often->port());
    (void)caller.ask(post("A-1"));
    BOOST_TEST(ids(listener.read_until("A-1", head)).size() == 1U);
}

BOOST_AUTO_TEST_CASE(many_listen_while_many_write) {
    constexpr int writers = 4;
    constexpr int each = 100;
    constexpr std::size_t all = writers * each;
    std::vector<std::thread> threads;
    std::vector<std::vector<std::string>> got(8);
    for (std::size_t i = 0; i < got.size(); ++i) {
        threads.emplace_back([&, i] {
            // Each comes again a few times, in the middle of things.
            std::string last = "0";
            while (got[i].size() < all) {
                client one(server->port());
                const answer head =
                    one.ask(get("/events?after=0", "Last-Event-ID: " + last + "\r\n"));
                std::vector<std::string> now;
                for (std::string text; now.size() < 150 && got[i].size() + now.size() < all;) {
                    text = one.read_until(
                        "\nid: 1-" + std::to_string(got[i].size() + now.size() + 1) + "\ndata: ",
                        head);
                    now = ids(text);
                }
                got[i].insert(got[i].end(), now.begin(), now.end());
                last = got[i].back();
            }
        });
    }
    for (int w = 0; w < writers; ++w) {
        threads.emplace_back([&, w] {
            client one(server->port());
            for (int i = 0; i < each; ++i) {
                (void)one.ask(post("A-" + std::to_string(w) + "-" + std::to_string(i)));
            }
        });
    }
    for (std::thread& it : threads) it.join();
    for (const auto& of_one : got) {
        BOOST_REQUIRE(of_one.size() == all);
        for (std::size_t i = 0; i < all; ++i) {
            BOOST_TEST(of_one[i] == "1-" + std::to_string(i + 1));
        }
    }
}

BOOST_AUTO_TEST_CASE(pages_of_another_origin) {
    client caller(server->port());
    const std::string origin = "Origin: https://shop.example\r\n";
    const answer preflight =
        caller.ask("OPTIONS /orders/A-1/cancel HTTP/1.1\r\nHost: a\r\n" + origin +
                   "Access-Control-Request-Method: POST\r\n"
                   "Access-Control-Request-Headers: authorization,idempotency-key\r\n\r\n");
    BOOST_TEST(preflight.status == 204);
    BOOST_TEST(preflight.find("Access-Control-Allow-Origin").value_or("") ==
               "https://shop.example");
    BOOST_TEST(preflight.find("Access-Control-Allow-Methods").value_or("") == "POST, OPTIONS");
    BOOST_TEST(preflight.find("Access-Control-Allow-Headers").value_or("").find("Authorization") !=
               std::string::npos);
    BOOST_TEST(preflight.find("Vary").value_or("").starts_with("Origin"));

    // Orders, errors, what the transport refuses, and streams.
    (void)caller.ask(post("A-1"));
    for (const char* target :
         {"/orders/A-1", "/orders/A-2", "/orders?limit=x", "/nowhere", "/healthz"}) {
        const answer got = caller.ask(get(target, origin));
        BOOST_TEST(got.find("Access-Control-Allow-Origin").value_or("") == "https://shop.example",
                   target);
        BOOST_TEST(
            got.find("Access-Control-Expose-Headers").value_or("").starts_with("ETag, Location, "));
        BOOST_TEST(got.find("Vary").value_or("") == "Origin");
    }
    client large(server->port());
    const answer refused =
        large.ask("POST /orders HTTP/1.1\r\nHost: a\r\n" + origin + "Content-Length: 9999\r\n\r\n");
    BOOST_TEST(refused.status == 413);
    BOOST_TEST(refused.find("Access-Control-Allow-Origin").has_value());
    client stream(server->port());
    BOOST_TEST(stream.ask(get("/events", origin)).find("Access-Control-Allow-Origin").has_value());

    // Others, and those who are no pages.
    const answer other = caller.ask(get("/orders/A-1", "Origin: https://evil.example\r\n"));
    BOOST_TEST(other.status == 200);
    BOOST_TEST(!other.find("Access-Control-Allow-Origin"));
    BOOST_TEST(other.find("Vary").value_or("") == "Origin");
    const answer refused_preflight = caller.ask(
        "OPTIONS /orders HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\n"
        "Access-Control-Request-Method: POST\r\n\r\n");
    BOOST_TEST(!refused_preflight.find("Access-Control-Allow-Origin"));
    BOOST_TEST(!caller.ask(get("/orders/A-1")).find("Access-Control-Allow-Origin"));
}

BOOST_AUTO_TEST_CASE(every_origin) {
    cors_service everybody(service, {"*"});
    const auto open = http::server::open({}, everybody).value();
    client caller(open->port());
    const answer got = caller.ask(get("/healthz", "Origin: https://any.example\r\n"));
    BOOST_TEST(got.find("Access-Control-Allow-Origin").value_or("") == "*");
    BOOST_TEST(!got.find("Vary"));
}

BOOST_AUTO_TEST_CASE(what_an_origin_is) {
    for (const char* good :
         {"*", "https://shop.example", "http://localhost:5173", "https://[::1]:8443"}) {
        BOOST_TEST(is_cors_origin(good), good);
    }
    for (const char* bad :
         {"", "null", "shop.example", "https://", "https://shop.example/", "https://Shop.example",
          "ftp://shop.example", "https://*.shop.example", "https://a b", "https://a\r\nX: b"}) {
        BOOST_TEST(!is_cors_origin(bad), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
