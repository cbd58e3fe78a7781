#include "../conformance/mutant_storage.hpp"

#include <orderproc/command.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/verify.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <ostream>

namespace orderproc {
namespace {

// Orders A (completed), B (cancelled), C (deleted), D (pending): nine entries.
class shop {
public:
    explicit shop(mutants::hooks with = {}) : harness_(std::move(with)), storage_(harness_.open()) {
        db_ = storage_->connect_writer().value();
        for (const char* id : {"A", "B", "C", "D"}) create(id);
        const auto held = claim_first();
        raise("B", "cancel");
        command erase;
        erase.what = erase_order{"C"};
        write(std::move(erase));
        change finish;
        finish.order = "A";
        finish.event = "complete";
        finish.lease = held.lease;
        finish.action = transition_order{.to = "COMPLETED",
                                         .reason = {},
                                         .queued = false,
                                         .next_attempt_at = {},
                                         .attempts = {},
                                         .last_error = {},
                                         .settles = true,
                                         .completes = true,
                                         .repeatable = false};
        write(std::move(finish));
        write(testing::edit("D", testing::order_builder{}.user(5).build()));
        raise("D", "retry");  // due already: no entry
        move_cursor("relay", 9);
    }

    repository& db() { return *db_; }
    void create(const std::string& id) { write(testing::order_builder{}.id(id).submit()); }
    void annotate(const std::string& id) {
        command out;
        out.what = orderproc::annotate{id, {"{}", {}, {}}};
        write(std::move(out));
    }
    void redact(const std::string& id) {
        command out;
        out.what = redact_personal{id};
        write(std::move(out));
    }
    // All but D, whose last entry is among those that the feed no longer has. late: what is done
    // an hour later, just before.
    void purge(const std::function<void()>& late = {}) {
        clock_.advance(std::chrono::hours(1));
        if (late) late();
        const purge_orders what{clock_.now() - std::chrono::minutes(1)};
        purge_outcome out;
        write_results results;
        results.purges = {&out, 1};
        write_params params;
        params.now = params.forget_before = clock_.now();
        params.purges = {&what, 1};
        db_->write(params, results).value();
        BOOST_TEST_REQUIRE(out.floor.offset == 9U);
    }

private:
    void raise(const char* id, const char* event) { write(testing::raise(id, event)); }
    void write(command what) {
        runtime with{clock_, random_, nobody_};
        write(lower(std::move(what), status_machine::standard(), with).value());
    }
    void write(change what) {
        clock_.advance(std::chrono::seconds(1));
        change_outcome out;
        write_results results{{&out, 1}, {}, {}};
        write_params params;
        params.now = clock_.now();
        params.changes = {&what, 1};
        db_->write(params, results).value();
        BOOST_TEST_REQUIRE(!out.ec, what.event << ": " << out.ec.message());
    }
    void move_cursor(const char* name, std::uint64_t to) {
        const commit_cursor what{name, "w", feed_position{1, to}, clock_.now()};
        cursor_outcome out;
        write_results results{{}, {}, {&out, 1}};
        write_params params;
        params.now = clock_.now();
        params.cursors = {&what, 1};
        db_->write(params, results).value();
        BOOST_TEST_REQUIRE(!out.ec);
    }
    claimed_order claim_first() {
        claim what;
        what.stage = &status_machine::standard().stages().front();
        what.worker_id = "w";
        what.expires_at = clock_.now() + std::chrono::seconds(60);
        what.limit = 1;
        claim_outcome out;
        write_results results{{}, {&out, 1}, {}};
        write_params params;
        params.now = clock_.now();
        params.claims = {&what, 1};
        db_->write(params, results).value();
        return out.orders.at(0);
    }

