#include "cli/order_text.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>

using namespace orderproc;
using namespace orderproc::server;
namespace data = boost::unit_test::data;
using strings = std::vector<std::string>;

namespace {

struct item_row {
    const char* text;
    std::vector<std::string> ids;  // none: refused
};
std::ostream& operator<<(std::ostream& out, const item_row& it) {
    return out << it.text;
}

const std::vector<item_row> items{
    {"1001", {"1001"}},
    {"1001x3", {"1001", "1001", "1001"}},
    {"9223372036854775807x1", {"9223372036854775807"}},
    {"", {}},
    {"x", {}},
    {"x3", {}},
    {"1001x", {}},
    {"0", {}},
    {"-1", {}},
    {"+1", {}},
    {"1.5", {}},
    {"1001x0", {}},
    {"1001x-1", {}},
    {"1001x1001", {}},
    {"1001x3x3", {}},
    {"1001 x3", {}},
    {"9223372036854775808", {}},
    {"1001x99999999999", {}},
};

typed_order good() {
    return {"A-1", "EUR", R"({"gift":true})", "7", "149.90", {"1", "2"}};
}

order_model shop() {
    order_rules rules;
    rules.items = items_form::lines;
    rules.user = user_form::text;
    rules.guests = true;
    rules.tenants = true;
    attribute_rule ref{"ref"};
    ref.indexed = true;
    ref.size_max = 40;
    rules.attributes = {ref,
                        {"count", attribute_type::integer},
                        {"tax", attribute_type::amount},
                        {"gift", attribute_type::boolean},
                        {"due", attribute_type::time}};
    return order_model::build(std::move(rules)).value();
}

}  // namespace

