#ifndef ORDERPROC_STORAGE_SQLITE_LIST_QUERY_HPP
#define ORDERPROC_STORAGE_SQLITE_LIST_QUERY_HPP

// Pages of orders. Since created_at never runs backwards along the number, a list by time is
// one by number: every index that it uses ends with it, and no page sorts.

#include "statement.hpp"

#include <orderproc/repository.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

class list_query {
public:
    explicit list_query(connection& db);

    // In a transaction, for several statements.
    order_page run(const list_params& params);

private:
    enum class route : std::uint8_t { all, by_user, by_status };
    struct range {  // numbers, both inclusive
        std::int64_t low = 0;
        std::int64_t high = 0;
    };
    struct selection {
        route by = route::all;
        std::vector<order_status> statuses;
        bool counts = false;         // how many rows there are, in one row, instead of them
        std::int64_t rows_max = -1;  // of a range; negative: all
    };
    using row_visitor = std::function<bool(const rows& row)>;
    using visitor = std::function<bool(const list_position& at, order&& it)>;

    // These call visit until it says false, for rows that the list shows and for others.
    void walk(const list_params& params, list_sort sort, std::int64_t rows_max,
              const visitor& visit);
    bool has_few(const list_params& params);
    void walk_by_creation(const list_params& params, bool counts, std::int64_t rows_max,
                          const row_visitor& visit);
    bool walk_range(const list_params& params, const selection& what, range within,
                    const row_visitor& visit);  // false: visit said so
    void walk_by_id(const list_params& params, const row_visitor& visit);
    void walk_by_due_time(const list_params& params, const row_visitor& visit);
    void walk_by_value(const list_params& params, const row_visitor& visit);

    list_total count(const list_params& params);
    std::uint64_t count_statuses(const list_params& params);
    std::uint64_t count_value(const list_params& params);
    std::vector<order_status> in_use(const list_params& params, std::int64_t& orders);
    std::int64_t first_created_at_or_after(timestamp at);
    range range_of(const list_params& params);
    statement& prepared(const selection& what, bool user, bool descending);

    connection& db_;
    statement counts_;
    statement last_;
    statement probe_;
    statement by_id_up_, by_id_down_;
    statement by_due_up_, by_due_down_;
    statement of_value_up_, of_value_down_;
    statement by_value_up_, by_value_down_;
    statement count_of_value_, count_values_;
    // By route, counting, user, number of statuses, descending. As many as statuses in use allow.
    std::map<std::tuple<route, bool, bool, std::size_t, bool>, std::unique_ptr<statement>>
        prepared_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
