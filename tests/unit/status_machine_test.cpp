#include <orderproc/status_machine.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;

namespace {

// By hand, from the description of the standard machine: what each event makes of each status.
struct cell {
    std::string_view from, event, to;  // to: empty if the event is refused there
};
std::ostream& operator<<(std::ostream& out, const cell& it) {
    return out << it.from << " -" << it.event << "-> " << it.to;
}

// clang-format off
constexpr std::array<cell, 30> standard_table{{
    {"PENDING",    "start", "PROCESSING"}, {"PENDING",    "complete", ""},          {"PENDING",    "release", ""},
    {"PENDING",    "fail",  "FAILED"},     {"PENDING",    "cancel", "CANCELLED"},   {"PENDING",    "retry", ""},
    {"PROCESSING", "start", ""},           {"PROCESSING", "complete", "COMPLETED"}, {"PROCESSING", "release", "PENDING"},
    {"PROCESSING", "fail",  "FAILED"},     {"PROCESSING", "cancel", ""},            {"PROCESSING", "retry", ""},
    {"COMPLETED",  "start", ""},           {"COMPLETED",  "complete", ""},          {"COMPLETED",  "release", ""},
    {"COMPLETED",  "fail",  ""},           {"COMPLETED",  "cancel", ""},            {"COMPLETED",  "retry", ""},
    {"CANCELLED",  "start", ""},           {"CANCELLED",  "complete", ""},          {"CANCELLED",  "release", ""},
    {"CANCELLED",  "fail",  ""},           {"CANCELLED",  "cancel", ""},            {"CANCELLED",  "retry", ""},
    {"FAILED",     "start", ""},           {"FAILED",     "complete", ""},          {"FAILED",     "release", ""},
    {"FAILED",     "fail",  ""},           {"FAILED",     "cancel", ""},            {"FAILED",     "retry", "PENDING"},
}};
// clang-format on

std::vector<std::string> names(std::span<const order_status> statuses) {
    std::vector<std::string> out;
    for (const order_status it : statuses) out.emplace_back(it.view());
    return out;
}

const std::vector<transition_rule> shop_rules{{"PACKING", "packed", "PACKED"},
                                              {"SHIPPING", "shipped", "SHIPPED"},
                                              {"SHIPPED", "return", "RETURNED", true},
                                              {"FAILED", "retry", "PAID", true}};
const std::vector<work_stage> shop_stages{
    {"PAID", "pack_start", "PACKING", "pack_release", "fail", "FAILED"},
    {"PACKED", "ship_start", "SHIPPING", "ship_release", "fail", "FAILED"}};

struct refused_machine {
    std::string name;
    order_status initial;
    std::vector<transition_rule> rules;
    std::vector<work_stage> stages;
    std::string detail;
};
std::ostream& operator<<(std::ostream& out, const refused_machine& it) {
    return out << it.name;
}

const work_stage usual{"PENDING", "start", "PROCESSING", "release", "fail", "FAILED"};
const transition_rule complete{"PROCESSING", "complete", "COMPLETED"};
constexpr auto bad_name =
    ": an event is [a-z][a-z0-9_]{0,31} and not \"create\", \"edit\", "
    "\"delete\", \"annotate\" or \"redact\"";
const std::string too_long(33, 'a');

const std::vector<refused_machine> refused_machines{
    {"no initial", {}, {}, {}, "no initial status"},
    {"no from", "A", {{{}, "go", "B"}}, {}, " –go→ B: it has no status to start from"},
    {"no to", "A", {{"A", "go", {}}}, {}, "A –go→ : it has no status to lead to"},
    {"empty event", "A", {{"A", "", "B"}}, {}, std::string("A –→ B") + bad_name},
    {"upper case", "A", {{"A", "Go", "B"}}, {}, std::string("A –Go→ B") + bad_name},
    {"leading digit", "A", {{"A", "1go", "B"}}, {}, std::string("A –1go→ B") + bad_name},
    {"hyphen", "A", {{"A", "go-on", "B"}}, {}, std::string("A –go-on→ B") + bad_name},
    {"long", "A", {{"A", too_long, "B"}}, {}, "A –" + too_long + "→ B" + bad_name},
    {"create", "A", {{"A", "create", "B"}}, {}, std::string("A –create→ B") + bad_name},
    {"edit", "A", {{"A", "edit", "B"}}, {}, std::string("A –edit→ B") + bad_name},
    {"delete", "A", {{"A", "delete", "B"}}, {}, std::string("A –delete→ B") + bad_name},
    {"annotate", "A", {{"A", "annotate", "B"}}, {}, std::string("A –annotate→ B") + bad_name},
    {"redact", "A", {{"A", "redact", "B"}}, {}, std::string("A –redact→ B") + bad_name},
    {"bad event of a stage",
     "PENDING",
     {complete},
     {{"PENDING", "Start", "PROCESSING", "release", "fail", "FAILED"}},
     std::string("PENDING –Start→ PROCESSING") + bad_name},
    {"two targets",
     "PENDING",
     {{"PENDING", "ship", "SENT"}, {"SENT", "ship", "SHIPPED"}},
     {},
     "SENT –ship→ SHIPPED: elsewhere the event leads to SENT"},
    {"two targets with a stage",
     "PENDING",
     {complete, {"PENDING", "fail", "CANCELLED"}},
     {usual},
     "PROCESSING –fail→ FAILED: elsewhere the event leads to CANCELLED"},
    {"open and closed",
     "A",
     {{"A", "go", "B"}, {"B", "go", "B", true}},
     {},
     "B –go→ B: elsewhere the event is closed to clients"},
    {"open start",
     "PENDING",
     {complete, {"PENDING", "start", "PROCESSING", true}},
     {usual},
     "PENDING –start→ PROCESSING: elsewhere the event is open to clients"},
    {"scope of what is closed",
     "A",
     {{"A", "go", "B", false, "operate"}},
     {},
     "A –go→ B: only an event that is open to clients has a scope"},
    {"bad scope",
     "A",
     {{"A", "go", "B", true, "Operate"}},
     {},
     "A –go→ B: a scope is [a-z][a-z0-9_:.-]{0,31}"},
    {"two scopes",
     "A",
     {{"A", "go", "B", true, "operate"}, {"B", "go", "B", true}},
     {},
     "B –go→ B: elsewhere the event has the scope operate"},
    {"unreachable",
     "A",
     {{"A", "go", "B"}, {"C", "come", "B"}},
     {},
     "C –come→ B: nothing leads to C"},
    {"unreachable ring",
     "A",
     {{"C", "there", "D"}, {"D", "back", "C"}},
     {},
     "C –there→ D: nothing leads to C"},
    {"unreachable stage",
     "A",
     {complete, {"FAILED", "retry", "PENDING", true}},
     {usual},
     "PROCESSING –complete→ COMPLETED: nothing leads to PROCESSING"},
    {"entered by another event",
     "PENDING",
     {complete, {"COMPLETED", "again", "PROCESSING"}},
     {usual},
     "COMPLETED –again→ PROCESSING: work begins by the event start"},
    {"active to itself",
     "PENDING",
     {complete, {"PROCESSING", "more", "PROCESSING"}},
     {usual},
     "PROCESSING –more→ PROCESSING: work begins by the event start"},
    {"start from elsewhere",
     "PENDING",
     {complete, {"COMPLETED", "start", "PROCESSING"}},
     {usual},
     "COMPLETED –start→ PROCESSING: only claims raise it, and in PENDING"},
    {"created active",
     "PROCESSING",
     {complete},
     {usual},
     "stage PROCESSING: no order is created in the midst of work"},
    {"no way out",
     "PENDING",
     {},
     {usual},
     "stage PROCESSING: work in it can only be released or fail"},
    {"waiting is active",
     "PENDING",
     {},
     {{"PENDING", "start", "PENDING", "release", "fail", "FAILED"}},
     "stage PENDING: an order cannot wait in the status in which it is worked on"},
    {"shared waiting",
     "PENDING",
     {complete},
     {usual, {"PENDING", "start2", "WORKING", "release2", "fail", "FAILED"}},
     "stage WORKING: PENDING belongs to stage PROCESSING"},
    {"shared active",
     "PENDING",
     {complete},
     {usual, {"READY", "start2", "PROCESSING", "release2", "fail", "FAILED"}},
     "stage PROCESSING: PROCESSING belongs to stage PROCESSING"},
    {"active waits elsewhere",
     "PENDING",
     {complete},
     {usual, {"PROCESSING", "start2", "WORKING", "release2", "fail", "FAILED"}},
     "stage WORKING: PROCESSING belongs to stage PROCESSING"},
    {"shared start",
     "PENDING",
     {complete},
     {usual, {"COMPLETED", "start", "WORKING", "release2", "fail", "FAILED"}},
     "stage WORKING: start belongs to stage PROCESSING"},
    {"shared release",
     "PENDING",
     {complete},
     {usual, {"COMPLETED", "start2", "WORKING", "release", "fail", "FAILED"}},
     "stage WORKING: release belongs to stage PROCESSING"},
    {"fails into waiting",
     "PENDING",
     {complete},
     {{"PENDING", "start", "PROCESSING", "release", "fail", "PENDING"}},
     "stage PROCESSING: it fails to PENDING, where work goes on"},
    {"fails into another stage",
     "PENDING",
     {complete, {"REFUNDING", "refunded", "REFUNDED"}},
     {{"PENDING", "start", "PROCESSING", "release", "fail", "REFUND_DUE"},
      {"REFUND_DUE", "refund", "REFUNDING", "hold", "give_up", "LOST"}},
     "stage PROCESSING: it fails to REFUND_DUE, where work goes on"},
    {"failed goes on by itself",
     "PENDING",
     {complete, {"FAILED", "requeue", "PENDING"}},
     {usual},
     "FAILED –requeue→ PENDING: what failed stays so until a client moves it"},
};

}  // namespace

