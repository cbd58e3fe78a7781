#include "stages/worker/worker_presence.hpp"

#include <exception>
#include <mutex>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::chrono::minutes last_minute{1};

}  // namespace

// One change at a time of the worker's record. Keeps itself alive while it is under way: the worker
// may be gone by then. What cannot be written is written the next time; a record that stays behind
// shows a worker that is gone, until somebody forgets it.
class worker_presence::write final : public record_completion {
public:
    explicit write(engine& to) : engine_(to) {}

    void put(const worker_record& what, const std::shared_ptr<write>& self) {
        change_record made;
        {
            const std::lock_guard lock(mutex_);
            if (under_way_) return;
            made = to_record(what, version_);
            under_way_ = true;
            kept_ = self;
        }
        submit(std::move(made));
    }

    void remove(const worker_record& what, const std::shared_ptr<write>& self) noexcept {
        {
            const std::lock_guard lock(mutex_);
            leaving_ = true;
            name_ = what.name;
            if (under_way_ || version_ == 0) return;
            under_way_ = true;
            kept_ = self;
        }
        submit_removal();
    }

    void complete(record_outcome& outcome) noexcept override {
        bool again = false;
        {
            const std::lock_guard lock(mutex_);
            const bool told = !outcome.ec || outcome.ec == errc::not_found ||
                              outcome.ec == errc::already_exists ||
                              outcome.ec == errc::version_conflict;
            // Somebody may have removed it, or have written under the same name.
            if (told) version_ = outcome.present ? outcome.present->version : 0;
            again = leaving_ && !removing_ && version_ != 0;
        }
        if (again) return submit_removal();
        finish();
    }

private:
    void submit(change_record what) noexcept {
        try {
            if (engine_.submit(std::move(what), *this)) return;
        } catch (const std::exception&) {  // no memory: the next time
        }
        finish();
    }
    void submit_removal() noexcept {
        removing_ = true;
        try {
            return submit(removal_of(worker_collection, name_, version_));
        } catch (const std::exception&) {
        }
        finish();
    }
    void finish() noexcept {
        std::shared_ptr<write> last;
        const std::lock_guard lock(mutex_);
        under_way_ = false;
        last = std::move(kept_);
    }

    engine& engine_;
    std::mutex mutex_;
    std::shared_ptr<write> kept_;
    bool under_way_ = false;
    bool leaving_ = false;
    bool removing_ = false;
    std::uint64_t version_ = 0;  // of the record, as far as is known
    std::string name_;
};

void worker_presence::start(worker_record who, std::chrono::milliseconds every) {
    if (every <= std::chrono::milliseconds(0) || write_) return;
    every_ = every;
    record_ = std::move(who);
    record_.started_at = engine_.runtime().time.now();
    next_at_ = engine_.runtime().time.monotonic();
    write_ = std::make_shared<write>(engine_);
}

void worker_presence::count(const presence_counts& more) noexcept {
    record_.claimed += more.claimed;
    record_.advanced += more.advanced;
    record_.retried += more.retried;
    record_.failed += more.failed;
    record_.lease_lost += more.lease_lost;
}

void worker_presence::tell(std::size_t in_work, std::size_t capacity, bool draining) {
    if (!write_) return;
    const clock::instant now = engine_.runtime().time.monotonic();
    if (now < next_at_ && draining == record_.draining) return;
    next_at_ = now + every_;
    record_.heard_at = engine_.runtime().time.now();
    record_.in_work = in_work;
    record_.capacity = capacity;
    record_.draining = draining;
    advanced_.emplace_back(now, record_.advanced);
    while (advanced_.size() > 1 && now - advanced_[1].first >= last_minute) advanced_.pop_front();
    record_.advanced_last_minute.reset();
    if (now - advanced_.front().first >= last_minute) {
        record_.advanced_last_minute = record_.advanced - advanced_.front().second;
    }
    write_->put(record_, write_);
}

clock::instant worker_presence::next_due() const noexcept {
    return write_ ? next_at_ : clock::instant::max();
}

void worker_presence::leave() noexcept {
    if (!write_) return;
    write_->remove(record_, write_);
    write_.reset();
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
