#include "list_query.hpp"

#include "order_row.hpp"

#include <orderproc/adapter.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <string>
#include <string_view>
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

// What no index tells: the text behind a hash, the tenant, the id.
bool filters_rows(const list_params& params) {
    return params.scope.tenant || (params.scope.user && user_key(*params.scope.user) < 0) ||
           !params.id_prefix.empty();
}

// One more than the page, or the count, to see whether there are more.
std::int64_t one_more(std::size_t than) {
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max() - 1;
    return static_cast<std::int64_t>(std::min(than, most) + 1);
}

std::string parameter(std::size_t index) {
    std::string out = "?";
    out += std::to_string(first_status + index);
    return out;
}

std::string select_orders(const char* rest) {
    return std::string("SELECT ") + order_columns + ",due_at FROM orders " + rest;
}

constexpr std::string_view behind_all_ids = "\xff";  // in no text of UTF-8

}  // namespace

list_query::list_query(connection& db)
    : db_(db),
      counts_(db, "SELECT status, orders FROM counts WHERE orders>0 ORDER BY status"),
      last_(db, "SELECT last_number FROM totals"),
      probe_(db, "SELECT number, created_at FROM orders WHERE number>=?1 ORDER BY number LIMIT 1"),
      by_id_up_(db, select_orders("WHERE order_id>=?1 AND order_id<?2 ORDER BY order_id")),
      by_id_down_(db, select_orders("WHERE order_id>=?1 AND order_id<?2 ORDER BY order_id DESC")),
      by_due_up_(db, select_orders("INDEXED BY orders_by_due_at WHERE status=?1 AND "
                                   "due_at IS NOT NULL AND due_at>=?2 AND (due_at>?2 OR number>?3) "
                                   "ORDER BY due_at, number")),
      by_due_down_(db,
                   select_orders("INDEXED BY orders_by_due_at WHERE status=?1 AND "
                                 "due_at IS NOT NULL AND due_at<=?2 AND (due_at<?2 OR number<?3) "
                                 "ORDER BY due_at DESC, number DESC")) {}

order_page list_query::run(const list_params& params) {
    order_page out;
    if (params.count_max > 0) out.total = count(params);
    if (params.limit == 0) return out;
    out.orders.reserve(std::min(params.limit, reserve_max));
    list_position last;
    walk(params, params.sort, one_more(params.limit), [&](list_position&& at, order&& it) {
        if (out.orders.size() == params.limit) {
            out.next = std::move(last);
            return false;
        }
        out.orders.push_back(std::move(it));
        last = std::move(at);
        return true;
    });
    return out;
}

void list_query::walk(const list_params& params, list_sort sort, std::int64_t rows_max,
                      const visitor& visit) {
    const auto offer = [&](const rows& row) {
        order it = read_order(db_, row);
        if (!matches(it, params)) return true;
        list_position at;
        if (sort == list_sort::order_id) {
            at.id = it.id.view();
        } else {
            at.number = it.number;
            at.at = sort == list_sort::due_at ? row.time(order_column_count) : it.created_at;
        }
        return visit(std::move(at), std::move(it));
    };
    switch (sort) {
        case list_sort::created_at:
            return walk_by_creation(params, false, filters_rows(params) ? no_limit : rows_max,
                                    offer);
        case list_sort::order_id:
            return walk_by_id(params, offer);
        case list_sort::index:  // REQUIRES a capability that this storage does not have
            return;
        case list_sort::due_at:
            return walk_by_due_time(params, offer);
    }
}

void list_query::walk_by_creation(const list_params& params, bool counts, std::int64_t rows_max,
                                  const row_visitor& visit) {
    std::int64_t in_statuses = 0;
    selection what{route::all, in_use(params, in_statuses), counts, rows_max};
    if (!params.statuses.empty() && what.statuses.empty()) return;
    range left = range_of(params);
    if (!params.scope.user || (!what.statuses.empty() && in_statuses <= few_orders)) {
        if (!what.statuses.empty()) what.by = route::by_status;
        (void)walk_range(params, what, left, visit);
        return;
    }
    what.by = route::by_user;
    // Generation by generation, in the order of the list.
    bool more = true;
    while (left.low <= left.high && more && db_.ok()) {
        range part = left;
        if (params.descending) {
            part.low = std::max(left.low, left.high >> generation_bits << generation_bits);
            left.high = part.low - 1;
        } else {
            part.high = std::min(left.high, left.low | ((1 << generation_bits) - 1));
            left.low = part.high + 1;
        }
        more = walk_range(params, what, part, visit);
    }
}

