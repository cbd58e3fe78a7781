#include "api/record_change.hpp"

#include "auth/audit.hpp"

#include <orderproc/write_records.hpp>

#include <new>
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
        auto record =
            auth::to_record({engine_.runtime().time.now(), plan_.actor, plan_.action, plan_.about});
        write_records(
            engine_, std::move(changes_),
            [this, record = std::move(record), done = std::move(done)](result<void> written) {
                if (written) return note(record, done);
                if (somebody_else_was_first(written.error().code)) written = errc::version_conflict;
                done(std::move(written));
            });
        return true;
    }

    void answer(const http::request& in, http::response& out) override {
        plan_.answer(refused_, in, out);
    }

private:
    // Once the change is made, which is acknowledged in any case.
    void note(const change_record& record, const std::function<void(result<void>)>& done) noexcept {
        try {
            write_records(engine_, {record}, [this, done](const result<void>& noted) {
                if (!noted) tell_unnoted(noted.error());
                done({});
            });
            return;
        } catch (const std::bad_alloc&) {  // done was not called
            tell_unnoted(errc::unavailable);
        }
        done({});
    }

    void tell_unnoted(failure why) noexcept {
        try {
            why.detail = plan_.action + " by " + plan_.actor + " of " + plan_.about +
                         ": the audit record is not written: " + why.message();
        } catch (const std::bad_alloc&) {  // it is told with fewer words
        }
        engine_.runtime().observer.error("work.audit", why);
    }

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
