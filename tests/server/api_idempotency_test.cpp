// Idempotency-Key.

#include "api/idempotency.hpp"
#include "api_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <ostream>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture : api_fixture {
    answer keyed(std::string_view method, std::string_view target, std::string_view body,
                 std::string_view key = "k-1") {
        return ask(method, target, body,
                   {{"Content-Type", "application/json"}, {"Idempotency-Key", key}});
    }
};

struct request_line {
    std::string_view method;
    std::string_view target;
    std::string_view body;
    std::string_view other;  // body; empty: takes none
};
std::ostream& operator<<(std::ostream& out, const request_line& it) {
    return out << it.method << ' ' << it.target;
}
const request_line changes[] = {
    {"POST", "/orders", R"({"user_id":1,"item_ids":[1],"total_amount":1})",
     R"({"user_id":2,"item_ids":[1],"total_amount":1})"},
    {"PUT", "/orders/A-1", R"({"user_id":1,"item_ids":[1],"total_amount":1})",
     R"({"user_id":2,"item_ids":[1],"total_amount":1})"},
    {"PUT", "/orders/A-1", R"({"user_id":1,"item_ids":[1],"total_amount":1,"version":1})",
     R"({"user_id":2,"item_ids":[1],"total_amount":1,"version":1})"},
    {"PATCH", "/orders/A-1", R"({"user_id":5})", R"({"user_id":6})"},
    {"POST", "/orders/A-1/cancel", "", "{}"},
    {"POST", "/orders/A-1/retry", "", "{}"},
    {"POST", "/orders/A-1/transitions", R"({"event":"cancel"})", R"({"event":"retry"})"},
    {"DELETE", "/orders/A-1", "", "{}"},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_idempotency, fixture)

BOOST_DATA_TEST_CASE_F(fixture, the_first_answer_again, boost::unit_test::data::make(changes), it) {
    create("A-1");
    const answer first = keyed(it.method, it.target, it.body);
    BOOST_TEST(first.status / 100 == 2);
    BOOST_TEST(!first.find("Idempotency-Replayed"));
    // Whatever became of the order since.
    ask("DELETE", "/orders/A-1");
    time.advance(std::chrono::hours(1));
    for (const std::string_view tags : {"*", R"("77")"}) {
        const answer again = ask(
            it.method, it.target, it.body,
            {{"Content-Type", "application/json"}, {"Idempotency-Key", "k-1"}, {"If-Match", tags}});
        BOOST_TEST(again.status == first.status);
        BOOST_TEST(again.body == first.body);
        BOOST_TEST(again.find("ETag").value_or("") == first.find("ETag").value_or(""));
        BOOST_TEST(again.find("Location").value_or("") == first.find("Location").value_or(""));
        BOOST_TEST(again.find("Idempotency-Replayed").value_or("") == "true");
    }
    const answer other = keyed(it.method, it.target, it.other);
    BOOST_TEST(other.status == 422);
    BOOST_TEST(other.says(R"("code":"idempotency_mismatch")"));
    BOOST_TEST(!other.find("Idempotency-Replayed"));
}

BOOST_DATA_TEST_CASE_F(fixture, a_refusal_is_not_kept, boost::unit_test::data::make(changes), it) {
    if (it.target == "/orders") return;  // makes what the others lack
    BOOST_TEST(keyed(it.method, it.target, it.body).status == 404);
    create("A-1");
    const answer got = keyed(it.method, it.target, it.body);
    BOOST_TEST(got.status / 100 == 2);
    BOOST_TEST(!got.find("Idempotency-Replayed"));
}

BOOST_AUTO_TEST_CASE(a_key_is_for_one_method_and_path) {
    create("A-1");
    create("A-2");
    BOOST_TEST(keyed("POST", "/orders/A-1/cancel", "").says(R"("order_id":"A-1")"));
    BOOST_TEST(keyed("POST", "/orders/A-2/cancel", "").says(R"("order_id":"A-2")"));
    BOOST_TEST(keyed("DELETE", "/orders/A-1", "").status == 204);
    BOOST_TEST(!keyed("DELETE", "/orders/A-2", "").find("Idempotency-Replayed"));
}

BOOST_AUTO_TEST_CASE(what_a_key_may_be) {
    const std::string long_enough(255, 'x');
    for (const std::string_view key : {"x", "\"quoted\"", "a b", long_enough.c_str()}) {
        create("A-1");
        BOOST_TEST(keyed("DELETE", "/orders/A-1", "", key).status != 400, key);
    }
    const std::string too_long(256, 'x');
    for (const std::string_view key : {"", "\xC3\xA9", "a\tb", too_long.c_str()}) {
        const answer got = keyed("DELETE", "/orders/A-1", "", key);
        BOOST_TEST(got.status == 400, key);
        BOOST_TEST(got.says(R"("code":"invalid_idempotency_key")"));
    }
    const answer twice =
        ask("DELETE", "/orders/A-1", "", {{"Idempotency-Key", "x"}, {"idempotency-key", "x"}});
    BOOST_TEST(twice.status == 400);
    BOOST_TEST(get("/orders/A-1", {{"Idempotency-Key", ""}}).status == 404);
}

BOOST_AUTO_TEST_SUITE_END()
