// Work that takes hours, done by somebody else: the processor hands it over and is gone, the worker
// may stop, and the order waits for its answer in the storage. Here a carrier gets parcels; it
// answers one order in time, one a second time, and one never.

#include <orderproc/attempt.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <semaphore>
#include <string>
#include <utility>

using namespace orderproc;

namespace {

// What a shop of yours would send to the carrier, and the carrier back.
class carrier final : public processor {
public:
    void start(job work) override {
        const std::chrono::milliseconds timeout =
            work.value().id.view() == "ORD-LATE" && work.attempt() == 1
                ? std::chrono::milliseconds(1)
                : std::chrono::milliseconds(std::chrono::hours(48));
        {
            const std::lock_guard lock(mutex_);
            parcels_[std::string(work.value().id.view())] = work.reference();
        }
        std::move(work).finish(answer_later{timeout});
        handed.release();
    }

    attempt_reference parcel(const std::string& order) const {
        const std::lock_guard lock(mutex_);
        return parcels_.at(order);
    }

    std::counting_semaphore<> handed{0};

private:
    mutable std::mutex mutex_;
    std::map<std::string, attempt_reference> parcels_;
};

// Waits for one change.
class answered final : public completion {
public:
    void complete(change_outcome& outcome) noexcept override { ec_.set_value(outcome.ec); }
    error_code wait() { return ec_.get_future().get(); }

private:
    std::promise<error_code> ec_;
};

class shop {
public:
    explicit shop(engine& orders) : orders_(orders) {}

    // From any process of the storage. That it was answered before is no harm: nothing is done.
    result<bool> answer(const attempt_reference& of, attempt_answer said) {
        auto made = answer_attempt(of, std::move(said), orders_.machine(), {}, orders_.runtime());
        if (!made) return made.error();
        made->actor = "carrier";
        answered done;
        if (auto ok = orders_.submit(std::move(*made), done); !ok) return ok.error();
        const error_code ec = done.wait();
        if (ec == errc::lease_lost) return false;
        if (ec) return ec;
        return true;
    }

private:
    engine& orders_;
};

error_code create(engine& orders, const char* id) {
    order_draft draft;
    draft.id = order_id::parse(id).value();
    draft.user = "7";
    draft.item_ids = {1001};
    draft.total_amount = {1250, "EUR"};
    return orders.execute({.what = submit_order{std::move(draft)}}).ec;
}

}  // namespace

int main() {
    const auto storage = make_memory_storage();
    engine orders(*storage, status_machine::standard(), system_runtime());
    shop front(orders);
    carrier by;
    auto staff = std::make_unique<worker>(orders, by);
    if (!staff->start()) return 1;
    if (create(orders, "ORD-SHIP")) return 1;
    by.handed.acquire();
    staff->stop(std::chrono::seconds(5));  // nobody holds the order any more
    staff.reset();

    const attempt_reference first = by.parcel("ORD-SHIP");
    const auto shipped = front.answer(first, advance{});
    const auto again = front.answer(first, give_up{"lost"});
    if (!shipped || !again) return 1;
    std::printf("ORD-SHIP: %s, and a second answer %s\n", *shipped ? "answered" : "refused",
                *again ? "counted" : "came too late");

    // Nobody answers the first attempt of this one, so there is another.
    staff = std::make_unique<worker>(orders, by);
    if (!staff->start()) return 1;
    if (create(orders, "ORD-LATE")) return 1;
    by.handed.acquire();
    const attempt_reference old = by.parcel("ORD-LATE");
    by.handed.acquire();
    const auto late = front.answer(old, advance{});
    const attempt_reference present = by.parcel("ORD-LATE");
    // It may be quicker than the hand-over; that does no harm either.
    const auto good = front.answer(present, advance{});
    if (!late || !good) return 1;
    std::printf("ORD-LATE: attempt %u %s, attempt %u %s\n", old.number,
                *late ? "counted" : "came too late", present.number,
                *good ? "was answered" : "was refused");
    return *shipped && !*again && !*late && *good && present.number == 2 ? 0 : 1;
}
