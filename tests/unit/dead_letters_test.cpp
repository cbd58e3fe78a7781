// What reasons have in common, and dead letters by reason.

#include "worker_fixture.hpp"

#include <orderproc/dead_letters.hpp>

#include <string>
#include <utility>
#include <vector>

using namespace shop_test;

namespace {

struct dead_shop {
    dead_shop() { BOOST_REQUIRE(one.start()); }
    void fail(const std::string& id, const std::string& reason) {
        it.create(id);
        it.settle({&one});
        table.finish(give_up{reason}, id);
        it.settle({&one});
        it.time.advance(1s);
    }
    dead_letter_groups groups(group_dead_letters_params params = {}) {
        auto reads = it.orders->connect_reader().value();
        return group_dead_letters(*reads, it.front.machine(), params).value();
    }
    std::string ids(list_dead_letters_params params, std::optional<list_position>* next = nullptr) {
        auto reads = it.orders->connect_reader().value();
        const auto page = list_dead_letters(*reads, it.front.machine(), params).value();
        std::string out;
        for (const order& each : page.orders) out += std::string(each.id.view()) + " ";
        if (next) *next = page.next;
        return out + (page.next ? "…" : "");
    }

    shop it;
    desk table;
    worker one{it.front, table, quiet("one")};
};

}  // namespace

BOOST_AUTO_TEST_CASE(reasons_of_one_cause_are_one) {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"", ""},
        {"no stock", "no stock"},
        {"payment gateway: 502 Bad Gateway", "payment gateway: # Bad Gateway"},
        {"payment 4711: 502 Bad Gateway", "payment #: # Bad Gateway"},
        {"order 6f1c9a52e7d04b is unknown", "order # is unknown"},
        {"at 0xdeadbeef", "at #"},
        {"user 550e8400-e29b-41d4-a716-446655440000 is blocked", "user # is blocked"},
        {"10.1.2.3:5432 refused", "# refused"},
        {"SKU \"T-1\" is unknown", "SKU # is unknown"},
        {"SKU 'T-1' is unknown", "SKU # is unknown"},
        {"can't reach the printer", "can't reach the printer"},
        {"ORD-01JQ8ZK4M2X7 is late", "ORD-# is late"},
        {"added face decade", "added face decade"},
        {"http2 is off", "http2 is off"},
        {"timed out after 300 s", "timed out after # s"},
        {"Zahlung für Ärmel 12", "Zahlung für Ärmel #"},
        {"an open \" quote 1", "an open \" quote #"},
    };
    for (const auto& [reason, group] : rows) BOOST_TEST(reason_group(reason) == group, reason);
    for (const auto& [reason, group] : rows) BOOST_TEST(reason_group(group) == group, group);
}

BOOST_AUTO_TEST_CASE(long_reasons_are_cut_between_characters) {
    std::string text;
    while (text.size() < 2 * reason_group_size_max) text += "ä ";
    const std::string group = reason_group("x" + text);
    BOOST_TEST(group.size() <= reason_group_size_max);
    BOOST_TEST(group.size() > reason_group_size_max - 4);
    BOOST_TEST(("x" + text).starts_with(group));
}

BOOST_AUTO_TEST_CASE(groups) {
    dead_shop of;
    BOOST_TEST(of.groups().groups.empty());
    BOOST_TEST(of.groups().complete);
    const timestamp began = of.it.time.now();
    of.fail("A", "payment 1: 502");
    of.fail("B", "no stock");
    of.fail("C", "payment 2: 502");
    of.fail("D", "");
    group_dead_letters_params params;
    params.recent_from = began + 2s;
    const dead_letter_groups all = of.groups(params);
    BOOST_TEST(all.orders == 4U);
    BOOST_TEST(all.looked_at == 4U);
    BOOST_TEST(all.other_orders == 0U);
    BOOST_TEST(all.complete);
    BOOST_REQUIRE_EQUAL(all.groups.size(), 3U);
    const dead_letter_group payment{"payment #: #", 2, began, began + 2s, 1, "C", "payment 2: 502"};
    BOOST_TEST((all.groups[0] == payment));
    BOOST_TEST(all.groups[1].reason == "");
    BOOST_TEST(all.groups[2].reason == "no stock");
}

BOOST_AUTO_TEST_CASE(groups_are_bounded) {
    dead_shop of;
    for (const char* id : {"A", "B", "C", "D"}) of.fail(id, id);
    group_dead_letters_params params;
    params.orders_max = 3;
    params.groups_max = 2;
    const dead_letter_groups some = of.groups(params);
    BOOST_TEST(some.orders == 4U);
    BOOST_TEST(some.looked_at == 3U);
    BOOST_TEST(!some.complete);
    BOOST_TEST(some.groups.size() == 2U);
    BOOST_TEST(some.other_orders == 1U);
}

// Whoever has little time gets what was looked at by then.
BOOST_AUTO_TEST_CASE(a_look_ends_when_it_is_enough) {
    dead_shop of;
    for (int i = 0; i < 101; ++i) of.fail("A-" + std::to_string(i), "x");
    group_dead_letters_params params;
    params.enough = [] { return true; };
    const dead_letter_groups some = of.groups(params);
    BOOST_TEST(some.orders == 101U);
    BOOST_TEST(some.looked_at == 100U);
    BOOST_TEST(!some.complete);
    params.enough = [] { return false; };
    BOOST_TEST(of.groups(params).complete);
}

BOOST_AUTO_TEST_CASE(the_orders_of_a_group_in_pages) {
    dead_shop of;
    of.fail("A", "payment 1");
    of.fail("B", "no stock");
    of.fail("C", "payment 2");
    of.fail("D", "payment 3");
    list_dead_letters_params params;
    params.reason = "payment #";
    BOOST_TEST(of.ids(params) == "D C A ");
    params.limit = 2;
    std::optional<list_position> next;
    BOOST_TEST(of.ids(params, &next) == "D C …");
    params.after = next;
    BOOST_TEST(of.ids(params, &next) == "A ");
    // A page looks at so many, and goes on where it ended.
    params.after.reset();
    params.limit = 1;
    params.reason = "no stock";
    params.rows_max = 2;
    BOOST_TEST(of.ids(params, &next) == "…");
    params.after = next;
    BOOST_TEST(of.ids(params, &next) == "B …");
    params.after = next;
    BOOST_TEST(of.ids(params, &next) == "");
    params.reason = "nothing";
    params.after.reset();
    params.rows_max = 1000;
    BOOST_TEST(of.ids(params) == "");
}

BOOST_AUTO_TEST_CASE(statuses_of_dead_letters) {
    const auto all = failed_statuses(status_machine::standard());
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    BOOST_TEST(all.front().view() == "FAILED");
}