bool list_query::walk_range(const list_params& params, const selection& what, range within,
                            const row_visitor& visit) {
    const bool user = params.scope.user.has_value();
    const std::array<std::int64_t, 4> integers{within.low, within.high, what.rows_max,
                                               user ? user_key(*params.scope.user) : 0};
    const bool with_user = user || !what.statuses.empty();
    auto found = prepared(what, user, params.descending)
                     .query_all(std::span(integers).first(with_user ? 4 : 3), what.statuses);
    while (found.next()) {
        if (!visit(found)) return false;
    }
    return true;
}

void list_query::walk_by_id(const list_params& params, const row_visitor& visit) {
    std::string from(params.id_prefix);
    std::string until = end_of_prefix(from).value_or(std::string(behind_all_ids));
    if (params.after) (params.descending ? until : from) = params.after->id;
    auto found = (params.descending ? by_id_down_ : by_id_up_)
                     .query(std::string_view(from), std::string_view(until));
    while (found.next()) {
        const bool seen = params.after && found.text(1) == params.after->id;
        if (!seen && !visit(found)) return;
    }
}

void list_query::walk_by_due_time(const list_params& params, const row_visitor& visit) {
    const timestamp end = params.descending ? timestamp::max() : timestamp::min();
    auto found = (params.descending ? by_due_down_ : by_due_up_)
                     .query(params.statuses.front().view(), params.after ? params.after->at : end,
                            params.after ? params.after->number : std::int64_t{0});
    while (found.next()) {
        if (!visit(found)) return;
    }
}

list_total list_query::count(const list_params& params) {
    list_params whole = params;
    whole.after.reset();
    std::uint64_t counted = 0;
    const bool by_due_time = params.sort == list_sort::due_at;
    if (by_due_time || filters_rows(params)) {
        const auto sort =
            !by_due_time && !params.id_prefix.empty() ? list_sort::order_id : params.sort;
        walk(whole, sort, no_limit,
             [&](list_position&&, order&&) { return ++counted <= params.count_max; });
    } else if (params.scope.everybody() && !params.created_from && !params.created_until) {
        counted = count_statuses(params);
    } else {
        walk_by_creation(whole, true, one_more(params.count_max), [&](const rows& row) {
            counted += static_cast<std::uint64_t>(row.integer(0));
            return counted <= params.count_max;
        });
    }
    return {std::min<std::uint64_t>(counted, params.count_max), counted > params.count_max};
}

std::uint64_t list_query::count_statuses(const list_params& params) {
    std::uint64_t out = 0;
    auto counts = counts_.query();
    while (counts.next()) {
        const auto& asked = params.statuses;
        const bool wanted =
            asked.empty() ||
            std::find(asked.begin(), asked.end(), read_status(db_, counts.text(0))) != asked.end();
        if (wanted) out += static_cast<std::uint64_t>(counts.integer(1));
    }
    return out;
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

statement& list_query::prepared(const selection& what, bool user, bool descending) {
    const std::size_t statuses = what.statuses.size();
    auto& kept = prepared_[{what.by, what.counts, user, statuses, descending}];
    if (kept) return *kept;
    const std::string columns =
        std::string("SELECT ") + (what.counts ? "1" : order_columns) + " FROM orders ";
    const std::string between = "number BETWEEN ?1 AND ?2";
    std::string sql;
    if (what.by == route::by_status) {  // one range an index entry each, merged by number
        for (std::size_t i = 0; i < statuses; ++i) {
            if (i > 0) sql += " UNION ALL ";
            sql += columns + "INDEXED BY orders_by_status WHERE status=" + parameter(i) + " AND " +
                   between;
            if (user) sql += " AND +user_id=?4";
        }
    } else if (what.by == route::by_user) {
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
    if (what.counts) {
        sql = "SELECT count(*) FROM (" + sql + " LIMIT ?3)";
    } else {
        sql += descending ? " ORDER BY number DESC LIMIT ?3" : " ORDER BY number LIMIT ?3";
    }
    kept = std::make_unique<statement>(db_, std::move(sql));
    return *kept;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
