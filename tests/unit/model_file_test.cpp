// A model as a text: what is written is read again, and what is wrong is found where it is.

#include <orderproc/model_file.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
namespace data = boost::unit_test::data;

namespace {

std::string text_of_file(const std::string& name) {
    const std::filesystem::path path = std::filesystem::path(ORDERPROC_MODELS) / (name + ".json");
    std::ifstream file(path, std::ios::binary);
    std::string out{std::istreambuf_iterator<char>(file), {}};
    BOOST_REQUIRE(!out.empty());
    BOOST_REQUIRE(out.back() == '\n');
    out.pop_back();
    return out;
}

std::string orders_with(const std::string& attributes, const std::string& rest = "") {
    return R"({"orders":{)" + rest + R"("attributes":[)" + attributes + "]}}";
}

std::string statuses_with(const std::string& transitions, const std::string& stages = "") {
    return R"({"statuses":{"initial":"A","transitions":[)" + transitions + R"(],"stages":[)" +
           stages + "]}}";
}

// What is wrong with a text: its syntax, or the codes and places of all errors.
struct wrong {
    const char* name;
    std::string text;
    std::string errors;

    friend std::ostream& operator<<(std::ostream& out, const wrong& it) { return out << it.name; }
};

std::string errors_of(const parsed_model& of) {
    std::string out;
    if (of.syntax.line != 0) out = "syntax";
    for (const field_error& it : of.errors) {
        out += (out.empty() ? "" : " ") + it.code + it.pointer;
    }
    return out;
}

const wrong all_wrong[] = {
    {"nothing", "", "syntax"},
    {"an array", "[]", "wrong_type#"},
    {"a name twice", R"({"orders":{},"orders":{}})", "syntax"},
    {"an unknown part", R"({"order":{}})", "unknown_field#/order"},
    {"an unknown field", R"({"orders":{"item":"lines"}})", "unknown_field#/orders/item"},
    {"an unknown form", R"({"orders":{"items":"rows","user":7}})",
     "unknown_value#/orders/items wrong_type#/orders/user"},
    {"null is no value", R"({"orders":{"guests":null}})", "wrong_type#/orders/guests"},
    {"an attribute without a type", orders_with(R"({"name":"a"})"),
     "required#/orders/attributes/0/type"},
    {"numbers", orders_with(R"({"name":"a","type":"integer","minimum":1.5,"slot":128},
                               {"name":"b","type":"text","size_max":9999999999999999999})"),
     "not_an_integer#/orders/attributes/0/minimum out_of_range#/orders/attributes/0/slot "
     "out_of_range#/orders/attributes/1/size_max"},
    {"a default of another type", orders_with(R"({"default":"5","name":"a","type":"integer"})"),
     "wrong_type#/orders/attributes/0/default"},
    {"a default that is no time", orders_with(R"({"name":"a","type":"time","default":"now"})"),
     "malformed#/orders/attributes/0/default"},
    {"each attribute that does not fit",
     orders_with(R"({"name":"A","type":"text"},{"name":"b","type":"text"},
                    {"name":"b","type":"time"},{"name":"c","type":"text","slot":2},
                    {"name":"d","type":"text","unique":"everywhere"})"),
     "invalid#/orders/attributes/0 invalid#/orders/attributes/2 invalid#/orders/attributes/3 "
     "invalid#/orders/attributes/4"},
    {"guests without users", R"({"orders":{"user":"none","guests":true,"attributes":[
        {"name":"a","type":"text"}]}})",
     "invalid#/orders"},
    {"a total of what is no amount",
     orders_with(R"({"name":"tax","type":"integer"})",
                 R"("items":"lines","total":{"added":["tax"]},)"),
     "invalid#/orders/total"},
    {"no initial status", R"({"statuses":{}})", "required#/statuses/initial"},
    {"scopes",
     statuses_with(R"({"from":["A"],"event":"go","to":"B","open_to_clients":true,"scope":""},)"
                   R"({"from":["A"],"event":"on","to":"B","open_to_clients":true,"scope":7})"),
     "malformed#/statuses/transitions/0/scope wrong_type#/statuses/transitions/1/scope"},
    {"a scope of a closed event",
     statuses_with(R"({"from":["A"],"event":"go","to":"B","scope":"operate"})"),
     "invalid#/statuses"},
    {"names of statuses and events", statuses_with(R"({"from":["a",7],"event":"edit","to":"B"})"),
     "malformed#/statuses/transitions/0/from/0 wrong_type#/statuses/transitions/0/from/1 "
     "malformed#/statuses/transitions/0/event"},
    {"a transition from nowhere", statuses_with(R"({"from":[],"event":"go","to":"B"})"),
     "required#/statuses/transitions/0/from"},
    {"a stage without its failure",
     statuses_with("", R"({"waiting":"A","start":"s","active":"B","release":"r","fail":"f"})"),
     "required#/statuses/stages/0/failed"},
    {"a status that nothing leads to",
     statuses_with(R"({"from":["A"],"event":"go","to":"B"},{"from":["C"],"event":"run","to":"B"})"),
     "invalid#/statuses"},
    {"both parts", R"({"orders":{"user":"none","guests":true},"statuses":{"initial":"A",
        "transitions":[{"from":["B"],"event":"go","to":"A"}]}})",
     "invalid#/orders invalid#/statuses"},
    {"names that a pointer escapes", R"({"orders":{"a/b~c d":1}})",
     "unknown_field#/orders/a~1b~0c%20d"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_empty_object_is_what_orders_have_always_been) {
    const parsed_model read = parse_model("{}");
    BOOST_REQUIRE(read.ok());
    BOOST_TEST((read.orders->rules() == order_model::standard().rules()));
    BOOST_TEST(check_successor(status_machine::standard(), *read.statuses).has_value());
    BOOST_TEST(to_json(*read.orders, *read.statuses) ==
               to_json(order_model::standard(), status_machine::standard()));
}

