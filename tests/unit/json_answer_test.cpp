// What becomes of an attempt, as JSON.

#include <orderproc/json.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <variant>

using namespace orderproc;
using namespace std::chrono_literals;

namespace {

std::string errors_of(std::string_view text) {
    const parsed_answer read = parse_answer(text);
    std::string out;
    if (read.syntax.line != 0) out = "syntax";
    for (const field_error& it : read.errors) {
        out += (out.empty() ? "" : " ") + it.code + it.pointer;
    }
    return out;
}

template <class Answer>
Answer said(std::string_view text) {
    parsed_answer read = parse_answer(text);
    BOOST_REQUIRE_MESSAGE(read.ok(), text);
    BOOST_REQUIRE(std::holds_alternative<Answer>(read.value));
    return std::get<Answer>(read.value);
}

}  // namespace

BOOST_AUTO_TEST_CASE(each_answer_is_one_member) {
    BOOST_TEST(said<advance>(R"({"advance":{"event":"ship"}})").event == "ship");
    BOOST_TEST(said<advance>(R"({"advance":{}})").event == "");
    BOOST_TEST(said<advance>(R"({"advance":{"event":null}})").event == "");
    const auto later = said<retry_later>(R"({"retry":{"delay_seconds":90,"reason":"no van"}})");
    BOOST_TEST(later.reason == "no van");
    BOOST_TEST((later.delay == 90s));
    const auto bare = said<retry_later>(R"( { "retry" : { "delay_seconds" : null } } )");
    BOOST_TEST(bare.reason == "no reason was given");
    BOOST_TEST(!bare.delay);
    BOOST_TEST((said<retry_later>(R"({"retry":{"delay_seconds":0}})").delay == 0s));
    BOOST_TEST(said<give_up>(R"({"fail":{"reason":"burnt"}})").reason == "burnt");
    BOOST_TEST((said<extend_attempt>(R"({"extend":{"timeout_seconds":3600}})").timeout == 1h));
    BOOST_TEST((said<extend_attempt>(R"({"extend":{"timeout_seconds":6e1}})").timeout == 1min));
    BOOST_TEST((said<extend_attempt>(R"({"extend":{"timeout_seconds":31622400}})").timeout ==
                std::chrono::hours(24 * 366)));
}

BOOST_AUTO_TEST_CASE(what_is_wrong_is_named) {
    const struct {
        std::string text, errors;
    } rows[] = {
        {"", "syntax"},
        {"{", "syntax"},
        {R"({"advance":{},"advance":{}})", "syntax"},
        {R"({"advance":{}} x)", "syntax"},
        {"[]", "wrong_type# required#"},
        {"{}", "required#"},
        {R"({"advance":{},"fail":{"reason":"x"}})", "too_many_items#"},
        {R"({"complete":{}})", "unknown_field#/complete required#"},
        {R"({"advance":"ship"})", "wrong_type#/advance"},
        {R"({"advance":{"event":7}})", "wrong_type#/advance/event"},
        {R"({"advance":{"reason":"x"}})", "unknown_field#/advance/reason"},
        {R"({"advance":{"a/b":1}})", "unknown_field#/advance/a~1b"},
        {R"({"fail":{}})", "required#/fail/reason"},
        {R"({"fail":{"reason":""}})", "required#/fail/reason"},
        {R"({"fail":{"reason":null}})", "required#/fail/reason"},
        {R"({"fail":{"reason":"a\u0000"}})", "unsupported_character#/fail/reason"},
        {R"({"fail":{"reason":")" + std::string(1025, 'x') + "\"}}", "too_large#/fail/reason"},
        {R"({"retry":{"delay_seconds":-1}})", "out_of_range#/retry/delay_seconds"},
        {R"({"retry":{"delay_seconds":"1"}})", "wrong_type#/retry/delay_seconds"},
        {R"({"extend":{}})", "required#/extend/timeout_seconds"},
        {R"({"extend":{"timeout_seconds":null}})", "wrong_type#/extend/timeout_seconds"},
        {R"({"extend":{"timeout_seconds":0}})", "out_of_range#/extend/timeout_seconds"},
        {R"({"extend":{"timeout_seconds":0.5}})", "not_an_integer#/extend/timeout_seconds"},
        {R"({"extend":{"timeout_seconds":31622401}})", "out_of_range#/extend/timeout_seconds"},
        {R"({"extend":{"timeout_seconds":1e400}})", "out_of_range#/extend/timeout_seconds"},
    };
    for (const auto& row : rows) BOOST_TEST(errors_of(row.text) == row.errors, row.text);
}
