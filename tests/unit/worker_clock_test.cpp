// Wall clocks that step, and clocks of hosts that disagree.

#include "worker_fixture.hpp"

using namespace shop_test;

namespace {

worker_options leased_for(std::string id, milliseconds lease) {
    worker_options out = quiet(std::move(id));
    out.lease = lease;
    return out;
}

// Another host over the same orders, with a clock of its own.
class branch {
public:
    explicit branch(shop& of)
        : front_(*of.orders, status_machine::standard(), {time, of.random, of.watch}, by_hand()) {}

    engine& front() { return front_; }
    // Both hosts run for a while, step by step.
    void pass(milliseconds total, shop& with, std::initializer_list<worker*> theirs,
              std::initializer_list<worker*> ours) {
        for (milliseconds done{0}; done < total; done += 100ms) {
            time.advance(100ms);
            with.time.advance(100ms);
            for (int i = 0; i < 10; ++i) {
                for (worker* it : theirs) it->run_once();
                while (front_.run_once().value() > 0) continue;
                with.settle(ours);
            }
        }
    }

    testing::manual_clock time;

private:
    static engine_options by_hand() {
        engine_options out;
        out.threads = 0;
        return out;
    }
    engine front_;
};

// A worker that claimed A and died.
struct bereaved : shop {
    explicit bereaved(milliseconds lease = 30s, timestamp begun = {})
        : dead(front, dead_desk, leased_for("dead", lease)),
          staff(front, table, leased_for("staff", lease)) {
        if (begun != timestamp{}) time.step(begun - time.now());
        BOOST_REQUIRE(dead.start());
        create("A");
        settle({&dead});  // for the last time
        BOOST_REQUIRE(dead_desk.jobs.size() == 1U);
        BOOST_REQUIRE(staff.start());
    }
    void taken_over_after(milliseconds lease) {
        settle({&staff});  // sees it
        pass(lease - 100ms, {&staff});
        BOOST_TEST(status("A") == "PROCESSING");
        pass(100ms, {&staff});
        BOOST_TEST(status("A") == "PENDING");
        pass(1s, {&staff});
        BOOST_TEST(table.jobs.size() == 1U);
        table.finish(advance{"complete"});
        settle({&staff});
        BOOST_TEST(events("A") == "create start release start complete");
    }

