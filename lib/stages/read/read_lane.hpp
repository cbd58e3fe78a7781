#ifndef ORDERPROC_STAGES_READ_READ_LANE_HPP
#define ORDERPROC_STAGES_READ_READ_LANE_HPP

// The bounded queue of one lane of the read pool.

#include <orderproc/read_pool.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Safe to use from any thread.
class read_lane {
public:
    explicit read_lane(std::size_t waiting_max) : waiting_max_(waiting_max) {}

    result<void> push(read_node& it);
    bool remove(read_node& it) noexcept;  // false: it does not wait

    bool empty() noexcept;
    // At most so many of the reads that wait, oldest first, linked by `next`; nullptr: none waits.
    read_node* take(std::size_t at_most) noexcept;
    // Waits until there is one. nullptr: the lane was stopped.
    read_node* wait_and_take(std::size_t at_most) noexcept;

    // wait_and_take() returns nullptr from now on, push() is refused; take() still works.
    void stop() noexcept;

private:
    read_node* unlink_front(std::size_t at_most) noexcept;

    const std::size_t waiting_max_;
    std::mutex mutex_;
    std::condition_variable ready_;
    read_node* head_ = nullptr;
    read_node* tail_ = nullptr;
    std::size_t size_ = 0;
    std::size_t sleeping_ = 0;  // threads in wait_and_take()
    std::size_t woken_ = 0;     // of those, notified and not awake yet
    bool stopped_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
