// A worker of some of the stages: what it leaves alone.

#include "scripted_broker.hpp"
#include "worker_fixture.hpp"

#include <orderproc/work_queue_consumer.hpp>

#include <array>

using namespace shop_test;

namespace {

const status_machine& two_stages() {
    static const status_machine instance = [] {
        const std::array<transition_rule, 2> rules{
            {{"PACKING", "pack", "PACKED"}, {"SHIPPING", "ship", "SHIPPED"}}};
        const std::array<work_stage, 2> stages{
            {{"PAID", "start_packing", "PACKING", "unpack", "spoil", "SPOILT"},
             {"PACKED", "start_shipping", "SHIPPING", "bring_back", "lose", "LOST"}}};
        return status_machine::build("PAID", rules, stages).value();
    }();
    return instance;
}

worker_options of(order_status stage) {
    worker_options out = quiet(std::string(stage.view()));
    out.stages = {stage};
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_worker_leaves_other_stages_to_others) {
    shop it(two_stages());
    desk packing;
    desk shipping;
    worker packs(it.front, packing, of("PACKING"));
    worker ships(it.front, shipping, of("SHIPPING"));
    BOOST_REQUIRE(packs.start());
    BOOST_REQUIRE(ships.start());
    it.create("A");
    it.settle({&packs, &ships});
    BOOST_TEST(shipping.started == 0U);
    BOOST_TEST(it.status("A") == "PACKING");
    packing.finish(advance{"pack"});
    it.settle({&packs});
    BOOST_TEST(packing.started == 1U);
    BOOST_TEST(it.status("A") == "PACKED");  // and stays so, until its worker comes
    it.settle({&packs, &ships});
    BOOST_TEST(it.status("A") == "SHIPPING");
    shipping.finish(advance{"ship"});
    it.settle({&packs, &ships});
    BOOST_TEST(it.status("A") == "SHIPPED");
}

BOOST_AUTO_TEST_CASE(a_stage_that_the_machine_does_not_have_is_refused) {
    shop it(two_stages());
    desk table;
    worker none(it.front, table, of("PAID"));
    const auto started = none.start();
    BOOST_REQUIRE(!started);
    BOOST_TEST((started.error().code == errc::invalid_argument));
    BOOST_TEST(started.error().detail ==
               "stages: the machine has no stage whose active status is PAID");
}

BOOST_AUTO_TEST_CASE(hints_of_other_stages_are_settled_at_once) {
    shop it(two_stages());
    desk table;
    worker ships(it.front, table, of("SHIPPING"));
    BOOST_REQUIRE(ships.start());
    it.create("A");
    std::size_t settled = 0;
    ships.hint(two_stages().stages()[0], {"A"}, [&](std::size_t more) { settled += more; });
    it.settle({&ships});
    BOOST_TEST(settled == 1U);
    BOOST_TEST(it.status("A") == "PAID");
}

BOOST_AUTO_TEST_CASE(a_consumer_of_a_stage_has_its_queue) {
    shop it(two_stages());
    desk table;
    worker ships(it.front, table, of("SHIPPING"));
    BOOST_REQUIRE(ships.start());
    scripted_broker post;
    work_queue_options options;
    options.threads = 0;
    options.stage = order_status("PAID");
    work_queue_consumer none(it.front, ships, post, options);
    BOOST_TEST(none.start().error().detail == "stage: not one of the machine");
    BOOST_TEST(work_queue(two_stages(), "SHIPPING", "q").name == "q");
    BOOST_TEST(work_queue(two_stages(), "SHIPPING", "q").topics ==
                   (std::vector<std::string>{"order.pack"}),
               boost::test_tools::per_element());
}
