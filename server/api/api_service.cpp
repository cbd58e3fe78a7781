#include "api/api_service.hpp"

#include <optional>
#include <utility>

namespace orderproc::server {

namespace {

// Is the engine's completion itself: a request allocates nothing for its way there and back.
class api_session final : public http::session, private completion {
public:
    api_session(api& handlers, http::exchange& by) : api_(handlers), by_(by) {}

    http::step begin(const http::request& in, http::response& out) noexcept override {
        todo_ = api_.begin(in, out);
        return todo_ ? submit(in, out) : http::step::answered;
    }

    http::step resume(const http::request& in, http::response& out) noexcept override {
        return api_.finish(*todo_, in, outcome_, out) ? submit(in, out) : http::step::answered;
    }

private:
    http::step submit(const http::request& in, http::response& out) noexcept {
        for (;;) {
            if (todo_->many) {
                todo_->many->submit(api_.orders(), by_);
                return http::step::waiting;
            }
            const auto queued = api_.orders().submit(std::move(todo_->what), *this);
            if (queued) return http::step::waiting;
            outcome_ = {};
            outcome_.ec = queued.error().code;
            if (!api_.finish(*todo_, in, outcome_, out)) return http::step::answered;
        }
    }

    // The answer is written on the connection's thread: this one commits.
    void complete(change_outcome& outcome) noexcept override {
        outcome_ = std::move(outcome);
        by_.ready();
    }

    api& api_;
    http::exchange& by_;
    std::optional<pending> todo_;
    change_outcome outcome_;
};

}  // namespace

std::unique_ptr<http::session> api_service::open(http::exchange& by) {
    return std::make_unique<api_session>(api_, by);
}

}  // namespace orderproc::server
