// Databases that have lost what was there: a promoted standby that did not have it, or one that was
// put back. Workers pause until somebody says that they may go on.

#include "postgres_support.hpp"

#include <future>

using namespace postgres_support;

namespace {

// Two servers; the second one can be made to miss the latest writes, and then be promoted.
class two_servers {
public:
    two_servers() {
        (void)migrate_postgres(options(), {true}).value();
        standby_ = first_.tell("standby");
    }

    postgres_options options() const {
        postgres_options out = first_.options("shop");
        out.connection = "postgresql:///test?user=test&host=" + first_.folder() +
                         (standby_.empty() ? "" : "," + standby_);
        return out;
    }
    std::unique_ptr<storage> open() const { return std::move(open_postgres(options())).value(); }
    void detach() { first_.tell("detach"); }
    void promote() {
        first_.tell("kill");
        first_.tell("promote");
    }

private:
    postgres_node first_;
    std::string standby_;
};

claim of_worker(timestamp now = day_one) {
    claim out;
    out.stage = &status_machine::standard().stages().front();
    out.worker_id = "w";
    out.expires_at = now + 30s;
    out.lease = 30s;
    out.limit = 10;
    return out;
}

failure refusal_of(const result<std::unique_ptr<repository>>& connected) {
    BOOST_TEST_REQUIRE(!connected);
    return connected.error();
}

bool says(const failure& why, const char* what) {
    return why.code == errc::unavailable && why.detail.find(what) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_promoted_standby_that_lacks_entries_pauses_the_workers) {
    two_servers servers;
    const auto knows = servers.open();
    const auto before = [&] {
        const auto writer = writer_of(*knows);
        BOOST_TEST(write(*writer, 1, {create("A"), create("B"), create("C")}).call.has_value());
        servers.detach();
        BOOST_TEST(write(*writer, 2, {create("D"), create("E")}).call.has_value());
        return writer->read_feed({}).value().newest;
    }();
    servers.promote();

    const failure told = refusal_of(knows->connect_writer());
    BOOST_TEST(says(told, "has lost 2 entries of the journal"), told.detail);
    const auto writer = writer_of(*knows);  // once is enough
    BOOST_TEST(writer->read_feed({before}).value().reset);
    BOOST_TEST(!writer->read_feed({{before.epoch, 3}}).value().reset);

    const auto first = write(*writer, 3, {}, {of_worker()});
    BOOST_TEST(says(first.call.error(), "workers pause"), first.call.error().detail);
    const auto later = write(*writer, 3, {}, {of_worker()});
    BOOST_TEST(later.call.has_value());
    BOOST_TEST(later.claims[0].orders.empty());
    const auto mixed = write(*writer, 4, {create("F")}, {of_worker()});
    BOOST_TEST(mixed.call.has_value());
    BOOST_TEST(!mixed.changes[0].ec);
    BOOST_TEST(mixed.claims[0].orders.empty());
    const auto a_minute_later = write(*writer, 5, {}, {of_worker(day_one + 1min)}, day_one + 1min);
    BOOST_TEST(says(a_minute_later.call.error(), "--resume-after-loss"));

    // Whoever was not there reads of it in the database.
    const auto ignorant = servers.open();
    const auto other = writer_of(*ignorant);
    BOOST_TEST(says(write(*other, 1, {}, {of_worker()}).call.error(), "workers pause"));
    const auto watch = std::move(ignorant->watch()).value();
    (void)watch->wait(10s).value();
    auto heard = std::async(std::launch::async, [&] { return watch->wait(60s).value(); });

    postgres_options resumed = servers.options();
    resumed.resume_after_loss = true;
    const auto admits = std::move(open_postgres(resumed)).value();
    (void)writer_of(*admits);
    BOOST_TEST(heard.get());
    BOOST_TEST(write(*other, 2, {}, {of_worker()}).claims[0].orders.size() == 4U);
    check_whole(*other);
}

BOOST_AUTO_TEST_CASE(a_promoted_standby_that_has_all_pauses_nobody) {
    two_servers servers;
    const auto orders = servers.open();
    BOOST_TEST(write(*writer_of(*orders), 1, {create("A"), create("B")}).call.has_value());
    servers.promote();
    const auto writer = writer_of(*orders);
    BOOST_TEST(write(*writer, 2, {}, {of_worker()}).claims[0].orders.size() == 2U);
    check_whole(*writer);
}

// As a disk that was copied back, or pg_restore: the timeline is the same.
BOOST_FIXTURE_TEST_CASE(a_database_that_was_put_back_is_noticed, shop) {
    const auto orders = open();
    BOOST_TEST(write(*writer_of(*orders), 1, {create("A")}).call.has_value());
    const std::string kept = sql("SELECT max(id) FROM " + table("writes"));
    const auto seen = [&] {
        const auto writer = writer_of(*orders);
        BOOST_TEST(write(*writer, 2, {create("B")}).call.has_value());
        return writer->read_feed({}).value().newest;
    }();
    sql("DELETE FROM " + table("writes") + " WHERE id > " + kept + "; DELETE FROM " +
        table("orders") + " WHERE number = 2; DELETE FROM " + table("work") +
        " WHERE number = 2; DELETE FROM " + table("journal") + " WHERE position = 2");
    BOOST_TEST(says(refusal_of(orders->connect_writer()), "has lost 1 entries"));
    const auto writer = writer_of(*orders);
    BOOST_TEST(sql("SELECT count(*) FROM " + table("epochs")) == "2");
    BOOST_TEST(write(*writer, 3, {create("C")}).call.has_value());
    BOOST_TEST(writer->read_feed({seen}).value().reset);
    check_whole(*writer);
}

BOOST_FIXTURE_TEST_CASE(an_epoch_that_was_rotated_by_hand_is_no_loss, shop) {
    const auto orders = open();
    {
        const auto writer = writer_of(*orders);
        BOOST_TEST(write(*writer, 1, {create("A")}).call.has_value());
        BOOST_TEST(writer->rotate_epoch(7).has_value());
        BOOST_TEST(write(*writer, 2, {create("B")}).call.has_value());
    }
    BOOST_TEST(orders->connect_writer().has_value());
    const auto watch = std::move(orders->watch()).value();
    (void)watch->wait(10s).value();
    BOOST_TEST(orders->connect_writer().has_value());
}
