// What lower() does under an order model: validation, default values, annotations, orders that
// begin later.

#include "lower_fixture.hpp"

#include <orderproc/command.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <utility>

using namespace orderproc;
using namespace lower_fixture;
using namespace std::chrono_literals;
using orderproc::testing::order_builder;

namespace {

// gift has a default value; tracking and stage change in every status, and stage is required.
order_model make_model() {
    order_rules rules;
    attribute_rule gift{"gift", attribute_type::boolean};
    gift.default_value = attribute_value(false);
    attribute_rule tracking{"tracking"};
    tracking.edits = attribute_edits::always;
    tracking.size_max = 5;
    attribute_rule stage{"stage"};
    stage.edits = attribute_edits::always;
    stage.required = true;
    rules.attributes = {gift, tracking, stage, attribute_rule{"note"}};
    rules.ids = id_form::any;
    return order_model::build(std::move(rules)).value();
}

struct fixture {
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    runtime with{time, random, nobody};
    const status_machine& machine = status_machine::standard();
    const order_model model = make_model();

    result<change> lower_one(decltype(command::what) what) {
        command it;
        it.what = std::move(what);
        return lower(std::move(it), machine, with, model);
    }
    std::string refusal(decltype(command::what) what) {
        auto out = lower_one(std::move(what));
        if (out) return "accepted";
        BOOST_TEST(out.error().code == errc::invalid_argument);
        return out.error().detail;
    }
    static order_draft draft() { return order_builder{}.attribute("stage", "one").draft(); }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(under_a_model, fixture)

BOOST_AUTO_TEST_CASE(changes_know_their_model) {
    BOOST_TEST(lower_one(submit_order{draft()})->model == &model);
    BOOST_TEST(lower_one(erase_order{"A"})->model == &model);
}

BOOST_AUTO_TEST_CASE(orders_are_completed_and_judged) {
    const change made = lower_one(submit_order{draft()}).value();
    const order& it = std::get<create_order>(made.action).value;
    BOOST_TEST((it.attributes == std::vector<order_attribute>{{"gift", false}, {"stage", "one"}}));
    const change edited = lower_one(edit_fields{"A", draft()}).value();
    BOOST_TEST((std::get<edit_order>(edited.action).content.attributes == it.attributes));
    BOOST_TEST(refusal(submit_order{order_builder{}.draft()}) == "attributes.stage is required");
    BOOST_TEST(refusal(edit_fields{"A", order_builder{}.draft()}) ==
               "attributes.stage is required");
}

BOOST_AUTO_TEST_CASE(ids_have_the_form_of_the_model) {
    order_draft it = draft();
    it.id = order_id::parse("Bestellung 7/ä").value();
    BOOST_TEST(lower_one(submit_order{it})->order == "Bestellung 7/ä");
}

BOOST_AUTO_TEST_CASE(what_is_annotated_changes_in_every_status) {
    annotate what{"A", {}};
    what.fields.annotations = R"({"a":1})";
    what.fields.attributes = {{"tracking", "T1"}};
    const change out = lower_one(what).value();
    BOOST_TEST(out.order == "A");
    BOOST_TEST(out.event == "annotate");
    BOOST_TEST(out.from.empty());
    BOOST_TEST(!out.unleased);
    BOOST_TEST((std::get<annotate_order>(out.action).attributes == what.fields.attributes));

    what.fields.attributes = {{"note", "x"}};
    BOOST_TEST(refusal(what) == "attributes.note does not change in every status");
    what.fields.attributes = {{"other", "x"}};
    BOOST_TEST(refusal(what) == "attributes.other is not an attribute of an order");
    what.fields.attributes = {{"tracking", "longer"}};
    BOOST_TEST(refusal(what) == "attributes.tracking must have 1 to 5 bytes");
    what.fields.attributes = {{"tracking", "b"}, {"stage", "a"}};
    BOOST_TEST(refusal(what) == "attributes must ascend by name, and stage does not");
    what.fields.attributes.clear();
    what.fields.removed = {"tracking"};
    BOOST_TEST(refusal(what) == "accepted");
    what.fields.removed = {"stage"};
    BOOST_TEST(refusal(what) == "attributes.stage is required");
    what.fields.removed = {"note"};
    BOOST_TEST(refusal(what) == "attributes.note does not change in every status");
    what.fields.removed.clear();
    what.fields.annotations = "[]";
    BOOST_TEST(refusal(what).starts_with("annotations must be a JSON object"));
}

BOOST_AUTO_TEST_CASE(redacting_and_indexing_name_their_order) {
    const change redact = lower_one(redact_personal{"A"}).value();
    BOOST_TEST(redact.order == "A");
    BOOST_TEST(redact.event == "redact");
    BOOST_TEST(std::holds_alternative<redact_order>(redact.action));
    BOOST_TEST(validate(redact).has_value());
    const change refresh = lower_one(refresh_index{"A"}).value();
    BOOST_TEST(refresh.order == "A");
    BOOST_TEST(refresh.event == "index");
    BOOST_TEST(std::holds_alternative<index_order>(refresh.action));
}

BOOST_AUTO_TEST_CASE(an_order_may_begin_later) {
    order_draft it = draft();
    it.not_before = time.now() + 1h;
    const change later = lower_one(submit_order{it}).value();
    BOOST_TEST((std::get<create_order>(later.action).value.next_attempt_at == it.not_before));
    const evaluation out = evaluate(nullptr, later, time.now()).value();
    BOOST_TEST((out.after.due_at == it.not_before));
    BOOST_TEST(out.after.span.count() == 0);  // it was asked for: no clock shortens it

    it.not_before = time.now();
    const change now = lower_one(submit_order{it}).value();
    BOOST_TEST(!std::get<create_order>(now.action).value.next_attempt_at.has_value());
}

BOOST_AUTO_TEST_CASE(what_no_worker_begins_does_not_begin_later) {
    const transition_rule open[] = {{"OPEN", "close", "CLOSED", true}};
    const status_machine by_hand = status_machine::build("OPEN", open, {}).value();
    command it;
    order_draft wanted = draft();
    wanted.not_before = time.now() + 1h;
    it.what = submit_order{wanted};
    BOOST_TEST(lower(it, by_hand, with, model).error().detail ==
               "not_before must be left out: no work begins in the initial status");
}

BOOST_AUTO_TEST_SUITE_END()
