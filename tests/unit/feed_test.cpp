// The live feed without threads: who gets which entries.

#include "feed_fixture.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;
using testing::fault;
using testing::fault_call;

namespace {

struct fixture : feed_place {
    // Live, from where the journal ends now.
    std::unique_ptr<subscriber> listen(feed_filter filter = {}) {
        return listen_after(newest(), std::move(filter));
    }
    std::unique_ptr<subscriber> listen_after(feed_position after, feed_filter filter = {},
                                             bool until_settled = false) {
        auto out = std::make_unique<subscriber>();
        out->subscribe(feed, {std::move(filter), after, until_settled});
        return out;
    }
    static feed_filter order(std::string_view id) { return {.orders = {id_of(id)}}; }
    static feed_filter user(std::int64_t id) { return {.scope = {.user = std::to_string(id)}}; }
    static feed_filter tenant(std::string name) { return {.scope = {.tenant = std::move(name)}}; }
    static feed_filter statuses(std::vector<order_status> those) {
        return {.statuses = std::move(those)};
    }
    static order_id id_of(std::string_view text) { return order_id::parse(text).value(); }
    void run() { feed_place::run(feed); }

    live_feed feed{orders, feed_reads, by_hand()};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(live, fixture)

BOOST_AUTO_TEST_CASE(without_a_position_it_starts_at_the_end_and_says_where) {
    create("A-1");
    subscriber all;
    all.subscribe(feed, {});
    create("A-2");
    run();
    BOOST_TEST(all.words() == "start 1-2");
    create("A-3");
    run();
    const auto parts = all.take();
    BOOST_REQUIRE(parts.size() == 1U);
    BOOST_TEST((parts[0].position == feed_position{1, 3}));
    BOOST_TEST(parts[0].entries.size() == 1U);
    BOOST_TEST(parts[0].entries[0].after.id.view() == "A-3");
    BOOST_TEST(parts[0].text.empty());
    BOOST_TEST((all.state == feed_state::open));
    all.subscription.reset();
    const auto empty_journal = make_memory_storage();
    engine others{*empty_journal, status_machine::standard(), orders.runtime(), engine_by_hand()};
    reader their_reads{*empty_journal};
    live_feed theirs{others, their_reads, by_hand()};
    subscriber first;
    first.subscribe(theirs, {});
    feed_place::run(theirs);
    BOOST_TEST(first.words() == "start 1-0");
}

BOOST_AUTO_TEST_CASE(filters_match_tenants) {
    order_rules rules;
    rules.tenants = true;
    const order_model model = order_model::build(rules).value();
    const auto stored = make_memory_storage();
    engine shops{*stored, status_machine::standard(), model, orders.runtime(), engine_by_hand()};
    reader reads{*stored};
    live_feed its_feed{shops, reads, by_hand()};
    feed_filter tenants_user = tenant("north");
    tenants_user.scope.user = "9";
    subscriber of_tenant, of_tenants_user;
    of_tenant.subscribe(its_feed, {tenant("north"), feed_position{1, 0}});
    of_tenants_user.subscribe(its_feed, {tenants_user, feed_position{1, 0}});
    for (const auto& [id, name, user] :
         {std::tuple("T-1", "north", 9), {"T-2", "south", 9}, {"T-3", "north", 8}}) {
        const auto it = testing::order_builder{}.id(id).tenant(name).user(user);
        BOOST_REQUIRE(!shops.execute(it.submit()).ec);
    }
    feed_place::run(its_feed);
    BOOST_TEST(of_tenant.words() == "create T-1, create T-3");
    BOOST_TEST(of_tenants_user.words() == "create T-1");
}

BOOST_AUTO_TEST_CASE(filters_match_orders_users_statuses_and_events) {
    const auto of_order = listen(order("A-2"));
    const auto of_orders = listen({.orders = {id_of("A-2"), id_of("A-1"), id_of("A-2")}});
    const auto of_user = listen(user(7));
    const auto of_status = listen(statuses({"PROCESSING", "CANCELLED", "PROCESSING"}));
    feed_filter both = user(7);
    both.statuses = {"CANCELLED"};
    const auto of_both = listen(both);
    const auto of_events = listen({.events = {"delete", "cancel"}});
    run();
    create("A-1", 7);
    create("A-2", 8);
    raise("A-1", "cancel");
    raise("A-2", "cancel");
    erase("A-1");
    run();
    BOOST_TEST(of_order->words() == "create A-2, cancel A-2");
    BOOST_TEST(of_orders->words() == "create A-1, create A-2, cancel A-1, cancel A-2, delete A-1");
    BOOST_TEST(of_user->words() == "create A-1, cancel A-1, delete A-1");
    BOOST_TEST(of_status->words() == "cancel A-1, cancel A-2");
    BOOST_TEST(of_both->words() == "cancel A-1");
    BOOST_TEST(of_events->words() == "cancel A-1, cancel A-2, delete A-1");
    // The same from the beginning.
    const auto later = listen_after({}, {.orders = {id_of("A-2"), id_of("A-1")}});
    run();
    BOOST_TEST(later->words() == "create A-1, create A-2, cancel A-1, cancel A-2, delete A-1");
}

BOOST_AUTO_TEST_CASE(nobody_is_called_for_what_he_does_not_want) {
    const auto other = listen(user(99));
    const auto all = listen();
    run();
    all->calls = other->calls = 0;
    for (int i = 0; i < 3; ++i) create("A-" + std::to_string(i));
    run();
    BOOST_TEST(other->calls == 0);
    BOOST_TEST(all->calls == 1);  // once for the page
    BOOST_TEST(other->take().empty());
    const auto parts = all->take();
    BOOST_REQUIRE(parts.size() == 1U);
    BOOST_TEST(parts[0].entries.size() == 3U);
}

BOOST_AUTO_TEST_CASE(one_read_serves_all_and_they_share_what_was_read) {
    const auto reads_for = [&](int count) {
        std::vector<std::unique_ptr<subscriber>> all;
        for (int i = 0; i < count; ++i) all.push_back(listen());
        run();
        const std::size_t before = store.calls(fault_call::read);
        for (int i = 0; i < 10; ++i) {
            create("A-" + std::to_string(count) + "-" + std::to_string(i));
        }
        run();
        const std::size_t reads = store.calls(fault_call::read) - before;
        const auto first = all.front()->take();
        BOOST_TEST(first.size() > 1U);
        for (std::size_t i = 1; i < all.size(); ++i) {
            const auto same = all[i]->take();
            BOOST_REQUIRE(same.size() == first.size());
            for (std::size_t k = 0; k < same.size(); ++k) {
                BOOST_TEST(same[k].entries.data() == first[k].entries.data());
            }
        }
        BOOST_TEST(first.back().entries.back().after.id.view().ends_with("-9"));
        return reads;
    };
    const std::size_t alone = reads_for(1);
    BOOST_TEST(alone > 0U);
    BOOST_TEST(reads_for(50) == alone);
}

BOOST_AUTO_TEST_CASE(an_entry_for_several_is_shared_and_keeps_no_others) {
    const auto one = listen(user(1));
    const auto two = listen(statuses({"PENDING"}));
    run();
    create("A-1");
    create("A-2");
    run();
    const auto first = one->take();
    const auto second = two->take();
    BOOST_REQUIRE(first.size() == 2U);
    BOOST_REQUIRE(second.size() == 2U);
    BOOST_TEST(first[1].entries.data() == second[1].entries.data());
    BOOST_TEST(first[0].owner != first[1].owner);
    BOOST_TEST(first[0].size >= sizeof(journal_entry));
}

BOOST_AUTO_TEST_CASE(the_beginning_in_steps_then_the_rest_without_gap_or_repeat) {
    for (int i = 0; i < 10; ++i) create("A-" + std::to_string(i));
    const auto all = listen_after({});
    const auto live = listen();
    // More comes while it catches up.
    std::string seen, seen_live;
    const auto look = [&] {
        for (auto [who, to] : {std::pair(all.get(), &seen), std::pair(live.get(), &seen_live)}) {
            const std::string more = who->words();
            if (!more.empty()) *to += (to->empty() ? "" : ", ") + more;
        }
    };
    for (int i = 0; i < 30; ++i) {
        (void)feed.run_once();
        look();
        if (i % 2 == 0 && i < 20) create("B-" + std::to_string(i));
    }
    run();
    look();
    std::string expected;
    for (int i = 0; i < 10; ++i) expected += (i ? ", create A-" : "create A-") + std::to_string(i);
    std::string more;
    for (int i = 0; i < 20; i += 2) more += ", create B-" + std::to_string(i);
    BOOST_TEST(seen == expected + more);
    BOOST_TEST(seen_live == more.substr(2));
    create("C");
    run();
    BOOST_TEST(all->words() == "create C");
}

BOOST_AUTO_TEST_CASE(who_joins_does_not_get_what_the_others_have_not_got_yet) {
    const auto first = listen();
    run();
    for (int i = 0; i < 6; ++i) create("A-" + std::to_string(i), 7);  // more than a page
    const auto second = listen();
    const auto of_user = listen(user(7));
    (void)feed.run_once();
    create("B", 7);
    run();
    BOOST_TEST(first->words().ends_with("create A-4, create A-5, create B"));
    BOOST_TEST(second->words() == "create B");
    BOOST_TEST(of_user->words() == "create B");
}

BOOST_AUTO_TEST_CASE(who_comes_again_continues_after_what_it_saw) {
    for (int i = 0; i < 5; ++i) create("A-" + std::to_string(i), 10 + i % 2);
    auto first = listen_after({}, user(10));
    run();
    BOOST_TEST(first->words() == "create A-0, create A-2, create A-4");
    const feed_position seen = first->at;
    first.reset();
    BOOST_TEST(feed.subscriptions() == 0U);
    create("A-5", 11);
    create("A-6", 10);
    raise("A-2", "cancel");
    const auto second = listen_after(seen, user(10));
    const auto of_one = listen_after(seen, order("A-2"));
    run();
    BOOST_TEST(second->words() == "create A-6, cancel A-2");
    BOOST_TEST(of_one->words() == "cancel A-2");
}

BOOST_AUTO_TEST_CASE(a_position_that_is_not_in_the_journal_is_a_reset) {
    create("A-1");
    create("A-2");
    for (const bool others : {false, true}) {
        const auto other = others ? listen() : nullptr;
        run();
        for (const feed_position at : {feed_position{7, 1}, feed_position{1, 99}}) {
            const auto all = listen_after(at);
            const auto one = listen_after(at, order("A-2"));
            run();
            BOOST_TEST(all->words() == "reset 1-0, create A-1, create A-2");
            BOOST_TEST(one->words() == "reset 1-0, create A-2");
        }
    }
}

BOOST_AUTO_TEST_CASE(a_subscription_ends_when_its_order_is_settled) {
    create("A-1");
    const auto one = listen_after({}, order("A-1"), true);
    run();
    BOOST_TEST(one->words() == "create A-1");
    BOOST_TEST((one->state == feed_state::open));
    raise("A-1", "cancel");
    create("A-2");
    run();
    BOOST_TEST(one->words() == "cancel A-1");
    BOOST_TEST((one->state == feed_state::ended));
    // From the beginning once more: it is over at once.
    const auto late = listen_after({}, order("A-1"), true);
    run();
    const auto first = late->take(1);
    BOOST_TEST(first.size() == 1U);
    BOOST_TEST((late->state == feed_state::open));  // not everything was taken
    BOOST_TEST(late->words() == "cancel A-1");
    BOOST_TEST((late->state == feed_state::ended));
}

BOOST_AUTO_TEST_CASE(a_subscription_ends_also_when_its_filter_hides_the_end) {
    create("A-1");
    feed_filter creations = order("A-1");
    creations.events = {"create"};
    const auto one = listen_after({}, creations, true);
    run();
    BOOST_TEST(one->words() == "create A-1");
    raise("A-1", "cancel");
    run();
    BOOST_TEST(one->words() == "");
    BOOST_TEST((one->state == feed_state::ended));
}

BOOST_AUTO_TEST_CASE(a_settled_order_that_was_retried_goes_on) {
    create("A-1");
    claim take;
    take.stage = &orders.machine().stages()[0];
    take.worker_id = "w";
    take.expires_at = time.now() + std::chrono::minutes(1);
    take.limit = 1;
    struct : claim_completion {
        void complete(error_code, claim_outcome& it) noexcept override { got = std::move(it); }
        claim_outcome got;
    } claimed;
    BOOST_REQUIRE(orders.submit(take, claimed).has_value());
    BOOST_REQUIRE(orders.run_once().has_value());
    change failing;
    failing.order = "A-1";
    failing.event = "fail";
    failing.action = transition_order{"FAILED", "no", false, {}, {}, {}, {}, true};
    failing.lease = claimed.got.orders.at(0).lease;
    struct : completion {
        void complete(change_outcome& it) noexcept override { ec = it.ec; }
        error_code ec;
    } done;
    BOOST_REQUIRE(orders.submit(failing, done).has_value());
    BOOST_REQUIRE(orders.run_once().has_value());
    BOOST_REQUIRE(!done.ec);
    raise("A-1", "retry");
    const auto one = listen_after({}, order("A-1"), true);
    run();
    BOOST_TEST(one->words() == "create A-1, start A-1, fail A-1, retry A-1");
    BOOST_TEST((one->state == feed_state::open));
    erase("A-1");
    run();
    BOOST_TEST(one->words() == "delete A-1");
    BOOST_TEST((one->state == feed_state::ended));
}

BOOST_AUTO_TEST_CASE(a_subscription_ends_when_its_order_was_purged) {
    create("A-1");
    create("A-2");
    const auto seen = listen_after({1, 1}, order("A-1"), true);
    const auto open = listen_after({1, 1}, order("A-2"), true);
    run();
    BOOST_TEST(open->words() == "create A-2");
    raise("A-1", "cancel");
    purge();
    // The last entry that the first one was given is gone, and what came after it as well.
    const auto again = listen_after({1, 1}, order("A-1"), true);
    const auto all = listen_after({}, order("A-1"), true);
    const auto still = listen_after({1, 1}, order("A-2"), true);
    const auto later = listen_after(newest(), order("A-3"), true);
    run();
    for (const auto* it : {&again, &all}) {
        BOOST_TEST((*it)->words() == "reset 1-3");
        BOOST_TEST(((*it)->state == feed_state::ended));
    }
    BOOST_TEST(still->words() == "create A-2");
    create("A-3");
    for (const char* id : {"A-2", "A-3"}) raise(id, "cancel");
    run();
    BOOST_TEST(open->words() == "reset 1-3, cancel A-2");
    BOOST_TEST(still->words() == "cancel A-2");
    BOOST_TEST(later->words() == "create A-3, cancel A-3");
    for (const auto* it : {&seen, &open, &still, &later}) {
        (void)(*it)->take();
        BOOST_TEST(((*it)->state == feed_state::ended));
    }
}

BOOST_AUTO_TEST_CASE(a_slow_subscriber_is_dropped_and_the_others_are_not) {
    live_feed_options narrow = by_hand();
    narrow.buffer_max = 16 * 1024;
    live_feed tight{orders, feed_reads, narrow};
    subscriber slow, slow_too, quick;
    slow.subscribe(tight, {{}, newest(), false});
    slow_too.subscribe(tight, {user(1), newest(), false});
    quick.subscribe(tight, {{}, newest(), false});
    feed_place::run(tight);
    for (int i = 0; i < 60; ++i) {
        create("A-" + std::to_string(i));
        feed_place::run(tight);
        BOOST_TEST(quick.words() == "create A-" + std::to_string(i));
    }
    for (subscriber* it : {&slow, &slow_too}) {
        BOOST_TEST(it->take().empty());
        BOOST_TEST((it->state == feed_state::dropped));
    }
    BOOST_TEST((quick.state == feed_state::open));
}

BOOST_AUTO_TEST_CASE(who_is_behind_is_given_no_more_than_it_takes) {
    for (int i = 0; i < 1000; ++i) create("A-" + std::to_string(i));
    live_feed_options wide = by_hand();
    wide.buffer_max = 16 * 64 * 1024;
    live_feed roomy{orders, feed_reads, wide};
    subscriber behind;
    behind.subscribe(roomy, {.after = feed_position{}});
    feed_place::run(roomy);
    std::size_t waiting = 0, count = 0;
    for (const feed_part& it : behind.take()) {
        waiting += it.size;
        count += it.entries.size();
    }
    BOOST_TEST(waiting > 64U * 1024);
    BOOST_TEST(waiting < 72U * 1024);
    for (bool more = true; more;) {
        feed_place::run(roomy);
        const auto parts = behind.take(1);  // one at a time
        more = !parts.empty();
        for (const feed_part& it : parts) count += it.entries.size();
    }
    BOOST_TEST(count == 1000U);
    BOOST_TEST((behind.state == feed_state::open));
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_is_asked_again) {
    const auto all = listen();
    run();
    create("A-1");
    store.next(fault_call::read, fault::unavailable);
    BOOST_TEST(!feed.run_once());
    BOOST_TEST(errors.count == 1);
    BOOST_TEST((feed.next_due() == time.monotonic() + live_feed_options{}.retry));
    store.next(fault_call::read, fault::throws);
    BOOST_CHECK_THROW((void)feed.run_once(), std::bad_alloc);
    BOOST_TEST((feed.next_due() == time.monotonic() + live_feed_options{}.retry));
    run();
    BOOST_TEST(all->words() == "create A-1");
}

BOOST_AUTO_TEST_CASE(they_come_and_go) {
    for (int round = 0; round < 3; ++round) {
        std::vector<std::unique_ptr<subscriber>> some;
        for (int i = 0; i < 20; ++i) {
            some.push_back(i % 4 == 0   ? listen()
                           : i % 4 == 1 ? listen(user(i))
                           : i % 4 == 2 ? listen(order("A-" + std::to_string(i)))
                                        : listen(statuses({"PENDING", "FAILED"})));
            if (i % 3 == 0) (void)feed.run_once();
        }
        BOOST_TEST(feed.subscriptions() == 20U);
        create("R-" + std::to_string(round), 5);
        run();
        for (std::size_t i = 0; i < some.size(); ++i) {
            const bool sees = i % 4 == 0 || i % 4 == 3 || i == 5;
            BOOST_TEST(some[i]->words() == (sees ? "create R-" + std::to_string(round) : ""));
        }
        while (!some.empty()) some.erase(some.begin() + (some.size() > 1 ? 1 : 0));
        BOOST_TEST(feed.subscriptions() == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
