#ifndef ORDERPROC_WORKER_RECORD_HPP
#define ORDERPROC_WORKER_RECORD_HPP

// What workers say about themselves: each writes a record now and then (worker_options::
// record_every), and removes it when it stops. So any process over the storage can tell who works.

#include <orderproc/repository.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

inline constexpr std::string_view worker_collection = "workers";

struct worker_record {
    // Not heard for so long: the worker is silent, or gone.
    static constexpr std::chrono::seconds silent_after{30};
    static constexpr std::chrono::seconds gone_after{45};
    // How long a record of one that is gone is kept: see forget_workers().
    static constexpr std::chrono::hours kept_for{1};

    std::string name;           // worker_options::worker_id
    std::string host;           // empty: the system has no name
    std::uint64_t process = 0;  // its id
    std::string program;        // worker_options::program
    timestamp started_at{};
    timestamp heard_at{};
    std::vector<order_status> stages;  // their active statuses
    bool draining = false;             // it claims nothing more
    std::uint64_t in_work = 0;         // orders that it holds
    std::uint64_t capacity = 0;        // orders that it would hold at most
    // Since it started.
    std::uint64_t claimed = 0, advanced = 0, retried = 0, failed = 0, lease_lost = 0;
    // Orders that it advanced in the last minute; none: it has not run for a minute.
    std::optional<std::uint64_t> advanced_last_minute = {};

    friend bool operator==(const worker_record&, const worker_record&) = default;
};

enum class worker_state : std::uint8_t { working, draining, silent, gone };
ORDERPROC_EXPORT std::string_view name_of(worker_state value) noexcept;  // "working"
// By the reader's clock. A worker whose clock is ahead of that by worker_record::silent_after or
// more counts as silent: nobody can tell whether it is still there.
ORDERPROC_EXPORT worker_state state_of(const worker_record& it, timestamp now) noexcept;

// What a worker writes: of the version that it last wrote; 0: it has written none.
ORDERPROC_EXPORT change_record to_record(const worker_record& it, std::uint64_t version);

struct worker_page {
    std::vector<worker_record> workers;  // by name
    std::string next;                    // the name to go on after; empty: this was the last page
};
// limit: at least 1. Records that cannot be read are left out. The errors are those of the storage.
ORDERPROC_EXPORT result<worker_page> list_workers(repository_reader& from, std::string_view after,
                                                  std::size_t limit);

// Those that are not gone, the longest unheard first, at most so many. It reads no records of those
// that are gone, however many there are. The errors are those of the storage.
ORDERPROC_EXPORT result<std::vector<worker_record>> list_present_workers(repository_reader& from,
                                                                         timestamp now,
                                                                         std::size_t most);
// Those that are gone, the longest gone first, at most so many.
ORDERPROC_EXPORT result<std::vector<worker_record>> list_gone_workers(repository_reader& from,
                                                                      timestamp now,
                                                                      std::size_t most);
// By its name; nullopt: it has no record, or one that cannot be read.
ORDERPROC_EXPORT result<std::optional<worker_record>> find_worker(repository_reader& from,
                                                                  std::string_view name);

// Removes records of workers that have been gone for worker_record::kept_for, at most so many of
// them: see write_records().
ORDERPROC_EXPORT result<std::vector<change_record>> forget_workers(repository_reader& from,
                                                                   timestamp now, std::size_t most);

}  // namespace v1
}  // namespace orderproc

#endif
