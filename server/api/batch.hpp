#ifndef ORDERPROC_SERVER_API_BATCH_HPP
#define ORDERPROC_SERVER_API_BATCH_HPP

// Many orders in one request: each is a command of its own.

#include "api/item_refusal.hpp"
#include "http/service.hpp"

#include <orderproc/engine.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>

namespace orderproc::server {

class batch {
public:
    static constexpr std::size_t items_max = 1000;

    // Either a command with its outcome, or answered at once.
    class item final : private completion {
    public:
        explicit item(batch& of) noexcept : of_(of) {}

        command what;
        change_outcome outcome;
        unsigned status = 0;                   // 0: there is a command
        std::string problem;                   // as JSON
        std::optional<refused_items> refused;  // see pending

    private:
        friend class batch;
        void complete(change_outcome& it) noexcept override;
        batch& of_;
    };

    item& add() { return items_.emplace_back(*this); }
    std::deque<item>& items() noexcept { return items_; }
    const std::deque<item>& items() const noexcept { return items_; }

    // What the checker said of the items of all commands, one after the other.
    void refuse_items(error_code ec, std::span<const std::size_t> unknown, const http::request& in);

    // Submits all commands. ready() is called once all of them have their outcomes; what the
    // engine does not take has its error.
    void submit(engine& to, http::exchange& by) noexcept;

private:
    void done() noexcept;

    std::deque<item> items_;  // which never moves them
    http::exchange* by_ = nullptr;
    std::atomic<std::size_t> left_{0};
};

}  // namespace orderproc::server

#endif