    testing::manual_clock clock_;
    testing::seeded_random random_;
    observer nobody_;
    mutants::mutant_harness harness_;
    std::unique_ptr<storage> storage_;
    std::unique_ptr<repository> db_;
};

struct damage {
    const char* difference;
    void (*hurt)(mutants::hooks& h);
};
std::ostream& operator<<(std::ostream& out, const damage& it) {
    return out << it.difference;
}

// One entry of the feed, changed on its way out.
template <std::uint64_t Offset, auto Change>
void hurt_entry(mutants::hooks& h) {
    h.feed_out = [](feed_page& page) {
        for (auto& it : page.entries) {
            if (it.position.offset == Offset) Change(it);
        }
    };
}
template <auto Change>
void hurt_row(mutants::hooks& h) {
    h.list_out = [](order_page& page) { Change(page.orders); };
}

const damage damages[] = {
    {"entry 1-5 (start) of order A (number 1) follows 1-3: expected offset 4",
     [](mutants::hooks& h) {
         h.feed_out = [](feed_page& page) {
             std::erase_if(page.entries, [](auto& it) { return it.position.offset == 4; });
         };
     }},
    {"entry 1-6 (cancel) of order B (number 2) was written at 1970-01-01T00:00:00.000Z, the one "
     "before it at 2026-06-15T00:00:04.000Z",
     hurt_entry<6, [](journal_entry& it) { it.at = {}; }>},
    {"entry 1-5 (start) of order A (number 1) is version 9, its order 2",
     hurt_entry<5, [](journal_entry& it) { it.version = order_version{9}; }>},
    {"entry 1-5 (start) of order A (number 1) has version 3 after version 1",
     hurt_entry<5, [](journal_entry& it) { it.version = it.after.version = order_version{3}; }>},
    {"entry 1-5 (start) of order A (number 1) has status LOST, which the machine does not have",
     hurt_entry<5, [](journal_entry& it) { it.after.status = "LOST"; }>},
    {"entry 1-6 (cancel) of order B (number 2) moved it from FAILED, but it was PENDING",
     hurt_entry<6, [](journal_entry& it) { it.from = order_status("FAILED"); }>},
    {"entry 1-6 (cancel) of order B (number 2) moved it from PENDING to COMPLETED, which the "
     "machine forbids",
     hurt_entry<6, [](journal_entry& it) { it.after.status = "COMPLETED"; }>},
    {"entry 1-9 (complete) of order D (number 4) moved it from PENDING to COMPLETED, which the "
     "machine forbids",
     hurt_entry<9,
                [](journal_entry& it) {
                    it.event = "complete";
                    it.after.status = "COMPLETED";
                }>},
    {"entry 1-6 (create) of order B (number 2) creates it a second time",
     hurt_entry<6, [](journal_entry& it) { it.event = "create"; }>},
    {"entry 1-2 (edit) of order B (number 2) is of an order that was never created",
     hurt_entry<2, [](journal_entry& it) { it.event = "edit"; }>},
    {"entry 1-2 (create) of order B (number 2) created it as FAILED",
     hurt_entry<2, [](journal_entry& it) { it.after.status = "FAILED"; }>},
    {"entry 1-9 (edit) of order C (number 3) comes after its deletion",
     hurt_entry<9,
                [](journal_entry& it) {
                    it.after.number = 3;
                    it.after.id = order_id::parse("C").value();
                    it.version = it.after.version = order_version{3};
                }>},
    {"entry 1-6 (cancel) of order B (number 2) is in an epoch that ended before",
     hurt_entry<5, [](journal_entry& it) { it.position.epoch = 2; }>},
    {"the feed says that 1-10 is its newest entry, but ends at 1-9",
     [](mutants::hooks& h) { h.feed_out = [](feed_page& page) { ++page.newest.offset; }; }},
    {"order B (number 2) is not what its latest entry 1-6 made it: user: expected \"1\", found "
     "\"2\"",
     hurt_row<[](std::vector<order>& rows) { rows[1].user = "2"; }>},
    {"order B (number 2) is not what its latest entry 1-6 made it: status: expected CANCELLED, "
     "found PENDING",
     hurt_row<[](std::vector<order>& rows) { rows[1].status = "PENDING"; }>},
    {"entry 1-6 (cancel) of order B (number 2) left it in the table, but it is not listed",
     hurt_row<[](std::vector<order>& rows) { rows.erase(rows.begin() + 1); }>},
    {"order A (number 9) has no entry in the journal", hurt_row<[](std::vector<order>& rows) {
         rows.push_back(rows[0]);
         rows.back().number = 9;
         rows.back().created_at += std::chrono::hours(1);
     }>},
    {"order C (number 3) was deleted, but is listed", hurt_row<[](std::vector<order>& rows) {
         rows.insert(rows.begin() + 2, rows[1]);
         rows[2].number = 3;
         rows[2].id = order_id::parse("C").value();
     }>},
    {"order B (number 2) is listed after number 4, created at 2026-06-15T00:00:04.000Z",
     hurt_row<[](std::vector<order>& rows) { std::swap(rows[1], rows[2]); }>},
    {"count() says that 2 orders are PENDING; there are 1",
     [](mutants::hooks& h) {
         h.count_out = [](statistics& it) {
             for (auto& [status, size, due] : it.orders) size += status == order_status("PENDING");
         };
     }},
    {"count() has orders in LOST, which the machine does not have",
     [](mutants::hooks& h) {
         h.count_out = [](statistics& it) { it.orders.emplace_back(order_status("LOST"), 1); };
     }},
    {"count() says that 3 orders were created; the journal has 4",
     [](mutants::hooks& h) { h.count_out = [](statistics& it) { --it.created; }; }},
    {"count() says that 2 orders were completed; the journal has 1",
     [](mutants::hooks& h) { h.count_out = [](statistics& it) { ++it.completed; }; }},
    {"count() says that they took 3001 ms; the journal says 3000",
     [](mutants::hooks& h) {
         h.count_out = [](statistics& it) { it.processing_time += std::chrono::milliseconds(1); };
     }},
    {"cursor relay stands at 1-10, beyond the newest entry 1-9",
     [](mutants::hooks& h) {
         h.cursors_out = [](std::vector<named_cursor>& all) { ++all.at(0).at.offset; };
     }},
};

result<verify_report> verified(shop& of) {
    return verify(of.db(), status_machine::standard());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_whole_storage_has_no_difference) {
    shop whole;
    const auto report = verified(whole).value();
    BOOST_TEST(report.difference.value_or("") == "");
    BOOST_TEST(report.entries == 9U);
    BOOST_TEST(report.orders == 3U);
}

BOOST_AUTO_TEST_CASE(a_storage_with_several_epochs_has_no_difference) {
    const auto storage = make_memory_storage();
    const auto db = storage->connect_writer().value();
    std::uint64_t epoch = 1;
    const auto check = [&] {
        const auto report = verify(*db, status_machine::standard()).value();
        BOOST_TEST(report.difference.value_or("") == "");
    };
    check();
    for (const char* id : {"A", "B", "C"}) {
        BOOST_REQUIRE(db->rotate_epoch(++epoch).has_value());
        check();
        engine writes(*storage, status_machine::standard(), system_runtime(), {.threads = 0});
        BOOST_TEST(!writes.execute(testing::order_builder().id(id).submit()).ec);
        check();
    }
}

BOOST_AUTO_TEST_CASE(what_was_purged_is_no_difference) {
    shop small;
    small.purge();
    auto report = verified(small).value();
    BOOST_TEST(report.difference.value_or("") == "");
    BOOST_TEST(report.entries == 0U);
    BOOST_TEST(report.orders == 1U);
    small.create("E");
    report = verified(small).value();
    BOOST_TEST(report.difference.value_or("") == "");
    BOOST_TEST(report.entries == 1U);
}

BOOST_AUTO_TEST_CASE(annotations_and_redactions_are_no_difference) {
    shop whole;
    for (const char* id : {"A", "D"}) whole.annotate(id);
    for (const char* id : {"A", "B", "C", "C"}) whole.redact(id);
    auto report = verified(whole).value();
    BOOST_TEST(report.difference.value_or("") == "");
    BOOST_TEST(report.entries == 15U);
    BOOST_TEST(report.orders == 3U);
}

BOOST_AUTO_TEST_CASE(a_redaction_after_a_deletion_below_the_floor_is_no_difference) {
    shop small;
    small.purge([&] { small.redact("C"); });
    const auto report = verified(small).value();
    BOOST_TEST(report.difference.value_or("") == "");
    BOOST_TEST(report.entries == 1U);
}

BOOST_AUTO_TEST_CASE(an_annotation_after_a_deletion_is_a_difference) {
    mutants::hooks with;
    with.feed_out = [](feed_page& page) {
        for (auto& it : page.entries) {
            if (it.event == "redact") it.event = "annotate";
        }
    };
    shop hurt(std::move(with));
    hurt.redact("C");
    BOOST_TEST(verified(hurt).value().difference.value_or("") ==
               "entry 1-10 (annotate) of order C (number 3) comes after its deletion");
}

// Below the floor the histories are judged.
const damage damages_below[] = {
    {"order D (number 4) was settled before the feed begins, but is there",
     hurt_row<[](std::vector<order>& rows) { rows[0].settled_at = rows[0].created_at; }>},
    {"order D (number 4) has no history after version 0",
     [](mutants::hooks& h) { h.history_out = [](auto& entries) { entries.clear(); }; }},
    {"entry 1-9 (edit) of order D (number 4) is in the history in the place of version 1",
     [](mutants::hooks& h) {
         h.history_out = [](auto& entries) {
             if (entries.size() > 1) entries.erase(entries.begin());
         };
     }},
    {"order D (number 4) has no history after version 1",
     [](mutants::hooks& h) {
         h.history_in = [](history_params& it) {
             if (it.after == order_version{1}) it.order = "none";
         };
         h.history_out = [](auto& entries) {
             if (entries.size() > 1) entries.pop_back();
         };
     }},
    {"entry 1-9 (edit) of order D (number 4) is not what the order is: user: expected \"5\", found "
     "\"6\"",
     hurt_row<[](std::vector<order>& rows) { rows[0].user = "6"; }>},
    {"entry 1-9 (edit) of order D (number 4) is before the entry before it",
     [](mutants::hooks& h) {
         h.history_out = [](auto& entries) { entries.at(0).position.offset = 10; };
     }},
};

BOOST_DATA_TEST_CASE(damage_below_the_floor_is_found, boost::unit_test::data::make(damages_below),
                     it) {
    mutants::hooks with;
    it.hurt(with);
    shop hurt(std::move(with));
    hurt.purge();
    const auto report = verified(hurt).value();
    BOOST_TEST(report.difference.value_or("") == it.difference);
}

BOOST_AUTO_TEST_CASE(an_empty_storage_has_no_difference) {
    const auto storage = make_memory_storage();
    const auto db = storage->connect_reader().value();
    const auto report = verify(*db, status_machine::standard()).value();
    BOOST_TEST(report.difference.value_or("") == "");
    BOOST_TEST(report.entries == 0U);
}

BOOST_DATA_TEST_CASE(damage_is_named, boost::unit_test::data::make(damages), it) {
    mutants::hooks with;
    it.hurt(with);
    shop hurt(std::move(with));
    const auto report = verified(hurt).value();
    BOOST_TEST(report.difference.value_or("no difference") == it.difference);
}

BOOST_AUTO_TEST_CASE(progress_is_told) {
    shop large;
    for (int i = 0; i < 10'000; ++i) large.create("more-" + std::to_string(i));
    std::vector<std::uint64_t> told;
    const auto report =
        verify(large.db(), status_machine::standard(), [&](const verify_report& so_far) {
            told.push_back(so_far.orders > 0 ? so_far.orders : so_far.entries);
        });
    BOOST_TEST(report.value().difference.value_or("") == "");
    BOOST_TEST(report.value().orders == 10'003U);
    BOOST_TEST(told == (std::vector<std::uint64_t>{4096, 8192, 4096, 8192}),
               boost::test_tools::per_element());
}

}  // namespace orderproc
