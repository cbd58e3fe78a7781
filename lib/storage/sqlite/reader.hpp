#ifndef ORDERPROC_STORAGE_SQLITE_READER_HPP
#define ORDERPROC_STORAGE_SQLITE_READER_HPP

// The reading half of a repository, on any connection.

#include "list_query.hpp"
#include "record_table.hpp"
#include "statement.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

class reader {
public:
    explicit reader(connection& db);

    result<loaded_orders> load(const load_params& params);
    result<order_page> list(const list_params& params);
    result<std::vector<journal_entry>> history(const history_params& params);
    result<feed_page> read_feed(const feed_params& params);
    result<feed_position> find_position(timestamp at);
    result<statistics> count();
    result<std::optional<feed_position>> find_cursor(std::string_view name);
    result<std::vector<named_cursor>> list_cursors();
    result<std::optional<record>> find_record(const find_record_params& params);
    result<record_page> list_records(const list_records_params& params);
    result<record_page> list_due_records(const list_due_records_params& params);
    result<bool> was_applied(std::string_view writer, std::uint64_t sequence);

private:
    // Takes one snapshot for several statements; ended by its destructor.
    transaction snapshot() { return transaction(db_, begin_); }
    feed_position newest();
    bool read_bounds(std::span<const journal_epoch> of, feed_page& out);
    void load_one(const load_params& params, loaded_orders& out);
    bool admits(std::int64_t number, const order_scope& scope);

    connection& db_;
    list_query lists_;
    statement begin_;
    statement newest_;
    statement load_;
    statement load_one_;
    statement number_;
    statement history_;
    statement last_snapshot_;
    statement epochs_;
    statement bounds_;
    statement feed_;
    statement time_of_;
    statement counts_;
    statement totals_;
    statement cursor_;
    statement cursors_;
    statement sequence_;
    record_table records_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
