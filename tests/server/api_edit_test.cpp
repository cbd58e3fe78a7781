// PUT and PATCH.

#include "api_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <deque>
#include <ostream>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture : api_fixture {
    fixture() {
        ask("POST", "/orders",
            R"({"order_id":"A-1","user_id":7,"item_ids":[1,2],"total_amount":1.50,)"
            R"("currency":"EUR","metadata":{"a": 1,"b":{"c":"x"}}})");
    }
    ~fixture() {
        while (orders.queued() > 0) (void)orders.run_once();
    }

    // Somebody else's edit, which comes before what is submitted from now on.
    void overtake() {
        order_draft by;
        by.user = "99";
        by.item_ids = {5};
        by.total_amount = {100, "USD"};
        by.metadata = "{}";
        command what;
        what.what = edit_fields{"A-1", by};
        BOOST_REQUIRE(orders.submit(std::move(what), others.emplace_back()).has_value());
    }

    answer put(std::string_view body, std::vector<http::field> more = {}) {
        more.push_back({"Content-Type", "application/json"});
        return ask("PUT", "/orders/A-1", body, std::move(more));
    }
    answer patch(std::string_view body, std::vector<http::field> more = {}) {
        more.push_back({"Content-Type", "application/merge-patch+json"});
        return ask("PATCH", "/orders/A-1", body, std::move(more));
    }

    struct silent : completion {
        void complete(change_outcome&) noexcept override {}
    };
    std::deque<silent> others;
};

constexpr std::string_view replacement = R"({"user_id":8,"item_ids":[3],"total_amount":2})";

struct edit {
    std::string_view body;
    int status;
    std::string_view says;
};
std::ostream& operator<<(std::ostream& out, const edit& it) {
    return out << it.body;
}

