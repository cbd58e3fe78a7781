#include "order_model_fixture.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>

#include <cstdint>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;
using namespace orderproc::tests;

BOOST_AUTO_TEST_SUITE(building)

BOOST_AUTO_TEST_CASE(the_standard_model_is_the_plainest) {
    const order_model& it = order_model::standard();
    BOOST_TEST((it.rules() == order_rules{}));
    BOOST_TEST(it.attributes().empty());
    BOOST_TEST(!it.has_indexes());
    BOOST_TEST(!it.has_unique());
    BOOST_TEST(!it.has_fixed());
}

BOOST_AUTO_TEST_CASE(attributes_are_found_by_name) {
    attribute_rule fixed = rule("b");
    fixed.edits = attribute_edits::never;
    const order_model it =
        built(with({rule("c"), indexed(rule("a"), attribute_unique::everywhere), fixed}));
    BOOST_TEST_REQUIRE(it.attributes().size() == 3U);
    BOOST_TEST(it.attributes()[0]->name == "a");
    BOOST_TEST(it.attributes()[2]->name == "c");
    BOOST_TEST(it.find("b")->name == "b");
    BOOST_TEST(it.find("bb") == nullptr);
    BOOST_TEST(it.find("") == nullptr);
    BOOST_TEST(it.find("z") == nullptr);
    BOOST_TEST(it.has_indexes());
    BOOST_TEST(it.has_unique());
    BOOST_TEST(it.has_fixed());
}

BOOST_AUTO_TEST_CASE(slots_are_places_unless_they_are_given) {
    attribute_rule given = rule("b");
    given.slot = 9;
    const order_model it = built(with({rule("a"), given, rule("c")}));
    BOOST_TEST(it.find("a")->slot == 1);
    BOOST_TEST(it.find("b")->slot == 9);
    BOOST_TEST(it.find("c")->slot == 3);
    given.slot = 3;
    BOOST_TEST(refusal(with({rule("a"), given, rule("c")})) == "c: its slot 3 is taken");
    given.slot = 128;
    BOOST_TEST(refusal(with({given})) == "b: its slot has to be 1 to 127");
}

BOOST_AUTO_TEST_CASE(names_are_judged) {
    for (const char* name : {"", "A", "1a", "a-b", "a123456789012345678901234567890bc"}) {
        BOOST_TEST(refusal(with({rule(name)})) ==
                   "the name of an attribute has to be [a-z][a-z0-9_]{0,31}");
    }
    BOOST_TEST(refusal(with({rule("a"), rule("a")})) == "there are two attributes a");
    std::vector<attribute_rule> many;
    for (int i = 0; i <= 32; ++i) many.push_back(rule("a" + std::to_string(i)));
    BOOST_TEST(refusal(with(many)) == "an order has at most 32 attributes");
    many.pop_back();
    BOOST_TEST(refusal(with(many)) == "accepted");
}

BOOST_AUTO_TEST_CASE(at_most_eight_are_indexed) {
    std::vector<attribute_rule> many;
    for (int i = 0; i < 8; ++i) many.push_back(indexed(rule("a" + std::to_string(i))));
    BOOST_TEST(refusal(with(many)) == "accepted");
    many.push_back(indexed(rule("b")));
    BOOST_TEST(refusal(with(many)) == "at most 8 attributes can be indexed");
}

BOOST_AUTO_TEST_CASE(a_unique_attribute_is_indexed_and_nothing_that_goes) {
    attribute_rule it = rule("ref");
    it.unique = attribute_unique::everywhere;
    BOOST_TEST(refusal(with({it})) == "ref is unique and has to be indexed");
    it = indexed(it, attribute_unique::everywhere);
    it.personal = true;
    BOOST_TEST(refusal(with({it})) == "ref is unique and cannot be personal");
    it.personal = false;
    it.default_value = attribute_value("x");
    BOOST_TEST(refusal(with({it})) == "ref is unique and has no default value");
    it.default_value.reset();
    it.unique = attribute_unique::in_tenant;
    BOOST_TEST(refusal(with({it})) == "ref is unique within its tenant, and there are no tenants");
    order_rules shops = with({it});
    shops.tenants = true;
    BOOST_TEST(refusal(shops) == "accepted");
}

