#include "webhooks/records.hpp"

#include <orderproc/webhook_store.hpp>

#include <memory>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::chrono::seconds removal_hold(5);

class taken_for_a_moment final : public cursor_completion {
public:
    explicit taken_for_a_moment(std::function<void(result<bool>)> done) : done_(std::move(done)) {}
    void complete(const cursor_outcome& outcome) noexcept override {
        const std::unique_ptr<taken_for_a_moment> self(this);
        if (outcome.ec == errc::lease_lost) return done_(false);
        if (outcome.ec) return done_(failure(outcome.ec));
        done_(true);
    }
    const std::function<void(result<bool>)> done_;
};

}  // namespace

void webhook_is_silent(engine& orders, std::string_view id,
                       std::function<void(result<bool>)> done) {
    commit_cursor what;
    what.name = detail::cursor_name(id);
    what.owner = "removed-" + detail::random_letters(12);
    // Nobody takes it before every sender has read that the endpoint was removed.
    what.expires_at = orders.runtime().time.now() + removal_hold;
    auto one = std::make_unique<taken_for_a_moment>(done);
    const auto sent = orders.submit(std::move(what), *one);
    if (sent) {
        (void)one.release();
    } else {
        done(sent.error());
    }
}

}  // namespace v1
}  // namespace orderproc
