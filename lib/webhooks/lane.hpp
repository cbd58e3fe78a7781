#ifndef ORDERPROC_WEBHOOKS_LANE_HPP
#define ORDERPROC_WEBHOOKS_LANE_HPP

#include "stages/follow/cursor_lease.hpp"
#include "webhooks/lane_parts.hpp"
#include "webhooks/records.hpp"
#include "webhooks/sender_core.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// One endpoint: where it stands in the journal, what is under way to it, and what failed. Used on
// the sender's thread. What it waits for is cancelled when it is destroyed.
class lane final : public std::enable_shared_from_this<lane>, private feed_listener {
public:
    lane(sender_core& of, webhook_endpoint endpoint);
    ~lane();

    const webhook_endpoint& endpoint() const noexcept { return endpoint_; }
    void configure(webhook_endpoint now_so);
    void set_tasks(const std::vector<record>& all);

    // Does what can be done. stopping: begin nothing; drained: wait for nothing either.
    // What it throws is to be reported, and it is called again.
    void step(clock::instant now, bool stopping, bool drained);
    clock::instant due() const noexcept { return due_; }  // as the last step left it
    void measure(clock::instant now);                     // tells the observer how late it is

    bool leading() const noexcept { return lease_ && lease_->leading(); }
    bool over() const noexcept { return !lease_; }  // holds no cursor, nor wants to know of one
    std::size_t parked() const noexcept { return parked_.size(); }

private:
    enum class removal : std::uint8_t { pending, done, failed };
    class cursor_removal;
    enum class source : std::uint8_t { live, parked, replay, test };
    struct letter {
        source from = source::live;
        std::string event;  // webhook-id
        std::string order;
        feed_position at;
        order_version version{0};
        std::uint32_t number = 1;
        timestamp began_at{};
    };

    using signing_secrets = std::vector<std::pair<webhook_secret, timestamp>>;  // until when

    void ready() noexcept override { feed_ready_ = touched_ = true; }

    // lane.cpp: whether it leads, and what it takes from the feed
    bool wants_lease(bool stopping) const noexcept;
    void keep_lease(clock::instant now, bool stopping, bool drained);
    void lead(cursor_lease::change what);
    void begin();
    void cancel_all() noexcept;
    void drop() noexcept;
    void doubt() noexcept;
    template <class Act>
    void trusting(Act act) {
        try {
            act();
        } catch (...) {
            doubt();
            throw;
        }
    }
    void begin_again();
    bool has_to_do(clock::instant now, bool stopping, bool drained) noexcept;
    void advance(clock::instant now, bool stopping, bool drained);
    clock::instant next_due(clock::instant now, bool stopping, bool drained) const;
    void subscribe();
    void take();
    void take_part(const feed_part& it);
    void take_reset(feed_position to);
    void pass() noexcept;
    cursor_wish wish(clock::instant now, bool stopping, bool drained) const noexcept;
    bool pending_writes() const noexcept;

    // lane_send.cpp: requests and what comes of them
    std::size_t allowed() const noexcept;
    bool in_lease() const noexcept;
    bool struggling() const noexcept;
    bool has_slot() const noexcept;
    bool parked_has_slot() const noexcept;
    using answer_handler =
        std::function<void(const webhook_response&, std::optional<timestamp>& next_at)>;
    void send(letter what, const outgoing_event& it, answer_handler then);
    void land(const letter& what, const webhook_response& got, const answer_handler& then);
    std::chrono::milliseconds delay_after(const webhook_response& got,
                                          std::uint32_t attempts) const;
    void dispatch(clock::instant now);
    void note(const letter& what, const webhook_response& got,
              const std::optional<timestamp>& next_at);
    void note_success();
    void note_failure(const webhook_response& got);
    void forget_sent();  // all but the last ones
    void store_failed(const webhook_attempt& it);
    void store_sent(clock::instant now, bool at_once);
    void check_limits();
    void pause(std::string why);
    void write_pause(clock::instant now);

