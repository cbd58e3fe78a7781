// Which processor works on which stage, as it is typed.

#include "cli/stage_processor.hpp"

#include "cli/broker_settings.hpp"

#include <orderproc/work_queue_consumer.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
namespace data = boost::unit_test::data;

namespace {

using texts = std::vector<std::string>;

// Packing has one way out, shipping has two.
const status_machine& two_stages() {
    static const status_machine instance = [] {
        const std::array<transition_rule, 3> rules{{{"PACKING", "pack", "PACKED"},
                                                    {"SHIPPING", "ship", "SHIPPED"},
                                                    {"SHIPPING", "hand_over", "COLLECTED"}}};
        const std::array<work_stage, 2> stages{
            {{"PAID", "start_packing", "PACKING", "unpack", "spoil", "SPOILT"},
             {"PACKED", "start_shipping", "SHIPPING", "bring_back", "lose", "LOST"}}};
        return status_machine::build("PAID", rules, stages).value();
    }();
    return instance;
}

const status_machine& no_stage() {
    static const status_machine instance = [] {
        const std::array<transition_rule, 1> rules{{{"OPEN", "pay", "PAID"}}};
        return status_machine::build("OPEN", rules, {}).value();
    }();
    return instance;
}

std::string shown(const result<std::vector<stage_processor>>& all) {
    if (!all) return all.error().detail;
    std::string out;
    for (const stage_processor& it : *all) {
        out += std::string(it.stage.view()) + ":" + it.event + " " + it.text + ";";
    }
    return out;
}

struct refused {
    texts values;
    std::string why;
    friend std::ostream& operator<<(std::ostream& out, const refused& it) { return out << it.why; }
};

const refused all_refused[] = {
    {{"simulate:0"}, "name the stage, as in PACKING=simulate:0; the model has PACKING, SHIPPING"},
    {{"PICKING=simulate:0"}, "no stage \"PICKING\"; the model has PACKING, SHIPPING"},
    {{"PAID=simulate:0"}, "no stage \"PAID\"; the model has PACKING, SHIPPING"},
    {{"PACKING=simulate:0", "PACKING:pack=exec:x"}, "stage PACKING has a processor already"},
    {{"SHIPPING=simulate:0"},
     "name the event that the processor of SHIPPING raises, as in SHIPPING:ship=…; it has ship, "
     "hand_over"},
    {{"PACKING:ship=simulate:0"}, "\"ship\" does not end the work of PACKING, which pack can"},
    {{"PACKING:unpack=simulate:0"}, "\"unpack\" does not end the work of PACKING, which pack can"},
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_only_stage_need_not_be_named) {
    const status_machine& machine = status_machine::standard();
    BOOST_TEST(shown(stage_processors({"exec:pick --by=night"}, machine)) ==
               "PROCESSING:complete exec:pick --by=night;");
    BOOST_TEST(shown(stage_processors({"http://x/?A=b"}, machine)) ==
               "PROCESSING:complete http://x/?A=b;");
    BOOST_TEST(shown(stage_processors({"PROCESSING=simulate:2s,fail=0.1"}, machine)) ==
               "PROCESSING:complete simulate:2s,fail=0.1;");
}

BOOST_AUTO_TEST_CASE(stages_have_processors_of_their_own) {
    BOOST_TEST(shown(stage_processors({"SHIPPING:hand_over=exec:ship", "PACKING=simulate:0"},
                                      two_stages())) ==
               "SHIPPING:hand_over exec:ship;PACKING:pack simulate:0;");
    BOOST_TEST(shown(stage_processors({"PACKING=simulate:0"}, two_stages())) ==
               "PACKING:pack simulate:0;");
}

BOOST_DATA_TEST_CASE(what_is_no_processor_of_a_stage_is_refused, data::make(all_refused), it) {
    const auto read = stage_processors(it.values, two_stages());
    BOOST_TEST(shown(read) == it.why);
    BOOST_TEST((!read && read.error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(without_a_stage_there_is_nothing_to_work_on) {
    BOOST_TEST(shown(stage_processors({"simulate:0"}, no_stage())) ==
               "the model has no stage to work on");
    BOOST_TEST(shown(for_each_stage("simulate:2s", no_stage())) == "");
    BOOST_TEST(shown(for_each_stage("simulate:2s", status_machine::standard())) ==
               "PROCESSING:complete simulate:2s;");
}

BOOST_AUTO_TEST_CASE(each_of_several_stages_has_a_queue) {
    const broker_names names{"shop", "shop.events", "shop.work", "shop.poison"};
    BOOST_TEST(names.work_of("PROCESSING", status_machine::standard()) == "shop.work");
    BOOST_TEST(names.work_of("PACKING", two_stages()) == "shop.work.PACKING");
    BOOST_TEST(work_queue(two_stages(), "PACKING", "q").topics == texts{"order.create"},
               boost::test_tools::per_element());
    BOOST_TEST(work_queue(two_stages(), "SHIPPING", "q").topics == texts{"order.pack"},
               boost::test_tools::per_element());
}
