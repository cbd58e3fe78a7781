#include "text/terminal_text.hpp"

#include <boost/json.hpp>
#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace orderproc::server;
using namespace std::string_literals;
namespace data = boost::unit_test::data;

namespace {

struct row {
    std::string text;
    std::string shown;    // to people
    std::string in_json;  // within a string, to programs
};
std::ostream& operator<<(std::ostream& out, const row& it) {
    return out << it.shown;
}

const std::vector<row> rows{
    {"", "", ""},
    {"plain", "plain", "plain"},
    {"grün → ¥ 😀", "grün → ¥ 😀", "grün → ¥ 😀"},
    {"\x1b[31mred", "\\x1b[31mred", "\\u001b[31mred"},
    {"a\nb\tc\r", "a\\x0ab\\x09c\\x0d", "a\\u000ab\\u0009c\\u000d"},
    {"\0"s, "\\x00", "\\u0000"},
    {"\x01\x1f", "\\x01\\x1f", "\\u0001\\u001f"},
    {"\x7f", "\\x7f", "\\u007f"},
    {"\u0080\u009b2J\u009f", "\\x80\\x9b2J\\x9f", "\\u0080\\u009b2J\\u009f"},
    {"\u00a0", "\u00a0", "\u00a0"},  // only a space
    {"\u061c", "\\u061c", "\\u061c"},
    {"\u200d\u200e\u200f\u2010", "\u200d\\u200e\\u200f\u2010", "\u200d\\u200e\\u200f\u2010"},
    {"\u2027\u2028\u2029", "\u2027\\u2028\\u2029", "\u2027\\u2028\\u2029"},
    {"\u202a\u202b\u202c\u202d\u202e\u202f", "\\u202a\\u202b\\u202c\\u202d\\u202e\u202f",
     "\\u202a\\u202b\\u202c\\u202d\\u202e\u202f"},
    {"\u2065\u2066\u2067\u2068\u2069", "\u2065\\u2066\\u2067\\u2068\\u2069",
     "\u2065\\u2066\\u2067\\u2068\\u2069"},
    {"\u206a\u206f\u2070", "\\u206a\\u206f\u2070", "\\u206a\\u206f\u2070"},
    // Not UTF-8: alone, cut off, overlong, a surrogate, beyond U+10FFFF.
    {"\x9b"s, "\\x9b", "\\ufffd"},
    {"\xff\xfe"s, "\\xff\\xfe", "\\ufffd\\ufffd"},
    {"a\xc2"s, "a\\xc2", "a\\ufffd"},
    {"\xc2z"s, "\\xc2z", "\\ufffdz"},
    {"\xe2\x80"s, "\\xe2\\x80", "\\ufffd\\ufffd"},
    {"\xc0\x9b"s, "\\xc0\\x9b", "\\ufffd\\ufffd"},
    {"\xe0\x80\x9b"s, "\\xe0\\x80\\x9b", "\\ufffd\\ufffd\\ufffd"},
    {"\xed\xa0\x80"s, "\\xed\\xa0\\x80", "\\ufffd\\ufffd\\ufffd"},
    {"\xf4\x90\x80\x80"s, "\\xf4\\x90\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
    {"\xf8\x88\x80\x80\x80"s, "\\xf8\\x88\\x80\\x80\\x80", "\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"},
};

}  // namespace

BOOST_DATA_TEST_CASE(what_commands_a_terminal_is_shown_as_text, data::make(rows), it) {
    BOOST_TEST(printable(it.text) == it.shown);
}

BOOST_DATA_TEST_CASE(json_is_safe_and_says_the_same, data::make(rows), it) {
    const std::string safe = printable_json("{\"a\":\"" + it.text + "\"}");
    BOOST_TEST(safe == "{\"a\":\"" + it.in_json + "\"}");
    BOOST_TEST(boost::json::parse(safe).is_object());  // whatever it was before
    BOOST_TEST(printable_json(safe) == safe);
}

BOOST_AUTO_TEST_CASE(json_stays_on_one_line) {
    BOOST_TEST(printable_json("{\r\n\t\"a\\\"\n\": [1,\n2]\n}") ==
               "{   \"a\\\"\\u000a\": [1, 2] }");
    BOOST_TEST(printable_json("[\"a\\\\\",\n\"b\\\\\\\"\",\n1]") ==
               "[\"a\\\\\", \"b\\\\\\\"\", 1]");
    BOOST_TEST(printable_json("\x1b[31m") == "\\u001b[31m");  // no JSON, and safe all the same
}
