#include "api/record_change.hpp"

#include "auth/audit.hpp"

#include <orderproc/write_records.hpp>

#include <utility>

namespace orderproc::server {

namespace {

bool somebody_else_was_first(const error_code& ec) noexcept {
    return ec == errc::already_exists || ec == errc::not_found || ec == errc::version_conflict;
}

class record_change final : public pending_read {
public:
    record_change(engine& to, record_plan plan) : engine_(to), plan_(std::move(plan)) {}

    result<void> read(repository_reader& from) override {
        auto planned = plan_.changes(from);
        if (planned) {
            changes_ = std::move(*planned);
            return {};
        }
        refused_ = std::move(planned).error();
        if (refused_.code == errc::transition_rejected) return {};
        return refused_;
    }

    bool follow(std::function<void(result<void>)> done) override {
        if (changes_.empty()) return false;
        changes_.push_back(auth::to_record(
            {engine_.runtime().time.now(), plan_.actor, plan_.action, plan_.about}));
        write_records(engine_, std::move(changes_), [done = std::move(done)](result<void> written) {
            if (!written && somebody_else_was_first(written.error().code)) {
                return done(result<void>(errc::version_conflict));
            }
            done(std::move(written));
        });
        return true;
    }

    void answer(const http::request& in, http::response& out) override {
        plan_.answer(refused_, in, out);
    }

private:
    engine& engine_;
    const record_plan plan_;
    std::vector<change_record> changes_;
    failure refused_;
};

}  // namespace

std::unique_ptr<pending_read> change_records(engine& to, record_plan plan) {
    return std::make_unique<record_change>(to, std::move(plan));
}

}  // namespace orderproc::server
