// Index entries of a model, and the models that may follow it.

#include "order_model_fixture.hpp"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

BOOST_AUTO_TEST_SUITE(indexes)

BOOST_AUTO_TEST_CASE(entries_are_those_of_indexed_attributes) {
    order_rules rules = with({indexed(rule("ref"), attribute_unique::everywhere), rule("plain"),
                              indexed(rule("po"), attribute_unique::in_tenant),
                              indexed(rule("weight", attribute_type::integer))});
    rules.tenants = true;
    const order_model it = built(rules);
    const order_content content = an_order()
                                      .tenant("shop")
                                      .attribute("plain", "x")
                                      .attribute("po", "P1")
                                      .attribute("ref", "R1")
                                      .attribute("weight", std::int64_t{3})
                                      .build();
    using namespace std::string_literals;
    const std::vector<index_entry> expected{
        {1, true, "R1"},      {3, false, "P1"},         {4, false, "\x80\0\0\0\0\0\0\3"s},
        {128, false, "shop"}, {131, true, "shop\0P1"s},
    };
    BOOST_TEST((it.index_of(content) == expected));
    const std::vector<index_entry> tenant{{128, false, "shop"}};
    BOOST_TEST((it.index_of(an_order().tenant("shop").build()) == tenant));
    BOOST_TEST(built({}).index_of(an_order().build()).empty());
}

BOOST_AUTO_TEST_CASE(a_tenant_is_an_index_of_its_own) {
    order_rules rules;
    rules.tenants = true;
    BOOST_TEST(built(rules).has_indexes());
    const index_condition of = order_model::of_tenant("shop");
    const index_entry is = built(rules).index_of(an_order().tenant("shop").build()).at(0);
    BOOST_TEST(of.slot == is.slot);
    BOOST_TEST(of.from == is.value);
    BOOST_TEST(of.to == is.value);
}

BOOST_AUTO_TEST_CASE(bytes_sort_as_values_do) {
    const std::vector<std::vector<attribute_value>> ascending{
        {std::int64_t{INT64_MIN}, std::int64_t{-300}, std::int64_t{-1}, std::int64_t{0},
         std::int64_t{1}, std::int64_t{256}, std::int64_t{INT64_MAX}},
        {"", "A", "AB", "B", "a", "\xc3\xa9"},
        {false, true},
        {timestamp::min(), timestamp{-1ms}, timestamp{0ms}, noon, timestamp::max()},
        {amount{0}, amount{99}, amount{256}, amount{money::minor_units_max}},
    };
    const attribute_rule any;
    for (const auto& values : ascending) {
        std::vector<std::string> bytes;
        for (const attribute_value& it : values) {
            bytes.push_back(order_model::index_value(any, it, "EUR"));
            BOOST_TEST(bytes.back().size() <= 128U);
        }
        BOOST_TEST(bytes == [&] {
            auto sorted = bytes;
            std::sort(sorted.begin(), sorted.end());
            return sorted;
        }());
    }
    BOOST_TEST(order_model::index_value(any, amount{5}, "EUR") !=
               order_model::index_value(any, amount{5}, "USD"));
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(successors)

std::string compared(order_rules was, order_rules is) {
    auto ok = check_successor(built(std::move(was)), built(std::move(is)));
    return ok ? "accepted" : ok.error().detail;
}

BOOST_AUTO_TEST_CASE(optional_attributes_and_indexes_may_be_added) {
    attribute_rule a = rule("a");
    a.size_max = 64;
    BOOST_TEST(compared(with({a}), with({a})) == "accepted");
    BOOST_TEST(compared(with({a}), with({indexed(a)})) == "accepted");
    BOOST_TEST(compared(with({a}), with({a, rule("b")})) == "accepted");
}

BOOST_AUTO_TEST_CASE(all_else_contradicts) {
    attribute_rule a = indexed(rule("a"));
    attribute_rule b = rule("b");
    BOOST_TEST(compared(with({a}), with({rule("c")})) == "a is gone");
    attribute_rule plain = a;
    plain.indexed = false;
    BOOST_TEST(compared(with({a}), with({plain})) == "a is no longer indexed");
    attribute_rule longer = a;
    longer.size_max = 65;
    BOOST_TEST(compared(with({a}), with({longer})) == "a changed: size_max");
    BOOST_TEST(compared(with({a, b}), with({b, a})) == "a changed: slot; b changed: slot");
    b.required = true;
    BOOST_TEST(compared(with({a}), with({a, b})) == "b is new and required");
    order_rules other = with({a});
    other.guests = true;
    other.ids = id_form::any;
    BOOST_TEST(compared(with({a}), other) == "guests changed; the form of order ids changed");
}

BOOST_AUTO_TEST_SUITE_END()
