#include <orderproc/adapter.hpp>
#include <orderproc/testing/builders.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <optional>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
using testing::order_builder;

namespace {

constexpr timestamp now = timestamp{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};

}  // namespace

BOOST_AUTO_TEST_CASE(a_refusal_shows_the_order_to_whom_may_see_it) {
    stored_order current;
    current.value = order_builder{}.id("A").user(7).build();
    change what;
    BOOST_TEST((refuse(what, errc::version_conflict, &current).after == current.value));
    what.scope.user = "7";
    BOOST_TEST((refuse(what, errc::version_conflict, &current).after == current.value));
    what.scope.user = "8";
    const change_outcome hidden = refuse(what, errc::not_found, &current);
    BOOST_TEST((hidden.ec == errc::not_found));
    BOOST_TEST(!hidden.after);
    BOOST_TEST(!hidden.replayed);
    BOOST_TEST(!hidden.journaled);
    BOOST_TEST(!refuse(what, errc::already_exists, nullptr).after);
}

BOOST_AUTO_TEST_CASE(an_entry_is_what_was_evaluated) {
    evaluation what;
    what.after.value = order_builder{}.id("A").status("PENDING").build();
    what.after.value.version = order_version{4};
    what.after.traceparent = "00-trace";
    what.event = "release";
    what.from = order_status("PROCESSING");
    what.actor = "w";
    what.reason = "busy";
    const journal_entry it = to_entry(what, {3, 9}, write_time(now, now + 5s));
    BOOST_TEST((it.position == feed_position{3, 9}));
    BOOST_TEST((it.version == order_version{4}));
    BOOST_TEST(it.event == "release");
    BOOST_TEST((it.from == order_status("PROCESSING")));
    BOOST_TEST(it.actor == "w");
    BOOST_TEST(it.reason == "busy");
    BOOST_TEST(it.traceparent == "00-trace");
    BOOST_TEST((it.at == now + 5s));  // the stamp: it never runs backwards
    BOOST_TEST((it.after == what.after.value));
}

BOOST_AUTO_TEST_CASE(a_cursor_is_taken_held_moved_and_let_go) {
    stored_cursor kept{{3, 0}, {}};
    const auto move = [&](const char* owner, std::optional<std::uint64_t> to, timestamp until,
                          timestamp when) {
        commit_cursor what{"relay", owner, {}, until};
        if (to) what.to = feed_position{3, *to};
        return evaluate(kept, what, when);
    };
    BOOST_TEST(!move("a", {}, now + 10s, now).ec);
    BOOST_TEST((kept.owner == "a" && kept.expires_at == now + 10s && kept.at.offset == 0));
    BOOST_TEST(!move("a", 4, now + 10s, now).ec);
    const stored_cursor before = kept;
    const cursor_outcome refused = move("b", 9, now + 60s, now + 9999ms);
    BOOST_TEST((refused.ec == errc::lease_lost));
    BOOST_TEST((refused.at == feed_position{3, 4}));
    BOOST_TEST((kept.owner == before.owner && kept.at == before.at));
    BOOST_TEST((move("b", {}, now + 60s, now + 10s).at == feed_position{3, 4}));  // expired
    BOOST_TEST((move("a", 5, now + 60s, now + 10s).ec == errc::lease_lost));
    BOOST_TEST(!move("b", 6, now + 10s, now + 10s).ec);  // lets it go
    BOOST_TEST((move("a", {}, now + 60s, now + 10s).at == feed_position{3, 6}));
}

BOOST_AUTO_TEST_CASE(a_cursor_of_a_clock_ahead_is_taken_by_its_end) {
    stored_cursor kept{{3, 4}, "a", now + 1h};
    commit_cursor what{"relay", "b", {}, now + 30s};
    const cursor_outcome refused = evaluate(kept, what, now);
    BOOST_TEST((refused.ec == errc::lease_lost));
    BOOST_TEST((refused.held_until == now + 1h));
    what.expired = now + 1h - 1ms;  // renewed since it was seen
    BOOST_TEST((evaluate(kept, what, now).ec == errc::lease_lost));
    what.expired = refused.held_until;
    BOOST_TEST(!evaluate(kept, what, now).ec);
    BOOST_TEST((kept.owner == "b" && kept.expires_at == now + 30s));
    // A lease that this clock may have given is waited for.
    kept = {{3, 4}, "a", now + 30s};
    what.expired = kept.expires_at;
    BOOST_TEST((evaluate(kept, what, now).ec == errc::lease_lost));
}

