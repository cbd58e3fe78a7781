#include "index_table.hpp"

#include <orderproc/adapter.hpp>

#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

index_table::index_table(connection& db)
    : other_(db,
             "SELECT owner FROM index_entries WHERE slot=?1 AND value=?2 AND owner<>?3 LIMIT 1"),
      add_(db, "INSERT INTO index_entries(slot, value, owner) VALUES(?1,?2,?3)"),
      remove_(db, "DELETE FROM index_entries WHERE slot=?1 AND value=?2 AND owner=?3") {}

std::optional<std::int64_t> index_table::find_holder(std::span<const index_entry> before,
                                                     std::span<const index_entry> after,
                                                     std::int64_t number) {
    if (after.empty()) return std::nullopt;
    for (const index_entry& it : entries_beyond(after, before)) {
        if (!it.unique) continue;
        auto found = other_.query(std::uint32_t{it.slot}, blob(std::string_view(it.value)), number);
        if (found.next()) return found.integer(0);
    }
    return std::nullopt;
}

void index_table::update(std::span<const index_entry> before, std::span<const index_entry> after,
                         std::int64_t number) {
    if (before.empty() && after.empty()) return;
    for (const index_entry& it : entries_beyond(before, after)) {
        remove_.run(std::uint32_t{it.slot}, blob(std::string_view(it.value)), number);
    }
    for (const index_entry& it : entries_beyond(after, before)) {
        add_.run(std::uint32_t{it.slot}, blob(std::string_view(it.value)), number);
    }
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
