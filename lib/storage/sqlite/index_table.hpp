#ifndef ORDERPROC_STORAGE_SQLITE_INDEX_TABLE_HPP
#define ORDERPROC_STORAGE_SQLITE_INDEX_TABLE_HPP

// The values by which orders are found, for a connection that writes. Lists read them by
// themselves.

#include "statement.hpp"

#include <orderproc/change.hpp>

#include <cstdint>
#include <optional>
#include <span>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

class index_table {
public:
    explicit index_table(connection& db);

    // REQUIRES of both: before and after ascend. Most orders have no entries: then they do nothing.
    //
    // Another order that has one of the values which are unique and new: its number. The order's
    // own is 0 if it is to be created.
    std::optional<std::int64_t> find_holder(std::span<const index_entry> before,
                                            std::span<const index_entry> after,
                                            std::int64_t number);
    void update(std::span<const index_entry> before, std::span<const index_entry> after,
                std::int64_t number);

private:
    statement other_;
    statement add_;
    statement remove_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
