#ifndef ORDERPROC_PAUSE_HPP
#define ORDERPROC_PAUSE_HPP

// Pauses: while one is there, nobody claims orders. They are records, so they bind every process
// over the storage and survive restarts. Each engine looks for them before it claims, at most twice
// a second; what is being worked on goes on, and no attempt is counted. Storages without
// capability::records have none.

#include <orderproc/repository.hpp>
#include <orderproc/status_machine.hpp>

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

inline constexpr std::string_view pause_collection = "pauses";
// How old an engine's knowledge of pauses may be when it claims.
inline constexpr std::chrono::milliseconds pause_look_interval{500};

struct work_pause {
    static constexpr std::size_t by_size_max = 256;  // an actor of the journal
    static constexpr std::size_t reason_size_max = 200;

    std::optional<order_status> stage = {};  // its active status; none: all work
    timestamp since{};
    std::string by = {};      // who asked for it: at most by_size_max bytes
    std::string reason = {};  // at most reason_size_max bytes of UTF-8 on one line

    friend bool operator==(const work_pause&, const work_pause&) = default;
};

// All, that of all work first and the others by stage. What else is unreadable about a pause is
// left out, but it counts. The errors are those of the storage.
ORDERPROC_EXPORT result<std::vector<work_pause>> list_pauses(repository_reader& from);

// Whether one of them is of this stage, or of all work.
ORDERPROC_EXPORT bool is_paused(std::span<const work_pause> pauses,
                                const work_stage& stage) noexcept;

// The next two return what is to be written: see write_records(). Empty: nothing has to change.

// What is paused already stays as it is. errc::invalid_argument: the machine has no such stage, or
// a text is longer than it may be, or is not one line.
ORDERPROC_EXPORT result<std::vector<change_record>> pause_work(repository_reader& from,
                                                               const work_pause& what,
                                                               const status_machine& machine);
// None: every pause ends. errc::invalid_argument: as above. errc::transition_rejected: one stage
// cannot be resumed while all work is paused.
ORDERPROC_EXPORT result<std::vector<change_record>> resume_work(repository_reader& from,
                                                                std::optional<order_status> stage,
                                                                const status_machine& machine);

}  // namespace v1
}  // namespace orderproc

#endif
