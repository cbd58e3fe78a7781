// The live feed without sockets or threads: who gets which entries.

#include "live/live_feed.hpp"

#include "api_fixture.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/fault_storage.hpp>

#include <memory>
#include <string>
#include <tuple>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

// What a connection does, by hand.
class listener final : public http::stream_exchange {
public:
    explicit listener(std::unique_ptr<http::body_source> source) : source_(std::move(source)) {
        source_->start(*this);
    }
    void wake() noexcept override { ++wakes; }

    // All that is there, without the first block.
    std::string take() {
        std::vector<http::piece> got;
        std::string out;
        do {
            got.clear();
            state = source_->take(got, 1 << 16, 60);
            for (const http::piece& it : got) out += it.bytes;
        } while (!got.empty());
        return out;
    }
    // "create A-1, start A-1": what happened to whom.
    std::string events() {
        std::string out;
        const std::string text = take();
        for (auto at = text.find("\ndata: "); at != text.npos; at = text.find("\ndata: ", at + 1)) {
            const auto field = [&](std::string_view name) {
                const auto begin = text.find(name, at) + name.size();
                return text.substr(begin, text.find('"', begin) - begin);
            };
            if (!out.empty()) out += ", ";
            out += field(R"("event":")") + ' ' + field(R"("order_id":")");
        }
        return out;
    }
    std::string last_id() {
        const std::string text = take();
        const auto at = text.rfind("id: ");
        return text.substr(at + 4, text.find('\n', at) - at - 4);
    }

    int wakes = 0;
    http::body_source::state state = http::body_source::state::open;

private:
    std::unique_ptr<http::body_source> source_;
};

using state = http::body_source::state;

struct fixture : api_fixture {
    static live_feed_options by_hand_feed() {
        live_feed_options out;
        out.thread = false;
        out.page_size = 4;
        out.step_size = 3;
        out.buffer_max = 8 * 1024;
        return out;
    }

    feed_position newest() {
        feed_params params;
        params.limit = 0;
        return direct.use([&](repository_reader& from) { return from.read_feed(params); })
            .value()
            .newest;
    }
    std::unique_ptr<listener> listen(event_filter filter = {}, bool until_settled = false) {
        return std::make_unique<listener>(
            feed.subscribe({std::move(filter), newest(), true, until_settled}));
    }
    std::unique_ptr<listener> listen_after(feed_position after, event_filter filter = {},
                                           bool until_settled = false) {
        return std::make_unique<listener>(
            feed.subscribe({std::move(filter), after, false, until_settled}));
    }
    static event_filter order(std::string id) {
        event_filter out;
        out.order = std::move(id);
        return out;
    }
    static event_filter user(std::int64_t id) {
        event_filter out;
        out.scope.user = std::to_string(id);
        return out;
    }
    static event_filter tenant(std::string name) {
        event_filter out;
        out.scope.tenant = std::move(name);
        return out;
    }
    static event_filter statuses(std::vector<order_status> those) {
        event_filter out;
        out.statuses = std::move(those);
        return out;
    }
    void run() {
        while (feed.run_once()) {
        }
    }

    reader feed_reads{store, 1};
    live_feed feed{orders, feed_reads, by_hand_feed()};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(live, fixture)

BOOST_AUTO_TEST_CASE(who_starts_now_sees_what_comes) {
    create("A-1");
    const auto all = listen();
    run();
    BOOST_TEST(all->take() == "retry: 3000\nid: 1-1\n\n");
    create("A-2");
    run();
    const std::string text = all->take();
    BOOST_TEST(text.starts_with("id: 1-2\ndata: {\"specversion\":\"1.0\",\"id\":\"1-2\","));
    BOOST_TEST(text.ends_with("}}\n\n"));
    BOOST_TEST(text.find("event: ") == text.npos);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 3);
}

BOOST_AUTO_TEST_CASE(an_event_is_one_line_whatever_was_sent) {
    const auto all = listen();
    ask("POST", "/orders",
        "{\"order_id\":\"A-1\",\"user_id\":1,\"item_ids\":[1],\"total_amount\":1,\n"
        "\"metadata\":{\r\n \"note\":\"a\\nb\",\n\n\"id\": \"7\"}}");
    run();
    const std::string text = all->take();
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 3 + 3);
    BOOST_TEST(std::count(text.begin(), text.end(), '\r') == 0);
}

