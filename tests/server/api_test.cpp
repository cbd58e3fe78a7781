#include "api_fixture.hpp"

#include <orderproc/testing/fault_storage.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

constexpr std::string_view sent =
    R"({"order_id":"A-1","user_id":123,"item_ids":[1001,1002,1003],"total_amount":149.99})";
constexpr std::string_view shown =
    R"({"id":1,"order_id":"A-1","user_id":123,"item_ids":[1001,1002,1003],"total_amount":149.99,)"
    R"("currency":"USD","metadata":{},"status":"PENDING","version":1,"attempts":0,)"
    R"("next_attempt_at":null,"last_error":null,"created_at":"2026-06-15T00:00:00.000Z",)"
    R"("updated_at":"2026-06-15T00:00:00.000Z"})";

// Every item's order_id in the order of the page.
std::vector<std::string> ids(const answer& page) {
    std::vector<std::string> out;
    constexpr std::string_view name = R"("order_id":")";
    for (auto at = page.body.find(name); at != std::string::npos;
         at = page.body.find(name, at + 1)) {
        const auto begin = at + name.size();
        out.push_back(page.body.substr(begin, page.body.find('"', begin) - begin));
    }
    return out;
}

std::string cursor_of(const answer& page) {
    constexpr std::string_view name = R"("next_cursor":")";
    const auto at = page.body.find(name);
    if (at == std::string::npos) return {};
    const auto begin = at + name.size();
    return page.body.substr(begin, page.body.find('"', begin) - begin);
}

using strings = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_, api_fixture)

BOOST_AUTO_TEST_CASE(an_order_is_created_and_read) {
    const answer created = ask("POST", "/orders", sent);
    BOOST_TEST(created.status == 201);
    BOOST_TEST(created.body == shown);
    BOOST_TEST(created.find("Location").value_or("") == "orders/A-1");
    BOOST_TEST(created.find("ETag").value_or("") == "\"1\"");
    BOOST_TEST(created.find("Cache-Control").value_or("") == "no-store");

    const answer read = get("/orders/A-1");
    BOOST_TEST(read.status == 200);
    BOOST_TEST(read.body == shown);
    BOOST_TEST(read.find("ETag").value_or("") == "\"1\"");
    BOOST_TEST(read.find("Content-Type").value_or("") == "application/json");
    BOOST_TEST(ask("HEAD", "/orders/A-1").status == 200);
    BOOST_TEST(get("/orders/%41-1").body == shown);
}

BOOST_AUTO_TEST_CASE(an_id_is_made) {
    const answer created =
        ask("POST", "/orders", R"({"user_id":1,"item_ids":[1],"total_amount":0})");
    BOOST_TEST(created.status == 201);
    BOOST_REQUIRE_EQUAL(ids(created).size(), 1U);
    BOOST_TEST(ids(created)[0].starts_with("ORD-"));
    BOOST_TEST(created.find("Location").value_or("") == "orders/" + ids(created)[0]);
}

BOOST_AUTO_TEST_CASE(an_id_is_taken_once) {
    BOOST_TEST(create("A-1").status == 201);
    const answer again = create("A-1");
    BOOST_TEST(again.status == 409);
    BOOST_TEST(again.says(R"("type":"urn:orderproc:problem:order_exists")"));
    BOOST_TEST(again.says(R"("code":"order_exists")"));
    BOOST_TEST(again.says(R"("detail":"GET /orders/A-1 shows it")"));
    BOOST_TEST(again.says(R"("instance":"/orders")"));
    BOOST_TEST(again.says(R"("request_id":"request-1")"));
    BOOST_TEST(again.find("Content-Type").value_or("") == "application/problem+json");
}

