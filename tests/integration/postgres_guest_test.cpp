// Orders within a transaction of the host's own.

#include "postgres_support.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/runtime.hpp>

#include <libpq-fe.h>

#include <chrono>
#include <string>

using namespace postgres_support;

namespace {

struct host : shop {
    host() {
        orders = open();
        db = PQconnectdb(node().url().c_str());
        BOOST_TEST_REQUIRE((PQstatus(db) == CONNECTION_OK));
        run("CREATE TABLE " + table("carts") + "(id bigint PRIMARY KEY)");
        guest = std::move(postgres_guest::open(db, options())).value();
    }
    ~host() {
        guest.reset();
        PQfinish(db);
    }

    // What it answered, if that is one value.
    std::string run(const std::string& text) {
        PGresult* const done = PQexec(db, text.c_str());
        const auto status = PQresultStatus(done);
        const bool well = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        std::string out = well && PQntuples(done) == 1 ? PQgetvalue(done, 0, 0) : "";
        PQclear(done);
        BOOST_TEST_REQUIRE(well, PQerrorMessage(db) << " in " << text);
        return out;
    }
    std::string run_with_cart(const std::string& text) {
        return run(text + "; INSERT INTO " + table("carts") + " VALUES(1)");
    }
    errc refused(const change& what, timestamp now = day_one) {
        const auto made = guest->apply(what, now);
        BOOST_TEST_REQUIRE(!made);
        refusal = made.error().detail;
        return made.error().code == errc::not_supported     ? errc::not_supported
               : made.error().code == errc::unavailable     ? errc::unavailable
               : made.error().code == errc::schema_mismatch ? errc::schema_mismatch
                                                            : errc::invalid_argument;
    }

