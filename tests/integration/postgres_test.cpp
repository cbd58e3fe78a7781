// What the kit does not look at: options, rights, the schema, other processes' commits, plans.

#include "postgres_support.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/runtime.hpp>
#include <orderproc/worker.hpp>

#include <future>
#include <string>
#include <utility>
#include <vector>

using namespace postgres_support;

namespace {

class until_completed final : public observer {
public:
    void transition_committed(const transition_report& it) noexcept override {
        if (it.after.status == order_status("COMPLETED")) completed.set_value();
    }
    std::promise<void> completed;
};

claim of_worker(std::size_t limit, timestamp now = day_one) {
    claim out;
    out.stage = &status_machine::standard().stages().front();
    out.worker_id = "w";
    out.expires_at = now + 30s;
    out.lease = 30s;
    out.limit = limit;
    return out;
}

std::string refused(postgres_options options) {
    const auto opened = open_postgres(std::move(options));
    BOOST_TEST_REQUIRE(!opened);
    BOOST_TEST((opened.error().code == errc::invalid_argument));
    return opened.error().detail;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(an_order_is_completed_by_an_engine_and_a_worker, shop) {
    const auto orders = open();
    until_completed seen;
    const auto work = make_processor(
        [](const order&, const std::stop_token&) { return verdict(advance{"complete"}); }, 1);
    {
        engine writes(*orders, status_machine::standard(), system_runtime(seen));
        worker works(writes, *work);
        BOOST_TEST_REQUIRE(works.start().has_value());
        BOOST_TEST(!writes.execute(testing::order_builder().id("A").submit()).ec);
        seen.completed.get_future().get();
        works.stop();
    }
    const auto reads = reader_of(*orders);
    check_whole(*reads);
    BOOST_TEST(reads->count().value().completed == 1U);
}

BOOST_FIXTURE_TEST_CASE(options_that_cannot_be_used_are_refused_by_name, shop) {
    postgres_options other = options();
    other.connection = "postgresql://[";
    BOOST_TEST(refused(other).starts_with("connection"));
    other = options();
    other.schema.clear();
    BOOST_TEST(refused(other).starts_with("schema"));
    other = options();
    other.lock_timeout = 0ms;
    BOOST_TEST(refused(other).starts_with("lock_timeout"));
    other = options();
    other.answer_timeout = other.lock_timeout;
    BOOST_TEST(refused(other).starts_with("answer_timeout"));
    other = options();
    other.clock_skew_max = -1ms;
    BOOST_TEST(refused(other).starts_with("clock_skew_max"));
}

BOOST_FIXTURE_TEST_CASE(a_password_is_never_shown, shop) {
    postgres_options other = options();
    other.connection = "postgresql://test:hunter2@/test?host=/nonexistent&bad=hunter2";
    BOOST_TEST(refused(other).find("hunter2") == std::string::npos);
    other.connection = "postgresql://test:hunter2@/test?host=/nonexistent";
    const auto opened = open_postgres(other);
    BOOST_TEST((opened.error().code == errc::unavailable));
    BOOST_TEST(opened.error().detail.find("hunter2") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_schema_is_made_once_and_only_when_asked, shop) {
    BOOST_TEST(migrate_postgres(options(), {true}).value().steps.empty());
    postgres_options other = options();
    other.schema += "_other";
    BOOST_TEST((open_postgres(other).error().code == errc::schema_mismatch));
    BOOST_TEST((migrate_postgres(other).error().code == errc::not_found));
    const auto tried = migrate_postgres(other, {true, true}).value();
    BOOST_TEST(tried.from == 0);
    BOOST_TEST(!tried.steps.empty());
    BOOST_TEST((migrate_postgres(other).error().code == errc::not_found));
}

// An administrator has made the schema, and nothing else may be made in the database.
BOOST_FIXTURE_TEST_CASE(an_owner_without_rights_on_the_database_fills_an_empty_schema, shop) {
    postgres_options as_owner = options();
    as_owner.schema += "_theirs";
    as_owner.connection += "&user=landlord";
    sql("CREATE ROLE landlord LOGIN");
    sql("CREATE SCHEMA " + as_owner.schema + " AUTHORIZATION landlord");
    BOOST_TEST(migrate_postgres(as_owner, {true}).value().to == 1);
    BOOST_TEST(open_postgres(as_owner).has_value());
    sql("DROP OWNED BY landlord");
    sql("DROP ROLE landlord");
}

BOOST_FIXTURE_TEST_CASE(a_schema_that_is_too_new_is_refused, shop) {
    sql("UPDATE " + table("schema_version") + " SET version = 99");
    BOOST_TEST(open_postgres(options()).has_value());  // it says that this version may use it
    BOOST_TEST((migrate_postgres(options()).error().code == errc::schema_mismatch));
    sql("UPDATE " + table("schema_version") + " SET usable_from = 99");
    const auto opened = open_postgres(options());
    BOOST_TEST((opened.error().code == errc::schema_mismatch));
    BOOST_TEST(opened.error().detail.find("update orderproc") != std::string::npos);
}

// The statements of docs/postgres.md.
BOOST_FIXTURE_TEST_CASE(few_rights_are_enough, shop) {
    sql("CREATE ROLE app LOGIN");
    postgres_options as_app = options();
    as_app.connection += "&user=app";
    const auto none = open_postgres(as_app);
    BOOST_TEST_REQUIRE(!none);
    BOOST_TEST((none.error().code == errc::not_supported));
    sql("GRANT USAGE ON SCHEMA " + schema +
        " TO app; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL "
        "TABLES IN SCHEMA " +
        schema + " TO app");
    {
        const auto orders = std::move(open_postgres(as_app)).value();
        const auto writer = writer_of(*orders);
        BOOST_TEST(write(*writer, 1, {create("A")}).call.has_value());
        BOOST_TEST(writer->was_applied("test", 1).value());
        BOOST_TEST(writer->rotate_epoch(4).has_value());
    }
    sql("REVOKE INSERT ON " + table("journal") + " FROM app");
    {
        const auto orders = std::move(open_postgres(as_app)).value();
        const auto failed = write(*writer_of(*orders), 2, {create("B")});
        BOOST_TEST((failed.call.error().code == errc::not_supported));
        BOOST_TEST(failed.call.error().detail.find("journal") != std::string::npos);
    }
    sql("DROP OWNED BY app; DROP ROLE app");
}

BOOST_FIXTURE_TEST_CASE(commits_that_are_not_synced_are_refused, shop) {
    sql("CREATE ROLE hasty SUPERUSER LOGIN; ALTER ROLE hasty SET synchronous_commit TO off");
    postgres_options other = options();
    other.connection += "&user=hasty";
    const auto opened = open_postgres(other);
    BOOST_TEST((opened.error().code == errc::not_supported));
    BOOST_TEST(opened.error().detail.starts_with("synchronous_commit is off"));
    sql("DROP ROLE hasty");
}

// The answer to one who connected earlier stays what it was.
BOOST_FIXTURE_TEST_CASE(commits_go_on_being_synced_when_the_setting_changes, shop) {
    const auto orders = open();
    const auto writer = writer_of(*orders);
    sql("CREATE FUNCTION " + table("look") +
        "() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF "
        "current_setting(''synchronous_commit'') <> ''on'' THEN RAISE EXCEPTION ''hasty''; END "
        "IF; RETURN NEW; END'");
    sql("CREATE TRIGGER look BEFORE INSERT ON " + table("writes") +
        " FOR EACH ROW EXECUTE FUNCTION " + table("look") + "()");
    sql("ALTER SYSTEM SET synchronous_commit TO off");
    sql("SELECT pg_reload_conf()");
    wait_for("SHOW synchronous_commit", "off");
    // The server's processes read it when they begin to wait for the next statement.
    for (std::uint64_t i = 1; i <= 5; ++i) {
        BOOST_TEST(write(*writer, i, {create("A" + std::to_string(i))}).call.has_value());
    }
    BOOST_TEST((orders->connect_writer().error().code == errc::not_supported));
    sql("ALTER SYSTEM RESET synchronous_commit");
    sql("SELECT pg_reload_conf()");
    wait_for("SHOW synchronous_commit", "on");
}

BOOST_FIXTURE_TEST_CASE(clocks_that_differ_are_refused_ahead_and_behind, shop) {
    postgres_options strict = options();
    strict.clock_skew_max = 2s;
    const auto orders = std::move(open_postgres(strict)).value();
    const auto writer = writer_of(*orders);
    const timestamp now = system_runtime().time.now();
    for (const timestamp wrong : {now - 10s, now + 10s}) {
        const auto failed = write(*writer, 1, {create("A")}, {}, wrong);
        BOOST_TEST((failed.call.error().code == errc::unavailable));
        BOOST_TEST(failed.call.error().detail.find(to_string(wrong)) != std::string::npos);
    }
    BOOST_TEST(write(*writer, 1, {create("A")}, {}, system_runtime().time.now()).call.has_value());
}

BOOST_FIXTURE_TEST_CASE(another_process_is_heard, shop) {
    const auto here = open();
    const auto there = open();
    const auto watch = std::move(here->watch()).value();
    (void)watch->wait(10s).value();  // the first look
    auto heard = std::async(std::launch::async, [&] { return watch->wait(60s).value(); });
    BOOST_TEST(write(*writer_of(*there), 1, {create("A")}).call.has_value());
    BOOST_TEST(heard.get());
    auto interrupted = std::async(std::launch::async, [&] { return watch->wait(600s).value(); });
    watch->interrupt();
    BOOST_TEST(!interrupted.get());
}

BOOST_FIXTURE_TEST_CASE(workers_that_find_nothing_do_not_wait_for_the_lock, shop) {
    postgres_options quick = options();
    quick.lock_timeout = 1ms;
    const auto orders = std::move(open_postgres(quick)).value();
    const auto writer = writer_of(*orders);
    // A transaction that is prepared, and of no session, keeps the lock.
    sql("ALTER SYSTEM SET max_prepared_transactions = 2");
    node().tell("stop");
    node().tell("start");
    const auto again = writer_of(*orders);
    sql("BEGIN; SELECT 1 FROM " + table("write_lock") + " FOR UPDATE; PREPARE TRANSACTION 'held'");
    BOOST_TEST(write(*again, 1, {}, {of_worker(5)}).call.has_value());
    const auto failed = write(*again, 2, {create("A")});
    BOOST_TEST((failed.call.error().code == errc::unavailable));
    BOOST_TEST(failed.call.error().detail.find("write lock") != std::string::npos);
    sql("ROLLBACK PREPARED 'held'");
    BOOST_TEST(write(*again, 2, {create("A")}).call.has_value());
    BOOST_TEST(write(*again, 3, {}, {of_worker(5)}).claims[0].orders.size() == 1U);
}

BOOST_FIXTURE_TEST_CASE(old_rows_of_writers_go, shop) {
    const auto orders = open();
    const auto writer = writer_of(*orders);
    for (std::uint64_t i = 1; i <= 300; ++i) {
        BOOST_TEST_REQUIRE(write(*writer, i, {create("A" + std::to_string(i))}).call.has_value());
    }
    BOOST_TEST(std::stoi(sql("SELECT count(*) FROM " + table("writes"))) < 200);
    BOOST_TEST(writer->was_applied("test", 300).value());
    // One that writes now and then is no exception.
    const auto seldom = writer_of(*orders);
    for (std::uint64_t i = 1; i <= 70; ++i) {
        change other = create("B" + std::to_string(i));
        change_outcome made;
        write_params params{day_one, "seldom", i, {&other, 1}, {}, {}};
        write_results results{{&made, 1}, {}, {}};
        BOOST_TEST_REQUIRE(seldom->write(params, results).has_value());
        sql("UPDATE " + table("writes") + " SET id = id + 100 WHERE id = (SELECT max(id) FROM " +
            table("writes") + ")");  // as if others had written meanwhile
    }
    BOOST_TEST(std::stoi(sql("SELECT count(*) FROM " + table("writes") +
                             " WHERE writer = 'seldom'")) <= 10);
    BOOST_TEST(writer->was_applied("seldom", 70).value());
    check_whole(*writer);
}

// Of an empty schema, which the server knows no statistics of, and of one with some orders.
BOOST_FIXTURE_TEST_CASE(no_statement_reads_a_whole_table, shop) {
    const auto orders = open();
    {
        const auto writer = writer_of(*orders);
        std::uint64_t sequence = 0;
        for (int round = 0; round < 5; ++round) {
            std::vector<change> some;
            for (int i = 0; i < 100; ++i) {
                some.push_back(create("A" + std::to_string(round) + "-" + std::to_string(i)));
                some.back().idempotency_key =
                    testing::idempotency_of(std::to_string(1000 * round + i));
            }
            BOOST_TEST_REQUIRE(write(*writer, ++sequence, some).call.has_value());
            BOOST_TEST_REQUIRE(write(*writer, ++sequence, {}, {of_worker(50)}).call.has_value());
            list_params list;
            const std::vector<order_status> statuses{"PENDING", "PROCESSING"};
            for (const bool filtered : {false, true}) {
                if (filtered) list.statuses = statuses;
                BOOST_TEST(writer->list(list).value().orders.size() == 20U);
                list_params users = list;
                users.scope.user = "1";
                users.created_from = day_one;
                users.count_max = 10;
                BOOST_TEST(writer->list(users).value().orders.size() == 20U);
            }
            list.sort = list_sort::order_id;
            list.id_prefix = "A";
            BOOST_TEST(writer->list(list).value().orders.size() == 20U);
            (void)writer->history({.order = "A0-1"}).value();
            (void)writer->read_feed({}).value();
            (void)writer->find_position(day_one).value();
            (void)writer->count().value();
        }
    }
    // Told by a session at its end.
    const std::string of = " FROM pg_stat_user_tables WHERE schemaname = '" + schema + "' AND ";
    wait_for("SELECT n_tup_ins >= 500" + of + "relname = 'journal'", "t");
    // Each index was made by reading the table, which was empty.
    BOOST_TEST(sql("SELECT coalesce(string_agg(relname || ' ' || seq_scan, ' '), 'none')" + of +
                   "relname IN ('orders', 'work', 'journal', 'keys', 'tombstones', 'records') AND "
                   "seq_scan > (SELECT count(*) FROM pg_index WHERE indrelid = relid)") == "none");
}