BOOST_DATA_TEST_CASE(an_item_is_a_number_and_perhaps_a_quantity, data::make(items), it) {
    strings ids{"before"};
    const auto read = parse_item(it.text, ids);
    BOOST_TEST_REQUIRE(read.has_value() == !it.ids.empty());
    if (!read) {
        BOOST_TEST((read.error().code == errc::invalid_argument));
        BOOST_TEST(read.error().detail.find("\"" + std::string(it.text) + "\"") !=
                   std::string::npos);
    }
    strings expected{"before"};
    expected.insert(expected.end(), it.ids.begin(), it.ids.end());
    BOOST_TEST(ids == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_table_is_as_wide_as_its_widest_cells) {
    BOOST_TEST(make_table({{"A", "LONG", "C"}, {"grün", "x", "y"}, {"z", "", "longer"}}) ==
               "A     LONG  C\n"
               "grün  x     y\n"
               "z           longer\n");
    BOOST_TEST(make_table({{"A", "B"}, {"1"}, {"1", "2", "3"}}) == "A  B\n1\n1  2  3\n");
    BOOST_TEST(make_table({}).empty());
}

BOOST_AUTO_TEST_CASE(an_order_is_sent_as_it_was_typed) {
    BOOST_TEST(to_body(good()).value() ==
               R"({"user_id":7,"item_ids":[1,2],"total_amount":149.90,"order_id":"A-1",)"
               R"("currency":"EUR","metadata":{"gift":true}})");
    typed_order least{{}, {}, {}, "7", "1e2", {"1"}};
    BOOST_TEST(to_body(least).value() == R"({"user_id":7,"item_ids":[1],"total_amount":1e2})");
    least.order_id = "\",\"x\":\"";
    BOOST_TEST(to_body(least).value().find(R"("order_id":"\",\"x\":\"")") != std::string::npos);
    for (const char* amount : {"", "abc", "1,2", "1,\"x\":1", "\"1\"", "null", "[1]"}) {
        typed_order bad = good();
        bad.total_amount = amount;
        BOOST_TEST((to_body(bad).error().code == errc::invalid_argument), amount);
    }
    // Whether a number is too large is for the server to say.
    typed_order large = good();
    large.metadata = R"( {"a":1e400})";
    BOOST_TEST(to_body(large).value().ends_with(R"("metadata": {"a":1e400}})"));
    for (const char* metadata : {"x", "[]", "1", "null", "{}{}", "{},{}", "{\"a\":1e}", "{}]"}) {
        typed_order bad = good();
        bad.metadata = metadata;
        BOOST_TEST((to_body(bad).error().code == errc::invalid_argument), metadata);
    }
}

BOOST_AUTO_TEST_CASE(orders_come_one_as_an_array_or_one_a_line) {
    const auto count = [](std::string_view text) {
        return split_orders(text).value().items.size();
    };
    BOOST_TEST(count("{\n \"user_id\": 1\n}\n") == 1U);
    BOOST_TEST(count(" [ {\"a\":\n1}, {} ] ") == 2U);
    BOOST_TEST(count("{}\n{}\r\n\n  \n{}") == 3U);
    BOOST_TEST(count("{\n\"metadata\": {\"a\": 1e400}\n}\n") == 1U);
    BOOST_TEST(count("nonsense") == 1U);  // a line that the server shall refuse
    BOOST_TEST(!split_orders("[{}]").value().lines);
    BOOST_TEST(split_orders("{}\n{}").value().lines);
    for (const char* none : {"", " \n\n", "[]", "[{}", "[{},]"}) {
        BOOST_TEST(!split_orders(none).has_value(), none);
    }
    BOOST_TEST(split_orders("[{},\n{]").error().detail.starts_with("line 2, column 2: "));
}

BOOST_AUTO_TEST_CASE(rows_show_what_the_server_wrote) {
    const char* const order =
        R"({"id":1,"order_id":"A","user_id":9223372036854775807,"item_ids":[1,1],)"
        R"("total_amount":90071992547409.90,"currency":"USD","metadata":{"total_amount":1},)"
        R"("status":"FAILED","version":3,"attempts":2,"next_attempt_at":null,)"
        R"("last_error":"no\nstock","created_at":"2026-06-15T00:00:00.000Z"})";
    BOOST_TEST(
        order_row(order) == (strings{"A", "FAILED", "9223372036854775807", "90071992547409.90",
                                     "USD", "2", "2", "2026-06-15T00:00:00.000Z", "no\\x0astock"}),
        boost::test_tools::per_element());
    BOOST_TEST(order_row(order).size() == order_headings().size());
    BOOST_TEST(order_id_of(order) == "A");
    BOOST_TEST(order_id_of("{}").empty());
    BOOST_TEST(order_row("nonsense").size() == order_headings().size());
    BOOST_TEST(history_row(R"({"version":1,"event":"create","from":null,"to":"PENDING",)"
                           R"("actor":null,"reason":"x","at":"now"})") ==
                   (strings{"now", "1", "create", "-", "PENDING", "-", "x"}),
               boost::test_tools::per_element());
    BOOST_TEST(history_headings().size() == 7U);
}

// What a server sends need not fit into any type here.
BOOST_AUTO_TEST_CASE(rows_do_not_depend_on_what_they_do_not_show) {
    std::string deep = R"({"metadata":)";
    for (int i = 0; i < 1000; ++i) deep += R"({"a":[)";
    for (int i = 0; i < 1000; ++i) deep += "]}";
    for (const std::string& metadata :
         {std::string(R"("metadata":{"a":1e400,"b":-1E99999})"), deep.substr(1),
          R"("metadata":")" + std::string(100'000, 'x') + '"',
          std::string(R"("metadata":{"status":"NO","b":"},\"status\":\"NO\""})")}) {
        const auto row =
            order_row("{ " + metadata +
                      R"( , "order_id" : "A","item_ids": [1,2e999],"status":"PENDING",)"
                      R"("total_amount":1e400, "user_id":123456789012345678901})");
        BOOST_TEST(row[0] == "A");
        BOOST_TEST(row[1] == "PENDING");
        BOOST_TEST(row[2] == "123456789012345678901");
        BOOST_TEST(row[3] == "1e400");
        BOOST_TEST(row[5] == "2");
    }
}

BOOST_AUTO_TEST_CASE(nothing_that_a_server_sends_reaches_the_terminal_as_it_is) {
    const std::string evil =
        "\xc2\x9b"
        "2J\x1b[31m\xe2\x80\xae\x9b";
    const std::string shown = "\\x9b2J\\x1b[31m\\u202e\\x9b";
    const std::vector<std::string> texts{
        order_row(R"({"order_id":")" + evil + R"("})")[0],
        order_row(R"({"user_id":)" + evil + "}")[2],
        order_row(R"({"total_amount":)" + evil + "}")[3],
        history_row(R"({"reason":")" + evil + R"("})")[6],
        change_of(R"({"data":{"to":")" + evil + R"("}})").to,
        problem_text(409, R"({"title":")" + evil + R"("})"),
        problem_text(409, R"({"title":"T","allowed_events":[")" + evil + R"("]})"),
        problem_text(409, R"({"title":"T","allowed_values":[")" + evil + R"("]})"),
        problem_text(422, R"({"title":"T","errors":[{"detail":")" + evil + R"("}]})")};
    for (const std::string& it : texts) BOOST_TEST(it.find(shown) != std::string::npos, it);
    // Escaped in JSON, and unescaped here.
    BOOST_TEST(order_row(R"({"status":"\u009b\u202e"})")[1] == "\\x9b\\u202e");
    BOOST_TEST(problem_text(409, R"({"title":"T","allowed_events":["\u009b"]})") ==
               R"(T; allowed: ["\u009b"])");
}