BOOST_AUTO_TEST_CASE(a_cursor_that_is_removed_stays_where_it_stood) {
    stored_cursor kept{{3, 4}, "a", now + 10s};
    commit_cursor what{"relay", "b", feed_position{3, 9}, now + 30s, {}, true};
    BOOST_TEST((evaluate(kept, what, now).ec == errc::lease_lost));
    what.owner = "a";
    const cursor_outcome gone = evaluate(kept, what, now);
    BOOST_TEST(!gone.ec);
    BOOST_TEST((gone.at == feed_position{3, 4}));
}

BOOST_AUTO_TEST_CASE(a_record_is_changed_by_version) {
    std::optional<record> kept;
    const auto change = [&](record_action action, std::uint64_t expected, std::uint64_t version) {
        return evaluate(kept, {action, "c", "k", expected, "v", now}, version);
    };
    BOOST_TEST((change(record_action::replace, 0, 7).ec == errc::not_found));
    BOOST_TEST((change(record_action::remove, 0, 7).ec == errc::not_found));
    BOOST_TEST(!kept.has_value());
    BOOST_TEST(!change(record_action::create, 0, 7).ec);
    BOOST_TEST((kept == record{"k", "v", 7, now}));
    const auto there = change(record_action::create, 0, 8);
    BOOST_TEST((there.ec == errc::already_exists && there.present == kept));
    const auto stale = change(record_action::replace, 6, 8);
    BOOST_TEST((stale.ec == errc::version_conflict && stale.present->version == 7));
    BOOST_TEST((change(record_action::remove, 8, 8).ec == errc::version_conflict));
    BOOST_TEST((change(record_action::replace, 7, 8).present->version == 8));
    const auto gone = change(record_action::remove, 8, 9);
    BOOST_TEST((!gone.ec && !gone.present && !kept));
}

BOOST_AUTO_TEST_CASE(the_end_of_a_prefix_is_behind_all_that_begin_with_it) {
    BOOST_TEST(end_of_prefix("ab").value() == "ac");
    BOOST_TEST(end_of_prefix("a\xff\xff").value() == "b");
    BOOST_TEST(!end_of_prefix("").has_value());
    BOOST_TEST(!end_of_prefix("\xff").has_value());
}

BOOST_AUTO_TEST_CASE(what_needs_a_capability_says_which) {
    storage_info info{"few"};
    info.capabilities = {capability::epochs};
    BOOST_TEST(require(info, {capability::epochs}, "it").has_value());
    BOOST_TEST(require(info, {}, "it").has_value());
    const auto refused = require(info, {capability::epochs, capability::records}, "it");
    BOOST_TEST((refused.error().code == errc::not_supported));
    BOOST_TEST(refused.error().detail ==
               "it needs a storage with records, which few does not have");
}

BOOST_AUTO_TEST_CASE(a_cursor_has_moved_when_its_place_is_another) {
    stored_cursor kept{{3, 0}, {}};
    BOOST_TEST(!evaluate(kept, {"relay", "a", {}, now + 10s}, now).ec);
    BOOST_TEST((kept.moved_at == now));
    BOOST_TEST(!evaluate(kept, {"relay", "a", feed_position{3, 0}, now + 20s}, now + 5s).ec);
    BOOST_TEST((kept.moved_at == now));
    BOOST_TEST(!evaluate(kept, {"relay", "a", feed_position{3, 1}, now + 20s}, now + 6s).ec);
    BOOST_TEST((kept.moved_at == now + 6s));
}

