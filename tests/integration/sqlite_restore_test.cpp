// A file that was put back from a copy, and what its readers are told.

#include "sqlite_support.hpp"

#include <orderproc/adapter.hpp>

#include <signal.h>

#include <fstream>

using namespace sqlite_support;
namespace fs = std::filesystem;

namespace {

std::uint64_t sequence = 0;

void create_some(repository& to, const std::string& prefix, int count) {
    for (int i = 1; i <= count; ++i) {
        BOOST_REQUIRE(create_one(to, prefix + std::to_string(i), ++sequence).has_value());
    }
}

void create_some(const std::string& path, const std::string& prefix, int count) {
    const auto storage = open(path);
    create_some(*writer_of(*storage), prefix, count);
}

// By a process that is killed: all that it wrote is in the log.
void create_and_die(const std::string& path, const std::string& prefix, int count) {
    const pid_t child = in_child([&] {
        const auto storage = open(path);
        const auto writer = writer_of(*storage);
        for (int i = 1; i <= count; ++i) {
            if (!create_one(*writer, prefix + std::to_string(i), 1000U + i)) return 1;
        }
        return ::kill(::getpid(), SIGKILL);
    });
    BOOST_REQUIRE_EQUAL(ended(child), 128 + SIGKILL);
    BOOST_REQUIRE_GT(fs::file_size(path + "-wal"), 0U);
}

void copy(const std::string& from, const std::string& to) {
    fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

bool resets(repository_reader& from, feed_position after) {
    return from.read_feed({after, 1}).value().reset;
}

std::size_t files_like(const std::string& path) {
    std::size_t out = 0;
    for (const auto& it : fs::directory_iterator(fs::path(path).parent_path())) {
        out += it.path().string().starts_with(path) ? 1U : 0U;
    }
    return out;
}

enum class how { in_place, by_a_new_file, by_renaming };
std::ostream& operator<<(std::ostream& to, how it) {
    return to << (it == how::in_place        ? "in place"
                  : it == how::by_a_new_file ? "by a new file"
                                             : "by renaming");
}
constexpr how ways[] = {how::in_place, how::by_a_new_file, how::by_renaming};

void restore(const std::string& backup, const std::string& path, how by) {
    if (by == how::by_a_new_file) fs::remove(path);
    if (by == how::by_renaming) {
        copy(backup, path + ".new");
        fs::rename(path + ".new", path);
    } else {
        copy(backup, path);
    }
}

}  // namespace

BOOST_AUTO_TEST_CASE(when_all_have_closed_it_the_file_alone_holds_every_order) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    {
        const auto one = open(path);
        const auto other = open(path);
        create_some(*writer_of(*one), "a", 50);
        BOOST_TEST(one->close().has_value());
        BOOST_TEST(fs::file_size(path + "-wal") > 0);  // the other one still uses it
        create_some(*writer_of(*other), "b", 3);
        BOOST_TEST(other->close().has_value());
        BOOST_TEST(other->close().has_value());
    }
    BOOST_TEST(fs::file_size(path + "-wal") == 0);
    copy(path, folder.file("copy.db"));
    const auto copied = open(folder.file("copy.db"));
    const auto reader = reader_of(*copied);
    BOOST_TEST(reader->count().value().orders.front().orders == 53U);
    check_whole(*reader);
}

BOOST_AUTO_TEST_CASE(a_storage_that_another_program_reads_says_so_when_it_is_closed) {
    const temporary_folder folder;
    sqlite_options options;
    options.path = folder.file("a.db");
    options.lock_timeout = std::chrono::milliseconds(1);
    auto storage = std::move(open_sqlite(options)).value();
    create_some(*writer_of(*storage), "a", 1);
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(options.path.c_str(), &db), SQLITE_OK);
    sqlite3_exec(db, "BEGIN; SELECT * FROM orders", nullptr, nullptr, nullptr);
    create_some(*writer_of(*storage), "b", 1);
    const auto closed = storage->close();
    BOOST_TEST_REQUIRE(!closed.has_value());
    BOOST_TEST(closed.error().detail.find("a.db-wal") != std::string::npos);
    storage.reset();
    sqlite3_close(db);
    BOOST_TEST(holds(*reader_of(*open(options.path)), "b1"));
}

