#include "observe/observed_service.hpp"

#include "api/routes.hpp"

#include <utility>

namespace orderproc::server {

namespace {

using steady = std::chrono::steady_clock;

}  // namespace

class observed_service::observed_session final : public http::session {
public:
    observed_session(observed_service& of, std::unique_ptr<http::session> inner)
        : of_(of), inner_(std::move(inner)) {
        of_.connections_.fetch_add(1, std::memory_order_relaxed);
    }
    ~observed_session() override {
        end_request();
        of_.connections_.fetch_sub(1, std::memory_order_relaxed);
    }

    bool admit(http::request& in, http::response& out) noexcept override {
        admitted_ = inner_->admit(in, out);
        return admitted_;
    }
    http::step begin(const http::request& in, http::response& out) noexcept override {
        begun_ = steady::now();
        if (!std::exchange(open_, true)) of_.in_flight_.fetch_add(1, std::memory_order_relaxed);
        return watched(inner_->begin(in, out), in, out);
    }
    http::step resume(const http::request& in, http::response& out) noexcept override {
        return watched(inner_->resume(in, out), in, out);
    }
    void abandon() noexcept override {
        end_request();
        inner_->abandon();
    }
    void refused(const http::request& in, http::response& out) noexcept override {
        begun_ = steady::now();
        inner_->refused(in, out);
        // One whose credential does not count was refused by the service itself.
        tell(in, out, std::exchange(admitted_, true));
    }

private:
    http::step watched(http::step what, const http::request& in,
                       const http::response& out) noexcept {
        if (what == http::step::answered) {
            end_request();
            tell(in, out, false);
        }
        return what;
    }
    void tell(const http::request& in, const http::response& out, bool refused) const noexcept {
        const route_match found = match(in.method, in.path);
        of_.tell({in, found.found ? found.found->pattern : std::string_view(), out.status,
                  out.body.size(), steady::now() - begun_, refused});
    }
    void end_request() noexcept {
        if (open_) of_.in_flight_.fetch_sub(1, std::memory_order_relaxed);
        open_ = false;
    }

    observed_service& of_;
    std::unique_ptr<http::session> inner_;
    steady::time_point begun_;
    bool open_ = false;  // a request was begun, and is not answered
    bool admitted_ = true;
};

std::unique_ptr<http::session> observed_service::open(http::exchange& by) {
    return std::make_unique<observed_session>(*this, inner_.open(by));
}

void observed_service::turned_away(http::response& out) const {
    for (request_observer* one : watch_) one->turned_away();
    inner_.turned_away(out);
}

void observed_service::tell(const request_report& it) const noexcept {
    for (request_observer* one : watch_) one->answered(it);
}

}  // namespace orderproc::server
