// Whose orders an endpoint is told of, how many endpoints there may be, and how much is kept.

#include "webhook_fixture.hpp"

#include <orderproc/testing/builders.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace shop_test;

namespace {

struct limited_room : webhook_room {
    // With the error's code, if it is refused.
    error_code made_by(order_scope owner) {
        auto made = plan([&](repository_reader& from) {
            return create_webhook(
                from, {{"https://example.test/a"}, {}, std::move(owner), "test", time.now()}, keys);
        });
        if (!made) return made.error().code;
        apply(std::move(made));
        return {};
    }
    void store(std::string_view collection, std::string key, std::string value = "{}",
               std::optional<timestamp> due = {}) {
        change_record what;
        what.action = record_action::create;
        what.collection = collection;
        what.key = std::move(key);
        what.value = std::move(value);
        what.due_at = due;
        write_records(front, {std::move(what)},
                      [](const result<void>& done) { BOOST_REQUIRE(done.has_value()); });
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(webhooks_within_limits, limited_room)

BOOST_AUTO_TEST_CASE(an_endpoint_of_a_tenant_is_told_of_its_orders_alone) {
    order_rules rules;
    rules.tenants = true;
    const order_model model = order_model::build(rules).value();
    const auto stored = make_memory_storage();
    engine shops{*stored, status_machine::standard(), model, front.runtime(), by_hand};
    reader their_reads{*stored};
    const auto endpoint_of = [&](std::string url, order_scope scope, order_scope owner) {
        webhook_draft draft{std::move(url)};
        draft.scope = std::move(scope);
        auto made = their_reads.use([&](repository_reader& from) {
            return create_webhook(from, {draft, {}, std::move(owner), "test", time.now()}, keys);
        });
        write_records(shops, made.value().records, [](const result<void>&) {});
        (void)shops.run_once();
        return made->endpoint.id;
    };
    const order_scope north{{}, "north"}, user_of_north{"9", "north"};
    const auto filtered = endpoint_of("https://example.test/filtered", north, {});
    const auto both = endpoint_of("https://example.test/both", user_of_north, {});
    const auto owned = endpoint_of("https://example.test/owned", north, north);
    const auto everything = endpoint_of("https://example.test/all", {}, {});
    webhook_sender it{shops, their_reads, post, quiet()};
    BOOST_REQUIRE(it.start());
    for (const auto& [id, name, user] :
         {std::tuple("T-1", "north", 9), {"T-2", "south", 9}, {"T-3", "north", 8}}) {
        const auto one = testing::order_builder{}.id(id).tenant(name).user(user);
        BOOST_REQUIRE(!shops.execute(one.submit()).ec);
    }
    for (int i = 0; i < 200; ++i) {
        (void)shops.run_once();
        (void)it.run_once();
        time.advance(20ms);
    }
    const texts of_north{"T-1 create 1", "T-3 create 1"};
    BOOST_TEST(post.texts_of(filtered) == of_north, boost::test_tools::per_element());
    BOOST_TEST(post.texts_of(owned) == of_north, boost::test_tools::per_element());
    BOOST_TEST(post.texts_of(both) == texts{"T-1 create 1"}, boost::test_tools::per_element());
    BOOST_TEST(post.texts_of(everything).size() == 3U);
}

BOOST_AUTO_TEST_CASE(nobody_confined_takes_the_place_of_others) {
    const order_scope anna{"7", {}}, shop{{}, "north"};
    for (std::size_t i = 0; i < webhook_endpoint::of_owner_max; ++i) {
        BOOST_TEST(!made_by(anna));
    }
    BOOST_TEST((made_by(anna) == errc::overloaded));
    BOOST_TEST(!made_by({"8", {}}));
    BOOST_TEST(!made_by(shop));
    BOOST_TEST(!made_by({"7", "north"}));
    // One that was removed counts no longer.
    const auto all = plan([](repository_reader& from) { return list_webhooks(from); }).value();
    const auto hers =
        std::find_if(all.begin(), all.end(), [&](const auto& it) { return it.owner == anna; });
    apply(plan([&](repository_reader& from) { return remove_webhook(from, hers->id); }));
    BOOST_TEST(!made_by(anna));
    BOOST_TEST((made_by(anna) == errc::overloaded));
    while (!made_by({})) continue;
    const auto filled = plan([](repository_reader& from) { return list_webhooks(from); }).value();
    BOOST_TEST(filled.size() == webhook_endpoint::all_max);
}

BOOST_AUTO_TEST_CASE(at_most_ten_thousand_failed_attempts_are_kept) {
    constexpr std::size_t kept_max = 10'000;
    const auto made = endpoint();
    const auto other = endpoint({"https://example.test/b"});
    for (std::size_t i = 0; i < kept_max; ++i) {
        const std::string number = std::to_string(1'000'000 + i);
        store("webhook_attempts", made.endpoint.id + "/00" + number, "{}",
              time.now() + std::chrono::hours(100));
    }
    store("webhook_attempts", other.endpoint.id + "/0", "{}", time.now() + std::chrono::hours(100));
    while (front.queued() > 0) (void)front.run_once();
    const auto it = sender();
    post.answer = [&](const post_office::letter& one) -> std::optional<webhook_response> {
        return webhook_response{one.what.endpoint == made.endpoint.id ? 400U : 200U};
    };
    for (const char* id : {"A", "B", "C"}) create(id);
    settle({it.get()});
    const auto left = records("webhook_attempts");
    const auto of_it = static_cast<std::size_t>(
        std::count_if(left.begin(), left.end(),
                      [&](const std::string& key) { return key.starts_with(made.endpoint.id); }));
    BOOST_TEST(of_it <= kept_max);
    BOOST_TEST(of_it >= kept_max - 300);
    // The oldest ones went, and of this endpoint alone.
    const auto has = [&](const std::string& key) {
        return std::find(left.begin(), left.end(), key) != left.end();
    };
    BOOST_TEST(!has(made.endpoint.id + "/001000000"));
    BOOST_TEST(has(made.endpoint.id + "/001009999"));
    BOOST_TEST(has(other.endpoint.id + "/0"));
    BOOST_TEST(std::count_if(left.begin(), left.end(), [&](const std::string& key) {
                   return key.starts_with(made.endpoint.id) &&
                          !key.starts_with(made.endpoint.id + "/00");
               }) == 3);
}

BOOST_AUTO_TEST_CASE(nothing_is_left_of_an_endpoint_that_is_gone) {
    constexpr std::array<std::string_view, 3> several{"webhook_parked", "webhook_attempts",
                                                      "webhook_tasks"};
    const auto made = endpoint();
    for (const std::string_view of : several) {
        for (const std::string gone : {"wh_0000000000000000", "wh_zzzzzzzzzzzzzzzz"}) {
            for (int i = 1; i <= 3; ++i) store(of, gone + "/" + std::to_string(i));
        }
    }
    store("webhook_sent", "wh_0000000000000000");
    const auto it = sender();
    post.answer = always({400});
    for (const char* id : {"A", "B"}) create(id);
    settle({it.get()});
    pass(2min, {it.get()}, 10s);
    for (const std::string_view of : several) {
        BOOST_TEST_CONTEXT(of) {
            const auto left = records(of);
            BOOST_TEST(std::all_of(left.begin(), left.end(), [&](const std::string& key) {
                return key.starts_with(made.endpoint.id + "/");
            }));
        }
    }
    BOOST_TEST(records("webhook_sent").empty());
    BOOST_TEST(records("webhook_parked").size() == 2U);  // those of the one that is there stay
    BOOST_TEST(records("webhook_attempts").size() >= 2U);
}

// Endpoints of one kind share the body of an event; those with other rights get their own.
BOOST_AUTO_TEST_CASE(endpoints_of_a_kind_get_equal_bytes_and_others_their_own) {
    webhook_draft brief{"https://example.test/brief"};
    brief.content = webhook_content::reference;
    const auto full = endpoint({"https://example.test/a"});
    const auto full_too = endpoint({"https://example.test/b"});
    const auto owners = endpoint({"https://example.test/c"}, {}, {.user = "1"});
    const auto reference = endpoint(std::move(brief));
    const auto it = sender();
    settle({it.get()});
    create("A");
    BOOST_REQUIRE(
        !front.execute({raise_event{"A", "cancel", "wrong colour"}, {}, {}, {}, "client", ""}).ec);
    settle({it.get()});
    const auto bodies = [&](const webhook_change& of) {
        std::vector<std::string> out;
        for (const auto& one : post.came) {
            if (one.what.endpoint == of.endpoint.id) out.push_back(one.what.body);
        }
        return out;
    };
    BOOST_TEST(bodies(full).size() == 2U);
    BOOST_TEST(bodies(full) == bodies(full_too), boost::test_tools::per_element());
    for (const std::string& one : bodies(reference)) {
        BOOST_TEST(one.find(R"("order":)") == std::string::npos);
    }
    BOOST_TEST(bodies(reference).size() == 2U);
    BOOST_REQUIRE(bodies(owners).size() == 2U);
    BOOST_TEST(bodies(full)[1].find("wrong colour") != std::string::npos);
    BOOST_TEST(bodies(owners)[1].find("wrong colour") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