    std::unique_ptr<storage> orders;
    pg_conn* db = nullptr;
    std::unique_ptr<postgres_guest> guest;
    std::string refusal;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_order_exists_exactly_if_the_host_commits, host) {
    run_with_cart("BEGIN");
    const auto made = guest->apply(create("A"), day_one);
    BOOST_TEST_REQUIRE(made.has_value());
    BOOST_TEST(!made->ec);
    BOOST_TEST(made->after->number == 1);
    BOOST_TEST(!holds(*reader_of(*orders), "A"));
    run("ROLLBACK");
    BOOST_TEST(!holds(*reader_of(*orders), "A"));

    run_with_cart("BEGIN");
    BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
    BOOST_TEST((guest->apply(create("A"), day_one)->ec == errc::already_exists));
    BOOST_TEST(!guest->apply(create("B"), day_one)->ec);
    run("COMMIT");
    const auto reader = reader_of(*orders);
    BOOST_TEST(holds(*reader, "A"));
    BOOST_TEST(holds(*reader, "B"));
    BOOST_TEST(run("SELECT count(*) FROM " + table("carts")) == "1");
    check_whole(*reader);
}

BOOST_FIXTURE_TEST_CASE(a_failure_leaves_nothing_of_the_order_and_all_of_the_host, host) {
    run("CREATE FUNCTION " + table("full") +
        "() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''full''; END'");
    run("CREATE TRIGGER no_entry BEFORE INSERT ON " + table("journal") + " EXECUTE FUNCTION " +
        table("full") + "()");
    run_with_cart("BEGIN");
    BOOST_TEST((refused(create("A")) == errc::unavailable));
    BOOST_TEST(refusal == "full");
    run("COMMIT");
    BOOST_TEST(run("SELECT count(*) FROM " + table("carts")) == "1");
    BOOST_TEST(!holds(*reader_of(*orders), "A"));
    run("DROP TRIGGER no_entry ON " + table("journal"));
    run("BEGIN");
    BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
    run("COMMIT");
    check_whole(*reader_of(*orders));
}

BOOST_FIXTURE_TEST_CASE(a_transaction_that_could_break_promises_is_refused, host) {
    BOOST_TEST((refused(create("A")) == errc::invalid_argument));
    BOOST_TEST(refusal == "no transaction is open");
    for (const char* level : {"REPEATABLE READ", "SERIALIZABLE"}) {
        run(std::string("BEGIN ISOLATION LEVEL ") + level);
        BOOST_TEST((refused(create("A")) == errc::invalid_argument));
        BOOST_TEST(refusal.find("has to be READ COMMITTED") != std::string::npos, refusal);
        run("COMMIT");
    }
    run("BEGIN; SET LOCAL synchronous_commit TO off");
    BOOST_TEST((refused(create("A")) == errc::not_supported));
    run("COMMIT");
    PQclear(PQexec(db, "BEGIN; SELECT 1/0"));
    BOOST_TEST((refused(create("A")) == errc::invalid_argument));
    BOOST_TEST(refusal.find("has failed") != std::string::npos, refusal);
    run("ROLLBACK; BEGIN");
    BOOST_TEST_REQUIRE(PQenterPipelineMode(db) == 1);
    BOOST_TEST((refused(create("A")) == errc::invalid_argument));
    BOOST_TEST(refusal == "the connection is in pipeline mode");
    BOOST_TEST_REQUIRE(PQexitPipelineMode(db) == 1);
    change nameless = create("A");
    nameless.order.clear();
    BOOST_TEST((refused(nameless) == errc::invalid_argument));
}

BOOST_FIXTURE_TEST_CASE(clocks_are_compared_before_the_wait_for_the_lock, host) {
    guest.reset();
    postgres_options strict = options();
    strict.clock_skew_max = 2s;
    guest = std::move(postgres_guest::open(db, strict)).value();
    const timestamp now = system_runtime().time.now();
    for (const timestamp wrong : {now - 10s, now + 10s}) {
        run("BEGIN");
        BOOST_TEST((refused(create("A"), wrong) == errc::unavailable));
        BOOST_TEST(refusal.find(to_string(wrong)) != std::string::npos, refusal);
        run("ROLLBACK");
    }
    run("BEGIN");
    BOOST_TEST(!guest->apply(create("A"), system_runtime().time.now())->ec);
    run("COMMIT");
}

BOOST_FIXTURE_TEST_CASE(the_host_finds_its_settings_as_they_were, host) {
    run("SET search_path TO pg_catalog, public");
    run("SET lock_timeout TO '7s'");
    run("SET idle_in_transaction_session_timeout TO '1500ms'");
    const auto settings = [this] {
        return run(
            "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings "
            "WHERE name IN ('search_path', 'lock_timeout', 'plan_cache_mode', 'enable_seqscan', "
            "'jit', 'idle_in_transaction_session_timeout')");
    };
    const std::string before = settings();
    for (const char* end : {"COMMIT", "ROLLBACK"}) {
        run("BEGIN");
        BOOST_TEST(!guest->apply(create(end), day_one)->ec);
        BOOST_TEST(settings() == before);
        BOOST_TEST((guest->apply(create(end), day_one)->ec == errc::already_exists));
        run(end);
        BOOST_TEST(settings() == before);
    }
    BOOST_TEST(PQisnonblocking(db) == 0);
    run("SET idle_in_transaction_session_timeout TO 0");
    run("BEGIN");
    BOOST_TEST(!guest->apply(create("C"), day_one)->ec);
    BOOST_TEST(run("SHOW idle_in_transaction_session_timeout") == "2s");
    run("COMMIT");
    BOOST_TEST(run("SHOW idle_in_transaction_session_timeout") == "0");
}

BOOST_FIXTURE_TEST_CASE(guests_and_engines_share_the_lock, host) {
    postgres_options quick = options();
    quick.lock_timeout = 1ms;
    const auto others = std::move(open_postgres(quick)).value();
    const auto writer = writer_of(*others);
    const auto watch = std::move(orders->watch()).value();
    (void)watch->wait(10s).value();  // the first look
    run("BEGIN");
    BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
    const auto failed = write(*writer, 1, {create("B")});
    BOOST_TEST((failed.call.error().code == errc::unavailable));
    BOOST_TEST(!watch->wait(0ms).value());
    run("COMMIT");
    BOOST_TEST(watch->wait(1h).value());
    engine writes(*others, status_machine::standard(), system_runtime());
    const auto made = writes.execute(testing::order_builder().id("C").submit());
    BOOST_TEST(!made.ec);
    BOOST_TEST(made.after->number == 2);
}

BOOST_FIXTURE_TEST_CASE(a_guest_for_each_order_leaves_few_rows, host) {
    for (int i = 0; i < 100; ++i) {
        guest = std::move(postgres_guest::open(db, options())).value();
        run("BEGIN");
        BOOST_TEST(!guest->apply(create("G" + std::to_string(i)), day_one)->ec);
        run("COMMIT");
    }
    const std::string left = run("SELECT count(*) FROM " + table("writes"));
    BOOST_TEST(std::stoi(left) <= 70, left);
    check_whole(*reader_of(*orders));
}

BOOST_FIXTURE_TEST_CASE(a_host_that_hangs_keeps_the_others_for_seconds_only, host) {
    run("BEGIN");
    BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
    postgres_options patient = options();
    patient.lock_timeout = 60s;
    patient.answer_timeout = 120s;
    const auto others = std::move(open_postgres(patient)).value();
    BOOST_TEST(write(*writer_of(*others), 1, {create("B")}).call.has_value());
    BOOST_TEST((refused(create("C")) == errc::unavailable));
    BOOST_TEST(!holds(*reader_of(*others), "A"));
    check_whole(*reader_of(*others));
}

BOOST_FIXTURE_TEST_CASE(a_guest_begins_the_epoch_of_a_promoted_server, host) {
    sql("UPDATE " + table("epochs") + " SET timeline = 77");
    const auto before = reader_of(*orders)->read_feed({}).value().newest;
    run("BEGIN");
    BOOST_TEST(!guest->apply(create("A"), day_one)->ec);
    BOOST_TEST(!guest->apply(create("B"), day_one)->ec);
    run("COMMIT");
    const auto after = reader_of(*orders)->read_feed({}).value().newest;
    BOOST_TEST(after.offset == 2U);
    BOOST_TEST(after.epoch != before.epoch);
    BOOST_TEST(sql("SELECT count(*) FROM " + table("epochs")) == "2");
    check_whole(*reader_of(*orders));
}

BOOST_FIXTURE_TEST_CASE(a_guest_needs_the_tables, host) {
    postgres_options other = options();
    other.schema += "_other";
    const auto none = postgres_guest::open(db, other);
    BOOST_TEST((none.error().code == errc::schema_mismatch));
    run("BEGIN");  // nothing was left open
    const auto busy = postgres_guest::open(db, options());
    BOOST_TEST((busy.error().code == errc::invalid_argument));
    run("COMMIT");
    other.schema.clear();
    BOOST_TEST((postgres_guest::open(db, other).error().code == errc::invalid_argument));
}