BOOST_AUTO_TEST_CASE(a_change_is_what_its_event_says) {
    const change_text it = change_of(
        R"({"time":"now","data":{"event":"fail","from":"PROCESSING","to":"FAILED","reason":"\u001b"}})");
    BOOST_TEST((strings{it.at, it.event, it.from, it.to, it.reason}) ==
                   (strings{"now", "fail", "PROCESSING", "FAILED", "\\x1b"}),
               boost::test_tools::per_element());
    for (const char* other : {"", "[]", "{}", R"({"data":1})"}) {
        BOOST_TEST(change_of(other).event == "-", other);
    }
}

BOOST_AUTO_TEST_CASE(a_batch_is_judged_order_by_order) {
    std::string deep = R"({"status":201,"order":{"metadata":)";
    for (int i = 0; i < 31; ++i) deep += R"({"a":)";
    deep += "1e400" + std::string(31, '}') + "}}";
    BOOST_TEST(batch_verdict_of(deep).status == 201U);
    const auto refused = batch_verdict_of(R"({"status":422,"problem":{"title":"No","errors":[]}})");
    BOOST_TEST(refused.status == 422U);
    BOOST_TEST(problem_text(refused.status, refused.problem) == "No");
    BOOST_TEST(batch_verdict_of("nonsense").status == 500U);
}

BOOST_AUTO_TEST_CASE(an_order_may_be_as_deep_as_the_server_takes) {
    std::string entry = R"({"event":"create","order":{"metadata":)";
    for (int i = 0; i < 31; ++i) entry += R"({"a":)";
    entry += '1' + std::string(31, '}') + "}}";
    BOOST_TEST(history_row(entry)[2] == "create");
}

BOOST_AUTO_TEST_CASE(problems_are_explained) {
    BOOST_TEST(problem_text(502, "<html>") == "the server answered 502");
    BOOST_TEST(problem_text(308, "") == "the server answered 308, and redirects are not followed");
    BOOST_TEST(problem_text(404, R"({"title":"There is no such resource"})") ==
               "There is no such resource");
    BOOST_TEST(problem_text(422, R"({"title":"T","detail":"D","errors":[{"pointer":"#/a",)"
                                 R"("detail":"is bad"},{"pointer":"#/b","detail":"\u001b"}]})") ==
               "T: D\n  #/a is bad\n  #/b \\x1b");
    BOOST_TEST(problem_text(409, R"({"title":"T","allowed_events":["retry"]})") ==
               "T; allowed: [\"retry\"]");
    BOOST_TEST(problem_text(400, R"({"title":"T","parameter":"sort","allowed_values":["a"]})") ==
               "T (sort); allowed: [\"a\"]");
}

BOOST_AUTO_TEST_CASE(pages_are_taken_apart) {
    const std::string body = R"({"items":[{"a":[1.10]},{}],"next_cursor":"c-1"})";
    const answer_items page = items_of(body);
    BOOST_TEST_REQUIRE(page.items.size() == 2U);
    BOOST_TEST(page.valid);
    BOOST_TEST(page.items[0] == R"({"a":[1.10]})");
    BOOST_TEST(page.next_cursor == "c-1");
    BOOST_TEST(items_of(R"({"items":[],"next_cursor":null})").items.empty());
    BOOST_TEST(items_of(R"({"items":[{}],"next_cursor":null})").next_cursor.empty());
    const answer_items spaced = items_of("{\n \"next_cursor\" : \"a\\\"]\",\n \"items\" : [ ]\n}");
    BOOST_TEST(spaced.valid);
    BOOST_TEST(spaced.next_cursor == "a\"]");
    for (const char* other :
         {"", "<html>", "[]", "{}", R"({"items":})", R"({"items":1})", R"({"items":[)",
          R"({"items":[{})", R"({"items":[{]})", "{\"", "{\"items", "{\"items\"", "{\"items\":"}) {
        BOOST_TEST(!items_of(other).valid, other);
        BOOST_TEST(items_of(other).next_cursor.empty(), other);
    }
}

BOOST_AUTO_TEST_CASE(a_line_has_a_sku_and_perhaps_more) {
    const auto line = [](const char* text) {
        strings all;
        const auto ok = parse_line(text, all);
        return ok ? all.at(0) : "refused";
    };
    BOOST_TEST(line("TEE-S") == R"({"sku":"TEE-S","quantity":1})");
    BOOST_TEST(line("TEE-S=2") == R"({"sku":"TEE-S","quantity":2})");
    BOOST_TEST(line("TEE-S=2@19.90") == R"({"sku":"TEE-S","quantity":2,"unit_amount":19.90})");
    BOOST_TEST(line("A\"=B@5") == R"(refused)");
    BOOST_TEST(line("A\"B@5") == R"({"sku":"A\"B","quantity":1,"unit_amount":5})");
    for (const char* text : {"", "=2", "A=0", "A=x", "A@", "A@x", "A@1,2", "A=2x@5"}) {
        BOOST_TEST(line(text) == "refused", text);
    }
}

