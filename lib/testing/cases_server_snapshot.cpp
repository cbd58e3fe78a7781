// Transactions of others that stay open.

#include "testing/server_kit.hpp"

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

constexpr int orders_counted = 50;   // of which the work is measured, each in writes of its own
constexpr int orders_first = 400;    // enough for indexes to be as deep before as they are later
constexpr int orders_between = 600;  // each leaves old versions behind
constexpr int at_a_time_first = 40;
constexpr int at_a_time_between = 5;

// Creates, claims and completes orders, so many in a write.
void work_on_orders(bench& b, const std::string& name, int orders, int at_a_time = 1) {
    for (int i = 0; i < orders; i += at_a_time) {
        b.advance(milliseconds(1));  // what is due later is further on in the queue
        std::vector<change> made;
        for (int j = i; j < i + at_a_time; ++j) made.push_back(b.create(name + "-" + show(j)));
        for (const change_outcome& it : b.write(std::move(made))) expect_ok("a create", it);
        const auto wanted = static_cast<std::size_t>(at_a_time);
        const claim_outcome claimed = b.write(b.claim_of("w", wanted));
        expect_equal("orders claimed", wanted, claimed.orders.size());
        std::vector<change> done;
        for (const claimed_order& it : claimed.orders) done.push_back(b.leave(it, "complete"));
        for (const change_outcome& it : b.write(std::move(done))) expect_ok("a change", it);
    }
}

std::uint64_t work_done(server_under_test& of, bench& b) {
    b.close();
    const auto out = of.harness.work_done();
    if (!out) throw case_skipped("the harness cannot count the server's work");
    b.open();
    return *out;
}

// What so many orders cost the server.
std::uint64_t work_of(server_under_test& of, bench& b, const std::string& name) {
    const std::uint64_t before = work_done(of, b);
    work_on_orders(b, name, orders_counted);
    return work_done(of, b) - before;
}

void old_snapshot_costs_nothing(server_under_test& of) {
    bench b(of.harness);
    of.storage_name = b.orders().info().name;
    work_on_orders(b, "first", orders_first, at_a_time_first);
    const std::uint64_t calm = work_of(of, b, "calm");
    expect(calm > 0, "the harness counts no work");
    if (!of.harness.hold_snapshot(true)) throw case_skipped("the harness cannot hold a snapshot");
    std::uint64_t late = 0;
    try {
        work_on_orders(b, "between", orders_between, at_a_time_between);
        late = work_of(of, b, "late");
    } catch (...) {
        of.harness.hold_snapshot(false);
        throw;
    }
    of.harness.hold_snapshot(false);
    expect(late <= 2 * calm, "with a snapshot held during " + show(orders_between) +
                                 " orders, the work for the next ones has grown from " +
                                 show(calm) + " to " + show(late));
    b.check_invariants();
}

constexpr server_entry entries[] = {
    {"an_old_snapshot_costs_nothing",
     "Writes cost the same while an old transaction keeps what they replace.",
     old_snapshot_costs_nothing},
};

}  // namespace

std::vector<server_case> server_snapshot_cases() {
    return server_cases_of<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
