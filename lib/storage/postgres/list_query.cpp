#include "storage/postgres/list_query.hpp"

#include "storage/postgres/order_row.hpp"
#include "storage/postgres/totals.hpp"

#include <orderproc/adapter.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

// With a user and statuses, up to so many orders in the statuses are looked through for the
// user's. Beyond it the user's are looked through for the statuses.
constexpr std::int64_t few_orders = 1000;

std::int64_t bounded(std::size_t rows) {
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max() - 1;
    return static_cast<std::int64_t>(std::min(rows, most));
}

std::int64_t one_more_than(std::size_t rows) {
    return bounded(rows) + 1;
}

// The least number that no earlier order reaches and no later one is below, by halving.
constexpr const char* first_number_at =
    "WITH RECURSIVE part(low, high) AS (SELECT 1::bigint, (SELECT number + 1 FROM writes "
    "ORDER BY id DESC LIMIT 1) UNION ALL "
    "SELECT CASE WHEN middle.created_at < $1::bigint THEN middle.number + 1 ELSE part.low END, "
    "CASE WHEN middle.created_at < $1::bigint THEN part.high ELSE "
    "part.low + (part.high - part.low) / 2 END FROM part LEFT JOIN LATERAL (SELECT number, "
    "created_at FROM orders WHERE number >= part.low + (part.high - part.low) / 2 "
    "ORDER BY number LIMIT 1) middle ON true WHERE part.low < part.high) "
    "SELECT low FROM part WHERE low >= high LIMIT 1";

// Those asked for that have orders, each once.
std::vector<order_status> in_use(const list_params& params, const plan::totals& sums,
                                 std::int64_t& orders) {
    std::vector<order_status> out;
    for (const auto& [status, it] : sums.statuses) {
        const auto& asked = params.statuses;
        if (std::find(asked.begin(), asked.end(), status) == asked.end() || it.orders == 0)
            continue;
        out.push_back(status);
        orders += it.orders;
    }
    return out;
}

std::uint64_t count_statuses(const list_params& params, const plan::totals& sums) {
    std::uint64_t out = 0;
    for (const auto& [status, it] : sums.statuses) {
        const auto& asked = params.statuses;
        const bool wanted =
            asked.empty() || std::find(asked.begin(), asked.end(), status) != asked.end();
        if (wanted) out += static_cast<std::uint64_t>(it.orders);
    }
    return out;
}

// A statement that grows, with its parameters.
class builder {
public:
    builder& operator<<(std::string_view text) {
        sql += text;
        return *this;
    }
    template <class Value>
    std::string value(Value&& it, std::string_view type) {
        with.add(std::forward<Value>(it));
        return "$" + std::to_string(++values_) + "::" + std::string(type);
    }

    std::string sql;
    parameters with;

private:
    int values_ = 0;
};

// What a row of the list must be beside what chooses the index.
class filters {
public:
    filters(const list_params& params, builder& to, bool of_tenant = false) {
        if (params.scope.tenant && !of_tenant) {
            text_ += " AND o.tenant = " + to.value(std::string_view(*params.scope.tenant), "bytea");
        }
        if (!params.id_prefix.empty() && params.sort != list_sort::order_id) {
            text_ += " AND substr(o.order_id, 1, " +
                     to.value(static_cast<std::int64_t>(params.id_prefix.size()), "bigint") +
                     "::int) = " + to.value(params.id_prefix, "bytea");
        }
    }
    void add_user(const list_params& params, builder& to) {
        if (!params.scope.user) return;
        text_ += " AND o.user_id = " + to.value(std::string_view(*params.scope.user), "bytea");
    }
    void add_statuses(const list_params& params, builder& to) {
        if (params.statuses.empty()) return;
        array statuses(element::text);
        for (const order_status it : params.statuses) statuses.add(it.view());
        text_ += " AND w.status = ANY(" + to.value(std::move(statuses), "text[]") + ")";
    }
    void add_times(const list_params& params, builder& to) {
        if (params.created_from) {
            text_ += " AND o.created_at >= " + to.value(*params.created_from, "bigint");
        }
        if (params.created_until) {
            text_ += " AND o.created_at < " + to.value(*params.created_until, "bigint");
        }
    }
    const std::string& text() const noexcept { return text_; }

private:
    std::string text_;
};

