// Whatever clients send that is no good: the answer that the contract has for it, and nothing
// else. The journal, the orders and the counts are afterwards what they were before.

#include "api_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
namespace data = boost::unit_test::data;

namespace {

// An order whose fields are these, in place of good ones.
std::string order_with(const std::string& name, const std::string& value) {
    std::string out = "{";
    for (const auto& [field, good] :
         std::vector<std::pair<std::string, std::string>>{{"order_id", "\"NEW\""},
                                                          {"user_id", "1"},
                                                          {"item_ids", "[1]"},
                                                          {"total_amount", "1"},
                                                          {"currency", "\"USD\""},
                                                          {"metadata", "{}"}}) {
        if (field == name) continue;
        out += "\"" + field + "\":" + good + ",";
    }
    return out + "\"" + name + "\":" + value + "}";
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

struct bad_body {
    std::string name;
    std::string body;
    int status;
    std::string says;
};
std::ostream& operator<<(std::ostream& out, const bad_body& it) {
    return out << it.name;
}

bad_body not_json(const std::string& name, std::string body) {
    return {name, std::move(body), 400, R"("code":"invalid_json")"};
}
bad_body bad_field(const std::string& name, const std::string& value, const std::string& pointer,
                   const std::string& code) {
    return {name + " " + value.substr(0, 40), order_with(name, value), 422,
            R"({"pointer":"#/)" + pointer + R"(","code":")" + code + '"'};
}

const std::vector<bad_body> bodies{
    not_json("nothing", ""),
    not_json("cut off", R"({"user_id":1)"),
    not_json("two values", "{} {}"),
    not_json("a comma too many", R"({"user_id":1,})"),
    not_json("a comment", "/* */{}"),
    not_json("a byte order mark", "\xef\xbb\xbf{}"),
    not_json("NaN", order_with("total_amount", "NaN")),
    not_json("a leading zero", order_with("total_amount", "01")),
    not_json("a plus sign", order_with("total_amount", "+1")),
    not_json("bytes that are not UTF-8", order_with("metadata", "{\"a\":\"\xff\xfe\"}")),
    not_json("overlong UTF-8", order_with("metadata", "{\"a\":\"\xc0\xaf\"}")),
    not_json("half of a pair", order_with("metadata", R"({"a":"\ud800"})")),
    not_json("UTF-16", std::string("{\0}\0", 4)),
    not_json("a control character", order_with("metadata", "{\"a\":\"\x01\"}")),
    not_json("a name twice", R"({"user_id":1,"user_id":2,"item_ids":[1],"total_amount":1})"),
    not_json("a name twice, once escaped",
             R"({"user_id":1,"\u0075ser_id":2,"item_ids":[1],"total_amount":1})"),
    not_json("a name twice deep in metadata", order_with("metadata", R"({"a":[{"b":1,"b":2}]})")),
    not_json("too deep", order_with("metadata", "{\"a\":" + nested(31) + "}")),
    not_json("far too deep", nested(100'000)),
    {"no object", "[]", 422, R"({"pointer":"#","code":"wrong_type")"},
    {"null", "null", 422, R"({"pointer":"#","code":"wrong_type")"},
    bad_field("colour", "1", "colour", "unknown_field"),
    bad_field("status", "\"PENDING\"", "status", "unknown_field"),
    bad_field("version", "1", "version", "unknown_field"),
    bad_field("id", "1", "id", "unknown_field"),
    bad_field("User_id", "1", "User_id", "unknown_field"),
    bad_field("total_amount", "1e400", "total_amount", "too_large"),
    bad_field("total_amount", "0.001", "total_amount", "too_many_decimals"),
    bad_field("total_amount", "149.990001", "total_amount", "too_many_decimals"),
    bad_field("total_amount", "1e-8", "total_amount", "too_many_decimals"),
    bad_field("total_amount", "-0.01", "total_amount", "negative"),
    bad_field("total_amount", "90071992547409.92", "total_amount", "too_large"),
    bad_field("total_amount", "\"1,00\"", "total_amount", "wrong_type"),
    bad_field("total_amount", "null", "total_amount", "wrong_type"),
    bad_field("user_id", "9223372036854775808", "user_id", "out_of_range"),
    bad_field("user_id", "1e400", "user_id", "out_of_range"),
    bad_field("user_id", "0", "user_id", "out_of_range"),
    bad_field("user_id", "-1", "user_id", "out_of_range"),
    bad_field("user_id", "1.5", "user_id", "not_an_integer"),
    bad_field("user_id", "\"1\"", "user_id", "wrong_type"),
    bad_field("user_id", "true", "user_id", "wrong_type"),
    bad_field("item_ids", "[]", "item_ids", "too_few_items"),
    bad_field("item_ids", "[1,9223372036854775808]", "item_ids/1", "out_of_range"),
    bad_field("item_ids", "[1,[2]]", "item_ids/1", "wrong_type"),
    bad_field("item_ids", "{}", "item_ids", "wrong_type"),
    bad_field("item_ids", "1", "item_ids", "wrong_type"),
    bad_field("currency", "\"XXQ\"", "currency", "unknown_currency"),
    bad_field("currency", "\"usdt\"", "currency", "unknown_currency"),
    bad_field("currency", "840", "currency", "wrong_type"),
    bad_field("metadata", "\"{}\"", "metadata", "wrong_type"),
    bad_field("metadata", "[1]", "metadata", "wrong_type"),
    bad_field("metadata", "{\"a\":1e400}", "metadata/a", "unsupported_number"),
    bad_field("metadata", "{\"a\":[" + std::string(15000, '1') + "]}", "metadata/a/0",
              "unsupported_number"),
    bad_field("metadata", R"({"a":"\u0000"})", "metadata/a", "unsupported_character"),
    bad_field("metadata", "{\"a\":\"" + std::string(16 * 1024, 'x') + "\"}", "metadata",
              "too_large"),
    bad_field("order_id", "\"../etc/passwd\"", "order_id", "invalid_order_id"),
    bad_field("order_id", "\"..\"", "order_id", "invalid_order_id"),
    bad_field("order_id", "\"A/B\"", "order_id", "invalid_order_id"),
    bad_field("order_id", "\"batch\"", "order_id", "invalid_order_id"),
    bad_field("order_id", "\"\"", "order_id", "invalid_order_id"),
    bad_field("order_id", "\"A\\u0000\"", "order_id", "invalid_order_id"),
    bad_field("order_id", "\"" + std::string(65, 'A') + "\"", "order_id", "invalid_order_id"),
};

struct bad_request {
    const char* method;
    std::string target;
    std::string body;
    http::field field;  // beside the content type
    int status;
    const char* says;
};
std::ostream& operator<<(std::ostream& out, const bad_request& it) {
    return out << it.method << " " << it.target << " " << it.field.name << " " << it.body;
}

const char* const whole = R"({"user_id":1,"item_ids":[1],"total_amount":1})";

// WAITS is PENDING at version 1, DONE is CANCELLED at 2, and a worker has BUSY.
const std::vector<bad_request> requests{
    // Versions that are not the order's.
    {"PUT", "/orders/WAITS", whole, {"If-Match", "\"2\""}, 412, "precondition_failed"},
    {"PATCH", "/orders/WAITS", R"({"user_id":2})", {"If-Match", "\"0\""}, 412, "precondition_"},
    {"PATCH", "/orders/WAITS", R"({"user_id":2})", {"If-Match", "W/\"1\""}, 412, "precondition_"},
    {"DELETE", "/orders/WAITS", "", {"If-Match", "\"9\""}, 412, "precondition_failed"},
    {"POST", "/orders/WAITS/cancel", "", {"If-Match", "\"2\""}, 412, "precondition_failed"},
    {"POST", "/orders/DONE/retry", "", {"If-Match", "\"1\""}, 412, "precondition_failed"},
    {"POST",
     "/orders/WAITS/transitions",
     R"({"event":"cancel"})",
     {"If-Match", "\"2\""},
     412,
     "precondition_failed"},
    // Moves that the status forbids.
    {"POST", "/orders/DONE/retry", "", {}, 409, "transition_refused"},
    {"POST", "/orders/BUSY/cancel", "", {}, 409, R"("order_status":"PROCESSING")"},
    {"POST", "/orders/BUSY/transitions", R"({"event":"cancel"})", {}, 409, "transition_refused"},
    {"PUT", "/orders/DONE", whole, {}, 409, "not_editable"},
    {"PATCH", "/orders/BUSY", R"({"user_id":2})", {}, 409, "not_editable"},
    {"DELETE", "/orders/BUSY", "", {}, 409, "\"code\":"},
    {"POST", "/orders/WAITS/transitions", R"({"event":"start"})", {}, 422, "unknown_event"},
    {"POST",
     "/orders",
     R"({"order_id":"DONE","user_id":1,"item_ids":[1],"total_amount":1})",
     {},
     409,
     "order_exists"},
    // Ids that are none, or lead elsewhere.
    {"PUT", "/orders/NOBODY", whole, {}, 404, "not_found"},
    {"DELETE", "/orders/..", "", {}, 404, "not_found"},
    {"DELETE", "/orders/%2e%2e", "", {}, 404, "not_found"},
    {"DELETE", "/orders/..%2fWAITS", "", {}, 404, "not_found"},
    {"DELETE", "/orders/x/../WAITS", "", {}, 404, "not_found"},
    {"DELETE", "/orders//WAITS", "", {}, 404, "not_found"},
    {"DELETE", "/orders/WAITS/", "", {}, 404, "not_found"},
    {"DELETE", "/orders/WAITS%00", "", {}, 404, "not_found"},
    {"DELETE", "/orders/waits", "", {}, 404, "not_found"},
    {"DELETE", "/orders/%zz", "", {}, 400, "\"code\":"},
    {"POST", "/orders/WAITS%2fcancel", "", {}, 405, "method_not_allowed"},
    // What else there is to get wrong.
    {"POST", "/orders", whole, {"Idempotency-Key", ""}, 400, "invalid_idempotency_key"},
    {"DELETE", "/orders", "", {}, 405, "method_not_allowed"},
    {"PUT", "/orders/WAITS/cancel", whole, {}, 405, "method_not_allowed"},
    {"POST", "/orders/batch", "{", {}, 400, "invalid_json"},
    {"POST", "/orders/batch", whole, {}, 422, "wrong_type"},
};

struct fixture : api_fixture {
    fixture() {
        create("BUSY");
        (void)claim_one();
        create("WAITS");
        create("DONE");
        raise("DONE", "cancel");
    }
    // All that clients could find changed.
    std::string everything() {
        std::string out = get("/orders").body;
        for (const char* id : {"BUSY", "WAITS", "DONE"}) {
            out += get("/orders/" + std::string(id) + "/history").body;
        }
        out += get("/metrics").body;
        return out + get("/orders").find("Feed-Position").value_or("no position");
    }
};

}  // namespace

BOOST_DATA_TEST_CASE_F(fixture, a_body_that_is_no_order_changes_nothing, data::make(bodies), it) {
    const std::string before = everything();
    const answer got = ask("POST", "/orders", it.body);
    BOOST_TEST(got.status == it.status, got.body);
    BOOST_TEST(got.says(it.says), got.body);
    BOOST_TEST(got.find("Content-Type").value_or("") == "application/problem+json");
    BOOST_TEST(everything() == before);
    // Nor does it keep others of a batch from being made.
    if (it.status != 422) return;
    const answer batch = ask("POST", "/orders/batch", "[" + it.body + "," + whole + "]");
    BOOST_TEST(batch.status == 200);
    BOOST_TEST(batch.says("\"status\":422"), batch.body);
    BOOST_TEST(batch.says("\"status\":201"), batch.body);
}

BOOST_DATA_TEST_CASE_F(fixture, a_request_that_is_refused_changes_nothing, data::make(requests),
                       it) {
    const std::string before = everything();
    std::vector<http::field> fields{{"Content-Type", "application/json"}};
    if (!it.field.name.empty()) fields.push_back(it.field);
    const answer got = ask(it.method, it.target, it.body, fields);
    BOOST_TEST(got.status == it.status, got.body);
    BOOST_TEST(got.says(it.says), got.body);
    BOOST_TEST(everything() == before);
}

// Else the tables above would prove nothing.
BOOST_FIXTURE_TEST_CASE(what_is_good_does_change_it, fixture) {
    const std::string before = everything();
    BOOST_TEST(ask("POST", "/orders", order_with("user_id", "1")).status == 201);
    BOOST_TEST(everything() != before);
    const std::string deep = "{\"a\":" + nested(30) + "}";  // one less than what is refused
    BOOST_TEST(ask("PATCH", "/orders/NEW", "{\"metadata\":" + deep + "}").status == 200);
}
