// Work that outlives its worker: handed over, and answered by its reference.

#include "worker_fixture.hpp"

#include <orderproc/attempt.hpp>

#include <string>
#include <vector>

using namespace shop_test;

namespace {

// A worker whose processor hands over all that it gets.
struct handing_shop : shop {
    explicit handing_shop(milliseconds timeout = 1h,
                          const status_machine& machine = status_machine::standard())
        : shop(machine), staff(std::make_unique<worker>(front, table, quiet("w1"))) {
        table.at_once = [this, timeout](job work) {
            given.push_back(work.reference());
            std::move(work).finish(answer_later{timeout});
        };
        BOOST_REQUIRE(staff->start());
    }
    cycle_report settle() { return staff ? shop::settle({staff.get()}) : shop::settle({}); }
    // In steps, so that the worker acts when it has to.
    void pass(milliseconds total) {
        if (staff) shop::pass(total, {staff.get()}, 10s);
    }
    error_code answer(const attempt_reference& of, attempt_answer said,
                      const retry_policy& policy = {}) {
        auto made = answer_attempt(of, std::move(said), front.machine(), policy, front.runtime());
        BOOST_REQUIRE_MESSAGE(made, made.error().message());
        made->actor = "carrier";
        struct : completion {
            void complete(change_outcome& it) noexcept override { ec = it.ec; }
            error_code ec = errc::stopped;
        } done;
        BOOST_REQUIRE(front.submit(std::move(*made), done));
        settle();
        return done.ec;
    }

