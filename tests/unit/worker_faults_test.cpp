#include "worker_fixture.hpp"

#include <set>

using namespace shop_test;

namespace {

enum class fault { none, unavailable, lost_before, lost_after };

// Fails writes on request: not at all, with nothing written, or so that nobody can tell.
struct fault_plan {
    fault next = fault::none;
    bool blind = false;  // was_applied() does not answer
    int writes = 0;
};

class faulty_repository final : public repository {
public:
    faulty_repository(std::unique_ptr<repository> to, std::shared_ptr<fault_plan> plan)
        : to_(std::move(to)), plan_(std::move(plan)) {}

    result<void> write(const write_params& params, write_results& results) override {
        ++plan_->writes;
        switch (plan_->next) {
            case fault::none:
                return to_->write(params, results);
            case fault::unavailable:
                return errc::unavailable;
            case fault::lost_before:
                return errc::outcome_unknown;
            case fault::lost_after:
                break;
        }
        if (auto ok = to_->write(params, results); !ok) return ok;
        return errc::outcome_unknown;
    }
    result<bool> was_applied(std::string_view writer, std::uint64_t sequence) override {
        if (plan_->blind) return errc::unavailable;
        return to_->was_applied(writer, sequence);
    }
    result<loaded_orders> load(const load_params& params) override { return to_->load(params); }
    result<order_page> list(const list_params& params) override { return to_->list(params); }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        return to_->history(params);
    }
    result<feed_page> read_feed(const feed_params& params) override {
        return to_->read_feed(params);
    }
    result<statistics> count() override { return to_->count(); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return to_->find_cursor(name);
    }
    result<std::vector<named_cursor>> list_cursors() override { return to_->list_cursors(); }
    result<void> rotate_epoch(std::uint64_t epoch) override { return to_->rotate_epoch(epoch); }
    result<bool> tidy() override { return to_->tidy(); }

private:
    std::unique_ptr<repository> to_;
    std::shared_ptr<fault_plan> plan_;
};

class faulty_storage final : public storage {
public:
    explicit faulty_storage(std::shared_ptr<fault_plan> plan)
        : to_(make_memory_storage()), plan_(std::move(plan)) {}
    storage_info info() const override { return to_->info(); }
    result<std::unique_ptr<repository>> connect_writer() override {
        auto made = to_->connect_writer();
        if (!made) return made;
        return std::make_unique<faulty_repository>(std::move(*made), plan_);
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return to_->connect_reader();
    }

private:
    std::unique_ptr<storage> to_;
    std::shared_ptr<fault_plan> plan_;
};

struct faulty_shop : shop {
    explicit faulty_shop(const std::shared_ptr<fault_plan>& how)
        : shop(status_machine::standard(), std::make_unique<faulty_storage>(how)),
          plan(*how),
          staff(front, table, quiet("w1")) {
        BOOST_REQUIRE(staff.start());
    }
    cycle_report settle() { return shop::settle({&staff}); }
    cycle_report pass(milliseconds total) { return shop::pass(total, {&staff}); }

    fault_plan& plan;
    desk table;
    worker staff;
};

std::size_t count_of(const std::string& events, const std::string& event) {
    std::size_t out = 0;
    for (std::size_t at = events.find(event); at != std::string::npos;
         at = events.find(event, at + 1)) {
        ++out;
    }
    return out;
}

worker_options leased_for(std::string id, milliseconds lease) {
    worker_options out = quiet(std::move(id));
    out.lease = lease;
    return out;
}

// With two orders whose workers went down that often.
struct suspicious_shop : shop {
    explicit suspicious_shop(std::size_t lives = 3) {
        create("S1");
        create("S2");
        for (std::size_t life = 1; life <= lives; ++life) {
            dead.push_back(std::make_unique<worker>(front, dead_desk, leased_for("dead", 3s)));
            BOOST_REQUIRE(dead.back()->start());
            for (int i = 0; i < 100 && dead_desk.started < 2 * life; ++i) {
                pass(100ms, {dead.back().get()});
            }
        }
        time.advance(3s);
    }
    desk dead_desk;
    std::vector<std::unique_ptr<worker>> dead;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_worker_that_lost_its_lease_is_told_and_its_result_dropped) {
    shop it;
    desk slow_desk, quick_desk;
    worker slow(it.front, slow_desk, leased_for("slow", 3s));
    worker quick(it.front, quick_desk, leased_for("quick", 3s));
    BOOST_REQUIRE(slow.start());
    it.create("A");
    it.settle({&slow});
    BOOST_REQUIRE(quick.start());
    it.pass(5s, {&quick});  // slow does not get to renew
    BOOST_TEST(quick_desk.jobs.size() == 1U);
    BOOST_TEST(quick_desk.jobs.front().attempt() == 2U);

    job late = slow_desk.take();
    std::move(late).finish(advance{"complete"});
    const cycle_report told = it.settle({&slow});
    BOOST_TEST(told.lease_lost == 1U);
    BOOST_TEST(told.advanced == 0U);
    BOOST_TEST(told.in_flight == 0U);
    BOOST_TEST(it.watch.lost() == std::vector<std::string>{"A"}, boost::test_tools::per_element());
    BOOST_TEST(it.status("A") == "PROCESSING");

    quick_desk.finish(advance{"complete"});
    it.settle({&quick, &slow});
    BOOST_TEST(it.events("A") == "create start release start complete");
    BOOST_TEST(it.history("A").back().actor == "quick");
}

