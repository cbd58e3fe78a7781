// Servers that cannot be used, and several of them.

#include "postgres_support.hpp"

#include <filesystem>
#include <fstream>
#include <string>

using namespace postgres_support;

namespace {

// Starts again as what the file of this name makes of it: a standby, or one that is promoted.
void restart_as(postgres_node& which, const std::string& signal) {
    which.tell("stop");
    std::ofstream(which.folder() + "/data/" + signal);
    which.tell("start");
}

failure refused(const postgres_options& options) {
    const auto opened = open_postgres(options);
    BOOST_TEST_REQUIRE(!opened);
    return opened.error();
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_standby_is_no_server_for_orders, shop) {
    sql("ALTER SYSTEM SET restore_command TO 'false'");
    restart_as(node(), "standby.signal");
    failure why = refused(options());
    BOOST_TEST((why.code == errc::unavailable));
    BOOST_TEST(why.detail.starts_with("no PostgreSQL server that takes writes was found"),
               why.detail);
    postgres_options any = options();
    any.connection += "&target_session_attrs=any";
    why = refused(any);
    BOOST_TEST((why.code == errc::unavailable));
    BOOST_TEST(why.detail == "this server is a standby, which takes no writes");
    node().tell("stop");
    std::filesystem::remove(node().folder() + "/data/standby.signal");
    node().tell("start");
}

BOOST_FIXTURE_TEST_CASE(a_database_in_another_encoding_is_refused, shop) {
    sql("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'");
    postgres_options other = options();
    other.connection += "&dbname=latin";
    const std::string said = "the encoding of this database is LATIN1: it has to be UTF8";
    const auto made = migrate_postgres(other, {true});
    BOOST_TEST((made.error().code == errc::not_supported));
    BOOST_TEST(made.error().detail == said);
    const failure why = refused(other);
    BOOST_TEST((why.code == errc::not_supported));
    BOOST_TEST(why.detail == said);
    sql("DROP DATABASE latin");
}

// The one that was replaced is still running, and comes first in the list.
BOOST_AUTO_TEST_CASE(the_promoted_server_is_found_behind_the_one_that_it_replaced) {
    postgres_node before;
    postgres_node after;
    postgres_options both = before.options("shop");
    both.connection =
        "postgresql:///test?host=" + before.folder() + "," + after.folder() + "&user=test";
    (void)migrate_postgres(before.options("shop"), {true}).value();
    (void)migrate_postgres(after.options("shop"), {true}).value();
    after.tell("sql ALTER SYSTEM SET restore_command TO 'false'");
    restart_as(after, "recovery.signal");  // as it ends, a new timeline begins
    while (after.tell("sql SELECT pg_is_in_recovery()") != "f") continue;

    const auto orders = std::move(open_postgres(both)).value();
    BOOST_TEST(write(*writer_of(*orders), 1, {create("A")}).call.has_value());
    before.tell("kill");
    BOOST_TEST(holds(*reader_of(*orders), "A"));
    before.tell("start");
    BOOST_TEST(write(*writer_of(*orders), 2, {create("B")}).call.has_value());
    BOOST_TEST(before.tell("sql SELECT count(*) FROM shop.orders") == "0");
    BOOST_TEST(after.tell("sql SELECT count(*) FROM shop.orders") == "2");
    after.tell("kill");
    const auto stale = orders->connect_writer();
    BOOST_TEST_REQUIRE(!stale);
    BOOST_TEST((stale.error().code == errc::unavailable));
    BOOST_TEST(stale.error().detail.find("timeline 1") != std::string::npos, stale.error().detail);
}
