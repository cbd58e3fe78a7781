#ifndef ORDERPROC_TESTS_UNIT_LOWER_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_LOWER_FIXTURE_HPP

// An order, and a status machine with two stages.

#include <orderproc/command.hpp>

#include <vector>

namespace lower_fixture {

using namespace orderproc;

inline order valid_order() {
    order it;
    it.user_id = 5;
    it.item_ids = {1, 2, 2};
    it.total_amount = {1999, "EUR"};
    it.metadata = R"({"a":1})";
    return it;
}

inline const status_machine& shop() {
    static const status_machine instance = [] {
        const std::vector<transition_rule> rules{
            {"PACKING", "packed", "PACKED"},          {"SHIPPING", "shipped", "SHIPPED"},
            {"SHIPPED", "return", "RETURNED", true},  {"FAILED", "retry", "PAID", true},
            {"PAID", "cancel", "CANCELLED", true},    {"PACKED", "cancel", "CANCELLED", true},
            {"PACKING", "cancel", "CANCELLED", true},
        };
        const std::vector<work_stage> stages{
            {"PAID", "pack_start", "PACKING", "pack_release", "fail", "FAILED"},
            {"PACKED", "ship_start", "SHIPPING", "ship_release", "fail", "FAILED"}};
        return status_machine::build("PAID", rules, stages).value();
    }();
    return instance;
}

}  // namespace lower_fixture

#endif
