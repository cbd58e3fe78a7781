#ifndef ORDERPROC_DEAD_LETTERS_HPP
#define ORDERPROC_DEAD_LETTERS_HPP

// Dead letters: orders in the failed status of a stage. Many usually have one cause, so they are
// grouped by what their reasons have in common.

#include <orderproc/repository.hpp>
#include <orderproc/status_machine.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

inline constexpr std::size_t reason_group_size_max = 512;

// What reasons of the same cause have in common: numbers, hexadecimal digits, UUIDs and quoted
// texts become "#", so that "payment 4711: 502 Bad Gateway" and "payment 4712: 502 Bad Gateway" are
// the same "payment #: # Bad Gateway". At most reason_group_size_max bytes of UTF-8, for a longer
// reason its beginning. The same text for the same reason in every version.
ORDERPROC_EXPORT std::string reason_group(std::string_view reason);

// The failed statuses of the machine's stages, each once.
ORDERPROC_EXPORT std::vector<order_status> failed_statuses(const status_machine& machine);

struct dead_letter_group {
    std::string reason;  // see reason_group(); empty: none was given
    std::uint64_t orders = 0;
    timestamp first_at{}, last_at{};  // when the first and the last of them failed
    std::uint64_t recent = 0;    // that failed at group_dead_letters_params::recent_from or later
    std::string example_order;   // of the last of them: its id…
    std::string example_reason;  // …and its last_error as it is

    friend bool operator==(const dead_letter_group&, const dead_letter_group&) = default;
};

struct group_dead_letters_params {
    std::size_t orders_max = 10'000;  // the newest by creation; at least 1
    std::size_t groups_max = 200;     // at least 1
    timestamp recent_from{};
    // Asked after each page; true: those looked at have to do. None: it goes on.
    std::function<bool()> enough = {};
};
struct dead_letter_groups {
    std::vector<dead_letter_group> groups;  // most orders first, then by reason
    std::uint64_t orders = 0;               // dead letters that there are
    std::uint64_t looked_at = 0;            // of them
    std::uint64_t other_orders = 0;         // of those looked at: in groups beyond groups_max
    bool complete = true;                   // all of them were looked at
};
// The errors are those of the storage. Reads one page of orders after the other.
ORDERPROC_EXPORT result<dead_letter_groups> group_dead_letters(
    repository_reader& from, const status_machine& machine,
    const group_dead_letters_params& params);

struct list_dead_letters_params {
    std::string_view reason;                  // a group's
    std::optional<list_position> after = {};  // the last order of the page before
    std::size_t limit = 20;                   // at least 1
    std::size_t rows_max = 1000;              // dead letters that a page looks at; at least limit
};
// The orders of a group, newest first. A page may be short, or even empty, with `next`.
ORDERPROC_EXPORT result<order_page> list_dead_letters(repository_reader& from,
                                                      const status_machine& machine,
                                                      const list_dead_letters_params& params);

}  // namespace v1
}  // namespace orderproc

#endif
