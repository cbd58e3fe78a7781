#ifndef ORDERPROC_STAGES_WORKER_JOB_STATE_HPP
#define ORDERPROC_STAGES_WORKER_JOB_STATE_HPP

#include <orderproc/processor.hpp>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

// A queue that links its items, so that adding one allocates nothing and cannot fail. An item
// is in one queue at a time and stays alive there. T has `T* next` and `std::shared_ptr<T> kept`.
template <class T>
class linked_queue {
public:
    linked_queue() = default;
    linked_queue(linked_queue&& other) noexcept
        : head_(std::exchange(other.head_, nullptr)), tail_(std::exchange(other.tail_, nullptr)) {}
    linked_queue& operator=(linked_queue&& other) noexcept {
        std::swap(head_, other.head_);
        std::swap(tail_, other.tail_);
        return *this;
    }
    ~linked_queue() {
        while (pop()) {
        }
    }

    bool empty() const noexcept { return head_ == nullptr; }

    void push(std::shared_ptr<T> item) noexcept {
        T* const raw = item.get();
        raw->next = nullptr;
        raw->kept = std::move(item);
        (tail_ ? tail_->next : head_) = raw;
        tail_ = raw;
    }

    std::shared_ptr<T> pop() noexcept {
        if (!head_) return nullptr;
        T* const raw = head_;
        head_ = std::exchange(raw->next, nullptr);
        if (!head_) tail_ = nullptr;
        return std::move(raw->kept);
    }

private:
    T* head_ = nullptr;
    T* tail_ = nullptr;
};

// Where verdicts go, from any thread. Outlives the worker, and ignores them from then on.
class verdict_sink {
public:
    virtual ~verdict_sink() = default;
    virtual void finished(std::shared_ptr<job::state> said) noexcept = 0;
};

}  // namespace detail

// Written by the worker before the job starts and by the job when it finishes.
struct job::state {
    order value;
    std::string stage;
    std::string key;
    std::string traceparent;
    lease_token lease{0};
    std::uint64_t serial = 0;  // the worker's name for it
    std::stop_source stop{};
    std::shared_ptr<detail::verdict_sink> sink;

    verdict said;
    bool abandoned = false;  // destroyed unfinished; said is empty words

    state* next = nullptr;
    std::shared_ptr<state> kept{};
};

}  // namespace v1
}  // namespace orderproc

#endif