BOOST_DATA_TEST_CASE(the_standard_machine_moves_as_its_table_says, data::make(standard_table)) {
    const auto& machine = status_machine::standard();
    const order_status from = order_status::parse(sample.from).value();
    const transition* event = machine.find(sample.event);
    BOOST_TEST_REQUIRE(event);
    const bool allowed = std::count(event->from.begin(), event->from.end(), from) == 1;
    BOOST_TEST(allowed == !sample.to.empty());
    if (allowed) BOOST_TEST(event->to.view() == sample.to);
    const auto events = machine.allowed(from);
    BOOST_TEST((std::count(events.begin(), events.end(), sample.event) == 1) == allowed);
}

BOOST_AUTO_TEST_CASE(the_standard_machine_has_nothing_else) {
    const auto& machine = status_machine::standard();
    BOOST_TEST(machine.statuses().size() * machine.transitions().size() == standard_table.size());
    BOOST_TEST(machine.initial().view() == "PENDING");
    BOOST_TEST(machine.statuses()[0].view() == "PENDING");
    for (const transition& it : machine.transitions()) {
        BOOST_TEST(it.open_to_clients == (it.event == "cancel" || it.event == "retry"), it.event);
        BOOST_TEST(it.scope == (it.event == "retry"    ? "operate"
                                : it.event == "cancel" ? "orders:write"
                                                       : ""),
                   it.event);
    }
    BOOST_TEST(!machine.find("ship"));
    BOOST_TEST(!machine.find(""));
    BOOST_TEST(!machine.contains("SHIPPED"));
    BOOST_TEST(!machine.contains(order_status{}));
    BOOST_TEST(machine.allowed("SHIPPED").empty());
}

