#include "list_query.hpp"

#include "order_row.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

// With a user and statuses, up to so many orders in the statuses are looked through for the
// user's. Beyond it the user's are looked through for the statuses.
constexpr std::int64_t few_orders = 1000;

// Of a page, before any is read: then it grows as it needs.
constexpr std::size_t reserve_max = 128;

// Of the schema's orders_by_user.
constexpr int generation_bits = 15;

// ?1 and ?2 bound the number, ?3 limits, ?4 is the user and the statuses start here.
constexpr std::size_t first_status = 5;

constexpr std::int64_t no_limit = -1;  // to SQLite

// What the index cannot tell: the text behind a hash, and the tenant.
bool filters_rows(const list_params& params) {
    return params.scope.tenant || (params.scope.user && user_key(*params.scope.user) < 0);
}

std::string parameter(std::size_t index) {
    std::string out = "?";
    out += std::to_string(first_status + index);
    return out;
}

}  // namespace

list_query::list_query(connection& db)
    : db_(db),
      counts_(db, "SELECT status, orders FROM counts WHERE orders>0 ORDER BY status"),
      last_(db, "SELECT last_number FROM totals"),
      probe_(db, "SELECT number, created_at FROM orders WHERE number>=?1 ORDER BY number LIMIT 1") {
}

order_page list_query::run(const list_params& params) {
    order_page out;
    std::int64_t in_statuses = 0;
    const auto statuses = in_use(params, in_statuses);
    if (!params.statuses.empty() && statuses.empty()) return out;
    const range within = range_of(params);
    if (!params.scope.user || (!statuses.empty() && in_statuses <= few_orders)) {
        const route by = statuses.empty() ? route::all : route::by_status;
        add(by, params, statuses, within, out);
        return out;
    }
    // Generation by generation, in the order of the list.
    range left = within;
    while (left.low <= left.high && !out.next && db_.ok()) {
        range part = left;
        if (params.descending) {
            part.low = std::max(left.low, left.high >> generation_bits << generation_bits);
            left.high = part.low - 1;
        } else {
            part.high = std::min(left.high, left.low | ((1 << generation_bits) - 1));
            left.low = part.high + 1;
        }
        add(route::by_user, params, statuses, part, out);
    }
    return out;
}

// Appends what the page still wants of the range.
void list_query::add(route by, const list_params& params, std::span<const order_status> statuses,
                     range within, order_page& out) {
    // One more than that, to see whether there is a next page.
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max() - 1;
    const std::size_t wanted = params.limit - out.orders.size();
    const auto rows_max = static_cast<std::int64_t>(std::min(wanted, most) + 1);
    const bool user = params.scope.user.has_value();
    const std::array<std::int64_t, 4> integers{within.low, within.high,
                                               filters_rows(params) ? no_limit : rows_max,
                                               user ? user_key(*params.scope.user) : 0};
    const bool with_user = user || !statuses.empty();
    auto found = prepared(by, user, statuses.size(), params.descending)
                     .query_all(std::span(integers).first(with_user ? 4 : 3), statuses);
    out.orders.reserve(out.orders.size() + std::min(wanted, reserve_max));
    while (found.next()) {
        order it = read_order(db_, found);
        if (!params.scope.admits(it)) continue;
        if (out.orders.size() == params.limit) {
            out.next = {out.orders.back().created_at, out.orders.back().number};
            return;
        }
        out.orders.push_back(std::move(it));
    }
}

// Those asked for that have orders, each once, and how many orders.
std::vector<order_status> list_query::in_use(const list_params& params, std::int64_t& orders) {
    std::vector<order_status> out;
    if (params.statuses.empty()) return out;
    auto counts = counts_.query();
    while (counts.next()) {
        const order_status status = read_status(db_, counts.text(0));
        const auto& asked = params.statuses;
        if (std::find(asked.begin(), asked.end(), status) == asked.end()) continue;
        out.push_back(status);
        orders += counts.integer(1);
    }
    return out;
}

list_query::range list_query::range_of(const list_params& params) {
    range out{1, 0};
    {
        auto last = last_.query();
        if (last.next()) out.high = last.integer(0);
    }
    if (params.created_from) out.low = first_created_at_or_after(*params.created_from);
    if (params.created_until) {
        out.high = std::min(out.high, first_created_at_or_after(*params.created_until) - 1);
    }
    if (params.after && params.descending) out.high = std::min(out.high, params.after->number - 1);
    if (params.after && !params.descending) out.low = std::max(out.low, params.after->number + 1);
    return out;
}

// A number that no earlier order reaches and no later one is below.
std::int64_t list_query::first_created_at_or_after(timestamp at) {
    std::int64_t low = 1;
    std::int64_t high = 1;
    {
        auto last = last_.query();
        if (last.next()) high = last.integer(0) + 1;
    }
    while (low < high) {
        const std::int64_t middle = low + (high - low) / 2;
        auto found = probe_.query(middle);
        if (found.next() && found.time(1) < at) {
            low = found.integer(0) + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

statement& list_query::prepared(route by, bool user, std::size_t statuses, bool descending) {
    auto& kept = prepared_[{by, user, statuses, descending}];
    if (kept) return *kept;
    const std::string columns = std::string("SELECT ") + order_columns + " FROM orders ";
    const std::string between = "number BETWEEN ?1 AND ?2";
    std::string sql;
    if (by == route::by_status) {  // one range an index entry each, merged by number
        for (std::size_t i = 0; i < statuses; ++i) {
            if (i > 0) sql += " UNION ALL ";
            sql += columns + "INDEXED BY orders_by_status WHERE status=" + parameter(i) + " AND " +
                   between;
            if (user) sql += " AND +user_id=?4";
        }
    } else if (by == route::by_user) {
        sql = columns +
              "INDEXED BY orders_by_user WHERE (number >> 15)=(?1 >> 15) AND user_id=?4 AND " +
              between;
        for (std::size_t i = 0; i < statuses; ++i) {
            sql += (i == 0 ? " AND +status IN (" : ",") + parameter(i);
        }
        if (statuses > 0) sql += ")";
    } else {
        sql = columns + "WHERE " + between;
    }
    sql += descending ? " ORDER BY number DESC LIMIT ?3" : " ORDER BY number LIMIT ?3";
    kept = std::make_unique<statement>(db_, std::move(sql));
    return *kept;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
