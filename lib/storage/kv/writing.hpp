#ifndef ORDERPROC_STORAGE_KV_WRITING_HPP
#define ORDERPROC_STORAGE_KV_WRITING_HPP

// One write, within its transaction.

#include "storage/kv/tables.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace kv {

// Kinds of what ages.
inline constexpr std::string_view a_key = "k";
inline constexpr std::string_view a_writer = "w";

inline std::string count_name(order_status status) {
    return bytes(std::string_view("="), status.view());
}

class writing {
public:
    writing(tables& in, timestamp now);

    change_outcome apply(const change& what);
    claim_outcome apply(const claim& what);
    cursor_outcome apply(const commit_cursor& what);
    record_outcome apply(const change_record& what);
    purge_outcome apply(const purge_orders& what, const write_params& params);
    bool admits(const record_guard& guard);
    // False: there is nothing to commit.
    bool end(const write_params& params);

private:
    std::optional<change_outcome> replay(const idempotency& once);
    void keep_key(const idempotency& once, const order& after);
    result<evaluation> judge(const change& what, std::int64_t number, const stored_order* current);
    std::optional<stored_order> find_holder(const evaluation& wanted, const stored_order* current);
    std::optional<journal_entry> last_entry(std::int64_t number);
    void redact_entries(const change& what, std::int64_t number);
    void remove_records(std::string_view order);
    void reindex(std::span<const index_entry> before, std::span<const index_entry> after,
                 const order& of);
    void store(const evaluation& what, const stored_order* before);
    void add_references(std::string_view key, const record& to);
    void remove_references(std::string_view key, const record& to);
    std::vector<stored_order> candidates(const claim& what);
    std::vector<stored_order> in_range(const due_range& range);
    void read_due(std::string_view from, std::string_view until, std::size_t limit,
                  std::vector<stored_order>& out);
    void purge(const journal_entry& last, purge_outcome& out);
    void remember(std::string_view writer, std::uint64_t sequence);
    std::vector<std::string> aged(timestamp from, timestamp until, std::size_t most);
    void forget(const write_params& params);

    tables& in_;
    write_time at_;
    bool changed_ = false;
};

}  // namespace kv
}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