const edit replacements[] = {
    {replacement, 200,
     R"("user_id":8,"item_ids":[3],"total_amount":2.00,"currency":"USD","metadata":{},"status":"PENDING","version":2)"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"currency":"JPY","metadata":{"z":0}})", 200,
     R"("total_amount":2,"currency":"JPY","metadata":{"z":0})"},
    {R"({"id":1,"order_id":"A-1","user_id":8,"item_ids":[3],"total_amount":2,"status":"PEND\u0049NG",
         "version":1.0,"attempts":0,"next_attempt_at":null,"last_error":null,
         "created_at":"2026-06-15T02:00:00+02:00","updated_at":"2026-06-15T00:00:00.000Z"})",
     200, R"("version":2)"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"version":2})", 422,
     R"({"pointer":"#/version","code":"read_only")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"id":2})", 422,
     R"({"pointer":"#/id","code":"read_only")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"order_id":"A-2"})", 422,
     R"({"pointer":"#/order_id","code":"read_only")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"status":"CANCELLED"})", 422,
     R"({"pointer":"#/status","code":"read_only")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"last_error":""})", 422,
     R"({"pointer":"#/last_error","code":"read_only")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"created_at":"2026-06-15T00:00:00.001Z"})",
     422, R"({"pointer":"#/created_at","code":"read_only")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"first_claimed_at":null})", 422,
     R"("code":"unknown_field")"},
    {R"({"item_ids":[3],"total_amount":2})", 422, R"({"pointer":"#/user_id","code":"required")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2.001})", 422, R"("code":"too_many_decimals")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":"2","currency":null,"metadata":null,"id":null,
         "order_id":null,"status":null,"version":null,"attempts":null,"created_at":null})",
     200, R"("total_amount":2.00,"currency":"USD","metadata":{},"status":"PENDING","version":2)"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"currency":"jpy","metadata":[]})", 200,
     R"("total_amount":2,"currency":"JPY","metadata":{})"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":null})", 422,
     R"({"pointer":"#/total_amount","code":"wrong_type")"},
    {R"({"user_id":8,"item_ids":[3],"total_amount":2,"metadata":{"a":1e400}})", 422,
     R"({"pointer":"#/metadata/a","code":"unsupported_number")"},
    {"[]", 422, R"({"pointer":"#","code":"wrong_type")"},
    {"{", 400, R"("code":"invalid_json")"},
};

const edit patches[] = {
    {"{}", 200,
     R"("user_id":7,"item_ids":[1,2],"total_amount":1.50,"currency":"EUR","metadata":{"a": 1,"b":{"c":"x"}},"status":"PENDING","version":2)"},
    {R"({"user_id":8})", 200,
     R"("user_id":8,"item_ids":[1,2],"total_amount":1.50,"currency":"EUR")"},
    {R"({"item_ids":[9]})", 200, R"("item_ids":[9])"},
    {R"({"total_amount":3.25})", 200, R"("total_amount":3.25,"currency":"EUR")"},
    {R"({"currency":"KWD","total_amount":3.255})", 200, R"("total_amount":3.255,"currency":"KWD")"},
    {R"({"metadata":null})", 200, R"("metadata":{},)"},
    {R"({"metadata":{"a":null}})", 200, R"("metadata":{"b":{"c":"x"}})"},
    {R"({"metadata":{"b":{"d":[null]},"n":{"x":null,"y":2}}})", 200,
     R"("metadata":{"a":1,"b":{"c":"x","d":[null]},"n":{"y":2}})"},
    {R"({"metadata":{"b":5}})", 200, R"("metadata":{"a":1,"b":5})"},
    {R"({"metadata":{"\u0061":{"k":"v"}}})", 200, R"("metadata":{"a":{"k":"v"},"b":{"c":"x"}})"},
    {R"({"version":1,"status":"PENDING"})", 200, R"("version":2)"},
    {R"({"version":3})", 422, R"({"pointer":"#/version","code":"read_only")"},
    {R"({"status":null})", 422, R"({"pointer":"#/status","code":"read_only")"},
    {R"({"user_id":null})", 422, R"({"pointer":"#/user_id","code":"wrong_type")"},
    {R"({"currency":"EUR"})", 422, R"({"pointer":"#/total_amount","code":"required")"},
    {R"({"currency":null,"total_amount":1})", 422,
     R"({"pointer":"#/currency","code":"wrong_type")"},
    {R"({"total_amount":3.255})", 422, R"("code":"too_many_decimals")"},
    {R"({"metadata":[]})", 200, R"("metadata":{"a": 1,"b":{"c":"x"}})"},
    {R"({"metadata":[1]})", 422, R"({"pointer":"#/metadata","code":"wrong_type")"},
    {R"({"metadata":{"b":{"d":[1e999999999]}}})", 422,
     R"({"pointer":"#/metadata/b/d/0","code":"unsupported_number")"},
    {R"({"metadata":{"a\u0000":1}})", 422,
     R"({"pointer":"#/metadata","code":"unsupported_character")"},
    {R"({"total_amount":"3.25"})", 200, R"("total_amount":3.25,"currency":"EUR")"},
    {R"({"currency":"kwd","total_amount":3.255})", 200, R"("total_amount":3.255,"currency":"KWD")"},
    {R"({"item_ids":[]})", 422, R"("code":"too_few_items")"},
    {"7", 422, R"({"pointer":"#","code":"wrong_type")"},
    {"", 400, R"("code":"invalid_json")"},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_edit, fixture)

BOOST_DATA_TEST_CASE_F(fixture, what_a_put_may_say, boost::unit_test::data::make(replacements),
                       it) {
    const answer got = put(it.body);
    BOOST_TEST(got.status == it.status);
    BOOST_TEST(got.says(it.says), got.body);
    BOOST_TEST(get("/orders/A-1").says(it.status == 200 ? "\"version\":2" : "\"version\":1"));
}

BOOST_DATA_TEST_CASE_F(fixture, what_a_patch_may_say, boost::unit_test::data::make(patches), it) {
    const answer got = patch(it.body);
    BOOST_TEST(got.status == it.status);
    BOOST_TEST(got.says(it.says), got.body);
    BOOST_TEST(get("/orders/A-1").says(it.status == 200 ? "\"version\":2" : "\"version\":1"));
}

BOOST_AUTO_TEST_CASE(the_shown_order_can_be_put_back) {
    const answer shown = get("/orders/A-1");
    const answer got = put(shown.body);
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.find("ETag").value_or("") == "\"2\"");
    BOOST_TEST(put(shown.body).says(R"({"pointer":"#/version","code":"read_only")"));
}

BOOST_AUTO_TEST_CASE(metadata_stays_bounded) {
    const auto member = [](std::string_view name) {
        return R"({"metadata":{")" + std::string(name) + R"(":")" + std::string(9000, 'x') + "\"}}";
    };
    BOOST_TEST(patch(member("x")).status == 200);
    BOOST_TEST(patch(member("y")).says(R"({"pointer":"#/metadata","code":"too_large")"));
    BOOST_TEST(patch(member("x")).status == 200);
}

BOOST_AUTO_TEST_CASE(media_types) {
    const auto with_type = [&](std::string_view method, std::string_view type) {
        return ask(method, "/orders/A-1", replacement, {{"Content-Type", type}}).status;
    };
    BOOST_TEST(with_type("PUT", "application/merge-patch+json") == 415);
    BOOST_TEST(with_type("PUT", "text/plain") == 415);
    BOOST_TEST(with_type("PATCH", "application/json-patch+json") == 415);
    BOOST_TEST(with_type("PATCH", "application/json; charset=utf-8") == 200);
}

BOOST_AUTO_TEST_CASE(only_what_waits_can_be_edited) {
    claim_one();
    for (const answer& got : {put(replacement), patch("{}")}) {
        BOOST_TEST(got.status == 409);
        BOOST_TEST(got.says(R"("code":"not_editable")"));
        BOOST_TEST(got.says(R"("order_status":"PROCESSING")"));
    }
}

// Attempt 1 charged 1.50 and its answer was lost: attempt 2 has the same idempotency key.
BOOST_AUTO_TEST_CASE(an_attempt_fixes_the_content) {
    const auto refused = [&] {
        for (const answer& got : {put(replacement), patch(R"({"user_id":8})"), patch("{}")}) {
            BOOST_TEST(got.status == 409);
            BOOST_TEST(got.says(R"("code":"not_editable")"));
            BOOST_TEST(got.says(R"("detail":"the order is PENDING, and work on it has begun")"));
            BOOST_TEST(got.says(R"("order_status":"PENDING","allowed_events":["cancel"])"));
        }
        BOOST_TEST(get("/orders/A-1").says(R"("total_amount":1.50)"));
    };
    claim_one();
    raise("A-1", "release");
    refused();
    claim_one();
    raise("A-1", "fail");
    BOOST_TEST(ask("POST", "/orders/A-1/retry").says(R"("attempts":0)"));
    refused();
    BOOST_TEST(ask("POST", "/orders/A-1/cancel").status == 200);
}

BOOST_AUTO_TEST_CASE(an_order_that_an_attempt_was_made_on_can_be_deleted) {
    claim_one();
    raise("A-1", "release");
    BOOST_TEST(ask("DELETE", "/orders/A-1").status == 204);
}

BOOST_AUTO_TEST_CASE(nothing_is_created) {
    const std::vector<http::field> json = {{"Content-Type", "application/json"}};
    BOOST_TEST(ask("PUT", "/orders/A-2", replacement, json).status == 404);
    BOOST_TEST(ask("PATCH", "/orders/A-2", "{}", json).status == 404);
    BOOST_TEST(ask("PUT", "/orders/batch", replacement, json).status == 405);
}

BOOST_AUTO_TEST_CASE(if_match) {
    const auto expecting = [](std::string_view tags) {
        return std::vector<http::field>{{"If-Match", tags}};
    };
    for (const std::string_view tags : {R"("2")", R"(W/"1")"}) {
        BOOST_TEST(put(replacement, expecting(tags)).status == 412, tags);
        BOOST_TEST(patch("{}", expecting(tags)).status == 412, tags);
        // Before what is wrong with a server field.
        BOOST_TEST(patch(R"({"version":9})", expecting(tags)).status == 412, tags);
    }
    BOOST_TEST(put(replacement, expecting(R"("1")")).status == 200);
    BOOST_TEST(patch("{}", expecting(R"("1", "2")")).status == 200);
    BOOST_TEST(put(replacement, expecting(R"("1", "3")")).status == 200);
    BOOST_TEST(put(replacement, expecting("*")).status == 200);
}

BOOST_AUTO_TEST_CASE(a_patch_that_others_overtake) {
    overtake();
    const answer got = patch(R"({"total_amount":4})");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.says(R"("user_id":99,"item_ids":[5],"total_amount":4.00,"currency":"USD")"));
    BOOST_TEST(got.says(R"("version":3)"));

    overtake();
    BOOST_TEST(patch(R"({"total_amount":4})", {{"If-Match", R"("3")"}}).status == 412);
    overtake();
    BOOST_TEST(put(R"({"user_id":8,"item_ids":[3],"total_amount":2,"version":4})")
                   .says(R"({"pointer":"#/version","code":"read_only")"));
}

BOOST_AUTO_TEST_CASE(a_patch_that_is_always_overtaken_gives_up) {
    const std::function<void()> again = [&] {
        overtake();
        meanwhile = again;
    };
    again();
    const answer got = patch("{}");
    BOOST_TEST(got.status == 409);
    BOOST_TEST(got.says(R"("code":"version_conflict")"));
}

BOOST_AUTO_TEST_SUITE_END()
