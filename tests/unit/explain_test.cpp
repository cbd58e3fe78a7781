// Each answer to "why is it not done?", from orders that a shop has really worked on.

#include "worker_fixture.hpp"

#include <orderproc/explain.hpp>
#include <orderproc/pause.hpp>
#include <orderproc/write_records.hpp>

#include <array>
#include <string>
#include <vector>

using namespace shop_test;

namespace {

struct asked {
    explicit asked(const status_machine& of = status_machine::standard()) : machine(of), it(of) {}

    order_facts facts(const std::string& id) {
        auto reads = it.orders->connect_reader().value();
        return read_order_facts(*reads, id, machine, it.time.now()).value();
    }
    explanation why(const std::string& id) { return explain(facts(id), machine, it.time.now()); }
    std::string now() { return to_string(it.time.now()); }
    void write(const result<std::vector<change_record>>& what) {
        BOOST_REQUIRE(what.has_value());
        write_records(it.front, *what,
                      [](const result<void>& done) { BOOST_REQUIRE(done.has_value()); });
        it.settle({});
    }
    void pause(std::optional<order_status> stage) {
        auto reads = it.orders->connect_reader().value();
        write(pause_work(*reads, {stage, it.time.now(), "key:anna", "no gateway"}, machine));
    }
    // A worker that says so; the shop's own keep no records.
    void tell(const std::string& name, std::uint64_t in_work, std::uint64_t capacity) {
        worker_record said;
        said.name = name;
        said.started_at = said.heard_at = it.time.now();
        for (const work_stage& stage : machine.stages()) said.stages.push_back(stage.active);
        said.in_work = in_work;
        said.capacity = capacity;
        write(std::vector{to_record(said, 0)});
    }

    const status_machine& machine;
    shop it;
    desk table;
};

void check(const explanation& got, order_state state, order_wait wait,
           const std::vector<std::string>& sentences) {
    BOOST_TEST(name_of(got.state) == name_of(state));
    BOOST_TEST(name_of(got.waits_for) == name_of(wait));
    BOOST_TEST(got.sentences == sentences, boost::test_tools::per_element());
}

}  // namespace

BOOST_AUTO_TEST_CASE(never_made) {
    asked of;
    check(of.why("A"), order_state::unknown, order_wait::nothing,
          {"There is no order A: there never was one, or it was purged."});
}

BOOST_AUTO_TEST_CASE(deleted) {
    asked of;
    of.it.create("A");
    of.it.time.advance(1s);
    BOOST_REQUIRE(!of.it.front.execute({erase_order{"A"}, {}, {}, {}, "key:anna", ""}).ec);
    check(of.why("A"), order_state::deleted, order_wait::nothing,
          {"Order A was deleted at " + of.now() +
           " by key:anna. Its history stays, and its id is not given again."});
}

BOOST_AUTO_TEST_CASE(due_and_nobody_works) {
    asked of;
    of.it.create("A");
    const std::string made = of.now();
    of.it.time.advance(1s);
    const explanation got = of.why("A");
    check(
        got, order_state::waiting, order_wait::worker,
        {"Order A is PENDING since " + made + " and is due.",
         "No worker of stage PROCESSING is heard: start one with `orderproc work`, or look why it "
         "stopped."});
    BOOST_TEST(to_string(*got.since) == made);
    BOOST_TEST(!got.next_at.has_value());
    BOOST_TEST(got.can == std::vector<std::string>{"cancel"}, boost::test_tools::per_element());
    BOOST_TEST(got.attempts.empty());
}

BOOST_AUTO_TEST_CASE(due_and_taken_at_the_next_look) {
    asked of;
    of.it.create("A");
    of.tell("one", 0, 10);
    check(of.why("A"), order_state::waiting, order_wait::claim,
          {"Order A is PENDING since " + of.now() + " and is due.",
           "It is the next one: a worker takes it when it looks again, within seconds."});
}