BOOST_AUTO_TEST_CASE(bounds_fit_the_type) {
    attribute_rule it = rule("a", attribute_type::integer);
    it.size_max = 5;
    BOOST_TEST(refusal(with({it})) == "a is no text and has no size or characters");
    it = rule("a");
    it.minimum = 5;
    BOOST_TEST(refusal(with({it})) == "a is neither an integer nor an amount and has no bounds");
    it = rule("a");
    it.size_min = 6;
    it.size_max = 5;
    BOOST_TEST(refusal(with({it})).starts_with("a: its size has to be at most 1024"));
    it = rule("a");
    it.size_max = 1025;
    BOOST_TEST(refusal(with({it})).starts_with("a: its size has to be at most 1024"));
    it = rule("a");
    it.indexed = true;
    BOOST_TEST(refusal(with({it})) == "a is indexed, and its size has to be at most 128");
    it = rule("a", attribute_type::integer);
    it.minimum = 6;
    it.maximum = 5;
    BOOST_TEST(refusal(with({it})) == "a: its minimum is above its maximum");
    it = rule("a");
    it.choices = {"x"};
    BOOST_TEST(refusal(with({it})) == "a is no choice and has no choices");
}

BOOST_AUTO_TEST_CASE(choices_are_texts_and_differ) {
    attribute_rule it = rule("a", attribute_type::choice);
    BOOST_TEST(refusal(with({it})) == "a has to have 1 to 100 choices");
    it.choices = {"x", "y", "x"};
    BOOST_TEST(refusal(with({it})) == "a has a choice twice");
    it.choices = {"x", ""};
    BOOST_TEST(refusal(with({it})) == "a: a choice must have 1 to 128 bytes");
    it.choices = {"x", "y"};
    BOOST_TEST(refusal(with({it})) == "accepted");
}

BOOST_AUTO_TEST_CASE(default_values_keep_their_own_rule) {
    attribute_rule it = rule("a", attribute_type::integer);
    it.default_value = attribute_value(std::int64_t{5});
    BOOST_TEST(refusal(with({it})) == "accepted");
    it.required = true;
    BOOST_TEST(refusal(with({it})) == "a is required and has no default value");
    it.required = false;
    it.maximum = 4;
    BOOST_TEST(refusal(with({it})).starts_with("a: its default value must be from "));
    it.personal = true;
    it.required = true;
    it.default_value.reset();
    BOOST_TEST(refusal(with({it})) == "a is required and cannot be personal");
}

BOOST_AUTO_TEST_CASE(the_total_names_amounts) {
    order_rules it = lines_and_total();
    BOOST_TEST(refusal(it) == "accepted");
    it.items = items_form::item_ids;
    BOOST_TEST(refusal(it) == "the total rule needs lines");
    it = lines_and_total();
    it.total->added = {"duty"};
    BOOST_TEST(refusal(it) == "the total rule names duty, which is no amount");
    it.total->added = {"tax", "discount"};
    BOOST_TEST(refusal(it) == "the total rule names discount twice");
    it = lines_and_total();
    it.attributes[1].personal = true;
    BOOST_TEST(refusal(it) == "tax is part of the total and cannot be personal");
    it = lines_and_total();
    it.attributes[1].edits = attribute_edits::always;
    BOOST_TEST(refusal(it) == "tax is part of the total and changes with it alone");
}

