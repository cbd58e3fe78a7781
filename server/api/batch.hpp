#ifndef ORDERPROC_SERVER_API_BATCH_HPP
#define ORDERPROC_SERVER_API_BATCH_HPP

// Many orders in one request: each is a command of its own.

#include "api/item_refusal.hpp"
#include "http/service.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/json.hpp>

#include <atomic>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// The texts of a batch's orders, one after the other: the items of an array, or lines (NDJSON).
// Views the body, which outlives it.
class batch_text {
public:
    enum class found : std::uint8_t { order, nothing_yet, end };

    batch_text(std::string_view body, bool lines);

    // Looks at one item, or line, and no further.
    found next(std::string_view& order);
    std::size_t position() const noexcept { return position_; }  // bytes that were looked at
    // Why the body is not an array; nothing while there is no end.
    const syntax_error& syntax() const noexcept { return array_.syntax(); }
    const std::vector<field_error>& errors() const noexcept { return array_.errors(); }

private:
    found next_line(std::string_view& order) noexcept;

    const std::string_view body_;
    const bool lines_;
    json_array_reader array_;
    std::size_t position_ = 0;
};

// A batch may be large. It is read and submitted in steps of a bounded size, between which the
// thread serves its other connections.
class batch {
public:
    static constexpr std::size_t items_max = 1000;
    static constexpr std::size_t read_step = 64 * 1024;  // bytes, and the rest of an item
    static constexpr std::size_t submit_step = 64;       // orders

    batch(std::string_view body, bool lines) : text_(body, lines) {}

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

    batch_text& text() noexcept { return text_; }
    bool whole = false;  // all of the text was read

    item& add() { return items_.emplace_back(*this); }
    std::deque<item>& items() noexcept { return items_; }
    const std::deque<item>& items() const noexcept { return items_; }

    // What the checker said of the items of all commands, one after the other.
    void refuse_items(error_code ec, std::span<const std::size_t> unknown, const http::request& in);

    // Submits the next commands. ready() is called when there are more of them to submit, or when
    // all have their outcomes; what the engine does not take has its error.
    void submit(engine& to, http::exchange& by) noexcept;
    bool submitted() const noexcept { return next_ == items_.size(); }

private:
    void done() noexcept;

    batch_text text_;
    std::deque<item> items_;  // which never moves them
    std::size_t next_ = 0;    // to be submitted
    http::exchange* by_ = nullptr;
    std::atomic<std::size_t> left_{0};
};

}  // namespace orderproc::server

#endif
