#include <orderproc/json.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace orderproc;
namespace data = boost::unit_test::data;

const std::string standard =
    R"({"order_id":"ORD-A8F64D2E","user_id":123,"item_ids":[1001,1002,1003],)"
    R"("total_amount":149.99,"currency":"USD","metadata":{"gift":"yes \u00e9"}})";

// What parse_order() says, as short as can be: "ok", "syntax 1:7" or the errors' pointers
// and codes.
std::string judgement(const parsed_order& it) {
    if (it.syntax.line != 0) {
        return "syntax " + std::to_string(it.syntax.line) + ":" + std::to_string(it.syntax.column);
    }
    std::string out;
    for (const field_error& error : it.errors) {
        if (!out.empty()) out += ", ";
        out += error.pointer + " " + error.code;
    }
    return out.empty() ? "ok" : out;
}

std::string judgement(std::string_view text) {
    return judgement(parse_order(text));
}

// A good body with the given text for one field.
std::string body_with(std::string_view name, std::string_view value) {
    std::string out = "{";
    for (const auto& [other, good] : {std::pair<std::string_view, std::string_view>{"user_id", "1"},
                                      {"item_ids", "[1]"},
                                      {"total_amount", "1"}}) {
        if (other == name) continue;
        out.append("\"").append(other).append("\":").append(good).append(",");
    }
    return out.append("\"").append(name).append("\":").append(value).append("}");
}

struct field_case {
    std::string_view name;
    std::string_view value;
    std::string_view expected;

    friend std::ostream& operator<<(std::ostream& out, const field_case& it) {
        return out << it.name << " " << it.value.substr(0, 60);
    }
};

// user_id and the items are judged alike.
constexpr field_case integer_cases[] = {
    {"user_id", "1", "ok"},
    {"user_id", "9223372036854775807", "ok"},
    {"user_id", "9223372036854775807.000", "ok"},
    {"user_id", "9.223372036854775807e18", "ok"},
    {"user_id", "9223372036854775807000e-3", "ok"},
    {"user_id", "1.0", "ok"},
    {"user_id", "5.0", "ok"},
    {"user_id", "1e3", "ok"},
    {"user_id", "1E+3", "ok"},
    {"user_id", "1.5e1", "ok"},
    {"user_id", "50e-1", "ok"},
    {"user_id", "0.1e1", "ok"},
    {"user_id", "1e18", "ok"},
    {"user_id", "1e0000000000000000000000000001", "ok"},
    {"user_id", "0", "#/user_id out_of_range"},
    {"user_id", "-0", "#/user_id out_of_range"},
    {"user_id", "0.0", "#/user_id out_of_range"},
    {"user_id", "0e99999999999999999999", "#/user_id out_of_range"},
    {"user_id", "-1", "#/user_id out_of_range"},
    {"user_id", "-1.0", "#/user_id out_of_range"},
    {"user_id", "9223372036854775808", "#/user_id out_of_range"},
    {"user_id", "9223372036854775808.0", "#/user_id out_of_range"},
    {"user_id", "-9223372036854775808", "#/user_id out_of_range"},
    {"user_id", "-9223372036854775809", "#/user_id out_of_range"},
    {"user_id", "18446744073709551617", "#/user_id out_of_range"},  // 2^64 + 1
    {"user_id", "1e19", "#/user_id out_of_range"},
    {"user_id", "1e400", "#/user_id out_of_range"},
    {"user_id", "1e99999999999999999999", "#/user_id out_of_range"},
    {"user_id", "1.5", "#/user_id not_an_integer"},
    {"user_id", "-1.5", "#/user_id not_an_integer"},
    {"user_id", "1e-1", "#/user_id not_an_integer"},
    {"user_id", "1e-99999999999999999999", "#/user_id not_an_integer"},
    {"user_id", "9223372036854775806.5", "#/user_id not_an_integer"},
    {"user_id", "1.00000000000000000000000000001", "#/user_id not_an_integer"},
    {"user_id", "12345678901234567890.5", "#/user_id not_an_integer"},
    {"item_ids", "[9223372036854775807,1.0,1e3]", "ok"},
    {"item_ids", "[1,9223372036854775808]", "#/item_ids/1 out_of_range"},
    {"item_ids", "[0,1,1.5]", "#/item_ids/0 out_of_range, #/item_ids/2 not_an_integer"},
};

