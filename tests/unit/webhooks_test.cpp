// What endpoints are told, and in which order: in one thread on a manual clock.

#include "webhook_fixture.hpp"

#include <orderproc/runnable.hpp>
#include <orderproc/testing/fault_storage.hpp>

#include <algorithm>

using namespace orderproc;
using namespace shop_test;
using boost::test_tools::per_element;

static_assert(runnable<webhook_sender>);

namespace {

using texts_t = std::vector<std::string>;

// A draft that nothing else says anything about.
webhook_draft draft_of(std::string url = "https://example.test/a") {
    webhook_draft out;
    out.url = std::move(url);
    return out;
}

bool contains(std::string_view text, std::string_view what) {
    return text.find(what) != text.npos;
}

// So that a refusal hits nothing but what it is meant for.
engine_options one_a_write(engine_options from) {
    from.batch_max = 1;
    return from;
}

// A sender on a storage that refuses what it is told to.
struct shaky_room : webhook_room {
    shaky_room() {
        faulty.on_call([this](const testing::fault_site& site) {
            if (!site.write) return;
            const auto& all = site.write->records;
            const bool parks = std::any_of(all.begin(), all.end(), [](const change_record& one) {
                return one.collection == "webhook_parked";
            });
            if ((refuses_parked && parks) || (refuses_cursors && !site.write->cursors.empty())) {
                faulty.next(testing::fault_call::write, testing::fault::unavailable);
            }
        });
    }
    void turns(milliseconds total) {
        for (milliseconds done{0}; done < total; done += 100ms) {
            time.advance(100ms);
            for (int i = 0; i < 20; ++i) {
                (void)shaky.run_once();
                (void)it.run_once();
            }
        }
    }

