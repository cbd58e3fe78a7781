#include <orderproc/json_text.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

namespace {

using namespace orderproc;
using namespace std::string_literals;
namespace data = boost::unit_test::data;

struct string_case {
    std::string text;
    std::string json;

    friend std::ostream& operator<<(std::ostream& out, const string_case& it) {
        return out << it.json;
    }
};

const string_case string_cases[] = {
    {"", R"("")"},
    {"plain text", R"("plain text")"},
    {"\"", R"("\"")"},
    {"\\", R"("\\")"},
    {"/", R"("/")"},
    {"a\"b\\c", R"("a\"b\\c")"},
    {"\b\f\n\r\t", R"("\b\f\n\r\t")"},
    {"\0"s, R"("\u0000")"},
    {"\x01\x0b\x1f", R"("\u0001\u000b\u001f")"},
    {"\x7f", "\"\x7f\""},
    {"\xC3\xA9", "\"\xC3\xA9\""},
    {"\xE2\x80\xA8\xE2\x80\xA9", "\"\xE2\x80\xA8\xE2\x80\xA9\""},  // U+2028, U+2029
    {"\xF0\x9F\x98\x80", "\"\xF0\x9F\x98\x80\""},
    {"\xF4\x8F\xBF\xBF", "\"\xF4\x8F\xBF\xBF\""},  // U+10FFFF
    {"a\xFFz", "\"a\xEF\xBF\xBDz\""},
    {"\x80", "\"\xEF\xBF\xBD\""},
    {"\xC3", "\"\xEF\xBF\xBD\""},
    {"\xC3\"", "\"\xEF\xBF\xBD\\\"\""},
    {"\xC0\xAF", "\"\xEF\xBF\xBD\xEF\xBF\xBD\""},                  // overlong
    {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},  // a surrogate
    {"\xF4\x90\x80\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    {"\xE2\x82z", "\"\xEF\xBF\xBDz\""},  // one for the maximal subpart
    {"\xF0\x9F\x98", "\"\xEF\xBF\xBD\""},
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_was_there_before_stays) {
    std::string out = "data: \n";
    append_json_string("x", out);
    BOOST_TEST(out == "data: \n\"x\"");
}

BOOST_DATA_TEST_CASE(strings_are_escaped, data::make(string_cases), sample_case) {
    std::string out;
    append_json_string(sample_case.text, out);
    BOOST_TEST(out == sample_case.json);
}
