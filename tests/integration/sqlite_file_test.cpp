// The file: what it is set to, what is refused, and what the queries cost.

#include "sqlite_support.hpp"

#include <set>

using namespace sqlite_support;

namespace {

// Every connection that is opened, and every statement that is run on it, while it lives.
class spy {
public:
    spy() {
        handles.clear();
        statements.clear();
        sqlite3_auto_extension(reinterpret_cast<void (*)()>(&spy::opened));
    }
    ~spy() { sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(&spy::opened)); }

    static inline std::vector<sqlite3*> handles;
    static inline std::set<std::string> statements;

private:
    static int opened(sqlite3* db, const char**, const void*) {
        handles.push_back(db);
        sqlite3_trace_v2(db, SQLITE_TRACE_STMT, &spy::run, nullptr);
        return SQLITE_OK;
    }
    static int run(unsigned, void*, void* statement, void*) {
        statements.insert(sqlite3_sql(static_cast<sqlite3_stmt*>(statement)));
        return 0;
    }
};

std::string text_of(sqlite3* db, const std::string& sql, int column = 0) {
    sqlite3_stmt* statement = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr), SQLITE_OK);
    std::string out;
    while (sqlite3_step(statement) == SQLITE_ROW) {
        out += reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
        out += '\n';
    }
    sqlite3_finalize(statement);
    if (!out.empty()) out.pop_back();
    return out;
}

void run_sql(const std::string& path, const char* sql) {
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    BOOST_REQUIRE_EQUAL(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
}

failure refusal_of(const std::string& path) {
    sqlite_options options;
    options.path = path;
    auto opened = open_sqlite(std::move(options));
    BOOST_REQUIRE(!opened);
    return opened.error();
}

}  // namespace

// The first, since it is for a process in which nothing has used SQLite yet.
BOOST_AUTO_TEST_CASE(memory_is_not_counted_for_a_program_that_says_so_in_time) {
    BOOST_TEST(disable_sqlite_memory_statistics());
    const temporary_folder folder;
    sqlite_options options;
    options.path = folder.file("a.db");
    const auto storage = std::move(open_sqlite(options)).value();
    const auto writer = writer_of(*storage);
    BOOST_REQUIRE(create_one(*writer, "A").has_value());
    BOOST_TEST(sqlite3_memory_used() == 0);
    BOOST_TEST(!disable_sqlite_memory_statistics());
}

BOOST_AUTO_TEST_CASE(connections_are_set_to_survive_a_power_cut) {
    const temporary_folder folder;
    const spy seen;
    const auto storage = open(folder.file("a.db"));
    spy::handles.clear();
    const auto writer = writer_of(*storage);
    const auto reader = reader_of(*storage);
    BOOST_REQUIRE_EQUAL(spy::handles.size(), 2);
    for (sqlite3* db : spy::handles) {
        BOOST_TEST(text_of(db, "PRAGMA journal_mode") == "wal");
        BOOST_TEST(text_of(db, "PRAGMA synchronous") == "2");
        BOOST_TEST(text_of(db, "PRAGMA wal_autocheckpoint") == "0");
        int on = 0;
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, -1, &on);
        BOOST_TEST(on == 1);
    }
    BOOST_TEST(text_of(spy::handles[0], "PRAGMA cache_spill") == "0");
    BOOST_TEST(text_of(spy::handles[1], "PRAGMA query_only") == "1");
}

BOOST_AUTO_TEST_CASE(a_path_that_is_no_file_is_refused) {
    for (const char* path : {"", ":memory:", "file:a.db", "file::memory:?cache=shared"}) {
        BOOST_TEST(refusal_of(path).code == make_error_code(errc::invalid_argument));
    }
    BOOST_TEST(refusal_of("/nonexistent/a.db").code == make_error_code(errc::unavailable));
}

