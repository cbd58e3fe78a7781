// Endpoints as records: made, changed, removed; their secrets; tests and replays.

#include "webhook_fixture.hpp"

#include <orderproc/redact.hpp>

using namespace orderproc;
using namespace shop_test;
using boost::test_tools::per_element;

namespace {

constexpr std::string_view other_key = "OTg3NjU0MzIxMDk4NzY1NDMyMTA5ODc2NTQzMjEwOTg=";

bool verifies(const post_office::letter& it, const std::string& secret) {
    return verify_webhook(
        webhook_secret::parse(secret).value(),
        {it.field("webhook-id"), it.field("webhook-timestamp"), it.field("webhook-signature")},
        it.what.body, it.at);
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(webhook_endpoints, webhook_room)

BOOST_AUTO_TEST_CASE(are_made_listed_and_changed) {
    webhook_draft draft{"https://example.test/a?b=c", "for the shop", {"create", "cancel"}};
    draft.statuses = {order_status("PENDING"), order_status("CANCELLED")};
    draft.scope = {"7", "north"};
    draft.content = webhook_content::reference;
    const auto made = endpoint(draft, {}, order_scope{{}, "north"});
    BOOST_TEST(made.secret.starts_with("whsec_"));
    BOOST_TEST(made.endpoint.id.size() == 19U);
    const auto found = find(made.endpoint.id);
    BOOST_TEST((found == made.endpoint));
    BOOST_TEST((found.owner == order_scope{{}, "north"}));
    BOOST_TEST(found.created_by == "test");
    time.advance(1s);
    const auto second = endpoint();
    const auto all = plan([](repository_reader& from) { return list_webhooks(from); }).value();
    BOOST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all[1].id == second.endpoint.id);
    draft.url = "https://example.test/other";
    const auto edited = apply(
        plan([&](repository_reader& from) { return edit_webhook(from, made.endpoint.id, draft); }));
    BOOST_TEST(find(made.endpoint.id).url == draft.url);
    BOOST_TEST(find(made.endpoint.id).version > found.version);
    BOOST_TEST((find(made.endpoint.id).secrets == found.secrets));
    BOOST_TEST(edited.secret.empty());
}

BOOST_AUTO_TEST_CASE(are_refused_if_they_make_no_sense) {
    const auto refused = [&](webhook_draft draft) {
        const auto made = plan([&](repository_reader& from) {
            return create_webhook(from, {std::move(draft)}, keys);
        });
        return made ? std::string() : made.error().detail;
    };
    BOOST_TEST(refused({""}).starts_with("url:"));
    BOOST_TEST(refused({"https://a b"}).starts_with("url:"));
    BOOST_TEST(refused({"https://a\r\nb"}).starts_with("url:"));
    BOOST_TEST(refused({std::string(2049, 'a')}).starts_with("url:"));
    BOOST_TEST(refused({"https://a", std::string(257, 'a')}).starts_with("description:"));
    BOOST_TEST(refused({"https://a", "", texts(101, "create")}).starts_with("events:"));
    BOOST_TEST(refused({"https://a", "", {""}}).starts_with("events:"));
    for (std::size_t i = 0; i < webhook_endpoint::all_max; ++i) endpoint();
    const auto made =
        plan([&](repository_reader& from) { return create_webhook(from, {{"https://a"}}, keys); });
    BOOST_TEST((made.error().code == errc::overloaded));
}

BOOST_AUTO_TEST_CASE(that_are_not_there_are_not_found) {
    for (const std::string& id : texts{"", "wh_none", "webhooks/../", std::string(200, 'a')}) {
        BOOST_TEST(
            (plan([&](repository_reader& from) { return find_webhook(from, id); }).error().code ==
             errc::not_found));
        BOOST_TEST(
            (plan([&](repository_reader& from) { return pause_webhook(from, id); }).error().code ==
             errc::not_found));
        BOOST_TEST((plan([&](repository_reader& from) {
                        return replay_webhook_attempt(from, id, "1", time.now());
                    })
                        .error()
                        .code == errc::not_found));
    }
}

BOOST_AUTO_TEST_CASE(keep_their_secrets_encrypted_for_themselves_alone) {
    const auto made = endpoint();
    const auto other = endpoint();
    const std::string sealed = made.endpoint.secrets.at(0).text;
    BOOST_TEST(sealed.find(made.secret.substr(6, 20)) == std::string::npos);
    BOOST_TEST(keys.open(sealed, made.endpoint.id).value().text() == made.secret);
    BOOST_TEST((keys.open(sealed, other.endpoint.id).error().code == errc::corrupt));
    std::string changed = sealed;
    changed[changed.size() - 8] = changed[changed.size() - 8] == 'A' ? 'B' : 'A';
    BOOST_TEST((keys.open(changed, made.endpoint.id).error().code == errc::corrupt));
    BOOST_TEST((keys.open("", made.endpoint.id).error().code == errc::corrupt));
    BOOST_TEST((keys.seal(webhook_secret::parse(made.secret).value(), made.endpoint.id).value() !=
                sealed));  // a nonce of its own each time
    const auto wrong = webhook_keys::parse(other_key).value();
    const auto opened = wrong.open(sealed, made.endpoint.id);
    BOOST_TEST((opened.error().code == errc::not_found));
    BOOST_TEST(opened.error().detail.find(sealed.substr(8, 8)) != std::string::npos);
    BOOST_TEST(
        (webhook_keys::none().open(sealed, made.endpoint.id).error().code == errc::not_found));
    const auto clear = webhook_keys::none().seal(webhook_secret::parse(made.secret).value(), "x");
    BOOST_TEST(keys.open(clear.value(), "y").value().text() == made.secret);
}

BOOST_AUTO_TEST_CASE(of_a_new_key_are_encrypted_again) {
    const auto made = endpoint();
    const std::string both =
        std::string(other_key) + "\n# the old one\n\n" + std::string(test_key) + "\r\n";
    const auto newer = webhook_keys::parse(both).value();
    const auto again = plan([&](repository_reader& from) { return reseal_webhooks(from, newer); });
    BOOST_REQUIRE(again.value().size() == 1U);
    apply(webhook_change{{}, again.value()});
    const auto only_new = webhook_keys::parse(other_key).value();
    const auto sealed = find(made.endpoint.id).secrets.at(0).text;
    BOOST_TEST(only_new.open(sealed, made.endpoint.id).value().text() == made.secret);
    BOOST_TEST(plan([&](repository_reader& from) { return reseal_webhooks(from, only_new); })
                   .value()
                   .empty());
    BOOST_TEST(
        (plan([&](repository_reader& from) { return reseal_webhooks(from, keys); }).error().code ==
         errc::not_found));
    for (const std::string_view bad : {"", "# nothing\n", "MDEy", "x"}) {
        BOOST_TEST((webhook_keys::parse(bad).error().code == errc::invalid_argument));
    }
    BOOST_TEST(
        webhook_keys::parse(std::string(test_key) + "\nx").error().detail.starts_with("line 2 "));
}

BOOST_AUTO_TEST_CASE(are_never_sent_anything_unsigned) {
    endpoint();
    create("A");
    auto options = quiet();
    options.keys = webhook_keys::parse(other_key).value();
    const auto it = sender(options);
    pass(1min, {it.get()});
    BOOST_TEST(post.came.empty());
    BOOST_TEST(reported("webhooks.secret") == 1U);
}

BOOST_AUTO_TEST_CASE(have_two_signatures_while_a_secret_rotates) {
    const auto made = endpoint();
    const auto it = sender(patient());
    settle({it.get()});
    const auto rotated = apply(plan([&](repository_reader& from) {
        return rotate_webhook(from, made.endpoint.id, keys, time.now(), 24h);
    }));
    BOOST_TEST(rotated.secret != made.secret);
    settle({it.get()});
    create("A");
    settle({it.get()});
    BOOST_TEST(verifies(post.came.back(), made.secret));
    BOOST_TEST(verifies(post.came.back(), rotated.secret));
    pass(24h, {it.get()}, 10min);
    create("B");
    settle({it.get()});
    BOOST_TEST(!verifies(post.came.back(), made.secret));
    BOOST_TEST(verifies(post.came.back(), rotated.secret));
    for (int i = 0; i < 3; ++i) {
        apply(plan([&](repository_reader& from) {
            return rotate_webhook(from, made.endpoint.id, keys, time.now(), 24h);
        }));
    }
    BOOST_TEST(find(made.endpoint.id).secrets.size() == 2U);
}

BOOST_AUTO_TEST_CASE(wait_while_they_are_paused) {
    const auto made = endpoint();
    const auto it = sender();
    settle({it.get()});
    apply(plan([&](repository_reader& from) { return pause_webhook(from, made.endpoint.id); }));
    settle({it.get()});
    create("A");
    pass(1min, {it.get()});
    BOOST_TEST(post.came.empty());
    apply(plan([&](repository_reader& from) {
        return resume_webhook(from, made.endpoint.id, time.now());
    }));
    pass(2s, {it.get()});
    BOOST_TEST(post.came.size() == 1U);
}

BOOST_AUTO_TEST_CASE(are_told_nothing_once_they_are_removed) {
    const auto made = endpoint();
    const auto it = sender();
    post.answer = always({400});
    create("A");
    create("B");
    pass(6s, {it.get()});
    post.answer = [](const auto&) { return std::nullopt; };
    create("C");
    settle({it.get()});
    BOOST_REQUIRE(post.held.size() == 1U);
    const auto silent = [&] {
        std::optional<bool> out;
        webhook_is_silent(front, made.endpoint.id, [&](result<bool> is) { out = is.value(); });
        for (int i = 0; i < 100 && !out; ++i) (void)front.run_once();
        return out.value();
    };
    apply(plan([&](repository_reader& from) { return remove_webhook(from, made.endpoint.id); }));
    BOOST_TEST(!silent());  // the sender does not know it yet
    const auto came = post.came.size();
    settle({it.get()});
    BOOST_TEST(post.held[0].stop.stop_requested());
    create("D");
    pass(10s, {it.get()});
    BOOST_TEST(post.came.size() == came);
    for (const std::string_view of :
         {"webhooks", "webhook_parked", "webhook_attempts", "webhook_sent", "webhook_tasks"}) {
        BOOST_TEST_CONTEXT(of) {
            BOOST_TEST(records(of).empty());
        }
    }
    const auto cursors = plan([](repository_reader& from) { return from.list_cursors(); });
    BOOST_TEST(cursors.value().empty());
    BOOST_TEST(silent());
}

BOOST_AUTO_TEST_CASE(are_told_nothing_by_a_sender_that_still_knows_them) {
    const auto made = endpoint();
    const auto first = sender();
    webhook_sender_options late = quiet("b");
    late.refresh_every = 1h;
    const auto second = sender(late);
    create("A");
    settle({first.get(), second.get()});
    settle({first.get()});
    apply(plan([&](repository_reader& from) { return remove_webhook(from, made.endpoint.id); }));
    pass(2s, {first.get()});
    BOOST_REQUIRE(records("webhooks").empty());
    pass(30s, {second.get()});  // it gets the cursor, which is made anew
    BOOST_TEST(post.came.size() == 1U);
    pass(3min, {second.get()});
    const auto cursors = plan([](repository_reader& from) { return from.list_cursors(); });
    BOOST_TEST(cursors.value().empty());
}

BOOST_AUTO_TEST_CASE(without_a_sender_are_silent_once_they_are_removed) {
    const auto made = endpoint();
    apply(plan([&](repository_reader& from) { return remove_webhook(from, made.endpoint.id); }));
    std::optional<bool> silent;
    webhook_is_silent(front, made.endpoint.id, [&](result<bool> is) { silent = is.value(); });
    while (!silent) (void)front.run_once();
    BOOST_TEST(*silent);
    BOOST_TEST((plan([&](repository_reader& from) { return find_webhook(from, made.endpoint.id); })
                    .error()
                    .code == errc::not_found));
    const auto it = sender();
    pass(10s, {it.get()});
    BOOST_TEST(records("webhooks").empty());
}

BOOST_AUTO_TEST_CASE(are_tested_with_an_event_of_no_order) {
    const auto made = endpoint();
    const auto it = sender();
    settle({it.get()});
    const auto asked = apply(plan(
        [&](repository_reader& from) { return test_webhook(from, made.endpoint.id, time.now()); }));
    settle({it.get()});
    BOOST_REQUIRE(post.came.size() == 1U);
    BOOST_TEST(verifies(post.came[0], made.secret));
    BOOST_TEST(post.came[0].field("webhook-id") == "test-" + asked.task + "." + made.endpoint.id);
    BOOST_TEST(post.came[0].what.body.find("orderproc.webhook.test.v1") != std::string::npos);
    pass(10s, {it.get()});
    BOOST_TEST(post.came.size() == 1U);
    BOOST_TEST(records("webhook_tasks").empty());
    BOOST_TEST(attempts(made.endpoint.id).at(0).event == post.came[0].field("webhook-id"));
    BOOST_TEST((plan([&](repository_reader& from) {
                    return replay_webhook_attempt(from, made.endpoint.id,
                                                  attempts(made.endpoint.id).at(0).id, time.now());
                })
                    .error()
                    .code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(get_an_attempt_again) {
    const auto made = endpoint();
    const auto it = sender();
    for (const char* id : {"A", "B", "C"}) create(id);
    pass(10s, {it.get()});
    const auto all = attempts(made.endpoint.id);
    BOOST_REQUIRE(all.size() == 3U);
    apply(plan([&](repository_reader& from) {
        return replay_webhook_attempt(from, made.endpoint.id, all[1].id, time.now());
    }));
    pass(1s, {it.get()});
    BOOST_REQUIRE(post.came.size() == 4U);
    BOOST_TEST(post.came[3].text() == "B create 1");
    BOOST_TEST(post.came[3].field("webhook-id") == post.came[1].field("webhook-id"));
    BOOST_TEST(post.came[3].what.body == post.came[1].what.body);
    BOOST_TEST(records("webhook_tasks").empty());
}

BOOST_AUTO_TEST_CASE(get_a_span_again_in_its_order) {
    webhook_draft draft{"https://example.test/"};
    draft.events = {"create", "cancel"};
    const auto made = endpoint(draft);
    const auto it = sender();
    create("before");
    time.advance(1min);
    const timestamp since = time.now();
    for (int i = 0; i < 200; ++i) {
        create("A" + std::to_string(i));
        raise("A" + std::to_string(i), "cancel");
    }
    time.advance(1min);
    const timestamp until = time.now();
    create("after");
    pass(10s, {it.get()});
    BOOST_REQUIRE(post.came.size() == 402U);
    std::size_t failures = 5;
    post.answer = [&](const post_office::letter&) -> std::optional<webhook_response> {
        return webhook_response{failures > 0 && failures-- > 0 ? 500U : 200U};
    };
    post.came.clear();
    apply(plan([&](repository_reader& from) {
        return replay_webhook(from, made.endpoint.id, since, until, time.now());
    }));
    pass(2min, {it.get()});
    std::map<std::string, texts> versions;
    for (const std::string& text : post.texts_of()) {
        versions[text.substr(0, text.find(' '))].push_back(text.substr(text.rfind(' ') + 1));
    }
    BOOST_TEST(versions.size() == 200U);
    BOOST_TEST(post.came.size() == 405U);
    for (auto& [id, seen] : versions) {
        BOOST_TEST(std::is_sorted(seen.begin(), seen.end()));
        BOOST_TEST(seen.back() == "2");
    }
    BOOST_TEST(records("webhook_tasks").empty());
}

BOOST_AUTO_TEST_CASE(get_what_is_left_of_a_replay_after_a_crash) {
    const auto made = endpoint();
    auto first = sender("a");
    const timestamp since = time.now();
    for (int i = 0; i < 300; ++i) create("A" + std::to_string(i));
    pass(10s, {first.get()});
    post.came.clear();
    apply(plan([&](repository_reader& from) {
        return replay_webhook(from, made.endpoint.id, since, time.now() + 1s, time.now());
    }));
    post.answer = [&](const post_office::letter&) -> std::optional<webhook_response> {
        if (post.came.size() > 150) return std::nullopt;
        return webhook_response{200};
    };
    settle({first.get()});
    first.reset();
    post.answer = {};
    const auto second = sender("b");
    pass(30s, {second.get()});
    std::set<std::string> all;
    for (const std::string& text : post.texts_of()) all.insert(text);
    BOOST_TEST(all.size() == 300U);
    BOOST_TEST(post.came.size() < 300U + 80U);  // not from its beginning
    BOOST_TEST(records("webhook_tasks").empty());
}

// What was taken out of an order is in no attempt that begins later.
BOOST_AUTO_TEST_CASE(are_not_told_what_was_redacted_meanwhile) {
    const auto made = endpoint();
    const auto it = sender();
    post.answer = always({500});
    BOOST_REQUIRE(
        !front.execute(testing::order_builder().id("A").metadata(R"({"name":"Ann"})").submit()).ec);
    raise("A", "cancel");
    settle({it.get()});
    BOOST_REQUIRE(post.came.size() == 1U);
    BOOST_TEST(post.came[0].what.body.find("Ann") != std::string::npos);
    BOOST_REQUIRE(!front.execute({redact_personal{"A"}, {}, {}, {}, "", ""}).ec);
    post.answer = {};
    pass(10s, {it.get()});
    BOOST_REQUIRE(post.came.size() >= 4U);
    for (std::size_t i = 1; i < post.came.size(); ++i) {
        BOOST_TEST(post.came[i].what.body.find("Ann") == std::string::npos);
    }
    BOOST_TEST(post.came[1].field("webhook-id") == "1-1." + made.endpoint.id);
    BOOST_TEST(records("webhook_attempts").empty());  // it was about the order
}

BOOST_AUTO_TEST_CASE(go_on_behind_what_was_purged) {
    const auto made = endpoint();
    auto options = quiet();
    options.failing_max = std::chrono::hours(24 * 365);
    options.retries = std::vector<milliseconds>(3, std::chrono::hours(24 * 30));
    const auto it = sender(options);
    post.answer = always({500});
    create("A");
    raise("A", "cancel");
    pass(5s, {it.get()});
    BOOST_TEST(records("webhook_parked").size() == 1U);
    purge();
    post.answer = {};
    pass(std::chrono::hours(24 * 40), {it.get()}, 1h);
    BOOST_TEST(post.came.size() == 1U);  // there is nothing to be told any more
    BOOST_TEST(records("webhook_parked").empty());
    create("B");
    pass(10s, {it.get()});
    BOOST_TEST(post.came.back().text() == "B create 1");
}

BOOST_AUTO_TEST_SUITE_END()
