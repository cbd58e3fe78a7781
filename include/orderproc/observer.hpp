#ifndef ORDERPROC_OBSERVER_HPP
#define ORDERPROC_OBSERVER_HPP

// Who is told what happens: for metrics, logs and alarms.

#include <orderproc/claim.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct batch_report {
    std::size_t changes = 0;  // asked for, whatever became of them
    std::size_t claims = 0;
    std::chrono::microseconds write_time{0};  // by the steady clock of the system
    error_code ec;                            // of the write as a whole
    std::size_t cursors = 0;                  // moves of cursors
    std::size_t records = 0;                  // changes of records
    std::size_t purges = 0;
};

struct transition_report {
    const order& after;
    std::string_view event;
    std::string_view actor;
    bool completed = false;  // a worker's last step: nothing comes after it
};

struct claim_report {
    const work_stage& stage;
    std::size_t handed_out = 0;
    std::size_t expired = 0;  // leases that had: the worker went silent, and the orders wait again
    std::size_t exhausted = 0;                        // failed: no attempt was left
    std::span<const reclaimed_order> reclaimed = {};  // all of those
};

enum class attempt_outcome : std::uint8_t {
    advanced,
    retried,
    gave_up,
    timed_out,
    released,
    handed_over,  // the attempt goes on: its processor said answer_later
};
inline constexpr std::size_t attempt_outcomes = 6;
ORDERPROC_EXPORT std::string_view name_of(attempt_outcome value) noexcept;  // "gave_up"

struct attempt_report {
    std::string_view order;
    std::string_view stage;  // the active status
    std::uint32_t attempt = 0;
    attempt_outcome outcome = attempt_outcome::advanced;
    std::string_view reason;
    std::chrono::milliseconds duration{0};
    std::string_view traceparent;
    bool failed = false;  // the order is FAILED now, or what its stage calls so
};

enum class key_use : std::uint8_t { fresh, replayed, mismatched };  // of an idempotency key

// A connection of this process to a broker came or went, or the reason why there is none changed.
struct broker_report {
    std::string_view broker;      // its name
    std::string_view connection;  // "relay" publishes, "wake_ups" consumes
    bool connected = false;
    const failure& why;  // when it is not
};

// What a relay or a journal_follower is waiting for.
enum class feed_wait : std::uint8_t {
    nothing,     // it has caught up, or makes progress
    leader,      // another process leads, or nobody does
    connection,  // there is no connection to the broker
    room,        // the broker takes nothing more: a memory or disk alarm, say
    confirms,    // the broker has the next entry and does not confirm it
    entry,       // the next entry cannot be published or handled: see entry_given_up()
    handler,     // the handler does not take the next entry now
};
ORDERPROC_EXPORT std::string_view name_of(feed_wait value) noexcept;  // "confirms"

// How far a reader of the journal is behind it.
struct feed_report {
    std::string_view cursor;
    bool leading = false;              // this process reads; else another one does, or nobody
    std::uint64_t behind = 0;          // entries
    std::chrono::milliseconds lag{0};  // age of the first of them
    feed_wait waits_for = feed_wait::nothing;
    std::chrono::milliseconds waited{0};  // since the cursor could last advance
};

// A sentence for people: "the feed lags by 131 s: the broker has confirmed nothing for 128 s".
// Empty if it does not lag.
ORDERPROC_EXPORT std::string describe(const feed_report& it);

// What to do with an entry of the journal that cannot be published or handled.
enum class unpublishable : std::uint8_t {
    park,  // put it into the poison queue, and continue behind it
    skip,  // continue behind it
    hold,  // go on trying it, and nothing behind it
};
ORDERPROC_EXPORT std::string_view name_of(unpublishable value) noexcept;  // "park"

// An entry that could not be published or handled in as many tries as it has.
struct given_up_report {
    std::string_view cursor;
    std::uint64_t epoch = 0, offset = 0;  // its position
    std::string_view order, event;
    unpublishable action = unpublishable::park;  // what is done with it
    const failure& why;
};

// Orders that messages named.
struct hint_report {
    const work_stage& stage;
    std::size_t hinted = 0;
    std::size_t claimed = 0;  // the others were news no more, or wait for their time
};

// Told with no lock held, on whatever thread it happens, so implementations are thread-safe;
// they must not block or throw. Views are valid during the call. Everything has an empty default,
// so that additions never break an implementation.
class ORDERPROC_EXPORT observer {
public:
    virtual ~observer() = default;
    virtual void batch_written(const batch_report&) noexcept {}
    // What clients and workers changed. Claims are told apart, all of one claim at once.
    virtual void transition_committed(const transition_report&) noexcept {}
    virtual void orders_claimed(const claim_report&) noexcept {}
    virtual void key_used(key_use) noexcept {}
    virtual void attempt_finished(const attempt_report&) noexcept {}
    virtual void lease_lost(std::string_view /*order*/) noexcept {}
    virtual void broker_changed(const broker_report&) noexcept {}
    virtual void feed_measured(const feed_report&) noexcept {}  // every second, and when it ends
    // Once for each entry, unless it can be parked no more than published: then also for skip.
    virtual void entry_given_up(const given_up_report&) noexcept {}
    virtual void orders_hinted(const hint_report&) noexcept {}
    // A message that was put aside, for it was none of ours.
    virtual void message_refused(std::string_view /*id*/, std::string_view /*reason*/) noexcept {}
    // Something that people should know of: where ("engine.write"), and what. "clock": the wall
    // clock stepped by more than a day, or is that far behind the newest entry; it has no code.
    virtual void error(std::string_view /*where*/, const failure&) noexcept {}
};

// Tells several, in their order. They outlive it.
class ORDERPROC_EXPORT observers final : public observer {
public:
    explicit observers(std::vector<observer*> all) : all_(std::move(all)) {}

    void batch_written(const batch_report& it) noexcept override;
    void transition_committed(const transition_report& it) noexcept override;
    void orders_claimed(const claim_report& it) noexcept override;
    void key_used(key_use it) noexcept override;
    void attempt_finished(const attempt_report& it) noexcept override;
    void lease_lost(std::string_view order) noexcept override;
    void broker_changed(const broker_report& it) noexcept override;
    void feed_measured(const feed_report& it) noexcept override;
    void entry_given_up(const given_up_report& it) noexcept override;
    void orders_hinted(const hint_report& it) noexcept override;
    void message_refused(std::string_view id, std::string_view reason) noexcept override;
    void error(std::string_view where, const failure& what) noexcept override;

private:
    const std::vector<observer*> all_;
};

}  // namespace v1
}  // namespace orderproc

#endif