BOOST_DATA_TEST_CASE(an_example_is_written_as_it_is_read,
                     data::make({"shop", "marketplace", "fulfilment"}), name) {
    const std::string text = text_of_file(name);
    const parsed_model read = parse_model(text);
    BOOST_TEST(describe_errors(read) == "");
    BOOST_REQUIRE(read.ok());
    BOOST_TEST(to_json(*read.orders, *read.statuses) == text);
}

BOOST_AUTO_TEST_CASE(every_field_of_a_rule_comes_back) {
    order_rules rules;
    rules.items = items_form::lines;
    rules.user = user_form::text;
    rules.guests = true;
    rules.ids = id_form::any;
    rules.tenants = true;
    rules.personal_metadata = false;
    rules.personal_annotations = false;
    rules.total = total_rule{{"tax"}, {"discount"}};
    attribute_rule text{"text", attribute_type::text};
    text.edits = attribute_edits::never;
    text.indexed = true;
    text.unique = attribute_unique::in_tenant;
    text.slot = 9;
    text.size_min = 3;
    text.size_max = 77;
    text.characters = text_characters::alphanumeric;
    attribute_rule integer{"integer", attribute_type::integer};
    integer.default_value = std::int64_t{-5};
    integer.minimum = -9;
    integer.maximum = 9;
    attribute_rule tax{"tax", attribute_type::amount};
    tax.default_value = amount{1999};
    tax.minimum = 5;
    tax.maximum = 100'000;
    attribute_rule discount{"discount", attribute_type::amount};
    discount.required = true;
    attribute_rule truth{"truth", attribute_type::boolean};
    truth.default_value = true;
    truth.edits = attribute_edits::always;
    attribute_rule time{"time", attribute_type::time};
    time.default_value = parse_timestamp("2026-01-31T12:00:00.123Z").value();
    time.personal = true;
    attribute_rule choice{"choice", attribute_type::choice};
    choice.choices = {"a \"quoted\" one", "b", "\xC3\xA4"};
    choice.default_value = std::string("b");
    rules.attributes = {text, integer, tax, discount, truth, time, choice};
    const auto model = order_model::build(rules);
    BOOST_REQUIRE(model);
    const parsed_model read = parse_model(to_json(*model, status_machine::standard()));
    BOOST_TEST(describe_errors(read) == "");
    BOOST_REQUIRE(read.ok());
    BOOST_TEST((read.orders->rules() == model->rules()));
}