// A list as SQL: the rows of an index, in the order of the list, and what else they have to be.
struct listing {
    std::vector<std::string> sources;  // FROM … WHERE …; several are merged
    std::string order;                 // of rows: "o.number DESC"
    std::string merged_order;          // the same, by the names of columns
    std::string rest;                  // conditions, each behind AND; empty: the index has all
    std::string value = "''::bytea";   // of the index entry
};

constexpr std::string_view both_tables = "FROM orders o JOIN work w ON w.number = o.number WHERE ";

listing by_number(const list_params& params, const plan::totals& sums, std::int64_t low,
                  std::int64_t high, builder& to) {
    std::int64_t in_statuses = 0;
    const std::vector<order_status> statuses = in_use(params, sums, in_statuses);
    const bool by_status =
        !params.statuses.empty() && (!params.scope.user || in_statuses <= few_orders);
    const std::string between =
        " BETWEEN " + to.value(low, "bigint") + " AND " + to.value(high, "bigint");
    const std::string direction = params.descending ? " DESC" : "";
    filters rest(params, to);
    listing out;
    out.merged_order = "number" + direction;
    if (by_status) {
        rest.add_user(params, to);
        for (const order_status it : statuses) {
            out.sources.push_back(std::string(both_tables) + "w.status = " +
                                  to.value(it.view(), "text") + " AND w.number" + between);
        }
        if (statuses.empty()) {
            out.sources.push_back(std::string(both_tables) + "false AND w.number" + between);
        }
        out.order = "w.number" + direction;
    } else {
        rest.add_statuses(params, to);
        std::string source = std::string(both_tables) + "o.number" + between;
        if (params.scope.user) {
            source += " AND o.user_id = " + to.value(std::string_view(*params.scope.user), "bytea");
        }
        out.sources.push_back(std::move(source));
        out.order = "o.number" + direction;
    }
    out.rest = rest.text();
    return out;
}

// Few orders in the statuses are looked through sooner than all of a tenant's.
bool has_few(const list_params& params, const plan::totals& sums) {
    if (params.statuses.empty() || params.scope.user || !finds_tenant(params)) return false;
    std::int64_t orders = 0;
    (void)in_use(params, sums, orders);
    return orders <= few_orders;
}

// Orders that have the values: of one value by number, of a range by value.
listing by_value(const list_params& params, std::int64_t low, std::int64_t high, builder& to) {
    const index_condition& wanted = *params.index;
    const std::string direction = params.descending ? " DESC" : "";
    filters rest(params, to, finds_tenant(params));
    rest.add_user(params, to);
    rest.add_statuses(params, to);
    listing out;
    out.value = "i.value";
    std::string source =
        "FROM order_index i JOIN orders o ON o.number = i.number "
        "JOIN work w ON w.number = i.number WHERE i.slot = " +
        to.value(std::int64_t{wanted.slot}, "bigint");
    const std::string from = to.value(std::string_view(wanted.from), "bytea");
    if (params.sort != list_sort::index) {
        source += " AND i.value = " + from + " AND i.number BETWEEN " + to.value(low, "bigint") +
                  " AND " + to.value(high, "bigint");
        out.order = "i.number" + direction;
    } else {
        rest.add_times(params, to);
        source += " AND i.value >= " + from +
                  " AND i.value <= " + to.value(std::string_view(wanted.to), "bytea");
        if (params.after) {
            source += std::string(" AND (i.value, i.number) ") + (params.descending ? "<" : ">") +
                      " (" + to.value(std::string_view(params.after->value), "bytea") + ", " +
                      to.value(params.after->number, "bigint") + ")";
        }
        out.order = "i.value" + direction + ", i.number" + direction;
    }
    out.sources.push_back(std::move(source));
    out.rest = rest.text();
    return out;
}

