// Orders within a transaction of the host's own.

#include "sqlite_support.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/runtime.hpp>

using namespace sqlite_support;

namespace {

struct host {
    host() {
        orders = open(path);
        BOOST_REQUIRE_EQUAL(sqlite3_open(path.c_str(), &db), SQLITE_OK);
        run("PRAGMA synchronous=FULL; CREATE TABLE carts(id INTEGER PRIMARY KEY)");
        guest = std::move(sqlite_guest::open(db, at())).value();
    }
    ~host() {
        guest.reset();
        sqlite3_close(db);
    }
    sqlite_options at() const {
        sqlite_options out;
        out.path = path;
        return out;
    }
    void run(const char* sql) {
        char* text = nullptr;
        const int code = sqlite3_exec(db, sql, nullptr, nullptr, &text);
        BOOST_REQUIRE_MESSAGE(code == SQLITE_OK, (text ? text : "") << " in " << sql);
    }

    temporary_folder folder;
    std::string path = folder.file("shop.db");
    std::unique_ptr<storage> orders;
    sqlite3* db = nullptr;
    std::unique_ptr<sqlite_guest> guest;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_order_exists_exactly_if_the_host_commits, host) {
    {
        const auto guard = guest->lock();
        BOOST_REQUIRE(guard.has_value());
        run("BEGIN IMMEDIATE; INSERT INTO carts VALUES(1)");
        const auto made = guest->apply(create("A"), day_one);
        BOOST_REQUIRE(made.has_value());
        BOOST_TEST(!made->ec);
        BOOST_TEST(made->after->number == 1);
        BOOST_TEST(!holds(*reader_of(*orders), "A"));
        run("ROLLBACK");
    }
    BOOST_TEST(!holds(*reader_of(*orders), "A"));
    {
        const auto guard = guest->lock();
        run("BEGIN IMMEDIATE; INSERT INTO carts VALUES(1)");
        BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
        BOOST_TEST(guest->apply(create("A"), day_one)->ec == make_error_code(errc::already_exists));
        BOOST_TEST(!guest->apply(create("B"), day_one)->ec);
        run("COMMIT");
    }
    const auto reader = reader_of(*orders);
    BOOST_TEST(holds(*reader, "A"));
    BOOST_TEST(holds(*reader, "B"));
    check_whole(*reader);
}

BOOST_FIXTURE_TEST_CASE(a_failure_leaves_nothing_of_the_order_and_all_of_the_host, host) {
    const auto guard = guest->lock();
    run("CREATE TRIGGER no_entry BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'full'); END");
    run("BEGIN IMMEDIATE; INSERT INTO carts VALUES(1)");
    BOOST_TEST(guest->apply(create("A"), day_one).error().code ==
               make_error_code(errc::unavailable));
    run("COMMIT; DROP TRIGGER no_entry");
    BOOST_TEST(!holds(*reader_of(*orders), "A"));
    run("BEGIN IMMEDIATE");
    BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
    run("COMMIT; DELETE FROM carts WHERE id=1");
    check_whole(*reader_of(*orders));
}

BOOST_FIXTURE_TEST_CASE(without_the_lock_or_a_transaction_nothing_is_done, host) {
    run("BEGIN IMMEDIATE");
    BOOST_TEST(guest->apply(create("A"), day_one).error().code ==
               make_error_code(errc::invalid_argument));
    run("ROLLBACK");
    const auto guard = guest->lock();
    BOOST_TEST(guest->apply(create("A"), day_one).error().code ==
               make_error_code(errc::invalid_argument));
    BOOST_TEST(guest->lock().error().code == make_error_code(errc::invalid_argument));
}

BOOST_FIXTURE_TEST_CASE(a_redaction_is_refused, host) {
    const auto guard = guest->lock();
    run("BEGIN IMMEDIATE");
    BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
    change redact;
    redact.order = "A";
    redact.event = "redact";
    redact.action = redact_order{};
    BOOST_TEST(guest->apply(redact, day_one).error().code == make_error_code(errc::not_supported));
    run("COMMIT");
}

BOOST_FIXTURE_TEST_CASE(guests_and_engines_share_the_lock, host) {
    engine writes(*orders, status_machine::standard(), system_runtime());
    const auto watch = std::move(orders->watch()).value();
    {
        const auto guard = guest->lock();
        BOOST_REQUIRE(guard.has_value());
        watch->wait(std::chrono::milliseconds(0)).value();
        run("BEGIN IMMEDIATE");
        BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
        run("COMMIT");
        BOOST_TEST(!watch->wait(std::chrono::milliseconds(0)).value());
    }
    BOOST_TEST(watch->wait(std::chrono::hours(1)).value());  // the release of the lock is heard
    command second;
    order_draft it;
    it.user = "1";
    it.item_ids = {1};
    it.total_amount = {100, "USD"};
    second.what = submit_order{it};
    const auto made = writes.execute(second);
    BOOST_TEST(!made.ec);
    BOOST_TEST(made.after->number == 2);
}

BOOST_AUTO_TEST_CASE(a_guest_needs_a_file_of_orders) {
    const temporary_folder folder;
    sqlite_options at;
    at.path = folder.file("theirs.db");
    sqlite3* db = nullptr;
    BOOST_REQUIRE_EQUAL(sqlite3_open(at.path.c_str(), &db), SQLITE_OK);
    BOOST_TEST(sqlite_guest::open(db, at).error().code == make_error_code(errc::schema_mismatch));
    sqlite3_close(db);
}