BOOST_AUTO_TEST_CASE(what_a_stage_brings_may_be_said_as_well) {
    const std::string stage =
        R"({"waiting":"A","start":"s","active":"B","release":"r","fail":"f","failed":"F"})";
    const std::string end = R"({"from":["B"],"event":"done","to":"D"})";
    const parsed_model shorter = parse_model(statuses_with(end, stage));
    const parsed_model longer =
        parse_model(statuses_with(R"({"from":["A","B"],"event":"f","to":"F"},)" + end, stage));
    BOOST_REQUIRE(shorter.ok());
    BOOST_REQUIRE(longer.ok());
    BOOST_TEST(check_successor(*shorter.statuses, *longer.statuses).has_value());
    const std::string written = to_json(*longer.orders, *longer.statuses);
    const parsed_model again = parse_model(written);
    BOOST_REQUIRE(again.ok());
    BOOST_TEST(to_json(*again.orders, *again.statuses) == written);
}

BOOST_AUTO_TEST_CASE(an_indexed_text_is_short_unless_it_says_so) {
    const parsed_model read = parse_model(
        orders_with(R"({"name":"a","type":"text","indexed":true},{"name":"b","type":"text"})"));
    BOOST_REQUIRE(read.ok());
    BOOST_TEST(read.orders->find("a")->size_max == attribute_rule::indexed_text_size_max);
    BOOST_TEST(read.orders->find("b")->size_max == order_attribute::text_size_max);
    const parsed_model said =
        parse_model(orders_with(R"({"name":"a","type":"text","size_max":500,"indexed":true})"));
    BOOST_TEST(errors_of(said) == "invalid#/orders/attributes/0");
}

BOOST_DATA_TEST_CASE(what_is_wrong_is_found_where_it_is, data::make(all_wrong), it) {
    const parsed_model read = parse_model(it.text);
    BOOST_TEST(!read.ok());
    BOOST_TEST(errors_of(read) == it.errors);
    BOOST_TEST(!describe_errors(read).empty());
}

BOOST_AUTO_TEST_CASE(a_text_has_a_size) {
    BOOST_TEST(errors_of(parse_model(std::string(model_text_size_max, ' ') + "{}")) ==
               "too_large#");
    // Short as it was written, but not in the form in which it is kept.
    std::string transitions;
    for (int i = 0; i < 990; ++i) {
        transitions += transitions.empty() ? "" : ",";
        transitions += R"({"from":["A"],"event":"event_of_nothing_)" + std::to_string(i) +
                       R"(","to":"STATUS"})";
    }
    const std::string text = statuses_with(transitions);
    BOOST_REQUIRE(text.size() < model_text_size_max);
    BOOST_TEST(errors_of(parse_model(text)) == "too_large#");
}

BOOST_AUTO_TEST_CASE(not_more_is_read_than_a_model_may_have) {
    std::string many;
    for (int i = 0; i < 33; ++i) {
        many += (many.empty() ? "" : ",");
        many += R"({"name":"a)" + std::to_string(i) + R"(","type":"text"})";
    }
    BOOST_TEST(errors_of(parse_model(orders_with(many))) == "too_many#/orders/attributes");
    std::string unknown;
    for (int i = 0; i < 200; ++i) unknown += ",\"x" + std::to_string(i) + "\":1";
    const parsed_model read = parse_model("{\"orders\":{}" + unknown + "}");
    BOOST_TEST(read.errors.size() == parsed_order::errors_max);
}

