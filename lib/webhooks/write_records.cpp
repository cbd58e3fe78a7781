#include "webhooks/records.hpp"

#include <orderproc/webhook_store.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::chrono::seconds removal_hold(5);

// All records of one call. Each has a completion, which keeps the whole alive.
class record_group {
public:
    record_group(std::size_t count, std::function<void(result<void>)> done)
        : left_(count), done_(std::move(done)) {}

    void finish(const failure& why) {
        {
            const std::lock_guard lock(mutex_);
            if (why.code && !first_.code) first_ = why;
            if (--left_ > 0) return;
        }
        done_(first_.code ? result<void>(first_) : result<void>());
    }

private:
    std::mutex mutex_;
    std::size_t left_;
    failure first_;
    const std::function<void(result<void>)> done_;
};

class one_of_group final : public record_completion {
public:
    explicit one_of_group(std::shared_ptr<record_group> of) : of_(std::move(of)) {}
    void complete(record_outcome& outcome) noexcept override {
        const std::unique_ptr<one_of_group> self(this);
        of_->finish(outcome.ec ? failure(outcome.ec, "a record was changed by somebody else")
                               : failure());
    }
    std::shared_ptr<record_group> of_;
};

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

void write_records(engine& to, std::vector<change_record> what,
                   std::function<void(result<void>)> done) {
    if (what.empty()) return done({});
    const auto group = std::make_shared<record_group>(what.size(), std::move(done));
    for (change_record& it : what) {
        auto one = std::make_unique<one_of_group>(group);
        const auto sent = to.submit(std::move(it), *one);
        if (sent) {
            (void)one.release();  // complete() frees it
        } else {
            group->finish(sent.error());
        }
    }
}

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