BOOST_AUTO_TEST_CASE(a_renewal_that_comes_too_late_stops_the_job) {
    shop it;
    desk slow_desk, quick_desk;
    worker slow(it.front, slow_desk, leased_for("slow", 3s));
    worker quick(it.front, quick_desk, leased_for("quick", 3s));
    BOOST_REQUIRE(slow.start());
    it.create("A");
    it.settle({&slow});
    BOOST_REQUIRE(quick.start());
    it.pass(5s, {&quick});
    BOOST_TEST(it.settle({&slow}).lease_lost == 1U);
    BOOST_TEST(slow_desk.jobs.front().stop().stop_requested());
    slow_desk.finish(advance{"complete"});
    it.settle({&slow});
    BOOST_TEST(it.status("A") == "PROCESSING");
    BOOST_TEST(it.watch.lost().size() == 1U);
}

BOOST_AUTO_TEST_CASE(an_expired_lease_that_nobody_took_over_still_counts) {
    shop it;
    desk table;
    worker staff(it.front, table, leased_for("w1", 3s));
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.settle({&staff});
    it.time.advance(1h);
    table.finish(advance{"complete"});
    it.settle({&staff});
    BOOST_TEST(it.status("A") == "COMPLETED");
}

BOOST_AUTO_TEST_CASE(a_client_that_ends_the_work_ends_the_job) {
    const std::array<transition_rule, 2> rules{{
        {"PROCESSING", "complete", "COMPLETED"},
        {"PROCESSING", "abort", "ABORTED", true},
    }};
    const std::array<work_stage, 1> stages{
        {{"PENDING", "start", "PROCESSING", "release", "fail", "FAILED"}}};
    auto machine = status_machine::build("PENDING", rules, stages);
    BOOST_REQUIRE(machine);
    shop it(*machine);
    desk table;
    worker staff(it.front, table, quiet("w1"));
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.settle({&staff});
    BOOST_TEST(!it.raise("A", "abort"));
    it.pass(10s, {&staff});
    BOOST_TEST(table.jobs.front().stop().stop_requested());
    table.finish(advance{"complete"});
    it.settle({&staff});
    BOOST_TEST(it.status("A") == "ABORTED");
}

BOOST_AUTO_TEST_CASE(the_orders_of_a_dead_worker_are_taken_over) {
    shop it;
    desk dead_desk, table;
    worker dead(it.front, dead_desk, leased_for("dead", 30s));
    worker staff(it.front, table, leased_for("w2", 30s));
    BOOST_REQUIRE(dead.start());
    it.create("A");
    it.settle({&dead});  // for the last time
    BOOST_REQUIRE(staff.start());
    it.pass(29s + 900ms, {&staff});
    BOOST_TEST(it.status("A") == "PROCESSING");
    it.pass(100ms, {&staff});
    BOOST_TEST(it.status("A") == "PENDING");  // with back-off
    BOOST_TEST(it.find("A").last_error.find("dead") != std::string::npos);
    BOOST_TEST(it.history("A").back().actor == "w2");
    it.pass(1s, {&staff});
    BOOST_TEST(table.jobs.size() == 1U);
    table.finish(advance{"complete"});
    it.settle({&staff});
    BOOST_TEST(it.events("A") == "create start release start complete");
}