constexpr field_case type_cases[] = {
    {"user_id", R"("1")", "#/user_id wrong_type"},
    {"user_id", "true", "#/user_id wrong_type"},
    {"user_id", "null", "#/user_id wrong_type"},
    {"user_id", "[1]", "#/user_id wrong_type"},
    {"user_id", R"({"a":1})", "#/user_id wrong_type"},
    {"item_ids", "1", "#/item_ids wrong_type"},
    {"item_ids", "null", "#/item_ids wrong_type"},
    {"item_ids", R"({"0":1})", "#/item_ids wrong_type"},
    {"item_ids", "[]", "#/item_ids too_few_items"},
    {"item_ids", "[ ]", "#/item_ids too_few_items"},
    {"item_ids", R"([1,"2",null,[3],{}])",
     "#/item_ids/1 wrong_type, #/item_ids/2 wrong_type, #/item_ids/3 wrong_type, "
     "#/item_ids/4 wrong_type"},
    {"item_ids", "[7,7,7]", "ok"},
    {"total_amount", R"("1.00")", "ok"},
    {"total_amount", R"("\u0031.00")", "ok"},
    {"total_amount", R"("")", "#/total_amount wrong_type"},
    {"total_amount", R"("1,00")", "#/total_amount wrong_type"},
    {"total_amount", R"(" 1.00")", "#/total_amount wrong_type"},
    {"total_amount", R"("1.00\u0000")", "#/total_amount wrong_type"},
    {"total_amount", R"("USD 1")", "#/total_amount wrong_type"},
    {"total_amount", R"("1.001")", "#/total_amount too_many_decimals"},
    {"total_amount", "null", "#/total_amount wrong_type"},
    {"total_amount", "[1]", "#/total_amount wrong_type"},
    {"currency", "null", "ok"},
    {"currency", "840", "#/currency wrong_type"},
    {"currency", R"("usd")", "ok"},
    {"currency", R"("hrk")", "ok"},
    {"currency", R"("uS")", "#/currency unknown_currency"},
    {"currency", R"("")", "#/currency unknown_currency"},
    {"currency", R"("USDX")", "#/currency unknown_currency"},
    {"currency", R"("XQZ")", "#/currency unknown_currency"},
    {"currency", R"("\u0055SD")", "ok"},
    {"metadata", "null", "ok"},
    {"metadata", "[]", "ok"},
    {"metadata", "[ ]", "ok"},
    {"metadata", "[{}]", "#/metadata wrong_type"},
    {"metadata", "[1,2]", "#/metadata wrong_type"},
    {"metadata", R"("{}")", "#/metadata wrong_type"},
    {"metadata", "{}", "ok"},
    {"order_id", "null", "ok"},
    {"order_id", "7", "#/order_id wrong_type"},
    {"order_id", R"("A")", "ok"},
    {"order_id", R"("a.b_c:d-e")", "ok"},
    {"order_id", R"("\u0041")", "ok"},
    {"order_id", R"("")", "#/order_id invalid_order_id"},
    {"order_id", R"("-a")", "#/order_id invalid_order_id"},
    {"order_id", R"("a b")", "#/order_id invalid_order_id"},
    {"order_id", R"("a\u0000")", "#/order_id invalid_order_id"},
    {"order_id", R"("batch")", "#/order_id invalid_order_id"},
    {"order_id", R"("status")", "#/order_id invalid_order_id"},
    {"id", "1", "#/id unknown_field"},
    {"status", R"("PENDING")", "#/status unknown_field"},
    {"version", "1", "#/version unknown_field"},
    {"created_at", "null", "#/created_at unknown_field"},
    {"User_Id", "1", "#/User_Id unknown_field"},
    {"", "{}", "#/ unknown_field"},
    {"a/b~c", "1", "#/a~1b~0c unknown_field"},
    {"a b%", "1", "#/a%20b%25 unknown_field"},
    {"\xC3\xA9", "1", "#/%C3%A9 unknown_field"},
    {R"(\u00e9\"#\n)", "1", "#/%C3%A9%22%23%0A unknown_field"},
    {R"(\ud83d\ude00)", "1", "#/%F0%9F%98%80 unknown_field"},
};

