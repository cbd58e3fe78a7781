// Webhook endpoints over the API, in front of a sender whose receiver does as it is told.

#include "api/webhook_desk.hpp"
#include "api_fixture.hpp"
#include "auth/audit.hpp"
#include "auth_fixture.hpp"

#include <orderproc/webhooks.hpp>

#include <boost/json.hpp>

#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using auth::scope;
namespace js = boost::json;

namespace {

// Notes what came, and answers with the status that the test wants.
class noting_client final : public webhook_client {
public:
    void deliver(webhook_request what, std::stop_token,
                 std::function<void(webhook_response)> done) override {
        came.push_back(std::move(what));
        webhook_response out;
        out.status = status;
        out.body = "<script>\r\nx: y";
        done(std::move(out));
    }
    std::string header(std::size_t of, std::string_view name) const {
        for (const auto& [key, value] : came.at(of).fields) {
            if (key == name) return value;
        }
        return {};
    }
    unsigned status = 200;
    std::vector<webhook_request> came;
};

struct hooked : api_fixture {
    hooked() {
        served = &hooked_service;
        desk.admits = [](std::string_view url) -> result<void> {
            if (url.starts_with("https://")) return {};
            return failure{errc::invalid_argument, "this address is not allowed"};
        };
        desk.changed = [this] { sender.look_again(); };
        bound = key("anna", {scope::webhooks, scope::orders_write},
                    [](auth::api_key& it) { it.user = "7"; });
        other = key("bob", {scope::webhooks, scope::orders_write},
                    [](auth::api_key& it) { it.user = "8"; });
        all = key("admin", {scope::webhooks, scope::orders_write});
        using_key = all;
        BOOST_REQUIRE(sender.start());
    }
    std::string key(std::string name, auth::scope_set scopes,
                    void (*change)(auth::api_key&) = nullptr) {
        auto made = keys.make(std::move(name), scopes, change);
        keys.refresh();
        return made.text;
    }
    answer call(std::string_view method, std::string_view target, std::string_view body = {}) {
        const std::string value = "Bearer " + using_key;
        std::vector<http::field> fields{{"Authorization", value}};
        if (!body.empty()) fields.push_back({"Content-Type", "application/json"});
        return ask(method, target, body, std::move(fields));
    }
    js::object made(std::string_view body) {
        const answer got = call("POST", "/webhooks", body);
        BOOST_REQUIRE_EQUAL(got.status, 201);
        return js::parse(got.body).as_object();
    }
    std::string id_of(const js::object& it) const { return std::string(it.at("id").as_string()); }
    void order_of(std::string_view id, int user) {
        const auto before = std::exchange(using_key, all);
        const answer got =
            call("POST", "/orders",
                 R"({"order_id":")" + std::string(id) + R"(","user_id":)" + std::to_string(user) +
                     R"(,"item_ids":[1],"total_amount":1.5})");
        BOOST_REQUIRE_EQUAL(got.status, 201);
        using_key = before;
    }
    void run(std::chrono::milliseconds total = std::chrono::seconds(2)) {
        constexpr std::chrono::milliseconds step(500);
        for (std::chrono::milliseconds done{0}; done <= total; done += step) {
            for (int i = 0; i < 50; ++i) {
                (void)sender.run_once();
                (void)orders.run_once();
            }
            time.advance(step);
        }
    }