BOOST_AUTO_TEST_CASE(filters_match_orders_users_and_statuses_moved_to) {
    const auto of_order = listen(order("A-2"));
    const auto of_user = listen(user(7));
    const auto of_status = listen(statuses({"CANCELLED", "PROCESSING"}));
    event_filter both = user(7);
    both.statuses = {"CANCELLED"};
    const auto of_both = listen(both);
    const auto of_tenant = listen(tenant("north"));
    event_filter tenants_user = tenant("north");
    tenants_user.scope.user = "9";
    const auto of_tenants_user = listen(tenants_user);
    run();
    for (const auto& [id, name, user] :
         {std::tuple("T-1", "north", 9), {"T-2", "south", 9}, {"T-3", "north", 8}}) {
        const auto it = orderproc::testing::order_builder{}.id(id).tenant(name).user(user);
        BOOST_REQUIRE(!orders.execute(it.submit()).ec);
    }
    run();
    BOOST_TEST(of_tenant->events() == "create T-1, create T-3");
    BOOST_TEST(of_tenants_user->events() == "create T-1");
    create("A-1", 7);
    create("A-2", 8);
    raise("A-1", "cancel");
    raise("A-2", "cancel");
    (void)orders.execute({erase_order{"A-1"}, {}, {}, {}, "", ""});
    run();
    BOOST_TEST(of_order->events() == "create A-2, cancel A-2");
    BOOST_TEST(of_user->events() == "create A-1, cancel A-1, delete A-1");
    BOOST_TEST(of_status->events() == "cancel A-1, cancel A-2");
    BOOST_TEST(of_both->events() == "cancel A-1");
}

BOOST_AUTO_TEST_CASE(nobody_is_woken_for_what_he_does_not_want) {
    const auto other = listen(user(99));
    const auto all = listen();
    run();
    (void)all->take();
    (void)other->take();
    all->wakes = other->wakes = 0;
    for (int i = 0; i < 3; ++i) create("A-" + std::to_string(i));
    run();
    BOOST_TEST(other->wakes == 0);
    BOOST_TEST(all->wakes == 1);  // once for the page
    BOOST_TEST(other->take().empty());
}

BOOST_AUTO_TEST_CASE(one_read_serves_all_who_listen) {
    const auto reads_for = [&](int listeners) {
        orderproc::testing::fault_storage counted(store);
        reader of_feed(counted, 1);
        live_feed one(orders, of_feed, by_hand_feed());
        std::vector<std::unique_ptr<listener>> all;
        for (int i = 0; i < listeners; ++i) {
            all.push_back(std::make_unique<listener>(one.subscribe({{}, newest(), true, false})));
        }
        while (one.run_once()) {
        }
        const std::size_t before = counted.calls(orderproc::testing::fault_call::read);
        for (int i = 0; i < 10; ++i) {
            create("A-" + std::to_string(listeners) + "-" + std::to_string(i));
        }
        while (one.run_once()) {
        }
        const std::string seen = all.front()->events();
        for (const auto& it : all) BOOST_TEST((it == all.front() || it->events() == seen));
        BOOST_TEST(seen.ends_with("-9"));
        return counted.calls(orderproc::testing::fault_call::read) - before;
    };
    const std::size_t alone = reads_for(1);
    BOOST_TEST(alone > 0U);
    BOOST_TEST(reads_for(50) == alone);
}

