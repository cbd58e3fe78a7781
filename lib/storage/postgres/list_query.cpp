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

std::int64_t one_more_than(std::size_t rows) {
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max() - 1;
    return static_cast<std::int64_t>(std::min(rows, most)) + 1;
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
    filters(const list_params& params, builder& to) {
        if (params.scope.tenant) {
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

constexpr std::string_view both_tables = " FROM orders o JOIN work w ON w.number = o.number WHERE ";

// By number, at most rows_max rows.
void select_by_number(const list_params& params, const plan::totals& sums, std::int64_t low,
                      std::int64_t high, std::string_view columns, std::int64_t rows_max,
                      builder& to) {
    std::int64_t in_statuses = 0;
    const std::vector<order_status> statuses = in_use(params, sums, in_statuses);
    filters rest(params, to);
    rest.add_user(params, to);
    const std::string from = to.value(low, "bigint");
    const std::string until = to.value(high, "bigint");
    const std::string limit = " LIMIT " + to.value(rows_max, "bigint");
    const std::string direction = params.descending ? " DESC" : "";
    const bool by_status =
        !params.statuses.empty() && (!params.scope.user || in_statuses <= few_orders);
    if (!by_status) {
        rest.add_statuses(params, to);
        to << "SELECT " << columns << both_tables << "o.number BETWEEN " << from << " AND " << until
           << rest.text() << " ORDER BY o.number" << direction << limit;
        return;
    }
    if (statuses.empty()) {
        to << "SELECT " << columns << both_tables << "o.number BETWEEN " << from << " AND " << until
           << rest.text() << " AND false" << limit;
        return;
    }
    // One range of the index each, merged by number.
    to << "SELECT * FROM (";
    for (std::size_t i = 0; i < statuses.size(); ++i) {
        if (i > 0) to << " UNION ALL ";
        to << "(SELECT " << columns << both_tables
           << "w.status = " << to.value(statuses[i].view(), "text") << " AND w.number BETWEEN "
           << from << " AND " << until << rest.text() << " ORDER BY w.number" << direction << limit
           << ")";
    }
    to << ") merged ORDER BY 1" << direction << limit;
}

void select_by_id(const list_params& params, std::string_view columns, std::int64_t rows_max,
                  builder& to) {
    filters rest(params, to);
    rest.add_user(params, to);
    rest.add_statuses(params, to);
    rest.add_times(params, to);
    to << "SELECT " << columns << both_tables
       << "o.order_id >= " << to.value(params.id_prefix, "bytea");
    if (const auto end = end_of_prefix(params.id_prefix)) {
        to << " AND o.order_id < " << to.value(std::string_view(*end), "bytea");
    }
    if (params.after) {
        to << " AND o.order_id " << (params.descending ? "<" : ">") << " "
           << to.value(std::string_view(params.after->id), "bytea");
    }
    to << rest.text() << " ORDER BY o.order_id" << (params.descending ? " DESC" : "") << " LIMIT "
       << to.value(rows_max, "bigint");
}

void select_by_due_time(const list_params& params, std::string_view columns, std::int64_t rows_max,
                        builder& to) {
    filters rest(params, to);
    rest.add_user(params, to);
    rest.add_times(params, to);
    to << "SELECT " << columns << both_tables
       << "w.status = " << to.value(params.statuses.front().view(), "text")
       << " AND w.due_at IS NOT NULL";
    if (params.after) {
        to << " AND (w.due_at, w.number) " << (params.descending ? "<" : ">") << " ("
           << to.value(params.after->at, "bigint") << ", "
           << to.value(params.after->number, "bigint") << ")";
    }
    const char* const direction = params.descending ? " DESC" : "";
    to << rest.text() << " ORDER BY w.due_at" << direction << ", w.number" << direction << " LIMIT "
       << to.value(rows_max, "bigint");
}

list_position position_of(const list_params& params, const rows& page, int row, const order& it) {
    list_position out;
    if (params.sort == list_sort::order_id) {
        out.id = it.id.view();
        return out;
    }
    out.number = it.number;
    out.at = params.sort == list_sort::due_at ? page.time(row, order_column_count) : it.created_at;
    return out;
}

const std::string page_columns = std::string(order_columns) + ", w.due_at";

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
    before.tell(begin_snapshot);
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
    const auto select = [&](const list_params& what, std::string_view columns,
                            std::size_t rows_max) {
        builder to;
        const std::int64_t most = one_more_than(rows_max);
        if (what.sort == list_sort::order_id) {
            select_by_id(what, columns, most, to);
        } else if (what.sort == list_sort::due_at) {
            select_by_due_time(what, columns, most, to);
        } else {
            std::int64_t low = about.low;
            std::int64_t high = about.high;
            if (what.after && what.descending) high = std::min(high, what.after->number - 1);
            if (what.after && !what.descending) low = std::max(low, what.after->number + 1);
            select_by_number(what, about.sums, low, high, columns, most, to);
        }
        return to;
    };
    questions then(db_);
    if (params.limit > 0) {
        builder page = select(params, page_columns, params.limit);
        then.ask(page.sql, std::move(page.with), [&](const rows& found) -> result<void> {
            for (int i = 0; i < found.size(); ++i) {
                if (out.orders.size() == params.limit) {
                    out.next = position_of(params, found, i - 1, out.orders.back());
                    break;
                }
                auto it = read_order(found, i);
                if (!it) return std::move(it).error();
                out.orders.push_back(std::move(*it));
            }
            return {};
        });
    }
    const bool all = params.scope.everybody() && !params.created_from && !params.created_until &&
                     params.id_prefix.empty() && params.sort != list_sort::due_at;
    const auto set_total = [&](std::uint64_t orders) {
        out.total = {std::min<std::uint64_t>(orders, params.count_max), orders > params.count_max};
    };
    if (params.count_max > 0 && all) {
        set_total(count_statuses(params, about.sums));
    } else if (params.count_max > 0) {
        list_params whole = params;
        whole.after.reset();
        if (whole.sort != list_sort::due_at && !whole.id_prefix.empty()) {
            whole.sort = list_sort::order_id;
        }
        builder count = select(whole, "o.number", params.count_max);
        then.ask("SELECT count(*) FROM (" + count.sql + ") counted", std::move(count.with),
                 [&](const rows& found) {
                     set_total(found.natural(0, 0));
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
