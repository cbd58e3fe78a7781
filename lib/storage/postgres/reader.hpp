#ifndef ORDERPROC_STORAGE_POSTGRES_READER_HPP
#define ORDERPROC_STORAGE_POSTGRES_READER_HPP

// The reading half of a repository, on any connection.

#include "storage/postgres/list_query.hpp"
#include "storage/postgres/transaction.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

class reader {
public:
    explicit reader(connection& db) : db_(db), lists_(db) {}

    result<loaded_orders> load(const load_params& params);
    result<order_page> list(const list_params& params) { return lists_.run(params); }
    result<std::vector<journal_entry>> history(const history_params& params);
    result<feed_page> read_feed(const feed_params& params);
    result<feed_position> find_position(timestamp at);
    result<statistics> count();
    result<std::optional<feed_position>> find_cursor(std::string_view name);
    result<std::vector<named_cursor>> list_cursors();
    result<std::optional<record>> find_record(const find_record_params& params);
    result<record_page> list_records(const list_records_params& params);
    result<record_page> list_due_records(const list_due_records_params& params);

private:
    result<rows> ask(std::string_view sql, parameters with);  // a single statement

    connection& db_;
    list_query lists_;
};

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
