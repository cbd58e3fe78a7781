// Values that no two orders may have.

#include "testing/shop.hpp"

#include <chrono>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

order referred(std::string_view id, std::string reference) {
    return with(shop_order(id), "reference", std::move(reference));
}

void expect_taken(std::string_view what, std::string_view attribute, std::string_view holder,
                  const change_outcome& out) {
    expect_refused(what, errc::attribute_taken, out);
    expect_equal(std::string(what) + ", the attribute", unsigned{slot_of(attribute)},
                 unsigned{out.taken});
    expect(out.after && id_of(*out.after) == holder,
           std::string(what) + " does not name " + std::string(holder));
}

void a_unique_value_is_refused(bench& b) {
    b.use(shop());
    b.done(b.create(referred("A", "R-1")));
    expect_taken("a second order with the value", "reference", "A",
                 b.write(b.create(referred("B", "R-1"))));
    expect(!b.find("B"), "what was refused is there");
    b.done(b.create(referred("B", "R-2")));
    expect_taken("an edit to the value", "reference", "A",
                 b.write(b.edit("B", referred("B", "R-1"))));
    expect(b.found("B").attributes == referred("B", "R-2").attributes,
           "an edit that was refused was made");
    b.done(b.edit("A", with(referred("A", "R-1"), "channel", "web")));  // its own
    b.done(b.create(with(referred("C", "R-3"), "code", "7")));
    b.done(b.create(referred("D", "R-4")));
    expect_taken("an annotation to the value", "code", "C",
                 b.write(b.annotate("D", {{}, {{"code", "7"}}, {}})));
    expect_refused("an order that is there", errc::already_exists,
                   b.write(b.create(referred("B", "R-1"))));
    // A principal is told that the value is taken, and not by whose order.
    change theirs = b.create(referred("E", "R-1"));
    theirs.scope.user = "2";
    const change_outcome out = b.write(std::move(theirs));
    expect_refused("an order of another user with the value", errc::attribute_taken, out);
    expect(!out.after, "the order of another user is shown");
}

void a_unique_value_is_free_again(bench& b) {
    b.use(shop());
    b.done(b.create(referred("A", "R-1")));
    b.done(b.edit("A", referred("A", "R-2")));
    b.done(b.create(referred("B", "R-1")));
    b.done(b.erase("B"));
    b.done(b.create(referred("C", "R-1")));
    b.done(b.raise("C", "cancel"));
    expect_taken("the value of a settled order", "reference", "C",
                 b.write(b.create(referred("D", "R-1"))));
    if (b.orders().info().capabilities.has(capability::purge)) {
        b.advance(std::chrono::hours(1));
        b.write(purge_orders{b.now()});
        b.done(b.create(referred("D", "R-1")));
    }
    // Within one write too.
    const auto both =
        b.write(std::vector{b.edit("A", referred("A", "R-3")), b.create(referred("E", "R-2"))});
    expect_ok("an edit that frees a value", both[0]);
    expect_ok("an order that takes it", both[1]);
    const auto twice =
        b.write(std::vector{b.create(referred("F", "R-4")), b.create(referred("G", "R-4"))});
    expect_ok("the first of two", twice[0]);
    expect_taken("the second of two", "reference", "F", twice[1]);
}

void a_replay_comes_before_a_taken_value(bench& b) {
    b.use(shop());
    const change first = with_key(b.create(referred("A", "R-1")), key(1, 1));
    b.done(first);
    b.done(b.raise("A", "cancel"));
    change_outcome again = b.write(first);
    expect_ok("a replay of what has the value", again);
    expect(again.replayed, "it is not replayed");
    const change second = with_key(b.create(referred("B", "R-1")), key(2, 2));
    expect_refused("another one", errc::attribute_taken, b.write(second));
    b.done(b.erase("A"));
    again = b.write(second);  // a refusal is not remembered
    expect_ok("the same when the value is free", again);
    expect(!again.replayed, "a refusal was remembered");
    again = b.write(first);
    expect(again.replayed, "it is not replayed when another has the value");
}

void a_value_is_unique_within_its_tenant(bench& b) {
    b.use(shop());
    const auto coded = [](std::string_view id, std::string tenant) {
        order it = with(shop_order(id), "code", "7");
        it.tenant = std::move(tenant);
        return it;
    };
    b.done(b.create(coded("A", "north")));
    b.done(b.create(coded("B", "south")));
    expect_taken("a second one of the tenant", "code", "B", b.write(b.create(coded("C", "south"))));
    expect_taken("a second one of the other tenant", "code", "A",
                 b.write(b.create(coded("C", "north"))));
    list_params params = with_value("code", "7");
    params.descending = false;
    expect_equal("orders of both", std::vector<std::string>{"A", "B"}, ids_of(b.list(params)));
    params.scope.tenant = "south";
    expect_equal("of one", std::vector<std::string>{"B"}, ids_of(b.list(params)));
}

void unique_values_outlive_connections(bench& b) {
    b.use(shop());
    b.done(b.create(referred("A", "R-1")));
    b.close_writer();
    b.open_writer();
    expect_taken("by another connection", "reference", "A",
                 b.write(b.create(referred("B", "R-1"))));
    b.done(b.edit("A", referred("A", "R-2")));
    b.close_writer();
    b.open_writer();
    b.done(b.create(referred("B", "R-1")));
    expect_taken("the new value", "reference", "A", b.write(b.create(referred("C", "R-2"))));
}

constexpr entry entries[] = {
    {"a_unique_value_is_refused",
     "No two orders have a unique value; whoever may see the other one is told which it is.",
     a_unique_value_is_refused, capability::indexes},
    {"a_unique_value_is_free_again",
     "A unique value is free when its order has another one, was deleted or purged.",
     a_unique_value_is_free_again, capability::indexes},
    {"a_replay_comes_before_a_taken_value",
     "What has been done is replayed, whoever has its value now; a refusal is not remembered.",
     a_replay_comes_before_a_taken_value, capability::indexes},
    {"a_value_is_unique_within_its_tenant",
     "A value may be unique within its tenant alone, and is found across tenants.",
     a_value_is_unique_within_its_tenant, capability::indexes},
    {"unique_values_outlive_connections", "Unique values are those of all connections.",
     unique_values_outlive_connections, capability::indexes},
};

}  // namespace

std::vector<storage_case> unique_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