BOOST_AUTO_TEST_CASE(due_and_behind_others) {
    asked of;
    of.it.create("A");
    of.it.create("B");
    of.it.create("C");
    of.tell("one", 0, 10);
    BOOST_TEST(of.why("B").sentences.at(1) == "1 order is due before it.");
    const explanation got = of.why("C");
    BOOST_TEST(got.sentences.at(1) == "2 orders are due before it.");
    BOOST_TEST(name_of(got.waits_for) == "queue");
    order_facts many = of.facts("C");
    many.ahead = 200;
    many.ahead_more = true;
    BOOST_TEST(explain(many, of.machine, of.it.time.now()).sentences.at(1) ==
               "More than 200 orders are due before it.");
}

BOOST_AUTO_TEST_CASE(due_and_the_workers_are_full) {
    asked of;
    of.it.create("A");
    of.tell("one", 10, 10);
    of.tell("two", 5, 5);
    check(of.why("A"), order_state::waiting, order_wait::capacity,
          {"Order A is PENDING since " + of.now() + " and is due.",
           "2 workers have 15 orders in work, and room for 15: it is taken when one of them is "
           "finished."});
}

BOOST_AUTO_TEST_CASE(due_and_paused) {
    asked of;
    of.it.create("A");
    of.tell("one", 0, 10);
    of.pause({});
    check(of.why("A"), order_state::waiting, order_wait::pause,
          {"Order A is PENDING since " + of.now() + " and is due.",
           "All work is paused since " + of.now() +
               " by key:anna (no gateway): nobody takes orders until somebody resumes it."});
    auto reads = of.it.orders->connect_reader().value();
    of.write(resume_work(*reads, {}, of.machine));
    of.pause(order_status("PROCESSING"));
    BOOST_TEST(of.why("A").sentences.at(1).starts_with("Stage PROCESSING is paused since "));
}

BOOST_AUTO_TEST_CASE(waits_for_its_time) {
    asked of;
    worker one(of.it.front, of.table, quiet("one"));
    BOOST_REQUIRE(one.start());
    of.it.create("A");
    of.it.settle({&one});
    const std::string begun = of.now();
    of.it.time.advance(1s);
    of.table.finish(retry_later{"502 Bad Gateway", {}}, "A");
    of.it.settle({&one});
    const std::string released = of.now();
    const std::string next = to_string(*of.it.find("A").next_attempt_at);
    const explanation got = of.why("A");
    check(got, order_state::waiting, order_wait::its_time,
          {"Order A is PENDING since " + released + " and waits until " + next + ".",
           "Attempt 1 ended with: 502 Bad Gateway."});
    BOOST_TEST(to_string(*got.next_at) == next);
    BOOST_REQUIRE_EQUAL(got.attempts.size(), 1U);
    const explained_attempt& first = got.attempts.front();
    BOOST_TEST(first.number == 1U);
    BOOST_TEST(first.worker == "one");
    BOOST_TEST(to_string(first.from) == begun);
    BOOST_TEST(to_string(*first.until) == released);
    BOOST_TEST(first.outcome == "retried");
    BOOST_TEST(first.reason == "502 Bad Gateway");
}

BOOST_AUTO_TEST_CASE(was_asked_to_wait) {
    asked of;
    order_draft later = testing::order_builder{}.id("A").draft();
    later.not_before = of.it.time.now() + 60s;
    BOOST_REQUIRE(!of.it.front.execute({submit_order{later}, {}, {}, {}, "", ""}).ec);
    check(of.why("A"), order_state::waiting, order_wait::its_time,
          {"Order A is PENDING since " + of.now() + " and waits until " +
               to_string(*later.not_before) + ".",
           "No attempt was made: work on it was asked to begin no earlier, or it was put off."});
}

BOOST_AUTO_TEST_CASE(in_work) {
    asked of;
    worker one(of.it.front, of.table, quiet("one"));
    BOOST_REQUIRE(one.start());
    of.it.create("A");
    of.it.settle({&one});
    const std::string text =
        "Order A is PROCESSING since " + of.now() + ": attempt 1 by worker one.";
    check(of.why("A"), order_state::in_work, order_wait::outcome, {text});
    BOOST_TEST(of.why("A").attempts.at(0).outcome == "running");
    BOOST_TEST(!of.why("A").attempts.at(0).until.has_value());

    of.tell("one", 1, 10);
    check(of.why("A"), order_state::in_work, order_wait::outcome, {text});
    const std::string heard = of.now();
    of.it.time.advance(40s);
    check(of.why("A"), order_state::in_work, order_wait::lease,
          {text, "That worker has not been heard since " + heard +
                     ": another one gets the order when its lease has ended."});
}

