#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;
using testing::order_builder;

BOOST_AUTO_TEST_CASE(an_order_as_it_is_is_valid) {
    const order it = order_builder{}.build();
    BOOST_TEST(validate(it).has_value());
    BOOST_TEST(it.id.empty());
    BOOST_TEST((order_builder{}.build() == it));
}

BOOST_AUTO_TEST_CASE(an_order_is_what_was_said) {
    const order it = order_builder{}
                         .id("ORD-1")
                         .user(7)
                         .items({1, 2, 2})
                         .total("149.99")
                         .metadata(R"({"a":1})")
                         .status("PAID")
                         .build();
    BOOST_TEST(it.id.view() == "ORD-1");
    BOOST_TEST(it.user == "7");
    BOOST_TEST(it.item_ids == (std::vector<std::int64_t>{1, 2, 2}));
    BOOST_TEST((it.total_amount == money{14999, "USD"}));
    BOOST_TEST(it.metadata == R"({"a":1})");
    BOOST_TEST((it.status == order_status("PAID")));
    BOOST_TEST((order_builder{}.total("150", "JPY").build().total_amount == money{150, "JPY"}));
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_named) {
    const auto says = [](const auto& body) -> std::string {
        try {
            body();
        } catch (const std::invalid_argument& why) {
            return why.what();
        }
        return "nothing";
    };
    BOOST_TEST(says([] { order_builder{}.id("batch"); }) == "not an order id: \"batch\"");
    BOOST_TEST(says([] { order_builder{}.status("paid"); }) == "not a status: \"paid\"");
    BOOST_TEST(says([] { order_builder{}.total("1.999"); }) ==
               "not an amount of its currency: \"1.999 USD\"");
    BOOST_TEST(says([] { order_builder{}.total("1", "XX"); }) ==
               "not an amount of its currency: \"1 XX\"");
}

BOOST_AUTO_TEST_CASE(commands_are_lowered_to_what_they_say) {
    testing::manual_clock time;
    testing::seeded_random chance;
    observer nobody;
    runtime with{time, chance, nobody};
    const auto lowered = [&](command what) {
        return lower(std::move(what), status_machine::standard(), with).value();
    };
    const change made = lowered(order_builder{}.id("A").user(7).submit(
        {.key = "k", .scope = {"7", {}}, .actor = "me", .traceparent = "00-1"}));
    BOOST_TEST(made.order == "A");
    BOOST_TEST(made.event == "create");
    BOOST_TEST(made.actor == "me");
    BOOST_TEST(made.traceparent == "00-1");
    BOOST_TEST((made.scope.user == "7"));
    BOOST_TEST((made.idempotency_key->key == testing::idempotency_of("k").key));

    const change cancel = lowered(testing::raise("A", "cancel", {.version = 3}));
    BOOST_TEST(cancel.event == "cancel");
    BOOST_TEST((cancel.version == order_version{3}));
    BOOST_TEST(!cancel.idempotency_key);
    BOOST_TEST(cancel.scope.everybody());
    BOOST_TEST(lowered(testing::erase("A")).event == "delete");
    const change edit =
        lowered(testing::edit("A", order_builder{}.user(9).items({5}).total("2").build()));
    const order_content& fields = std::get<edit_order>(edit.action).content;
    BOOST_TEST(fields.user == "9");
    BOOST_TEST(fields.item_ids == std::vector<std::int64_t>{5});
    BOOST_TEST((fields.total_amount == money{200, "USD"}));
}

BOOST_AUTO_TEST_CASE(keys_and_bodies_differ_as_their_texts_do) {
    std::set<digest> seen;
    for (int i = 0; i < 10'000; ++i) {
        BOOST_TEST_REQUIRE(seen.insert(testing::idempotency_of(std::to_string(i)).key).second);
    }
    const idempotency one = testing::idempotency_of("k", "a");
    BOOST_TEST((one.key == testing::idempotency_of("k", "b").key));
    BOOST_TEST((one.body != testing::idempotency_of("k", "b").body));
}
