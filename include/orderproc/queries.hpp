#ifndef ORDERPROC_QUERIES_HPP
#define ORDERPROC_QUERIES_HPP

// What a repository_reader can be asked, and what it answers.

#include <orderproc/journal.hpp>
#include <orderproc/order.hpp>
#include <orderproc/order_model.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

struct load_params {
    std::span<const std::string> ids;  // whatever a client sent, also what is no id
    order_scope scope = {};            // others are as if they were not there
};

struct loaded_orders {
    std::vector<std::optional<order>> orders;  // in the order of the ids; none: not there
    feed_position newest;                      // what comes after it is not in what was read
};

// What a list is sorted by.
enum class list_sort : std::uint8_t {
    created_at,  // then by number
    order_id,    // byte by byte, unsigned
    due_at,      // when a worker should look at it, then by number; orders never due are left out
    index,       // by the value of list_params::index, then by number
};
// Where a page ended.
struct list_position {
    timestamp at = {};        // created_at or due_at of its last order, whichever it is sorted by
    std::int64_t number = 0;  // of that order
    std::string id = {};      // of that order, and alone, if it is sorted by that
    std::string value = {};   // of its index entry, if it is sorted by that
};
struct list_params {
    std::span<const order_status> statuses = {};  // empty: any
    order_scope scope = {};
    std::optional<timestamp> created_from = {};   // inclusive
    std::optional<timestamp> created_until = {};  // exclusive
    bool descending = true;
    std::optional<list_position> after = {};  // the last order of the page before
    std::size_t limit = 20;                   // 0: no orders, no next
    // Sorting by due_at REQUIRES exactly one status.
    list_sort sort = list_sort::created_at;
    std::string_view id_prefix = {};  // ids that begin with it; empty: any
    std::size_t count_max = 0;        // how far to count for order_page::total; 0: not at all
    // REQUIRES: `from` is `to` unless it is sorted by index, for which a condition has to be there;
    // no other sort but by created_at, and no id_prefix.
    std::optional<index_condition> index = {};
    // Rows that a page, or a count, may pass over because they do not match and no index has all of
    // the filters; a storage may count those that match as well. At least 1. A page that reaches it
    // ends there, short or even empty, with `next`.
    std::size_t rows_max = 10'000;
};
struct list_total {
    std::uint64_t orders = 0;  // at most list_params::count_max; fewer if rows_max was reached
    bool more = false;         // there may be more than those
};
struct order_page {
    std::vector<order> orders;
    std::optional<list_position> next;  // none: this was the last page
    feed_position newest;               // what comes after it is not in what was read
    // If it was asked for: all orders of the list, wherever this page starts.
    std::optional<list_total> total = {};
};

struct history_params {
    std::string_view order;  // also a deleted one's
    order_version after{0};
    std::size_t limit = 1000;
    order_scope scope = {};  // empty if the order, as it is now or was at its end, is outside of it
};
struct feed_params {
    feed_position after = {};
    std::size_t limit = 1000;
};
struct feed_page {
    std::vector<journal_entry> entries;
    // The first entry that is kept is at offset oldest.offset + 1. newest has the offset of the
    // last entry and the present epoch, which may be younger than that entry.
    feed_position oldest, newest;
    // `after` is not in this journal: its epoch is unknown or ended before its offset (offset 0
    // is in every epoch), it was purged, or it is past the end. No entries; go on from oldest.
    bool reset = false;
};

struct status_count {
    order_status status;
    std::uint64_t orders = 0;
    std::optional<timestamp> oldest_due_at;  // of those that a worker should look at
};
struct statistics {
    std::vector<status_count> orders;              // zeros may be left out
    std::uint64_t completed = 0;                   // orders whose work was done, ever
    std::chrono::milliseconds processing_time{0};  // theirs, from first claim to completion
    std::uint64_t created = 0;                     // orders that were created, ever
};

}  // namespace v1
}  // namespace orderproc

#endif
