// Statuses of your own, with two stages of automated work: packing and shipping, each with its own
// attempts, retries and failed status. An order that could not be shipped is shipped later without
// being packed again. Customers may send back what was shipped. Prints the machine for people.

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <cstdio>
#include <future>
#include <string>
#include <string_view>
#include <vector>

using namespace orderproc;

namespace {

// A stage brings the moves of its work: claiming, giving back, failing. What the work leads to,
// and what people do, are the rules.
result<status_machine> make_shop() {
    const std::vector<work_stage> stages{
        {"PAID", "pack", "PACKING", "unpack", "fail_packing", "PACKING_FAILED"},
        {"PACKED", "ship", "SHIPPING", "unship", "fail_shipping", "SHIPPING_FAILED"}};
    const std::vector<transition_rule> rules{
        {"PACKING", "packed", "PACKED"},
        {"SHIPPING", "shipped", "SHIPPED"},
        {"SHIPPED", "return", "RETURNED", true},  // by clients
        {"PACKING_FAILED", "retry_packing", "PAID", true},
        {"SHIPPING_FAILED", "retry_shipping", "PACKED", true}};  // it is packed already
    return status_machine::build("PAID", rules, stages);
}

// One processor for both stages: the order's status tells which work it is.
class warehouse {
public:
    verdict work_on(const order& it) {
        if (it.status == order_status("PACKING")) return advance{"packed"};
        // The carrier does not answer at first, and then refuses. Packing is not done again.
        switch (++calls_) {
            case 1:
                return retry_later{"no answer", std::chrono::milliseconds(5)};
            case 2:
                return give_up{"on strike"};
            default:
                return advance{"shipped"};
        }
    }

private:
    int calls_ = 0;
};

class until_settled final : public observer {
public:
    void transition_committed(const transition_report& it) noexcept override {
        if (it.after.status == order_status("SHIPPING_FAILED")) failed.set_value();
        if (it.after.status == order_status("SHIPPED")) shipped.set_value();
    }
    std::promise<void> failed, shipped;
};

command order_of(std::int64_t user) {
    submit_order create;
    create.value.user = std::to_string(user);
    create.value.item_ids = {1001, 1001, 1002};  // two of the first
    create.value.total_amount = {5997, "EUR"};
    return {.what = std::move(create)};
}

}  // namespace

int main() {
    const auto shop = make_shop();
    if (!shop) return std::fprintf(stderr, "%s\n", shop.error().message().c_str()), 1;
    std::printf("%s\n", shop->to_mermaid().c_str());

    const auto stored = make_memory_storage();
    until_settled watch;
    warehouse staff;
    const auto work =
        make_processor([&](const order& it, std::stop_token) { return staff.work_on(it); }, 1);
    engine orders(*stored, *shop, system_runtime(watch));
    worker works(orders, *work);
    works.start().value();

    const change_outcome made = orders.execute(order_of(7));
    if (made.ec) return std::fprintf(stderr, "%s\n", made.ec.message().c_str()), 1;
    const std::string id(made.after->id.view());
    watch.failed.get_future().wait();
    const change_outcome again = orders.execute(
        {.what = raise_event{id, "retry_shipping", "the strike is over"}, .actor = "support:anna"});
    if (again.ec) return std::fprintf(stderr, "%s\n", again.ec.message().c_str()), 1;
    watch.shipped.get_future().wait();

    // A customer may raise what is open to clients; to look at that is the host's part.
    const transition* const event = shop->find("return");
    if (!event || !event->open_to_clients) return 1;
    const change_outcome returned =
        orders.execute({.what = raise_event{id, "return", "too small"}, .actor = "user:7"});
    if (returned.ec) return std::fprintf(stderr, "%s\n", returned.ec.message().c_str()), 1;
    works.stop(std::chrono::seconds(10));

    reader reads(*stored);
    const auto entries =
        reads.use([&](repository_reader& from) { return from.history({.order = id}); }).value();
    std::string events;
    for (const journal_entry& it : entries) {
        std::printf("%-14s -> %-15s %s\n", it.event.c_str(),
                    std::string(it.after.status.view()).c_str(), it.reason.c_str());
        events += it.event + " ";
    }
    const std::string expected =
        "create pack packed ship unship ship fail_shipping retry_shipping ship shipped return ";
    return events == expected ? 0 : 1;
}