    // lane_parked.cpp
    result<bool> load_parked();
    void fail_live(const outgoing_event& it, const webhook_response& got,
                   std::optional<timestamp>& next_at);
    void note_parked(std::int64_t number, order_version version, const webhook_response& got,
                     std::optional<timestamp>& next_at);
    void note_failed(std::int64_t number, parked_order& it, const webhook_response& got,
                     std::optional<timestamp>& next_at);
    void touch(std::int64_t number, parked_order& it);
    void schedule(std::int64_t number, parked_order& it, clock::instant due);
    void pass_to_parked();
    void send_parked(clock::instant now);
    void send_next_of(std::int64_t number, parked_order& it, clock::instant now);
    result<std::optional<outgoing_event>> find_next(const parked_order& it);
    void write_parked(clock::instant now);
    void write_parked(std::int64_t number, parked_order& it);
    void note_parked_written(std::int64_t number, record_outcome& outcome);
    void hurry_parked(clock::instant now);

    // lane_tasks.cpp
    void run_tasks(clock::instant now);
    void run_test(lane_task& it);
    void run_replay(lane_task& it, clock::instant now);
    void read_replay(lane_task& it, clock::instant now);
    void send_replay(clock::instant now);
    void save_task(lane_task& it);
    void end_task(lane_task& it);
    void remove_cursor();
    lane_task* find_task(const std::string& key) noexcept;
    void clean(clock::instant now);
    void remove_endpoint(clock::instant now);

    signing_secrets open_secrets(const webhook_endpoint& of) const;
    outgoing_event to_event(const journal_entry& it,
                            const std::shared_ptr<const void>& owner = nullptr) const;
    bool matches_filter(const journal_entry& it) const;

    sender_core& core_;
    webhook_endpoint endpoint_;
    feed_filter filter_;
    signing_secrets secrets_;  // of the endpoint

    // What has happened to it since its last step, and when there is something to do without that.
    bool touched_ = true;
    bool stopping_ = false, drained_ = false;
    bool wants_slot_ = false;  // one that all share
    clock::instant due_;

    const std::shared_ptr<std::atomic<bool>> has_mail_ = std::make_shared<std::atomic<bool>>(false);
    std::shared_ptr<feed_mailbox> mail_;
    std::optional<cursor_lease> lease_;
    std::unique_ptr<feed_subscription> subscription_;
    bool feed_ready_ = false;
    feed_position taken_;      // up to here it has been taken from the feed…
    feed_position done_;       // …and up to here it is delivered or durably parked
    timestamp passed_at_{};    // when the last one that was passed came into the journal
    bool moved_ = false;       // done_ passed something that was sent
    clock::instant idle_due_;  // when the cursor moves though nothing was sent
    std::deque<outgoing_event> window_;
    std::size_t window_size_ = 0;  // bytes
    std::set<std::int64_t> busy_;  // orders of which something is under way
    std::set<std::uint64_t> flights_;

    std::map<std::int64_t, parked_order> parked_;
    std::set<std::pair<clock::instant, std::int64_t>> parked_due_;
    std::set<std::int64_t> parked_dirty_;
    std::size_t parked_sending_ = 0;
    bool loaded_ = false;
    clock::instant load_due_;
    std::uint64_t leads_ = 0;  // changes whenever what is known here ends

    std::size_t window_of_sends_ = 2;         // deliveries at a time, from 1 to per_endpoint
    std::uint32_t failures_ = 0;              // in a row
    std::uint32_t probes_ = 0;                // that failed, since new events are held
    clock::instant held_until_;               // Retry-After
    clock::instant probe_due_;                // no new events before this
    std::optional<timestamp> failing_since_;  // nothing has got through since
    std::string pausing_;                     // why it is to be paused
    bool pause_writing_ = false;
    clock::instant pause_due_;

    std::vector<webhook_attempt> sent_;  // the last successes
    std::uint64_t sent_stored_ = 0;      // version of their record
    bool sent_dirty_ = false;
    bool sent_writing_ = false;
    clock::instant sent_due_;
    std::size_t failed_stored_ = 0;  // attempts; about

    std::vector<lane_task> tasks_;
    std::deque<outgoing_event> replay_;
    bool replay_ended_ = false;  // what is in replay_ is the rest
    clock::instant replay_due_;  // not read before
    std::size_t removing_ = 0;   // records, of an endpoint that was removed
    bool cleaned_ = false;       // the endpoint's own record as well, or that is under way
    clock::instant clean_due_;
    std::shared_ptr<std::atomic<removal>> cursor_removed_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