BOOST_AUTO_TEST_CASE(the_beginning_in_steps_then_the_rest_without_gap_or_repeat) {
    for (int i = 0; i < 10; ++i) create("A-" + std::to_string(i));
    const auto all = listen_after({});
    const auto live = listen();
    // More comes while it catches up.
    std::string seen, seen_live;
    const auto look = [&] {
        for (auto [who, to] : {std::pair(all.get(), &seen), std::pair(live.get(), &seen_live)}) {
            const std::string more = who->events();
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
    BOOST_TEST(all->events() == "create C");
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
    BOOST_TEST(first->events().ends_with("create A-4, create A-5, create B"));
    BOOST_TEST(second->events() == "create B");
    BOOST_TEST(of_user->events() == "create B");
}

BOOST_AUTO_TEST_CASE(who_comes_again_goes_on_behind_what_it_saw) {
    for (int i = 0; i < 5; ++i) create("A-" + std::to_string(i), 10 + i % 2);
    auto first = listen_after({}, user(10));
    run();
    const auto seen = parse_feed_position(first->last_id());
    BOOST_REQUIRE(seen.has_value());
    first.reset();
    BOOST_TEST(feed.clients() == 0U);
    create("A-5", 11);
    create("A-6", 10);
    raise("A-2", "cancel");
    const auto second = listen_after(*seen, user(10));
    const auto of_one = listen_after(*seen, order("A-2"));
    run();
    BOOST_TEST(second->events() == "create A-6, cancel A-2");
    BOOST_TEST(of_one->events() == "cancel A-2");
}

BOOST_AUTO_TEST_CASE(a_position_that_there_is_not_is_a_reset) {
    create("A-1");
    create("A-2");
    for (const feed_position at : {feed_position{7, 1}, feed_position{1, 99}}) {
        for (const event_filter& filter : {event_filter{}, order("A-2")}) {
            const auto lost = listen_after(at, filter);
            run();
            const std::string text = lost->take();
            const std::string reset = "event: reset\nid: 1-0\ndata: {\"position\":\"1-0\"}\n\n";
            BOOST_TEST(text.starts_with("retry: 3000\n\n" + reset));
            BOOST_TEST(text.find("reset", 13 + reset.size()) == text.npos);
            BOOST_TEST(text.find("\"order_id\":\"A-2\"") != text.npos);
            BOOST_TEST((text.find("\"order_id\":\"A-1\"") != text.npos) == filter.everything());
        }
    }
}

BOOST_AUTO_TEST_CASE(the_stream_of_an_order_ends_when_it_is_settled) {
    create("A-1");
    const auto one = listen_after({}, order("A-1"), true);
    run();
    BOOST_TEST(one->events() == "create A-1");
    BOOST_TEST((one->state == state::open));
    raise("A-1", "cancel");
    create("A-2");
    run();
    BOOST_TEST(one->events() == "cancel A-1");
    BOOST_TEST((one->state == state::ended));
    // From the beginning once more: it is over at once.
    const auto late = listen_after({}, order("A-1"), true);
    run();
    BOOST_TEST(late->events() == "create A-1, cancel A-1");
    BOOST_TEST((late->state == state::ended));
}

BOOST_AUTO_TEST_CASE(a_settled_order_that_was_retried_goes_on) {
    create("A-1");
    const claimed_order claimed = claim_one();
    change failing;
    failing.order = "A-1";
    failing.event = "fail";
    failing.action = transition_order{"FAILED", "no", false, {}, {}, {}, {}, true};
    failing.lease = claimed.lease;
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
    BOOST_TEST(one->events() == "create A-1, start A-1, fail A-1, retry A-1");
    BOOST_TEST((one->state == state::open));
    (void)orders.execute({erase_order{"A-1"}, {}, {}, {}, "", ""});
    run();
    BOOST_TEST(one->events() == "delete A-1");
    BOOST_TEST((one->state == state::ended));
}

BOOST_AUTO_TEST_CASE(a_slow_reader_is_dropped_and_the_others_are_not) {
    const auto slow = listen();
    const auto slow_too = listen(user(123));
    const auto quick = listen();
    run();
    (void)quick->take();
    for (int i = 0; i < 40; ++i) {
        create("A-" + std::to_string(i));
        run();
        BOOST_TEST(quick->events() == "create A-" + std::to_string(i));
    }
    BOOST_TEST(slow->take().empty());
    BOOST_TEST((slow->state == state::failed));
    BOOST_TEST(slow_too->take().empty());
    BOOST_TEST((slow_too->state == state::failed));
    BOOST_TEST((quick->state == state::open));
}

BOOST_AUTO_TEST_CASE(who_is_behind_is_given_no_more_than_it_takes) {
    for (int i = 0; i < 1000; ++i) create("A-" + std::to_string(i));
    const auto behind = listen_after({});
    run();
    const std::string first = behind->take();
    BOOST_TEST(first.size() > 200U * 1024);
    BOOST_TEST(first.size() < 300U * 1024);
    std::string all = first;
    for (std::string more; run(), !(more = behind->take()).empty();) all += more;
    std::size_t count = 0;
    for (auto at = all.find("\ndata: "); at != all.npos; at = all.find("\ndata: ", at + 1)) ++count;
    BOOST_TEST(count == 1000U);
    BOOST_TEST((behind->state == state::open));
}

BOOST_AUTO_TEST_CASE(a_storage_that_fails_is_asked_again) {
    const auto all = listen();
    run();
    (void)all->take();
    create("A-1");
    (void)feed_reads.use([](repository_reader&) { return result<void>(errc::unavailable); });
    store.now = moody_storage::mood::unavailable;
    BOOST_TEST(!feed.run_once());
    BOOST_TEST(!errors.texts.empty());
    store.now = moody_storage::mood::well;
    run();
    BOOST_TEST(all->events() == "create A-1");
}

BOOST_AUTO_TEST_CASE(they_come_and_go) {
    for (int round = 0; round < 3; ++round) {
        std::vector<std::unique_ptr<listener>> some;
        for (int i = 0; i < 20; ++i) {
            some.push_back(i % 4 == 0   ? listen()
                           : i % 4 == 1 ? listen(user(i))
                           : i % 4 == 2 ? listen(order("A-" + std::to_string(i)))
                                        : listen(statuses({"PENDING", "FAILED"})));
            if (i % 3 == 0) (void)feed.run_once();
        }
        BOOST_TEST(feed.clients() == 20U);
        create("R-" + std::to_string(round), 5);
        run();
        for (std::size_t i = 0; i < some.size(); ++i) {
            const bool sees = i % 4 == 0 || i % 4 == 3 || i == 5;
            BOOST_TEST(some[i]->events() == (sees ? "create R-" + std::to_string(round) : ""));
        }
        while (!some.empty()) some.erase(some.begin() + (some.size() > 1 ? 1 : 0));
        BOOST_TEST(feed.clients() == 0U);
    }
}

BOOST_AUTO_TEST_SUITE_END()