listing by_id(const list_params& params, builder& to) {
    filters rest(params, to);
    rest.add_user(params, to);
    rest.add_statuses(params, to);
    rest.add_times(params, to);
    listing out;
    std::string source =
        std::string(both_tables) + "o.order_id >= " + to.value(params.id_prefix, "bytea");
    if (const auto end = end_of_prefix(params.id_prefix)) {
        source += " AND o.order_id < " + to.value(std::string_view(*end), "bytea");
    }
    if (params.after) {
        source += std::string(" AND o.order_id ") + (params.descending ? "< " : "> ") +
                  to.value(std::string_view(params.after->id), "bytea");
    }
    out.sources.push_back(std::move(source));
    out.order = params.descending ? "o.order_id DESC" : "o.order_id";
    out.rest = rest.text();
    return out;
}

listing by_due_time(const list_params& params, builder& to) {
    filters rest(params, to);
    rest.add_user(params, to);
    rest.add_times(params, to);
    listing out;
    std::string source = std::string(both_tables) +
                         "w.status = " + to.value(params.statuses.front().view(), "text") +
                         " AND w.due_at IS NOT NULL";
    if (params.after) {
        source += std::string(" AND (w.due_at, w.number) ") + (params.descending ? "<" : ">") +
                  " (" + to.value(params.after->at, "bigint") + ", " +
                  to.value(params.after->number, "bigint") + ")";
    }
    out.sources.push_back(std::move(source));
    out.order = params.descending ? "w.due_at DESC, w.number DESC" : "w.due_at, w.number";
    out.rest = rest.text();
    return out;
}

// The rows of the index, at most `most`, with the columns and then whether each is shown.
std::string rows_of(const listing& from, const std::string& columns, const std::string& most) {
    std::string out;
    for (const std::string& source : from.sources) {
        if (!out.empty()) out += " UNION ALL ";
        out += "(SELECT " + columns + ", (true" + from.rest + ") AS shown " + source +
               " ORDER BY " + from.order + " LIMIT " + most + ")";
    }
    if (from.sources.size() == 1) return out.substr(1, out.size() - 2);
    return "SELECT * FROM (" + out + ") merged ORDER BY " + from.merged_order + " LIMIT " + most;
}

const std::string page_columns = std::string(order_columns) + ", w.due_at";
constexpr int due_column = order_column_count;
constexpr int value_column = due_column + 1;
constexpr int shown_column = value_column + 1;
constexpr int looked_column = shown_column + 1;

// The rows that are shown, one more than the page has; and the one at which it has looked at
// rows_max, where the index does not have all of the filters. They come as they are numbered: to
// sort them would mean to read them all.
void select_page(const list_params& params, const listing& from, builder& to) {
    const std::string columns = page_columns + ", " + from.value + " AS value";
    const std::string page = to.value(one_more_than(params.limit), "bigint");
    if (from.rest.empty()) {
        to << rows_of(from, columns, page);
        return;
    }
    const std::string most = to.value(bounded(params.rows_max), "bigint");
    to << "SELECT * FROM (SELECT *, row_number() OVER () AS looked FROM ("
       << rows_of(from, columns, most) << ") ordered) numbered WHERE shown OR looked = " << most
       << " LIMIT " << page;
}

// How many are shown, and how many were looked at.
void select_count(const list_params& params, const listing& from, builder& to) {
    const std::string most = to.value(
        from.rest.empty() ? one_more_than(params.count_max) : bounded(params.rows_max), "bigint");
    to << "SELECT count(*) FILTER (WHERE shown), count(*) FROM ("
       << rows_of(from, "o.number AS number", most) << ") counted";
}

list_position position_of(const list_params& params, const rows& page, int row) {
    list_position out;
    if (params.sort == list_sort::order_id) {
        out.id = page.bytes(row, 1);
        return out;
    }
    constexpr int created_column = 5;
    out.number = page.integer(row, 0);
    out.at = page.time(row, params.sort == list_sort::due_at ? due_column : created_column);
    if (params.sort == list_sort::index) out.value = page.bytes(row, value_column);
    return out;
}

