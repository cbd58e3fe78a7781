#ifndef ORDERPROC_STAGES_BROKER_WORK_QUEUE_CONSUMER_IMPL_HPP
#define ORDERPROC_STAGES_BROKER_WORK_QUEUE_CONSUMER_IMPL_HPP

#include "stages/broker/reconnection.hpp"
#include "stages/common/notifier.hpp"
#include "stages/common/stage_life.hpp"

#include <orderproc/work_queue_consumer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace detail {

// What the worker has claimed, and may be acknowledged on the connection that it came by. Outlives
// those who wait for it.
class work_queue_mailbox {
public:
    explicit work_queue_mailbox(std::function<void()> on_ready) : notifier(std::move(on_ready)) {}

    void claimed(std::uint64_t connection, std::span<const delivery_tag> which) noexcept;
    void take(std::vector<delivery_tag>& out);
    // What belongs to the one before is forgotten. prefetch: as much may be claimed at a time.
    std::uint64_t next_connection(std::size_t prefetch);

    detail::notifier notifier;

private:
    std::mutex mutex_;
    std::uint64_t connection_ = 0;
    std::vector<delivery_tag> claimed_;
};

}  // namespace detail

class work_queue_consumer::impl {
public:
    impl(engine& orders, worker& works, broker& from, work_queue_options options);
    ~impl();

    result<void> start();
    work_queue_report cycle(std::chrono::milliseconds wait) noexcept;
    clock::instant due() const noexcept { return mailbox_->notifier.due(report_.next_due); }
    void stop();

private:
    // Deliveries of one stage.
    struct hint {
        const work_stage* stage;
        std::vector<std::string> ids;
        std::vector<delivery_tag> tags;
    };

    void run() noexcept;
    void connect();
    void drop() noexcept;
    void lose(const failure& why) noexcept;
    void abandon(const char* thrown) noexcept;
    void acknowledge_claimed();
    void answer_messages();
    void receive(std::chrono::milliseconds wait);
    void sort(const delivery& it, std::vector<hint>& hints);
    void hand_on(hint what);

    const status_machine& machine_;
    worker& works_;
    broker& broker_;
    work_queue_options options_;
    runtime with_;
    const std::shared_ptr<detail::work_queue_mailbox> mailbox_;
    detail::reconnection link_;

    std::unique_ptr<consumer> messages_;
    std::uint64_t connection_ = 0;
    std::size_t unacknowledged_ = 0;  // handed on
    std::vector<delivery> deliveries_;
    std::vector<delivery_tag> tags_;
    std::vector<acknowledgement> acknowledgements_;
    work_queue_report report_;

    detail::stage_life life_;
    std::atomic<bool> stopping_{false};
};

}  // namespace v1
}  // namespace orderproc

#endif
