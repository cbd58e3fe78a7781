#ifndef ORDERPROC_STAGES_COMMAND_BATCH_HPP
#define ORDERPROC_STAGES_COMMAND_BATCH_HPP

// Many commands that were submitted together.

#include <orderproc/engine.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline change_outcome refused(failure why) {
    change_outcome out;
    out.ec = why.code;
    out.detail = std::move(why.detail);
    return out;
}

// Its own owner until the last outcome is there.
class command_batch {
public:
    using callback = std::function<void(std::vector<change_outcome>)>;

    // submit(command, completion&) returns a result<void>.
    template <class Submit>
    static void run(std::vector<command> what, callback done, const Submit& submit) {
        auto made = std::unique_ptr<command_batch>(new command_batch(what.size(), std::move(done)));
        command_batch& it = *made.release();
        for (std::size_t i = 0; i < what.size(); ++i) {
            item& one = it.items_[i];
            try {
                auto queued = submit(std::move(what[i]), one);
                if (!queued) one.settle(refused(std::move(queued).error()));
            } catch (const std::bad_alloc&) {
                one.settle(refused(errc::unavailable));
            }
        }
        it.release();
    }

private:
    class item final : public completion {
    public:
        item(command_batch& of, std::size_t at) : of_(of), at_(at) {}
        void complete(change_outcome& outcome) noexcept override { settle(std::move(outcome)); }
        void settle(change_outcome&& outcome) noexcept {
            of_.outcomes_[at_] = std::move(outcome);
            of_.release();
        }

    private:
        command_batch& of_;
        const std::size_t at_;
    };

    command_batch(std::size_t size, callback done)
        : done_(std::move(done)), outcomes_(size), left_(size + 1) {
        for (std::size_t i = 0; i < size; ++i) items_.emplace_back(*this, i);
    }

    // One for each item, and one for run().
    void release() noexcept {
        if (left_.fetch_sub(1, std::memory_order_acq_rel) > 1) return;
        const std::unique_ptr<command_batch> ends(this);
        done_(std::move(outcomes_));
    }

    const callback done_;
    std::vector<change_outcome> outcomes_;
    std::deque<item> items_;  // which never moves them
    std::atomic<std::size_t> left_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