// The orders of a page, and where the next one begins.
result<void> read_page(const list_params& params, bool filtered, const rows& found,
                       order_page& out) {
    for (int i = 0; i < found.size(); ++i) {
        if (out.orders.size() == params.limit) {
            out.next = position_of(params, found, i - 1);
            break;
        }
        if (found.integer(i, shown_column) != 0) {
            auto it = read_order(found, i);
            if (!it) return std::move(it).error();
            out.orders.push_back(std::move(*it));
        }
        const bool last = filtered && found.integer(i, looked_column) == bounded(params.rows_max);
        if (last) out.next = position_of(params, found, i);
    }
    return {};
}

}  // namespace

result<order_page> list_query::run(const list_params& params) {
    order_page out;
    const auto about = look(params, out);
    if (!about) {
        db_.roll_back();
        return about.error();
    }
    auto page = read(params, *about, std::move(out));
    if (!page) db_.roll_back();
    return page;
}

// Begins the snapshot.
result<list_query::known> list_query::look(const list_params& params, order_page& out) {
    known about;
    std::int64_t from = 1;
    std::int64_t until = std::numeric_limits<std::int64_t>::max();
    questions before(db_);
    add_snapshot(before);
    before.ask(latest_totals, {}, [&](const rows& latest) -> result<void> {
        auto read = read_totals(latest);
        if (!read) return std::move(read).error();
        about.sums = std::move(*read);
        return {};
    });
    before.ask("SELECT epoch FROM epochs ORDER BY id DESC LIMIT 1", {}, [&](const rows& last) {
        out.newest = {last.size() > 0 ? last.natural(0, 0) : 0, about.sums.position};
        return result<void>();
    });
    const auto ask_number = [&](timestamp at, std::int64_t& number) {
        before.ask(first_number_at, parameters::of(at), [&number](const rows& found) {
            if (found.size() > 0) number = found.integer(0, 0);
            return result<void>();
        });
    };
    if (params.created_from) ask_number(*params.created_from, from);
    if (params.created_until) ask_number(*params.created_until, until);
    if (auto done = before.run(); !done) return std::move(done).error();
    about.low = from;
    about.high = std::min(about.sums.number, until - 1);
    return about;
}

// Ends it.
result<order_page> list_query::read(const list_params& params, const known& about, order_page out) {
    const auto listing_of = [&](const list_params& what, builder& to) {
        std::int64_t low = about.low;
        std::int64_t high = about.high;
        if (what.after && what.descending) high = std::min(high, what.after->number - 1);
        if (what.after && !what.descending) low = std::max(low, what.after->number + 1);
        if (what.index && !has_few(what, about.sums)) return by_value(what, low, high, to);
        if (what.sort == list_sort::order_id) return by_id(what, to);
        if (what.sort == list_sort::due_at) return by_due_time(what, to);
        return by_number(what, about.sums, low, high, to);
    };
    questions then(db_);
    if (params.limit > 0) {
        builder page;
        const listing from = listing_of(params, page);
        select_page(params, from, page);
        const bool filtered = !from.rest.empty();
        then.ask(page.sql, std::move(page.with), [&params, &out, filtered](const rows& found) {
            return read_page(params, filtered, found, out);
        });
    }
    const bool all = params.scope.everybody() && !params.created_from && !params.created_until &&
                     params.id_prefix.empty() && params.sort != list_sort::due_at && !params.index;
    if (params.count_max > 0 && all) {
        const std::uint64_t orders = count_statuses(params, about.sums);
        out.total = {std::min<std::uint64_t>(orders, params.count_max), orders > params.count_max};
    } else if (params.count_max > 0) {
        list_params whole = params;
        whole.after.reset();
        if (whole.sort != list_sort::due_at && !whole.id_prefix.empty()) {
            whole.sort = list_sort::order_id;
        }
        builder count;
        const listing from = listing_of(whole, count);
        select_count(whole, from, count);
        const bool filtered = !from.rest.empty();
        then.ask(count.sql, std::move(count.with), [&params, &out, filtered](const rows& found) {
            const std::uint64_t orders = found.natural(0, 0);
            const bool stopped = filtered && found.integer(0, 1) == bounded(params.rows_max);
            out.total = {std::min<std::uint64_t>(orders, params.count_max),
                         orders > params.count_max || stopped};
            return result<void>();
        });
    }
    then.tell("COMMIT");
    if (auto done = then.run(); !done) return std::move(done).error();
    return out;
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
