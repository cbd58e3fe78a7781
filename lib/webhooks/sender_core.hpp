#ifndef ORDERPROC_WEBHOOKS_SENDER_CORE_HPP
#define ORDERPROC_WEBHOOKS_SENDER_CORE_HPP

// What the lanes of all endpoints share: requests and writes that are under way, and the feed.

#include "stages/common/mailbox.hpp"
#include "webhooks/event_bodies.hpp"

#include <orderproc/feed.hpp>
#include <orderproc/webhooks.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail {

class sender_mailbox;

// A request under way. Its client keeps it alive, and the sender as long as it waits.
struct flight {
    std::uint64_t id = 0;
    bool probing = false;  // takes a slot of those for endpoints that fail
    clock::instant deadline;
    std::stop_source stop;
    std::function<void(webhook_response&)> then;  // on the sender's thread
    std::atomic<bool> answered{false};
    webhook_response answer;
    std::shared_ptr<flight> next;  // in the mailbox
};

// A change of a record under way. The engine keeps it alive.
class record_write final : public record_completion {
public:
    void complete(record_outcome& outcome) noexcept override;

    std::shared_ptr<sender_mailbox> to;
    std::shared_ptr<record_write> self;         // while the engine has it
    std::function<void(record_outcome&)> then;  // on the sender's thread
    record_outcome outcome;
    std::shared_ptr<record_write> next;  // in the mailbox
};

// Lists, so that what comes from other threads needs no memory.
struct sender_mail {
    std::shared_ptr<flight> answers;
    std::shared_ptr<record_write> written;
    bool refresh = false;
    std::optional<clock::instant> stop_at;
};

class sender_mailbox final : public mailbox<sender_mail> {
public:
    using mailbox::mailbox;

    void answered(std::shared_ptr<flight> it) noexcept {
        leave([&](sender_mail& mail) {
            it->next = std::move(mail.answers);
            mail.answers = std::move(it);
        });
    }
    void wrote(std::shared_ptr<record_write> it) noexcept {
        leave([&](sender_mail& mail) {
            it->next = std::move(mail.written);
            mail.written = std::move(it);
        });
    }
    void refresh() noexcept {
        leave([](sender_mail& mail) { mail.refresh = true; });
    }
};

// Used on the sender's thread.
class sender_core {
public:
    sender_core(engine& orders, reader& journal, webhook_client& client,
                webhook_sender_options options);
    ~sender_core();  // REQUIRES: no lane is left

    // Whether another request may begin; probing: of an endpoint whose last ones failed. Those
    // share half of the slots, so that good ones always have the others.
    bool has_slot(bool probing) const noexcept;
    // then is called when it is answered, or has taken too long. Returns its id.
    std::uint64_t send(webhook_request what, bool probing,
                       std::function<void(webhook_response&)> then);
    void cancel(std::uint64_t flight) noexcept;  // then is not called
    // then is called in any case; errc::stopped: the engine takes no more.
    void write(change_record what, std::function<void(record_outcome&)> then);

    void take_in(sender_mail mail);
    void expire(clock::instant now);  // flights that took too long
    clock::instant flights_due() const noexcept;
    std::size_t in_flight() const noexcept { return flights_.size(); }

    void report(const char* where, errc code, std::string text) const;

    engine& orders;
    reader& journal;
    const webhook_sender_options options;
    const runtime with;
    const std::shared_ptr<sender_mailbox> mailbox;
    live_feed feed;
    event_bodies bodies;
    clock::instant tick_due;  // when cursors move next…
    bool ticking = false;     // …and whether they do so now
    bool engine_stopped = false;
    std::size_t delivered = 0, failed = 0;  // since the report before

private:
    void land(flight& it, webhook_response& answer);

    webhook_client& client_;
    // All have the same time-out, so the first one is the first to be late.
    std::map<std::uint64_t, std::shared_ptr<flight>> flights_;
    std::uint64_t last_flight_ = 0;
    std::size_t probing_ = 0;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
