// Orders whose items somebody else has to know.

#include "api_fixture.hpp"

#include <orderproc/testing/builders.hpp>

#include <set>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

class shelf final : public item_checker {
public:
    std::set<std::string, std::less<>> known{"1", "2", "3"};
    bool closed = false;
    std::vector<std::vector<std::string>> asked;

    result<void> check(std::span<const std::string_view> skus,
                       std::vector<std::size_t>& unknown) override {
        asked.emplace_back(skus.begin(), skus.end());
        if (closed) return failure{errc::unavailable, "secret reason"};
        for (std::size_t i = 0; i < skus.size(); ++i) {
            if (!known.contains(skus[i])) unknown.push_back(i);
        }
        return {};
    }
};

struct shop : api_fixture {
    shop() { served = &service_with_items; }

    answer post(std::string_view id, std::string_view ids, std::string_view key = {}) {
        std::vector<http::field> fields{{"Content-Type", "application/json"}};
        if (!key.empty()) fields.push_back({"Idempotency-Key", key});
        return ask("POST", "/orders",
                   R"({"order_id":")" + std::string(id) + R"(","user_id":1,"item_ids":)" +
                       std::string(ids) + R"(,"total_amount":1.5})",
                   fields);
    }

    shelf items;
    item_gate gate{items, runtime{time, random, errors}};
    static api_parts with(item_gate& items) {
        api_parts out;
        out.items = &items;
        return out;
    }
    api handlers_with_items{orders, reads, with(gate)};
    api_service service_with_items{handlers_with_items};
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_unknown_item_is_named_by_its_place, shop) {
    BOOST_TEST(post("A", "[1,2]").status == 201);
    const answer refused = post("B", "[1,9,2,8,9]");
    BOOST_TEST(refused.status == 422);
    for (const char* at : {"#/item_ids/1", "#/item_ids/3", "#/item_ids/4", "unknown_item"}) {
        BOOST_TEST(refused.body.find(at) != std::string::npos, at);
    }
    BOOST_TEST(refused.body.find("#/item_ids/0") == std::string::npos);
    BOOST_TEST(get("/orders/B").status == 404);
    BOOST_TEST((items.asked.back() == std::vector<std::string>{"1", "2", "8", "9"}));
}

BOOST_FIXTURE_TEST_CASE(what_is_malformed_is_not_asked_about, shop) {
    BOOST_TEST(post("A", "[0]").status == 422);
    BOOST_TEST(items.asked.empty());
}

BOOST_FIXTURE_TEST_CASE(without_an_answer_nothing_is_stored, shop) {
    items.closed = true;
    const answer refused = post("A", "[1]");
    BOOST_TEST(refused.status == 503);
    BOOST_TEST(refused.body.find("items_unavailable") != std::string::npos);
    BOOST_TEST(refused.body.find("secret") == std::string::npos);
    BOOST_TEST(refused.head.find("Retry-After") != std::string::npos);
    BOOST_TEST(errors.texts.size() == 1U);
    items.closed = false;
    BOOST_TEST(post("A", "[1]").status == 201);
}

BOOST_FIXTURE_TEST_CASE(a_replay_does_not_depend_on_the_checker, shop) {
    const answer first = post("A", "[1,2]", "k");
    BOOST_TEST(first.status == 201);
    items.known.clear();
    for (const bool closed : {false, true}) {
        items.closed = closed;
        const answer again = post("A", "[1,2]", "k");
        BOOST_TEST(again.status == 201);
        BOOST_TEST(again.body == first.body);
        BOOST_TEST(again.head.find("Idempotency-Replayed: true") != std::string::npos);
        BOOST_TEST(post("B", "[1,2]", "k").status == 422);  // the key with another body
        BOOST_TEST(post("B", "[1,2]", "new").status == (closed ? 503 : 422));
    }
    items.known = {"1", "2"};
    items.closed = false;
    BOOST_TEST(post("B", "[1,2]", "new").status == 201);  // a refusal kept no key
}

BOOST_FIXTURE_TEST_CASE(edits_ask_when_they_change_the_items, shop) {
    BOOST_TEST(post("A", "[1]").status == 201);
    const auto put = [this](std::string_view ids) {
        return ask("PUT", "/orders/A",
                   R"({"user_id":1,"item_ids":)" + std::string(ids) + R"(,"total_amount":2})")
            .status;
    };
    BOOST_TEST(put("[1,9]") == 422);
    BOOST_TEST(put("[1,2]") == 200);
    items.known = {"3"};
    items.asked.clear();
    BOOST_TEST(ask("PATCH", "/orders/A", R"({"metadata":{"a":1}})").status == 200);
    BOOST_TEST(items.asked.empty());
    BOOST_TEST(ask("PATCH", "/orders/A", R"({"item_ids":[2]})").status == 422);
    BOOST_TEST(ask("PATCH", "/orders/A", R"({"item_ids":[3]})").status == 200);
    // Changed by somebody else meanwhile: judged again, and asked again.
    items.asked.clear();
    meanwhile = [this] {
        BOOST_TEST(
            !orders
                 .execute({edit_fields{"A", orderproc::testing::order_builder{}.items({7}).draft()},
                           {},
                           {},
                           {},
                           "",
                           ""})
                 .ec);
    };
    BOOST_TEST(ask("PATCH", "/orders/A", R"({"item_ids":[3,3]})").status == 200);
    BOOST_TEST(get("/orders/A").body.find("[3,3]") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_batch_is_asked_about_at_once, shop) {
    const std::string body = R"([{"order_id":"A","user_id":1,"item_ids":[1],"total_amount":1},)"
                             R"({"order_id":"B","user_id":1,"item_ids":[2,9],"total_amount":1},)"
                             R"({"order_id":"C","user_id":1,"item_ids":[],"total_amount":1},)"
                             R"({"order_id":"D","user_id":1,"item_ids":[9,3],"total_amount":1}])";
    const std::vector<http::field> keyed{{"Content-Type", "application/json"},
                                         {"Idempotency-Key", "b"}};
    for (const auto& fields :
         {std::vector<http::field>{{"Content-Type", "application/json"}}, keyed}) {
        items.asked.clear();
        const answer got = ask("POST", "/orders/batch", body, fields);
        BOOST_TEST(got.status == 200);
        BOOST_TEST(items.asked.size() == 1U);
        BOOST_TEST(get("/orders/B").status == 404);
        BOOST_TEST(get("/orders/D").status == 404);
        BOOST_TEST(got.body.find(R"("pointer":"#/item_ids/1","code":"unknown_item")") !=
                   std::string::npos);
        BOOST_TEST(got.body.find(R"("pointer":"#/item_ids/0","code":"unknown_item")") !=
                   std::string::npos);
        (void)ask("DELETE", "/orders/A");
    }
}