BOOST_AUTO_TEST_CASE(a_purge_is_bounded_by_time_and_cursors) {
    write_params params;
    params.now = now;
    params.forget_before = now - 3h;
    purge_orders what;
    what.before = now - 2h;
    what.hold_max = 24h;
    const std::vector<journal_epoch> epochs{{3, 1}, {4, 6}};
    std::vector<named_cursor> cursors;
    const auto bounds = [&] { return purge_bounds(what, params, cursors, epochs, 2, 9); };
    const auto passes = [&](timestamp at) { return bounds().passes(3, at); };
    BOOST_TEST((passes(now - 3h - 1ms) && !passes(now - 3h)));
    what.before = now - 4h;
    BOOST_TEST((passes(now - 4h - 1ms) && !passes(now - 4h)));
    what.before = params.forget_before = timestamp::max();
    BOOST_TEST((passes(now - 1ms) && !passes(now)));
    cursors = {{"still", {4, 8}, now - 24h - 1ms},
               {"lost", {3, 1}, now},
               {"elsewhere", {3, 7}, now},
               {"at the end", {4, 9}, now}};
    purge_bounds idle = bounds();
    BOOST_TEST(idle.passes(9, now - 24h - 1ms));
    BOOST_TEST(idle.passes(8, now - 24h));
    BOOST_TEST(!idle.passes(9, now - 24h));
    BOOST_TEST(idle.held_by() == "still");
    BOOST_TEST(!idle.passes(9, now));
    BOOST_TEST(idle.held_by().empty());  // it is too young for anybody
    cursors.push_back({"b", {3, 4}, now + 1h});
    cursors.push_back({"c", {3, 5}, now - 24h});
    purge_bounds held = bounds();
    BOOST_TEST(held.passes(4, now - 48h));
    BOOST_TEST(!held.passes(5, now - 48h));
    BOOST_TEST(held.held_by() == "b");
}

BOOST_AUTO_TEST_CASE(an_order_goes_with_its_latest_entry) {
    order it = order_builder{}.build();
    it.version = order_version{3};
    BOOST_TEST(!ends_with(&it, order_version{3}, order_version{3}));
    it.settled_at = now;
    BOOST_TEST(!ends_with(&it, order_version{2}, order_version{3}));
    BOOST_TEST(ends_with(&it, order_version{3}, order_version{3}));
    BOOST_TEST(!ends_with(nullptr, order_version{3}, order_version{4}));  // a later one deleted it
    BOOST_TEST(ends_with(nullptr, order_version{4}, order_version{4}));
}

BOOST_AUTO_TEST_CASE(a_page_ends_when_it_is_full_or_has_passed_over_enough) {
    const auto row = [](std::int64_t number, std::string_view user) {
        order it = order_builder{}.user(user).build();
        it.number = number;
        return it;
    };
    const auto at = [](const order& it) { return list_position{it.created_at, it.number}; };
    using verdict = list_window::verdict;
    list_params params;
    params.scope.user = "1";
    params.rows_max = 2;
    list_window full(params, 2);
    for (const std::int64_t number : {1, 2}) {
        const order it = row(number, "1");
        BOOST_TEST((full.judge(at(it), it) == verdict::show));
    }
    BOOST_TEST((full.judge(at(row(3, "2")), row(3, "2")) == verdict::pass));
    BOOST_TEST(!full.next());
    BOOST_TEST((full.judge(at(row(4, "1")), row(4, "1")) == verdict::stop));
    BOOST_TEST(full.shown() == 2U);
    BOOST_TEST_REQUIRE(full.next().has_value());
    BOOST_TEST(full.next()->number == 2);  // what it showed last
    list_window early(params, 2);
    BOOST_TEST((early.judge(at(row(1, "2")), row(1, "2")) == verdict::pass));
    BOOST_TEST((early.judge(at(row(2, "1")), row(2, "1")) == verdict::show));
    BOOST_TEST((early.judge(at(row(3, "2")), row(3, "2")) == verdict::pass));
    BOOST_TEST((early.judge(at(row(4, "2")), row(4, "2")) == verdict::stop));
    BOOST_TEST_REQUIRE(early.next().has_value());
    BOOST_TEST(early.next()->number == 3);  // what it looked at last
}