BOOST_AUTO_TEST_CASE(a_foreign_file_is_refused_and_left_alone) {
    const temporary_folder folder;
    const std::string path = folder.file("foreign.db");
    run_sql(path, "CREATE TABLE theirs(a)");
    const failure refused = refusal_of(path);
    BOOST_TEST(refused.code == make_error_code(errc::schema_mismatch));
    BOOST_TEST(refused.detail.find("not an orderproc file") != std::string::npos);
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
    BOOST_TEST(text_of(db, "PRAGMA journal_mode") == "delete");
    BOOST_TEST(text_of(db, "SELECT name FROM sqlite_schema") == "theirs");
    sqlite3_close(db);
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_refused_by_its_version) {
    const temporary_folder folder;
    const std::string path = folder.file("newer.db");
    open(path);
    run_sql(path, "PRAGMA user_version=99");
    const failure refused = refusal_of(path);
    BOOST_TEST(refused.code == make_error_code(errc::schema_mismatch));
    BOOST_TEST(refused.detail.find("99") != std::string::npos);
    BOOST_TEST(refused.detail.find("newer") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(something_else_than_a_database_is_refused) {
    const temporary_folder folder;
    const std::string path = folder.file("text");
    FILE* file = fopen(path.c_str(), "w");
    BOOST_REQUIRE(file);
    for (int i = 0; i < 1000; ++i) fputs("this is not a database\n", file);
    fclose(file);
    BOOST_TEST(refusal_of(path).code == make_error_code(errc::schema_mismatch));
}

BOOST_AUTO_TEST_CASE(the_log_is_copied_back_while_writing) {
    const temporary_folder folder;
    const auto storage = open(folder.file("a.db"), 50);
    const auto writer = writer_of(*storage);
    const auto before = std::filesystem::file_size(folder.file("a.db"));
    for (std::uint64_t i = 1; i <= 400; ++i) {
        BOOST_REQUIRE(create_one(*writer, "o" + std::to_string(i), i).has_value());
    }
    BOOST_TEST(std::filesystem::file_size(folder.file("a.db-wal")) < 200 * 4120);
    BOOST_TEST(std::filesystem::file_size(folder.file("a.db")) > before);
}

BOOST_AUTO_TEST_CASE(no_query_looks_through_a_table_or_sorts) {
    const temporary_folder folder;
    const spy seen;
    const auto storage = open(folder.file("a.db"));
    const auto writer = writer_of(*storage);
    const auto reader = reader_of(*storage);
    const auto& stage = status_machine::standard().stages().front();

    std::vector<change> changes;
    for (int i = 0; i < 1200; ++i) changes.push_back(create("o" + std::to_string(i), 1 + i % 3));
    std::vector<change_outcome> made;
    BOOST_REQUIRE(write(*writer, changes, "test", 1, made).has_value());
    claim some;
    some.stage = &stage;
    some.worker_id = "w";
    some.expires_at = day_one + std::chrono::seconds(30);
    some.limit = 5;
    std::vector<claim_outcome> claimed(1);
    write_params params;
    params.now = day_one;
    params.claims = {&some, 1};
    write_results results{{}, claimed, {}};
    spy::statements.clear();
    BOOST_REQUIRE(writer->write(params, results).has_value());
    BOOST_TEST(claimed[0].orders.size() == 5);
    const purge_orders old{day_one + std::chrono::hours(1)};
    purge_outcome purged;
    params.claims = {};
    params.now = params.forget_before = old.before;
    params.purges = {&old, 1};
    results = {};
    results.purges = {&purged, 1};
    BOOST_REQUIRE(writer->write(params, results).has_value());
    BOOST_TEST(purged.floor.offset == old.limit);
    BOOST_REQUIRE(reader->list_records({"webhooks", "a", "b"}).has_value());
    BOOST_REQUIRE(reader->list_due_records({"webhooks", day_one}).has_value());

    const std::vector<std::vector<order_status>> choices{
        {}, {stage.waiting}, {stage.active}, {stage.waiting, stage.active}};
    for (const auto& statuses : choices) {
        for (const bool descending : {true, false}) {
            for (const order_scope& scope :
                 {order_scope(), {"2", {}}, {"guest", {}}, {"2", "north"}, {{}, "north"}}) {
                list_params page{statuses,   scope, day_one, day_one + std::chrono::hours(1),
                                 descending, {},    10};
                BOOST_REQUIRE(reader->list(page).has_value());
            }
        }
    }
    for (const list_sort sort : {list_sort::created_at, list_sort::index}) {
        for (const bool descending : {true, false}) {
            list_params page{{}, {}, {}, {}, descending, list_position{{}, 5, {}, "b"}, 10, sort};
            page.index = {1, "a", sort == list_sort::index ? "c" : "a"};
            page.count_max = 10;
            BOOST_REQUIRE(reader->list(page).has_value());
        }
    }
    BOOST_REQUIRE(reader->read_feed({purged.floor, 10}).has_value());
    BOOST_REQUIRE(reader->history({"o1", order_version{0}, 10}).has_value());

    sqlite3* db = spy::handles.back();
    std::size_t looked_at = 0;
    for (const std::string& sql : std::set(spy::statements)) {
        if (sql.find("FROM orders") == sql.npos && sql.find("FROM journal") == sql.npos &&
            sql.find("FROM records") == sql.npos && sql.find("FROM index_entries") == sql.npos) {
            continue;
        }
        const std::string plan = text_of(db, "EXPLAIN QUERY PLAN " + sql, 3);
        BOOST_TEST(plan.find("TEMP B-TREE") == plan.npos, sql << "\n" << plan);
        const bool scans =
            plan.find("SCAN orders") != plan.npos || plan.find("SCAN records") != plan.npos ||
            plan.find("SCAN index_entries") != plan.npos ||
            (plan.find("SCAN journal") != plan.npos && plan.find("SCALAR SUBQUERY") == plan.npos);
        BOOST_TEST(!scans, sql << "\n" << plan);
        // A list by user or status, which begin at ?4, goes by their index and not by number.
        if (sql.find("index_entries") != sql.npos) {
            BOOST_TEST(plan.find("PRIMARY KEY (slot=? AND") != plan.npos, sql << "\n" << plan);
        } else if (sql.find("BETWEEN") != sql.npos &&
                   (sql.find("?4") != sql.npos || sql.find("?5") != sql.npos)) {
            BOOST_TEST(plan.find("INDEX orders_by_") != plan.npos, sql << "\n" << plan);
        }
        ++looked_at;
    }
    BOOST_TEST(looked_at >= 15);
}

BOOST_AUTO_TEST_CASE(lists_by_user_go_on_through_every_generation) {
    const temporary_folder folder;
    const auto storage = open(folder.file("a.db"));
    const auto writer = writer_of(*storage);
    const auto reader = reader_of(*storage);
    std::vector<change_outcome> made;
    std::vector<change> changes;
    for (int batch = 0; batch < 7; ++batch) {  // 70,000 orders; some are a generation's first
        changes.clear();
        for (int i = 0; i < 10'000; ++i) {
            const int number = batch * 10'000 + i + 1;
            changes.push_back(create("o" + std::to_string(number), number % 4096 == 0 ? 1 : 2));
        }
        BOOST_REQUIRE(write(*writer, changes, "test", batch + 1, made).has_value());
    }
    for (const bool descending : {true, false}) {
        std::vector<std::int64_t> numbers;
        list_params page;
        page.scope.user = "1";
        page.descending = descending;
        page.limit = 3;
        do {
            const auto got = reader->list(page).value();
            for (const order& it : got.orders) numbers.push_back(it.number);
            page.after = got.next;
        } while (page.after);
        BOOST_REQUIRE_EQUAL(numbers.size(), 17);
        if (descending) std::reverse(numbers.begin(), numbers.end());
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            BOOST_TEST(numbers[i] == static_cast<std::int64_t>(i + 1) * 4096);
        }
    }
}

// What does not fit into the cache must not reach the log before the commit: rolled back, it would
// be written later, over what another process has written there.
BOOST_AUTO_TEST_CASE(a_large_write_that_fails_leaves_nothing_behind_for_later) {
    const temporary_folder folder;
    const std::string path = folder.file("orders.db");
    const auto other = open(path);
    run_sql(path,
            "CREATE TRIGGER broken BEFORE INSERT ON writers WHEN NEW.sequence=2 "
            "BEGIN SELECT RAISE(ABORT, 'broken by the test'); END");
    sqlite_options small;
    small.path = path;
    small.cache_kib = 64;
    const auto orders = std::move(open_sqlite(small)).value();
    const auto writer = writer_of(*orders);
    BOOST_REQUIRE(create_one(*writer, "BEFORE"));

    std::vector<change> many;
    for (int i = 0; i < 500; ++i) many.push_back(create("LARGE-" + std::to_string(i), i + 1));
    std::vector<change_outcome> out;
    BOOST_REQUIRE(!write(*writer, many, "test", 2, out));

    const auto other_writer = writer_of(*other);
    for (int i = 0; i < 20; ++i) {
        BOOST_REQUIRE(create_one(*other_writer, "OTHER-" + std::to_string(i)));
    }
    BOOST_TEST(holds(*writer, "OTHER-19"));
    BOOST_REQUIRE(create_one(*writer, "AFTER", 3));
    const auto reader = reader_of(*other);
    for (const char* id : {"BEFORE", "OTHER-0", "OTHER-19", "AFTER"}) {
        BOOST_TEST(holds(*reader, id), id);
    }
    BOOST_TEST(!holds(*reader, "LARGE-0"));
    check_whole(*reader);
}

// As many pages as a large write has are written by few calls, and come back as they were.
BOOST_AUTO_TEST_CASE(a_write_larger_than_what_is_gathered_is_whole) {
    const temporary_folder folder;
    const auto orders = open(folder.file("orders.db"));
    const auto writer = writer_of(*orders);
    std::vector<change> many;
    for (int i = 0; i < 2000; ++i) {
        many.push_back(create("ORD-" + std::to_string(i * 7919 % 2000), i + 1));
        std::get<create_order>(many.back().action).value.metadata =
            "{\"note\":\"" + std::string(3000, 'x') + "\"}";
    }
    std::vector<change_outcome> out;
    BOOST_REQUIRE(write(*writer, many, "test", 1, out));
    const auto reader = reader_of(*orders);
    for (int i = 0; i < 2000; i += 111) BOOST_TEST(holds(*reader, "ORD-" + std::to_string(i)));
    check_whole(*reader);
}
