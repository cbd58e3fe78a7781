#ifndef ORDERPROC_SERVER_API_BULK_RETRY_HPP
#define ORDERPROC_SERVER_API_BULK_RETRY_HPP

// Retries of many dead letters at once. They go on without the client that asked for them.

#include <orderproc/engine.hpp>
#include <orderproc/order.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

struct bulk_retry_plan {
    struct one {
        std::string order;
        // An order that was changed since it was looked at is refused: it may be retried already.
        order_version version{0};
        std::string event;
    };
    std::string actor;                  // of the journal
    std::optional<std::string> reason;  // of the group; none: the orders were named
    std::vector<one> orders;
};

// Safe to use from any thread. Kept alive by what is under way.
class bulk_retry final : public std::enable_shared_from_this<bulk_retry> {
public:
    enum class state : std::uint8_t { running, done, stopped, failed };
    struct refusal {
        std::string order;
        std::string_view code;
    };
    struct snapshot {
        state now = state::running;
        timestamp started_at{};
        std::optional<timestamp> finished_at;
        std::size_t total = 0, done = 0, refused_count = 0;
        std::vector<refusal> refused;  // the first refusals_max
        std::string error;             // why it failed
    };
    static constexpr std::size_t refusals_max = 100;
    // Orders that are under way at the same time: others' commands are not to wait behind
    // thousands.
    static constexpr std::size_t in_flight_max = 50;

    // The engine outlives what is under way.
    bulk_retry(engine& by, std::string id, bulk_retry_plan plan);

    void start() { go_on(); }
    // Between two orders: what is under way is finished.
    void stop();

    const std::string& id() const noexcept { return id_; }
    const bulk_retry_plan& plan() const noexcept { return plan_; }
    snapshot look() const;

private:
    void go_on() noexcept;
    bool take(std::size_t& at) noexcept;
    result<void> submit(std::size_t at);
    void answered(std::size_t at, error_code ec) noexcept;
    void fail(const error_code& why) noexcept;
    void end_if_over() noexcept;

    engine& engine_;
    const std::string id_;
    const bulk_retry_plan plan_;
    mutable std::mutex mutex_;
    snapshot seen_;
    std::size_t next_ = 0;
    std::size_t under_way_ = 0;
    bool stopping_ = false;
};

// Those of this process, until it ends. Safe to use from any thread.
class bulk_retries {
public:
    static constexpr std::size_t running_max = 8;
    static constexpr std::size_t kept_max = 100;
    static constexpr std::chrono::hours kept_for{7 * 24};

    explicit bulk_retries(engine& by) : engine_(by) {}  // which outlives it

    // Begins one. errc::overloaded: so many are running that it has to wait.
    result<std::shared_ptr<bulk_retry>> start(bulk_retry_plan plan);
    std::shared_ptr<bulk_retry> find(std::string_view id);  // none: there is none

private:
    void forget();

    engine& engine_;
    std::mutex mutex_;
    std::deque<std::shared_ptr<bulk_retry>> all_;  // oldest first
};

std::string_view name_of(bulk_retry::state value) noexcept;  // "running"

}  // namespace orderproc::server

#endif
