#ifndef ORDERPROC_STORAGE_POSTGRES_ORDER_ROW_HPP
#define ORDERPROC_STORAGE_POSTGRES_ORDER_ROW_HPP

// Orders and journal entries as rows.

#include "storage/postgres/values.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// What read_order() and read_stored_order() expect from the given column on, of `orders o JOIN work
// w`. The first is the beginning of the second.
#define ORDERPROC_ORDER_COLUMNS                                                             \
    "o.number,o.order_id,o.user_id,o.amount,o.currency,o.created_at,o.item_ids,o.metadata," \
    "o.extra,w.status,w.version,w.attempts,w.updated_at,w.next_attempt_at,"                 \
    "w.first_claimed_at,w.settled_at,w.last_error"
inline constexpr std::string_view order_columns = ORDERPROC_ORDER_COLUMNS;
inline constexpr int order_column_count = 17;
inline constexpr std::string_view stored_order_columns = ORDERPROC_ORDER_COLUMNS
    ",w.lease,w.leased,w.due_at,w.span,w.expired_leases,w.worker_id,w.traceparent,"
    "o.index_entries";
inline constexpr int stored_order_column_count = 25;
#undef ORDERPROC_ORDER_COLUMNS
inline constexpr std::string_view entry_columns =
    "position,version,event,from_status,actor,reason,traceparent,at,snapshot";

// errc::corrupt if the row cannot have been written by us.
result<order> read_order(const rows& from, int row, int column = 0);
result<stored_order> read_stored_order(const rows& from, int row);
result<journal_entry> read_entry(const rows& from, int row, std::span<const journal_epoch> epochs);
result<order_status> read_status(std::string_view text);
result<order> read_snapshot(std::string_view bytes);

inline std::string_view bytes_of(const digest& it) noexcept {
    return {reinterpret_cast<const char*>(it.data()), it.size()};
}

// Rows to be inserted or updated, a column at a time.
class content_columns {
public:
    void add(const stored_order& stored);
    // number, order_id, user_id, tenant, amount, currency, created_at, item_ids as text, metadata,
    // extra, index_entries
    parameters take() &&;

private:
    array number_{element::integer}, order_id_{element::bytes}, user_id_{element::bytes},
        tenant_{element::bytes}, amount_{element::integer}, currency_{element::text},
        created_at_{element::integer}, item_ids_{element::text}, metadata_{element::bytes},
        extra_{element::bytes}, index_entries_{element::bytes};
    std::string buffer_;
};

class work_columns {
public:
    void add(const stored_order& it);
    // number, status, version, attempts, updated_at, next_attempt_at, first_claimed_at, settled_at,
    // lease, leased, due_at, span, expired_leases, worker_id, last_error, traceparent
    parameters take() &&;

private:
    array number_{element::integer}, status_{element::text}, version_{element::integer},
        attempts_{element::integer}, updated_at_{element::integer},
        next_attempt_at_{element::integer}, first_claimed_at_{element::integer},
        settled_at_{element::integer}, lease_{element::integer}, leased_{element::boolean},
        due_at_{element::integer}, span_{element::integer}, expired_leases_{element::integer},
        worker_id_{element::bytes}, last_error_{element::bytes}, traceparent_{element::bytes};
};

// Entries of the journal to be inserted, a column at a time.
struct entry_row {
    std::uint64_t position = 0;
    std::int64_t number = 0;
    order_version version{0};
    std::string_view event;
    std::optional<order_status> from;
    order_status status;
    std::string_view actor, reason, traceparent;
    timestamp at;
    std::string_view snapshot;
};
class entry_rows {
public:
    void add(const entry_row& it);
    // In the order of entry_row's members.
    parameters take() &&;

private:
    array position_{element::integer}, number_{element::integer}, version_{element::integer},
        event_{element::bytes}, from_{element::text}, status_{element::text},
        actor_{element::bytes}, reason_{element::bytes}, traceparent_{element::bytes},
        at_{element::integer}, snapshot_{element::bytes};
};

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
