// Which keys count, and from when on they no longer do.

#include "auth/key_use.hpp"
#include "auth/key_watch.hpp"
#include "auth_fixture.hpp"

#include <orderproc/testing/fault_storage.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct key_fixture : auth_fixture {
    std::uint64_t sequence = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(keys_in_memory, key_fixture)

BOOST_AUTO_TEST_CASE(a_key_counts_once_it_was_read) {
    const auto made = make("web-shop", {scope::orders_write});
    BOOST_TEST(!find(made.text).who);
    BOOST_TEST(!table.any());
    refresh();
    BOOST_TEST(table.any());
    BOOST_TEST(table.usable());
    const key_verdict found = find(made.text);
    BOOST_REQUIRE(found.who);
    BOOST_TEST(found.who->name() == "key:web-shop");
    BOOST_TEST(found.who->may(scope::orders_write));
    BOOST_TEST(!found.who->may(scope::orders_read));
    BOOST_TEST(!found.who->bound());
    BOOST_TEST(found.id == made.key.id);
    BOOST_TEST((find(made.text).who == found.who));  // the same for all of its requests
}

// Row 2 of the attacks: what is wrong with a key is neither told nor felt.
BOOST_AUTO_TEST_CASE(a_wrong_key_costs_the_same_steps_as_a_good_one) {
    const auto made = make("web-shop", {scope::orders_read});
    const auto other = make("other", {scope::orders_read});
    refresh();
    std::string changed = made.text;
    changed[changed.size() - 10] = changed[changed.size() - 10] == 'a' ? 'b' : 'a';
    // The id of the one with the secret of the other, and a check that fits.
    const struct {
        std::string text;
        key_fault fault;
    } rows[] = {
        {made.text, key_fault::none},
        {changed, key_fault::malformed},
        {made.text.substr(0, made.text.size() - 1), key_fault::malformed},
        {made.text.substr(0, 20), key_fault::malformed},
        {"", key_fault::malformed},
        {make_key("test"), key_fault::unknown},
    };
    for (const auto& row : rows) {
        key_steps steps;
        const auto got = table.find(row.text, address("192.0.2.1"), &steps);
        BOOST_TEST((got.fault == row.fault), row.text);
        BOOST_TEST((got.who == nullptr) == (row.fault != key_fault::none), row.text);
        BOOST_TEST(steps.digests == 1U);
        BOOST_TEST(steps.comparisons == 1U);
    }
}

BOOST_AUTO_TEST_CASE(an_id_with_another_secret_does_not_count) {
    const auto made = make("web-shop", {scope::orders_read});
    auto found = reads->find_record({key_collection, made.key.id}).value().value();
    api_key changed = made.key;
    changed.secret = digest_of("another");
    change_record what;
    what.action = record_action::replace;
    what.collection = key_collection;
    what.key = made.key.id;
    what.version = found.version;
    what.value = encode(changed);
    write_params params;
    params.now = clock.now();
    params.writer = "test";
    params.sequence = 1;
    params.records = {&what, 1};
    record_outcome outcome;
    write_results results;
    results.records = {&outcome, 1};
    BOOST_REQUIRE(writer->write(params, results).has_value());
    refresh();
    BOOST_TEST((find(made.text).fault == key_fault::wrong_secret));
}

BOOST_AUTO_TEST_CASE(a_revoked_key_ends_with_the_next_look) {
    const auto made = make("web-shop", {scope::orders_read});
    refresh();
    const principal_ptr who = find(made.text).who;
    BOOST_REQUIRE(who);
    BOOST_REQUIRE(admin.revoke(made.key.id).has_value());
    BOOST_TEST(!who->ended());
    refresh();
    BOOST_TEST(who->ended());
    BOOST_TEST((find(made.text).fault == key_fault::ended));
    BOOST_TEST(table.any());  // somebody had a key: the door does not open again
    BOOST_TEST(!table.usable());
}

