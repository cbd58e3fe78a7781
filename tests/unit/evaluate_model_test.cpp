// What evaluate() does under an order model: attributes that never change, annotations, index
// entries, redaction.

#include <orderproc/adapter.hpp>
#include <orderproc/change.hpp>
#include <orderproc/testing/builders.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
using orderproc::testing::order_builder;

namespace {

constexpr timestamp now{1'780'000'000'000ms};

// sku never changes, tracking always may, email is personal, ref is unique.
order_model make_model() {
    order_rules rules;
    attribute_rule fixed{"sku"};
    fixed.edits = attribute_edits::never;
    attribute_rule tracking{"tracking"};
    tracking.edits = attribute_edits::always;
    tracking.indexed = true;
    tracking.size_max = 64;
    attribute_rule email{"email"};
    email.personal = true;
    email.indexed = true;
    email.size_max = 64;
    attribute_rule ref{"ref"};
    ref.indexed = true;
    ref.unique = attribute_unique::everywhere;
    ref.size_max = 64;
    rules.attributes = {fixed, tracking, email, ref};
    return order_model::build(std::move(rules)).value();
}

struct fixture {
    const order_model model = make_model();

    stored_order stored(const order_builder& it) const {
        stored_order out;
        out.value = it.build();
        out.value.version = order_version{4};
        out.value.created_at = now - 2h;
        out.value.updated_at = now - 1h;
        out.index = model.index_of(out.value);
        return out;
    }
    static order_builder full() {
        return order_builder{}
            .id("A")
            .status("PENDING")
            .attribute("email", "ann@example.org")
            .attribute("ref", "R1")
            .attribute("sku", "S")
            .attribute("tracking", "T1");
    }
    change with(decltype(change::action) action, std::string event) const {
        change out;
        out.order = "A";
        out.event = std::move(event);
        out.action = std::move(action);
        out.model = &model;
        return out;
    }
    static error_code code_of(const result<evaluation>& it) {
        return it ? error_code() : it.error().code;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(under_a_model, fixture)

BOOST_AUTO_TEST_CASE(a_new_order_gets_its_entries) {
    const change what = with(create_order{full().build()}, "create");
    const evaluation out = evaluate(nullptr, what, now).value();
    const std::vector<index_entry> expected{
        {2, false, "T1"}, {3, false, "ann@example.org"}, {4, true, "R1"}};
    BOOST_TEST((out.after.index == expected));
    change plain = what;
    plain.model = nullptr;
    BOOST_TEST(evaluate(nullptr, plain, now)->after.index.empty());
}

BOOST_AUTO_TEST_CASE(an_edit_replaces_them) {
    const stored_order was = stored(full());
    order_content content = was.value;
    content.attributes = {{"ref", "R2"}, {"sku", "S"}};
    const evaluation out = evaluate(&was, with(edit_order{content}, "edit"), now).value();
    BOOST_TEST((out.after.index == std::vector<index_entry>{{4, true, "R2"}}));
    BOOST_TEST(
        (entries_beyond(out.after.index, was.index) == std::vector<index_entry>{{4, true, "R2"}}));
    BOOST_TEST((entries_beyond(was.index, out.after.index) ==
                std::vector<index_entry>{
                    {2, false, "T1"}, {3, false, "ann@example.org"}, {4, true, "R1"}}));
}

BOOST_AUTO_TEST_CASE(an_edit_keeps_what_never_changes) {
    const stored_order was = stored(full());
    order_content other = was.value;
    other.attributes[2].value = "Z";
    BOOST_TEST(code_of(evaluate(&was, with(edit_order{other}, "edit"), now)) ==
               make_error_code(errc::invalid_argument));
    other.attributes.erase(other.attributes.begin() + 2);
    BOOST_TEST(code_of(evaluate(&was, with(edit_order{other}, "edit"), now)) ==
               make_error_code(errc::invalid_argument));
    const stored_order without = stored(order_builder{}.id("A").status("PENDING"));
    order_content added = without.value;
    added.attributes = {{"sku", "S"}};
    BOOST_TEST(code_of(evaluate(&without, with(edit_order{added}, "edit"), now)) ==
               make_error_code(errc::invalid_argument));
    BOOST_TEST(!code_of(evaluate(&was, with(edit_order{was.value}, "edit"), now)));
}

BOOST_AUTO_TEST_CASE(an_older_order_gets_the_default_of_what_never_changes) {
    attribute_rule channel{"channel"};
    channel.edits = attribute_edits::never;
    channel.default_value = attribute_value("web");
    order_rules rules;
    rules.attributes = {channel};
    const order_model newer = order_model::build(rules).value();
    const stored_order was = stored(order_builder{}.id("A").status("PENDING"));
    order_content content = was.value;
    newer.complete(content);
    change what = with(edit_order{content}, "edit");
    what.model = &newer;
    BOOST_TEST(!code_of(evaluate(&was, what, now)));
    std::get<edit_order>(what.action).content.attributes[0].value = "shop";
    BOOST_TEST(code_of(evaluate(&was, what, now)) == make_error_code(errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(an_edit_without_annotations_keeps_them) {
    const stored_order was = stored(full().annotations(R"({"a":1})"));
    order_content content = was.value;
    content.annotations.clear();
    BOOST_TEST(evaluate(&was, with(edit_order{content}, "edit"), now)->after.value.annotations ==
               R"({"a":1})");
    content.annotations = "{}";
    BOOST_TEST(evaluate(&was, with(edit_order{content}, "edit"), now)->after.value.annotations ==
               "{}");
}

BOOST_AUTO_TEST_CASE(annotating_disturbs_no_work) {
    stored_order was = stored(full().status("PROCESSING").annotations(R"({"a":1})"));
    was.leased = true;
    was.lease = lease_token{7};
    was.worker_id = "w";
    was.due_at = now + 30s;
    was.span = 30s;
    was.value.attempts = 2;
    was.value.first_claimed_at = now - 1min;
    annotate_order fields;
    fields.annotations = R"({"b":2})";
    fields.attributes = {{"tracking", "T2"}};
    const change what = with(fields, "annotate");
    const evaluation out = evaluate(&was, what, now).value();
    stored_order expected = was;
    expected.value.version = order_version{5};
    expected.value.updated_at = now;
    expected.value.annotations = R"({"b":2})";
    expected.value.attributes[3].value = "T2";
    expected.index = {{2, false, "T2"}, {3, false, "ann@example.org"}, {4, true, "R1"}};
    BOOST_TEST((out.after == expected));
    BOOST_TEST(out.journaled);
    BOOST_TEST(out.event == "annotate");
    BOOST_TEST((out.from == was.value.status));
}

BOOST_AUTO_TEST_CASE(annotating_adds_and_removes_attributes_and_keeps_their_order) {
    const stored_order was =
        stored(order_builder{}.id("A").status("FAILED").attribute("ref", "R1"));
    annotate_order fields;
    fields.attributes = {{"tracking", "T1"}};
    const evaluation added = evaluate(&was, with(fields, "annotate"), now).value();
    BOOST_TEST((added.after.value.attributes ==
                std::vector<order_attribute>{{"ref", "R1"}, {"tracking", "T1"}}));
    fields = {};
    fields.removed = {"tracking", "unknown"};
    const evaluation gone = evaluate(&added.after, with(fields, "annotate"), now).value();
    BOOST_TEST((gone.after.value.attributes == std::vector<order_attribute>{{"ref", "R1"}}));
    BOOST_TEST(gone.after.value.annotations.empty());
}

BOOST_AUTO_TEST_CASE(only_what_is_settled_is_redacted) {
    stored_order was = stored(full().status("COMPLETED").metadata(R"({"a":1})").annotations("{}"));
    BOOST_TEST(code_of(evaluate(&was, with(redact_order{}, "redact"), now)) ==
               make_error_code(errc::transition_rejected));
    was.value.settled_at = now - 1h;
    was.leased = true;
    BOOST_TEST(code_of(evaluate(&was, with(redact_order{}, "redact"), now)) ==
               make_error_code(errc::transition_rejected));
    was.leased = false;
    const evaluation out = evaluate(&was, with(redact_order{}, "redact"), now).value();
    stored_order expected = was;
    expected.value.version = order_version{5};
    expected.value.updated_at = now;
    expected.value.metadata = "{}";
    expected.value.annotations.clear();
    expected.value.attributes.erase(expected.value.attributes.begin());
    expected.index = {{2, false, "T1"}, {4, true, "R1"}};
    BOOST_TEST((out.after == expected));
    BOOST_TEST(out.redacted);
    BOOST_TEST(out.journaled);
    BOOST_TEST(!out.removed);
    change standard = with(redact_order{}, "redact");
    standard.model = nullptr;
    BOOST_TEST(evaluate(&was, standard, now)->after.value.metadata == "{}");
}

BOOST_AUTO_TEST_CASE(a_deleted_order_is_redacted_as_it_was_at_its_end) {
    const order last = stored(full().metadata(R"({"a":1})")).value;
    const change what = with(redact_order{}, "redact");
    const evaluation out = evaluate_deleted(order(last), what, now).value();
    BOOST_TEST(out.redacted);
    BOOST_TEST(out.removed);
    BOOST_TEST(out.journaled);
    BOOST_TEST(out.after.value.metadata == "{}");
    BOOST_TEST(out.after.index.empty());
    BOOST_TEST((out.after.value.version == order_version{5}));
    BOOST_TEST(code_of(evaluate_deleted(order(last), with(remove_order{}, "delete"), now)) ==
               make_error_code(errc::not_found));
    change scoped = what;
    scoped.scope.user = "somebody else";
    BOOST_TEST(code_of(evaluate_deleted(order(last), scoped, now)) ==
               make_error_code(errc::not_found));
    change old = what;
    old.version = order_version{3};
    BOOST_TEST(code_of(evaluate_deleted(order(last), old, now)) ==
               make_error_code(errc::version_conflict));
}

BOOST_AUTO_TEST_CASE(refreshing_the_index_leaves_no_trace) {
    stored_order was = stored(full());
    const stored_order right = was;
    was.index = {{9, false, "of another model"}};
    const evaluation out = evaluate(&was, with(index_order{}, "index"), now).value();
    BOOST_TEST((out.after == right));
    BOOST_TEST(!out.journaled);
}

BOOST_AUTO_TEST_CASE(a_deleted_order_is_found_by_nothing) {
    const stored_order was = stored(full());
    const evaluation out = evaluate(&was, with(remove_order{}, "delete"), now).value();
    BOOST_TEST(out.removed);
    BOOST_TEST(out.after.index.empty());
}

BOOST_AUTO_TEST_CASE(whoever_has_the_value_is_named_to_those_who_may_see_it) {
    const change what = with(create_order{full().id("B").build()}, "create");
    const evaluation wanted = evaluate(nullptr, what, now).value();
    const stored_order holder = stored(full().user("7"));
    const change_outcome out = refuse_taken(what, wanted, holder);
    BOOST_TEST(out.ec == make_error_code(errc::attribute_taken));
    BOOST_TEST(out.taken == 4);
    BOOST_TEST_REQUIRE(out.after.has_value());
    BOOST_TEST(out.after->id.view() == "A");
    change scoped = what;
    scoped.scope.user = "8";
    BOOST_TEST(!refuse_taken(scoped, wanted, holder).after.has_value());
    BOOST_TEST(refuse_taken(scoped, wanted, holder).taken == 4);
}

BOOST_AUTO_TEST_CASE(entries_survive_as_bytes) {
    const std::vector<index_entry> entries = stored(full()).index;
    std::string bytes;
    append_index(entries, bytes);
    BOOST_TEST((read_index(bytes).value() == entries));
    BOOST_TEST(read_index("").value().empty());
    for (std::size_t size = 1; size < bytes.size(); ++size) {
        const auto part = read_index(std::string_view(bytes).substr(0, size));
        BOOST_TEST((!part || part->size() < entries.size()));
    }
    BOOST_TEST(!read_index(bytes + bytes));  // does not ascend
    BOOST_TEST(!read_index(std::string("\1\2\0", 3)));
}

BOOST_AUTO_TEST_SUITE_END()