BOOST_AUTO_TEST_CASE(an_order_is_sent_as_its_model_says) {
    const order_model model = shop();
    typed_order it;
    it.user_id = "7";
    it.total_amount = "39.80";
    it.lines = {R"({"sku":"TEE-S","quantity":2})"};
    it.tenant = "north";
    it.annotations = "{}";
    it.not_before = "2026-01-31T12:00:00Z";
    it.attributes = {"ref=A-1", "count=5", "tax=3.80", "gift=true", "due=2026-01-31T12:00:00Z"};
    BOOST_TEST(to_body(it, model).value() ==
               R"({"user_id":"7","lines":[{"sku":"TEE-S","quantity":2}],"total_amount":39.80,)"
               R"("tenant":"north","not_before":"2026-01-31T12:00:00Z","annotations":{},)"
               R"("attributes":{"ref":"A-1","count":5,"tax":3.80,"gift":true,)"
               R"("due":"2026-01-31T12:00:00Z"}})");
    it.user_id.clear();  // a guest
    it.attributes.clear();
    BOOST_TEST(to_body(it, model).value().starts_with(R"({"lines":[)"));
    for (const char* attribute :
         {"", "x=1", "ref", "count=", "count=1,\"x\":1", "gift={}", "count=[1]"}) {
        it.attributes = {attribute};
        const bool fits = std::string(attribute) == "ref";  // a text may be empty: the server says
        BOOST_TEST(to_body(it, model).has_value() == fits, attribute);
    }
    it.attributes = {"x=1"};
    BOOST_TEST(
        to_body(it, model).error().detail ==
        "--attribute: \"x\" is not an attribute of this server's orders; they have count, due, "
        "gift, ref, tax");
    BOOST_TEST(to_body(it).error().detail ==
               "--attribute: \"x\" is not an attribute of this server's orders, which have none");
    it.attributes.clear();
    it.user_id = "seven";
    BOOST_TEST(to_body(it, model).has_value());
    BOOST_TEST(to_body(it).error().detail == "--user: \"seven\" is not an integer of 1 or more");
}

BOOST_AUTO_TEST_CASE(a_table_has_the_columns_of_the_model) {
    const order_model model = shop();
    BOOST_TEST(
        order_headings(model) == (strings{"ORDER", "STATUS", "TENANT", "USER", "TOTAL", "CURRENCY",
                                          "LINES", "REF", "ATTEMPTS", "CREATED", "LAST ERROR"}),
        boost::test_tools::per_element());
    BOOST_TEST(
        order_row(R"({"order_id":"A","status":"PAID","tenant":"north","user_id":"x",)"
                  R"("lines":[{},{}],"attributes":{"tax":1,"ref":"R"},"ref":"not this"})",
                  model) == (strings{"A", "PAID", "north", "x", "-", "-", "2", "R", "-", "-", "-"}),
        boost::test_tools::per_element());
    BOOST_TEST(order_row("nonsense", model).size() == order_headings(model).size());
    order_rules none;
    none.user = user_form::none;
    const order_model nobody = order_model::build(std::move(none)).value();
    BOOST_TEST(order_headings(nobody)[2] == "TOTAL");
}

BOOST_AUTO_TEST_CASE(fields_under_a_model_that_is_hidden_stand_as_they_were_typed) {
    typed_order it;
    it.total_amount = "1";
    it.lines = {R"({"sku":"TEE","quantity":1})"};
    it.user_id = "7";
    it.attributes = {"ref=R-1",  "count=3",   "gift=true", "code=\"17\"",
                     "note=[1]", "none=null", "empty=",    "two=1,2"};
    BOOST_TEST(to_body_as_typed(it).value() ==
               R"({"user_id":7,"lines":[{"sku":"TEE","quantity":1}],"total_amount":1,)"
               R"("attributes":{"ref":"R-1","count":3,"gift":true,"code":"17","note":"[1]",)"
               R"("none":"null","empty":"","two":"1,2"}})");
    it.user_id = "anna";
    BOOST_TEST(to_body_as_typed(it).value().starts_with(R"({"user_id":"anna","lines")"));
    it.user_id.clear();
    BOOST_TEST(to_body_as_typed(it).value().starts_with(R"({"lines")"));
}
