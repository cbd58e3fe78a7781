// Copies beside writers, and putting one back.

#include "sqlite_support.hpp"

#include <signal.h>

#include <fstream>
#include <variant>

using namespace sqlite_support;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t orders_in_write = 500;

// Many times as many pages as are copied at once.
void create_thousands(repository& to) {
    const std::string metadata = R"({"note":")" + std::string(1000, 'n') + "\"}";
    for (std::size_t i = 0; i < 16; ++i) {
        std::vector<std::string> ids;
        std::vector<change> all;
        for (std::size_t k = 0; k < orders_in_write; ++k) {
            ids.push_back("O-" + std::to_string(i * orders_in_write + k));
        }
        for (const std::string& id : ids) {
            all.push_back(create(id));
            std::get<create_order>(all.back().action).value.metadata = metadata;
        }
        std::vector<change_outcome> out;
        BOOST_REQUIRE(write(to, all, "many", i + 1, out));
    }
}

sqlite_options options_of(const std::string& path) {
    sqlite_options out;
    out.path = path;
    return out;
}

verify_report verified(const std::string& path) {
    const auto copy = open_sqlite_backup(path).value();
    const auto report = verify(*reader_of(*copy), status_machine::standard()).value();
    BOOST_TEST(!report.difference);
    return report;
}

std::size_t files_beside(const std::string& path) {
    std::size_t out = 0;
    for (const auto& it : fs::directory_iterator(fs::path(path).parent_path())) {
        out += it.path().string().starts_with(path) ? 1U : 0U;
    }
    return out;
}

errc code_of(const failure& why) {
    return static_cast<errc>(why.code.value());
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_copy_is_of_one_moment) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    const auto from = open(path);
    const auto writer = writer_of(*from);
    create_thousands(*writer);
    std::size_t parts = 0;
    sqlite_backup_options how;
    how.progress = [&](std::uint64_t pages, std::uint64_t of) {
        BOOST_TEST(pages <= of);
        ++parts;
        BOOST_REQUIRE(create_one(*writer, "later-" + std::to_string(parts), 100 + parts));
    };
    const auto made = backup_sqlite(options_of(path), copy, how).value();
    BOOST_TEST(parts > 2U);
    BOOST_TEST(made.newest.offset == 16 * orders_in_write);
    BOOST_TEST(made.bytes == fs::file_size(copy));
    BOOST_TEST(verified(copy).orders == 16 * orders_in_write);
    BOOST_TEST(files_beside(copy) == 1U);
}

BOOST_AUTO_TEST_CASE(what_is_there_is_left_alone) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    BOOST_TEST((code_of(backup_sqlite(options_of(path), copy).error()) == errc::not_found));
    (void)open(path)->close();
    std::ofstream(copy) << "something";
    BOOST_TEST((code_of(backup_sqlite(options_of(path), copy).error()) == errc::already_exists));
    BOOST_TEST(fs::file_size(copy) == 9U);
    // What a process that was killed has left is overwritten.
    const std::string other = folder.file("other.db");
    std::ofstream(other + ".part") << std::string(100'000, 'x');
    BOOST_REQUIRE(backup_sqlite(options_of(path), other));
    BOOST_TEST(verified(other).orders == 0U);
    BOOST_TEST(files_beside(other) == 1U);
}

// A folder of backups may be one where others write.
BOOST_AUTO_TEST_CASE(a_link_is_not_written_through) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    const std::string precious = folder.file("precious");
    (void)open(path)->close();
    std::ofstream(precious) << "something";
    fs::create_hard_link(precious, copy + ".part");
    BOOST_TEST((code_of(backup_sqlite(options_of(path), copy).error()) == errc::unavailable));
    fs::remove(copy + ".part");
    fs::create_symlink(precious, copy + ".part");
    BOOST_TEST((code_of(backup_sqlite(options_of(path), copy).error()) == errc::unavailable));
    BOOST_TEST(fs::file_size(precious) == 9U);
    BOOST_TEST(!fs::exists(copy));
}

BOOST_AUTO_TEST_CASE(a_copy_is_only_read) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    const auto from = open(path);
    BOOST_REQUIRE(create_one(*writer_of(*from), "A", 1));
    BOOST_REQUIRE(backup_sqlite(options_of(path), copy));
    const auto opened = open_sqlite_backup(copy).value();
    BOOST_TEST((code_of(opened->connect_writer().error()) == errc::not_supported));
    BOOST_TEST(reader_of(*opened)->count().value().created == 1U);
    BOOST_TEST(files_beside(copy) == 1U);
    // A file that is in use is no backup.
    BOOST_TEST((code_of(open_sqlite_backup(path).error()) == errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_restore_is_there_when_it_is_finished) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    const std::string again = folder.file("again.db");
    feed_position seen;
    {
        const auto from = open(path);
        const auto writer = writer_of(*from);
        BOOST_REQUIRE(create_one(*writer, "A", 1));
        BOOST_REQUIRE(backup_sqlite(options_of(path), copy));
        BOOST_REQUIRE(create_one(*writer, "B", 2));
        seen = writer->read_feed({}).value().newest;
    }
    {
        const auto given_up = sqlite_restore::begin(copy, options_of(again)).value();
        BOOST_REQUIRE(create_one(*writer_of(given_up->copy()), "C", 1));
        BOOST_TEST(!fs::exists(again));
    }
    BOOST_TEST(files_beside(again) == 0U);
    {
        const auto restored = sqlite_restore::begin(copy, options_of(again)).value();
        BOOST_REQUIRE(create_one(*writer_of(restored->copy()), "D", 1));
        BOOST_REQUIRE(restored->finish());
    }
    BOOST_TEST(files_beside(again) == 1U);
    BOOST_TEST(verified(again).orders == 2U);
    const auto opened = open(again);
    const auto reader = reader_of(*opened);
    BOOST_TEST(reader->read_feed({seen, 1}).value().reset);
    BOOST_TEST(
        (code_of(sqlite_restore::begin(copy, options_of(again)).error()) == errc::already_exists));
}