    testing::fault_storage faulty{*orders};
    bool refuses_parked = false, refuses_cursors = false;
    engine shaky{faulty, status_machine::standard(), {time, random, watch}, one_a_write(by_hand)};
    reader shaky_reads{faulty};
    webhook_sender it{shaky, shaky_reads, post, quiet()};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(a_webhook_sender, webhook_room)

BOOST_AUTO_TEST_CASE(tells_of_each_change_and_signs_it) {
    const auto made = endpoint();
    create("A", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    raise("A", "cancel");
    const auto it = sender();
    BOOST_TEST(settle({it.get()}).delivered == 2U);
    BOOST_TEST(post.texts_of() == (texts_t{"A create 1", "A cancel 2"}), per_element());
    const auto& first = post.came[0];
    BOOST_TEST(first.what.url == "https://example.test/a");
    BOOST_TEST(first.field("webhook-id") == "1-1." + made.endpoint.id);
    BOOST_TEST(first.field("content-type") == "application/cloudevents+json");
    BOOST_TEST(contains(first.field("traceparent"), "0af7651916cd43dd8448eb211c80319c"));
    const auto secret = webhook_secret::parse(made.secret).value();
    BOOST_TEST(verify_webhook(secret,
                              {first.field("webhook-id"), first.field("webhook-timestamp"),
                               first.field("webhook-signature")},
                              first.what.body, time.now()));
    BOOST_TEST(contains(first.what.body, R"("type":"orderproc.order.create.v1")"));
    BOOST_TEST(contains(first.what.body, R"("total_amount":)"));
    pass(1s, {it.get()});
    BOOST_TEST(stands(made.endpoint.id) == 2U);
    BOOST_TEST(watch.errors.empty());
}

BOOST_AUTO_TEST_CASE(begins_now_or_at_a_time) {
    create("A");
    time.advance(1min);
    const timestamp then = time.now();
    create("B");
    const auto now = endpoint(draft_of("https://example.test/now"));
    const auto since = endpoint(draft_of("https://example.test/since"), then);
    const auto all = endpoint(draft_of("https://example.test/all"), timestamp{});
    create("C");
    const auto it = sender();
    settle({it.get()});
    BOOST_TEST(post.texts_of(now.endpoint.id) == (texts_t{"C create 1"}), per_element());
    BOOST_TEST(post.texts_of(since.endpoint.id) == (texts_t{"B create 1", "C create 1"}),
               per_element());
    BOOST_TEST(post.texts_of(all.endpoint.id).size() == 3U);
}

BOOST_AUTO_TEST_CASE(tells_of_what_an_endpoint_asks_for) {
    webhook_draft draft = draft_of();
    draft.events = {"cancel"};
    const auto events = endpoint(draft);
    draft = draft_of();
    draft.statuses = {order_status("PENDING")};
    const auto statuses = endpoint(draft);
    draft = draft_of();
    draft.scope.user = "2";
    const auto user = endpoint(draft);
    create("A");
    raise("A", "cancel");
    const auto it = sender();
    settle({it.get()});
    BOOST_TEST(post.texts_of(events.endpoint.id) == (texts_t{"A cancel 2"}), per_element());
    BOOST_TEST(post.texts_of(statuses.endpoint.id) == (texts_t{"A create 1"}), per_element());
    BOOST_TEST(post.texts_of(user.endpoint.id).empty());
    pass(10s, {it.get()});  // the cursor of one that is told of nothing moves as well
    BOOST_TEST(stands(user.endpoint.id) == 2U);
}

BOOST_AUTO_TEST_CASE(tells_a_reference_nothing_personal) {
    webhook_draft draft = draft_of();
    draft.content = webhook_content::reference;
    endpoint(draft);
    create("A");
    raise("A", "cancel");
    const auto it = sender();
    settle({it.get()});
    BOOST_REQUIRE(post.came.size() == 2U);
    BOOST_TEST(post.came[1].what.body ==
               R"({"specversion":"1.0","id":"1-2","source":"/orderproc",)"
               R"("type":"orderproc.order.cancel.v1","subject":"A",)"
               R"("time":"2026-06-15T00:00:00.000Z","datacontenttype":"application/json",)"
               R"("data":{"order_id":"A","event":"cancel","from":"PENDING","to":"CANCELLED",)"
               R"("version":2}})");
}

BOOST_AUTO_TEST_CASE(hides_from_somebody_confined_why_something_happened) {
    webhook_draft draft = draft_of();
    draft.scope.user = "1";
    endpoint(draft, {}, order_scope{"1", {}});
    endpoint(draft_of("https://example.test/other"), {}, order_scope{"2", {}});
    create("A");
    BOOST_REQUIRE(!front.execute({raise_event{"A", "cancel", "fraud"}, {}, {}, {}, "", ""}).ec);
    const auto it = sender();
    settle({it.get()});
    BOOST_REQUIRE(post.came.size() == 2U);
    BOOST_TEST(!contains(post.came[1].what.body, "fraud"));
    BOOST_TEST(contains(post.came[1].what.body, R"("reason":null)"));
}

BOOST_AUTO_TEST_CASE(parks_an_order_that_fails_and_goes_on_with_others) {
    const auto made = endpoint();
    bool broken = true;
    post.answer = [&](const post_office::letter& it) -> std::optional<webhook_response> {
        const bool fails = broken && it.text().starts_with("A");
        return webhook_response{fails ? 400U : 200U};
    };
    for (const char* id : {"A", "B"}) create(id);
    raise("A", "cancel");
    raise("B", "cancel");
    const auto it = sender();
    BOOST_TEST(settle({it.get()}).parked == 1U);
    BOOST_TEST(post.texts_of() == (texts_t{"A create 1", "B create 1", "B cancel 2"}),
               per_element());
    pass(1s, {it.get()});
    BOOST_TEST(stands(made.endpoint.id) == 4U);  // all are delivered or parked
    broken = false;
    pass(6s, {it.get()});
    BOOST_TEST(post.texts_of() ==
                   (texts_t{"A create 1", "B create 1", "B cancel 2", "A create 1", "A cancel 2"}),
               per_element());
    BOOST_TEST(post.came[0].field("webhook-id") == post.came[3].field("webhook-id"));
    BOOST_TEST(post.came[0].what.body == post.came[3].what.body);
    BOOST_TEST(records("webhook_parked").empty());
    create("C");
    settle({it.get()});
    BOOST_TEST(post.came.back().text() == "C create 1");
}

BOOST_AUTO_TEST_CASE(keeps_what_is_parked_over_a_crash) {
    const auto made = endpoint();
    post.answer = always({500});
    create("A");
    raise("A", "cancel");
    auto first = sender("a");
    settle({first.get()});
    pass(1s, {first.get()});
    BOOST_TEST(stands(made.endpoint.id) == 2U);
    const auto body = post.came[0].what.body;
    first.reset();  // as good as killed: the cursor is left to its lease
    post.came.clear();
    post.answer = {};
    const auto second = sender("b");
    pass(9s, {second.get()});
    BOOST_TEST(post.came.empty());
    pass(3s, {second.get()});  // within the lease
    BOOST_TEST(post.texts_of() == (texts_t{"A create 1", "A cancel 2"}), per_element());
    BOOST_TEST(post.came[0].what.body == body);
    BOOST_TEST(post.came[0].field("webhook-id") == "1-1." + made.endpoint.id);
}

// The first sender is gone, but not what it has asked the storage for.
BOOST_AUTO_TEST_CASE(relies_on_no_parked_record_that_the_sender_before_may_still_remove) {
    const auto made = endpoint();
    post.answer = always({500});
    auto options = quiet("a");
    options.retries = std::vector<milliseconds>(3, 1h);
    auto first = sender(options);
    create("A");
    pass(1s, {first.get()});
    const std::string key = records("webhook_parked").at(0);
    const auto found = plan([&](repository_reader& from) {
                           return from.find_record({"webhook_parked", key});
                       }).value();
    const change_record late{record_action::remove, "webhook_parked", key, found.value().version};
    first.reset();
    options.owner = "b";
    auto second = sender(options);
    pass(12s, {second.get()});
    raise("A", "cancel");
    pass(2s, {second.get()});
    BOOST_TEST(stands(made.endpoint.id) == 2U);
    std::optional<bool> removed;
    write_records(front, {late}, [&](result<void> it) { removed = it.has_value(); });
    while (!removed) (void)front.run_once();
    BOOST_TEST(!*removed);
    second.reset();
    post.came.clear();
    post.answer = {};
    const auto third = sender("c");
    pass(2h, {third.get()}, 5s);
    BOOST_TEST(post.texts_of() == (texts_t{"A create 1", "A cancel 2"}), per_element());
}

BOOST_AUTO_TEST_CASE(lets_another_one_take_over_at_once_when_it_stops) {
    endpoint();
    const auto first = sender("a");
    const auto second = sender("b");
    settle({first.get(), second.get()});
    create("A");
    settle({first.get(), second.get()});
    BOOST_TEST(post.came.size() == 1U);  // one of them sends
    first->stop();
    BOOST_TEST(settle({first.get()}).stopped);
    create("B");
    pass(2s, {second.get()});
    BOOST_TEST(post.texts_of() == (texts_t{"A create 1", "B create 1"}), per_element());
}

BOOST_AUTO_TEST_CASE(sends_again_what_a_crash_left_open) {
    endpoint();
    create("A");
    auto first = sender("a");
    post.answer = [](const auto&) { return std::nullopt; };
    settle({first.get()});
    BOOST_REQUIRE(post.held.size() == 1U);
    first.reset();
    BOOST_TEST(post.held[0].stop.stop_requested());
    post.finish({200});  // nobody is there to hear it
    post.answer = {};
    const auto second = sender("b");
    pass(11s, {second.get()});
    BOOST_REQUIRE(post.came.size() == 2U);
    BOOST_TEST(post.came[0].field("webhook-id") == post.came[1].field("webhook-id"));
    BOOST_TEST(post.came[0].what.body == post.came[1].what.body);
}

// The storage hangs, so that no renewal is answered. Another sender may lead from then on.
BOOST_AUTO_TEST_CASE(gives_up_at_the_end_of_its_lease_what_is_under_way) {
    endpoint();
    create("A");
    const auto it = sender();
    post.answer = [](const auto&) { return std::nullopt; };
    settle({it.get()});
    BOOST_REQUIRE(post.held.size() == 1U);
    const auto end = time.monotonic() + quiet().lease;
    it->stop(1h);
    for (int i = 0; i < 1000 && it->next_due() <= end; ++i) {
        const auto wait = std::chrono::ceil<milliseconds>(it->next_due() - time.monotonic());
        time.advance(std::max(wait, 0ms));
        (void)it->run_once();
    }
    BOOST_TEST(post.held[0].stop.stop_requested());
}

BOOST_FIXTURE_TEST_CASE(does_not_pass_an_event_before_it_is_parked, shaky_room) {
    const auto made = endpoint();
    create("A");
    post.answer = always({500});
    refuses_parked = true;
    BOOST_REQUIRE(it.start());
    turns(4s);
    BOOST_TEST(post.came.size() == 1U);
    BOOST_TEST(stands(made.endpoint.id) == 0U);  // a crash now must send it again
    refuses_parked = false;
    turns(1s);
    BOOST_TEST(records("webhook_parked").size() == 1U);
    BOOST_TEST(stands(made.endpoint.id) == 1U);
}

BOOST_FIXTURE_TEST_CASE(begins_where_its_cursor_stands_after_it_lost_the_lease, shaky_room) {
    const auto made = endpoint();
    BOOST_REQUIRE(it.start());
    turns(1s);
    refuses_cursors = true;
    create("A");
    turns(11s);
    BOOST_TEST(post.came.size() == 1U);  // taken, but nothing says so
    post.answer = [](const auto&) { return std::nullopt; };
    refuses_cursors = false;
    turns(2s);
    BOOST_TEST(post.came.size() == 2U);
    BOOST_TEST(stands(made.endpoint.id) == 0U);
    post.finish({200});
    turns(1s);
    BOOST_TEST(stands(made.endpoint.id) == 1U);
}

BOOST_AUTO_TEST_CASE(loses_nothing_and_keeps_the_order_while_all_fails_by_chance) {
    for (const std::uint64_t seed : {1, 2, 3, 4, 5, 6}) {
        BOOST_TEST_CONTEXT("seed " << seed) {
            webhook_room in;
            testing::fault_options faults;
            faults.seed = seed;
            faults.write = {0.05, 0.05, 0.02, 0.02};
            faults.read = {0.05, 0.05};
            testing::fault_storage faulty(*in.orders, faults);
            engine shaky(faulty, status_machine::standard(), {in.time, in.random, in.watch},
                         in.by_hand);
            in.endpoint();
            reader shaky_reads(faulty);
            testing::seeded_random chance(seed);
            std::map<std::string, std::set<std::string>> seen;  // versions that were taken
            const auto take = [&](const post_office::letter& it, unsigned status) {
                const std::string text = it.text();
                const std::string order = text.substr(0, text.find(' '));
                if (text.ends_with(" 2")) BOOST_TEST(seen[order].contains("1"));
                if (status == 200) seen[order].insert(text.substr(text.rfind(' ') + 1));
                return webhook_response{status};
            };
            bool well = false;
            in.post.answer = [&](const post_office::letter& it) -> std::optional<webhook_response> {
                constexpr unsigned all[] = {200, 200, 200, 500, 400, 0, 302};
                return take(it, well ? 200 : all[chance.next() % 7]);
            };
            auto options = in.quiet();
            options.retries = {5s, 20s};
            options.retries.resize(50, 20s);
            std::unique_ptr<webhook_sender> it;
            const auto turn = [&](milliseconds by) {
                in.time.advance(by);
                for (int i = 0; i < 200; ++i) {
                    (void)shaky.run_once();
                    if (it) (void)it->run_once();
                }
            };
            for (int round = 0; round < 30; ++round) {
                const std::string id = "O" + std::to_string(round);
                in.create(id);
                if (round % 2 == 0) in.raise(id, "cancel");
                if (round % 7 == 0) it.reset();
                if (!it) {
                    options.owner = "owner-" + std::to_string(round);
                    it = std::make_unique<webhook_sender>(shaky, shaky_reads, in.post, options);
                    while (!it->start()) turn(100ms);
                }
                turn(5s);
            }
            faulty.calm();
            well = true;
            for (int i = 0; i < 100; ++i) turn(5s);
            std::map<std::string, std::string> bodies;
            for (const auto& one : in.post.came) {
                const auto id = one.field("webhook-id");
                BOOST_TEST(bodies.emplace(id, one.what.body).first->second == one.what.body);
            }
            for (int round = 0; round < 30; ++round) {
                const std::size_t versions = round % 2 == 0 ? 2 : 1;
                BOOST_TEST(seen["O" + std::to_string(round)].size() == versions);
            }
            BOOST_TEST(in.records("webhook_parked").empty());
            it.reset();
        }
    }
}

BOOST_AUTO_TEST_CASE(refuses_options_out_of_range) {
    const auto wrong = [&](auto change) {
        auto options = quiet();
        change(options);
        webhook_sender it(front, reads, post, options);
        const auto started = it.start();
        return started ? std::string() : started.error().detail;
    };
    BOOST_TEST(wrong([](auto& it) { it.lease = 99ms; }).starts_with("lease:"));
    BOOST_TEST(wrong([](auto& it) { it.source = "a b"; }).starts_with("source:"));
    BOOST_TEST(wrong([](auto& it) { it.move_every = it.lease; }).starts_with("move_every:"));
    BOOST_TEST(wrong([](auto& it) { it.per_endpoint = 0; }).starts_with("per_endpoint:"));
    BOOST_TEST(wrong([](auto& it) { it.in_all = 0; }).starts_with("in_all:"));
    BOOST_TEST(wrong([](auto& it) { it.retries = {}; }).starts_with("retries:"));
    BOOST_TEST(wrong([](auto& it) { it.threads = 2; }).starts_with("threads:"));
    BOOST_TEST(wrong([](auto&) {}).empty());
}

BOOST_AUTO_TEST_SUITE_END()
