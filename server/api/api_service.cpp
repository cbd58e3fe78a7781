#include "api/api_service.hpp"

#include <optional>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// Is the engine's completion itself: a request allocates nothing for its way there and back.
class api_session final : public http::session, private completion, private item_completion {
public:
    api_session(api& handlers, http::exchange& by) : api_(handlers), by_(by) {}

    http::step begin(const http::request& in, http::response& out) noexcept override {
        todo_ = api_.begin(in, out);
        return todo_ ? go_on(in, out) : http::step::answered;
    }

    http::step resume(const http::request& in, http::response& out) noexcept override {
        if (todo_->many && !todo_->many->whole) {
            return api_.read_batch(*todo_, in, out) ? go_on(in, out) : http::step::answered;
        }
        if (todo_->many && submitting_ && !todo_->many->submitted()) return submit(in, out);
        if (todo_->asks_items) {
            if (!api_.judge_items(*todo_, in, items_ec_, unknown_, out)) {
                return http::step::answered;
            }
            return submit(in, out);
        }
        return api_.finish(*todo_, in, outcome_, out) ? go_on(in, out) : http::step::answered;
    }

private:
    http::step go_on(const http::request& in, http::response& out) noexcept {
        submitting_ = false;
        if (todo_->many && !todo_->many->whole) {  // the next step, after other connections
            by_.ready();
            return http::step::waiting;
        }
        if (!todo_->asks_items) return submit(in, out);
        if (api_.items()->submit(items_of(*todo_, items_), *this)) return http::step::waiting;
        items_ec_ = errc::overloaded;
        unknown_.clear();
        return resume(in, out);
    }

    http::step submit(const http::request& in, http::response& out) noexcept {
        if (todo_->many) {
            outcome_ = {};  // each has its own: this is still the last request's
            submitting_ = true;
            todo_->many->submit(api_.orders(), by_);
            return http::step::waiting;
        }
        auto queued = api_.orders().submit(std::move(todo_->what), *this);
        if (queued) return http::step::waiting;
        outcome_ = {};
        outcome_.ec = queued.error().code;
        outcome_.detail = std::move(queued.error().detail);
        return resume(in, out);
    }

    // The answer is written on the connection's thread: this one commits.
    void complete(change_outcome& outcome) noexcept override {
        outcome_ = std::move(outcome);
        by_.ready();
    }

    void complete(error_code ec, std::span<const std::size_t> unknown) noexcept override {
        items_ec_ = ec;
        unknown_.assign(unknown.begin(), unknown.end());
        by_.ready();
    }

    api& api_;
    http::exchange& by_;
    std::optional<pending> todo_;
    change_outcome outcome_;
    bool submitting_ = false;          // some of a batch's orders have been submitted
    std::vector<std::int64_t> items_;  // of many orders
    error_code items_ec_;
    std::vector<std::size_t> unknown_;
};

}  // namespace

std::unique_ptr<http::session> api_service::open(http::exchange& by) {
    return std::make_unique<api_session>(api_, by);
}

}  // namespace orderproc::server
