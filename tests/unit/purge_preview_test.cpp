// What a purge would do is what it does, and what holds it back is named.

#include "worker_fixture.hpp"

#include <orderproc/dead_letters.hpp>
#include <orderproc/purge_preview.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace shop_test;

namespace {

constexpr std::chrono::hours day(24);

struct purged final : purge_completion {
    void complete(const purge_outcome& outcome) noexcept override { out = outcome; }
    purge_outcome out;
};

struct moved final : cursor_completion {
    void complete(const cursor_outcome& outcome) noexcept override { out = outcome; }
    cursor_outcome out;
};

struct old_shop {
    void cancelled(const std::string& id) {
        it.create(id);
        BOOST_REQUIRE(!it.raise(id, "cancel"));
    }
    // Everything so far was long ago.
    void wait() { it.time.advance(10 * day); }

    preview_purge_params wish(std::size_t limit = 1000) {
        preview_purge_params out;
        out.now = it.time.now();
        out.what.before = out.now - 5 * day;
        out.what.limit = limit;
        out.forget_before = out.now - 3 * day;
        return out;
    }
    purge_preview look(const preview_purge_params& params) {
        auto reads = it.orders->connect_reader().value();
        return preview_purge(*reads, params).value();
    }
    purge_outcome purge(const purge_preview& seen) {
        purged done;
        purge_orders what;
        what.before = seen.before;
        BOOST_REQUIRE(it.front.submit(what, done));
        it.settle({});
        BOOST_REQUIRE(!done.out.ec);
        return done.out;
    }
    void set_cursor(const std::string& name, std::uint64_t offset) {
        auto reads = it.orders->connect_reader().value();
        const feed_page page = reads->read_feed({}).value();
        moved done;
        commit_cursor what;
        what.name = name;
        what.owner = "test";
        what.to = feed_position{page.newest.epoch, offset};
        what.expires_at = it.time.now();
        BOOST_REQUIRE(it.front.submit(std::move(what), done));
        it.settle({});
        BOOST_REQUIRE(!done.out.ec);
    }

    shop it;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_preview_counts_what_a_purge_takes) {
    old_shop of;
    of.cancelled("A");
    of.it.create("open");
    of.cancelled("B");
    of.it.time.advance(1s);
    BOOST_TEST(of.look(of.wish()).orders == 0);
    of.wait();
    of.cancelled("young");
    const purge_preview seen = of.look(of.wish());
    BOOST_TEST(seen.orders == 2);
    BOOST_TEST(seen.entries == 5);
    BOOST_TEST(!seen.more);
    BOOST_TEST(!seen.held_since);
    const purge_outcome done = of.purge(seen);
    BOOST_TEST(done.orders == 2);
    BOOST_TEST(done.floor.offset == seen.last.offset);
    BOOST_TEST(of.look(of.wish()).entries == 0);
}

BOOST_AUTO_TEST_CASE(steps_end_between_times) {
    old_shop of;
    of.cancelled("A");  // two entries of the same time
    of.it.time.advance(1s);
    of.cancelled("B");
    of.wait();
    purge_preview seen = of.look(of.wish(1));
    BOOST_TEST(seen.entries == 2);
    BOOST_TEST(seen.more);
    preview_purge_params rest = of.wish(1);
    rest.after = seen.last;
    BOOST_TEST(of.look(rest).orders == 1);
    BOOST_TEST(!of.look(rest).more);
    BOOST_TEST(of.purge(seen).orders == 1);
    // What another purge has passed since is not passed again.
    BOOST_TEST(of.purge(seen).orders == 0);
    BOOST_TEST(of.look(of.wish(1)).orders == 1);
}

BOOST_AUTO_TEST_CASE(a_kept_status_stops_it) {
    old_shop of;
    desk table;
    worker one{of.it.front, table, quiet("one")};
    BOOST_REQUIRE(one.start());
    of.cancelled("A");
    of.it.time.advance(1s);
    of.it.create("dead");
    of.it.settle({&one});
    table.finish(give_up{"no"}, "dead");
    of.it.settle({&one});
    of.it.time.advance(1s);
    of.cancelled("B");
    of.wait();
    preview_purge_params params = of.wish();
    BOOST_TEST(of.look(params).orders == 3);
    const auto failed = failed_statuses(of.it.front.machine());
    params.kept = failed;
    const purge_preview seen = of.look(params);
    BOOST_TEST(seen.orders == 1);
    BOOST_REQUIRE(seen.kept.has_value());
    BOOST_TEST(seen.kept->id.view() == "dead");
    BOOST_TEST(seen.held_since.has_value());
    BOOST_TEST(of.purge(seen).orders == 1);
    BOOST_TEST(of.purge(of.look(params)).orders == 0);
    BOOST_REQUIRE(!of.it.raise("dead", "retry"));
    BOOST_TEST(of.look(params).orders == 1);  // B: the latest entry of the other is young now
}

BOOST_AUTO_TEST_CASE(a_cursor_stops_it_and_is_named) {
    old_shop of;
    of.cancelled("A");
    of.it.time.advance(1s);
    of.cancelled("B");
    of.it.time.advance(4 * day);
    of.set_cursor("books", 3);
    of.it.time.advance(2 * day);
    const purge_preview seen = of.look(of.wish());
    BOOST_TEST(seen.orders == 1);
    BOOST_TEST(seen.held_by == "books");
    BOOST_TEST(of.purge(seen).orders == 1);

    auto reads = of.it.orders->connect_reader().value();
    const auto held = list_purge_holders(*reads, of.it.time.now() - day, 10).value();
    BOOST_REQUIRE(held.size() == 1);
    BOOST_TEST(held[0].name == "books");
    BOOST_TEST(held[0].behind == 1);
    BOOST_TEST(list_purge_holders(*reads, of.it.time.now() - 30 * day, 10).value().empty());
    of.set_cursor("books", 4);
    BOOST_TEST(list_purge_holders(*reads, of.it.time.now(), 10).value().empty());
    BOOST_TEST(of.look(of.wish()).orders == 1);
}

BOOST_AUTO_TEST_CASE(what_a_purge_refuses_is_refused) {
    old_shop of;
    auto reads = of.it.orders->connect_reader().value();
    BOOST_TEST((preview_purge(*reads, of.wish(0)).error().code == errc::invalid_argument));
}