BOOST_AUTO_TEST_CASE(what_is_not_json) {
    const answer got = ask("POST", "/orders", "{\n \"user_id\": x}");
    BOOST_TEST(got.status == 400);
    BOOST_TEST(got.says(R"("code":"invalid_json")"));
    BOOST_TEST(got.says(R"("line":2,"column":13)"));
    BOOST_TEST(got.says("line 2, column 13: "));
    BOOST_TEST(ask("POST", "/orders").status == 400);
}

BOOST_AUTO_TEST_CASE(all_errors_at_once) {
    const answer got = ask("POST", "/orders",
                           R"({"user_id":0,"item_ids":[1,-1],"total_amount":1.234,"status":1})");
    BOOST_TEST(got.status == 422);
    BOOST_TEST(got.says(R"("code":"validation")"));
    for (const std::string pointer : {"user_id", "item_ids/1", "total_amount", "status"}) {
        BOOST_TEST(got.says(R"({"pointer":"#/)" + pointer + R"(","code":")"), pointer);
    }
    BOOST_TEST(got.says("too_many_decimals"));
    BOOST_TEST(get("/orders").says(R"("items":[])"));
}

BOOST_AUTO_TEST_CASE(a_body_has_to_be_declared_json) {
    BOOST_TEST(ask("POST", "/orders", sent, {}).status == 415);
    for (const std::string_view type :
         {"text/plain", "application/jsonx", "application/xml; x=application/json", ""}) {
        BOOST_TEST(ask("POST", "/orders", sent, {{"Content-Type", type}}).status == 415, type);
    }
    BOOST_TEST(ask("POST", "/orders", sent, {{"content-type", "Application/JSON ; charset=utf-8"}})
                   .status == 201);
}

BOOST_AUTO_TEST_CASE(traceparent_is_kept_if_it_is_one) {
    const std::string good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    std::vector<std::string> kept;
    for (const std::string& it : {good, "x" + good, std::string("00-zz")}) {
        const std::string id = "A-" + std::to_string(kept.size());
        const std::string body =
            R"({"order_id":")" + id + R"(","user_id":1,"item_ids":[1],"total_amount":1})";
        BOOST_TEST(ask("POST", "/orders", body,
                       {{"Content-Type", "application/json"}, {"traceparent", it}})
                       .status == 201);
        history_params params;
        params.order = id;
        kept.push_back(direct.use([&](repository_reader& from) { return from.history(params); })
                           .value()
                           .at(0)
                           .traceparent);
    }
    BOOST_TEST(kept == (strings{good, "", ""}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(if_none_match) {
    create("A-1");
    for (const std::string_view tags : {R"("1")", R"(W/"1")", R"("7", "1")", "*", R"("7",W/"1")"}) {
        const answer got = get("/orders/A-1", {{"If-None-Match", tags}});
        BOOST_TEST(got.status == 304, tags);
        BOOST_TEST(got.body.empty());
        BOOST_TEST(got.find("ETag").value_or("") == "\"1\"");
    }
    for (const std::string_view tags : {R"("2")", "1", "", R"(w/"1")", R"("11")"}) {
        BOOST_TEST(get("/orders/A-1", {{"If-None-Match", tags}}).status == 200, tags);
    }
    BOOST_TEST(get("/orders/A-2", {{"If-None-Match", "*"}}).status == 404);
}

BOOST_AUTO_TEST_CASE(paths_that_are_none) {
    create("A-1");
    for (const std::string_view path :
         {"/orders/", "/orders/A-1/", "/orders/A-2", "/Orders", "//orders", "/orders/status",
          "/orders/status/", "/orders/status/NOPE", "/orders/A-1/history/x", "/orders/%2E%2E",
          "/orders/A%2F1", "/metrics/", "/healthzz", "*"}) {
        const answer got = get(path);
        BOOST_TEST(got.status == 404, path);
        BOOST_TEST(got.says(R"("code":"not_found")"));
    }
    for (const std::string_view path :
         {"/orders/%", "/orders/%4", "/orders/%zz", "/orders/%4g", "/orders/status/%"}) {
        BOOST_TEST(get(path).status == 400, path);
    }
}

BOOST_AUTO_TEST_CASE(methods_that_a_resource_does_not_have) {
    const answer got = ask("DELETE", "/orders");
    BOOST_TEST(got.status == 405);
    BOOST_TEST(got.find("Allow").value_or("") == "POST, GET, HEAD, OPTIONS");
    BOOST_TEST(got.says(R"("code":"method_not_allowed")"));
    BOOST_TEST(ask("POST", "/healthz").find("Allow").value_or("") == "GET, HEAD, OPTIONS");
    BOOST_TEST(ask("GET", "/orders/batch").find("Allow").value_or("") == "POST, OPTIONS");
    BOOST_TEST(ask("get", "/healthz").status == 405);  // methods are case-sensitive
    BOOST_TEST(ask("OPTIONS", "/nothing").status == 404);
    const answer options = ask("OPTIONS", "/orders/A-1");
    BOOST_TEST(options.status == 204);
    BOOST_TEST(options.find("Allow").value_or("") == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
    BOOST_TEST(ask("OPTIONS", "*").find("Allow").value_or("") ==
               "POST, GET, HEAD, PUT, PATCH, DELETE, OPTIONS");
}

BOOST_AUTO_TEST_CASE(pages_follow_each_other) {
    for (const char* id : {"A-1", "A-2", "A-3", "A-4", "A-5"}) {
        BOOST_TEST(create(id).status == 201);
        time.advance(std::chrono::seconds(1));
    }
    const answer first = get("/orders?limit=2&user_id=123");
    BOOST_TEST(ids(first) == (strings{"A-5", "A-4"}), boost::test_tools::per_element());
    const std::string cursor = cursor_of(first);
    BOOST_TEST(!cursor.empty());
    BOOST_TEST(first.find("Link").value_or("") ==
               "<?limit=2&user_id=123&cursor=" + cursor + ">; rel=\"next\"");
    create("A-6");  // newer than where the cursor is

    const answer second = get("/orders?limit=2&user_id=123&cursor=" + cursor);
    BOOST_TEST(ids(second) == (strings{"A-3", "A-2"}), boost::test_tools::per_element());
    // The link of the second page has its own cursor only.
    BOOST_TEST(second.find("Link").value_or("") ==
               "<?limit=2&user_id=123&cursor=" + cursor_of(second) + ">; rel=\"next\"");
    // How long a page is does not belong to the cursor.
    const answer last = get("/orders?user_id=123&limit=50&cursor=" + cursor_of(second));
    BOOST_TEST(ids(last) == strings{"A-1"}, boost::test_tools::per_element());
    BOOST_TEST(last.says(R"("next_cursor":null})"));
    BOOST_TEST(!last.find("Link"));

    BOOST_TEST(ids(get("/orders?sort=created_at&limit=1")) == strings{"A-1"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(encoded_bodies_are_not_read) {
    const std::string_view body = R"({"user_id":1,"item_ids":[1],"total_amount":1})";
    const auto encoded = [&](const char* method, const char* path, std::string_view type,
                             std::vector<http::field> more) {
        more.push_back({"Content-Type", type});
        return ask(method, path, body, std::move(more));
    };
    for (const char* coding : {"gzip", "br", "x-gzip", "deflate", "gzip, identity"}) {
        const answer got =
            encoded("POST", "/orders", "application/json", {{"Content-Encoding", coding}});
        BOOST_TEST(got.status == 415, coding);
        BOOST_TEST(got.says(R"("code":"unsupported_media_type")"));
        BOOST_TEST(got.find("Accept-Encoding").value_or("") == "identity");
    }
    BOOST_TEST(encoded("POST", "/orders", "application/json",
                       {{"content-encoding", "identity"}, {"Content-Encoding", "gzip"}})
                   .status == 415);
    BOOST_TEST(
        encoded("POST", "/orders/batch", "application/x-ndjson", {{"Content-Encoding", "gzip"}})
            .status == 415);
    BOOST_TEST(
        encoded("PUT", "/orders/A-1", "application/json", {{"Content-Encoding", "gzip"}}).status ==
        415);
    for (const char* coding : {"", "identity", "Identity"}) {
        BOOST_TEST(
            encoded("POST", "/orders", "application/json", {{"Content-Encoding", coding}}).status ==
            201);
    }
}

BOOST_AUTO_TEST_CASE(what_programs_send_for_fields_that_are_not_set) {
    const answer got = ask("POST", "/orders",
                           R"({"order_id":null,"user_id":1,"item_ids":[1],"currency":null,)"
                           R"("total_amount":0.30000000000000004,"metadata":[]})");
    BOOST_TEST(got.status == 201);
    BOOST_TEST(got.says(R"("total_amount":0.30,"currency":"USD","metadata":{})"));
    BOOST_TEST(ask("POST", "/orders",
                   R"({"user_id":1,"item_ids":[1],"total_amount":"2.50","currency":"eur"})")
                   .says(R"("total_amount":2.50,"currency":"EUR")"));
}

BOOST_AUTO_TEST_CASE(pages_are_filtered) {
    create("A-1", 1);
    time.advance(std::chrono::seconds(1));
    create("A-2", 2);
    BOOST_TEST(ids(get("/orders?user_id=2")) == strings{"A-2"}, boost::test_tools::per_element());
    BOOST_TEST(ids(get("/orders?status=pending,FAILED&status=Completed")).size() == 2U);
    BOOST_TEST(ids(get("/orders?status=FAILED")).empty());
    BOOST_TEST(ids(get("/orders/status/Pending")).size() == 2U);
    BOOST_TEST(ids(get("/orders/status/failed?user_id=1")).empty());
    // From inclusive, until exclusive; any offset.
    BOOST_TEST(ids(get("/orders?created_from=2026-06-15T00:00:01Z")) == strings{"A-2"},
               boost::test_tools::per_element());
    BOOST_TEST(ids(get("/orders?created_until=2026-06-15T02:00:01%2B02:00")) == strings{"A-1"},
               boost::test_tools::per_element());
    BOOST_TEST(ids(get("/orders?created_from=2026-06-15T02:00:01+02:00")) == strings{"A-2"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_link_of_a_page_by_status) {
    create("A-1");
    create("A-2");
    const answer page =
        get("/orders/status/pending?limit=1&&created_from=2026-01-01T00:00:00%2b01:00");
    BOOST_TEST(page.find("Link").value_or("") ==
               "<?limit=1&created_from=2026-01-01T00:00:00%2B01:00&cursor=" + cursor_of(page) +
                   ">; rel=\"next\"");
    // A cursor of the same list under its other name.
    BOOST_TEST(ids(get("/orders?status=PENDING&created_from=2025-12-31T23:00:00Z&cursor=" +
                       cursor_of(page))) == strings{"A-1"},
               boost::test_tools::per_element());
}

namespace {
struct bad_query {
    std::string_view query;
    std::string_view parameter;
};
std::ostream& operator<<(std::ostream& out, const bad_query& it) {
    return out << it.query;
}
const bad_query bad_queries[] = {
    {"limit=0", "limit"},
    {"limit=101", "limit"},
    {"limit=-1", "limit"},
    {"limit=+1", "limit"},
    {"limit=1x", "limit"},
    {"limit=", "limit"},
    {"limit", "limit"},
    {"limit=99999999999999999999", "limit"},
    {"limit=1&limit=1", "limit"},
    {"user_id=0", "user_id"},
    {"user_id=x", "user_id"},
    {"user_id=9223372036854775808", "user_id"},
    {"user_id=1&user_id=2", "user_id"},
    {"status=NOPE", "status"},
    {"status=", "status"},
    {"status=PENDING,", "status"},
    {"sort=updated_at", "sort"},
    {"sort=-updated_at", "sort"},
    {"sort=id", "sort"},
    {"sort=due_at", "sort"},
    {"sort=due_at&status=PENDING,FAILED", "sort"},
    {"updated_from=now", "updated_from"},
    {"updated_from=2026-06-15T00:00:00Z&sort=created_at", "sort"},
    {"updated_from=2026-06-15T00:00:00Z&total=true", "total"},
    {"total=yes", "total"},
    {"total=true&total=true", "total"},
    {"order_id_prefix=", "order_id_prefix"},
    {"order_id_prefix=A&order_id_prefix=A", "order_id_prefix"},
    {"sort=%2Bcreated_at", "sort"},
    {"sort=created_at&sort=created_at", "sort"},
    {"created_from=yesterday", "created_from"},
    {"created_until=2026-06-15", "created_until"},
    {"created_until=2026-06-15T00:00:00Z&created_until=2026-06-15T00:00:00Z", "created_until"},
    {"page=2", "page"},
    {"Limit=1", "Limit"},
    {"=1", ""},
    {"cursor=", "cursor"},
    {"cursor=abc", "cursor"},
    {"cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor"},
    {"cursor=!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!", "cursor"},
    {"a%22b=1", R"(a\"b)"},
};
}  // namespace

BOOST_DATA_TEST_CASE_F(api_fixture, bad_parameters_are_named,
                       boost::unit_test::data::make(bad_queries), it) {
    const answer got = get("/orders?" + std::string(it.query));
    BOOST_TEST(got.status == 400);
    BOOST_TEST(got.says(R"("code":"invalid_parameter")"));
    BOOST_TEST(got.says(R"("parameter":")" + std::string(it.parameter) + "\""));
}

BOOST_AUTO_TEST_CASE(queries_that_are_malformed_or_out_of_place) {
    BOOST_TEST(get("/orders?limit=%").status == 400);
    BOOST_TEST(get("/orders?%zz=1").status == 400);
    BOOST_TEST(get("/orders?").status == 200);
    const answer got = get("/orders/status/PENDING?status=PENDING");
    BOOST_TEST(got.status == 400);
    BOOST_TEST(got.says(R"("parameter":"status")"));
    create("A-1");
    BOOST_TEST(get("/orders/A-1?x=y").says(R"("parameter":"x")"));
    BOOST_TEST(get("/orders/A-1?%").status == 400);
}

BOOST_AUTO_TEST_CASE(metrics_before_and_after) {
    BOOST_TEST(get("/metrics").body ==
               R"({"total_orders_processed":0,"average_processing_time":0,"orders_by_status":)"
               R"({"pending":0,"processing":0,"completed":0,"cancelled":0,"failed":0},)"
               R"("total_orders_created":0})");
    for (const char* id : {"A-1", "A-2", "A-3"}) create(id);
    ask("DELETE", "/orders/A-3");
    BOOST_TEST(get("/metrics").says(R"("pending":2)"));
    BOOST_TEST(get("/metrics").says(R"("total_orders_created":3})"));

    const claimed_order claimed = claim_one();
    time.advance(std::chrono::milliseconds(2140));
    raise(std::string(claimed.value.id.view()), "complete");
    const answer after = get("/metrics");
    BOOST_TEST(after.says(R"("pending":1)"));
    BOOST_TEST(after.says(R"("completed":1)"));
    BOOST_TEST(after.says(R"("average_processing_time":2.14,)"));
}

BOOST_AUTO_TEST_CASE(a_storage_that_is_away) {
    store.now = moody_storage::mood::unavailable;
    for (const std::string_view path :
         {"/orders", "/orders/A-1", "/metrics", "/orders/A-1/history",
          "/orders/A-1?at=2026-01-01T00:00:00Z", "/orders/status/pending"}) {
        const answer got = get(path);
        BOOST_TEST(got.status == 503, path);
        BOOST_TEST(got.says(R"("code":"unavailable")"));
        BOOST_TEST(got.find("Retry-After").has_value());
        BOOST_TEST(!got.says("secret"));
    }
    const answer refused = create("A-1");
    BOOST_TEST(refused.status == 503);
    BOOST_TEST(refused.find("Retry-After").has_value());
    store.now = moody_storage::mood::well;
    BOOST_TEST(get("/orders/A-1").status == 404);
    BOOST_TEST(create("A-1").status == 201);
}

BOOST_AUTO_TEST_CASE(what_is_broken_says_nothing_but_its_request_id) {
    using mood = moody_storage::mood;
    for (const auto how : {mood::corrupt, mood::throws}) {
        store.now = how;
        const answer got = get("/orders/A-1");
        BOOST_TEST(got.status == 500);
        BOOST_TEST(got.says(R"("code":"internal")"));
        BOOST_TEST(got.says(R"("request_id":"request-1")"));
        BOOST_TEST(!got.says("detail"));
        BOOST_TEST(!got.says("secret"));
        BOOST_REQUIRE(!errors.texts.empty());
        BOOST_TEST(errors.texts.back().find("request-1: secret") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_stopped_engine) {
    orders.stop();
    const answer got = create("A-1");
    BOOST_TEST(got.status == 503);
    BOOST_TEST(got.says(R"("code":"stopping")"));
    BOOST_TEST(got.find("Retry-After").has_value());
}

BOOST_AUTO_TEST_CASE(outcomes_as_answers) {
    std::string key;
    const auto outcome_of = [&](errc code, std::string detail = {}) {
        http::request in;
        in.method = "POST";
        in.path = "/orders";
        in.body = sent;
        std::vector<http::field> fields = {{"Content-Type", "application/json"}};
        if (!key.empty()) fields.push_back({"Idempotency-Key", key});
        in.fields = fields;
        http::response out;
        std::optional<pending> todo;
        handlers.begin(in, {auth::anonymous()}, todo, out);
        change_outcome outcome;
        outcome.ec = code;
        outcome.detail = std::move(detail);
        handlers.finish(todo.value(), in, outcome, out);
        return out;
    };
    BOOST_TEST(outcome_of(errc::overloaded).status == 503U);
    BOOST_TEST(outcome_of(errc::overloaded).fields.find("Retry-After: ") == 0U);
    BOOST_TEST(outcome_of(errc::unavailable).status == 503U);
    const auto unknown = outcome_of(errc::outcome_unknown);
    BOOST_TEST(unknown.status == 503U);
    BOOST_TEST(unknown.body.find("outcome_unknown") != std::string::npos);
    BOOST_TEST(unknown.fields.find("Retry-After") == std::string::npos);
    key = "k-1";
    BOOST_TEST(outcome_of(errc::outcome_unknown).fields.find("Retry-After: 1") !=
               std::string::npos);
    key.clear();
    BOOST_TEST(outcome_of(errc::already_exists).status == 409U);
    for (const errc code : {errc::corrupt, errc::schema_mismatch, errc::invalid_argument}) {
        BOOST_TEST(outcome_of(code).status == 500U);
    }
    // What lower() says of a patched order that is older than a rule.
    const auto old = outcome_of(errc::invalid_argument, "metadata is against a rule");
    BOOST_TEST(old.status == 422U);
    BOOST_TEST(old.body.find("metadata is against a rule") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(every_route_is_met_by_its_own_pattern) {
    for (const route& it : routes()) {
        std::string path(it.pattern);
        if (const auto open = path.find('{'); open != path.npos) {
            path.replace(open, path.find('}') + 1 - open, "x");
        }
        const route_match found = match(it.method, path);
        BOOST_TEST(found.found == &it);
        BOOST_TEST(found.carried.first == (path == it.pattern ? "" : "x"));
        BOOST_TEST(!it.name.empty());
    }
}

BOOST_AUTO_TEST_SUITE_END()
