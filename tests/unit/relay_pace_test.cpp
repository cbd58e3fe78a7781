// How fast the relay publishes: pages, rests and what is late.

#include "relay_fixture.hpp"

using namespace orderproc;
using namespace shop_test;

namespace {

// A change that waits at the engine.
class waiting_change final : public completion {
public:
    explicit waiting_change(engine& at) : at_(at) {}
    void submit(const std::string& id) {
        order_draft it;
        it.id = order_id::parse(id).value();
        it.user = "1";
        it.item_ids = {7};
        it.total_amount = {100, "USD"};
        BOOST_REQUIRE(at_.submit({submit_order{std::move(it)}, {}, {}, {}, "", ""}, *this));
    }
    void complete(change_outcome&) noexcept override {}

private:
    engine& at_;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(pace, station)

BOOST_AUTO_TEST_CASE(what_comes_while_others_are_under_way_gathers_until_they_are_confirmed) {
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create("A");
    pass(200ms, {&it});
    create("B");
    create("C");
    pass(200ms, {&it});
    BOOST_TEST(post.texts() == (texts{"A create"}), boost::test_tools::per_element());
    post.decide(1);
    pass(200ms, {&it});
    BOOST_TEST(post.texts() == (texts{"A create", "B create", "C create"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_late_does_not_wait_for_confirms) {
    post.confirms = false;
    for (int i = 0; i < 520; ++i) create("A" + std::to_string(i));
    time.advance(2s);
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    pass(200ms, {&it});
    BOOST_TEST(post.submitted.size() == 520U);
}

// Entries keep the time of before a step back: by the clock they would not be late for an hour.
BOOST_AUTO_TEST_CASE(after_a_step_back_entries_do_not_wait_for_confirms) {
    post.confirms = false;
    for (int i = 0; i < 520; ++i) create("A" + std::to_string(i));
    time.step(-1h);
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    pass(200ms, {&it});
    BOOST_TEST(post.submitted.size() == 520U);
}

BOOST_AUTO_TEST_CASE(while_changes_wait_the_relay_rests_for_three_times_what_a_page_took) {
    waiting_change waits(front);
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    post.confirms = false;
    create("A");
    settle({&it});
    create("B");
    time.advance(20ms);
    waits.submit("C");
    post.decide(1);
    post.confirms = true;
    it.run_once();
    time.advance(59ms);
    BOOST_TEST((it.run_once().next_due == time.monotonic() + 1ms));
    BOOST_TEST(post.texts() == (texts{"A create"}), boost::test_tools::per_element());
    time.advance(1ms);
    it.run_once();
    BOOST_TEST(post.texts() == (texts{"A create", "B create"}), boost::test_tools::per_element());
    settle({&it});
    BOOST_TEST(post.submitted.size() == 3U);
}

BOOST_AUTO_TEST_CASE(what_is_late_does_not_rest) {
    waiting_change waits(front);
    create("A");
    time.advance(2s);
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    create("B");
    time.advance(20ms);
    waits.submit("C");
    post.decide(1);
    post.confirms = true;
    it.run_once();
    it.run_once();
    BOOST_TEST(post.texts() == (texts{"A create", "B create"}), boost::test_tools::per_element());
    settle({&it});
}

BOOST_AUTO_TEST_CASE(who_does_not_give_way_waits_for_no_confirms) {
    post.confirms = false;
    auto options = quiet();
    options.max_publish_lag = 0ms;
    relay it(front, journal, post, options);
    BOOST_REQUIRE(it.start());
    settle({&it});
    create("A");
    pass(200ms, {&it});
    create("B");
    pass(200ms, {&it});
    BOOST_TEST(post.texts() == (texts{"A create", "B create"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
