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
constexpr std::size_t few_orders = 1000;

// Of a page, before any is read: then it grows as it needs.
constexpr std::size_t reserve_max = 128;

// Of the schema's orders_by_user.
constexpr int generation_bits = 15;

// ?1 and ?2 bound the number, ?3 limits, ?4 is the user and the statuses start here.
constexpr std::size_t first_status = 5;

constexpr std::int64_t no_limit = -1;  // to SQLite

// What no index tells: the text behind a hash, the tenant, the id, the status of a user's orders.
bool filters_rows(const list_params& params) {
    return params.scope.tenant || !params.id_prefix.empty() ||
           (params.scope.user && (!params.statuses.empty() || user_key(*params.scope.user) < 0));
}

// What the index entries of a list do not tell.
bool filters_entries(const list_params& params) {
    const bool by_time = params.created_from || params.created_until;
    const bool by_tenant = params.scope.tenant && !finds_tenant(params);
    return params.scope.user || by_tenant || !params.statuses.empty() ||
           (by_time && params.sort == list_sort::index);
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

std::string select_entries(const char* columns, const char* rest) {
    return std::string("SELECT ") + order_columns + columns +
           " FROM index_entries CROSS JOIN orders ON number=owner WHERE slot=?1 AND " + rest;
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
                                 "ORDER BY due_at DESC, number DESC")),
      of_value_up_(db, select_entries("", "value=?2 AND owner BETWEEN ?3 AND ?4 ORDER BY owner")),
      of_value_down_(
          db, select_entries("", "value=?2 AND owner BETWEEN ?3 AND ?4 ORDER BY owner DESC")),
      by_value_up_(db, select_entries(",due_at,value",
                                      "(value, owner)>(?2, ?3) AND value<=?4 "
                                      "ORDER BY value, owner")),
      by_value_down_(db, select_entries(",due_at,value",
                                        "(value, owner)<(?2, ?3) AND value>=?4 "
                                        "ORDER BY value DESC, owner DESC")),
      count_of_value_(db,
                      "SELECT count(*) FROM (SELECT 1 FROM index_entries WHERE slot=?1 AND "
                      "value=?2 AND owner BETWEEN ?3 AND ?4 LIMIT ?5)"),
      count_values_(db,
                    "SELECT count(*) FROM (SELECT 1 FROM index_entries WHERE slot=?1 AND "
                    "value BETWEEN ?2 AND ?3 LIMIT ?4)") {}

order_page list_query::run(const list_params& params) {
    order_page out;
    if (params.count_max > 0) out.total = count(params);
    if (params.limit == 0) return out;
    out.orders.reserve(std::min(params.limit, reserve_max));
    list_window window(params, params.limit);
    walk(params, params.sort, one_more(params.limit), [&](const list_position& at, order&& it) {
        const auto verdict = window.judge(at, it);
        if (verdict == list_window::verdict::show) out.orders.push_back(std::move(it));
        return verdict != list_window::verdict::stop;
    });
    out.next = window.next();
    return out;
}

void list_query::walk(const list_params& params, list_sort sort, std::int64_t rows_max,
                      const visitor& visit) {
    const auto offer = [&](const rows& row) {
        order it = read_order(db_, row);
        list_position at;
        if (sort == list_sort::order_id) {
            at.id = it.id.view();
        } else {
            at.number = it.number;
            at.at = sort == list_sort::due_at ? row.time(order_column_count) : it.created_at;
        }
        if (sort == list_sort::index) at.value = row.text(order_column_count + 1);
        return visit(at, std::move(it));
    };
    if (params.index && !has_few(params)) return walk_by_value(params, offer);
    switch (sort) {
        case list_sort::order_id:
            return walk_by_id(params, offer);
        case list_sort::due_at:
            return walk_by_due_time(params, offer);
        case list_sort::created_at:
        case list_sort::index:  // with a condition
            return walk_by_creation(params, false, filters_rows(params) ? no_limit : rows_max,
                                    offer);
    }
}

// Few orders in the statuses are looked through sooner than all of a tenant's.
bool list_query::has_few(const list_params& params) {
    if (params.statuses.empty() || params.scope.user || !finds_tenant(params)) return false;
    std::int64_t orders = 0;
    (void)in_use(params, orders);
    return orders <= static_cast<std::int64_t>(std::min(params.rows_max, few_orders));
}

void list_query::walk_by_creation(const list_params& params, bool counts, std::int64_t rows_max,
                                  const row_visitor& visit) {
    std::int64_t in_statuses = 0;
    selection what{route::all, in_use(params, in_statuses), counts, rows_max};
    if (!params.statuses.empty() && what.statuses.empty()) return;
    range left = range_of(params);
    const auto few = static_cast<std::int64_t>(std::min(params.rows_max, few_orders));
    if (!params.scope.user || (!what.statuses.empty() && in_statuses <= few)) {
        if (!what.statuses.empty()) what.by = route::by_status;
        (void)walk_range(params, what, left, visit);
        return;
    }
    what.by = route::by_user;
    what.statuses.clear();  // are looked for by those who see the rows
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

// Of one value by creation, of a range by value.
void list_query::walk_by_value(const list_params& params, const row_visitor& visit) {
    const index_condition& wanted = *params.index;
    const std::int64_t slot = wanted.slot;
    const bool down = params.descending;
    const blob value(std::string_view(wanted.from));
    if (params.sort != list_sort::index) {
        const range within = range_of(params);
        auto found =
            (down ? of_value_down_ : of_value_up_).query(slot, value, within.low, within.high);
        while (found.next() && visit(found)) {
        }
        return;
    }
    // Beyond either end, in both directions, unless a page before ended in between.
    constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
    std::string_view start = down ? wanted.to : wanted.from;
    std::int64_t number = down ? highest : 0;
    if (params.after && (down ? params.after->value <= start : params.after->value >= start)) {
        start = params.after->value;
        number = params.after->number;
    }
    auto found = (down ? by_value_down_ : by_value_up_)
                     .query(slot, blob(start), number,
                            blob(std::string_view(down ? wanted.from : wanted.to)));
    while (found.next() && visit(found)) {
    }
}

list_total list_query::count(const list_params& params) {
    list_params whole = params;
    whole.after.reset();
    std::uint64_t counted = 0;
    const bool by_due_time = params.sort == list_sort::due_at;
    if (params.index && !filters_entries(params)) {
        counted = count_value(whole);
    } else if (params.index || by_due_time || filters_rows(params)) {
        list_window window(whole, params.count_max);
        const bool by_id = !by_due_time && !params.id_prefix.empty();
        walk(whole, by_id ? list_sort::order_id : params.sort, no_limit,
             [&](const list_position& at, order&& it) {
                 return window.judge(at, it) != list_window::verdict::stop;
             });
        return {window.shown(), window.next().has_value()};
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

std::uint64_t list_query::count_value(const list_params& params) {
    const index_condition& wanted = *params.index;
    const std::int64_t slot = wanted.slot;
    const blob from(std::string_view(wanted.from));
    const std::int64_t most = one_more(params.count_max);
    const range within = range_of(params);
    const blob to(std::string_view(wanted.to));
    auto found = params.sort == list_sort::index
                     ? count_values_.query(slot, from, to, most)
                     : count_of_value_.query(slot, from, within.low, within.high, most);
    return found.next() ? static_cast<std::uint64_t>(found.integer(0)) : 0;
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
