// Lists by an attribute, and values that no two orders have.

#include "shop_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <ostream>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture : shop_fixture {
    fixture() {
        post("A", R"("rank":5,"gift":true,"refunded":1.5,"due_on":"2026-07-01T00:00:00Z")");
        post("B", R"("rank":-7,"channel":"shop","tracking":"T-2")");
        post("C", R"("rank":5,"gift":false,"refunded":0.5,"due_on":"2026-06-30T00:00:00Z")");
        post("D", R"("rank":12,"gift":true,"tracking":"T-1")", R"("user_id":"18")");
        ask("POST", "/orders",
            R"({"tenant":"south","currency":"EUR","user_id":"17","total_amount":11,)"
            R"("lines":[{"sku":"TEA","quantity":2,"unit_amount":5.50}],)"
            R"("attributes":{"reference":"E","rank":0,"refunded":1}})");
    }
};

struct list_case {
    std::string_view query;
    std::string_view expected;

    friend std::ostream& operator<<(std::ostream& out, const list_case& it) {
        return out << it.query;
    }
};

const list_case lists[] = {
    {"attribute.rank=5", "C A"},
    {"attribute.rank=5&sort=created_at", "A C"},
    {"attribute.rank=6", ""},
    {"attribute.reference=A", "A"},
    {"attribute.channel=web&sort=created_at", "A C D E"},
    {"attribute.gift=true", "D A"},
    {"attribute.refunded=1.50%20USD", "A"},
    {"attribute.refunded=1%20EUR", "E"},
    {"attribute.due_on=2026-07-01T02:00:00%2B02:00", "A"},
    {"attribute.rank=5&user_id=17", "C A"},
    {"attribute.channel=web&user_id=18", "D"},
    {"attribute.channel=web&tenant=south", "E"},
    {"attribute.channel=web&status=failed", ""},
    {"attribute.rank.from=0", "E A C D"},
    {"attribute.rank.from=0&sort=attribute.rank", "E A C D"},
    {"attribute.rank.from=0&sort=-attribute.rank", "D C A E"},
    {"attribute.rank.from=-7&attribute.rank.to=5", "B E A C"},
    {"attribute.rank.to=0", "B E"},
    {"attribute.rank.from=6&attribute.rank.to=5", ""},
    {"sort=attribute.rank", "B E A C D"},
    {"sort=-attribute.tracking", "B D"},
    {"sort=attribute.tracking&tenant=north&status=pending", "D B"},
    {"tenant=south", "E"},
    {"tenant=north&sort=created_at", "A B C D"},
    {"tenant=north&user_id=18", "D"},
    {"tenant=north&status=failed", ""},
    {"tenant=north&order_id_prefix=none", ""},
    {"tenant=none", ""},
    {"attribute.refunded.from=0%20USD", "C A"},
    {"attribute.refunded.from=0.51%20USD&attribute.refunded.to=2%20USD", "A"},
    {"attribute.refunded.to=2%20EUR", "E"},
    {"sort=attribute.refunded", "E C A"},
    {"attribute.due_on.to=2026-06-30T00:00:00Z", "C"},
    {"attribute.tracking.from=T", "D B"},
};