BOOST_AUTO_TEST_CASE(who_has_no_key_ends_with_the_first_and_begins_again_without_any) {
    const principal_ptr before = table.keyless();
    refresh();
    BOOST_TEST(!before->ended());
    make("web-shop", {scope::orders_read});
    refresh();
    BOOST_TEST(before->ended());
    const auto older = make_memory_storage();  // a backup of before is put in its place
    BOOST_REQUIRE(table.refresh(*older->connect_reader().value()).has_value());
    BOOST_TEST(before->ended());
    BOOST_TEST(!table.keyless()->ended());
}

BOOST_AUTO_TEST_CASE(a_key_ends_at_its_time) {
    const auto made = make("web-shop", {scope::orders_read}, [](api_key& it) {
        it.expires_at =
            timestamp{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}} + hours(1);
    });
    refresh();
    const principal_ptr who = find(made.text).who;
    BOOST_REQUIRE(who);
    clock.advance(hours(1) - milliseconds(1));
    BOOST_TEST(find(made.text).who);
    clock.advance(milliseconds(1));
    BOOST_TEST((find(made.text).fault == key_fault::ended));  // without another look
    refresh();
    BOOST_TEST(who->ended());
}

BOOST_AUTO_TEST_CASE(both_keys_count_during_the_overlap_of_a_rotation) {
    const auto first = make("web-shop", {scope::orders_read});
    refresh();
    const principal_ptr before = find(first.text).who;
    const auto second = admin.rotate(first.key.id, hours(24), "test");
    BOOST_REQUIRE(second.has_value());
    refresh();
    BOOST_REQUIRE(find(first.text).who);
    BOOST_REQUIRE(find(second->text).who);
    BOOST_TEST(find(second->text).who->name() == "key:web-shop");
    BOOST_TEST((find(first.text).who == before));  // its streams go on
    BOOST_TEST(!before->ended());
    clock.advance(hours(24));
    refresh();
    BOOST_TEST((find(first.text).fault == key_fault::ended));
    BOOST_TEST(before->ended());
    BOOST_TEST(find(second->text).who);
}

// Row 4 of the attacks.
BOOST_AUTO_TEST_CASE(a_key_counts_from_its_networks_alone) {
    const auto made = make("web-shop", {scope::orders_read}, [](api_key& it) {
        it.networks = {"10.0.0.0/8", "2001:db8::/32"};
    });
    refresh();
    BOOST_TEST(find(made.text, "10.1.2.3").who);
    BOOST_TEST(find(made.text, "2001:db8::1").who);
    for (const char* other : {"11.0.0.1", "127.0.0.1", "2001:db9::1", "::1"}) {
        BOOST_TEST((find(made.text, other).fault == key_fault::network), other);
    }
}

BOOST_AUTO_TEST_CASE(a_record_that_cannot_be_read_is_nobodys_key) {
    const auto made = make("web-shop", {scope::orders_read});
    change_record what;
    what.collection = key_collection;
    what.key = "00000000";
    what.value = "nonsense";
    write_params params;
    params.now = clock.now();
    params.writer = "test";
    params.sequence = 1;
    params.records = {&what, 1};
    record_outcome outcome;
    write_results results;
    results.records = {&outcome, 1};
    BOOST_REQUIRE(writer->write(params, results).has_value());
    refresh();
    refresh();
    BOOST_TEST(find(made.text).who);
    BOOST_REQUIRE(errors.texts.size() == 1U);  // and not at each look
    BOOST_TEST(errors.texts[0].find("auth.keys") == 0U);
}

BOOST_AUTO_TEST_CASE(more_keys_than_a_page_has) {
    std::vector<std::string> texts;
    for (int i = 0; i < 1203; ++i) {
        texts.push_back(make("k" + std::to_string(i), {scope::orders_read}).text);
        if (i == 600) refresh();
    }
    refresh();
    for (const std::string& it : texts) BOOST_TEST(find(it).who, it.substr(0, 10));
}

BOOST_AUTO_TEST_CASE(a_table_is_stale_after_ten_seconds_without_a_look) {
    BOOST_TEST(table.stale());  // nobody has looked
    make("web-shop", {scope::orders_read});
    refresh();
    clock.advance(seconds(10));
    BOOST_TEST(!table.stale());
    clock.advance(milliseconds(1));
    BOOST_TEST(table.stale());
    refresh();
    BOOST_TEST(!table.stale());
    clock.step(hours(-5));  // a clock that was set says nothing about that
    BOOST_TEST(!table.stale());
}