struct amount_case {
    std::string_view amount;
    std::string_view currency;  // the text of the value; empty: none
    std::string_view expected;  // as money is written, or the errors

    friend std::ostream& operator<<(std::ostream& out, const amount_case& it) {
        return out << it.amount << " " << it.currency;
    }
};

constexpr amount_case amount_cases[] = {
    {"149.99", "", "149.99"},
    {"149.990", "", "149.99"},
    {"1.4999e2", "", "149.99"},
    {"14999E-2", "", "149.99"},
    {"149.9", "", "149.90"},
    {"0", "", "0.00"},
    {"-0", "", "0.00"},
    {"-0.0e5", "", "0.00"},
    {"0.01", "", "0.01"},
    {"90071992547409.91", "", "90071992547409.91"},
    {"90071992547409.92", "", "#/total_amount too_large"},
    {"0.001", "", "#/total_amount too_many_decimals"},
    {"149.99000000000001", "", "149.99"},
    {"0.30000000000000004", "", "0.30"},
    {"149.990001", "", "#/total_amount too_many_decimals"},
    {"149.991", "", "#/total_amount too_many_decimals"},
    {R"("149.99000000000001")", "", "149.99"},
    {R"("149.99")", "", "149.99"},
    {R"("150")", R"("jpy")", "150"},
    {"1e-99999999999999999999", "", "0.00"},
    {"-0.01", "", "#/total_amount negative"},
    {"-1e400", "", "#/total_amount negative"},
    {"1e18", "", "#/total_amount too_large"},
    {"1e19", "", "#/total_amount too_large"},
    {"1e400", "", "#/total_amount too_large"},
    {"1e99999999999999999999", "", "#/total_amount too_large"},
    {"150", R"("JPY")", "150"},
    {"9007199254740991", R"("JPY")", "9007199254740991"},
    {"1.5", R"("JPY")", "#/total_amount too_many_decimals"},
    {"1.234", R"("KWD")", "1.234"},
    {"1.2345", R"("KWD")", "#/total_amount too_many_decimals"},
    {"1.5", R"("eur")", "1.50"},
    {"1.5", "null", "1.50"},
    {"1.5", R"("eux")", "#/currency unknown_currency"},
    {"1.23456789", "1", "#/currency wrong_type"},
    {"9007199254740991", "1", "#/currency wrong_type"},
    {"9007199254740992", "1", "#/total_amount too_large, #/currency wrong_type"},
    {"-1", R"("eux")", "#/total_amount negative, #/currency unknown_currency"},
};

std::string join(std::size_t count, std::string_view item) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out.append(i == 0 ? "" : ",").append(item);
    return out;
}

}  // namespace

BOOST_DATA_TEST_CASE(integers_are_judged_by_value, data::make(integer_cases), it) {
    BOOST_TEST(judgement(body_with(it.name, it.value)) == it.expected);
}

BOOST_DATA_TEST_CASE(each_field_has_its_type_and_bounds, data::make(type_cases), it) {
    BOOST_TEST(judgement(body_with(it.name, it.value)) == it.expected);
}

// The currency decides on the amount from before it and from behind it.
BOOST_DATA_TEST_CASE(amounts_are_exact_in_their_currency, data::make(amount_cases), it) {
    const std::string rest = R"("user_id":1,"item_ids":[1])";
    const std::string amount = ",\"total_amount\":" + std::string(it.amount);
    const std::string currency =
        it.currency.empty() ? "" : ",\"currency\":" + std::string(it.currency);

    const parsed_order behind = parse_order("{" + rest + amount + currency + "}");
    BOOST_TEST((behind.ok() ? to_string(behind.value.total_amount) : judgement(behind)) ==
               it.expected);

    const parsed_order before = parse_order("{" + rest + currency + amount + "}");
    BOOST_TEST(before.errors.size() == behind.errors.size());
    BOOST_TEST((before.value.total_amount == behind.value.total_amount));
    if (before.errors.size() > 1) {
        BOOST_TEST(before.errors[0].pointer == behind.errors[1].pointer);
        BOOST_TEST(before.errors[1].pointer == behind.errors[0].pointer);
    }
}