BOOST_AUTO_TEST_CASE(what_is_dated_after_now_is_told_from_what_is_only_young) {
    write_params params;
    params.now = now;
    params.forget_before = now - 72h;
    BOOST_TEST((ahead_of(params) == now + 72h));
    params.forget_before = timestamp::min();
    BOOST_TEST((ahead_of(params) == timestamp::max()));
}

BOOST_AUTO_TEST_CASE(a_list_shows_what_its_filters_say) {
    const order it = order_builder{}.user(7).status("PENDING").build();
    list_params all;
    BOOST_TEST(matches(it, all));
    all.scope.user = "7";
    BOOST_TEST(matches(it, all));
    all.scope.user = "8";
    BOOST_TEST(!matches(it, all));
    const std::vector<order_status> others{"FAILED", "COMPLETED"};
    const std::vector<order_status> among{"FAILED", "PENDING"};
    list_params some;
    some.statuses = others;
    BOOST_TEST(!matches(it, some));
    some.statuses = among;
    BOOST_TEST(matches(it, some));
}

BOOST_AUTO_TEST_CASE(a_position_is_judged_by_epoch_and_bounds) {
    const auto resets = [](feed_position after, std::uint64_t oldest, std::uint64_t newest) {
        const std::vector<journal_epoch> epochs{{3, 1}};
        feed_page page;
        page.oldest = {3, oldest};
        page.newest = {3, newest};
        judge_position(after, epochs, page);
        return page.reset;
    };
    BOOST_TEST(!resets({3, 0}, 0, 9));
    BOOST_TEST(!resets({0, 0}, 0, 9));  // the beginning, in any epoch
    BOOST_TEST(!resets({4, 0}, 0, 9));
    BOOST_TEST(!resets({3, 9}, 0, 9));
    BOOST_TEST(resets({3, 10}, 0, 9));
    BOOST_TEST(resets({3, ~std::uint64_t{0}}, 0, 9));
    BOOST_TEST(resets({2, 1}, 0, 9));
    BOOST_TEST(!resets({3, 5}, 5, 9));
    BOOST_TEST(resets({3, 4}, 5, 9));
    BOOST_TEST(resets({3, 0}, 5, 9));  // the beginning is gone
}

BOOST_AUTO_TEST_CASE(a_position_is_valid_within_its_epoch) {
    // 1 to 4; none; 5 to 9
    const std::vector<journal_epoch> epochs{{7, 1}, {3, 5}, {5, 5}};
    const auto resets = [&](feed_position after) {
        feed_page page;
        page.oldest = {7, 0};
        page.newest = {5, 9};
        judge_position(after, epochs, page);
        return page.reset;
    };
    for (std::uint64_t offset = 1; offset <= 12; ++offset) {
        BOOST_TEST_CONTEXT("offset " << offset) {
            BOOST_TEST(resets({7, offset}) == (offset > 4));
            BOOST_TEST(resets({3, offset}) == (offset != 4));  // the newest before it had any
            BOOST_TEST(resets({5, offset}) == (offset < 4 || offset > 9));
            BOOST_TEST(resets({6, offset}));
        }
    }
    for (const std::uint64_t epoch : {0, 3, 5, 6, 7}) BOOST_TEST(!resets({epoch, 0}));
    for (std::uint64_t offset = 0; offset <= 9; ++offset) {
        BOOST_TEST(epoch_at(epochs, offset) == (offset < 5 ? 7U : 5U));
    }
}

BOOST_AUTO_TEST_CASE(an_epoch_is_added_once) {
    std::vector<journal_epoch> epochs{{7, 1}};
    BOOST_TEST(add_epoch(epochs, 9, 4).has_value());
    BOOST_TEST((epochs == std::vector<journal_epoch>{{7, 1}, {9, 5}}));
    for (const std::uint64_t epoch : {0, 7, 9}) {
        const auto refused = add_epoch(epochs, epoch, 6);
        BOOST_TEST_REQUIRE(!refused.has_value());
        BOOST_TEST(refused.error().code == make_error_code(errc::invalid_argument));
    }
    BOOST_TEST(epochs.size() == 2U);
}