// Its record is forgotten after an hour: the order still waits for the end of its lease.
BOOST_AUTO_TEST_CASE(in_work_at_a_worker_that_is_long_gone) {
    asked of;
    worker one(of.it.front, of.table, quiet("one"));
    BOOST_REQUIRE(one.start());
    of.it.create("A");
    of.it.settle({&one});
    of.tell("one", 1, 10);
    const std::string begun = of.now();
    const std::string text = "Order A is PROCESSING since " + begun + ": attempt 1 by worker one.";
    of.it.time.advance(60s);
    check(of.why("A"), order_state::in_work, order_wait::lease,
          {text, "That worker has not been heard since " + begun +
                     ": another one gets the order when its lease has ended."});
    of.it.time.advance(2h);
    auto reads = of.it.orders->connect_reader().value();
    of.write(forget_workers(*reads, of.it.time.now(), 10));
    check(of.why("A"), order_state::in_work, order_wait::lease,
          {text,
           "No worker of that name is heard. Unless it works without a record, it has died, "
           "and another one gets the order when its lease has ended."});
}

BOOST_AUTO_TEST_CASE(in_work_at_a_worker_that_died_during_a_pause) {
    asked of;
    worker one(of.it.front, of.table, quiet("one"));
    BOOST_REQUIRE(one.start());
    of.it.create("A");
    of.it.settle({&one});
    of.pause({});
    BOOST_TEST(name_of(of.why("A").waits_for) == "outcome");  // it may still finish
    const std::string paused = of.now();
    of.it.time.advance(60s);
    const explanation got = of.why("A");
    BOOST_TEST(name_of(got.waits_for) == "pause");
    BOOST_TEST(got.sentences.back() ==
               "All work is paused since " + paused +
                   " by key:anna (no gateway): nobody takes orders until somebody resumes it.");
}

BOOST_AUTO_TEST_CASE(in_work_at_a_worker_that_stops) {
    asked of;
    worker one(of.it.front, of.table, quiet("one"));
    BOOST_REQUIRE(one.start());
    of.it.create("A");
    of.it.settle({&one});
    order_facts facts = of.facts("A");
    worker_record said;
    said.name = "one";
    said.heard_at = of.it.time.now();
    said.draining = true;
    facts.workers = {said};
    BOOST_TEST(explain(facts, of.machine, of.it.time.now()).sentences.at(1) ==
               "That worker is about to stop: it finishes the order or gives it back.");
}

BOOST_AUTO_TEST_CASE(done) {
    asked of;
    worker one(of.it.front, of.table, quiet("one"));
    BOOST_REQUIRE(one.start());
    of.it.create("A");
    of.it.settle({&one});
    of.table.finish(advance{"complete"}, "A");
    of.it.settle({&one});
    const std::string completed = of.now();
    of.it.time.advance(5s);
    const explanation got = of.why("A");
    check(got, order_state::settled, order_wait::nothing,
          {"Order A is COMPLETED since " + completed + ". Nothing more happens to it."});
    BOOST_TEST(got.attempts.at(0).outcome == "advanced");
    BOOST_TEST(got.can.empty());
}

