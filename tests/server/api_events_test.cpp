// Cancel, retry, transitions and delete, and what If-Match makes of them.

#include "api_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <ostream>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

struct fixture : api_fixture {
    answer post(std::string_view target, std::vector<http::field> fields = {}) {
        return ask("POST", target, {}, std::move(fields));
    }
    answer transition(std::string_view body) {
        return ask("POST", "/orders/A-1/transitions", body);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_events, fixture)

BOOST_AUTO_TEST_CASE(cancel_and_retry) {
    create("A-1");
    const answer cancelled = post("/orders/A-1/cancel");
    BOOST_TEST(cancelled.status == 200);
    BOOST_TEST(cancelled.says(R"("status":"CANCELLED","version":2)"));
    BOOST_TEST(cancelled.find("ETag").value_or("") == "\"2\"");
    const answer again = post("/orders/A-1/cancel");
    BOOST_TEST(again.status == 200);
    BOOST_TEST(again.body == cancelled.body);

    const answer refused = post("/orders/A-1/retry");
    BOOST_TEST(refused.status == 409);
    BOOST_TEST(refused.says(R"("code":"transition_refused")"));
    BOOST_TEST(refused.says(R"("order_status":"CANCELLED","allowed_events":[])"));

    create("A-2");
    raise("A-2", "fail");
    BOOST_TEST(post("/orders/A-2/cancel").says(R"("allowed_events":["retry"])"));
    BOOST_TEST(post("/orders/A-2/retry").says(R"("status":"PENDING","version":3)"));
    BOOST_TEST(post("/orders/A-2/retry").says(R"("version":3)"));
}

BOOST_AUTO_TEST_CASE(a_transition_with_its_reason) {
    create("A-1");
    BOOST_TEST(transition(R"({"event":"cancel","reason":"out of stock"})").status == 200);
    history_params params;
    params.order = "A-1";
    const auto kept =
        direct.use([&](repository_reader& from) { return from.history(params); }).value();
    BOOST_TEST(kept.at(1).reason == "out of stock");
    BOOST_TEST(kept.at(1).event == "cancel");
}

namespace {
struct bad_body {
    std::string_view body;
    int status;
    std::string_view says;
};
std::ostream& operator<<(std::ostream& out, const bad_body& it) {
    return out << it.body;
}
const bad_body bad_transitions[] = {
    {"", 400, R"("line":1)"},
    {"{", 400, R"("code":"invalid_json")"},
    {R"({"event":"cancel"} x)", 400, R"("column":20)"},
    {"[]", 422, R"({"pointer":"#","code":"wrong_type")"},
    {"{}", 422, R"({"pointer":"#/event","code":"required")"},
    {R"({"event":1})", 422, R"({"pointer":"#/event","code":"wrong_type")"},
    {R"({"event":null})", 422, R"({"pointer":"#/event","code":"wrong_type")"},
    {R"({"event":"cancel","reason":7})", 422, R"({"pointer":"#/reason","code":"wrong_type")"},
    {R"({"event":"cancel","reason":"\u0000"})", 422,
     R"({"pointer":"#/reason","code":"unsupported_character")"},
    {R"({"event":"cancel","a/b":1})", 422, R"({"pointer":"#/a~1b","code":"unknown_field")"},
    {R"({"event":"nothing"})", 422, R"({"pointer":"#/event","code":"unknown_event")"},
    {R"({"event":"start"})", 422, R"({"pointer":"#/event","code":"unknown_event")"},
    {R"({"event":"complete"})", 422, R"({"pointer":"#/event","code":"unknown_event")"},
};
}  // namespace

BOOST_DATA_TEST_CASE_F(fixture, bad_transitions_are_explained,
                       boost::unit_test::data::make(bad_transitions), it) {
    create("A-1");
    const answer got = transition(it.body);
    BOOST_TEST(got.status == it.status);
    BOOST_TEST(got.says(it.says));
    BOOST_TEST(get("/orders/A-1").says(R"("version":1)"));
}

BOOST_AUTO_TEST_CASE(a_reason_that_is_null_is_left_out) {
    create("A-1");
    BOOST_TEST(transition(R"({"event":"cancel","reason":null})").status == 200);
    BOOST_TEST(get("/orders/A-1/history").says(R"("event":"cancel","from":"PENDING",)"));
    BOOST_TEST(get("/orders/A-1/history").says(R"("to":"CANCELLED","actor":null,"reason":null)"));
}

BOOST_AUTO_TEST_CASE(a_reason_is_bounded) {
    create("A-1");
    const auto with_reason = [](std::size_t size) {
        return R"({"event":"cancel","reason":")" + std::string(size, 'x') + "\"}";
    };
    BOOST_TEST(transition(with_reason(1025)).says(R"("code":"too_large")"));
    BOOST_TEST(transition(with_reason(1024)).status == 200);
}

BOOST_AUTO_TEST_CASE(a_transition_has_to_be_declared_json) {
    create("A-1");
    BOOST_TEST(ask("POST", "/orders/A-1/transitions", R"({"event":"cancel"})", {}).status == 415);
}

BOOST_AUTO_TEST_CASE(delete_an_order) {
    create("A-1");
    const answer gone = ask("DELETE", "/orders/A-1", {}, {});
    BOOST_TEST(gone.status == 204);
    BOOST_TEST(gone.body.empty());
    BOOST_TEST(get("/orders/A-1").status == 404);
    BOOST_TEST(ask("DELETE", "/orders/A-1", {}, {}).status == 404);
    const answer taken = create("A-1");
    BOOST_TEST(taken.says(R"("code":"order_exists")"));
    BOOST_TEST(taken.says(R"("detail":"use another id")"));
}

BOOST_AUTO_TEST_CASE(an_order_that_is_being_processed) {
    create("A-1");
    claim_one();
    const answer kept = ask("DELETE", "/orders/A-1", {}, {});
    BOOST_TEST(kept.status == 409);
    BOOST_TEST(kept.says(R"("order_status":"PROCESSING","allowed_events":[])"));
    BOOST_TEST(post("/orders/A-1/cancel").status == 409);
    raise("A-1", "complete");
    BOOST_TEST(ask("DELETE", "/orders/A-1", {}, {}).status == 204);
}

namespace {
struct request_line {
    std::string_view method;
    std::string_view behind;
    std::string_view body;
};
std::ostream& operator<<(std::ostream& out, const request_line& it) {
    return out << it.method << it.behind;
}
const request_line changes[] = {
    {"DELETE", "", ""},
    {"POST", "/cancel", ""},
    {"POST", "/retry", ""},
    {"POST", "/transitions", R"({"event":"cancel"})"},
};
}  // namespace

BOOST_DATA_TEST_CASE_F(fixture, if_match_decides, boost::unit_test::data::make(changes), it) {
    const auto change = [&](std::string_view id, std::string_view tags) {
        return ask(it.method, "/orders/" + std::string(id) + std::string(it.behind), it.body,
                   {{"Content-Type", "application/json"}, {"If-Match", tags}});
    };
    create("A-1");
    for (const std::string_view tags : {R"("2")", R"(W/"1")", "1", "", R"("01")", R"("x", "2")",
                                        R"("18446744073709551616")", R"("0")"}) {
        const answer got = change("A-1", tags);
        BOOST_TEST(got.status == 412, tags);
        BOOST_TEST(got.says(R"("code":"precondition_failed")"));
        BOOST_TEST(got.says("the order is at version 1"));
        BOOST_TEST(got.says("weak tag (W/), which never matches: send the tag without W/") ==
                   tags.starts_with("W/"));
    }
    BOOST_TEST(change("A-9", R"("1")").status == 404);
    int number = 1;
    for (const std::string_view tags : {R"("1")", "*", R"(W/"1", "1")", R"("7", "3" , "1")"}) {
        const std::string id = "A-" + std::to_string(number++);
        create(id);
        BOOST_TEST(change(id, tags).status == (it.method == "DELETE" ? 204 : 200), tags);
    }
}

BOOST_DATA_TEST_CASE_F(fixture, there_has_to_be_such_an_order,
                       boost::unit_test::data::make(changes), it) {
    const auto status_of = [&](std::string_view id) {
        return ask(it.method, "/orders/" + std::string(id) + std::string(it.behind), it.body)
            .status;
    };
    BOOST_TEST(status_of("A-1") == 404);
    BOOST_TEST(status_of("status") == 404);
    BOOST_TEST(status_of("A%2F1") == 404);
    BOOST_TEST(status_of("%") == 400);
    create("A-1");
    BOOST_TEST(ask(it.method, "/orders/A-1" + std::string(it.behind) + "?x=1", it.body).status ==
               400);
}

BOOST_AUTO_TEST_CASE(if_match_in_several_fields) {
    create("A-1");
    BOOST_TEST(
        post("/orders/A-1/cancel", {{"If-Match", R"("5")"}, {"if-match", R"("1")"}}).status == 200);
}

BOOST_AUTO_TEST_SUITE_END()
