// An inventory as a shop would plug it in: unknown items are refused before an order is stored, all
// items of an order are reserved together or none, whatever is retried takes them once, and an
// order that fails or is cancelled gives them back. Two orders never get the same last item.

#include <orderproc/engine.hpp>
#include <orderproc/items.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <mutex>
#include <semaphore>
#include <string>
#include <vector>

using namespace orderproc;

namespace {

using counts = std::map<std::string, std::int64_t, std::less<>>;  // by SKU

// In memory, so it is filled again at each start. One in a database has the same three
// operations, each a transaction, and follows the feed (06) so that no release is missed.
class inventory final : public item_checker, public observer {
public:
    explicit inventory(counts stock) : stock_(std::move(stock)) {}

    result<void> check(std::span<const std::string_view> skus,
                       std::vector<std::size_t>& unknown) override {
        const std::lock_guard lock(mutex_);
        for (std::size_t i = 0; i < skus.size(); ++i) {
            if (!stock_.contains(skus[i])) unknown.push_back(i);
        }
        return {};
    }

    // The key is the same at every attempt: what it has already is not taken again.
    bool reserve(const order& it, std::string_view key) {
        const std::lock_guard lock(mutex_);
        auto& held = held_[std::string(it.id.view())];
        if (held.contains(key)) return true;
        counts wanted;  // two lines may be of the same item
        for (const order_line& line : it.lines) wanted[line.sku] += line.quantity;
        for (const auto& [sku, count] : wanted) {
            if (stock_[sku] < count) return false;
        }
        for (const auto& [sku, count] : wanted) stock_[sku] -= count;
        held.emplace(key, std::move(wanted));
        return true;
    }

    void transition_committed(const transition_report& it) noexcept override {
        const bool over = it.event == "fail" || it.event == "cancel";
        if (over) release(std::string(it.after.id.view()));  // before a client's retry can follow
        if (over || it.completed) told.release();
    }
    void attempt_finished(const attempt_report& it) noexcept override {
        if (it.outcome == attempt_outcome::retried && it.order == "LATER") told.release();
    }

    int left(const std::string& sku) {
        const std::lock_guard lock(mutex_);
        return static_cast<int>(stock_[sku]);
    }
    std::counting_semaphore<> told{0};

private:
    void release(const std::string& id) {
        const std::lock_guard lock(mutex_);
        for (const auto& [key, items] : held_[id]) {
            for (const auto& [sku, count] : items) stock_[sku] += count;
        }
        held_.erase(id);
    }

    std::mutex mutex_;
    counts stock_;
    std::map<std::string, std::map<std::string, counts, std::less<>>> held_;  // order, key, items
};

// Reserves, then charges. Both are quick here; what is slow takes the job elsewhere and returns.
struct fulfilment final : processor {
    explicit fulfilment(inventory& items) : stock(items) {}
    void start(job it) override {
        const auto id = it.value().id.view();
        verdict said = advance{"complete"};
        if (!stock.reserve(it.value(), it.idempotency_key())) {
            said = give_up{"out of stock"};
        } else if (id == "LATER") {
            said = retry_later{"the bank is closed", std::chrono::hours(1)};
        } else if (it.attempt() == 1) {
            said = retry_later{"no answer", std::chrono::milliseconds(1)};  // keeps what it has
        } else if (id == "BROKE") {
            said = give_up{"the card was refused"};
        }
        std::move(it).finish(std::move(said));
    }
    inventory& stock;
};

struct question final : item_completion {
    void complete(error_code ec, std::span<const std::size_t> unknown) noexcept override {
        may_order.set_value(!ec && unknown.empty());
    }
    std::promise<bool> may_order;
};

bool place(engine& orders, item_gate& gate, std::string_view id, std::vector<order_line> lines) {
    submit_order submit;
    submit.value.id = order_id::parse(id).value();
    submit.value.user = "7";
    submit.value.total_amount = {100, "USD"};
    submit.value.lines = std::move(lines);
    question asked;
    std::vector<std::string> skus;
    append_skus(submit.value, skus);
    if (!gate.submit(skus, asked) || !asked.may_order.get_future().get()) return false;
    return !orders.execute({.what = std::move(submit)}).ec;
}

}  // namespace

int main() {
    const std::string lamp = "LAMP-17", chair = "CHAIR-OAK", table = "TABLE-OAK-200";
    inventory stock({{lamp, 1}, {chair, 10}, {table, 5}});
    fulfilment work(stock);
    const auto stored = make_memory_storage();
    const order_model shop = order_model::build({.items = items_form::lines}).value();
    engine orders(*stored, status_machine::standard(), shop, system_runtime(stock));
    worker one(orders, work), two(orders, work);  // two threads at the same stock
    for (worker* it : {&one, &two}) it->start().value();
    item_gate gate(stock, orders.runtime());
    // Both want the only lamp; the one without it takes no chair either.
    const bool ok = place(orders, gate, "FIRST", {{lamp}, {chair}}) &&
                    place(orders, gate, "SECOND", {{chair}, {lamp}}) &&
                    place(orders, gate, "BROKE", {{table, 2}}) &&
                    place(orders, gate, "LATER", {{table}, {chair, 2}}) &&
                    !place(orders, gate, "UNKNOWN", {{lamp}, {"SOFA"}});
    if (!ok) return 1;
    for (int i = 0; i < 4; ++i) stock.told.acquire();  // three are settled, LATER waits
    if (orders.execute({.what = raise_event{"LATER", "cancel", "too slow"}}).ec) return 1;
    for (worker* it : {&one, &two}) it->stop(std::chrono::seconds(10));

    const int lamps = stock.left(lamp), chairs = stock.left(chair), tables = stock.left(table);
    std::printf("left: %d lamps, %d chairs, %d tables\n", lamps, chairs, tables);
    return lamps == 0 && chairs == 9 && tables == 5 ? 0 : 1;
}
