// What the tables of docs/http.md promise, row by row, where no other test is about it.

#include "api_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

// A body is what is required, but for the field in question.
struct row {
    std::string field;  // as it stands in the body; empty: nothing more
    int status;
    std::string says;
    std::string without = {};  // a required field that is left out
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.field.substr(0, 80) << " without " << it.without;
}

std::string body_of(const row& it) {
    std::string out;
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"user_id", "1"},
                                      {"item_ids", "[1]"},
                                      {"total_amount", "1"}}) {
        const bool given = it.field.starts_with("\"" + name + "\"");
        if (given || it.without == name) continue;
        out.append(out.empty() ? "{" : ",").append("\"" + name + "\":" + value);
    }
    return out.append(it.field.empty() ? "" : "," + it.field).append("}");
}

std::string items(std::size_t count) {
    std::string out = R"("item_ids":[9223372036854775807)";
    for (std::size_t i = 1; i < count; ++i) out.append(",7");
    return out.append("]");
}

std::string metadata(std::size_t size) {  // of the object as text
    return R"("metadata":{"a":")" + std::string(size - 8, 'x') + "\"}";
}

std::string refused(std::string_view pointer, std::string_view code) {
    return R"({"pointer":"#/)" + std::string(pointer) + R"(","code":")" + std::string(code) + "\"";
}

const row rows[] = {
    {"", 201, R"("currency":"USD","metadata":{},"status":"PENDING","version":1,"attempts":0)"},
    {R"("order_id":"a")", 201, R"("order_id":"a")"},
    {R"("order_id":"0.A_b:c-)" + std::string(56, 'Z') + "\"", 201, "0.A_b:c-ZZ"},
    {R"("order_id":"0.A_b:c-)" + std::string(57, 'Z') + "\"", 422,
     refused("order_id", "invalid_order_id")},
    {R"("order_id":"")", 422, refused("order_id", "invalid_order_id")},
    {R"("order_id":"-a")", 422, refused("order_id", "invalid_order_id")},
    {R"("order_id":"a/b")", 422, refused("order_id", "invalid_order_id")},
    {R"("order_id":"batch")", 422, refused("order_id", "invalid_order_id")},
    {R"("order_id":"status")", 422, refused("order_id", "invalid_order_id")},
    {R"("order_id":"Status")", 201, R"("order_id":"Status")"},
    {R"("order_id":null)", 201, R"("order_id":"ORD-)"},
    {"", 422, refused("user_id", "required"), "user_id"},
    {R"("user_id":9223372036854775807)", 201, R"("user_id":9223372036854775807)"},
    {R"("user_id":9223372036854775808)", 422, refused("user_id", "out_of_range")},
    {R"("user_id":0)", 422, refused("user_id", "out_of_range")},
    {R"("user_id":1.5)", 422, refused("user_id", "not_an_integer")},
    {R"("user_id":"1")", 422, refused("user_id", "wrong_type")},
    {"", 422, refused("item_ids", "required"), "item_ids"},
    {R"("item_ids":[])", 422, refused("item_ids", "too_few_items")},
    {R"("item_ids":[5,5])", 201, R"("item_ids":[5,5])"},
    {items(1000), 201, "9223372036854775807,7,"},
    {items(1001), 422, refused("item_ids", "too_many_items")},
    {R"("item_ids":[1,0])", 422, refused("item_ids/1", "out_of_range")},
    {"", 422, refused("total_amount", "required"), "total_amount"},
    {R"("total_amount":0)", 201, R"("total_amount":0.00)"},
    {R"("total_amount":-0.01)", 422, refused("total_amount", "negative")},
    {R"("total_amount":149.9)", 201, R"("total_amount":149.90)"},
    {R"("total_amount":149.990)", 201, R"("total_amount":149.99)"},
    {R"("total_amount":1.4999e2)", 201, R"("total_amount":149.99)"},
    {R"("total_amount":149.990000000000001)", 201, R"("total_amount":149.99,)"},
    {R"("total_amount":149.990001)", 422, refused("total_amount", "too_many_decimals")},
    {R"("total_amount":90071992547409.91)", 201, R"("total_amount":90071992547409.91)"},
    {R"("total_amount":90071992547409.92)", 422, refused("total_amount", "too_large")},
    {R"("total_amount":"1")", 201, R"("total_amount":1.00,)"},
    {R"("total_amount":true)", 422, refused("total_amount", "wrong_type")},
    {R"("total_amount":1500,"currency":"JPY")", 201, R"("total_amount":1500,"currency":"JPY")"},
    {R"("total_amount":1.5,"currency":"JPY")", 422, refused("total_amount", "too_many_decimals")},
    {R"("total_amount":1.555,"currency":"KWD")", 201, R"("total_amount":1.555,"currency":"KWD")"},
    {R"("currency":"usd")", 201, R"("currency":"USD")"},
    {R"("currency":"ZZZ")", 422, refused("currency", "unknown_currency")},
    {R"("metadata":{"a": [1.50, null] ,"b":"\u0041"})", 201,
     R"("metadata":{"a": [1.50, null] ,"b":"\u0041"})"},
    {R"("metadata":[])", 201, R"("metadata":{})"},
    {R"("metadata":[1])", 422, refused("metadata", "wrong_type")},
    {metadata(16 * 1024), 201, R"("metadata":{"a":"xxx)"},
    {metadata(16 * 1024 + 1), 422, refused("metadata", "too_large")},
    {R"("status":"PENDING")", 422, refused("status", "unknown_field")},
    {R"("id":1)", 422, refused("id", "unknown_field")},
    {R"("version":1)", 422, refused("version", "unknown_field")},
    {R"("colour":"red")", 422, refused("colour", "unknown_field")},
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(api_contract, api_fixture)

