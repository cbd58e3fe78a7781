#include <orderproc/json.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <limits>
#include <string>
#include <string_view>

namespace {

using namespace orderproc;

timestamp at(std::string_view text) {
    return parse_timestamp(text).value();
}

order sample() {
    order it;
    it.number = 1;
    it.id = order_id::parse("ORD-A8F64D2E").value();
    it.user = "123";
    it.item_ids = {1001, 1002, 1003};
    it.total_amount = {14999, "USD"};
    it.status = "PENDING";
    it.created_at = at("2026-06-15T14:23:11.326Z");
    it.updated_at = it.created_at;
    return it;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_new_order_is_written_as_the_contract_shows_it) {
    BOOST_TEST(
        to_json(sample()) ==
        R"({"id":1,"order_id":"ORD-A8F64D2E","user_id":123,"item_ids":[1001,1002,1003],)"
        R"("total_amount":149.99,"currency":"USD","metadata":{},"status":"PENDING",)"
        R"("version":1,"attempts":0,"next_attempt_at":null,"last_error":null,)"
        R"("created_at":"2026-06-15T14:23:11.326Z","updated_at":"2026-06-15T14:23:11.326Z"})");
}

BOOST_AUTO_TEST_CASE(every_field_is_written_at_its_extremes) {
    order it = sample();
    it.number = std::numeric_limits<std::int64_t>::max();
    it.user = "9223372036854775807";
    it.item_ids = {std::numeric_limits<std::int64_t>::max()};
    it.total_amount = {money::minor_units_max, "KWD"};
    it.metadata = R"({"a":{"b":[1e400]}})";
    it.status = "PROCESSING";
    it.version = order_version{std::numeric_limits<std::uint64_t>::max()};
    it.attempts = std::numeric_limits<std::uint32_t>::max();
    it.next_attempt_at = at("2026-06-15T14:23:12Z");
    it.last_error = "said \"no\"\n";
    it.updated_at = at("2026-06-15T14:23:11.999Z");
    it.first_claimed_at = it.updated_at;  // not for clients
    it.settled_at = it.updated_at;
    BOOST_TEST(
        to_json(it) ==
        R"({"id":9223372036854775807,"order_id":"ORD-A8F64D2E",)"
        R"("user_id":9223372036854775807,"item_ids":[9223372036854775807],)"
        R"("total_amount":9007199254740.991,"currency":"KWD",)"
        R"("metadata":{"a":{"b":[1e400]}},"status":"PROCESSING",)"
        R"("version":18446744073709551615,"attempts":4294967295,)"
        R"("next_attempt_at":"2026-06-15T14:23:12.000Z","last_error":"said \"no\"\n",)"
        R"("created_at":"2026-06-15T14:23:11.326Z","updated_at":"2026-06-15T14:23:11.999Z"})");
}

BOOST_AUTO_TEST_CASE(an_order_that_is_not_stored_yet_has_no_id) {
    order it = sample();
    it.id = {};
    it.item_ids.clear();
    it.number = std::numeric_limits<std::int64_t>::min();
    BOOST_TEST(to_json(it).starts_with(
        R"({"id":-9223372036854775808,"order_id":null,"user_id":123,"item_ids":[],"total)"));
}

BOOST_AUTO_TEST_CASE(users_are_numbers_texts_or_null) {
    order it = sample();
    const auto user = [&](std::string name) {
        it.user = std::move(name);
        const std::string json = to_json(it);
        const auto from = json.find("\"user_id\":") + 10;
        return json.substr(from, json.find(",\"item_ids\"") - from);
    };
    BOOST_TEST(user("") == "null");
    BOOST_TEST(user("7") == "7");
    BOOST_TEST(user("9223372036854775807") == "9223372036854775807");
    for (const char* text : {"0", "07", "-7", "+7", "7.0", " 7", "9223372036854775808", "u-7"}) {
        BOOST_TEST(user(text) == "\"" + std::string(text) + "\"");
    }
    BOOST_TEST(user("a\"b") == R"("a\"b")");
}

BOOST_AUTO_TEST_CASE(what_most_orders_do_not_have_is_shown_if_it_is_there) {
    order it = sample();
    it.id = order_id::parse("a\"b c").value();
    it.item_ids.clear();
    it.lines = {{"TEA \"green\"", 2, amount{499}, "Tee"}, {"CUP"}};
    it.tenant = "north";
    it.attributes = {{"fee", amount{5}},
                     {"gift", true},
                     {"note", "it's \"new\""},
                     {"rank", std::int64_t{-3}},
                     {"wanted_at", at("2026-06-16T00:00:00Z")}};
    it.annotations = "{\n\"seen\":1}";
    BOOST_TEST(to_json(it) ==
               R"({"id":1,"order_id":"a\"b c","user_id":123,"lines":[)"
               R"({"sku":"TEA \"green\"","quantity":2,"unit_amount":4.99,"name":"Tee"},)"
               R"({"sku":"CUP","quantity":1}],"total_amount":149.99,"currency":"USD",)"
               R"("metadata":{},"tenant":"north","attributes":{"fee":0.05,"gift":true,)"
               R"("note":"it's \"new\"","rank":-3,"wanted_at":"2026-06-16T00:00:00.000Z"},)"
               R"("annotations":{ "seen":1},"status":"PENDING","version":1,"attempts":0,)"
               R"("next_attempt_at":null,"last_error":null,)"
               R"("created_at":"2026-06-15T14:23:11.326Z",)"
               R"("updated_at":"2026-06-15T14:23:11.326Z"})");
}

BOOST_AUTO_TEST_CASE(metadata_is_as_sent_but_on_one_line) {
    order it = sample();
    it.metadata = "{\r\n \"a\" :\t\"x\\n\xC3\xA9\"\n}";
    const std::string json = to_json(it);
    BOOST_TEST(json.find(",\"metadata\":{   \"a\" :\t\"x\\n\xC3\xA9\" },\"status\"") !=
               std::string::npos);
    BOOST_TEST(json.find('\n') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_was_there_before_stays) {
    std::string out = "data: \n";
    append_json(sample(), out);
    BOOST_TEST(out == "data: \n" + to_json(sample()));
}