BOOST_AUTO_TEST_CASE(numbers_of_any_length_are_judged_by_value) {
    const std::string zeros(400, '0');
    BOOST_TEST(judgement(body_with("user_id", "1" + zeros + "e-400")) == "ok");
    BOOST_TEST(judgement(body_with("user_id", "0." + zeros + "1e401")) == "ok");
    BOOST_TEST(judgement(body_with("user_id", "1" + zeros)) == "#/user_id out_of_range");
    BOOST_TEST(judgement(body_with("user_id", "1." + zeros + "1")) == "#/user_id not_an_integer");
    BOOST_TEST(judgement(body_with("total_amount", "1" + zeros + "e-400")) == "ok");
}

BOOST_AUTO_TEST_CASE(order_ids_have_at_most_64_characters) {
    const auto id = [](std::size_t size) { return "\"" + std::string(size, 'a') + "\""; };
    BOOST_TEST(judgement(body_with("order_id", id(64))) == "ok");
    BOOST_TEST(judgement(body_with("order_id", id(65))) == "#/order_id invalid_order_id");
}

BOOST_AUTO_TEST_CASE(every_field_arrives) {
    const parsed_order it = parse_order(standard);
    BOOST_TEST(judgement(it) == "ok");
    BOOST_TEST(it.value.id.view() == "ORD-A8F64D2E");
    BOOST_TEST(it.value.user == "123");
    BOOST_TEST(it.value.item_ids == (std::vector<std::int64_t>{1001, 1002, 1003}),
               boost::test_tools::per_element());
    BOOST_TEST((it.value.total_amount == money{14999, "USD"}));
    BOOST_TEST(it.value.metadata == R"({"gift":"yes \u00e9"})");
}

