// Files of older versions, and what other connections commit.

#include "sqlite_support.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/runtime.hpp>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

using namespace sqlite_support;

namespace {

// Made by the last library of that version.
void make_file_of_version_1(const std::string& path) {
    std::ifstream from(ORDERPROC_TEST_DATA "/schema_1.sql");
    std::ostringstream sql;
    sql << from.rdbuf();
    BOOST_REQUIRE(!sql.str().empty());
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    BOOST_REQUIRE_EQUAL(sqlite3_exec(db, sql.str().c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
}

std::vector<std::string> schema_of(const std::string& path) {
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    std::vector<std::string> out;
    const auto add = [](void* to, int, char** row, char**) {
        static_cast<std::vector<std::string>*>(to)->emplace_back(row[0]);
        return 0;
    };
    sqlite3_exec(db,
                 "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema "
                 "UNION ALL SELECT 'version ' || user_version FROM pragma_user_version "
                 "ORDER BY 1",
                 add, &out, nullptr);
    sqlite3_close(db);
    return out;
}

sqlite_options at(const std::string& path) {
    sqlite_options out;
    out.path = path;
    return out;
}

class waiting_listener final : public commit_listener {
public:
    void committed() noexcept override {
        const std::lock_guard lock(mutex_);
        ++calls_;
        changed_.notify_all();
    }
    void wait_for_calls(int wanted) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return calls_ >= wanted; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int calls_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_CASE(an_older_file_is_refused_and_says_what_to_do) {
    const temporary_folder folder;
    const std::string path = folder.file("old.db");
    make_file_of_version_1(path);
    const auto before = schema_of(path);
    const auto refused = open_sqlite(at(path));
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == make_error_code(errc::schema_mismatch));
    BOOST_TEST(refused.error().detail.find("migrate") != std::string::npos);
    BOOST_TEST(schema_of(path) == before);
}

BOOST_AUTO_TEST_CASE(a_migration_keeps_orders_journal_and_keys) {
    const temporary_folder folder;
    const std::string path = folder.file("old.db");
    make_file_of_version_1(path);
    const auto before = schema_of(path);

    const auto tried = migrate_sqlite(at(path), true);
    BOOST_REQUIRE(tried.has_value());
    BOOST_TEST(tried->from == 1);
    BOOST_TEST(tried->to == 8);
    BOOST_TEST(tried->steps.size() == 7U);
    BOOST_TEST(schema_of(path) == before);

    const auto done = migrate_sqlite(at(path));
    BOOST_REQUIRE(done.has_value());
    BOOST_TEST(done->from == 1);
    const auto again = migrate_sqlite(at(path));
    BOOST_TEST(again->from == 8);
    BOOST_TEST(again->steps.empty());

    const std::string fresh = folder.file("new.db");
    open(fresh);
    BOOST_TEST(schema_of(path) == schema_of(fresh));

    const auto storage = open(path);
    const auto writer = writer_of(*storage);
    BOOST_TEST(migrate_sqlite(at(path))->steps.empty());  // nothing to do, so others may use it
    check_whole(*writer);
    BOOST_TEST(holds(*writer, "OLD-1"));
    BOOST_TEST(!holds(*writer, "OLD-2"));
    BOOST_TEST(writer->history({"OLD-1", order_version{0}, 10}).value().size() == 3U);

    // A key of old replays still.
    change replay = create("OLD-1");
    replay.idempotency_key.emplace();
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    const auto read = [](void* to, int, char** row, char**) {
        auto& once = *static_cast<idempotency*>(to);
        for (std::size_t i = 0; i < once.key.size(); ++i) {
            once.key[i] = std::byte(std::stoi(std::string(row[0] + 2 * i, 2), nullptr, 16));
            once.body[i] = std::byte(std::stoi(std::string(row[1] + 2 * i, 2), nullptr, 16));
        }
        return 0;
    };
    sqlite3_exec(db, "SELECT hex(key), hex(body) FROM keys WHERE number=1", read,
                 &*replay.idempotency_key, nullptr);
    sqlite3_close(db);
    std::vector<change_outcome> out;
    BOOST_REQUIRE(write(*writer, {&replay, 1}, "test", 1, out).has_value());
    BOOST_TEST(out[0].replayed);
}

BOOST_AUTO_TEST_CASE(there_is_nothing_to_migrate_in_a_file_that_is_not_ours) {
    const temporary_folder folder;
    const std::string path = folder.file("none.db");
    BOOST_TEST(migrate_sqlite(at(path)).error().code == make_error_code(errc::not_found));
    BOOST_TEST(!std::filesystem::exists(path));
    BOOST_TEST(migrate_sqlite(at(":memory:")).error().code ==
               make_error_code(errc::invalid_argument));
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    sqlite3_exec(db, "CREATE TABLE theirs(a)", nullptr, nullptr, nullptr);
    BOOST_TEST(migrate_sqlite(at(path)).error().code == make_error_code(errc::schema_mismatch));
    sqlite3_exec(db, "PRAGMA application_id=1869767792; PRAGMA user_version=99", nullptr, nullptr,
                 nullptr);
    sqlite3_close(db);
    BOOST_TEST(migrate_sqlite(at(path)).error().code == make_error_code(errc::schema_mismatch));
    BOOST_TEST(!std::filesystem::exists(path + "-lock"));
}

BOOST_AUTO_TEST_CASE(a_watch_hears_what_another_storage_commits) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    const auto ours = open(path);
    const auto theirs = open(path);
    const auto writer = writer_of(*theirs);
    const auto watch = std::move(ours->watch()).value();
    BOOST_TEST(!watch->wait(std::chrono::milliseconds(0)).value());
    BOOST_REQUIRE(create_one(*writer, "A").has_value());
    BOOST_TEST(watch->wait(std::chrono::hours(1)).value());
    BOOST_TEST(!watch->wait(std::chrono::milliseconds(0)).value());
    BOOST_REQUIRE(create_one(*writer, "A", 2).has_value());  // refused: nothing to hear
    BOOST_TEST(!watch->wait(std::chrono::milliseconds(0)).value());
    for (std::uint64_t i = 3; i < 40; ++i) {
        BOOST_REQUIRE(create_one(*writer, "A-" + std::to_string(i), i).has_value());
    }
    BOOST_TEST(watch->wait(std::chrono::hours(1)).value());
    BOOST_TEST(!watch->wait(std::chrono::milliseconds(0)).value());
}

BOOST_AUTO_TEST_CASE(a_watch_can_be_interrupted) {
    const temporary_folder folder;
    const auto storage = open(folder.file("a.db"));
    const auto watch = std::move(storage->watch()).value();
    std::thread other([&] { watch->interrupt(); });
    BOOST_TEST(!watch->wait(std::chrono::hours(24 * 365 * 100)).value());
    other.join();
    BOOST_TEST(!watch->wait(std::chrono::hours(1)).value());  // for good
}

BOOST_AUTO_TEST_CASE(an_engine_tells_of_other_processes_commits_if_asked) {
    const temporary_folder folder;
    const std::string path = folder.file("a.db");
    const auto ours = open(path);
    const auto theirs = open(path);
    engine_options options;
    options.watch_others = true;
    engine orders(*ours, status_machine::standard(), system_runtime(), options);
    waiting_listener heard;
    orders.add_listener(heard);
    const auto writer = writer_of(*theirs);
    for (int i = 1; i <= 3; ++i) {
        BOOST_REQUIRE(create_one(*writer, "A-" + std::to_string(i), static_cast<std::uint64_t>(i))
                          .has_value());
        heard.wait_for_calls(i);
    }
    orders.remove_listener(heard);
}
