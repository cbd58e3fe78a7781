#ifndef ORDERPROC_STORAGE_POSTGRES_LIST_QUERY_HPP
#define ORDERPROC_STORAGE_POSTGRES_LIST_QUERY_HPP

// Pages of orders. Since created_at never runs backwards along the number, a list by time is one by
// number: every index that it uses ends with it, and no page sorts.

#include "storage/plan/read_set.hpp"
#include "storage/postgres/transaction.hpp"

#include <orderproc/repository.hpp>

#include <cstdint>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

class list_query {
public:
    explicit list_query(connection& db) : db_(db) {}

    result<order_page> run(const list_params& params);

private:
    struct known {  // before the page is read, in the same snapshot
        plan::totals sums;
        std::int64_t low = 1;  // numbers, both inclusive
        std::int64_t high = 0;
    };

    result<known> look(const list_params& params, order_page& out);
    result<order_page> read(const list_params& params, const known& about, order_page out);

    connection& db_;
};

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