    desk dead_desk, table;
    worker dead, staff;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(steps_back)

// Seen by the first claim, and a lease later it ends.
BOOST_AUTO_TEST_CASE(leases_end_one_lease_after_they_are_first_seen) {
    for (const milliseconds step : {milliseconds(20s), milliseconds(1h), milliseconds(24h * 365)}) {
        BOOST_TEST_CONTEXT("a step of " << step.count() << " ms") {
            bereaved it;
            it.time.step(-step);
            it.taken_over_after(30s);
        }
    }
}

BOOST_AUTO_TEST_CASE(an_hour_ahead_and_back_is_the_same) {
    shop it;
    desk dead_desk, table;
    worker dead(it.front, dead_desk, leased_for("dead", 2s));
    worker staff(it.front, table, leased_for("staff", 2s));
    BOOST_REQUIRE(dead.start());
    it.time.step(1h);
    it.create("A");
    it.settle({&dead});
    it.time.step(-1h);
    BOOST_REQUIRE(staff.start());
    it.settle({&staff});
    it.pass(2s, {&staff});
    BOOST_TEST(it.status("A") == "PENDING");
    it.pass(1s, {&staff});
    BOOST_TEST(it.status("A") == "PROCESSING");
    BOOST_TEST(it.find("A").attempts == 2U);
}

BOOST_AUTO_TEST_CASE(a_file_that_was_once_written_in_2100_is_worked_on) {
    bereaved it(2s, timestamp{std::chrono::sys_days{std::chrono::year{2100} / 1 / 1}});
    it.create("B");
    it.time.step(timestamp{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}} -
                 it.time.now());
    it.settle({&it.staff});
    it.table.finish(advance{"complete"}, "B");  // queued without a delay
    it.taken_over_after(2s);
}

BOOST_AUTO_TEST_CASE(a_worker_that_renews_keeps_its_leases) {
    shop it;
    desk busy_desk, table;
    worker busy(it.front, busy_desk, leased_for("busy", 2s));
    worker staff(it.front, table, leased_for("staff", 2s));
    BOOST_REQUIRE(busy.start());
    it.create("A");
    it.settle({&busy});
    BOOST_REQUIRE(staff.start());
    for (const milliseconds step : {-milliseconds(1h), milliseconds(1s), -milliseconds(20s)}) {
        it.time.step(step);
        it.pass(10s, {&busy, &staff});
    }
    BOOST_TEST(it.events("A") == "create start");
    busy_desk.finish(advance{"complete"});
    it.settle({&busy, &staff});
    BOOST_TEST(it.status("A") == "COMPLETED");
    BOOST_TEST(it.watch.lost().empty());
}

BOOST_AUTO_TEST_CASE(a_longer_lease_than_ours_is_no_doubtful_one) {
    shop it;
    desk busy_desk, table;
    worker busy(it.front, busy_desk, leased_for("busy", 10min));
    worker staff(it.front, table, leased_for("staff", 2s));
    BOOST_REQUIRE(busy.start());
    it.create("A");
    it.settle({&busy});
    BOOST_REQUIRE(staff.start());
    it.pass(10min - 100ms, {&staff});  // and nobody renews it
    BOOST_TEST(it.events("A") == "create start");
    it.pass(100ms, {&staff});
    BOOST_TEST(it.events("A") == "create start release");
}

// The wake-ups of a busy shop are no sweeps, but a sweep is due among them.
BOOST_AUTO_TEST_CASE(leases_end_in_a_busy_shop) {
    bereaved it(2s);
    it.table.at_once = [](job work) { std::move(work).finish(advance{"complete"}); };
    it.time.step(-1h);
    for (int i = 0; i < 40; ++i) {
        it.create("B-" + std::to_string(i));
        it.pass(100ms, {&it.staff});
    }
    BOOST_TEST(it.status("A") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(more_leases_than_a_page_end) {
    shop it;
    desk dead_desk, table;
    worker dead(it.front, dead_desk, leased_for("dead", 2s));
    BOOST_REQUIRE(dead.start());
    constexpr int orders = 700;
    for (int i = 0; i < orders; ++i) it.create("A-" + std::to_string(i));
    it.settle({&dead});
    BOOST_REQUIRE(dead_desk.jobs.size() == orders);
    it.time.step(-1h);
    table.at_once = [](job work) { std::move(work).finish(advance{"complete"}); };
    worker staff(it.front, table, leased_for("staff", 2s));
    BOOST_REQUIRE(staff.start());
    it.pass(2s + 3s + 1s, {&staff});  // a lease, three pages, the back-off
    BOOST_TEST(table.started == static_cast<std::size_t>(orders));
}

BOOST_AUTO_TEST_CASE(retries_come_within_the_longest_back_off) {
    shop it;
    desk table;
    auto options = leased_for("staff", 2s);
    options.retry.base = 2s;
    options.retry.cap = 10s;
    worker staff(it.front, table, options);
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.create("B");
    it.settle({&staff});
    table.finish(retry_later{"busy", {}}, "A");
    table.finish(retry_later{"come back in a minute", 60s}, "B");
    it.settle({&staff});
    const timestamp asked = *it.find("B").next_attempt_at;
    it.time.step(-1h);
    it.pass(2s, {&staff});
    BOOST_TEST(it.status("A") == "PROCESSING");
    BOOST_TEST(it.find("A").attempts == 2U);
    it.pass(10min, {&staff}, 1s);
    BOOST_TEST(it.status("B") == "PENDING");  // its processor asked for the delay
    it.time.step(asked - it.time.now());
    it.pass(1s, {&staff});
    BOOST_TEST(it.status("B") == "PROCESSING");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(hosts_that_disagree)

BOOST_AUTO_TEST_CASE(a_host_ahead_keeps_what_it_renews_and_loses_what_it_left) {
    shop ours;
    branch ahead(ours);
    ahead.time.step(1h);
    desk their_desk, our_desk;
    worker theirs(ahead.front(), their_desk, leased_for("theirs", 2s));
    worker staff(ours.front, our_desk, leased_for("ours", 2s));
    BOOST_REQUIRE(theirs.start());
    ours.create("A");
    theirs.run_once();
    while (ahead.front().run_once().value() > 0) continue;
    theirs.run_once();
    BOOST_REQUIRE(their_desk.jobs.size() == 1U);
    BOOST_REQUIRE(staff.start());
    ahead.pass(20s, ours, {&theirs}, {&staff});
    BOOST_TEST(ours.events("A") == "create start");
    ahead.pass(6s, ours, {}, {&staff});  // it has died
    BOOST_TEST(ours.events("A") == "create start release start");
    BOOST_TEST(our_desk.jobs.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