BOOST_AUTO_TEST_CASE(integers_keep_their_value) {
    const parsed_order it = parse_order(
        R"({"user_id":9.223372036854775807e18,"total_amount":1,)"
        R"("item_ids":[1e3,50e-1,0.1e1,9223372036854775806.0,12000,1000000000000000000e0]})");
    BOOST_TEST(it.value.user == "9223372036854775807");
    BOOST_TEST(it.value.item_ids == (std::vector<std::int64_t>{1000, 5, 1, 9223372036854775806,
                                                               12000, 1000000000000000000}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_may_be_absent_has_defaults) {
    const parsed_order it = parse_order(R"({"user_id":1,"item_ids":[2],"total_amount":3})");
    BOOST_TEST(judgement(it) == "ok");
    order_draft expected;
    expected.user = "1";
    expected.item_ids = {2};
    expected.total_amount = {300, "USD"};
    BOOST_TEST((it.value == expected));
    BOOST_TEST(it.value.id.empty());
    BOOST_TEST(it.value.metadata == "{}");
}

BOOST_AUTO_TEST_CASE(all_errors_come_at_once_in_order) {
    BOOST_TEST(judgement(R"({"color":1,"total_amount":0.001,"item_ids":[1,0,"x"],"status":"NEW",)"
                         R"("currency":"EUR","order_id":"batch","metadata":7})") ==
               "#/color unknown_field, #/total_amount too_many_decimals, "
               "#/item_ids/1 out_of_range, #/item_ids/2 wrong_type, #/status unknown_field, "
               "#/order_id invalid_order_id, #/metadata wrong_type, #/user_id required");
    BOOST_TEST(judgement("{}") ==
               "#/user_id required, #/item_ids required, #/total_amount required");
    BOOST_TEST(judgement(R"({"item_ids":null})") ==
               "#/item_ids wrong_type, #/user_id required, #/total_amount required");
}

BOOST_AUTO_TEST_CASE(details_say_what_to_do) {
    const auto detail = [](std::string_view name, std::string_view value) {
        return parse_order(body_with(name, value)).errors.at(0).detail;
    };
    BOOST_TEST(detail("user_id", "null") == "must be a number, not null");
    BOOST_TEST(detail("metadata", "[1]") == "must be an object, not an array");
    BOOST_TEST(detail("total_amount", "1.234") ==
               "must have at most 2 decimals in USD, as 14.99 has: round it before you send it");
    BOOST_TEST(detail("total_amount", R"("1,23")") ==
               R"(must be an amount, as a number (149.99) or a string ("149.99"))");
    BOOST_TEST(detail("status", "1") == "is set by the server alone");
    BOOST_TEST(detail("colour", "1") == "is not a field of an order");
}

BOOST_AUTO_TEST_CASE(the_whole_must_be_an_object) {
    for (const char* text : {"1", "null", "true", "\"x\"", "[]", "[{\"a\":[1]}]", " 1e400 "}) {
        BOOST_TEST(judgement(text) == "# wrong_type", text);
    }
    BOOST_TEST(judgement("[1,") == "syntax 1:4");
    BOOST_TEST(judgement("1 2") == "syntax 1:3");
}

BOOST_AUTO_TEST_CASE(metadata_is_kept_byte_for_byte) {
    for (const std::string text :
         {R"({})", R"({ })", R"({"b":1.50,"a":1e308,"\u0061b":"\/\ud83d\ude00"})",
          R"({"x":1e-999,"y":-0,"z":[{"metadata":{}}]})", "{\n\t\"a\":\r\n null}",
          "{\"\xC3\xA9\":\"}{][\\\"\"}"}) {
        const parsed_order it = parse_order(body_with("metadata", text + " "));
        BOOST_TEST(judgement(it) == "ok", text);
        BOOST_TEST(it.value.metadata == text);
    }
}

BOOST_AUTO_TEST_CASE(metadata_is_bounded) {
    const auto metadata = [](std::size_t size) {
        return "{\"a\":\"" + std::string(size - 8, 'x') + "\"}";
    };
    const std::string fits = metadata(order::metadata_size_max);
    BOOST_TEST(fits.size() == order::metadata_size_max);
    BOOST_TEST(parse_order(body_with("metadata", fits)).value.metadata == fits);
    BOOST_TEST(judgement(body_with("metadata", metadata(order::metadata_size_max + 1))) ==
               "#/metadata too_large");
    BOOST_TEST(judgement(body_with("metadata", fits + "   ")) == "ok");
}

// Python takes no integer of more than 4,300 digits, JavaScript makes infinity of 1e400, Java takes
// no exponent beyond 32 bits, and PostgreSQL no U+0000.
BOOST_AUTO_TEST_CASE(metadata_can_be_read_by_all) {
    const std::string digits(128, '7');
    for (const std::string good :
         {R"({"a":1.7976931348623157e308,"b":-1.7976931348623157E+308,"c":5e-324,"d":1e-999})",
          R"({"a":0e999,"b":0.0000,"c":-0,"d":12345678901234567890123456789})",
          R"({"a":"\u0001\u001f\u007f\ud83d\ude00","\u0061\n":[true,false,null]})"}) {
        BOOST_TEST(judgement(body_with("metadata", good)) == "ok", good);
    }
    BOOST_TEST(judgement(body_with("metadata", "{\"a\":" + digits + "}")) == "ok");
    const std::pair<std::string, std::string> bad[] = {
        {"{\"a\":" + digits + "7}", "#/metadata/a unsupported_number"},
        {R"({"a":1e309})", "#/metadata/a unsupported_number"},
        {R"({"a":-1.8e308})", "#/metadata/a unsupported_number"},
        {R"({"a":1e1000})", "#/metadata/a unsupported_number"},
        {R"({"a":0e1000})", "#/metadata/a unsupported_number"},
        {R"({"a":1e-1000})", "#/metadata/a unsupported_number"},
        {R"({"a":1e999999999})", "#/metadata/a unsupported_number"},
        {R"({"a b":[{"x":1},{"y":[0,[1e400]]}]})", "#/metadata/a%20b/1/y/1/0 unsupported_number"},
        {R"({"a":"x\u0000"})", "#/metadata/a unsupported_character"},
        {R"({"a":["x",{"~/":"\u0000"}]})", "#/metadata/a/1/~0~1 unsupported_character"},
        {R"({"a":{"b\u0000":1}})", "#/metadata/a unsupported_character"},
        {R"({"\u0000":1})", "#/metadata unsupported_character"},
    };
    for (const auto& [text, expected] : bad) {
        BOOST_TEST(judgement(body_with("metadata", text)) == expected, text);
    }
    // Elsewhere a number is judged by its value, whatever it looks like.
    BOOST_TEST(judgement(body_with("user_id", "1" + std::string(200, '0') + "e-200")) == "ok");
}

BOOST_AUTO_TEST_CASE(transitions) {
    BOOST_TEST(parse_transition(R"({"event":"cancel","reason":null})").ok());
    const auto nul = parse_transition(R"({"event":"cancel","reason":"a\u0000b"})");
    BOOST_REQUIRE(nul.errors.size() == 1U);
    BOOST_TEST(nul.errors[0].pointer == "#/reason");
    BOOST_TEST(nul.errors[0].code == "unsupported_character");
    BOOST_TEST(!parse_transition(R"({"event":null})").ok());
}

BOOST_AUTO_TEST_CASE(items_are_bounded) {
    const auto items = [](std::size_t count, std::string_view item) {
        return body_with("item_ids", "[" + join(count, item) + "]");
    };
    BOOST_TEST(parse_order(items(1000, "7")).value.item_ids.size() == 1000);
    BOOST_TEST(judgement(items(1000, "7")) == "ok");
    BOOST_TEST(judgement(items(1001, "7")) == "#/item_ids too_many_items");
    BOOST_TEST(judgement(items(50'000, "7")) == "#/item_ids too_many_items");
    BOOST_TEST(judgement(body_with("item_ids", "[0," + join(999, "1") + ",0,0]")) ==
               "#/item_ids too_many_items, #/item_ids/0 out_of_range");
    BOOST_TEST(
        judgement(body_with("item_ids", "[" + join(1000, "1") + ",!]")).starts_with("syntax"));
}

BOOST_AUTO_TEST_CASE(errors_are_bounded) {
    const parsed_order items =
        parse_order("{\"total_amount\":-1,\"item_ids\":[" + join(1001, "0") + "]}");
    BOOST_TEST(items.errors.size() == parsed_order::errors_max);
    BOOST_TEST(items.errors[0].pointer == "#/total_amount");
    BOOST_TEST(items.errors[1].code == "too_many_items");
    BOOST_TEST(items.errors[2].pointer == "#/item_ids/0");
    BOOST_TEST(items.errors[99].pointer == "#/item_ids/97");

    const parsed_order late =
        parse_order("{\"item_ids\":[" + join(1000, "0") + "],\"total_amount\":-1}");
    BOOST_TEST(late.errors.size() == parsed_order::errors_max);
    BOOST_TEST(late.errors[99].pointer == "#/item_ids/99");
    BOOST_TEST(!late.ok());
}

BOOST_AUTO_TEST_CASE(what_is_written_can_be_read) {
    order it;
    it.id = order_id::parse("A.b_c:d-9").value();
    it.user = "9223372036854775807";
    it.item_ids = {1, 1, 9223372036854775807};
    it.total_amount = {money::minor_units_max, "KWD"};
    it.metadata = R"({"a":[1.50,"\u00e9"]})";
    it.status = "PENDING";
    const std::string json = to_json(it);

    // Without the server's fields it is the body of a create.
    const std::size_t from = json.find("\"order_id\"");
    const std::size_t until = json.find(",\"status\"");
    const parsed_order back = parse_order("{" + json.substr(from, until - from) + "}");
    BOOST_TEST(judgement(back) == "ok");
    order expected = it;
    expected.status = {};
    BOOST_TEST((back.value == expected));

    BOOST_TEST(judgement(json) ==
               "#/id unknown_field, #/status unknown_field, #/version unknown_field, "
               "#/attempts unknown_field, #/next_attempt_at unknown_field, "
               "#/last_error unknown_field, #/created_at unknown_field, "
               "#/updated_at unknown_field");
}