    auth_fixture keys;
    auth::authenticator judge{&keys.table, {}, 7};
    webhook_desk desk;
    api hooked_handlers{orders, reads, [this] {
                            api_parts out;
                            out.auth = &judge;
                            out.webhooks = &desk;
                            return out;
                        }()};
    api_service hooked_service{hooked_handlers};
    reader sender_reads{store};
    noting_client receiver;
    webhook_sender sender{orders, sender_reads, receiver, [] {
                              webhook_sender_options out;
                              out.threads = 0;
                              return out;
                          }()};
    std::string bound, other, all, using_key;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(webhooks_over_the_api, hooked)

BOOST_AUTO_TEST_CASE(an_endpoint_lives_from_its_making_to_its_end) {
    const js::object it = made(R"({"url":"https://shop.example/h?k=v","description":"the shop",
        "events":["create","cancel","create"],"statuses":["PENDING"],"content":"reference"})");
    const std::string id = id_of(it);
    BOOST_TEST(it.at("secret").as_string().starts_with("whsec_"));
    BOOST_TEST(it.at("events").as_array().size() == 2U);
    BOOST_TEST(it.at("created_by").as_string() == "key:admin");
    const answer read = call("GET", "/webhooks/" + id);
    BOOST_TEST(read.status == 200);
    BOOST_TEST(!read.says("secret"));
    BOOST_TEST(read.says(R"("content":"reference")"));
    const answer list = call("GET", "/webhooks");
    BOOST_TEST(list.says(id));
    BOOST_TEST(!list.says("secret"));
    const answer patched =
        call("PATCH", "/webhooks/" + id, R"({"events":null,"description":"it"})");
    BOOST_TEST(patched.status == 200);
    BOOST_TEST(patched.says(R"("events":[])"));
    BOOST_TEST(patched.says(R"("url":"https://shop.example/h?k=v")"));
    BOOST_TEST(call("POST", "/webhooks/" + id + "/pause").says(R"("state":"paused")"));
    BOOST_TEST(call("POST", "/webhooks/" + id + "/resume").says(R"("state":"active")"));
    const answer rotated = call("POST", "/webhooks/" + id + "/rotate", R"({"overlap_seconds":60})");
    BOOST_TEST(rotated.status == 200);
    BOOST_TEST(rotated.says("whsec_"));
    BOOST_TEST(call("DELETE", "/webhooks/" + id).status == 204);
    BOOST_TEST(call("GET", "/webhooks/" + id).status == 404);
    BOOST_TEST(call("POST", "/webhooks/" + id + "/resume").status == 404);
    BOOST_TEST(call("GET", "/webhooks").body == R"({"items":[]})");
}

BOOST_AUTO_TEST_CASE(each_change_leaves_a_record_of_who_made_it) {
    const std::string id = id_of(made(R"({"url":"https://shop.example/h?token=hunter2"})"));
    call("POST", "/webhooks/" + id + "/pause");
    call("DELETE", "/webhooks/" + id);
    const auto audit = direct.use([](repository_reader& from) { return auth::list_audit(from); });
    BOOST_REQUIRE(audit.value().size() == 3U);
    std::set<std::string> actions;
    for (const auto& it : *audit) {
        actions.insert(it.action);
        BOOST_TEST(it.actor == "key:admin");
        BOOST_TEST(it.about == id + " https://shop.example/h");  // a query may hold a secret
    }
    BOOST_TEST(
        (actions == std::set<std::string>{"webhook.create", "webhook.pause", "webhook.delete"}));
}

BOOST_AUTO_TEST_CASE(a_change_that_is_refused_leaves_no_record) {
    const std::string id = id_of(made(R"({"url":"https://shop.example/h"})"));
    meanwhile = [&] {  // it is read, and somebody else is quicker
        reads.run_once();
        const auto paused =
            direct.use([&](repository_reader& from) { return pause_webhook(from, id); });
        write_records(orders, paused.value().records, [](const result<void>&) {});
        (void)orders.run_once();
    };
    const answer got = call("POST", "/webhooks/" + id + "/rotate");
    BOOST_TEST(got.status == 409);
    BOOST_TEST(!got.says("whsec_"));
    const auto audit = direct.use([](repository_reader& from) { return auth::list_audit(from); });
    BOOST_REQUIRE(audit.value().size() == 1U);
    BOOST_TEST(audit->front().action == "webhook.create");
}

BOOST_AUTO_TEST_CASE(a_secret_is_shown_even_if_its_record_cannot_be_written) {
    desk.changed = [&] { orders.stop(); };
    const js::object it = made(R"({"url":"https://shop.example/h"})");
    BOOST_TEST(it.at("secret").as_string().starts_with("whsec_"));
    BOOST_REQUIRE(errors.texts.size() == 1U);
    BOOST_TEST(errors.texts[0].find("webhook.create by key:admin of " + id_of(it)) !=
               std::string::npos);
    BOOST_TEST(errors.texts[0].find("whsec_") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(attempts_are_shown_and_replayed) {
    const std::string id = id_of(made(R"({"url":"https://shop.example/h"})"));
    run();
    receiver.status = 400;
    order_of("A", 7);
    run();
    BOOST_REQUIRE(receiver.came.size() == 1U);
    const answer failed = call("GET", "/webhooks/" + id + "/attempts?status=failed&order_id=A");
    BOOST_TEST(failed.status == 200);
    BOOST_TEST(failed.says(R"("result":"failed","status":400)"));
    BOOST_TEST(failed.says(R"("answer":"<script>\r\nx: y")"));
    BOOST_TEST(call("GET", "/webhooks/" + id + "/attempts?order_id=B").body == R"({"items":[]})");
    receiver.status = 200;
    run(std::chrono::seconds(20));
    BOOST_REQUIRE(receiver.came.size() == 2U);
    const answer done = call("GET", "/webhooks/" + id + "/attempts");
    const auto items = js::parse(done.body).at("items").as_array();
    BOOST_REQUIRE(items.size() == 2U);
    const std::string attempt(items[1].at("id").as_string());
    BOOST_TEST(items[1].at("result").as_string() == "delivered");
    const answer page = call("GET", "/webhooks/" + id + "/attempts?limit=1");
    BOOST_TEST(js::parse(page.body).at("next").as_string() == items[0].at("id").as_string());
    BOOST_TEST(
        call("POST", "/webhooks/" + id + "/replay", R"({"attempt":")" + attempt + R"("})").status ==
        202);
    run();
    BOOST_REQUIRE(receiver.came.size() == 3U);
    BOOST_TEST(receiver.came[2].body == receiver.came[0].body);
    BOOST_TEST(receiver.header(2, "webhook-id") == receiver.header(0, "webhook-id"));
    BOOST_TEST(call("POST", "/webhooks/" + id + "/replay",
                    R"({"since":"2026-01-01T00:00:00Z","until":"2027-01-01T00:00:00Z"})")
                   .status == 202);
    run();
    BOOST_TEST(receiver.came.size() == 4U);
    BOOST_TEST(call("POST", "/webhooks/" + id + "/test").status == 202);
    run();
    BOOST_TEST(receiver.came.size() == 5U);
}

// Row 44 of the attacks.
BOOST_AUTO_TEST_CASE(whoever_is_bound_has_own_endpoints_that_see_own_orders) {
    const std::string of_all = id_of(made(R"({"url":"https://shop.example/all"})"));
    using_key = bound;
    const js::object mine = made(R"({"url":"https://anna.example/h"})");
    BOOST_TEST(mine.at("user_id").as_string() == "7");
    BOOST_TEST(call("POST", "/webhooks", R"({"url":"https://a.example/h","user_id":"8"})").status ==
               422);
    BOOST_TEST(call("POST", "/webhooks", R"({"url":"https://a.example/h","user_id":8})").status ==
               422);
    const std::string id = id_of(mine);
    BOOST_TEST(call("PATCH", "/webhooks/" + id, R"({"user_id":"8"})").status == 422);
    BOOST_TEST(call("PATCH", "/webhooks/" + id, R"({"user_id":null})").says(R"("user_id":"7")"));
    BOOST_TEST(!call("GET", "/webhooks").says(of_all));
    for (const std::string& key : {bound, other}) {
        using_key = key;
        const std::string& theirs = key == bound ? of_all : id;
        BOOST_TEST(call("GET", "/webhooks/" + theirs).status == 404);
        BOOST_TEST(call("PATCH", "/webhooks/" + theirs, "{}").status == 404);
        BOOST_TEST(call("DELETE", "/webhooks/" + theirs).status == 404);
        BOOST_TEST(call("GET", "/webhooks/" + theirs + "/attempts").status == 404);
        for (const char* what : {"/test", "/rotate", "/pause", "/resume"}) {
            BOOST_TEST(call("POST", "/webhooks/" + theirs + what).status == 404);
        }
        BOOST_TEST(call("POST", "/webhooks/" + theirs + "/replay", R"({"attempt":"1"})").status ==
                   404);
    }
    run();
    order_of("MINE", 7);
    order_of("THEIRS", 8);
    run();
    BOOST_REQUIRE(receiver.came.size() == 3U);
    for (const webhook_request& it : receiver.came) {
        const bool is_mine = it.url == "https://anna.example/h";
        if (is_mine) BOOST_TEST(it.body.find("THEIRS") == std::string::npos);
        for (const auto& [name, value] : it.fields) {
            BOOST_TEST(value.find("MINE") == std::string::npos);  // positions only
            BOOST_TEST(value.find("THEIRS") == std::string::npos);
        }
    }
    using_key = all;
    BOOST_TEST(call("GET", "/webhooks/" + id).status == 200);
}

BOOST_AUTO_TEST_CASE(filters_that_are_none_are_refused) {
    const auto refused = [&](std::string_view body) {
        const answer got = call("POST", "/webhooks", body);
        return got.status == 422 && got.says(R"("code":"invalid_webhook")");
    };
    BOOST_TEST(refused("{}"));
    BOOST_TEST(refused("[]"));
    BOOST_TEST(refused(R"({"url":"http://shop.example/h"})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","events":["create' OR 1=1"]})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","events":["create\u0000"]})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","events":"create"})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","events":[1]})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","statuses":["NOTHING"]})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","content":"all"})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","since":"yesterday"})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","user_id":[7]})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/h","secret":"whsec_mine"})"));
    BOOST_TEST(refused(R"({"url":"https://shop.example/\r\nX: y"})"));
    BOOST_TEST(call("POST", "/webhooks", "{").status == 400);
    BOOST_TEST(call("GET", "/webhooks?user_id=7").status == 400);
    BOOST_TEST(call("GET", "/webhooks/wh_none").status == 404);
    const std::string id = id_of(made(R"({"url":"https://shop.example/h"})"));
    const auto at = [&](std::string_view what, std::string_view body) {
        return call("POST", "/webhooks/" + id + std::string(what), body).status;
    };
    BOOST_TEST(at("/rotate", R"({"overlap_seconds":-1})") == 422);
    BOOST_TEST(at("/rotate", R"({"overlap":1})") == 422);
    BOOST_TEST(at("/replay", "{}") == 422);
    BOOST_TEST(at("/replay", R"({"attempt":"1","since":"2026-01-01T00:00:00Z"})") == 422);
    BOOST_TEST(
        at("/replay", R"({"since":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"})") == 422);
    BOOST_TEST(at("/replay", R"({"attempt":"none"})") == 404);
    BOOST_TEST(call("GET", "/webhooks/" + id + "/attempts?status=good").status == 400);
    BOOST_TEST(call("GET", "/webhooks/" + id + "/attempts?limit=0").status == 400);
}

BOOST_AUTO_TEST_CASE(there_are_at_most_a_hundred_endpoints_and_ten_tasks_of_one) {
    std::string id;
    for (std::size_t i = 0; i < webhook_endpoint::all_max; ++i) {
        id = id_of(made(R"({"url":"https://shop.example/h"})"));
    }
    const answer more = call("POST", "/webhooks", R"({"url":"https://shop.example/h"})");
    BOOST_TEST(more.status == 409);
    BOOST_TEST(more.says(R"("code":"webhook_limit")"));
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(call("POST", "/webhooks/" + id + "/test").status == 202);
    }
    BOOST_TEST(call("POST", "/webhooks/" + id + "/test").status == 409);
}

BOOST_AUTO_TEST_CASE(a_removal_is_answered_when_nothing_more_is_sent) {
    const std::string id = id_of(made(R"({"url":"https://shop.example/h"})"));
    std::string waited_for;
    std::function<void(result<void>)> end;
    desk.silence = [&](std::string which, std::function<void(result<void>)> done) {
        waited_for = std::move(which);
        done({});
    };
    BOOST_TEST(call("DELETE", "/webhooks/" + id).status == 204);
    BOOST_TEST(waited_for == id);
    const std::string second = id_of(made(R"({"url":"https://shop.example/h"})"));
    desk.silence = [](std::string, std::function<void(result<void>)> done) {
        done(errc::unavailable);
    };
    BOOST_TEST(call("DELETE", "/webhooks/" + second).status == 503);
    // Memory runs out after the change is made: an answer, not the end of the process.
    const std::string third = id_of(made(R"({"url":"https://shop.example/h"})"));
    desk.silence = [](const std::string&, const std::function<void(result<void>)>&) {
        throw std::bad_alloc();
    };
    BOOST_TEST(call("DELETE", "/webhooks/" + third).status == 503);
}

// The path of an address is often its secret.
BOOST_AUTO_TEST_CASE(findings_tell_no_more_of_an_address_than_its_host) {
    const std::string id =
        id_of(made(R"({"url":"https://hooks.example:8443/services/T1/B2/secret?token=x"})"));
    BOOST_REQUIRE(call("POST", "/webhooks/" + id + "/pause").status == 200);
    using_key = key("monitor", {scope::read});
    const answer got = call("GET", "/findings");
    BOOST_TEST(got.says("Webhook endpoint " + id + " at https://hooks.example:8443 is paused. "));
    for (const char* secret : {"services", "B2", "token"}) BOOST_TEST(!got.says(secret), secret);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_CASE(a_server_without_webhooks_says_so, api_fixture) {
    BOOST_TEST(get("/webhooks").status == 501);
    BOOST_TEST(ask("POST", "/webhooks", R"({"url":"https://shop.example/"})").status == 501);
}