BOOST_DATA_TEST_CASE_F(api_fixture, the_fields_of_an_order, boost::unit_test::data::make(rows),
                       it) {
    const answer got = ask("POST", "/orders", body_of(it));
    BOOST_TEST(got.status == it.status);
    BOOST_TEST(got.says(it.says), got.body.substr(0, 500));
    BOOST_TEST(get("/metrics").says(it.status == 201 ? R"("pending":1)" : R"("pending":0)"));
}

BOOST_AUTO_TEST_CASE(a_page_is_twenty_newest_first_and_ties_go_by_id) {
    for (int i = 10; i < 35; ++i) create("A-" + std::to_string(i));
    const answer page = get("/orders");
    BOOST_TEST(page.body.starts_with(R"({"items":[{"id":25,"order_id":"A-34")"));
    BOOST_TEST(page.says(R"("order_id":"A-15")"));
    BOOST_TEST(!page.says(R"("order_id":"A-14")"));
    BOOST_TEST(get("/orders?sort=created_at").body.starts_with(R"({"items":[{"id":1,)"));
}

BOOST_AUTO_TEST_CASE(a_cursor_is_of_its_filters) {
    for (const char* id : {"A-1", "A-2"}) create(id);
    const answer page = get("/orders?limit=1&user_id=123");
    const std::string link = page.find("Link").value_or("");
    const std::string cursor =
        link.substr(link.find("cursor="), link.find('>') - link.find("cursor="));
    BOOST_TEST(get("/orders?user_id=123&" + cursor).status == 200);
    for (const char* query :
         {"", "user_id=124&", "user_id=123&sort=created_at&", "user_id=123&status=PENDING&"}) {
        const answer got = get("/orders?" + std::string(query) + cursor);
        BOOST_TEST(got.status == 400, query);
        BOOST_TEST(got.says(R"("parameter":"cursor")"));
    }
}

BOOST_AUTO_TEST_CASE(only_a_pending_order_is_edited) {
    constexpr std::string_view body = R"({"user_id":8,"item_ids":[3],"total_amount":2})";
    create("A-1");
    ask("POST", "/orders/A-1/cancel");
    create("A-2");
    raise("A-2", "fail");
    for (const std::string id : {"A-1", "A-2"}) {
        for (const char* method : {"PUT", "PATCH"}) {
            const answer got = ask(method, "/orders/" + id, body);
            BOOST_TEST(got.status == 409);
            BOOST_TEST(got.says(R"("code":"not_editable")"));
            BOOST_TEST(got.says(id == "A-1"
                                    ? R"("allowed_events":[])"
                                    : R"("order_status":"FAILED","allowed_events":["retry"])"));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_create_has_no_parameters) {
    const answer got =
        ask("POST", "/orders?dry_run=1", R"({"user_id":1,"item_ids":[1],"total_amount":1})");
    BOOST_TEST(got.status == 400);
    BOOST_TEST(got.says(R"("parameter":"dry_run")"));
    BOOST_TEST(get("/orders").says(R"("items":[])"));
}

BOOST_AUTO_TEST_CASE(refusals_name_the_next_step) {
    std::string statuses = R"("allowed_values":[)";
    for (const order_status& it : orders.machine().statuses()) {
        if (statuses.back() != '[') statuses += ',';
        statuses.append(1, '"').append(it.view()).append(1, '"');
    }
    BOOST_TEST(get("/orders?status=NOPE").says(statuses + "]"));
    BOOST_TEST(get("/orders/status/NOPE").says(statuses + "]"));
    BOOST_TEST(get("/orders?page=2")
                   .says(R"("allowed_values":["user_id","status","order_id","created_from",)"
                         R"("created_until","updated_from","order_id_prefix","sort","limit",)"
                         R"("total","cursor"])"));
    BOOST_TEST(get("/orders/status/failed?status=FAILED")
                   .says(R"("allowed_values":["user_id","order_id","created_from",)"));
    BOOST_TEST(get("/orders?sort=id").says(R"("allowed_values":["created_at","-created_at",)"));
    BOOST_TEST(get("/nothing").says("/docs shows what there is"));
    create("A-1");
    BOOST_TEST(get("/orders/A-1?x=1").says(R"("allowed_values":["at"])"));
    BOOST_TEST(ask("POST", "/orders/A-1/transitions", R"({"event":"ship"})")
                   .says("must be an event that clients may raise: cancel, retry"));
    BOOST_TEST(ask("DELETE", "/orders/A-1", {}, {{"If-Match", "\"7\""}})
                   .says(R"("detail":"the order is at version 1")"));
    BOOST_TEST(ask("PATCH", "/orders/A-1", "{}",
                   {{"If-Match", "\"7\""}, {"Content-Type", "application/json"}})
                   .says(R"("detail":"the order is at version 1")"));
    BOOST_TEST(ask("POST", "/orders", "x", {{"Content-Type", "text/plain"}})
                   .says("it has to be application/json"));
}

BOOST_AUTO_TEST_SUITE_END()
