#ifndef ORDERPROC_STAGES_WAKE_UPS_IMPL_HPP
#define ORDERPROC_STAGES_WAKE_UPS_IMPL_HPP

#include "stages/bell.hpp"
#include "stages/reconnection.hpp"
#include "stages/stage_life.hpp"

#include <orderproc/wake_ups.hpp>

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
class wake_up_inbox {
public:
    explicit wake_up_inbox(std::function<void()> on_ready) : rings(std::move(on_ready)) {}

    void claimed(std::uint64_t connection, std::span<const delivery_tag> which) noexcept;
    void take(std::vector<delivery_tag>& out);
    // What belongs to the one before is forgotten. prefetch: as much may be claimed at a time.
    std::uint64_t next_connection(std::size_t prefetch);

    bell rings;

private:
    std::mutex mutex_;
    std::uint64_t connection_ = 0;
    std::vector<delivery_tag> claimed_;
};

}  // namespace detail

class wake_ups::impl {
public:
    impl(engine& orders, worker& works, broker& from, wake_up_options options);
    ~impl();

    result<void> start();
    wake_up_report cycle(std::chrono::milliseconds wait) noexcept;
    void stop();

private:
    // Deliveries of one stage.
    struct offer {
        const work_stage* stage;
        std::vector<std::string> ids;
        std::vector<delivery_tag> tags;
    };

    void run() noexcept;
    void connect();
    void drop() noexcept;
    void lose(const failure& why) noexcept;
    void abandon(const char* thrown) noexcept;
    void acknowledge();
    void settle();
    void receive(std::chrono::milliseconds wait);
    void sort(const delivery& it, std::vector<offer>& offers);
    void hand_on(offer what);

    const status_machine& machine_;
    worker& works_;
    broker& broker_;
    wake_up_options options_;
    runtime with_;
    const std::shared_ptr<detail::wake_up_inbox> inbox_;
    detail::reconnection link_;

    std::unique_ptr<consumer> messages_;
    std::uint64_t connection_ = 0;
    std::size_t unsettled_ = 0;  // handed on
    std::vector<delivery> deliveries_;
    std::vector<delivery_tag> tags_;
    std::vector<settlement> settlements_;
    wake_up_report report_;

    detail::stage_life life_;
    std::atomic<bool> stopping_{false};
};

}  // namespace v1
}  // namespace orderproc

#endif