    desk table;
    std::vector<attempt_reference> given;
    std::unique_ptr<worker> staff;
};

std::string refused(const attempt_reference& of, attempt_answer said,
                    const status_machine& machine = status_machine::standard()) {
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    runtime with{time, random, nobody};
    const auto made = answer_attempt(of, std::move(said), machine, {}, with);
    BOOST_REQUIRE(!made);
    BOOST_TEST((made.error().code == errc::invalid_argument));
    return made.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_reference_names_the_attempt) {
    handing_shop it;
    it.create("A");
    const cycle_report done = it.settle();
    BOOST_TEST(done.claimed == 1U);
    BOOST_TEST(done.in_flight == 0U);  // it takes no place of the worker's
    BOOST_REQUIRE(it.given.size() == 1U);
    const attempt_reference& of = it.given.front();
    BOOST_TEST(of.order == "A");
    BOOST_TEST(of.stage.view() == "PROCESSING");
    BOOST_TEST(of.number == 1U);
    BOOST_TEST((of.lease != lease_token{0}));
    const auto attempts = it.watch.attempts();
    BOOST_REQUIRE(attempts.size() == 1U);
    BOOST_TEST((attempts[0].outcome == attempt_outcome::handed_over));
    BOOST_TEST(attempts[0].reason == "");
}

BOOST_AUTO_TEST_CASE(an_order_waits_for_its_answer_without_a_worker) {
    handing_shop it;
    it.create("A");
    it.settle();
    it.pass(30min);
    it.staff.reset();  // as if it was killed: nobody holds anything
    BOOST_TEST(it.status("A") == "PROCESSING");
    BOOST_TEST(it.events("A") == "create start");
    worker other(it.front, it.table, quiet("w2"));
    BOOST_REQUIRE(other.start());
    it.shop::pass(29min, {&other}, 10s);
    BOOST_TEST(it.events("A") == "create start");
    BOOST_TEST(!it.answer(it.given.front(), advance{}));
    BOOST_TEST(it.status("A") == "COMPLETED");
    BOOST_TEST(it.events("A") == "create start complete");
    BOOST_TEST(it.history("A").back().actor == "carrier");
    // Whatever comes after it comes too late.
    BOOST_TEST((it.answer(it.given.front(), advance{}) == errc::lease_lost));
    BOOST_TEST((it.answer(it.given.front(), give_up{"no"}) == errc::lease_lost));
    BOOST_TEST((it.answer(it.given.front(), extend_attempt{1h}) == errc::lease_lost));
    BOOST_TEST(it.events("A") == "create start complete");
    const auto counts = it.orders->connect_reader().value()->count().value();
    BOOST_TEST(counts.completed == 1U);
}

BOOST_AUTO_TEST_CASE(an_attempt_that_nobody_answers_has_failed) {
    handing_shop it(1h);
    it.create("A");
    it.settle();
    it.pass(1h - 10s);
    BOOST_TEST(it.events("A") == "create start");
    it.pass(20s);
    BOOST_TEST(it.events("A") == "create start release start");
    BOOST_TEST(it.find("A").attempts == 2U);
    BOOST_TEST(it.history("A")[2].reason == "nobody answered in time on attempt 1 of 20");
    BOOST_REQUIRE(it.given.size() == 2U);
    BOOST_TEST(it.given[1].number == 2U);
    BOOST_TEST((it.answer(it.given[0], advance{}) == errc::lease_lost));
    // However often: nobody's worker went down over it, so it is not started alone.
    for (int i = 0; i < 4; ++i) it.pass(1h + 20s);
    BOOST_TEST(it.find("A").attempts == 6U);
    BOOST_TEST((it.answer(it.given[4], advance{}) == errc::lease_lost));
    BOOST_TEST(!it.answer(it.given[5], advance{}));
    BOOST_TEST(it.status("A") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(the_last_attempt_that_nobody_answers_fails_the_order) {
    handing_shop it(1h);
    worker_options how = quiet("w1");
    how.retry.attempts_max = 2;
    it.staff = std::make_unique<worker>(it.front, it.table, how);
    BOOST_REQUIRE(it.staff->start());
    it.create("A");
    it.settle();
    it.pass(3h);
    BOOST_TEST(it.status("A") == "FAILED");
    BOOST_TEST(it.find("A").last_error == "nobody answered in time on attempt 2 of 2");
}

BOOST_AUTO_TEST_CASE(an_attempt_is_extended_from_now_on) {
    handing_shop it(1h);
    it.create("A");
    it.settle();
    it.pass(50min);
    BOOST_TEST(!it.answer(it.given.front(), extend_attempt{2h}));
    BOOST_TEST(it.events("A") == "create start");
    it.pass(2h - 10s);
    BOOST_TEST(it.events("A") == "create start");
    BOOST_TEST(!it.answer(it.given.front(), extend_attempt{1min}));  // shorter, too
    it.pass(70s);
    BOOST_TEST(it.events("A") == "create start release start");
}

BOOST_AUTO_TEST_CASE(an_attempt_is_put_off_or_given_up) {
    handing_shop it;
    it.create("A");
    it.settle();
    BOOST_TEST(!it.answer(it.given[0], retry_later{"no van", 10min}));
    BOOST_TEST(it.status("A") == "PENDING");
    BOOST_TEST(it.find("A").last_error == "no van");
    it.pass(9min);
    BOOST_TEST(it.given.size() == 1U);
    it.pass(2min);
    BOOST_REQUIRE(it.given.size() == 2U);
    // The policy decides whether there is another attempt, and when.
    retry_policy policy;
    policy.base = 40s;
    policy.jitter = 0;
    BOOST_TEST(!it.answer(it.given[1], retry_later{"still none", {}}, policy));
    BOOST_TEST((*it.find("A").next_attempt_at - it.time.now()).count() == 80'000);
    it.pass(2min);
    BOOST_REQUIRE(it.given.size() == 3U);
    policy.attempts_max = 3;
    BOOST_TEST(!it.answer(it.given[2], retry_later{"never", {}}, policy));
    BOOST_TEST(it.status("A") == "FAILED");
    it.raise("A", "retry");
    it.settle();
    BOOST_REQUIRE(it.given.size() == 4U);
    BOOST_TEST(it.given[3].number == 1U);
    BOOST_TEST(!it.answer(it.given[3], give_up{"burnt"}));
    BOOST_TEST(it.status("A") == "FAILED");
    BOOST_TEST(it.find("A").last_error == "burnt");
}

// The work may be done before the worker has heard that it takes long.
BOOST_AUTO_TEST_CASE(an_answer_may_be_quicker_than_the_hand_over) {
    handing_shop it;
    it.table.at_once = nullptr;
    it.create("A");
    it.settle();
    job work = it.table.take();
    const attempt_reference of = work.reference();
    BOOST_TEST(!it.answer(of, advance{}));
    BOOST_TEST(it.status("A") == "COMPLETED");
    std::move(work).finish(answer_later{1h});
    it.settle();
    BOOST_TEST(it.events("A") == "create start complete");
    BOOST_TEST(it.watch.lost().size() == 1U);
    BOOST_TEST(it.watch.errors().empty());
}

BOOST_AUTO_TEST_CASE(a_hand_over_has_bounds) {
    for (const auto& [asked, given] : {std::pair<milliseconds, milliseconds>{-1h, 1ms},
                                       {0ms, 1ms},
                                       {milliseconds::max(), std::chrono::hours(24 * 366)}}) {
        handing_shop it(asked);
        it.create("A");
        it.settle();
        const auto made = answer_attempt(it.given.front(), extend_attempt{asked},
                                         it.front.machine(), {}, it.front.runtime());
        BOOST_REQUIRE(made);
        const auto& renew = std::get<renew_lease>(made->action);
        BOOST_TEST(renew.handed_over.value().count() == given.count());
        BOOST_TEST((renew.expires_at - it.time.now()).count() == given.count());
    }
}

BOOST_AUTO_TEST_CASE(answers_fit_the_stage) {
    const attempt_reference of{"A", lease_token{1}, "PROCESSING", 1};
    BOOST_TEST(refused(of, advance{"ship"}) ==
               "no such event: the work of PROCESSING ends by complete");
    // Its own ways back have answers of their own, and a start is not for those who are at work.
    for (const char* event : {"release", "fail", "start", "retry", "edit"}) {
        BOOST_TEST(refused(of, advance{event}).starts_with("no such event"), event);
    }
    BOOST_TEST(refused({"A", lease_token{1}, "PACKING", 1}, give_up{"x"}) ==
               "the machine has no stage PACKING");
    const std::vector<transition_rule> rules{{"PROCESSING", "ship", "SHIPPED"},
                                             {"PROCESSING", "hold", "HELD"}};
    const std::vector<work_stage> stages{
        {"PENDING", "start", "PROCESSING", "release", "fail", "FAILED"}};
    const auto machine = status_machine::build("PENDING", rules, stages).value();
    BOOST_TEST(refused(of, advance{}, machine) ==
               "an event has to be named: the work of PROCESSING ends by ship or hold");
    handing_shop it(1h, machine);
    it.create("A");
    it.settle();
    BOOST_TEST(!it.answer(it.given.front(), advance{"hold"}));
    BOOST_TEST(it.status("A") == "HELD");
}
