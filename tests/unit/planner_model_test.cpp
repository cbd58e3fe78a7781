// The same for what an order model adds: values that are unique, redaction, what a write depends
// on.

#include "planner_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace planner_fixture;

namespace {

// A purchase number that no two orders have, and an email address that is personal.
const order_model& shop() {
    static const order_model it = [] {
        order_rules rules;
        attribute_rule number;
        number.name = "number";
        number.size_max = 64;
        number.indexed = true;
        number.unique = attribute_unique::everywhere;
        attribute_rule email;
        email.name = "email";
        email.personal = true;
        rules.attributes = {number, email};
        return std::move(order_model::build(rules)).value();
    }();
    return it;
}

change creating_with(std::string_view id, std::string number) {
    change out = creating(id);
    out.model = &shop();
    order& value = std::get<create_order>(out.action).value;
    value.attributes = {{"number", std::move(number)}};
    return out;
}

stored_order having(std::string number) {
    stored_order out = waiting();
    out.value.attributes = {{"number", std::move(number)}};
    out.index = shop().index_of(out.value);
    return out;
}

change deleting(std::string_view id) {
    change out;
    out.order = id;
    out.event = "delete";
    out.action = remove_order{};
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_value_that_another_order_has_is_refused) {
    database db;
    db.add("A", having("17"));
    const planned out(db, {{creating_with("B", "17"), creating_with("C", "18")}});
    BOOST_TEST((out.changes[0].ec == errc::attribute_taken));
    BOOST_TEST((out.changes[0].after->id == order_id::parse("A").value()));
    BOOST_TEST(out.changes[1].ec == error_code());
    BOOST_TEST(out.result().created.size() == 1U);
    BOOST_TEST_REQUIRE(out.result().indexed.size() == 1U);
    BOOST_TEST(out.result().indexed[0].first == 2);
    BOOST_TEST(out.result().unindexed.empty());
}

BOOST_AUTO_TEST_CASE(the_second_of_two_in_a_write_is_refused_its_value) {
    const planned out(database(), {{creating_with("A", "17"), creating_with("B", "17")}});
    BOOST_TEST(out.changes[0].ec == error_code());
    BOOST_TEST((out.changes[1].ec == errc::attribute_taken));
    BOOST_TEST((out.changes[1].after->id == order_id::parse("A").value()));
    BOOST_TEST(out.result().indexed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_value_is_free_when_its_order_goes_in_the_same_write) {
    database db;
    db.add("A", having("17"));
    const planned out(db, {{deleting("A"), creating_with("B", "17")}});
    BOOST_TEST(out.changes[0].ec == error_code());
    BOOST_TEST(out.changes[1].ec == error_code());
    BOOST_TEST(out.result().unindexed.size() == 1U);
    BOOST_TEST(out.result().indexed.size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_edit_that_is_refused_for_its_value_leaves_the_order) {
    database db;
    db.add("A", having("17"));
    stored_order other = having("18");
    other.value.first_claimed_at.reset();
    db.add("B", other);
    change what = creating_with("B", "17");
    what.event = "edit";
    what.action = edit_order{std::get<create_order>(what.action).value};
    const planned out(db, {{what}, {by_worker(10)}});
    BOOST_TEST((out.changes[0].ec == errc::attribute_taken));
    BOOST_TEST((ids_of(out.claims[0]) == names{"A", "B"}));
    BOOST_TEST((out.claims[0].orders[1].value.attributes == other.value.attributes));
    BOOST_TEST(out.result().edited.empty());
    BOOST_TEST(out.result().indexed.empty());
}

BOOST_AUTO_TEST_CASE(a_redaction_takes_entries_and_records_also_of_a_deleted_order) {
    database db;
    order gone = testing::order_builder().id("A").status("CANCELLED").build();
    gone.number = 1;
    gone.settled_at = now - 1h;
    gone.metadata = R"({"name":"Ann"})";
    db.sums.number = 1;
    db.sums.position = 2;
    order last = gone;
    last.version = order_version{2};
    db.entries["A"] = {gone, last};
    db.about["A"] = {{"parked", "k"}};
    change what;
    what.order = "A";
    what.event = "redact";
    what.action = redact_order{};
    what.model = &shop();
    const planned out(db, {{what}});
    BOOST_TEST(out.changes[0].ec == error_code());
    BOOST_TEST((out.changes[0].after->version == order_version{3}));
    const plan::write_set& set = out.result();
    BOOST_TEST(set.redacted.size() == 2U);
    BOOST_TEST(set.redacted[0].snapshot.find("Ann") == std::string::npos);
    BOOST_TEST_REQUIRE(set.entries.size() == 1U);
    BOOST_TEST(set.entries[0].snapshot.find("Ann") == std::string::npos);
    BOOST_TEST(set.removed.empty());
    BOOST_TEST(set.records.size() == 1U);
    BOOST_TEST(set.sums.statuses.empty());
}

BOOST_AUTO_TEST_CASE(a_guard_is_the_version_of_a_record_or_0) {
    database db;
    const writing what{{creating("A")}};
    write_params params = what.params();
    params.guard = record_guard{"orderproc", "model", 0};
    BOOST_TEST(plan::is_admitted(params, db.answer(params)));
    db.records[{"orderproc", "model"}] = {"model", "one", 3, {}};
    BOOST_TEST(!plan::is_admitted(params, db.answer(params)));
    params.guard->version = 3;
    BOOST_TEST(plan::is_admitted(params, db.answer(params)));
}