BOOST_AUTO_TEST_CASE(dead_and_others_like_it) {
    asked of;
    worker one(of.it.front, of.table, quiet("one"));
    BOOST_REQUIRE(one.start());
    for (const char* id : {"A", "B", "C"}) of.it.create(id);
    of.it.settle({&one});
    of.table.finish(give_up{"payment 4711: 502 Bad Gateway"}, "A");
    of.table.finish(give_up{"payment 4712: 502 Bad Gateway"}, "B");
    of.table.finish(give_up{"no stock"}, "C");
    of.it.settle({&one});
    const std::string failed = of.now();
    of.it.time.advance(5s);
    explanation got = of.why("A");
    check(got, order_state::dead, order_wait::person,
          {"Order A is FAILED since " + failed + " after 1 attempt.",
           "It failed with: payment 4711: 502 Bad Gateway.",
           "1 other order has failed for the same reason.",
           "Nothing happens to it until somebody raises retry."});
    BOOST_TEST(got.can == std::vector<std::string>{"retry"}, boost::test_tools::per_element());
    BOOST_TEST(got.attempts.at(0).outcome == "failed");
    BOOST_TEST(of.why("C").sentences.size() == 3U);
    order_facts many = of.facts("A");
    many.similar = 20;
    many.similar_more = true;
    BOOST_TEST(explain(many, of.machine, of.it.time.now()).sentences.at(2) ==
               "At least 20 other orders have failed for the same reason.");
}

BOOST_AUTO_TEST_CASE(suspected_of_taking_workers_down) {
    asked of;
    of.it.create("A");
    for (const char* name : {"one", "two"}) {
        // Takes the order and is never heard of again.
        worker lost(of.it.front, of.table, quiet(name));
        BOOST_REQUIRE(lost.start());
        of.it.settle({&lost});
        BOOST_TEST(of.it.status("A") == "PROCESSING");
        // A worker that has no room takes it back.
        claim back;
        back.stage = &of.machine.stages()[0];
        back.worker_id = "other";
        of.it.time.advance(31s);
        back.expires_at = of.it.time.now() + 30s;
        back.limit = 1;
        struct : claim_completion {
            void complete(error_code, claim_outcome&) noexcept override {}
        } done;
        BOOST_REQUIRE(of.it.front.submit(back, done).has_value());
        of.it.settle({});
        BOOST_TEST(of.it.status("A") == "PENDING");
        of.it.time.advance(10s);
    }
    of.tell("three", 0, 10);
    const explanation got = of.why("A");
    BOOST_TEST(name_of(got.waits_for) == "isolation");
    BOOST_TEST(got.sentences.back() ==
               "Its lease expired 2 times in a row, as if it took its workers down: so a worker "
               "takes it alone or with few others, once it has finished what it has.");
    BOOST_TEST(got.attempts.at(0).outcome == "expired");
}

BOOST_AUTO_TEST_CASE(waits_for_an_event) {
    static const status_machine held = [] {
        const std::array<transition_rule, 2> rules{
            {{"OPEN", "hold", "HELD", true}, {"HELD", "free", "FREED", true}}};
        return status_machine::build("OPEN", rules, {}).value();
    }();
    asked of(held);
    of.it.create("A");
    BOOST_REQUIRE(!of.it.raise("A", "hold"));
    const explanation got = of.why("A");
    check(got, order_state::settled, order_wait::person,
          {"Order A is HELD since " + of.now() + ". Nothing more happens to it by itself.",
           "It goes on when somebody raises free."});
    BOOST_TEST(got.can == std::vector<std::string>{"free"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(waits_for_the_application) {
    static const status_machine moved = [] {
        const std::array<transition_rule, 1> rules{{{"OPEN", "close", "CLOSED"}}};
        return status_machine::build("OPEN", rules, {}).value();
    }();
    asked of(moved);
    of.it.create("A");
    check(of.why("A"), order_state::waiting, order_wait::person,
          {"Order A is OPEN since " + of.now() + ". It goes on when the application moves it."});
}

// Annotations change neither the status nor since when it is so.
BOOST_AUTO_TEST_CASE(since_when) {
    asked of;
    of.it.create("A");
    const std::string made = of.now();
    of.it.time.advance(5s);
    annotate note;
    note.order = "A";
    note.fields.annotations = R"({"seen":1})";
    BOOST_REQUIRE(!of.it.front.execute({note, {}, {}, {}, "", ""}).ec);
    of.tell("one", 0, 10);
    BOOST_TEST(to_string(*of.why("A").since) == made);
}
