#include "lower_fixture.hpp"

#include <orderproc/command.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;
using namespace lower_fixture;
using namespace std::chrono_literals;

namespace {

struct fixture {
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    runtime with{time, random, nobody};
    const status_machine& machine = status_machine::standard();

    result<change> lower_one(decltype(command::what) what) {
        command it;
        it.what = std::move(what);
        return lower(std::move(it), machine, with);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(each_command, fixture)

BOOST_AUTO_TEST_CASE(what_goes_for_all_of_them) {
    command it;
    it.what = erase_order{"A-1"};
    it.idempotency_key = idempotency{};
    it.idempotency_key->key[0] = std::byte{7};
    it.version = order_version{3};
    it.scope.user = "5";
    it.actor = "shop";
    it.traceparent = "00-1-2-01";
    const change out = lower(std::move(it), machine, with).value();
    BOOST_TEST_REQUIRE(out.idempotency_key.has_value());
    BOOST_TEST((out.idempotency_key->key[0] == std::byte{7}));
    BOOST_TEST((out.version == order_version{3}));
    BOOST_TEST((out.scope == order_scope{"5", {}}));
    BOOST_TEST(out.actor == "shop");
    BOOST_TEST(out.traceparent == "00-1-2-01");
    BOOST_TEST(!out.lease.has_value());
}

BOOST_AUTO_TEST_CASE(submit_keeps_what_the_client_says) {
    submit_order submit{valid_order()};
    submit.value.id = order_id::parse("A-1").value();
    submit.value.tenant = "north";
    submit.value.attributes = {{"gift", true}};
    submit.value.annotations = "{}";
    const change out = lower_one(submit).value();
    order expected;
    static_cast<order_content&>(expected) = submit.value;
    expected.id = order_id::parse("A-1").value();
    expected.status = "PENDING";
    BOOST_TEST(out.order == "A-1");
    BOOST_TEST(out.event == "create");
    BOOST_TEST(out.from.empty());
    BOOST_TEST((std::get<create_order>(out.action).value == expected));
    BOOST_TEST(std::get<create_order>(out.action).queued);
}

BOOST_AUTO_TEST_CASE(submit_makes_ids_that_sort_by_time) {
    std::set<std::string> ids;
    std::string last;
    for (int i = 0; i < 100; ++i) {
        time.advance(1ms);
        const change out = lower_one(submit_order{valid_order()}).value();
        BOOST_TEST(std::get<create_order>(out.action).value.id.view() == out.order);
        BOOST_TEST(last < out.order);
        last = out.order;
    }
    for (int i = 0; i < 100; ++i) ids.insert(lower_one(submit_order{valid_order()})->order);
    BOOST_TEST(ids.size() == 100U);  // all of one millisecond
    testing::seeded_random again(7);
    const std::uint64_t high = again.next();
    const std::uint64_t low = again.next();
    testing::seeded_random same(7);
    runtime other{time, same, nobody};
    command it;
    it.what = submit_order{valid_order()};
    BOOST_TEST(lower(it, machine, other)->order == order_id::make(time.now(), high, low).view());
}

BOOST_AUTO_TEST_CASE(submit_to_a_machine_without_work_is_settled_at_once) {
    const std::vector<transition_rule> rules{{"DRAFT", "send", "SENT", true}};
    const auto drafts = status_machine::build("DRAFT", rules, {}).value();
    command it;
    it.what = submit_order{valid_order()};
    const auto out = lower(it, drafts, with).value();
    BOOST_TEST(!std::get<create_order>(out.action).queued);
    BOOST_TEST(std::get<create_order>(out.action).value.settled_at.has_value());
}

BOOST_AUTO_TEST_CASE(what_is_not_valid_is_refused) {
    order_draft bad = valid_order();
    bad.item_ids.clear();
    const auto submitted = lower_one(submit_order{bad});
    BOOST_TEST(submitted.error().code == make_error_code(errc::invalid_argument));
    BOOST_TEST(submitted.error().detail == validate(bad).error().detail);
    const auto edited = lower_one(edit_fields{"A-1", bad});
    BOOST_TEST(edited.error().code == make_error_code(errc::invalid_argument));
    BOOST_TEST(edited.error().detail == validate(bad).error().detail);
}

// A host may pass on what its customers wrote.
BOOST_AUTO_TEST_CASE(texts_have_bounds_and_are_text) {
    const auto said = [&](std::string reason, std::string actor, std::string traceparent) {
        command it;
        it.what = raise_event{"A-1", "cancel", std::move(reason)};
        it.actor = std::move(actor);
        it.traceparent = std::move(traceparent);
        const auto out = lower(std::move(it), machine, with);
        if (!out) BOOST_TEST((out.error().code == errc::invalid_argument));
        return out ? std::string("ok") : out.error().detail;
    };
    const std::string nul("a\0b", 3);
    BOOST_TEST(said("two\nlines, \xC3\xA9", "Jos\xC3\xA9", "00-1-2-01") == "ok");
    BOOST_TEST(said(std::string(1024, 'x'), std::string(256, 'x'), std::string(256, 'x')) == "ok");
    BOOST_TEST(said(std::string(1025, 'x'), "", "") == "reason must have at most 1024 bytes");
    BOOST_TEST(said(nul, "", "") == "reason must be UTF-8 without NUL");
    BOOST_TEST(said("\xff", "", "") == "reason must be UTF-8 without NUL");
    BOOST_TEST(said("\xC3", "", "") == "reason must be UTF-8 without NUL");
    BOOST_TEST(said("", std::string(257, 'x'), "") == "actor must have at most 256 bytes");
    for (const std::string& it :
         {nul, std::string("a\nb"), std::string("\x7f"), std::string("\x80")}) {
        BOOST_TEST(said("", it, "") == "actor must be UTF-8 without control characters");
    }
    BOOST_TEST(said("", "", std::string(257, '0')) == "traceparent must have at most 256 bytes");
    for (const std::string& it : {nul, std::string("a\r\nb"), std::string("\xC3\xA9")}) {
        BOOST_TEST(said("", "", it) == "traceparent must be printable ASCII");
    }
}

BOOST_AUTO_TEST_CASE(metadata_cannot_forge_fields) {
    const std::string forged = R"({},"status":"COMPLETED","x":{})";
    order_draft it = valid_order();
    it.metadata = forged;
    BOOST_TEST((lower_one(submit_order{it}).error().code == errc::invalid_argument));
    edit_fields edit{"A-1", it};
    BOOST_TEST((lower_one(edit).error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(new_orders_have_plain_ids) {
    submit_order submit{valid_order()};
    for (const char* id : {"a b", "_a", "\xC3\xA4", "a/b"}) {
        submit.value.id = order_id::parse(id).value();
        BOOST_TEST((lower_one(submit).error().code == errc::invalid_argument), id);
    }
}

BOOST_AUTO_TEST_CASE(an_edit_changes_no_id) {
    edit_fields edit{"A-1", valid_order()};
    edit.fields.id = order_id::parse("A-1").value();
    BOOST_TEST(lower_one(edit).has_value());
    edit.fields.id = order_id::parse("A-2").value();
    BOOST_TEST(lower_one(edit).error().detail == "an edit cannot change the id of an order");
}

BOOST_AUTO_TEST_CASE(nobody_makes_orders_of_another_tenant) {
    order_rules rules;
    rules.tenants = true;
    const order_model shops = order_model::build(rules).value();
    command it;
    it.scope.tenant = "north";
    for (const char* tenant : {"", "south"}) {
        order_draft wanted = valid_order();
        wanted.tenant = tenant;
        it.what = submit_order{wanted};
        BOOST_TEST(lower(it, machine, with, shops).error().detail ==
                   "tenant must be the principal's own");
    }
    order_draft wanted = valid_order();
    it.what = edit_fields{"A-1", wanted};  // which keeps the order's
    BOOST_TEST(lower(it, machine, with, shops).has_value());
    wanted.tenant = "south";
    it.what = edit_fields{"A-1", wanted};
    BOOST_TEST(lower(it, machine, with, shops).error().detail ==
               "tenant must be the principal's own");
    wanted.tenant = "north";
    it.what = submit_order{wanted};
    BOOST_TEST(lower(it, machine, with, shops).has_value());
}

BOOST_AUTO_TEST_CASE(nobody_makes_orders_of_another_user) {
    command it;
    it.scope.user = "6";
    it.what = submit_order{valid_order()};
    BOOST_TEST(lower(it, machine, with).error().code == make_error_code(errc::invalid_argument));
    it.what = edit_fields{"A-1", draft("5", {1}, {100, "USD"})};
    BOOST_TEST(lower(it, machine, with).error().code == make_error_code(errc::invalid_argument));
    it.scope.user = "5";
    BOOST_TEST(lower(it, machine, with).has_value());
}

BOOST_AUTO_TEST_CASE(edit_only_at_first_and_while_nobody_works_on_it) {
    const change out = lower_one(edit_fields{"A-1", draft("5", {3}, {7, "JPY"})}).value();
    BOOST_TEST(out.order == "A-1");
    BOOST_TEST(out.event == "edit");
    BOOST_TEST_REQUIRE(out.from.size() == 1U);
    BOOST_TEST((out.from[0] == machine.initial()));
    BOOST_TEST(out.unleased);
    const order_content& fields = std::get<edit_order>(out.action).content;
    BOOST_TEST(fields.user == "5");
    BOOST_TEST(fields.item_ids.size() == 1U);
    BOOST_TEST((fields.total_amount == money{7, "JPY"}));
    BOOST_TEST(fields.metadata == "{}");
}

BOOST_AUTO_TEST_CASE(erase_unless_somebody_works_on_it) {
    const change out = lower_one(erase_order{"A-1"}).value();
    BOOST_TEST(out.order == "A-1");
    BOOST_TEST(out.event == "delete");
    BOOST_TEST(out.from.empty());
    BOOST_TEST(out.unleased);
    BOOST_TEST(std::holds_alternative<remove_order>(out.action));
}

BOOST_AUTO_TEST_CASE(keys_are_looked_up_beside_an_order_or_alone) {
    BOOST_TEST(lower_one(find_key{"A-1"}).error().detail ==
               "there is no idempotency key to look up");
    command what{find_key{"A-1"}, idempotency{}};
    what.idempotency_key->key[0] = std::byte{0xa7};
    const change beside = lower(what, machine, with).value();
    BOOST_TEST(beside.order == "A-1");
    BOOST_TEST(std::holds_alternative<look_up_key>(beside.action));
    BOOST_TEST((beside.idempotency_key == what.idempotency_key));
    what.what = find_key{};
    BOOST_TEST(lower(what, machine, with).value().order == "?a7" + std::string(30, '0'));
}

BOOST_AUTO_TEST_CASE(cancel) {
    const change out = lower_one(raise_event{"A-1", "cancel", "too late"}).value();
    BOOST_TEST(out.order == "A-1");
    BOOST_TEST(out.event == "cancel");
    BOOST_TEST_REQUIRE(out.from.size() == 1U);
    BOOST_TEST((out.from[0] == order_status("PENDING")));
    BOOST_TEST(!out.unleased);
    const auto& move = std::get<transition_order>(out.action);
    BOOST_TEST((move.to == order_status("CANCELLED")));
    BOOST_TEST(move.reason == "too late");
    BOOST_TEST(!move.queued);
    BOOST_TEST(!move.attempts.has_value());
    BOOST_TEST(!move.next_attempt_at.has_value());
    BOOST_TEST(move.settles);
    BOOST_TEST(move.repeatable);
}

BOOST_AUTO_TEST_CASE(retry_starts_the_count_again) {
    const auto out = lower_one(raise_event{"A-1", "retry", {}}).value();
    const auto& move = std::get<transition_order>(out.action);
    BOOST_TEST((move.to == order_status("PENDING")));
    BOOST_TEST(move.queued);
    BOOST_TEST((move.attempts == 0U));
    BOOST_TEST(!move.settles);
}

BOOST_AUTO_TEST_CASE(release_by_a_host_does_not) {
    const auto out = lower_one(raise_event{"A-1", "release", {}}).value();
    const auto& move = std::get<transition_order>(out.action);
    BOOST_TEST(move.queued);
    BOOST_TEST(!move.attempts.has_value());
}

BOOST_AUTO_TEST_CASE(entering_the_next_stage_does) {
    command it;
    it.what = raise_event{"A-1", "packed", {}};
    const auto out = lower(it, shop(), with).value();
    BOOST_TEST(std::get<transition_order>(out.action).queued);
    BOOST_TEST((std::get<transition_order>(out.action).attempts == 0U));
    it.what = raise_event{"A-1", "shipped", {}};
    const auto shipped = lower(it, shop(), with).value();
    BOOST_TEST(std::get<transition_order>(shipped.action).settles);
}

BOOST_AUTO_TEST_CASE(what_ends_all_work_says_so) {
    const auto completes = [this](const char* event) {
        const auto out = lower_one(raise_event{"A-1", event, {}}).value();
        return std::get<transition_order>(out.action).completes;
    };
    BOOST_TEST(completes("complete"));
    BOOST_TEST(completes("cancel"));  // but nobody will have worked on it: see evaluate_test
    BOOST_TEST(!completes("fail"));
    BOOST_TEST(!completes("retry"));
}

BOOST_AUTO_TEST_CASE(only_claims_start) {
    const auto out = lower_one(raise_event{"A-1", "start", {}});
    BOOST_TEST(out.error().code == make_error_code(errc::transition_rejected));
}

BOOST_AUTO_TEST_CASE(an_unknown_event_is_not_found) {
    const auto out = lower_one(raise_event{"A-1", "ship", {}});
    BOOST_TEST(out.error().code == make_error_code(errc::not_found));
    BOOST_TEST(out.error().detail == "no event ship");
}

BOOST_AUTO_TEST_SUITE_END()
