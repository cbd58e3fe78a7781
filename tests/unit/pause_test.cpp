// Work that is paused: nobody claims, whoever asks and whoever has written the pause.

#include "worker_fixture.hpp"

#include <orderproc/pause.hpp>
#include <orderproc/testing/fault_storage.hpp>
#include <orderproc/write_records.hpp>

#include <array>
#include <string>

using namespace shop_test;

namespace {

const status_machine& two_stages() {
    static const status_machine instance = [] {
        const std::array<transition_rule, 2> rules{
            {{"PACKING", "pack", "PACKED"}, {"SHIPPING", "ship", "SHIPPED"}}};
        const std::array<work_stage, 2> stages{
            {{"PAID", "start_packing", "PACKING", "unpack", "spoil", "SPOILT"},
             {"PACKED", "start_shipping", "SHIPPING", "bring_back", "lose", "LOST"}}};
        return status_machine::build("PAID", rules, stages).value();
    }();
    return instance;
}

// As another process writes them: not through the shop's engine.
void write_elsewhere(shop& it, const result<std::vector<change_record>>& changes) {
    BOOST_REQUIRE(changes.has_value());
    auto writer = it.orders->connect_writer().value();
    std::vector<record_outcome> outcomes(changes->size());
    write_params params;
    params.now = it.time.now();
    params.writer = "elsewhere";
    params.sequence = 1;
    params.records = *changes;
    write_results results{};
    results.records = outcomes;
    BOOST_REQUIRE(writer->write(params, results).has_value());
    for (const record_outcome& one : outcomes) BOOST_REQUIRE(!one.ec);
}

void write_here(shop& it, const result<std::vector<change_record>>& changes) {
    BOOST_REQUIRE(changes.has_value());
    bool written = false;
    write_records(it.front, *changes,
                  [&](const result<void>& done) { written = done.has_value(); });
    it.settle({});
    BOOST_REQUIRE(written);
}

work_pause pause_of(shop& it, std::optional<order_status> stage = {}) {
    return {stage, it.time.now(), "cli:anna", "the till is down"};
}

// One that neither commits nor polls wake in time, as beside a broker.
worker_options that_seldom_polls() {
    worker_options out = quiet("one");
    out.poll_interval = 1h;
    out.wake_on_commit = false;
    return out;
}

std::string refusal(const result<std::vector<change_record>>& got) {
    return got ? "" : got.error().detail;
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_claimed_and_no_attempt_is_counted) {
    shop it;
    desk table;
    worker one(it.front, table, quiet("one"));
    BOOST_REQUIRE(one.start());
    auto reads = it.orders->connect_reader().value();
    const status_machine& machine = it.front.machine();
    write_here(it, pause_work(*reads, pause_of(it), machine));
    it.create("A");
    it.pass(10s, {&one});
    BOOST_TEST(table.started == 0U);
    BOOST_TEST(it.status("A") == "PENDING");
    BOOST_TEST(it.find("A").attempts == 0U);
    // A claim of paused work is not written at all.
    const std::size_t batches = it.watch.batches();
    it.pass(5s, {&one});
    BOOST_TEST(it.watch.batches() == batches);

    write_here(it, resume_work(*reads, {}, machine));
    it.settle({&one});  // at once, for this engine has written it
    BOOST_TEST(it.status("A") == "PROCESSING");
    BOOST_TEST(it.find("A").attempts == 1U);
}

BOOST_AUTO_TEST_CASE(what_another_process_writes_counts_within_two_seconds) {
    shop it;
    desk table;
    worker one(it.front, table, quiet("one"));
    BOOST_REQUIRE(one.start());
    auto reads = it.orders->connect_reader().value();
    it.create("A");
    it.settle({&one});
    BOOST_TEST(it.status("A") == "PROCESSING");
    write_elsewhere(it, pause_work(*reads, pause_of(it), it.front.machine()));
    it.time.advance(pause_look_interval);
    it.create("B");
    it.pass(5s, {&one});
    BOOST_TEST(it.status("B") == "PENDING");
    // What was being worked on goes on.
    table.finish(advance{"complete"}, "A");
    it.settle({&one});
    BOOST_TEST(it.status("A") == "COMPLETED");

    write_elsewhere(it, resume_work(*reads, {}, it.front.machine()));
    it.pass(2s, {&one});
    BOOST_TEST(it.status("B") == "PROCESSING");
}

BOOST_AUTO_TEST_CASE(work_goes_on_in_time_however_seldom_a_worker_polls) {
    shop it;
    desk table;
    worker one(it.front, table, that_seldom_polls());
    auto reads = it.orders->connect_reader().value();
    write_elsewhere(it, pause_work(*reads, pause_of(it), it.front.machine()));
    it.create("A");
    BOOST_REQUIRE(one.start());
    it.pass(10s, {&one});
    BOOST_TEST(it.status("A") == "PENDING");
    write_elsewhere(it, resume_work(*reads, {}, it.front.machine()));
    it.pass(2s, {&one});
    BOOST_TEST(it.status("A") == "PROCESSING");
}

// Its message is gone by then: a poll has to find the order.
BOOST_AUTO_TEST_CASE(what_was_hinted_at_during_a_pause_is_taken_after_it) {
    shop it;
    desk table;
    worker one(it.front, table, that_seldom_polls());
    BOOST_REQUIRE(one.start());
    it.settle({&one});  // nothing yet: the next poll is in an hour
    auto reads = it.orders->connect_reader().value();
    write_elsewhere(it, pause_work(*reads, pause_of(it), it.front.machine()));
    it.time.advance(pause_look_interval);
    it.create("A");
    std::size_t settled = 0;
    one.hint(it.front.machine().stages()[0], {"A"}, [&](std::size_t more) { settled += more; });
    it.pass(10s, {&one});
    BOOST_TEST(settled == 1U);
    BOOST_TEST(it.status("A") == "PENDING");
    write_elsewhere(it, resume_work(*reads, {}, it.front.machine()));
    it.pass(2s, {&one});
    BOOST_TEST(it.status("A") == "PROCESSING");
}

BOOST_AUTO_TEST_CASE(pauses_that_cannot_be_read_stop_nothing_but_claims) {
    const auto inner = make_memory_storage();
    auto outer = std::make_unique<testing::fault_storage>(*inner);
    testing::fault_storage& faults = *outer;
    shop it(status_machine::standard(), std::move(outer));
    desk table;
    worker one(it.front, table, quiet("one"));
    BOOST_REQUIRE(one.start());
    for (const auto what : {testing::fault::unavailable, testing::fault::throws}) {
        one.run_once();
        BOOST_REQUIRE_EQUAL(it.front.queued(), 1U);  // its claim
        faults.next(testing::fault_call::read, what);
        it.create(what == testing::fault::throws ? "B" : "A");  // in the same batch
        BOOST_TEST(it.front.queued() == 0U);
        BOOST_TEST(table.started == 0U);
        one.run_once();  // is told that its claim has failed, and waits a little
        it.time.advance(pause_look_interval + 1s);
    }
    BOOST_TEST(it.watch.errors()["engine.pauses"] == 2);
    BOOST_TEST(it.watch.errors()["engine.write"] == 0);
    it.pass(5s, {&one});
    BOOST_TEST(it.status("A") == "PROCESSING");
    BOOST_TEST(it.status("B") == "PROCESSING");
}

// Its worker's clock was ahead, so another one has to watch the lease for its length.
BOOST_AUTO_TEST_CASE(a_lease_that_was_watched_ends_with_the_pause) {
    shop it;
    desk dead_desk, table;
    worker dead(it.front, dead_desk, quiet("dead"));
    worker staff(it.front, table, quiet("staff"));
    BOOST_REQUIRE(dead.start());
    it.create("A");
    it.settle({&dead});  // for the last time
    it.time.step(-1h);
    BOOST_REQUIRE(staff.start());
    it.settle({&staff});  // sees it
    auto reads = it.orders->connect_reader().value();
    write_here(it, pause_work(*reads, pause_of(it), it.front.machine()));
    it.pass(31s, {&staff}, 500ms);
    BOOST_TEST(it.events("A") == "create start");
    write_here(it, resume_work(*reads, {}, it.front.machine()));
    it.pass(2s, {&staff});
    BOOST_TEST(it.events("A").starts_with("create start release"));
}

BOOST_AUTO_TEST_CASE(an_expired_lease_waits_for_the_end_of_the_pause) {
    shop it;
    desk table;
    auto silent = std::make_unique<worker>(it.front, table, quiet("silent"));
    BOOST_REQUIRE(silent->start());
    it.create("A");
    it.settle({silent.get()});
    auto reads = it.orders->connect_reader().value();
    write_here(it, pause_work(*reads, pause_of(it), it.front.machine()));
    desk other;
    worker one(it.front, other, quiet("one"));
    BOOST_REQUIRE(one.start());
    it.pass(60s, {&one}, 1s);
    BOOST_TEST(it.status("A") == "PROCESSING");
    write_here(it, resume_work(*reads, {}, it.front.machine()));
    it.pass(5s, {&one});
    BOOST_TEST(other.started == 1U);
}

BOOST_AUTO_TEST_CASE(one_stage_pauses_alone) {
    shop it(two_stages());
    desk table;
    worker one(it.front, table, quiet("one"));
    BOOST_REQUIRE(one.start());
    auto reads = it.orders->connect_reader().value();
    write_here(it, pause_work(*reads, pause_of(it, order_status("SHIPPING")), two_stages()));
    it.create("A");
    it.settle({&one});
    BOOST_TEST(it.status("A") == "PACKING");
    table.finish(advance{"pack"}, "A");
    it.pass(5s, {&one});
    BOOST_TEST(it.status("A") == "PACKED");
    BOOST_TEST(table.jobs.size() == 0U);
    write_here(it, resume_work(*reads, order_status("SHIPPING"), two_stages()));
    it.settle({&one});
    BOOST_TEST(it.status("A") == "SHIPPING");
}

BOOST_AUTO_TEST_CASE(a_pause_survives_restarts) {
    shop it;
    auto reads = it.orders->connect_reader().value();
    write_here(it, pause_work(*reads, pause_of(it), it.front.machine()));
    engine_options by_hand;
    by_hand.threads = 0;
    engine next(*it.orders, it.front.machine(), {it.time, it.random, it.watch}, by_hand);
    desk table;
    worker one(next, table, quiet("one"));
    BOOST_REQUIRE(one.start());
    it.create("A");
    for (int i = 0; i < 20; ++i) {
        it.time.advance(500ms);
        one.run_once();
        (void)next.run_once();
    }
    BOOST_TEST(table.started == 0U);
    BOOST_TEST(it.status("A") == "PENDING");
}

BOOST_AUTO_TEST_CASE(what_pauses_say) {
    shop it(two_stages());
    auto reads = it.orders->connect_reader().value();
    BOOST_TEST(list_pauses(*reads).value().empty());
    const work_pause all = pause_of(it);
    const work_pause packing = pause_of(it, order_status("PACKING"));
    write_here(it, pause_work(*reads, packing, two_stages()));
    write_here(it, pause_work(*reads, all, two_stages()));
    const std::vector<work_pause> there{all, packing};
    BOOST_TEST((list_pauses(*reads).value() == there));
    // Again: the first stays.
    BOOST_TEST(pause_work(*reads, all, two_stages()).value().empty());
    for (const work_stage& stage : two_stages().stages()) BOOST_TEST(is_paused(there, stage));
    BOOST_TEST(is_paused(std::vector{packing}, two_stages().stages()[0]));
    BOOST_TEST(!is_paused(std::vector{packing}, two_stages().stages()[1]));

    const auto one = resume_work(*reads, order_status("PACKING"), two_stages());
    BOOST_REQUIRE(!one);
    BOOST_TEST((one.error().code == errc::transition_rejected));
    write_here(it, resume_work(*reads, {}, two_stages()));
    BOOST_TEST(list_pauses(*reads).value().empty());
    BOOST_TEST(resume_work(*reads, {}, two_stages()).value().empty());
    BOOST_TEST(resume_work(*reads, order_status("PACKING"), two_stages()).value().empty());
}

BOOST_AUTO_TEST_CASE(what_is_refused) {
    shop it(two_stages());
    auto reads = it.orders->connect_reader().value();
    work_pause wrong = pause_of(it, order_status("PAID"));
    BOOST_TEST(refusal(pause_work(*reads, wrong, two_stages())) ==
               "there is no stage PAID; there are: PACKING, SHIPPING");
    BOOST_TEST(refusal(resume_work(*reads, order_status("PAID"), two_stages())) ==
               "there is no stage PAID; there are: PACKING, SHIPPING");
    wrong = pause_of(it);
    wrong.reason = std::string(work_pause::reason_size_max + 1, 'x');
    BOOST_TEST(refusal(pause_work(*reads, wrong, two_stages())) ==
               "reason: at most 200 bytes of UTF-8 without control characters");
    wrong.reason = "two\nlines";
    BOOST_TEST(!pause_work(*reads, wrong, two_stages()));
    // Whoever the journal can name may pause work.
    work_pause fits = pause_of(it);
    fits.by = std::string(command::actor_size_max, 'x');
    BOOST_TEST(pause_work(*reads, fits, two_stages()).has_value());
    wrong = pause_of(it);
    wrong.by = std::string(work_pause::by_size_max + 1, 'x');
    BOOST_TEST(!pause_work(*reads, wrong, two_stages()));
}

// A later version may say more about a pause: that it is there is what counts.
BOOST_AUTO_TEST_CASE(an_unreadable_pause_pauses) {
    shop it;
    change_record strange;
    strange.collection = pause_collection;
    strange.key = "*";
    strange.value = "\xff not JSON";
    write_elsewhere(it, std::vector{strange});
    auto reads = it.orders->connect_reader().value();
    BOOST_REQUIRE_EQUAL(list_pauses(*reads).value().size(), 1U);
    desk table;
    worker one(it.front, table, quiet("one"));
    BOOST_REQUIRE(one.start());
    it.create("A");
    it.pass(5s, {&one});
    BOOST_TEST(it.status("A") == "PENDING");
}