BOOST_AUTO_TEST_CASE(a_restored_backup_is_noticed_and_stays_noticed_when_it_has_grown) {
    for (const how by : ways) {
        BOOST_TEST_CONTEXT("restored " << by) {
            const temporary_folder folder;
            const std::string path = folder.file("a.db");
            create_some(path, "a", 10);
            copy(path, folder.file("backup"));
            create_some(path, "b", 20);
            const feed_position seen = newest_of(path);
            BOOST_REQUIRE_EQUAL(seen.offset, 30);

            restore(folder.file("backup"), path, by);
            const auto storage = open(path);
            BOOST_TEST(storage->info().remarks.size() == 1U);
            const auto writer = writer_of(*storage);
            for (const int more : {0, 7, 30}) {
                create_some(*writer, "c" + std::to_string(more) + "-", more);
                BOOST_TEST(resets(*writer, seen));
                BOOST_TEST(resets(*writer, {seen.epoch, 11}));
                BOOST_TEST(!resets(*writer, {seen.epoch, 10}));
            }
            const auto page = writer->read_feed({{}, 100}).value();
            BOOST_TEST(page.newest.offset == 47U);
            BOOST_TEST(page.newest.epoch != seen.epoch);
            for (const journal_entry& it : page.entries) {
                const bool old = it.position.offset <= 10;
                BOOST_TEST(it.position.epoch == (old ? seen.epoch : page.newest.epoch));
            }
            check_whole(*writer);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_file_that_was_only_stopped_and_started_keeps_its_epoch) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    create_some(path, "a", 3);
    const feed_position first = newest_of(path);
    create_and_die(path, "b", 5);
    create_some(path, "c", 2);
    BOOST_TEST((newest_of(path) == feed_position{first.epoch, 10}));
    BOOST_TEST(open(path)->info().remarks.empty());
    BOOST_TEST(files_like(path) == 4U);
}

BOOST_AUTO_TEST_CASE(a_stale_log_is_never_written_into_a_restored_file) {
    for (const how by : ways) {
        BOOST_TEST_CONTEXT("restored " << by) {
            const temporary_folder folder;
            const std::string path = folder.file("a.db");
            create_some(path, "a", 10);
            copy(path, folder.file("backup"));
            create_some(path, "b", 5);
            const feed_position seen = newest_of(path);
            create_and_die(path, "c", 20);

            restore(folder.file("backup"), path, by);
            {
                const auto storage = open(path);
                BOOST_TEST(storage->info().remarks.size() == 2U);
                const auto writer = writer_of(*storage);
                check_whole(*writer);
                BOOST_TEST(holds(*writer, "a10"));
                BOOST_TEST(!holds(*writer, "b1"));
                BOOST_TEST(!holds(*writer, "c1"));
                BOOST_TEST(resets(*writer, seen));
                create_some(*writer, "d", 30);
            }
            BOOST_TEST(files_like(path) == 5U);  // the log is there still, by another name
            const auto again = open(path);
            BOOST_TEST(again->info().remarks.empty());
            BOOST_TEST(!holds(*reader_of(*again), "c1"));
        }
    }
}

// The file as it was when the log began: whether it was restored or only touched does not show.
BOOST_AUTO_TEST_CASE(a_log_that_may_or_may_not_belong_to_the_file_is_for_a_person_to_judge) {
    for (const bool restored : {true, false}) {
        const temporary_folder folder;
        const std::string path = folder.file("a.db");
        create_some(path, "a", 10);
        copy(path, folder.file("backup"));
        create_and_die(path, "b", 20);
        restore(folder.file("backup"), path, how::in_place);

        sqlite_options options;
        options.path = path;
        const auto refused = open_sqlite(options);
        BOOST_TEST_REQUIRE(!refused.has_value());
        BOOST_TEST(refused.error().code == make_error_code(errc::unavailable));
        BOOST_TEST(refused.error().detail.find("remove " + path + "-wal") != std::string::npos);
        BOOST_TEST(refused.error().detail.find("remove " + path + "-lock") != std::string::npos);
        if (restored) {
            fs::remove(path + "-wal");
            fs::remove(path + "-shm");
        } else {
            fs::remove(path + "-lock");
        }
        const auto storage = open(path);
        const auto reader = reader_of(*storage);
        BOOST_TEST(holds(*reader, "a10"));
        BOOST_TEST(holds(*reader, "b20") == !restored);
        check_whole(*reader);
    }
}

BOOST_AUTO_TEST_CASE(a_log_that_came_with_the_file_belongs_to_it) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    create_some(path, "a", 10);
    create_and_die(path, "b", 5);
    for (const char* end : {"", "-wal"}) copy(path + end, folder.file("backup") + end);
    create_some(path, "c", 20);
    const feed_position seen = newest_of(path);
    create_and_die(path, "d", 5);

    for (const char* end : {"", "-wal"}) copy(folder.file("backup") + end, path + end);
    fs::remove(path + "-shm");
    const auto storage = open(path);
    const auto reader = reader_of(*storage);
    check_whole(*reader);
    BOOST_TEST(holds(*reader, "b5"));
    BOOST_TEST(!holds(*reader, "c1"));
    BOOST_TEST(!holds(*reader, "d1"));
    BOOST_TEST(resets(*reader, seen));
    BOOST_TEST(!resets(*reader, {seen.epoch, 15}));
}

