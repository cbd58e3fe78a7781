#ifndef ORDERPROC_EXPLAIN_HPP
#define ORDERPROC_EXPLAIN_HPP

// Why is an order not done? In sentences for people, and in fields for programs.

#include <orderproc/pause.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/status_machine.hpp>
#include <orderproc/worker_record.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

// What has to be known of an order and of what is around it.
struct order_facts {
    std::string id;
    std::optional<order> value;          // none: it was deleted, purged or never made
    std::vector<journal_entry> history;  // oldest first; the latest ones if there are many
    std::vector<work_pause> pauses;
    std::vector<worker_record> workers;
    bool workers_known = true;  // else nobody can tell, since the storage has no records
    // Orders of its status that are due before it; none: nobody has counted them.
    std::optional<std::uint64_t> ahead = {};
    bool ahead_more = false;  // there are more than those
    // Other dead letters with the same reason_group(); none: nobody has counted them.
    std::optional<std::uint64_t> similar = {};
    bool similar_more = false;
};

enum class order_state : std::uint8_t { unknown, deleted, waiting, in_work, settled, dead };
ORDERPROC_EXPORT std::string_view name_of(order_state value) noexcept;  // "in_work"

// What has to happen before something happens to the order.
enum class order_wait : std::uint8_t {
    nothing,    // it is settled, deleted or unknown
    its_time,   // it is not due yet
    pause,      // work is paused
    worker,     // no worker is heard
    capacity,   // every worker has as many orders as it takes
    queue,      // others are due before it
    isolation,  // its leases have expired, so it goes alone or in a small group
    claim,      // a worker's next look
    outcome,    // the worker that has it finishes it
    lease,      // the worker that has it is not heard: the end of its lease
    person,     // somebody has to raise an event
};
ORDERPROC_EXPORT std::string_view name_of(order_wait value) noexcept;  // "its_time"

struct explained_attempt {
    std::uint32_t number = 0;  // as counted by the order then
    std::string worker;
    timestamp from{};
    std::optional<timestamp> until = {};  // none: it goes on
    std::string outcome;  // "advanced", "retried", "failed", "released", "expired" or "running"
    std::string reason;

    friend bool operator==(const explained_attempt&, const explained_attempt&) = default;
};

struct explanation {
    static constexpr std::size_t attempts_max = 100;

    order_state state = order_state::unknown;
    order_wait waits_for = order_wait::nothing;
    std::optional<timestamp> since = {};      // when it got into its status
    std::optional<timestamp> next_at = {};    // nothing happens by itself before
    std::vector<std::string> sentences;       // at least one; the first one is the summary
    std::vector<explained_attempt> attempts;  // the latest ones, oldest first
    std::vector<std::string> can;             // events that clients may raise now
};

// Reads the facts: the order, the end of its history, and what is around it as far as that costs
// little. Of a dead letter it looks at similar_max of the newest dead letters, to count those with
// the same reason; 0: it counts none. The errors are those of the storage.
ORDERPROC_EXPORT result<order_facts> read_order_facts(repository_reader& from,
                                                      const std::string& id,
                                                      const status_machine& machine, timestamp now,
                                                      std::size_t similar_max = 1000);
ORDERPROC_EXPORT explanation explain(const order_facts& of, const status_machine& machine,
                                     timestamp now);

}  // namespace v1
}  // namespace orderproc

#endif