// A poison order takes its worker down as soon as it is started.
BOOST_AUTO_TEST_CASE(a_poison_order_costs_its_neighbours_one_attempt_at_most) {
    shop it;
    const std::vector<std::string> neighbours{"A", "B", "C", "D"};
    for (const auto& id : neighbours) it.create(id);
    it.create("POISON");
    std::vector<std::unique_ptr<desk>> desks;
    std::vector<std::unique_ptr<worker>> workers;
    std::map<std::string, std::uint32_t> attempts;
    std::size_t beside = 0;
    for (int life = 1; life <= 7; ++life) {
        bool down = false;
        std::set<std::string> running;
        desks.push_back(std::make_unique<desk>());
        desk& table = *desks.back();
        table.at_once = [&](job work) {
            const std::string id(work.value().id.view());
            attempts[id] = work.attempt();
            if (id == "POISON" && !down) {
                down = true;
                if (life > 3) beside += table.jobs.size();
            }
            table.jobs.push_back(std::move(work));
        };
        worker_options how = leased_for("w" + std::to_string(life), 3s);
        how.retry.attempts_max = 5;
        workers.push_back(std::make_unique<worker>(it.front, table, how));
        BOOST_REQUIRE(workers.back()->start());
        for (int step = 0; step < 600 && !down; ++step) {
            it.time.advance(100ms);
            it.settle({workers.back().get()});
            if (down) break;
            while (!table.jobs.empty()) table.finish(advance{"complete"});
        }
        for (auto& left : desks)
            left->at_once = [&left](job work) { left->jobs.push_back(std::move(work)); };
    }
    BOOST_TEST(attempts["POISON"] == 5U);
    BOOST_TEST(beside == 0U);
    for (const auto& id : neighbours) {
        BOOST_TEST(it.status(id) == "COMPLETED");
        BOOST_TEST(attempts[id] <= 2U);  // one lost, the second completed it
    }
}

BOOST_AUTO_TEST_CASE(a_suspect_that_waits_is_released_at_once_at_a_shutdown) {
    suspicious_shop it;
    desk table;
    worker staff(it.front, table, leased_for("w1", 3s));
    BOOST_REQUIRE(staff.start());
    it.settle({&staff});
    it.create("B");
    it.settle({&staff});
    it.pass(5s, {&staff});
    BOOST_TEST(it.find("S1").attempts == 2U);
    staff.stop(1h);
    BOOST_TEST(it.settle({&staff}).in_flight == 1U);  // B may finish
    BOOST_TEST(it.status("S1") == "PENDING");
    BOOST_TEST(it.find("S1").attempts == 1U);
    BOOST_TEST(table.jobs.size() == 1U);
    BOOST_TEST(it.status("B") == "PROCESSING");
}

BOOST_AUTO_TEST_CASE(a_release_at_a_shutdown_clears_nobody) {
    suspicious_shop it;
    for (int life = 0; life < 2; ++life) {
        desk table;
        worker staff(it.front, table, leased_for("w1", 3s));
        BOOST_REQUIRE(staff.start());
        it.pass(20s, {&staff});
        BOOST_TEST(table.jobs.size() == 1U);  // alone, the second time, too
        staff.stop(0s);
        it.settle({&staff});
        BOOST_TEST(it.status("S1") == "PENDING");
    }
}

BOOST_AUTO_TEST_CASE(suspects_of_two_lapses_run_as_a_group_apart) {
    suspicious_shop it(2);
    desk table;
    worker staff(it.front, table, leased_for("w1", 3s));
    BOOST_REQUIRE(staff.start());
    it.settle({&staff});
    it.create("B");
    it.settle({&staff});
    it.pass(20s, {&staff});
    BOOST_TEST(table.jobs.size() == 1U);  // they wait for B to go
    it.create("C");
    table.finish(advance{"complete"}, "B");
    it.pass(1s, {&staff});
    BOOST_TEST(table.jobs.size() == 2U);  // and run together, but not with C
    table.finish(advance{"complete"}, "S1");
    it.pass(1s, {&staff});
    BOOST_TEST(table.jobs.size() == 1U);
    table.finish(advance{"complete"}, "S2");
    it.settle({&staff});
    BOOST_TEST(it.status("C") == "PROCESSING");
}

BOOST_AUTO_TEST_CASE(a_suspect_runs_alone) {
    suspicious_shop it;
    desk table;
    worker staff(it.front, table, leased_for("w1", 3s));
    BOOST_REQUIRE(staff.start());
    it.settle({&staff});  // takes them back: three expired_leases each
    it.create("B");
    it.settle({&staff});
    BOOST_TEST(table.jobs.size() == 1U);
    // Due, claimed, and held while B runs, for longer than a lease.
    it.pass(20s, {&staff});
    BOOST_TEST(table.jobs.size() == 1U);
    it.create("C");
    it.pass(1s, {&staff});
    BOOST_TEST(table.jobs.size() == 1U);  // nothing is claimed meanwhile
    table.finish(advance{"complete"}, "B");
    it.pass(1s, {&staff});
    for (int i = 0; i < 2; ++i) {
        BOOST_REQUIRE(table.jobs.size() == 1U);
        const std::string id(table.jobs.front().value().id.view());
        BOOST_TEST(id[0] == 'S');
        it.pass(10s, {&staff});
        BOOST_TEST(table.jobs.size() == 1U);
        table.finish(advance{"complete"});
        it.settle({&staff});
    }
    BOOST_TEST(it.status("S1") == "COMPLETED");
    BOOST_TEST(it.status("S2") == "COMPLETED");
    BOOST_TEST(table.jobs.size() == 1U);
    BOOST_TEST(it.status("C") == "PROCESSING");
    BOOST_TEST(it.watch.lost().empty());
}

