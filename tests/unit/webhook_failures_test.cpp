// Endpoints that fail: when an event is tried again, when an endpoint is paused, and that nobody
// else has to wait for it.

#include "webhook_fixture.hpp"

using namespace orderproc;
using namespace shop_test;

namespace {

webhook_draft to(std::string url) {
    webhook_draft out;
    out.url = std::move(url);
    return out;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(a_webhook_endpoint_that_fails, webhook_room)

BOOST_AUTO_TEST_CASE(is_tried_ten_times_in_three_days_and_then_the_next_event_goes) {
    const auto made = endpoint();
    create("A");
    raise("A", "cancel");
    // Of events: an endpoint that is well else.
    post.answer = [](const post_office::letter& it) -> std::optional<webhook_response> {
        return webhook_response{it.text() == "A create 1" ? 422U : 200U};
    };
    auto options = patient();
    options.failing_max = std::chrono::hours(24 * 30);
    const auto it = sender(options);
    settle({it.get()});
    create("B");
    settle({it.get()});
    pass(std::chrono::hours(24 * 5), {it.get()}, 10min);
    std::erase_if(post.came, [](const auto& one) { return one.text() == "B create 1"; });
    BOOST_REQUIRE(post.came.size() == 11U);
    constexpr std::chrono::seconds waits[] = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
    for (std::size_t i = 0; i + 2 < post.came.size(); ++i) {
        BOOST_TEST_CONTEXT("attempt " << i + 2) {
            const auto waited = post.came[i + 1].at - post.came[i].at;
            BOOST_TEST((waited >= waits[i] * 8 / 10));
            BOOST_TEST((waited <= waits[i] * 12 / 10 + 10min));
            BOOST_TEST(post.came[i + 1].what.body == post.came[i].what.body);
        }
    }
    BOOST_TEST(post.came[10].text() == "A cancel 2");
    BOOST_TEST(reported("webhooks.given_up") == 1U);
    BOOST_TEST(records("webhook_parked").empty());
    const auto failed = attempts(made.endpoint.id, true);
    BOOST_TEST(failed.size() == 10U);
    BOOST_TEST(failed[0].number == 1U);
    BOOST_TEST(failed[9].number == 10U);
    BOOST_TEST(failed[8].next_at.has_value());
    BOOST_TEST(!failed[9].next_at.has_value());
    BOOST_TEST(failed[0].status == 422U);
    BOOST_TEST(failed[0].event == "1-1." + made.endpoint.id);
}

BOOST_AUTO_TEST_CASE(is_left_alone_for_as_long_as_it_says) {
    endpoint();
    webhook_response busy{429};
    busy.retry_after = 120s;
    post.answer = always(busy);
    const auto it = sender();
    create("A");
    settle({it.get()});
    create("B");
    post.answer = {};
    pass(119s, {it.get()});
    BOOST_TEST(post.came.size() == 1U);
    pass(2s, {it.get()});
    BOOST_TEST(post.came.size() == 3U);
}

BOOST_AUTO_TEST_CASE(does_not_use_up_its_attempts_by_short_waits) {
    endpoint();
    webhook_response busy{503};
    busy.retry_after = 0s;
    post.answer = always(busy);
    const auto it = sender();
    create("A");
    pass(1min, {it.get()});
    BOOST_TEST(post.came.size() == 2U);  // the third comes after minutes
    BOOST_TEST(reported("webhooks.given_up") == 0U);
}

BOOST_AUTO_TEST_CASE(may_not_be_told_to_wait_for_more_than_a_day_nor_by_other_answers) {
    endpoint();
    webhook_response busy{503};
    busy.retry_after = std::chrono::hours(24 * 365);
    post.answer = always(busy);
    const auto it = sender(patient());
    create("A");
    settle({it.get()});
    post.answer = {};
    pass(std::chrono::hours(24), {it.get()}, 10min);
    BOOST_TEST(post.came.size() == 2U);
    busy.status = 500;
    post.answer = always(busy);
    create("B");
    settle({it.get()});
    post.answer = {};
    pass(10s, {it.get()});
    BOOST_TEST(post.came.size() == 4U);
}

BOOST_AUTO_TEST_CASE(is_paused_at_once_by_410) {
    const auto made = endpoint();
    post.answer = always({410});
    create("A");
    const auto it = sender();
    settle({it.get()});
    create("B");
    pass(20s, {it.get()});
    BOOST_TEST(post.came.size() == 1U);
    const auto now = find(made.endpoint.id);
    BOOST_TEST((now.state == webhook_state::paused));
    BOOST_TEST(now.paused_why == "it answered 410 Gone");
    BOOST_TEST(reported("webhooks.paused") == 1U);
    // Everything waits for it.
    post.answer = {};
    apply(plan([&](repository_reader& from) {
        return resume_webhook(from, made.endpoint.id, time.now());
    }));
    pass(20s, {it.get()});
    BOOST_TEST((post.texts_of() == texts{"A create 1", "A create 1", "B create 1"}));
}

BOOST_AUTO_TEST_CASE(is_paused_when_too_many_orders_are_parked) {
    const auto made = endpoint();
    auto options = quiet();
    options.parked_max = 5;
    const auto it = sender(options);
    for (int i = 10; i < 30; ++i) create("A" + std::to_string(i));
    for (int i = 0; i < 10; ++i) create("B" + std::to_string(i));
    // Each second one is taken, so that it is not all of them that fail.
    post.answer =
        [odd = false](const post_office::letter&) mutable -> std::optional<webhook_response> {
        odd = !odd;
        return webhook_response{odd ? 400U : 200U};
    };
    pass(3s, {it.get()});
    BOOST_TEST((find(made.endpoint.id).state == webhook_state::paused));
    BOOST_TEST(records("webhook_parked").size() >= 5U);
    BOOST_TEST(records("webhook_parked").size() < 10U);
    const auto came = post.came.size();
    pass(1min, {it.get()});
    BOOST_TEST(post.came.size() == came);
    post.answer = {};
    apply(plan([&](repository_reader& from) {
        return resume_webhook(from, made.endpoint.id, time.now());
    }));
    pass(1min, {it.get()});
    std::set<std::string> all;
    for (const std::string& one : post.texts_of()) all.insert(one);
    BOOST_TEST(all.size() == 30U);
    BOOST_TEST(records("webhook_parked").empty());
}

BOOST_AUTO_TEST_CASE(is_paused_when_nothing_but_failures_came_for_three_days) {
    const auto made = endpoint();
    post.answer = always({401});
    auto it = sender(patient());
    create("A");
    settle({it.get()});
    pass(std::chrono::hours(48), {it.get()}, 10min);
    BOOST_TEST((find(made.endpoint.id).state == webhook_state::active));
    it->stop();
    BOOST_REQUIRE(settle({it.get()}).stopped);
    const auto second = sender(patient("b"));  // it knows since when
    pass(std::chrono::hours(24), {second.get()}, 10min);
    create("B");
    pass(5min, {second.get()});
    BOOST_TEST((find(made.endpoint.id).state == webhook_state::paused));
    BOOST_TEST(find(made.endpoint.id).paused_why.starts_with("all attempts have failed since "));
}

BOOST_AUTO_TEST_CASE(loses_nothing_if_nothing_gets_through_and_has_all_its_attempts_after_a_pause) {
    const auto made = endpoint();
    post.answer = always({500});
    auto options = patient();
    options.failing_max = std::chrono::hours(24 * 30);  // the attempts come to their end sooner
    const auto it = sender(options);
    create("A");
    settle({it.get()});
    pass(std::chrono::hours(24 * 5), {it.get()}, 10min);
    BOOST_TEST(post.came.size() == 10U);
    BOOST_TEST((find(made.endpoint.id).state == webhook_state::paused));
    apply(plan([&](repository_reader& from) {
        return resume_webhook(from, made.endpoint.id, time.now());
    }));
    pass(2s, {it.get()});  // it is not well yet
    BOOST_TEST(post.came.size() == 11U);
    BOOST_TEST((find(made.endpoint.id).state == webhook_state::active));
    post.answer = {};
    pass(10s, {it.get()});
    BOOST_TEST(post.came.size() == 12U);
    BOOST_TEST(reported("webhooks.given_up") == 0U);
    BOOST_TEST(records("webhook_parked").empty());
}

BOOST_AUTO_TEST_CASE(gets_few_new_events_until_it_is_well_again) {
    endpoint();
    post.answer = always({0});
    const auto it = sender(patient());
    for (int i = 0; i < 200; ++i) create("A" + std::to_string(i));
    pass(1h, {it.get()});
    BOOST_TEST(records("webhook_parked").size() >= 5U);
    BOOST_TEST(records("webhook_parked").size() <= 30U);
    post.answer = {};
    pass(6h, {it.get()}, 2min);
    std::set<std::string> all;
    for (const std::string& one : post.texts_of()) all.insert(one);
    BOOST_TEST(all.size() == 200U);
    BOOST_TEST(records("webhook_parked").empty());
}

BOOST_AUTO_TEST_CASE(that_hangs_holds_up_nobody_else_and_takes_few_slots) {
    std::vector<std::string> bad;
    for (int i = 0; i < 10; ++i) bad.push_back(endpoint(to("https://bad.test/")).endpoint.id);
    const auto good = endpoint(to("https://good.test/"));
    post.answer = [](const post_office::letter& it) -> std::optional<webhook_response> {
        if (it.what.url.starts_with("https://good")) return webhook_response{200};
        return std::nullopt;
    };
    const auto it = sender(patient());
    settle({it.get()});
    for (int i = 0; i < 60; ++i) {
        create("A" + std::to_string(i));
        settle({it.get()});
        BOOST_TEST(post.texts_of(good.endpoint.id).size() == static_cast<std::size_t>(i + 1));
    }
    BOOST_TEST(post.now <= 20U);
    pass(1min, {it.get()});  // nobody waits for them for ever
    BOOST_TEST(std::all_of(post.held.begin(), post.held.begin() + 10,
                           [](const auto& one) { return one.stop.stop_requested(); }));
    BOOST_TEST(attempts(bad[0], true).at(0).error == "no answer in time");
    post.answer = {};
    post.finish({200});  // too late: it counts no more
    pass(12h, {it.get()}, 3min);
    for (const std::string& one : bad) {
        std::set<std::string> all;
        for (const std::string& text : post.texts_of(one)) all.insert(text);
        BOOST_TEST(all.size() == 60U);
    }
}

BOOST_AUTO_TEST_CASE(that_refuses_for_ever_delays_no_other_and_is_paused) {
    const auto bad = endpoint(to("https://bad.test/"));
    const auto good = endpoint(to("https://good.test/"));
    post.answer = [](const post_office::letter& it) -> std::optional<webhook_response> {
        return webhook_response{it.what.url.starts_with("https://good") ? 200U : 401U};
    };
    const auto it = sender(patient());
    settle({it.get()});
    for (int hour = 0; hour < 80; ++hour) {
        create("A" + std::to_string(hour));
        settle({it.get()});  // at the same time
        BOOST_TEST(post.texts_of(good.endpoint.id).size() == static_cast<std::size_t>(hour + 1));
        pass(1h, {it.get()}, 10min);
    }
    BOOST_TEST((find(bad.endpoint.id).state == webhook_state::paused));
    BOOST_TEST((find(good.endpoint.id).state == webhook_state::active));
    BOOST_TEST(reported("webhooks.paused") == 1U);
}

BOOST_AUTO_TEST_CASE(never_has_more_under_way_than_it_may) {
    for (int i = 0; i < 12; ++i) endpoint();
    const auto it = sender();
    settle({it.get()});
    // One after the other is answered, so that each endpoint gets as much as it may have.
    post.answer = [](const auto&) { return std::nullopt; };
    for (int i = 0; i < 40; ++i) create("A" + std::to_string(i));
    std::map<std::string, std::size_t> most;
    for (int round = 0; round < 1000 && settle({it.get()}).under_way > 0; ++round) {
        std::map<std::string, std::size_t> now;
        for (const auto& one : post.held) ++now[one.what.endpoint];
        for (const auto& [id, count] : now) most[id] = std::max(most[id], count);
        BOOST_TEST(post.held.size() <= 64U);
        post.finish({200});
    }
    BOOST_TEST(post.most == 64U);
    for (const auto& [id, count] : most) BOOST_TEST(count <= 8U);
    BOOST_TEST(post.came.size() == 480U);
}

BOOST_AUTO_TEST_CASE(keeps_failed_attempts_for_a_week_and_the_last_100_that_succeeded) {
    const auto made = endpoint();
    webhook_response wrong{400};
    wrong.body = std::string(5000, 'x');
    post.answer = [&](const post_office::letter& one) -> std::optional<webhook_response> {
        return one.text() == "A create 1" ? wrong : webhook_response{200};
    };
    auto options = patient();
    options.retries = {5s};
    const auto it = sender(options);
    create("A");
    settle({it.get()});
    create("C");
    pass(20s, {it.get()});
    post.answer = {};
    for (int i = 0; i < 150; ++i) create("B" + std::to_string(i));
    pass(20s, {it.get()});
    const auto all = attempts(made.endpoint.id);
    BOOST_TEST(all.size() == 102U);
    BOOST_TEST(all[0].answer == std::string(1024, 'x'));
    const auto last = std::find_if(all.begin(), all.end(),
                                   [](const webhook_attempt& one) { return one.order == "B149"; });
    BOOST_REQUIRE(last != all.end());
    BOOST_TEST(last->succeeded());
    BOOST_TEST(attempts(made.endpoint.id, true).size() == 2U);
    pass(std::chrono::hours(24 * 7), {it.get()}, 1h);
    BOOST_TEST(attempts(made.endpoint.id, true).empty());
    BOOST_TEST(attempts(made.endpoint.id).size() == 100U);
}

BOOST_AUTO_TEST_CASE(of_redirects_does_not_say_where_to) {
    const auto made = endpoint();
    post.answer = always({302});
    create("A");
    const auto it = sender();
    settle({it.get()});
    BOOST_TEST(attempts(made.endpoint.id).at(0).error == "redirects are not followed");
    BOOST_TEST(!attempts(made.endpoint.id).at(0).succeeded());
}

BOOST_AUTO_TEST_SUITE_END()
