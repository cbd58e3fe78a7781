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

void append_skus(const order_content& of, std::vector<std::string>& out) {
    out.reserve(out.size() + of.item_ids.size() + of.lines.size());
    for (const std::int64_t id : of.item_ids) out.push_back(std::to_string(id));
    for (const order_line& line : of.lines) out.push_back(line.sku);
}

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

    result<void> push(std::span<const std::string> skus, item_completion& done) {
        const std::lock_guard lock(mutex_);
        if (stopped_) return errc::stopped;
        if (size_ >= queue_max_) return errc::overloaded;
        done.skus_ = skus;
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

    // Of all SKUs in question, those that are unknown.
    error_code ask(const item_completion* first) noexcept {
        unknown_.clear();
        try {
            skus_.clear();
            positions_.clear();
            for (const auto* it = first; it; it = it->next_) {
                skus_.insert(skus_.end(), it->skus_.begin(), it->skus_.end());
            }
            std::sort(skus_.begin(), skus_.end());
            skus_.erase(std::unique(skus_.begin(), skus_.end()), skus_.end());
            auto told = checker_.check(skus_, positions_);
            if (!told) {
                with_.observer.error("items", told.error());
                return errc::unavailable;
            }
            return name_unknown();
        } catch (const std::exception& thrown) {
            error(thrown.what());
        } catch (...) {
            error("the item checker threw what is no std::exception");
        }
        return errc::unavailable;
    }

    // As texts of our own, for skus_ view completions, which go as they are told.
    error_code name_unknown() {
        std::sort(positions_.begin(), positions_.end());
        for (const std::size_t at : positions_) {
            if (at >= skus_.size()) {
                error("the item checker named a position beyond what it was asked");
                return errc::unavailable;
            }
            unknown_.emplace_back(skus_[at]);
        }
        return {};
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
            for (std::size_t i = 0; i < of.skus_.size(); ++i) {
                if (std::binary_search(unknown_.begin(), unknown_.end(), of.skus_[i])) {
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
    std::vector<std::string_view> skus_;
    std::vector<std::string> unknown_;
    std::vector<std::size_t> positions_;
    std::thread thread_;  // the last member: it uses the others
};

item_gate::item_gate(item_checker& asks, runtime with, std::size_t queue_max)
    : impl_(std::make_unique<impl>(asks, with, queue_max)) {}

item_gate::~item_gate() = default;

result<void> item_gate::submit(std::span<const std::string> skus, item_completion& done) {
    return impl_->push(skus, done);
}

}  // namespace v1
}  // namespace orderproc
