#include "core/caught.hpp"

#include <orderproc/items.hpp>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace orderproc {
inline namespace v1 {

class item_gate::impl {
public:
    impl(item_checker& asks, runtime with, std::size_t queue_max)
        : checker_(asks), with_(with), queue_max_(queue_max), thread_([this] { run(); }) {}

    ~impl() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        ready_.notify_one();
        thread_.join();
    }

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    result<void> push(std::span<const std::int64_t> ids, item_completion& done) {
        const std::lock_guard lock(mutex_);
        if (stopped_) return errc::stopped;
        if (size_ >= queue_max_) return errc::overloaded;
        done.ids_ = ids;
        done.next_ = nullptr;
        (tail_ ? tail_->next_ : head_) = &done;
        tail_ = &done;
        if (++size_ == 1) ready_.notify_one();
        return {};
    }

private:
    // All that waits, linked; nullptr: stopped and empty.
    item_completion* take() {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return stopped_ || head_; });
        tail_ = nullptr;
        size_ = 0;
        return std::exchange(head_, nullptr);
    }

    void run() noexcept {
        while (item_completion* first = take()) answer(first, ask(first));
    }

    // Of all ids in question, those that are unknown.
    error_code ask(const item_completion* first) noexcept {
        unknown_.clear();
        try {
            ids_.clear();
            for (const auto* it = first; it; it = it->next_) {
                ids_.insert(ids_.end(), it->ids_.begin(), it->ids_.end());
            }
            std::sort(ids_.begin(), ids_.end());
            ids_.erase(std::unique(ids_.begin(), ids_.end()), ids_.end());
            auto told = checker_.check(ids_, unknown_);
            if (!told) {
                with_.observer.error("items", told.error());
                return errc::unavailable;
            }
            std::sort(unknown_.begin(), unknown_.end());
            return {};
        } catch (const std::exception& thrown) {
            error(thrown.what());
        } catch (...) {
            error("the item checker threw what is no std::exception");
        }
        return errc::unavailable;
    }

    void answer(item_completion* first, error_code ec) noexcept {
        positions_.clear();
        while (first) {
            item_completion* const next = first->next_;  // it may be gone once it is complete
            const bool told = !ec && find_unknown(*first);
            first->complete(told ? error_code() : make_error_code(errc::unavailable), positions_);
            first = next;
        }
    }

    bool find_unknown(const item_completion& of) noexcept {
        positions_.clear();
        if (unknown_.empty()) return true;
        try {
            for (std::size_t i = 0; i < of.ids_.size(); ++i) {
                if (std::binary_search(unknown_.begin(), unknown_.end(), of.ids_[i])) {
                    positions_.push_back(i);
                }
            }
            return true;
        } catch (const std::exception& thrown) {
            error(thrown.what());
            positions_.clear();
            return false;
        }
    }

    void error(const char* text) noexcept {
        with_.observer.error("items", detail::caught(errc::unavailable, text));
    }

    item_checker& checker_;
    runtime with_;
    const std::size_t queue_max_;

    std::mutex mutex_;
    std::condition_variable ready_;
    item_completion* head_ = nullptr;
    item_completion* tail_ = nullptr;
    std::size_t size_ = 0;
    bool stopped_ = false;

    // Of the thread, kept for their memory.
    std::vector<std::int64_t> ids_, unknown_;
    std::vector<std::size_t> positions_;
    std::thread thread_;  // the last member: it uses the others
};

item_gate::item_gate(item_checker& asks, runtime with, std::size_t queue_max)
    : impl_(std::make_unique<impl>(asks, with, queue_max)) {}

item_gate::~item_gate() = default;

result<void> item_gate::submit(std::span<const std::int64_t> ids, item_completion& done) {
    return impl_->push(ids, done);
}

}  // namespace v1
}  // namespace orderproc
