// Orders of a shop's model as JSON.

#include "random_model.hpp"

#include <orderproc/json.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <optional>
#include <ostream>
#include <random>
#include <string>
#include <string_view>

using namespace orderproc;

namespace {

attribute_rule rule_of(std::string name, attribute_type type) {
    attribute_rule out;
    out.name = std::move(name);
    out.type = type;
    return out;
}

order_rules shop_rules() {
    order_rules out;
    out.items = items_form::lines;
    out.user = user_form::text;
    out.guests = true;
    out.ids = id_form::any;
    out.tenants = true;
    attribute_rule reference = rule_of("reference", attribute_type::text);
    reference.required = true;
    reference.edits = attribute_edits::never;
    reference.size_max = 8;
    reference.characters = text_characters::token;
    attribute_rule rank = rule_of("rank", attribute_type::integer);
    rank.minimum = -3;
    rank.maximum = 3;
    attribute_rule channel = rule_of("channel", attribute_type::choice);
    channel.choices = {"web", "shop"};
    channel.default_value = std::string("web");
    attribute_rule tracking = rule_of("tracking", attribute_type::text);
    tracking.edits = attribute_edits::always;
    attribute_rule refunded = rule_of("refunded", attribute_type::amount);
    refunded.edits = attribute_edits::always;
    out.attributes = {reference,
                      rule_of("tax", attribute_type::amount),
                      rank,
                      rule_of("gift", attribute_type::boolean),
                      rule_of("wanted_at", attribute_type::time),
                      channel,
                      tracking,
                      refunded};
    out.total = total_rule{{"tax"}, {}};
    return out;
}

const order_model& shop() {
    static const order_model it = order_model::build(shop_rules()).value();
    return it;
}

std::string judgement(const syntax_error& syntax, const std::vector<field_error>& errors) {
    if (syntax.line != 0) return "syntax";
    std::string out;
    for (const field_error& it : errors) {
        if (!out.empty()) out += ", ";
        out += it.pointer + " " + it.code;
    }
    return out.empty() ? "ok" : out;
}
template <class Parsed>
std::string judgement(const Parsed& it) {
    return judgement(it.syntax, it.errors);
}

// A good body with some texts in the place of others.
struct field_case {
    std::string_view name;
    std::string_view value;  // empty: left out
    std::string_view expected;

