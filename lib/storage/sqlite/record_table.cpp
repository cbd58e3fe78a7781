#include "record_table.hpp"

#include <orderproc/adapter.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

// One more than the page, to see whether there is another one.
std::int64_t limit_of(std::size_t page) {
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max() - 1;
    return static_cast<std::int64_t>(std::min(page, most)) + 1;
}

}  // namespace

record_table::record_table(connection& db)
    : find_(db,
            "SELECT key, value, version, due_at, order_id FROM records WHERE collection=?1 AND "
            "key=?2"),
      list_(db,
            "SELECT key, value, version, due_at, order_id FROM records "
            "WHERE collection=?1 AND key>?2 AND key>=?3 AND key<?4 ORDER BY key LIMIT ?5"),
      list_due_(db,
                "SELECT key, value, version, due_at, order_id FROM records "
                "WHERE collection=?1 AND due_at>=?2 AND due_at<=?3 AND (due_at>?2 OR key>?4) "
                "ORDER BY due_at, key LIMIT ?5"),
      latest_version_(db, "SELECT last_record FROM totals"),
      set_latest_version_(db, "UPDATE totals SET last_record=?1"),
      set_(db,
           "INSERT INTO records(collection, key, value, version, due_at, order_id) "
           "VALUES(?1,?2,?3,?4,?5,?6) "
           "ON CONFLICT(collection, key) DO UPDATE SET value=excluded.value, "
           "version=excluded.version, due_at=excluded.due_at, order_id=excluded.order_id"),
      remove_(db, "DELETE FROM records WHERE collection=?1 AND key=?2"),
      remove_of_(db, "DELETE FROM records WHERE order_id=?1") {}

record_outcome record_table::apply(const change_record& what) {
    auto kept = find(what.collection, what.key);
    std::uint64_t version = 0;
    {
        auto latest = latest_version_.query();
        if (latest.next()) version = static_cast<std::uint64_t>(latest.integer(0)) + 1;
    }
    record_outcome out = evaluate(kept, what, version);
    if (out.ec) return out;
    set_latest_version_.run(version);
    if (kept) {
        const auto order =
            kept->order.empty() ? std::nullopt : std::optional<std::string_view>(kept->order);
        set_.run(blob(std::string_view(what.collection)), blob(std::string_view(what.key)),
                 blob(std::string_view(kept->value)), version, kept->due_at, order);
    } else {
        remove_.run(blob(std::string_view(what.collection)), blob(std::string_view(what.key)));
    }
    return out;
}

void record_table::remove_of(std::string_view order) {
    remove_of_.run(order);
}

record record_table::read(const rows& row) {
    record out;
    out.key = row.text(0);
    out.value = row.text(1);
    out.version = static_cast<std::uint64_t>(row.integer(2));
    out.due_at = row.time_if_any(3);
    if (!row.is_null(4)) out.order = row.text(4);
    return out;
}

void record_table::fill(record_page& page, rows& found, std::size_t limit) {
    while (found.next()) {
        page.more = page.records.size() == limit;
        if (page.more) return;
        page.records.push_back(read(found));
    }
}

std::optional<record> record_table::find(std::string_view collection, std::string_view key) {
    auto found = find_.query(blob(collection), blob(key));
    if (!found.next()) return std::nullopt;
    return read(found);
}

record_page record_table::list(const list_records_params& params) {
    record_page page;
    const std::string behind_all(record_key_size_max + 1, '\xff');
    const std::string end = end_of_prefix(params.prefix).value_or(behind_all);
    auto found = list_.query(blob(params.collection), blob(params.after), blob(params.prefix),
                             blob(std::string_view(end)), limit_of(params.limit));
    fill(page, found, params.limit);
    return page;
}

record_page record_table::list_due(const list_due_records_params& params) {
    record_page page;
    const auto after = params.after.value_or(due_record_position{timestamp::min(), {}});
    auto found = list_due_.query(blob(params.collection), after.due_at, params.until,
                                 blob(after.key), limit_of(params.limit));
    fill(page, found, params.limit);
    return page;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
