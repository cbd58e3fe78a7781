#include "observe/observed_service.hpp"

#include "api/routes.hpp"

namespace orderproc::server {

namespace {

using steady = std::chrono::steady_clock;

class observed_session final : public http::session {
public:
    observed_session(const observed_service& of, std::unique_ptr<http::session> inner)
        : of_(of), inner_(std::move(inner)) {}

    bool admit(http::request& in, http::response& out) noexcept override {
        return inner_->admit(in, out);
    }
    http::step begin(const http::request& in, http::response& out) noexcept override {
        begun_ = steady::now();
        return watched(inner_->begin(in, out), in, out);
    }
    http::step resume(const http::request& in, http::response& out) noexcept override {
        return watched(inner_->resume(in, out), in, out);
    }
    void abandon() noexcept override { inner_->abandon(); }
    void refused(const http::request& in, http::response& out) noexcept override {
        begun_ = steady::now();
        inner_->refused(in, out);
        watched(http::step::answered, in, out);
    }

private:
    http::step watched(http::step what, const http::request& in,
                       const http::response& out) noexcept {
        if (what == http::step::answered) {
            const route_match found = match(in.method, in.path);
            of_.tell({in, found.found ? found.found->pattern : std::string_view(), out.status,
                      out.body.size(), steady::now() - begun_});
        }
        return what;
    }

    const observed_service& of_;
    std::unique_ptr<http::session> inner_;
    steady::time_point begun_;
};

}  // namespace

std::unique_ptr<http::session> observed_service::open(http::exchange& by) {
    return std::make_unique<observed_session>(*this, inner_.open(by));
}

void observed_service::tell(const request_report& it) const noexcept {
    for (request_observer* one : watch_) one->answered(it);
}

}  // namespace orderproc::server