    friend std::ostream& operator<<(std::ostream& out, const field_case& it) {
        return out << it.name << " " << it.value.substr(0, 60);
    }
};
constexpr std::pair<std::string_view, std::string_view> good[] = {
    {"user_id", R"("u-1")"},
    {"lines", R"([{"sku":"TEA","quantity":2,"unit_amount":4.99},)"
              R"({"sku":"CUP","quantity":1,"unit_amount":"1.02","name":"A cup"}])"},
    {"total_amount", "12.00"},
    {"tenant", R"("north")"},
    {"attributes", R"({"tax":1,"reference":"R-1"})"},
};
std::string body_with(std::string_view name, std::string_view value) {
    std::string out = "{";
    const auto add = [&](std::string_view it, std::string_view text) {
        if (text.empty()) return;
        if (out.size() > 1) out += ',';
        out.append("\"").append(it).append("\":").append(text);
    };
    bool there = false;
    for (const auto& [other, text] : good) {
        there = there || other == name;
        add(other, other == name ? value : text);
    }
    if (!there) add(name, value);
    return out + "}";
}

order stored() {
    order out;
    const parsed_order read = parse_order(body_with("order_id", R"("a/b")"), shop());
    BOOST_REQUIRE_EQUAL(judgement(read), "ok");
    static_cast<order_content&>(out) = read.value;
    out.id = read.value.id;
    out.number = 7;
    out.version = order_version{3};
    return out;
}

const field_case cases[] = {
    {"order_id", R"("a/b \u00e9")", "ok"},
    {"order_id", R"("~a")", "#/order_id invalid_order_id"},
    {"order_id", R"("a\u2028b")", "#/order_id invalid_order_id"},
    {"user_id", R"("17")", "ok"},
    {"user_id", "17", "#/user_id wrong_type"},
    {"user_id", "null", "ok"},
    {"user_id", "", "ok"},
    {"user_id", R"("")", "#/user_id out_of_range"},
    {"user_id", R"("a\u0001")", "#/user_id unsupported_character"},
    {"tenant", "", "#/tenant required"},
    {"tenant", "null", "#/tenant wrong_type"},
    {"item_ids", "[1]", "#/item_ids unknown_field"},
    {"lines", "", "#/lines required"},
    {"lines", "[]", "#/lines too_few_items"},
    {"lines", "{}", "#/lines wrong_type"},
    {"lines", "[1]", "#/lines/0 wrong_type"},
    {"lines", R"([{"sku":"T","quantity":1,"unit_amount":11,"colour":1}])",
     "#/lines/0/colour unknown_field"},
    {"lines", R"([{"sku":"T","quantity":1,"unit_amount":11,"a/b":1}])",
     "#/lines/0/a~1b unknown_field"},
    {"lines", R"([{"sku":"T","quantity":1.0,"unit_amount":11,"name":null}])", "ok"},
    {"lines", R"([{"sku":"","quantity":0,"unit_amount":-1}])",
     "#/lines/0/sku out_of_range, #/lines/0/quantity out_of_range, "
     "#/lines/0/unit_amount negative"},
    {"lines", R"([{"quantity":1000001,"unit_amount":1.999},{"sku":"T"}])",
     "#/lines/0/quantity out_of_range, #/lines/0/unit_amount too_many_decimals, "
     "#/lines/0/sku required, #/lines/1/quantity required, #/lines/1/unit_amount required"},
    {"lines", R"([{"sku":"T","quantity":1,"unit_amount":10.99}])", "#/total_amount wrong_total"},
    {"lines", R"([{"sku":"T","sku":"T","quantity":1,"unit_amount":11}])", "syntax"},
    {"total_amount", "12.01", "#/total_amount wrong_total"},
    {"total_amount", R"("12.00")", "ok"},
    {"currency", R"("jpy")",
     "#/lines/0/unit_amount too_many_decimals, #/lines/1/unit_amount too_many_decimals"},
    {"currency", R"("eur")", "ok"},
    {"currency", R"("xxx")", "#/currency unknown_currency"},
    {"attributes", "", "#/attributes/reference required"},
    {"attributes", "[]", "#/attributes/reference required"},
    {"attributes", R"({"tax":1,"reference":null})", "#/attributes/reference required"},
    {"attributes", R"({"tax":1,"reference":"R 1"})",
     "#/attributes/reference unsupported_character"},
    {"attributes", R"({"tax":1,"reference":7})", "#/attributes/reference wrong_type"},
    {"attributes", R"({"tax":1,"reference":"R-1","colour":1})",
     "#/attributes/colour unknown_field"},
    {"attributes", R"({"reference":"R-1","tax":1.001,"rank":4})",
     "#/attributes/tax too_many_decimals, #/attributes/rank out_of_range"},
    {"attributes", R"({"tax":1,"rank":-3.0,"gift":true,"reference":"R-1"})", "ok"},
    {"attributes", R"({"tax":1,"rank":0,"gift":"no","reference":"R-1"})",
     "#/attributes/gift wrong_type"},
    {"attributes", R"({"tax":1,"rank":0.5,"reference":"R-1"})", "#/attributes/rank not_an_integer"},
    {"attributes", R"({"tax":1,"channel":"fax","reference":"R-1"})",
     "#/attributes/channel not_a_choice"},
    {"attributes", R"({"tax":1,"wanted_at":"2026-06-15T14:23:11+02:00","reference":"R-1"})", "ok"},
    {"attributes", R"({"tax":1,"wanted_at":"soon","reference":"R-1"})",
     "#/attributes/wanted_at wrong_type"},
    {"attributes", R"({"tax":1,"tax":1,"reference":"R-1"})", "syntax"},
    {"annotations", R"({"seen":[1]})", "ok"},
    {"annotations", "1", "#/annotations wrong_type"},
    {"annotations", R"({"n":[1,1e999]})", "#/annotations/n/1 unsupported_number"},
    {"not_before", R"("2026-06-15T14:23:11Z")", "ok"},
    {"not_before", R"("later")", "#/not_before wrong_type"},
    {"not_before", "null", "ok"},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_field, boost::unit_test::data::make(cases), it) {
    const parsed_order read = parse_order(body_with(it.name, it.value), shop());
    BOOST_TEST(judgement(read) == it.expected);
    if (read.ok()) BOOST_TEST(shop().validate(read.value).has_value());
}

BOOST_AUTO_TEST_CASE(what_was_read) {
    const parsed_order read = parse_order(
        R"({"attributes":{"tax":"1.5","reference":"R-1","refunded":2},"currency":"kwd",)"
        R"("not_before":"2026-06-15T14:23:11Z","lines":[{"unit_amount":0.005,"quantity":3,)"
        R"("sku":"TEA"}],"tenant":"north","total_amount":1.515})",
        shop());
    BOOST_REQUIRE_EQUAL(judgement(read), "ok");
    const order_draft& it = read.value;
    BOOST_TEST((it.lines == std::vector<order_line>{{"TEA", 3, amount{5}, ""}}));
    BOOST_TEST((it.attributes == std::vector<order_attribute>{{"channel", std::string("web")},
                                                              {"reference", std::string("R-1")},
                                                              {"refunded", amount{2000}},
                                                              {"tax", amount{1500}}}));
    BOOST_TEST(it.user.empty());
    BOOST_TEST(it.tenant == "north");
    BOOST_TEST((it.not_before == parse_timestamp("2026-06-15T14:23:11Z").value()));
}

BOOST_AUTO_TEST_CASE(errors_stand_as_the_text_does_whatever_waits_for_the_currency) {
    const parsed_order read = parse_order(
        R"({"lines":[{"sku":1,"quantity":1,"unit_amount":1.5}],"total_amount":1.5,)"
        R"("attributes":{"tax":0.5,"rank":9,"reference":"R-1"},"tenant":"","currency":"JPY"})",
        shop());
    BOOST_TEST(judgement(read) ==
               "#/lines/0/sku wrong_type, #/lines/0/unit_amount too_many_decimals, "
               "#/total_amount too_many_decimals, #/attributes/tax too_many_decimals, "
               "#/attributes/rank out_of_range, #/tenant out_of_range");
}

BOOST_AUTO_TEST_CASE(more_lines_than_there_may_be) {
    const auto lines_of = [](std::size_t size) {
        std::string out = "[";
        for (std::size_t i = 0; i < size; ++i) {
            out += R"({"sku":"T","quantity":1,"unit_amount":0.011},)";
        }
        out.back() = ']';
        return out;
    };
    order_rules rules = shop_rules();
    rules.total.reset();
    const order_model model = order_model::build(rules).value();
    const std::string kwd = R"(,"currency":"KWD"})";
    const auto with = [&](std::size_t size) {
        std::string body = body_with("lines", lines_of(size));
        body.pop_back();
        return judgement(parse_order(body + kwd, model));
    };
    BOOST_TEST(with(1000) == "ok");
    BOOST_TEST(with(1001) == "#/lines too_many_items");
}

BOOST_AUTO_TEST_CASE(the_users_of_a_model) {
    order_rules rules;
    const auto with = [&](std::string_view user) {
        const order_model model = order_model::build(rules).value();
        std::string body = R"({"item_ids":[1],"total_amount":1)";
        if (!user.empty()) body.append(R"(,"user_id":)").append(user);
        return judgement(parse_order(body + "}", model));
    };
    BOOST_TEST(with("7") == "ok");
    BOOST_TEST(with("null") == "#/user_id wrong_type");
    BOOST_TEST(with("") == "#/user_id required");
    rules.guests = true;
    BOOST_TEST(with("7") == "ok");
    BOOST_TEST(with(R"("7")") == "#/user_id wrong_type");
    BOOST_TEST(with("null") == "ok");
    BOOST_TEST(with("") == "ok");
    rules.guests = false;
    rules.user = user_form::none;
    BOOST_TEST(with("") == "ok");
    BOOST_TEST(with("null") == "ok");
    BOOST_TEST(with("7") == "#/user_id unknown_field");
    BOOST_TEST(with(R"("7")") == "#/user_id unknown_field");
}

BOOST_AUTO_TEST_CASE(the_standard_model_has_none_of_it) {
    const std::string_view body =
        R"({"user_id":1,"item_ids":[1],"total_amount":1,"lines":[],"tenant":"a",)"
        R"("attributes":{},"annotations":{"a":1},"not_before":null})";
    BOOST_TEST(judgement(parse_order(body)) ==
               "#/lines unknown_field, #/tenant unknown_field, #/attributes unknown_field");
}

BOOST_AUTO_TEST_CASE(users_that_are_texts_are_written_as_texts) {
    order it = stored();
    it.user = "17";
    BOOST_TEST(to_json(it).find(R"("user_id":17,)") != std::string::npos);
    BOOST_TEST(to_json(it, shop()).find(R"("user_id":"17",)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_replacement_keeps_what_never_changes) {
    order it = stored();
    it.annotations = R"({"seen":1})";
    const auto with = [&](std::string_view name, std::string_view value) {
        return parse_replacement(body_with(name, value), &it, shop());
    };
    BOOST_TEST(parse_replacement(body_with("x", ""), nullptr, shop()).needs_current);
    const parsed_edit left_out = with("attributes", R"({"tax":1})");
    BOOST_REQUIRE_EQUAL(judgement(left_out), "ok");
    BOOST_TEST((left_out.value.attributes == it.attributes));
    BOOST_TEST(left_out.value.annotations.empty());  // which the engine takes for: as they are
    BOOST_TEST(judgement(with("attributes", R"({"tax":1,"reference":"R-2"})")) ==
               "#/attributes/reference read_only");
    BOOST_TEST(judgement(with("tenant", R"("south")")) == "#/tenant read_only");
    BOOST_TEST(judgement(with("tenant", "")) == "ok");
    BOOST_TEST(judgement(with("tenant", "null")) == "ok");
    BOOST_TEST(judgement(with("total_amount", "13")) == "#/total_amount wrong_total");
    BOOST_TEST(judgement(with("not_before", "null")) == "#/not_before unknown_field");
    BOOST_TEST(with("annotations", R"({"b":2})").value.annotations == R"({"b":2})");
}

BOOST_AUTO_TEST_CASE(a_patch_merges_attributes_and_annotations) {
    order it = stored();
    it.annotations = R"({"seen":1})";
    const auto patch = [&](std::string_view text) { return parse_merge_patch(text, &it, shop()); };
    const parsed_edit read =
        patch(R"({"attributes":{"rank":2,"channel":"shop"},"annotations":{"seen":null,"b":2}})");
    BOOST_REQUIRE_EQUAL(judgement(read), "ok");
    BOOST_TEST(
        (read.value.attributes == std::vector<order_attribute>{{"channel", std::string("shop")},
                                                               {"rank", std::int64_t{2}},
                                                               {"reference", std::string("R-1")},
                                                               {"tax", amount{100}}}));
    BOOST_TEST(read.value.annotations == R"({"b":2})");
    BOOST_TEST((read.value.lines == it.lines));
    it.attributes = read.value.attributes;
    const parsed_edit removed = patch(R"({"attributes":{"rank":null,"channel":null}})");
    BOOST_TEST((removed.value.attributes == stored().attributes));  // channel has a default value
    BOOST_TEST(judgement(patch(R"({"attributes":{"reference":null}})")) ==
               "#/attributes/reference required");
    BOOST_TEST(judgement(patch(R"({"attributes":{"tax":null}})")) == "#/total_amount wrong_total");
    BOOST_TEST(judgement(patch(R"({"attributes":{"reference":"R-1"}})")) == "ok");
    BOOST_TEST(judgement(patch(R"({"attributes":null})")) == "#/attributes wrong_type");
    BOOST_TEST(patch(R"({"user_id":null})").value.user.empty());
    BOOST_TEST(patch(R"({"annotations":null})").value.annotations == "{}");
}

BOOST_AUTO_TEST_CASE(another_currency_comes_with_all_amounts) {
    const order it = stored();
    const auto patch = [&](std::string_view text) {
        return judgement(parse_merge_patch(text, &it, shop()));
    };
    BOOST_TEST(patch(R"({"currency":"EUR","total_amount":12})") ==
               "#/lines required, #/attributes/tax required");
    BOOST_TEST(patch(R"({"currency":"USD","total_amount":12})") == "ok");
    BOOST_TEST(patch(R"({"currency":"JPY","total_amount":12,"attributes":{"tax":2},)"
                     R"("lines":[{"sku":"T","quantity":1,"unit_amount":10}]})") == "ok");
    order_rules rules = shop_rules();
    rules.attributes[1].edits = attribute_edits::never;
    const order_model fixed = order_model::build(rules).value();
    BOOST_TEST(judgement(parse_replacement(body_with("currency", R"("EUR")"), &it, fixed)) ==
               "#/currency read_only");
}

BOOST_AUTO_TEST_CASE(an_annotation) {
    order it = stored();
    it.annotations = R"({"seen":1})";
    const auto read = [&](std::string_view text) { return parse_annotation(text, &it, shop()); };
    const parsed_annotation both =
        read(R"({"annotations":{"b":2},"attributes":{"tracking":"T-1","refunded":null}})");
    BOOST_REQUIRE_EQUAL(judgement(both), "ok");
    BOOST_TEST(both.value.annotations.value() == R"({"seen":1,"b":2})");
    BOOST_TEST(
        (both.value.attributes == std::vector<order_attribute>{{"tracking", std::string("T-1")}}));
    BOOST_TEST((both.value.removed == std::vector<std::string>{"refunded"}));
    BOOST_TEST(!read(R"({"attributes":{"tracking":"T"}})").value.annotations.has_value());
    BOOST_TEST((read(R"({"attributes":{"refunded":"1.50"}})").value.attributes ==
                std::vector<order_attribute>{{"refunded", amount{150}}}));
    BOOST_TEST(judgement(read(R"({"attributes":{"refunded":1.505}})")) ==
               "#/attributes/refunded too_many_decimals");
    BOOST_TEST(judgement(read(R"({"attributes":{"rank":1,"x":1},"user_id":1})")) ==
               "#/attributes/rank read_only, #/attributes/x unknown_field, "
               "#/user_id unknown_field");
    BOOST_TEST(judgement(read("[]")) == "# wrong_type");
    BOOST_TEST(judgement(read("{")) == "syntax");
    BOOST_TEST(judgement(read("{}")) == "ok");
}

// Without the order it is judged as far as one can.
BOOST_AUTO_TEST_CASE(an_annotation_that_needs_the_order) {
    const auto blind = [](std::string_view text) {
        return parse_annotation(text, nullptr, shop());
    };
    BOOST_TEST(blind(R"({"annotations":{}})").needs_current);
    BOOST_TEST(blind(R"({"attributes":{"refunded":1}})").needs_current);
    BOOST_TEST(!blind(R"({"attributes":{"tracking":"T"}})").needs_current);
    BOOST_TEST(judgement(blind(R"({"annotations":1,"attributes":{"refunded":-1}})")) ==
               "#/annotations wrong_type, #/attributes/refunded negative");
}

// An order of any model is printed, read back, and edited by its own print without a change.
BOOST_AUTO_TEST_CASE(random_orders_under_random_models) {
    std::mt19937_64 from(7);
    testing::random_models make([&](std::uint64_t n) { return from() % n; });
    for (int i = 0; i < 2000; ++i) {
        auto model = order_model::build(make.rules());
        BOOST_REQUIRE_MESSAGE(model, model.error().detail);
        order it;
        static_cast<order_content&>(it) = make.content(*model);
        const auto valid = model->validate(it);
        BOOST_REQUIRE_MESSAGE(valid, valid.error().detail);
        it.id = make.id(*model);
        it.number = i + 1;
        const std::string text = to_json(it, *model);
        BOOST_TEST_CONTEXT(text) {
            const std::size_t until = text.rfind(",\"status\":\"");
            const std::size_t start = text.find("\"order_id\"");
            const parsed_order created =
                parse_order("{" + text.substr(start, until - start) + "}", *model);
            BOOST_REQUIRE_EQUAL(judgement(created), "ok");
            BOOST_TEST((static_cast<const order_content&>(created.value) == it));
            BOOST_TEST((created.value.id == it.id));
            parsed_edit replaced = parse_replacement(text, &it, *model);
            BOOST_REQUIRE_EQUAL(judgement(replaced), "ok");
            replaced.value.tenant = it.tenant;
            BOOST_TEST((static_cast<const order_content&>(replaced.value) == it));
            parsed_edit patched = parse_merge_patch(text, &it, *model);
            BOOST_REQUIRE_EQUAL(judgement(patched), "ok");
            // A merge writes the objects that it merges anew: the same, with other spaces.
            patched.value.metadata = it.metadata;
            patched.value.annotations = it.annotations;
            BOOST_TEST((static_cast<const order_content&>(patched.value) == it));
        }
    }
}
