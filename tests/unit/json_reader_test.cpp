#include "core/json_reader.hpp"

#include <orderproc/json.hpp>

#include <boost/json/parse.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <iterator>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

using namespace orderproc;
using namespace std::string_view_literals;
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

std::string join(std::size_t count, std::string_view item) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out.append(i == 0 ? "" : ",").append(item);
    return out;
}

std::string nested(int depth) {
    std::string out;
    for (int i = 0; i < depth; ++i) out += i % 2 == 0 ? R"({"a":)" : "[";
    out += "1";
    for (int i = depth; i-- > 0;) out += i % 2 == 0 ? "}" : "]";
    return out;
}

struct syntax_case {
    std::string_view text;
    std::string_view expected;
    bool boost_takes_it = false;  // our limits, not RFC 8259's

    friend std::ostream& operator<<(std::ostream& out, const syntax_case& it) {
        return out << it.expected << " " << it.text.substr(0, 60);
    }
};

constexpr syntax_case syntax_cases[] = {
    {"", "syntax 1:1"},
    {" ", "syntax 1:2"},
    {"\n\n  ", "syntax 3:3"},
    {"\xEF\xBB\xBF{}", "syntax 1:1"},
    {"\xFF\xFE{\0}\0"sv, "syntax 1:1"},
    {"\0"sv, "syntax 1:1"},
    {"{}\0"sv, "syntax 1:3"},
    {"{} {}", "syntax 1:4"},
    {"{}x", "syntax 1:3"},
    {"{},", "syntax 1:3"},
    {"}", "syntax 1:1"},
    {"]", "syntax 1:1"},
    {"{", "syntax 1:2"},
    {"[", "syntax 1:2"},
    {"[1", "syntax 1:3"},
    {"[1,", "syntax 1:4"},
    {"[1,]", "syntax 1:4"},
    {"[,1]", "syntax 1:2"},
    {"[1,,2]", "syntax 1:4"},
    {"[1 2]", "syntax 1:4"},
    {"[1}", "syntax 1:3"},
    {R"({"a":1])", "syntax 1:7"},
    {R"({"a":1,})", "syntax 1:8"},
    {R"({,"a":1})", "syntax 1:2"},
    {R"({"a" 1})", "syntax 1:6"},
    {R"({"a"})", "syntax 1:5"},
    {R"({"a":})", "syntax 1:6"},
    {R"({"a"::1})", "syntax 1:6"},
    {R"({a:1})", "syntax 1:2"},
    {R"({'a':1})", "syntax 1:2"},
    {R"({1:1})", "syntax 1:2"},
    {R"({"a":1 "b":2})", "syntax 1:8"},
    {"{\"a\":1,\r\n \"b\":!}", "syntax 2:6"},
    {"NaN", "syntax 1:1"},
    {"[NaN]", "syntax 1:2"},
    {"[Infinity]", "syntax 1:2"},
    {"[-Infinity]", "syntax 1:3"},
    {"[nul]", "syntax 1:2"},
    {"[nulll]", "syntax 1:6"},
    {"[tru", "syntax 1:2"},
    {"[True]", "syntax 1:2"},
    {"[fals]", "syntax 1:2"},
    {"[01]", "syntax 1:2"},
    {"[-01]", "syntax 1:3"},
    {"[00]", "syntax 1:2"},
    {"[-]", "syntax 1:3"},
    {"[+1]", "syntax 1:2"},
    {"[.5]", "syntax 1:2"},
    {"[1.]", "syntax 1:4"},
    {"[1.e5]", "syntax 1:4"},
    {"[1e]", "syntax 1:4"},
    {"[1e+]", "syntax 1:5"},
    {"[1e1.5]", "syntax 1:5"},
    {"[0x10]", "syntax 1:3"},
    {"[1_000]", "syntax 1:3"},
    {"[1-2]", "syntax 1:3"},
    {"// no\n{}", "syntax 1:1"},
    {"{}/* no */", "syntax 1:3"},
    {"[1,# no\n2]", "syntax 1:4"},
    {"['a']", "syntax 1:2"},
    {R"(["a)", "syntax 1:4"},
    {R"(["a\"])", "syntax 1:7"},
    {"[\"\n\"]", "syntax 1:3"},
    {"[\"\t\"]", "syntax 1:3"},
    {"[\"\0\"]"sv, "syntax 1:3"},
    {"[\"\x1f\"]", "syntax 1:3"},
    {R"(["\x41"])", "syntax 1:3"},
    {R"(["\'"])", "syntax 1:3"},
    {"[\"\\\0\"]"sv, "syntax 1:3"},
    {R"(["\u12g4"])", "syntax 1:7"},
    {R"(["\u"])", "syntax 1:5"},
    {R"(["\U0041"])", "syntax 1:3"},
    {R"(["\ud800"])", "syntax 1:3"},
    {R"(["\ud800x"])", "syntax 1:3"},
    {R"(["\ud800\n"])", "syntax 1:3"},
    {R"(["\udc00"])", "syntax 1:3"},
    {R"(["\udc00\ud800"])", "syntax 1:3"},
    {R"(["\ud800\ud800"])", "syntax 1:3"},
    {R"(["\ud800\u0041"])", "syntax 1:3"},
    {R"({"\ud800":1})", "syntax 1:3"},
    {"[\"\x80\"]", "syntax 1:3"},
    {"[\"\xC3\"]", "syntax 1:3"},
    {"[\"\xC0\xAF\"]", "syntax 1:3"},
    {"[\"\xE0\x80\xAF\"]", "syntax 1:3"},
    {"[\"\xED\xA0\x80\"]", "syntax 1:3"},
    {"[\"\xF4\x90\x80\x80\"]", "syntax 1:3"},
    {"[\"\xF8\x88\x80\x80\x80\"]", "syntax 1:3"},
    {"[\"ok\",\"\xFF\"]", "syntax 1:8"},
    {"{\"\xFF\":1}", "syntax 1:3"},
    {"[\xC2\xA0]", "syntax 1:2"},  // a no-break space is no space
    {"[\f]", "syntax 1:2"},
    {R"({"a":1,"a":1})", "syntax 1:8", true},
    {R"({"user_id":1,"user_id":1})", "syntax 1:14", true},
    {R"({"a":1,"\u0061":1})", "syntax 1:8", true},
    {R"({"\u00e9":1,"é":1})", "syntax 1:13", true},
    {R"({"":1,"":1})", "syntax 1:7", true},
    {R"({"metadata":{"x":{"b":1,"b":2}}})", "syntax 1:25", true},
};

// Whether Boost.JSON takes the text, which is a second opinion on RFC 8259.
bool boost_takes(std::string_view text) {
    boost::json::error_code ec;
    boost::json::parse_options options;
    options.max_depth = 40;
    boost::json::parse(boost::json::string_view(text.data(), text.size()), ec, {}, options);
    return !ec;
}

// The names of one object, the i-th escaped if it is odd.
std::string many_names(int count, std::string_view last) {
    std::string out = "{";
    for (int i = 0; i < count; ++i) {
        out.append(i % 2 == 0 ? "\"n" : "\"\\u006e").append(std::to_string(i)).append("\":0,");
    }
    return out.append(last).append(":0}");
}

}  // namespace

