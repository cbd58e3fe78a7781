// Reacting to what goes wrong: retries are counted, a failure raises an alarm, all of it is logged
// by whatever log the host has. The order says why, and goes on when somebody has mended it.

#include <orderproc/engine.hpp>
#include <orderproc/log.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;

namespace {

// Called by several threads, and never with a lock held: short, and no more than notes.
class alarms final : public observer {
public:
    void attempt_finished(const attempt_report& it) noexcept override {
        if (it.outcome == attempt_outcome::retried) ++retries;
        if (it.failed) {  // no attempt is left, or the processor gave up: FAILED until a client…
            const std::lock_guard lock(mutex_);
            failed_[std::string(it.order)] = it.reason;  // …retries: page somebody
        }
        if (it.failed || it.outcome == attempt_outcome::advanced) settled.release();
    }
    std::map<std::string, std::string> take_failed() {
        const std::lock_guard lock(mutex_);
        return std::exchange(failed_, {});
    }
    std::atomic<int> retries{0};
    std::counting_semaphore<> settled{0};

private:
    std::mutex mutex_;
    std::map<std::string, std::string> failed_;
};

// One line a record, and only those fields that this host wants.
void print(const log_record& it) {
    std::string line(name_of(it.level));
    line.append(" ").append(it.event);
    for (const log_field& field : it.fields) {
        const auto* const text = std::get_if<std::string_view>(&field.value);
        if (text && !text->empty()) line.append(" ").append(field.name).append("=").append(*text);
    }
    std::printf("%s\n", line.c_str());
}

void place(engine& orders, const std::string& id) {
    submit_order submit;
    submit.value.id = order_id::parse(id).value();
    submit.value.user = "7";
    submit.value.item_ids = {1001};
    submit.value.total_amount = {100, "USD"};
    const auto made = orders.execute({.what = std::move(submit)});
    if (made.ec) throw boost::system::system_error(made.ec);
}

}  // namespace

int main() {
    std::atomic<bool> card_replaced{false};
    const auto work = make_processor(
        [&](const order& it, std::stop_token) -> verdict {
            const std::string_view id = it.id.view();
            if (id == "ORD-FLAKY" && it.attempts < 3) return retry_later{"no answer", {}};
            if (id == "ORD-DOWN") throw std::runtime_error("connection refused");  // a retry, too
            if (id == "ORD-STOLEN" && !card_replaced) return give_up{"the card was stolen"};
            return advance{"complete"};
        },
        1);

    alarms watch;
    log_observer log(print);  // info and above
    observers both({&log, &watch});
    const auto stored = make_memory_storage();
    engine orders(*stored, status_machine::standard(), system_runtime(both));
    worker_options options;
    options.retry = {.attempts_max = 3,
                     .base = std::chrono::milliseconds(5),  // seconds in earnest
                     .cap = std::chrono::milliseconds(20),
                     .jitter = 0.2};
    worker works(orders, *work, options);
    works.start().value();

    const std::vector<std::string> ids{"ORD-FINE", "ORD-FLAKY", "ORD-DOWN", "ORD-STOLEN"};
    for (const std::string& id : ids) place(orders, id);
    for (std::size_t i = 0; i < ids.size(); ++i) watch.settled.acquire();
    const auto failed = watch.take_failed();
    for (const auto& [id, reason] : failed) {
        std::printf("ALARM %s: %s\n", id.c_str(), reason.c_str());
    }

    // Somebody mended it: the attempts start again.
    card_replaced = true;
    const change_outcome again = orders.execute(
        {.what = raise_event{"ORD-STOLEN", "retry", "has a new card"}, .actor = "support:anna"});
    if (again.ec) return std::fprintf(stderr, "%s\n", again.ec.message().c_str()), 1;
    watch.settled.acquire();
    works.stop(std::chrono::seconds(10));

    std::printf("%d retries, %zu failed, %zu after help\n", watch.retries.load(), failed.size(),
                watch.take_failed().size());
    // FLAKY was done at its third attempt; DOWN had two retries and failed at its third.
    const std::map<std::string, std::string> expected{{"ORD-DOWN", "connection refused"},
                                                      {"ORD-STOLEN", "the card was stolen"}};
    return watch.retries == 4 && failed == expected && watch.take_failed().empty() ? 0 : 1;
}
