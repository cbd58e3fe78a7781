#include <orderproc/error.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>
#include <utility>

using namespace orderproc;

namespace {

constexpr int first = static_cast<int>(errc::invalid_argument);
constexpr int last = static_cast<int>(errc::corrupt);

result<int> half(int value) {
    if (value % 2 != 0) return failure{errc::invalid_argument, "odd"};
    return value / 2;
}

result<std::string> half_text(int value) {
    auto half_value = half(value);
    if (!half_value) return std::move(half_value).error();
    return std::to_string(*half_value);
}

}  // namespace

BOOST_AUTO_TEST_CASE(zero_is_success_and_no_errc) {
    BOOST_TEST(first == 1);
    BOOST_TEST(orderproc_category().message(0) == "unknown error");
    BOOST_TEST(orderproc_category().message(last + 1) == "unknown error");
    BOOST_TEST(orderproc_category().message(-1) == "unknown error");
}

BOOST_AUTO_TEST_CASE(every_errc_is_a_failure_with_words_of_its_own) {
    std::set<std::string> words{"unknown error"};
    for (int value = first; value <= last; ++value) {
        const error_code code = static_cast<errc>(value);
        BOOST_TEST(code.failed());
        BOOST_TEST(code.value() == value);
        BOOST_TEST((code.category() == orderproc_category()));
        BOOST_TEST(words.insert(code.message()).second, code.message());
        // Brokers use them as well.
        BOOST_TEST(code.message().find("storage") == std::string::npos, code.message());
    }
}

BOOST_AUTO_TEST_CASE(codes_belong_to_their_category) {
    BOOST_TEST(orderproc_category().name() == std::string("orderproc"));
    const error_code code = errc::not_found;
    BOOST_TEST((code == errc::not_found));
    BOOST_TEST((code != errc::already_exists));
    BOOST_TEST((code != error_code(code.value(), boost::system::generic_category())));
    BOOST_TEST(code.message() == "not found");
}

BOOST_AUTO_TEST_CASE(messages_put_the_detail_first) {
    BOOST_TEST(failure(errc::not_found).message() == "not found");
    BOOST_TEST(failure(errc::not_found, "order ORD-1").message() == "order ORD-1: not found");
    BOOST_TEST(!failure().code.failed());
}

BOOST_AUTO_TEST_CASE(results_carry_values_or_failures) {
    BOOST_TEST(half(4).value() == 2);
    BOOST_TEST(half_text(4).value() == "2");
    const auto refused = half_text(3);
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST((refused.error().code == errc::invalid_argument));
    BOOST_TEST(refused.error().detail == "odd");
}

BOOST_AUTO_TEST_CASE(value_throws_for_those_who_prefer_it) {
    BOOST_CHECK_EXCEPTION(half(3).value(), boost::system::system_error, [](const auto& e) {
        return e.code() == errc::invalid_argument && std::string(e.what()).starts_with("odd");
    });
    const result<void> bare = errc::stopped;
    BOOST_CHECK_EXCEPTION(bare.value(), boost::system::system_error,
                          [](const auto& e) { return e.code() == errc::stopped; });
}
