// Memory runs out while the SQLite adapter writes, and while it reports that it could not: nothing
// ends the program, and what the engine says is what is in the file.

#include "../unit/failing_allocator.hpp"
#include "sqlite_support.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace shop_test;
using namespace sqlite_support;

namespace {

class answer final : public completion {
public:
    void complete(change_outcome& outcome) noexcept override {
        ++calls;
        ec = outcome.ec;
    }
    int calls = 0;
    error_code ec;
};

struct file {
    file() : on(open(folder.file("orders.db"))) {
        (void)writer_of(*on);  // makes the schema
    }
    bool there(const std::string& id) {
        const std::vector<std::string> ids{id};
        return reader_of(*on)->load({ids, {}}).value().orders.front().has_value();
    }
    // One command; whether memory ran out on its way.
    bool submit(std::size_t after, std::size_t for_so_many) {
        engine front(*on, status_machine::standard(), {time, random, watch}, by_hand);
        const std::string id = "A" + std::to_string(++made);
        command what = testing::order_builder{}.id(id).submit();
        answer done;
        bool queued = false;
        memory_runs_out now(after, for_so_many);
        try {
            queued = front.submit(std::move(what), done).has_value();
        } catch (const std::bad_alloc&) {  // nothing was queued
        }
        const auto drive = [&] {
            for (int i = 0; i < 5; ++i) {
                (void)front.run_once();
                time.advance(std::chrono::seconds(1));  // past the pauses of a write in doubt
            }
        };
        drive();
        const bool happened = now.end();
        drive();
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            BOOST_TEST(done.calls == (queued ? 1 : 0));
            if (!queued || done.ec == errc::unavailable) BOOST_TEST(!there(id));
            if (queued && !done.ec) BOOST_TEST(there(id));
        }
        return happened;
    }

    temporary_folder folder;
    std::unique_ptr<storage> on;
    testing::manual_clock time;
    testing::seeded_random random;
    observer watch;
    engine_options by_hand{.threads = 0, .resolve_attempts = 3};
    int made = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_is_committed_is_what_is_said, file) {
    at_each_allocation(
        [&](std::size_t after, std::size_t for_so_many) { return submit(after, for_so_many); });
}

// A statement that found no memory for its parameters is prepared anew, and nothing of it is left.
BOOST_FIXTURE_TEST_CASE(a_connection_goes_on_once_there_is_memory, file) {
    BOOST_REQUIRE(create_one(*writer_of(*on), "A"));
    const std::vector<std::string> ids{"A"};
    const auto in_use = sqlite3_memory_used();
    at_each_allocation([&](std::size_t after, std::size_t for_so_many) {
        const auto reads = reader_of(*on);
        memory_runs_out now(after, for_so_many);
        try {
            (void)reads->load({ids, {}});
        } catch (const std::bad_alloc&) {  // that is what it is for
        }
        const bool happened = now.end();
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            BOOST_TEST(holds(*reads, "A"));
        }
        return happened;
    });
    BOOST_TEST(sqlite3_memory_used() == in_use);
}

// The text of a failure needs memory, too, also where a statement is being destroyed.
BOOST_FIXTURE_TEST_CASE(a_write_that_fails_anyway_is_reported, file) {
    sqlite3* raw = nullptr;
    BOOST_REQUIRE(sqlite3_open(folder.file("orders.db").c_str(), &raw) == SQLITE_OK);
    BOOST_REQUIRE(sqlite3_exec(raw,
                               "CREATE TRIGGER refuse BEFORE INSERT ON journal "
                               "BEGIN SELECT RAISE(ABORT, 'the host forbids it'); END",
                               nullptr, nullptr, nullptr) == SQLITE_OK);
    sqlite3_close(raw);
    at_each_allocation(
        [&](std::size_t after, std::size_t for_so_many) { return submit(after, for_so_many); });
}

// An order is whole or not there, whatever the host does with its transaction afterwards.
BOOST_FIXTURE_TEST_CASE(a_guest_leaves_nothing_half_done, file) {
    sqlite3* host = nullptr;
    BOOST_REQUIRE(sqlite3_open(folder.file("orders.db").c_str(), &host) == SQLITE_OK);
    sqlite_options options;
    options.path = folder.file("orders.db");
    at_each_allocation([&](std::size_t after, std::size_t for_so_many) {
        auto guest = sqlite_guest::open(host, options).value();
        const std::string id = "A" + std::to_string(++made);
        const change what = create(id);
        bool happened = false;
        bool applied = false;
        {
            const auto guard = guest->lock();
            BOOST_REQUIRE(sqlite3_exec(host, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == 0);
            memory_runs_out now(after, for_so_many);
            try {
                const auto outcome = guest->apply(what, day_one);
                applied = outcome && !outcome->ec;
            } catch (const std::bad_alloc&) {  // applied or not: the file has to tell
            }
            happened = now.end();
            BOOST_REQUIRE(sqlite3_exec(host, "COMMIT", nullptr, nullptr, nullptr) == 0);
        }
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            BOOST_TEST(there(id) == applied);
        }
        return happened;
    });
    check_whole(*reader_of(*on));
    sqlite3_close(host);
}
