#include "worker_fixture.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <span>
#include <stdexcept>

using namespace shop_test;

namespace {

constexpr std::array<transition_rule, 2> parcel_rules{{
    {"PACKING", "packed", "PACKED"},
    {"SHIPPING", "shipped", "SHIPPED"},
}};
constexpr std::array<work_stage, 2> parcel_stages{{
    {"PAID", "pack", "PACKING", "unpack", "fail", "FAILED"},
    {"PACKED", "ship", "SHIPPING", "unship", "fail", "FAILED"},
}};

status_machine parcels() {
    auto built = status_machine::build("PAID", parcel_rules, parcel_stages);
    BOOST_REQUIRE_MESSAGE(built, built.error().message());
    return std::move(*built);
}

// One worker with a desk.
struct open_shop : shop {
    explicit open_shop(worker_options how = quiet("w1")) : staff(front, table, std::move(how)) {
        BOOST_REQUIRE(staff.start());
    }
    cycle_report settle() { return shop::settle({&staff}); }
    cycle_report pass(milliseconds total) { return shop::pass(total, {&staff}); }

    desk table;
    worker staff;
};

worker_options retrying(std::uint32_t attempts_max) {
    worker_options out = quiet("w1");
    out.retry.attempts_max = attempts_max;
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(an_order_is_worked_on_and_completed) {
    open_shop it;
    it.create("A");
    BOOST_TEST(it.settle().claimed == 1U);
    BOOST_TEST(it.status("A") == "PROCESSING");
    {
        job work = it.table.take();
        BOOST_TEST(work.value().id.view() == "A");
        BOOST_TEST(work.stage() == "PROCESSING");
        BOOST_TEST(work.attempt() == 1U);
        BOOST_TEST(work.idempotency_key() == "A/PROCESSING");
        BOOST_TEST(!work.stop().stop_requested());
        it.table.jobs.push_back(std::move(work));
    }
    it.time.advance(1500ms);
    it.table.finish(advance{"complete"});
    const cycle_report done = it.settle();
    BOOST_TEST(done.advanced == 1U);
    BOOST_TEST(done.in_flight == 0U);
    const order after = it.find("A");
    BOOST_TEST(after.status.view() == "COMPLETED");
    BOOST_TEST(after.attempts == 1U);
    BOOST_TEST(after.settled_at.has_value());
    BOOST_TEST(it.events("A") == "create start complete");
    BOOST_TEST(it.history("A").back().actor == "w1");
    const auto attempts = it.watch.attempts();
    BOOST_REQUIRE(attempts.size() == 1U);
    BOOST_TEST((attempts[0].outcome == attempt_outcome::advanced));
    BOOST_TEST(attempts[0].duration.count() == 1500);
    const auto counts = it.orders->connect_reader().value()->count().value();
    BOOST_TEST(counts.completed == 1U);
}

BOOST_AUTO_TEST_CASE(a_retry_comes_back_when_its_back_off_is_over) {
    open_shop it;
    it.create("A");
    milliseconds expected = 2s;
    for (std::uint32_t attempt = 1; attempt <= 4; ++attempt, expected *= 2) {
        it.settle();
        BOOST_TEST(it.table.jobs.front().attempt() == attempt);
        it.table.finish(retry_later{"busy", {}});
        const cycle_report done = it.settle();
        BOOST_TEST(done.retried == 1U);
        const order waiting = it.find("A");
        BOOST_TEST(waiting.status.view() == "PENDING");
        BOOST_TEST(waiting.last_error == "busy");
        BOOST_REQUIRE(waiting.next_attempt_at);
        BOOST_TEST((*waiting.next_attempt_at - it.time.now()).count() == expected.count());
        it.pass(expected - 100ms);
        it.time.advance(99ms);
        it.settle();
        BOOST_TEST(it.table.jobs.empty());
        it.time.advance(1ms);
    }
    it.settle();
    it.table.finish(advance{"complete"});
    it.settle();
    BOOST_TEST(it.find("A").last_error == "");  // of no use any more
}

BOOST_AUTO_TEST_CASE(the_worker_says_when_a_retry_falls_due) {
    worker_options how = quiet("w1");
    how.poll_interval = 1h;
    open_shop it(how);
    it.create("A");
    it.settle();
    it.table.finish(retry_later{"later", 1234ms});
    const cycle_report done = it.settle();
    BOOST_TEST((done.next_due - it.time.monotonic()).count() == 1234);
    it.time.advance(1234ms);
    BOOST_TEST(it.settle().claimed == 1U);
}

BOOST_AUTO_TEST_CASE(back_off_is_capped_and_spread) {
    worker_options how = retrying(100);
    how.retry.cap = 10s;
    how.retry.jitter = 0.5;
    open_shop it(how);
    it.create("A");
    std::set<milliseconds::rep> delays;
    for (int i = 0; i < 40; ++i) {
        it.settle();
        it.table.finish(retry_later{"busy", {}});
        it.settle();
        const milliseconds delay = *it.find("A").next_attempt_at - it.time.now();
        if (i > 3) {
            BOOST_TEST(delay.count() >= 5000);
            BOOST_TEST(delay.count() < 15000);
            delays.insert(delay.count());
        }
        it.time.advance(delay);
    }
    BOOST_TEST(delays.size() > 30U);
    BOOST_TEST(*delays.begin() < 7000);
    BOOST_TEST(*delays.rbegin() > 13000);
}

BOOST_AUTO_TEST_CASE(a_delay_beyond_all_time_is_not_added_to_the_clock) {
    open_shop it;
    it.create("A");
    it.settle();
    it.table.finish(retry_later{"never", milliseconds::max()});
    it.settle();
    BOOST_TEST((*it.find("A").next_attempt_at > it.time.now() + 24h * 365));
    it.create("B");
    it.settle();
    it.table.finish(retry_later{"before the beginning", milliseconds::min()});
    it.settle();
    BOOST_TEST(it.table.jobs.size() == 1U);  // at once
}

BOOST_AUTO_TEST_CASE(the_last_attempt_fails_the_order) {
    open_shop it(retrying(3));
    it.create("A");
    for (int i = 0; i < 3; ++i) {
        it.settle();
        it.table.finish(retry_later{"out of stock", 0ms});
    }
    BOOST_TEST(it.settle().failed == 1U);
    const order after = it.find("A");
    BOOST_TEST(after.status.view() == "FAILED");
    BOOST_TEST(after.attempts == 3U);
    BOOST_TEST(after.last_error == "out of stock");
    BOOST_TEST(after.settled_at.has_value());
    BOOST_TEST(it.history("A").back().reason == "out of stock");
    BOOST_TEST((it.watch.attempts().back().outcome == attempt_outcome::gave_up));

    // A client's retry starts the count again.
    BOOST_TEST(!it.raise("A", "retry"));
    it.settle();
    BOOST_TEST(it.table.jobs.front().attempt() == 1U);
}

BOOST_AUTO_TEST_CASE(giving_up_fails_the_order_at_once) {
    open_shop it;
    it.create("A");
    it.settle();
    it.table.finish(give_up{"card refused"});
    BOOST_TEST(it.settle().failed == 1U);
    BOOST_TEST(it.status("A") == "FAILED");
    BOOST_TEST(it.find("A").last_error == "card refused");
    BOOST_TEST(it.events("A") == "create start fail");
}

BOOST_AUTO_TEST_CASE(an_exception_is_a_retry_with_its_text) {
    open_shop it;
    it.table.at_once = [](job) { throw std::runtime_error("no route to bank"); };
    it.create("A");
    it.settle();
    BOOST_TEST(it.status("A") == "PENDING");
    BOOST_TEST(it.find("A").last_error == "no route to bank");
    it.table.at_once = [](job) { throw 42; };
    it.pass(2s);
    BOOST_TEST(it.find("A").last_error.find("std::exception") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_was_said_before_an_exception_counts) {
    open_shop it;
    it.table.at_once = [](job work) {
        std::move(work).finish(advance{"complete"});
        throw std::runtime_error("too late");
    };
    it.create("A");
    it.settle();
    BOOST_TEST(it.status("A") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(a_job_destroyed_unfinished_is_a_retry) {
    open_shop it;
    it.create("A");
    it.settle();
    it.table.jobs.clear();
    it.settle();
    BOOST_TEST(it.status("A") == "PENDING");
    BOOST_TEST(it.find("A").last_error == "not finished");
}

BOOST_AUTO_TEST_CASE(reasons_are_made_fit_for_a_journal) {
    open_shop it(retrying(1));
    const auto reason_of = [&](const std::string& id, std::string said) {
        it.create(id);
        it.settle();
        it.table.finish(give_up{std::move(said)});
        it.settle();
        return it.find(id).last_error;
    };
    BOOST_TEST(reason_of("A", std::string("a\0b\xff\xc3\xa9\xe2\x82", 8)) == "a?b?\xc3\xa9??");
    BOOST_TEST(reason_of("B", "\xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80") == "?? ??? ????");
    BOOST_TEST(reason_of("C", "\xf0\x9f\x93\xa6") == "\xf0\x9f\x93\xa6");
    const std::string cut = reason_of("D", std::string(1023, 'x') + "\xc3\xa9 and more");
    BOOST_TEST(cut == std::string(1023, 'x'));
}

BOOST_AUTO_TEST_CASE(an_event_that_the_machine_refuses_fails_the_order) {
    for (const std::string event : {"explode", "cancel", "retry", "start", ""}) {
        open_shop it;
        it.create("A");
        it.settle();
        it.table.finish(advance{event});
        BOOST_TEST(it.settle().failed == 1U);
        BOOST_TEST(it.status("A") == "FAILED", event);
        BOOST_TEST(it.find("A").last_error.find("\"" + event + "\"") != std::string::npos, event);
    }
}

BOOST_AUTO_TEST_CASE(the_stages_own_events_keep_their_meaning) {
    open_shop it(retrying(1));
    it.create("A");
    it.settle();
    it.table.finish(advance{"release"});
    it.settle();
    BOOST_TEST(it.status("A") == "FAILED");  // a retry_later, and this was the last attempt
    it.create("B");
    it.settle();
    it.table.finish(advance{"fail"});
    it.settle();
    BOOST_TEST(it.status("B") == "FAILED");
    BOOST_TEST(it.find("B").settled_at.has_value());
}

BOOST_AUTO_TEST_CASE(an_attempt_that_takes_too_long_is_retried) {
    worker_options how = quiet("w1");
    how.timeout = 90s;
    open_shop it(how);
    it.create("A");
    it.settle();
    job late = it.table.take();
    it.pass(90s - 100ms);
    BOOST_TEST(!late.stop().stop_requested());
    BOOST_TEST(it.status("A") == "PROCESSING");
    it.pass(100ms);
    BOOST_TEST(late.stop().stop_requested());
    BOOST_TEST(it.status("A") == "PENDING");
    BOOST_TEST(it.find("A").last_error == "timed out after 90000 ms");
    BOOST_TEST((it.watch.attempts().back().outcome == attempt_outcome::timed_out));
    std::move(late).finish(advance{"complete"});
    it.settle();
    BOOST_TEST(it.status("A") == "PENDING");  // too late
    it.pass(2s);
    BOOST_TEST(it.status("A") == "PROCESSING");
    it.table.finish(advance{"complete"});
    it.settle();
    BOOST_TEST(it.events("A") == "create start release start complete");
}

BOOST_AUTO_TEST_CASE(a_lease_is_renewed_while_the_job_runs) {
    worker_options how = quiet("w1");
    how.lease = 3s;
    how.timeout = 1h;
    open_shop it(how);
    desk other_desk;
    worker other(it.front, other_desk, quiet("w2"));
    BOOST_REQUIRE(other.start());
    it.create("A");
    it.settle();
    it.shop::pass(5min, {&it.staff, &other}, 500ms);
    BOOST_TEST(it.events("A") == "create start");
    BOOST_TEST(other_desk.started == 0U);
    it.table.finish(advance{"complete"});
    it.settle();
    BOOST_TEST(it.status("A") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(in_flight_stays_below_its_limit) {
    worker_options how = quiet("w1");
    how.in_flight_max = 3;
    open_shop it(how);
    for (int i = 0; i < 10; ++i) it.create("A" + std::to_string(i));
    for (int i = 0; i < 10; ++i) {
        const cycle_report report = it.settle();
        BOOST_TEST(report.in_flight == std::min<std::size_t>(3, 10 - i));
        it.table.finish(advance{"complete"});
    }
    it.settle();
    BOOST_TEST(it.table.most == 3U);
    for (int i = 0; i < 10; ++i) BOOST_TEST(it.status("A" + std::to_string(i)) == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(a_commit_wakes_the_worker_and_nothing_else_does) {
    int calls = 0;
    worker_options how = quiet("w1");
    how.poll_interval = 10s;
    how.on_ready = [&calls] { ++calls; };
    open_shop it(how);
    BOOST_TEST(calls == 1);  // by start()
    it.settle();
    calls = 0;
    it.create("A");
    it.create("B");
    BOOST_TEST(calls == 1);  // once until it runs
    it.settle();
    BOOST_TEST(it.table.jobs.size() == 2U);

    // Idle: no transaction but the sweep's.
    calls = 0;
    const auto before = it.watch.batches();
    for (int i = 0; i < 50; ++i) it.staff.run_once();
    it.front.run_once().value();
    BOOST_TEST(it.watch.batches() == before);
    BOOST_TEST(calls == 0);
    const cycle_report idle = it.staff.run_once();
    BOOST_TEST((idle.next_due - it.time.monotonic()).count() == 10'000);
    it.table.jobs.clear();
}

BOOST_AUTO_TEST_CASE(its_own_claim_does_not_make_it_claim_again) {
    open_shop it;
    it.settle();
    const auto before = it.watch.batches();
    it.create("A");
    it.settle();
    BOOST_TEST(it.watch.batches() - before == 2U);  // create, claim
}

BOOST_AUTO_TEST_CASE(orders_of_others_are_found_by_the_sweep_and_by_wake) {
    shop it;
    engine_options none;
    none.threads = 0;
    engine elsewhere(*it.orders, status_machine::standard(), {it.time, it.random, it.watch}, none);
    desk table;
    worker staff(elsewhere, table, quiet("w1"));
    BOOST_REQUIRE(staff.start());
    const auto settle = [&] {
        for (int i = 0; i < 10; ++i) {
            staff.run_once();
            elsewhere.run_once().value();
        }
    };
    settle();
    it.create("A");
    settle();
    BOOST_TEST(table.started == 0U);
    it.time.advance(1s);
    settle();
    BOOST_TEST(table.started == 1U);
    it.create("B");
    elsewhere.wake();
    settle();
    BOOST_TEST(table.started == 2U);
}

BOOST_AUTO_TEST_CASE(an_order_goes_through_all_stages) {
    const status_machine machine = parcels();
    shop it(machine);
    desk table;
    worker staff(it.front, table, quiet("w1"));
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.settle({&staff});
    BOOST_TEST(table.jobs.front().stage() == "PACKING");
    table.finish(retry_later{"no box", 0ms});
    it.settle({&staff});
    BOOST_TEST(table.jobs.front().attempt() == 2U);
    table.finish(advance{"packed"});
    it.settle({&staff});
    BOOST_TEST(table.jobs.front().stage() == "SHIPPING");
    BOOST_TEST(table.jobs.front().attempt() == 1U);  // each stage has its own
    BOOST_TEST(table.jobs.front().idempotency_key() == "A/SHIPPING");
    table.finish(advance{"shipped"});
    it.settle({&staff});
    BOOST_TEST(it.status("A") == "SHIPPED");
    BOOST_TEST(it.events("A") == "create pack unpack pack packed ship shipped");

    it.create("B");
    it.settle({&staff});
    table.finish(advance{"packed"});
    it.settle({&staff});
    table.finish(give_up{"no such street"});
    it.settle({&staff});
    BOOST_TEST(it.status("B") == "FAILED");
    it.create("C");
    it.settle({&staff});
    table.finish(advance{"shipped"});  // another stage's
    it.settle({&staff});
    BOOST_TEST(it.status("C") == "FAILED");
}

BOOST_AUTO_TEST_CASE(stages_take_turns_when_places_are_few) {
    const status_machine machine = parcels();
    shop it(machine);
    desk table;
    {
        worker packer(it.front, table, quiet("w0"));
        BOOST_REQUIRE(packer.start());
        for (int i = 0; i < 20; ++i) it.create("A" + std::to_string(i));
        it.settle({&packer});
        for (int i = 0; i < 20; ++i) table.finish(advance{"packed"});
        packer.stop(0ms);
        it.settle({&packer});
    }
    for (int i = 0; i < 20; ++i) it.create("B" + std::to_string(i));
    worker_options how = quiet("w1");
    how.in_flight_max = 1;
    worker staff(it.front, table, how);
    BOOST_REQUIRE(staff.start());
    std::map<std::string, int> seen;
    for (int i = 0; i < 10; ++i) {
        it.settle({&staff});
        job work = table.take();
        ++seen[std::string(work.stage())];
        std::move(work).finish(give_up{"enough"});
    }
    BOOST_TEST(seen["PACKING"] == 5);
    BOOST_TEST(seen["SHIPPING"] == 5);
}

BOOST_AUTO_TEST_CASE(options_out_of_range_are_refused) {
    const std::vector<std::function<void(worker_options&)>> wrong{
        [](auto& it) { it.worker_id = std::string(65, 'x'); },
        [](auto& it) { it.worker_id = std::string("a\0b", 3); },
        [](auto& it) { it.worker_id = "\xff"; },
        [](auto& it) { it.in_flight_max = 0; },
        [](auto& it) { it.lease = 99ms; },
        [](auto& it) { it.lease = milliseconds::max(); },
        [](auto& it) { it.timeout = 0ms; },
        [](auto& it) { it.timeout = milliseconds::max(); },
        [](auto& it) { it.poll_interval = 0ms; },
        [](auto& it) { it.threads = 2; },
        [](auto& it) { it.retry.attempts_max = 0; },
        [](auto& it) { it.retry.base = -1ms; },
        [](auto& it) { it.retry.cap = 1s; },
        [](auto& it) { it.retry.jitter = 1.1; },
        [](auto& it) { it.retry.jitter = std::numeric_limits<double>::quiet_NaN(); },
    };
    shop it;
    desk table;
    for (std::size_t i = 0; i < wrong.size(); ++i) {
        worker_options how = quiet("w1");
        wrong[i](how);
        worker staff(it.front, table, how);
        const auto started = staff.start();
        BOOST_TEST(!started, i);
        if (!started) BOOST_TEST((started.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(a_worker_without_a_name_makes_one) {
    open_shop it(quiet(""));
    it.create("A");
    it.settle();
    const std::string actor = it.history("A").back().actor;
    BOOST_TEST(actor.size() > 5U);
    BOOST_TEST(actor.size() <= 64U);
    BOOST_TEST(std::count(actor.begin(), actor.end(), '-') >= 2);
}