BOOST_AUTO_TEST_CASE(a_file_without_its_lock_begins_an_epoch_that_resets_nobody) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    create_some(path, "a", 10);
    const feed_position seen = newest_of(path);
    for (int round = 1; round <= 2; ++round) {
        fs::remove(path + "-lock");
        const auto storage = open(path);
        const auto reader = reader_of(*storage);
        BOOST_TEST(reader->read_feed({}).value().newest.epoch != seen.epoch);
        BOOST_TEST(!resets(*reader, seen));
        check_whole(*reader);
    }
    // Neither does one that a power cut left with nothing in it.
    fs::resize_file(path + "-lock", 0);
    BOOST_TEST(!resets(*reader_of(*open(path)), seen));
}

// Their commits checkpoint, as SQLite does by itself: the times of the file are no evidence then.
BOOST_AUTO_TEST_CASE(a_host_that_dies_in_its_turn_leaves_a_file_that_opens) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    create_some(path, "a", 1);
    const feed_position before = newest_of(path);
    const pid_t child = in_child([&] {
        const auto storage = open(path);
        sqlite3* db = nullptr;
        if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) return 1;
        sqlite3_exec(db, "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1", nullptr, nullptr,
                     nullptr);
        sqlite_options at;
        at.path = path;
        const auto guest = std::move(sqlite_guest::open(db, at)).value();
        const auto guard = guest->lock();
        for (const char* id : {"g1", "g2"}) {
            sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
            if (!guest->apply(create(id), day_one)) return 2;
            sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
        }
        return ::kill(::getpid(), SIGKILL);
    });
    BOOST_REQUIRE_EQUAL(ended(child), 128 + SIGKILL);
    const auto storage = open(path);
    const auto reader = reader_of(*storage);
    BOOST_TEST(holds(*reader, "g2"));
    BOOST_TEST((reader->read_feed({}).value().newest == feed_position{before.epoch, 3}));
    check_whole(*reader);
}

BOOST_AUTO_TEST_CASE(the_log_returns_to_its_size_when_a_long_reader_has_left) {
    for (const bool writes_go_on : {true, false}) {
        const temporary_folder folder;
        const std::string path = folder.file("a.db");
        const auto storage = open(path, 1000);
        const auto writer = writer_of(*storage);
        create_some(*writer, "a", 1);
        BOOST_TEST(!writer->tidy().value());

        sqlite3* db = nullptr;
        BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
        sqlite3_exec(db, "BEGIN; SELECT * FROM orders", nullptr, nullptr, nullptr);
        constexpr std::uintmax_t limit = 64 * 1024 * 1024;
        timestamp now = day_one;
        std::vector<change_outcome> out;
        const auto write_large = [&](const std::string& prefix) {
            std::vector<change> some;
            for (int i = 0; i < 100; ++i) {
                some.push_back(create(prefix + "-" + std::to_string(i)));
                std::get<create_order>(some.back().action).value.metadata =
                    "{\"a\":\"" + std::string(16'000, 'x') + "\"}";
            }
            BOOST_REQUIRE(write(*writer, some, "test", ++sequence, out, now).has_value());
        };
        for (int i = 0; fs::file_size(path + "-wal") <= limit + limit / 4; ++i) {
            write_large("large" + std::to_string(i));
        }
        BOOST_TEST(writer->tidy().value());  // the reader is there still
        sqlite3_close(db);
        if (writes_go_on) {  // 3 s later, and once more, for the log to begin anew
            now += std::chrono::seconds(3);
            write_large("after");
            write_large("later");
        } else {
            BOOST_TEST(!writer->tidy().value());
        }
        BOOST_TEST(fs::file_size(path + "-wal") <= limit);
        check_whole(*writer);
    }
}
