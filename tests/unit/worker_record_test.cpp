// What workers say about themselves, and who is heard.

#include "worker_fixture.hpp"

#include <orderproc/worker_record.hpp>
#include <orderproc/write_records.hpp>

#include <string>

using namespace shop_test;

namespace {

worker_options telling(std::string id) {
    worker_options out = quiet(std::move(id));
    out.record_every = 10s;
    out.program = "1.2.3";
    return out;
}

std::vector<worker_record> heard(shop& it) {
    auto reads = it.orders->connect_reader().value();
    auto page = list_workers(*reads, {}, 100).value();
    BOOST_TEST(page.next == "");
    return page.workers;
}

worker_record only(shop& it) {
    const auto all = heard(it);
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    return all.front();
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_worker_tells_of_itself_at_once_and_every_ten_seconds) {
    shop it;
    desk table;
    worker one(it.front, table, telling("one"));
    BOOST_REQUIRE(one.start());
    it.settle({&one});
    worker_record said = only(it);
    BOOST_TEST(said.name == "one");
    BOOST_TEST(said.program == "1.2.3");
    BOOST_TEST(said.process > 0U);
    BOOST_TEST((said.started_at == it.time.now()));
    BOOST_TEST((said.heard_at == it.time.now()));
    BOOST_TEST((said.stages == std::vector<order_status>{"PROCESSING"}));
    BOOST_TEST(said.capacity == 1024U);
    BOOST_TEST(said.in_work == 0U);
    BOOST_TEST(!said.advanced_last_minute.has_value());

    it.create("A");
    it.create("B");
    it.settle({&one});
    BOOST_TEST(only(it).in_work == 0U);  // not for each order
    const auto before = it.time.now();
    it.pass(10s, {&one}, 1s);
    said = only(it);
    BOOST_TEST((said.heard_at == before + 10s));
    BOOST_TEST(said.in_work == 2U);
    BOOST_TEST(said.claimed == 2U);
    table.finish(advance{"complete"}, "A");
    table.finish(give_up{"no"}, "B");
    it.pass(60s, {&one}, 1s);
    said = only(it);
    BOOST_TEST(said.in_work == 0U);
    BOOST_TEST(said.advanced == 1U);
    BOOST_TEST(said.failed == 1U);
    BOOST_TEST(said.advanced_last_minute.value_or(99) == 1U);
    it.pass(60s, {&one}, 1s);
    BOOST_TEST(only(it).advanced_last_minute.value_or(99) == 0U);
    BOOST_TEST(only(it).advanced == 1U);
}

BOOST_AUTO_TEST_CASE(a_worker_that_drains_says_so_and_one_that_has_stopped_is_gone) {
    shop it;
    desk table;
    worker one(it.front, table, telling("one"));
    BOOST_REQUIRE(one.start());
    it.create("A");
    it.settle({&one});
    one.stop(60s);
    it.settle({&one});
    BOOST_TEST(only(it).draining);
    BOOST_TEST((state_of(only(it), it.time.now()) == worker_state::draining));
    table.finish(advance{"complete"}, "A");
    it.settle({&one});
    BOOST_TEST(heard(it).empty());
    it.pass(20s, {&one}, 1s);
    BOOST_TEST(heard(it).empty());
}

BOOST_AUTO_TEST_CASE(a_record_that_somebody_removed_comes_again) {
    shop it;
    desk table;
    worker one(it.front, table, telling("one"));
    BOOST_REQUIRE(one.start());
    it.settle({&one});
    auto reads = it.orders->connect_reader().value();
    const auto there = reads->find_record({worker_collection, "one"}).value().value();
    change_record gone;
    gone.action = record_action::remove;
    gone.collection = worker_collection;
    gone.key = "one";
    gone.version = there.version;
    write_records(it.front, {gone}, [](const result<void>&) {});
    it.settle({&one});
    BOOST_TEST(heard(it).empty());
    it.pass(20s, {&one}, 1s);  // the first write finds out, the next one makes it again
    BOOST_TEST(only(it).name == "one");
}

BOOST_AUTO_TEST_CASE(without_the_option_there_is_no_record) {
    shop it;
    desk table;
    worker one(it.front, table, quiet("one"));
    BOOST_REQUIRE(one.start());
    it.pass(30s, {&one}, 1s);
    BOOST_TEST(heard(it).empty());
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    shop it;
    desk table;
    for (const milliseconds every : {milliseconds(1), milliseconds(999), milliseconds(30'000)}) {
        worker_options wrong = telling("one");
        wrong.record_every = every;
        worker refused(it.front, table, wrong);
        BOOST_TEST(!refused.start());
    }
    worker_options wrong = telling("one");
    wrong.program = "a\nb";
    worker refused(it.front, table, wrong);
    BOOST_TEST(!refused.start());
}

BOOST_AUTO_TEST_CASE(who_is_heard) {
    shop it;
    worker_record one;
    one.heard_at = it.time.now();
    const auto state_after = [&](std::chrono::seconds time) {
        return std::string(name_of(state_of(one, it.time.now() + time)));
    };
    BOOST_TEST(state_after(0s) == "working");
    BOOST_TEST(state_after(29s) == "working");
    BOOST_TEST(state_after(30s) == "silent");
    BOOST_TEST(state_after(44s) == "silent");
    BOOST_TEST(state_after(45s) == "gone");
    one.draining = true;
    BOOST_TEST(state_after(0s) == "draining");
    BOOST_TEST(state_after(31s) == "silent");
}

BOOST_AUTO_TEST_CASE(pages_and_what_is_forgotten) {
    shop it;
    const auto write = [&](std::vector<change_record> what) {
        bool ok = false;
        write_records(it.front, std::move(what),
                      [&](const result<void>& done) { ok = done.has_value(); });
        it.settle({});
        BOOST_REQUIRE(ok);
    };
    worker_record said;
    said.started_at = said.heard_at = it.time.now();
    said.stages = {"PROCESSING"};
    for (const char* name : {"a", "b", "c"}) {
        said.name = name;
        write({to_record(said, 0)});
    }
    change_record strange = to_record(said, 0);
    strange.key = "d";
    strange.value = "?";
    write({strange});
    auto reads = it.orders->connect_reader().value();
    auto page = list_workers(*reads, {}, 2).value();
    BOOST_REQUIRE_EQUAL(page.workers.size(), 2U);
    BOOST_TEST(page.next == "b");
    page = list_workers(*reads, page.next, 2).value();
    BOOST_REQUIRE_EQUAL(page.workers.size(), 1U);  // what nobody can read is left out
    BOOST_TEST((page.workers.front() == said));
    BOOST_TEST(page.next == "");

    const auto until = worker_record::gone_after + worker_record::kept_for;
    BOOST_TEST(forget_workers(*reads, said.heard_at + until - 1ms, 100).value().empty());
    BOOST_TEST(forget_workers(*reads, said.heard_at + until, 2).value().size() == 2U);
    write(forget_workers(*reads, said.heard_at + until, 100).value());
    BOOST_TEST(heard(it).empty());
}

// Crash loops leave many records: they hide nobody that works.
BOOST_AUTO_TEST_CASE(those_that_are_there_are_found_among_many_that_are_gone) {
    shop it;
    const timestamp began = it.time.now();
    std::vector<change_record> all;
    const auto say = [&](const std::string& name, timestamp heard_at) {
        worker_record said;
        said.name = name;
        said.started_at = began;
        said.heard_at = heard_at;
        all.push_back(to_record(said, 0));
    };
    for (int i = 0; i < 1200; ++i) say("gone-" + std::to_string(i), began + milliseconds(i));
    for (int i = 0; i < 1100; ++i) say("z-" + std::to_string(i), began + 60s + milliseconds(i));
    bool written = false;
    write_records(it.front, std::move(all),
                  [&](const result<void>& done) { written = done.has_value(); });
    it.settle({});
    BOOST_REQUIRE(written);
    it.time.advance(62s);
    auto reads = it.orders->connect_reader().value();
    auto there = list_present_workers(*reads, it.time.now(), 20'000).value();
    BOOST_REQUIRE_EQUAL(there.size(), 1100U);  // of two pages
    BOOST_TEST(there.front().name == "z-0");
    BOOST_TEST(there.back().name == "z-1099");
    BOOST_TEST(list_present_workers(*reads, it.time.now(), 1050).value().size() == 1050U);
    const auto gone = list_gone_workers(*reads, it.time.now(), 10).value();
    BOOST_REQUIRE_EQUAL(gone.size(), 10U);
    BOOST_TEST(gone.front().name == "gone-0");
    BOOST_TEST(find_worker(*reads, "z-7").value()->name == "z-7");
    BOOST_TEST(!find_worker(*reads, "nobody").value().has_value());

    // On the edge it is gone in one list, and in one list alone.
    const timestamp edge = began + 60s + worker_record::gone_after;
    BOOST_TEST(list_present_workers(*reads, edge, 20'000).value().size() == 1099U);
    BOOST_TEST(list_gone_workers(*reads, edge, 20'000).value().size() == 1201U);
}

// A worker whose clock is an hour ahead would else work for an hour after it died.
BOOST_AUTO_TEST_CASE(a_clock_that_is_far_ahead_is_not_believed) {
    worker_record said;
    const timestamp now{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};
    said.heard_at = now + 29s;
    BOOST_TEST(name_of(state_of(said, now)) == "working");
    said.heard_at = now + 30s;
    BOOST_TEST(name_of(state_of(said, now)) == "silent");
    said.heard_at = now + 1h;
    BOOST_TEST(name_of(state_of(said, now)) == "silent");
}