BOOST_AUTO_TEST_CASE(errors_are_lines_for_people) {
    const parsed_model read = parse_model(R"({"orders":{"items":"rows","guests":1}})");
    BOOST_TEST(describe_errors(read) ==
               "#/orders/items: must be one of \"item_ids\", \"lines\"\n"
               "#/orders/guests: must be true or false, not a number");
    BOOST_TEST(describe_errors(parse_model("{\n  x")).starts_with("line 2, column 3: "));
    BOOST_TEST(describe_errors(parse_model("{}")) == "");
}

BOOST_AUTO_TEST_CASE(events_name_scopes) {
    const auto read = [](const std::string& scope) {
        return parse_model(
            statuses_with(R"({"from":["A"],"event":"go","to":"B","open_to_clients":true)" + scope +
                          R"(},{"from":["A"],"event":"end","to":"B"})"));
    };
    const parsed_model named = read(R"(,"scope":"operate")");
    BOOST_REQUIRE(named.ok());
    BOOST_TEST(named.statuses->find("go")->scope == "operate");
    BOOST_TEST(named.statuses->find("end")->scope == "");
    const std::string text = to_json(*named.orders, *named.statuses);
    BOOST_TEST(text.find(R"("open_to_clients": true, "scope": "operate"})") != text.npos);
    BOOST_TEST(parse_model(text).statuses->find("go")->scope == "operate");
    // The default is left out.
    for (const char* scope : {"", R"(,"scope":"orders:write")"}) {
        const parsed_model plain = read(scope);
        BOOST_REQUIRE(plain.ok());
        BOOST_TEST(plain.statuses->find("go")->scope == default_event_scope);
        BOOST_TEST(to_json(*plain.orders, *plain.statuses).find("scope") == std::string::npos);
    }
    BOOST_TEST(parse_model("{}").statuses->find("retry")->scope == "operate");
}

BOOST_AUTO_TEST_CASE(machines_differ_by_what_they_do) {
    const auto machine = [](const std::string& transitions, const std::string& stages = "") {
        parsed_model read = parse_model(statuses_with(transitions, stages));
        BOOST_REQUIRE(read.ok());
        return std::move(*read.statuses);
    };
    const std::string go = R"({"from":["A"],"event":"go","to":"B"})";
    const std::string stop = R"({"from":["B"],"event":"stop","to":"C"})";
    const auto was = machine(go + "," + stop);
    BOOST_TEST(check_successor(was, machine(stop + "," + go)).has_value());
    const auto differs = [&](const status_machine& is) {
        const auto ok = check_successor(was, is);
        BOOST_REQUIRE(!ok);
        return ok.error().detail;
    };
    BOOST_TEST(differs(machine(go)) == "B –stop→ C is gone");
    BOOST_TEST(differs(machine(go + R"(,{"from":["B"],"event":"stop","to":"D"})")) ==
               "B –stop→ C is gone; B –stop→ D is new");
    BOOST_TEST(differs(machine(
                   go + R"(,{"from":["B"],"event":"stop","to":"C","open_to_clients":true})")) ==
               "stop: open_to_clients changed");
    // Who may raise an event is no matter of the orders that are there.
    const std::string open = R"({"from":["A"],"event":"go","to":"B","open_to_clients":true)";
    BOOST_TEST(
        check_successor(machine(open + "}"), machine(open + R"(,"scope":"operate"})")).has_value());
    const std::string stage =
        R"({"waiting":"A","start":"s","active":"W","release":"r","fail":"f","failed":"F"})";
    const std::string end = R"({"from":["W"],"event":"done","to":"D"})";
    const auto staged = machine(end, stage);
    const auto bare = machine(
        R"({"from":["A"],"event":"s","to":"W"},{"from":["W"],"event":"r","to":"A"},
           {"from":["W","A"],"event":"f","to":"F"},)" +
        end);
    BOOST_TEST(check_successor(staged, bare).error().detail == "stage W is gone or changed");
    BOOST_TEST(check_successor(bare, staged).error().detail == "stage W is new or changed");
    BOOST_TEST(!check_successor(status_machine::standard(), was));
}