BOOST_AUTO_TEST_CASE(a_look_that_fails_changes_nothing) {
    const auto made = make("web-shop", {scope::orders_read});
    orderproc::testing::fault_storage faulty(*store);
    auto connection = faulty.connect_reader().value();
    BOOST_REQUIRE(table.refresh(*connection).has_value());
    using orderproc::testing::fault;
    faulty.next(orderproc::testing::fault_call::read, fault::unavailable,
                failure{errc::unavailable});
    BOOST_TEST(!table.refresh(*connection).has_value());
    BOOST_TEST(find(made.text).who);
}

// The thread that looks once a second; that it looks at once is all that a test can wait for.
BOOST_AUTO_TEST_CASE(a_watch_begins_with_a_look) {
    const auto made = make("web-shop", {scope::orders_read});
    const auto watching = key_watch::start(*store, table, errors);
    BOOST_REQUIRE(watching.has_value());
    BOOST_TEST(find(made.text).who);
    BOOST_TEST(!table.stale());
}

BOOST_AUTO_TEST_CASE(a_watch_that_cannot_look_does_not_start) {
    orderproc::testing::fault_storage faulty(*store);
    using orderproc::testing::fault;
    faulty.next(orderproc::testing::fault_call::read, fault::unavailable,
                failure{errc::unavailable});
    BOOST_TEST(!key_watch::start(faulty, table, errors).has_value());
}

BOOST_AUTO_TEST_CASE(uses_are_noted_to_the_minute) {
    const auto used = make("used", {scope::orders_read});
    const auto idle = make("idle", {scope::orders_read});
    refresh();
    BOOST_TEST(table.take_uses().empty());
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(find(used.text).who);
        BOOST_TEST(!find(idle.text.substr(1)).who);  // what does not count is no use
    }
    auto uses = table.take_uses();
    BOOST_REQUIRE(uses.size() == 1U);
    BOOST_TEST(uses[0].id == used.key.id);
    const timestamp minute = std::chrono::floor<std::chrono::minutes>(clock.now());
    BOOST_TEST((uses[0].at == minute));
    BOOST_TEST(table.take_uses().empty());  // told once
    // Written once for each minute, and never back.
    const auto write = [&](std::span<const use_of_key> what) {
        const auto changes = changes_of(what, *reads).value();
        std::vector<record_outcome> outcomes(changes.size());
        write_params params;
        params.now = clock.now();
        params.writer = "uses";
        params.sequence = ++sequence;
        params.records = changes;
        write_results results;
        results.records = outcomes;
        BOOST_REQUIRE(writer->write(params, results).has_value());
        return changes.size();
    };
    BOOST_TEST(write(uses) == 1U);
    BOOST_TEST(write(uses) == 0U);
    clock.advance(std::chrono::minutes(5));
    refresh();
    find(used.text);
    find(idle.text);
    BOOST_TEST(write(table.take_uses()) == 2U);
    uses[0].at -= hours(1);  // of a process whose clock is behind
    BOOST_TEST(write(uses) == 0U);
    const auto listed = admin.uses().value();
    BOOST_TEST(listed.size() == 2U);
    BOOST_TEST((listed.at(used.key.id) == minute + std::chrono::minutes(5)));
    // A use changes no key: nobody's requests have to be judged anew.
    const auto before = find(used.text).who;
    refresh();
    BOOST_TEST((find(used.text).who == before));
}

// A use that was noted while a key changed is not forgotten.
BOOST_AUTO_TEST_CASE(a_use_outlives_a_change_of_the_key) {
    const auto made = make("web-shop", {scope::orders_read});
    refresh();
    BOOST_TEST(find(made.text).who);
    BOOST_REQUIRE(admin.rotate(made.key.id, hours(1), "test").has_value());
    refresh();
    BOOST_TEST(table.take_uses().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
