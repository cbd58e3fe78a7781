#ifndef ORDERPROC_TESTS_UNIT_LOWER_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_LOWER_FIXTURE_HPP

// An order, and a status machine with two stages.

#include <orderproc/command.hpp>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lower_fixture {

using namespace orderproc;

inline order_draft valid_order() {
    order_draft it;
    it.user = "5";
    it.item_ids = {1, 2, 2};
    it.total_amount = {1999, "EUR"};
    it.metadata = R"({"a":1})";
    return it;
}

inline order_draft draft(std::string user, std::vector<std::int64_t> items, money total) {
    order_draft it;
    it.user = std::move(user);
    it.item_ids = std::move(items);
    it.total_amount = total;
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
