#ifndef ORDERPROC_STORAGE_SQLITE_RECORD_TABLE_HPP
#define ORDERPROC_STORAGE_SQLITE_RECORD_TABLE_HPP

// Records, on any connection.

#include "statement.hpp"

#include <orderproc/record.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

class record_table {
public:
    explicit record_table(connection& db);

    // REQUIRES: within a transaction that writes. Unless the outcome has an error, it has changed
    // the table.
    record_outcome apply(const change_record& what);
    void remove_of(std::string_view order);  // those about it

    std::optional<record> find(std::string_view collection, std::string_view key);
    record_page list(const list_records_params& params);
    record_page list_due(const list_due_records_params& params);

private:
    static record read(const rows& row);
    static void fill(record_page& page, rows& found, std::size_t limit);

    statement find_;
    statement list_;
    statement list_due_;
    statement latest_version_;
    statement set_latest_version_;
    statement set_;
    statement remove_;
    statement remove_of_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
