#ifndef ORDERPROC_STORAGE_SQLITE_LIST_QUERY_HPP
#define ORDERPROC_STORAGE_SQLITE_LIST_QUERY_HPP

// Pages of orders. Since created_at never runs backwards along the number, a list by time is
// one by number: every index ends with it, and no page sorts.

#include "statement.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

class list_query {
public:
    explicit list_query(connection& db);

    // In a transaction, for several statements. REQUIRES: limit > 0.
    order_page run(const list_params& params);

private:
    enum class route : std::uint8_t { all, by_user, by_status };
    struct range {  // numbers, both inclusive
        std::int64_t low = 0;
        std::int64_t high = 0;
    };

    void add(route by, const list_params& params, std::span<const order_status> statuses,
             range within, order_page& out);
    std::vector<order_status> in_use(const list_params& params, std::int64_t& orders);
    std::int64_t first_created_at_or_after(timestamp at);
    range range_of(const list_params& params);
    statement& prepared(route by, bool user, std::size_t statuses, bool descending);

    connection& db_;
    statement counts_;
    statement last_;
    statement probe_;
    // By route, user, number of statuses, descending. As many as statuses in use allow.
    std::map<std::tuple<route, bool, std::size_t, bool>, std::unique_ptr<statement>> prepared_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
