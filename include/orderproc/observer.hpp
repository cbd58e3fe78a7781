#ifndef ORDERPROC_OBSERVER_HPP
#define ORDERPROC_OBSERVER_HPP

// Who is told what happens: for metrics, logs and alarms.

#include <orderproc/change.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
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
    std::size_t lapsed = 0;     // taken back: the worker that had them went silent
    std::size_t exhausted = 0;  // failed: no attempt was left
    std::span<const reclaimed_order> reclaimed = {};  // all of those
};

enum class attempt_outcome : std::uint8_t { advanced, retried, gave_up, timed_out, released };
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

// How far a reader of the journal is behind it.
struct feed_report {
    std::string_view cursor;
    bool leading = false;              // this process reads; else another one does, or nobody
    std::uint64_t behind = 0;          // entries
    std::chrono::milliseconds lag{0};  // age of the first of them
};

// Orders that messages named.
struct offer_report {
    const work_stage& stage;
    std::size_t offered = 0;
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
    virtual void orders_offered(const offer_report&) noexcept {}
    // A message that was put aside, for it was none of ours.
    virtual void message_refused(std::string_view /*id*/, std::string_view /*reason*/) noexcept {}
    // Something that people should know of: where ("engine.write"), and what. "clock": the wall
    // clock stepped by more than a day, or is that far behind the newest entry; it has no code.
    virtual void trouble(std::string_view /*where*/, const failure&) noexcept {}
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
    void orders_offered(const offer_report& it) noexcept override;
    void message_refused(std::string_view id, std::string_view reason) noexcept override;
    void trouble(std::string_view where, const failure& what) noexcept override;

private:
    const std::vector<observer*> all_;
};

}  // namespace v1
}  // namespace orderproc

#endif