BOOST_DATA_TEST_CASE(what_is_not_json_is_refused_where_it_goes_wrong, data::make(syntax_cases),
                     it) {
    const parsed_order parsed = parse_order(it.text);
    BOOST_TEST(judgement(parsed) == it.expected);
    BOOST_TEST(!parsed.syntax.detail.empty());
    BOOST_TEST(boost_takes(it.text) == it.boost_takes_it);
}

BOOST_AUTO_TEST_CASE(a_syntax_error_comes_alone) {
    const parsed_order it = parse_order(R"({"color":1,"user_id":0})"
                                        "\n}");
    BOOST_TEST(judgement(it) == "syntax 2:1");
    BOOST_TEST(it.errors.empty());
    BOOST_TEST(!it.ok());
}

BOOST_AUTO_TEST_CASE(space_may_stand_between_all_tokens) {
    const parsed_order it = parse_order(
        " \t\r\n{ \"user_id\" : 1 , \"item_ids\" : [ 1 , 2 ] ,\n\"total_amount\" : 1 ,"
        "\"metadata\" : { \"a\" : [ ] } \r\n} \n");
    BOOST_TEST(judgement(it) == "ok");
    BOOST_TEST(it.value.metadata == "{ \"a\" : [ ] }");
}

BOOST_AUTO_TEST_CASE(nesting_up_to_32_is_fine) {
    const auto whole = [](int depth) { return R"({"x":)" + nested(depth - 1) + "}"; };
    BOOST_TEST(judgement(whole(32)).starts_with("#/x unknown_field"));
    BOOST_TEST(parse_order(whole(33)).syntax.detail == "nested deeper than 32");
    BOOST_TEST(judgement(nested(33)) == "syntax 1:97");
    BOOST_TEST(judgement(std::string(100'000, '[')) == "syntax 1:33");
    // Side by side is not deep.
    BOOST_TEST(judgement(body_with("metadata", "{\"a\":[" + join(100, "[[]]") + "]}")) == "ok");
}

BOOST_AUTO_TEST_CASE(items_of_a_list_may_be_as_deep_as_what_stands_alone) {
    const auto list = [](int depth) { return "[" + nested(depth) + "," + nested(depth) + "]"; };
    for (const int depth : {32, 35}) {  // an order, and one in an entry of a page
        const std::string deep = list(depth);
        const json_array items = split_json_array(deep, 3);
        BOOST_REQUIRE(items.items.size() == 2U);
        BOOST_TEST(items.items[1] == nested(depth));
    }
    BOOST_TEST(split_json_array(list(36), 3).syntax.detail == "nested too deep");
}

BOOST_AUTO_TEST_CASE(names_are_told_apart_in_objects_of_any_size) {
    const auto in_metadata = [](const std::string& it) { return "{\"metadata\":" + it + "}"; };
    for (const int count : {1, 15, 16, 17, 18, 100, 1000}) {
        const std::string end = std::to_string(count - 1);
        const std::string unique = many_names(count, "\"n\"");
        BOOST_TEST(judgement(in_metadata(unique)).starts_with("#/user_id required"), count);
        const std::string twice = many_names(count, "\"n" + end + "\"");
        BOOST_TEST(judgement(in_metadata(twice)) ==
                       "syntax 1:" + std::to_string(twice.rfind("\"n" + end) + 13),
                   count);
    }
    // The first one that stands twice is the one that is shown.
    const std::string two = many_names(40, R"("n1":0,"n0":0,"n1")");
    BOOST_TEST(judgement(in_metadata(two)) ==
               "syntax 1:" + std::to_string(two.find("\"n1\":0,\"n0\"") + 13));
    // One object's names do not count in another.
    BOOST_TEST(judgement(body_with("metadata",
                                   R"({"a":{"a":{"a":1},"b":1},"b":[{"a":1},{"a":1}]})")) == "ok");
    // Names that begin alike, or differ only in their escapes' bytes.
    BOOST_TEST(judgement(body_with("metadata",
                                   R"({"a":1,"ab":1,"\u0061c":1,"\\u0061":1,"A":1})")) == "ok");
    // In what is no field of an order nothing is compared.
    BOOST_TEST(judgement(R"({"x":{"a":1,"a":1}})").starts_with("#/x unknown_field"));
    BOOST_TEST(split_json_array(R"([{"a":1},{"b":1,"b":1}])", 3).items.size() == 2U);
}

BOOST_AUTO_TEST_CASE(an_object_has_at_most_4096_names) {
    const auto members = [](int count) {
        std::string out = "{";
        for (int i = 0; i < count; ++i) out.append("\"a").append(std::to_string(i)).append("\":0,");
        out.back() = '}';
        return out;
    };
    BOOST_TEST(judgement(members(4096)).starts_with("#/a0 unknown_field"));
    const parsed_order more = parse_order(members(4097));
    BOOST_TEST(more.syntax.detail == "an object with more than 4096 members");
    BOOST_TEST(judgement(more).starts_with("syntax 1:"));
    // A known field that comes again and again is read once.
    std::string again = "{";
    for (int i = 0; i < 20; ++i) again.append("\"a").append(std::to_string(i)).append("\":0,");
    again.append(R"("user_id":1,"user_id":1,"x")");
    BOOST_TEST(judgement(again) == "syntax 1:" + std::to_string(again.rfind(R"("user_id")") + 1));
}

// What finding repeated names costs: it grows with the names, and ends at the bound for metadata.
BOOST_AUTO_TEST_CASE(the_work_on_names_is_bounded) {
    const auto escaped = [](int count) {
        std::string out = "{";
        for (int i = 0; i < count; ++i) {
            out.append("\"\\u0061\\u0062").append(std::to_string(i)).append("\":0,");
        }
        out.back() = '}';
        return out;
    };
    constexpr std::size_t of_the_first_16 = 16 * 15 / 2;
    for (const int count : {700, 220'000}) {
        const std::string text = escaped(count);
        detail::json_reader from(text);
        const auto kept = from.keep(order::metadata_size_max);
        BOOST_TEST(!from.failed());
        BOOST_TEST(kept.text == text);
        BOOST_TEST(
            (kept.breach == (text.size() > order::metadata_size_max ? detail::json_breach::too_large
                                                                    : detail::json_breach::none)));
        BOOST_TEST(from.comparisons() <= of_the_first_16);
    }
    const std::string text = escaped(220'000);
    detail::json_reader from(text);
    from.skip();
    BOOST_TEST(!from.failed());
    BOOST_TEST(from.comparisons() == 0U);
}

BOOST_AUTO_TEST_CASE(no_part_of_a_body_is_a_body) {
    for (std::size_t size = 0; size < standard.size(); ++size) {
        const std::string part = standard.substr(0, size);  // so that asan sees a byte too far
        const std::vector<char> exact(part.begin(), part.end());
        const parsed_order it = parse_order({exact.data(), exact.size()});
        BOOST_TEST(it.syntax.line == 1);
        BOOST_TEST(it.syntax.column >= 1);
        BOOST_TEST(it.syntax.column <= size + 1);
    }
}

BOOST_AUTO_TEST_CASE(written_strings_are_read_back_as_they_were) {
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (std::size_t i = random() % 12; i > 0; --i) text += static_cast<char>(random() % 256);
        std::string json;
        append_json_string(text, json);
        boost::json::error_code ec;
        const auto value = boost::json::parse(json, ec);
        BOOST_TEST_REQUIRE(!ec.failed());
        const auto once = value.as_string();
        std::string again;
        append_json_string({once.data(), once.size()}, again);
        BOOST_TEST_REQUIRE(again == json);
    }
}

// Mutants of a good body: never a crash, never an order that breaks the rules, and JSON
// exactly where Boost.JSON says so, our own limits apart.
BOOST_AUTO_TEST_CASE(mutants_are_judged_soundly) {
    const std::string_view pieces[] = {"{",     "}",        "[",    "]",       ",",
                                       ":",     "\"",       "\\",   "\\u0061", "\\ud800",
                                       "0",     "9",        "-",    ".",       "e",
                                       "1e400", "null",     "true", " ",       "\n",
                                       "\xC3",  "\xA9",     "\xFF", "\x01",    "JPY",
                                       "a",     "\"a\":1,", "/",    "false",   "\xF0\x9F\x98\x80"};
    std::mt19937 random(20260615);
    int good = 0;
    int json = 0;
    for (int round = 0; round < 60'000; ++round) {
        std::string text = standard;
        for (std::size_t i = 1 + random() % 3; i > 0; --i) {
            const std::size_t where = random() % (text.size() + 1);
            switch (random() % 4) {
                case 0:
                    text.insert(where, pieces[random() % std::size(pieces)]);
                    break;
                case 1:
                    text.erase(where, 1 + random() % 4);
                    break;
                case 2:
                    text.replace(where, 1, 1, static_cast<char>(random() % 256));
                    break;
                default: {
                    const std::string part = text.substr(random() % text.size(), random() % 20);
                    text.insert(where, part);
                }
            }
            if (text.empty()) text = " ";
        }
        const parsed_order it = parse_order(text);
        if (it.ok()) {
            ++good;
            BOOST_TEST_REQUIRE(validate(it.value).has_value(), text);
            BOOST_TEST_REQUIRE(boost_takes(it.value.metadata), text);
        }
        if (it.syntax.line == 0) {
            ++json;
            BOOST_TEST_REQUIRE(boost_takes(text), text);
        } else if (it.syntax.detail != "a name that its object has already") {
            BOOST_TEST_REQUIRE(!boost_takes(text), text);
        }
    }
    BOOST_TEST(good > 1000);
    BOOST_TEST(json > good);
    BOOST_TEST(json < 50'000);
}