BOOST_AUTO_TEST_CASE(a_verdict_is_committed_when_the_storage_is_back) {
    const auto plan = std::make_shared<fault_plan>();
    faulty_shop it(plan);
    it.create("A");
    it.settle();
    plan->next = fault::unavailable;
    it.table.finish(advance{"complete"});
    it.pass(20s);
    BOOST_TEST(it.status("A") == "PROCESSING");
    const int tried = plan->writes;
    BOOST_TEST(tried > 8);
    BOOST_TEST(tried < 60);  // with growing pauses
    plan->next = fault::none;
    it.pass(10s);
    BOOST_TEST(it.status("A") == "COMPLETED");
    BOOST_TEST(it.events("A") == "create start complete");
    BOOST_TEST(it.watch.attempts().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_verdict_of_unknown_outcome_is_committed_once) {
    for (const fault how : {fault::lost_before, fault::lost_after}) {
        for (const bool blind : {false, true}) {
            const auto plan = std::make_shared<fault_plan>();
            faulty_shop it(plan);
            it.create("A");
            it.create("B");
            it.settle();
            plan->next = how;
            plan->blind = blind;
            it.table.finish(advance{"complete"}, "A");
            it.table.finish(retry_later{"busy", 1h}, "B");
            for (int i = 0; i < 4; ++i) {
                it.staff.run_once();
                (void)it.front.run_once();
            }
            plan->next = fault::none;
            plan->blind = false;
            it.pass(2s);
            BOOST_TEST(it.events("A") == "create start complete");
            BOOST_TEST(it.events("B") == "create start release");
            BOOST_TEST(it.watch.lost().empty());
            BOOST_TEST(it.watch.attempts().size() == 2U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_renewal_that_fails_is_tried_again) {
    const auto plan = std::make_shared<fault_plan>();
    faulty_shop it(plan);  // a lease of 30 s, renewed after 10
    it.create("A");
    it.settle();
    it.pass(9s);
    plan->next = fault::unavailable;
    it.pass(15s);
    plan->next = fault::none;
    it.pass(5s);
    desk other_desk;
    worker other(it.front, other_desk, quiet("w2"));
    BOOST_REQUIRE(other.start());
    it.shop::pass(20s, {&it.staff, &other});
    BOOST_TEST(it.events("A") == "create start");
    it.table.finish(advance{"complete"});
    it.settle();
}

BOOST_AUTO_TEST_CASE(claims_that_fail_are_repeated_with_pauses) {
    const auto plan = std::make_shared<fault_plan>();
    faulty_shop it(plan);
    it.create("A");
    it.create("B");
    plan->next = fault::unavailable;
    it.pass(20s);
    BOOST_TEST(plan->writes < 60);
    BOOST_TEST(it.watch.errors()["claim"] > 4);
    plan->next = fault::none;
    it.pass(6s);
    BOOST_TEST(it.table.jobs.size() == 2U);
}

BOOST_AUTO_TEST_CASE(ten_thousand_jobs_wait_in_one_thread) {
    constexpr std::size_t count = 10'000;
    shop it;
    worker_options how = quiet("w1");
    how.in_flight_max = count;
    desk table;
    worker staff(it.front, table, how);
    BOOST_REQUIRE(staff.start());
    for (std::size_t i = 0; i < count; ++i) it.create("N" + std::to_string(i));
    BOOST_TEST(it.settle({&staff}).in_flight == count);
    BOOST_TEST(table.jobs.size() == count);
    it.pass(25s, {&staff}, 5s);  // two renewals each
    while (!table.jobs.empty()) table.finish(advance{"complete"});
    BOOST_TEST(it.settle({&staff}).advanced == count);
    const auto counts = it.orders->connect_reader().value()->count().value();
    BOOST_TEST(counts.completed == count);
}

BOOST_AUTO_TEST_CASE(the_engines_end_is_not_the_workers) {
    shop it;
    desk table;
    worker staff(it.front, table, quiet("w1"));
    BOOST_REQUIRE(staff.start());
    it.create("A");
    it.create("B");
    it.settle({&staff});
    it.front.stop();
    table.finish(advance{"complete"}, "A");
    it.settle({&staff});
    const cycle_report after = it.pass(1min, {&staff});
    BOOST_TEST(after.in_flight == 0U);
    BOOST_TEST((after.next_due == clock::instant::max()));
    BOOST_TEST(table.jobs.front().stop().stop_requested());
    BOOST_TEST(count_of(it.events("A"), "complete") == 0U);
}