BOOST_AUTO_TEST_CASE(guests_are_users) {
    order_rules it;
    it.user = user_form::none;
    BOOST_TEST(refusal(it) == "accepted");
    it.guests = true;
    BOOST_TEST(refusal(it) == "guests are users who are left out, and no order has a user");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(validation)

BOOST_AUTO_TEST_CASE(what_no_order_may_be_no_model_allows) {
    const order_content bad = an_order().metadata("[]").build();
    BOOST_TEST(judged(order_model::standard(), bad).starts_with("metadata must be"));
}

BOOST_AUTO_TEST_CASE(users_have_a_form) {
    order_rules rules;
    BOOST_TEST(judged(order_model::standard(), an_order().user("7").build()) == "accepted");
    BOOST_TEST(judged(order_model::standard(), an_order().user("").build()) == "user is required");
    for (const char* user : {"07", "ann", "0", "-1", "9223372036854775808"}) {
        BOOST_TEST(judged(order_model::standard(), an_order().user(user).build()) ==
                   "user must be an integer from 1 to 9223372036854775807");
    }
    rules.guests = true;
    BOOST_TEST(judged(built(rules), an_order().user("").build()) == "accepted");
    rules.user = user_form::text;
    BOOST_TEST(judged(built(rules), an_order().user("ann").build()) == "accepted");
    BOOST_TEST(judged(built(rules), an_order().user("").build()) == "accepted");
    rules.guests = false;
    BOOST_TEST(judged(built(rules), an_order().user("").build()) == "user is required");
    rules.user = user_form::none;
    BOOST_TEST(judged(built(rules), an_order().user("").build()) == "accepted");
    BOOST_TEST(judged(built(rules), an_order().user("7").build()) == "user must be left out");
}

BOOST_AUTO_TEST_CASE(items_have_a_form) {
    BOOST_TEST(judged(order_model::standard(), with_lines().build()) ==
               "lines must be left out: this shop's orders have item_ids");
    order_rules rules;
    rules.items = items_form::lines;
    BOOST_TEST(judged(built(rules), with_lines("77.00").build()) == "accepted");
    BOOST_TEST(judged(built(rules), an_order().build()) ==
               "item_ids must be left out: this shop's orders have lines");
}

BOOST_AUTO_TEST_CASE(tenants_are_there_or_not) {
    BOOST_TEST(judged(order_model::standard(), an_order().tenant("t").build()) ==
               "tenant must be left out");
    order_rules rules;
    rules.tenants = true;
    BOOST_TEST(judged(built(rules), an_order().tenant("t").build()) == "accepted");
    BOOST_TEST(judged(built(rules), an_order().build()) == "tenant is required");
}

BOOST_AUTO_TEST_CASE(the_total_is_the_sum) {
    const order_model it = built(lines_and_total());
    BOOST_TEST(judged(it, with_lines().build()) == "accepted");
    BOOST_TEST(judged(it, with_lines("10.98").build()) ==
               "total_amount must be the sum of the lines + tax - discount, which is 10.99");
    order_builder more = with_lines("11.49");
    more.attribute("tax", amount{100}).attribute("discount", amount{50});
    BOOST_TEST(judged(it, more.build()) == "accepted");
    order_builder less = with_lines("0.00");
    less.attribute("discount", amount{1100});
    BOOST_TEST(judged(it, less.build()) ==
               "total_amount must be the sum of the lines + tax - discount");
    BOOST_TEST(judged(it, order_builder{}.lines({{"A", 1}}).build()) ==
               "lines[0].unit_amount is required");
}

BOOST_AUTO_TEST_CASE(a_sum_does_not_overflow) {
    const order_model it = built(lines_and_total());
    const std::vector<order_line> lines(
        1000, {"A", order_line::quantity_max, amount{money::minor_units_max}});
    BOOST_TEST(judged(it, order_builder{}.lines(lines).build()) ==
               "total_amount must be the sum of the lines + tax - discount");
}

struct sample {
    attribute_rule rule;
    attribute_value value;
    const char* verdict;
};
std::ostream& operator<<(std::ostream& to, const sample& it) {
    return to << it.rule.name << ": " << it.verdict;
}

attribute_rule text_of(std::size_t size_min, std::size_t size_max, text_characters characters) {
    attribute_rule it = rule("a");
    it.size_min = size_min;
    it.size_max = size_max;
    it.characters = characters;
    return it;
}

attribute_rule between(attribute_type type, std::int64_t minimum, std::int64_t maximum) {
    attribute_rule it = rule("a", type);
    it.minimum = minimum;
    it.maximum = maximum;
    return it;
}

attribute_rule one_of(std::vector<std::string> choices) {
    attribute_rule it = rule("a", attribute_type::choice);
    it.choices = std::move(choices);
    return it;
}

const std::vector<sample> samples{
    {rule("a"), "x", "accepted"},
    {rule("a"), "", "attributes.a must have 1 to 1024 bytes"},
    {text_of(3, 3, text_characters::any), "xy", "attributes.a must have 3 bytes"},
    {text_of(2, 3, text_characters::any), "wxyz", "attributes.a must have 2 to 3 bytes"},
    {text_of(0, 9, text_characters::any), "", "accepted"},
    {text_of(0, 9, text_characters::any), "\xc3\xa9", "accepted"},
    {text_of(0, 9, text_characters::ascii), "a b~", "accepted"},
    {text_of(0, 9, text_characters::ascii), "\xc3\xa9", "attributes.a must be printable ASCII"},
    {text_of(0, 9, text_characters::alphanumeric), "aZ09", "accepted"},
    {text_of(0, 9, text_characters::alphanumeric), "a-b",
     "attributes.a must have letters and digits of ASCII alone"},
    {text_of(0, 9, text_characters::token), "a-b.c_d:", "accepted"},
    {text_of(0, 9, text_characters::token), "a b",
     "attributes.a must have letters, digits and any of . _ : - alone"},
    {text_of(0, 9, text_characters::digits), "0123", "accepted"},
    {text_of(0, 9, text_characters::digits), "12a", "attributes.a must have digits alone"},
    {rule("a"), std::int64_t{1}, "attributes.a must be a text"},
    {between(attribute_type::integer, -2, 2), std::int64_t{-2}, "accepted"},
    {between(attribute_type::integer, -2, 2), std::int64_t{3}, "attributes.a must be from -2 to 2"},
    {between(attribute_type::integer, -2, 2), true, "attributes.a must be an integer"},
    {between(attribute_type::amount, 10, 20), amount{20}, "accepted"},
    {between(attribute_type::amount, 10, 20), amount{9},
     "attributes.a must be from 10 to 20 minor units"},
    {rule("a", attribute_type::amount), std::int64_t{5}, "attributes.a must be an amount"},
    {rule("a", attribute_type::boolean), false, "accepted"},
    {rule("a", attribute_type::boolean), "no", "attributes.a must be true or false"},
    {rule("a", attribute_type::time), noon, "accepted"},
    {rule("a", attribute_type::time), std::int64_t{0}, "attributes.a must be a time"},
    {one_of({"new", "used"}), "used", "accepted"},
    {one_of({"new", "used"}), "old", "attributes.a must be one of \"new\", \"used\""},
    {one_of({"new", "used"}), true, "attributes.a must be a text"},
};

BOOST_DATA_TEST_CASE(each_type_has_its_rules, data::make(samples), it) {
    const order_content content = an_order().attribute("a", it.value).build();
    BOOST_TEST(judged(built(with({it.rule})), content) == it.verdict);
}

BOOST_AUTO_TEST_CASE(attributes_are_those_of_the_model) {
    attribute_rule required = rule("a");
    required.required = true;
    const order_model it = built(with({required, rule("b")}));
    BOOST_TEST(judged(it, an_order().build()) == "attributes.a is required");
    BOOST_TEST(judged(it, an_order().attribute("a", "x").build()) == "accepted");
    BOOST_TEST(judged(it, an_order().attribute("a", "x").attribute("c", "x").build()) ==
               "attributes.c is not an attribute of this shop's orders");
    BOOST_TEST(judged(order_model::standard(), an_order().attribute("a", "x").build()) ==
               "attributes.a is not an attribute of this shop's orders");
}

BOOST_AUTO_TEST_CASE(default_values_fill_in_what_is_missing) {
    attribute_rule a = rule("a", attribute_type::integer);
    a.default_value = attribute_value(std::int64_t{1});
    attribute_rule z = rule("z", attribute_type::boolean);
    z.default_value = attribute_value(true);
    const order_model it = built(with({z, a, rule("m")}));
    order_content content = an_order().attribute("m", "x").build();
    it.complete(content);
    const std::vector<order_attribute> expected{{"a", std::int64_t{1}}, {"m", "x"}, {"z", true}};
    BOOST_TEST((content.attributes == expected));
    content.attributes[0].value = std::int64_t{7};
    const std::vector<order_attribute> kept = content.attributes;
    it.complete(content);
    BOOST_TEST((content.attributes == kept));
}

BOOST_AUTO_TEST_CASE(what_is_personal_goes) {
    attribute_rule email = rule("email");
    email.personal = true;
    order_rules rules = with({email, rule("ref")});
    order_content content = an_order()
                                .metadata(R"({"note":"for Ann"})")
                                .annotations(R"({"call":"Ann"})")
                                .attribute("email", "ann@example.org")
                                .attribute("ref", "R-1")
                                .build();
    order_content all = content;
    built(rules).redact(all);
    BOOST_TEST(all.metadata == "{}");
    BOOST_TEST(all.annotations.empty());
    BOOST_TEST((all.attributes == std::vector<order_attribute>{{"ref", "R-1"}}));
    rules.personal_metadata = false;
    rules.personal_annotations = false;
    order_content some = content;
    built(rules).redact(some);
    BOOST_TEST(some.metadata == content.metadata);
    BOOST_TEST(some.annotations == content.annotations);
    BOOST_TEST((some.attributes == all.attributes));
}

BOOST_AUTO_TEST_SUITE_END()