const list_case refusals[] = {
    {"attribute.x=1", "there is no such parameter"},
    {"attribute.tax=1%20USD", "the attribute is not indexed"},
    {"attribute.rank=x", "has to be an integer"},
    {"attribute.gift=yes", "has to be true or false"},
    {"attribute.channel=fax", "there is no such choice"},
    {"attribute.due_on=soon", "has to be an RFC 3339 date-time"},
    {"attribute.refunded=1.5", "has to be an amount and its currency, such as 12.50 EUR"},
    {"attribute.refunded=1.555%20EUR", "has to be an amount and its currency"},
    {"attribute.refunded.from=1%20EUR&attribute.refunded.to=2%20USD",
     "has to be in the currency of attribute.refunded.from"},
    {"attribute.rank=1&attribute.rank=2", "may be given once"},
    {"attribute.rank=1&attribute.gift=true", "by one attribute alone"},
    {"attribute.rank=1&sort=attribute.tracking", "by one attribute alone"},
    {"attribute.rank=1&attribute.rank.to=2", "goes without .from and .to"},
    {"attribute.rank=1&sort=order_id", "has to be created_at with an attribute"},
    {"attribute.rank.from=1&sort=created_at", "a range is sorted by its attribute"},
    {"attribute.rank=1&order_id_prefix=A", "does not go with order_id_prefix"},
    {"attribute.rank=1&updated_from=2026-06-15T00:00:00Z", "does not go with updated_from"},
    {"sort=attribute.tax", "there is no such sort"},
    {"sort=attribute.x", "there is no such sort"},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_index, fixture)

BOOST_DATA_TEST_CASE_F(fixture, lists_have_a_filter_by_one_attribute, lists, it) {
    BOOST_TEST(listed(it.query) == it.expected);
}

BOOST_DATA_TEST_CASE_F(fixture, what_a_list_cannot_be_asked_for, refusals, it) {
    const answer got = get("/orders?" + std::string(it.query));
    BOOST_TEST(got.status == 400);
    BOOST_TEST(got.says(it.expected), got.body);
}

BOOST_AUTO_TEST_CASE(a_cursor_belongs_to_its_attribute) {
    const answer page = get("/orders?sort=attribute.rank&limit=2");
    const auto from = page.body.find(R"("next_cursor":")") + 15;
    const std::string cursor = page.body.substr(from, page.body.find('"', from) - from);
    BOOST_TEST(get("/orders?sort=attribute.rank&cursor=" + cursor).status == 200);
    for (const char* other : {"sort=-attribute.rank", "sort=attribute.tracking", "sort=created_at",
                              "attribute.rank.from=-100", "sort=attribute.rank&tenant=north"}) {
        BOOST_TEST(get("/orders?" + std::string(other) + "&cursor=" + cursor).status == 400, other);
    }
}

BOOST_AUTO_TEST_CASE(a_list_by_an_attribute_is_counted) {
    BOOST_TEST(get("/orders?attribute.channel=web&total=true&limit=1")
                   .says(R"("total":{"value":4,"exact":true})"));
}

BOOST_AUTO_TEST_CASE(no_two_orders_of_a_tenant_have_a_reference) {
    const answer taken = post("A", {}, R"("order_id":"A-2")");
    BOOST_TEST(taken.status == 409);
    BOOST_TEST(taken.says(R"("code":"attribute_taken")"));
    BOOST_TEST(taken.says(R"("attribute":"reference","order_id":"ORD-)"));
    std::string other = draft("A");
    other.replace(other.find("north"), 5, "south");
    BOOST_TEST(ask("POST", "/orders", other).status == 201);
    const answer many = ask("POST", "/orders/batch", "[" + draft("F") + "," + draft("F") + "]");
    BOOST_TEST(many.says(R"({"items":[{"status":201,)"));
    BOOST_TEST(many.says(R"({"status":409,"problem":)"));
    // A replay is looked up first.
    const std::vector<http::field> key{{"Content-Type", "application/json"},
                                       {"Idempotency-Key", "k"}};
    const answer first = ask("POST", "/orders", draft("G"), key);
    BOOST_TEST(first.status == 201);
    BOOST_TEST(ask("POST", "/orders", draft("G"), key).body == first.body);
}

BOOST_AUTO_TEST_CASE(a_deleted_order_has_no_reference) {
    post("F", {}, R"("order_id":"A-1")");
    BOOST_TEST(post("F").status == 409);
    BOOST_TEST(ask("DELETE", "/orders/A-1").status == 204);
    BOOST_TEST(post("F").status == 201);
}

BOOST_AUTO_TEST_SUITE_END()