BOOST_AUTO_TEST_CASE(final_and_settled_are_told_apart) {
    const auto& machine = status_machine::standard();
    struct row {
        order_status status;
        bool final, settled, waiting, active;
    };
    for (const row& it :
         {row{"PENDING", false, false, true, false}, row{"PROCESSING", false, false, false, true},
          row{"COMPLETED", true, true, false, false}, row{"CANCELLED", true, true, false, false},
          row{"FAILED", false, true, false, false}, row{"SHIPPED", false, false, false, false}}) {
        BOOST_TEST_CONTEXT(it.status.view()) {
            BOOST_TEST(machine.is_final(it.status) == it.final);
            BOOST_TEST(machine.is_settled(it.status) == it.settled);
            BOOST_TEST((machine.stage_waiting_in(it.status) != nullptr) == it.waiting);
            BOOST_TEST((machine.stage_active_in(it.status) != nullptr) == it.active);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_status_that_a_host_may_move_is_not_settled) {
    const std::vector<transition_rule> rules{{"DRAFT", "submit", "SENT", true},
                                             {"SENT", "accept", "DONE"},
                                             {"SENT", "recall", "DRAFT", true}};
    const auto machine = status_machine::build("DRAFT", rules, {});
    BOOST_TEST_REQUIRE(machine.has_value());
    BOOST_TEST(machine->is_settled("DRAFT"));
    BOOST_TEST(!machine->is_settled("SENT"));
    BOOST_TEST(machine->is_settled("DONE"));
}

BOOST_AUTO_TEST_CASE(a_machine_may_have_several_stages) {
    const auto machine = status_machine::build("PAID", shop_rules, shop_stages).value();
    const std::vector<std::string> expected{"PAID",    "PACKING",  "PACKED", "SHIPPING",
                                            "SHIPPED", "RETURNED", "FAILED"};
    BOOST_TEST(names(machine.statuses()) == expected, boost::test_tools::per_element());
    BOOST_TEST_REQUIRE(machine.stages().size() == 2U);
    BOOST_TEST(machine.stage_waiting_in("PACKED") == &machine.stages()[1]);
    BOOST_TEST(machine.stage_active_in("PACKING") == &machine.stages()[0]);
    const std::vector<std::string> failing{"PACKING", "PAID", "SHIPPING", "PACKED"};
    BOOST_TEST(names(machine.find("fail")->from) == failing, boost::test_tools::per_element());
    BOOST_TEST(!machine.is_settled("PACKED"));
    BOOST_TEST(machine.is_settled("SHIPPED"));
    BOOST_TEST(!machine.is_final("SHIPPED"));
    BOOST_TEST(machine.is_final("RETURNED"));
    BOOST_TEST(machine.is_settled("FAILED"));
    BOOST_TEST(machine.find("return")->open_to_clients);
}

BOOST_AUTO_TEST_CASE(the_initial_status_comes_first_wherever_rules_name_it) {
    const std::vector<transition_rule> rules{{"B", "back", "A"}, {"A", "go", "B"}};
    const auto machine = status_machine::build("A", rules, {}).value();
    BOOST_TEST(machine.statuses()[0].view() == "A");
    BOOST_TEST(machine.statuses()[1].view() == "B");
}

BOOST_AUTO_TEST_CASE(rules_may_repeat_what_a_stage_brings_and_each_other) {
    const std::vector<transition_rule> rules{complete,
                                             complete,
                                             {"PENDING", "start", "PROCESSING"},
                                             {"PROCESSING", "release", "PENDING"},
                                             {"PENDING", "fail", "FAILED"}};
    const auto machine = status_machine::build("PENDING", rules, {&usual, 1});
    BOOST_TEST_REQUIRE(machine.has_value());
    BOOST_TEST(machine->transitions().size() == 4U);
    BOOST_TEST(machine->find("complete")->from.size() == 1U);
    BOOST_TEST(machine->find("start")->from.size() == 1U);
    BOOST_TEST(machine->find("fail")->from.size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_longest_event_is_taken) {
    const std::string name = "a" + std::string(29, '0') + "_z";
    const std::vector<transition_rule> rules{{"A", name, "B"}};
    BOOST_TEST(status_machine::build("A", rules, {})->find(name) != nullptr);
}

BOOST_AUTO_TEST_CASE(views_outlive_the_rules_and_a_move) {
    // Names on the heap, some within the short-string size, freed before they are looked at.
    auto make = [] {
        const std::vector<std::string> words{"go", "take_it_and_pack_it_carefully", "let_go_of_it",
                                             "fail", "done"};
        const std::vector<transition_rule> rules{{"A", words[0], "B"}, {"C", words[4], "D"}};
        const std::vector<work_stage> stages{{"B", words[1], "C", words[2], words[3], "F"}};
        return status_machine::build("A", rules, stages).value();
    };
    status_machine first = make();
    const auto transitions = first.transitions();
    const auto stages = first.stages();
    const auto statuses = first.statuses();
    const transition* go = first.find("go");

    status_machine second = std::move(first);
    BOOST_TEST(transitions.data() == second.transitions().data());
    BOOST_TEST(statuses.data() == second.statuses().data());
    BOOST_TEST(go == second.find("go"));
    BOOST_TEST(go->event == "go");
    BOOST_TEST(stages[0].start == "take_it_and_pack_it_carefully");
    BOOST_TEST(stages[0].release == "let_go_of_it");
    BOOST_TEST(stages[0].fail == "fail");

    status_machine third = make();
    third = std::move(second);
    BOOST_TEST(go == third.find("go"));
    BOOST_TEST(go->event == "go");
}

BOOST_DATA_TEST_CASE(a_bad_table_is_refused_by_row, data::make(refused_machines)) {
    const auto machine = status_machine::build(sample.initial, sample.rules, sample.stages);
    BOOST_TEST_REQUIRE(!machine.has_value());
    BOOST_TEST(machine.error().code == make_error_code(errc::invalid_argument));
    BOOST_TEST(machine.error().detail == sample.detail);
}

BOOST_AUTO_TEST_CASE(it_draws_itself) {
    BOOST_TEST(status_machine::standard().to_mermaid() ==
               "stateDiagram-v2\n"
               "    %% (client): clients may raise the event\n"
               "    [*] --> PENDING\n"
               "    PENDING --> CANCELLED : cancel (client)\n"
               "    PENDING --> PROCESSING : start\n"
               "    PENDING --> FAILED : fail\n"
               "    PROCESSING --> COMPLETED : complete\n"
               "    PROCESSING --> PENDING : release\n"
               "    PROCESSING --> FAILED : fail\n"
               "    COMPLETED --> [*]\n"
               "    CANCELLED --> [*]\n"
               "    FAILED --> PENDING : retry (client)\n");
}

BOOST_AUTO_TEST_CASE(words_of_mermaids_own_are_drawn_under_another_name) {
    const std::vector<transition_rule> rules{{"NOTE", "state", "NOTES"}};
    BOOST_TEST(status_machine::build("NOTE", rules, {})->to_mermaid() ==
               "stateDiagram-v2\n"
               "    %% (client): clients may raise the event\n"
               "    status_NOTE : NOTE\n"
               "    [*] --> status_NOTE\n"
               "    status_NOTE --> NOTES : state\n"
               "    NOTES --> [*]\n");
}
