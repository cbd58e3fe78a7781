#ifndef ORDERPROC_TESTS_UNIT_ORDER_MODEL_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_ORDER_MODEL_FIXTURE_HPP

// Models and orders of which each test changes one thing.

#include <orderproc/order_model.hpp>
#include <orderproc/testing/builders.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::tests {

using orderproc::testing::order_builder;
using namespace std::chrono_literals;

inline constexpr timestamp noon{1'780'000'000'000ms};

// A rule that each test changes one thing of.
inline attribute_rule rule(std::string name, attribute_type type = attribute_type::text) {
    return {std::move(name), type};
}

inline attribute_rule indexed(attribute_rule it, attribute_unique unique = attribute_unique::no) {
    it.indexed = true;
    it.unique = unique;
    if (it.type == attribute_type::text) it.size_max = 64;
    return it;
}

inline order_rules with(std::vector<attribute_rule> attributes) {
    order_rules out;
    out.attributes = std::move(attributes);
    return out;
}

inline order_model built(order_rules rules) {
    return order_model::build(std::move(rules)).value();
}

inline std::string refusal(order_rules rules) {
    auto it = order_model::build(std::move(rules));
    if (it) return "accepted";
    BOOST_TEST(it.error().code == make_error_code(errc::invalid_argument));
    return it.error().detail;
}

inline std::string judged(const order_model& model, const order_content& it) {
    auto ok = model.validate(it);
    if (ok) return "accepted";
    BOOST_TEST(ok.error().code == make_error_code(errc::invalid_argument));
    return ok.error().detail;
}

inline order_builder an_order() {
    return order_builder{};
}

// An order of lines: 2 of "A" at 5.00 and 1 of "B" at 0.99.
inline order_builder with_lines(std::string_view total = "10.99") {
    return order_builder{}
        .lines({{"A", 2, amount{500}, "Apple"}, {"B", 1, amount{99}, ""}})
        .total(total);
}

inline order_rules lines_and_total() {
    order_rules out =
        with({rule("discount", attribute_type::amount), rule("tax", attribute_type::amount)});
    out.items = items_form::lines;
    out.total = total_rule{{"tax"}, {"discount"}};
    return out;
}

}  // namespace orderproc::tests

#endif