namespace {

// What a process leaves that is killed while it changes a file without a log.
void leave_rollback(const temporary_folder& in, const std::string& as) {
    const std::string changed = in.file("changed.db");
    sqlite3* db = nullptr;
    BOOST_REQUIRE(sqlite3_open(changed.c_str(), &db) == SQLITE_OK);
    const auto run = [db](const char* what) {
        BOOST_REQUIRE(sqlite3_exec(db, what, nullptr, nullptr, nullptr) == SQLITE_OK);
    };
    run("PRAGMA cache_size=1; CREATE TABLE IF NOT EXISTS t(x); INSERT INTO t "
        "VALUES(zeroblob(1000000));");
    run("BEGIN; UPDATE t SET x = randomblob(1000000);");
    fs::copy_file(changed + "-journal", as);
    BOOST_REQUIRE(fs::file_size(as) > 4096U);
    run("ROLLBACK");
    BOOST_REQUIRE(sqlite3_close(db) == SQLITE_OK);
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_a_killed_restore_has_left_is_not_rolled_back_into_the_next) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    const std::string again = folder.file("again.db");
    BOOST_REQUIRE(create_one(*writer_of(*open(path)), "A", 1));
    BOOST_REQUIRE(backup_sqlite(options_of(path), copy));
    std::ofstream(again + ".restoring") << "something";
    leave_rollback(folder, again + ".restoring-journal");
    {
        const auto restored = sqlite_restore::begin(copy, options_of(again));
        BOOST_REQUIRE(restored);
        BOOST_REQUIRE((*restored)->finish());
    }
    BOOST_TEST(files_beside(again) == 1U);
    BOOST_TEST(verified(again).orders == 1U);
    // Nor into a file that gets the name of one that was moved away without it.
    const std::string other = folder.file("other.db");
    leave_rollback(folder, other + "-journal");
    BOOST_TEST(
        (code_of(sqlite_restore::begin(copy, options_of(other)).error()) == errc::already_exists));
    leave_rollback(folder, copy + "-journal");
    BOOST_TEST((code_of(open_sqlite_backup(copy).error()) == errc::unavailable));
}

// The child is killed from within, at each of the calls by which the progress is told.
BOOST_AUTO_TEST_CASE(a_backup_that_is_killed_leaves_no_copy) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    {
        const auto from = open(path);
        create_thousands(*writer_of(*from));
    }
    for (int at = 1; at <= 3; ++at) {
        const pid_t child = in_child([&] {
            int parts = 0;
            sqlite_backup_options how;
            how.progress = [&](std::uint64_t, std::uint64_t) {
                if (++parts == at) (void)::kill(::getpid(), SIGKILL);
            };
            return backup_sqlite(options_of(path), copy, how) ? 0 : 1;
        });
        BOOST_REQUIRE_EQUAL(ended(child), 128 + SIGKILL);
        BOOST_TEST(!fs::exists(copy));
    }
    BOOST_REQUIRE(backup_sqlite(options_of(path), copy));
    BOOST_TEST(verified(copy).orders == 16 * orders_in_write);
}

BOOST_AUTO_TEST_CASE(a_restore_that_is_killed_puts_nothing_in_place) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db"), copy = folder.file("copy.db");
    const std::string again = folder.file("again.db");
    {
        const auto from = open(path);
        create_thousands(*writer_of(*from));
        BOOST_REQUIRE(backup_sqlite(options_of(path), copy));
    }
    const pid_t child = in_child([&] {
        const auto restored = sqlite_restore::begin(copy, options_of(again));
        if (!restored || !create_one(*writer_of((*restored)->copy()), "late", 1)) return 1;
        return ::kill(::getpid(), SIGKILL);
    });
    BOOST_REQUIRE_EQUAL(ended(child), 128 + SIGKILL);
    BOOST_TEST(!fs::exists(again));
    BOOST_TEST(fs::exists(again + ".restoring"));
    {
        const auto restored = sqlite_restore::begin(copy, options_of(again));
        BOOST_REQUIRE(restored);
        BOOST_REQUIRE((*restored)->finish());
    }
    BOOST_TEST(files_beside(again) == 1U);
    BOOST_TEST(verified(again).orders == 16 * orders_in_write);  // without the late one
}
