// How the statements are carried out, as the server itself tells it (auto_explain): by an index
// each, on empty tables and on full ones, and with as many pages read on large tables as on small
// ones.
//
// ORDERPROC_TEST_ROWS=1000000 makes the large tables larger than CI has time for.

#include "postgres_support.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>

using namespace postgres_support;

namespace {

constexpr int few = 500;
constexpr int many_in_ci = 10'000;

// Tables that grow with the orders.
const std::set<std::string> large_tables{"orders",      "work",       "journal", "keys",
                                         "order_index", "tombstones", "records"};

int many() {
    const char* const wanted = std::getenv("ORDERPROC_TEST_ROWS");
    return wanted ? std::atoi(wanted) : many_in_ci;
}

// What was told of one statement.
struct plan {
    std::string query;
    std::string text;
    long pages = 0;  // that it has looked at
};

// Everything that the server has logged since this was made.
class server_log {
public:
    server_log() {
        // Its settings are known to sessions that have it only.
        sql("ALTER SYSTEM SET session_preload_libraries TO 'auto_explain'");
        sql("SELECT pg_reload_conf()");
        wait_for("SHOW session_preload_libraries", "auto_explain");
        for (const char* setting :
             {"auto_explain.log_min_duration TO 0", "auto_explain.log_analyze TO on",
              "auto_explain.log_buffers TO on", "auto_explain.log_timing TO off",
              "auto_explain.log_nested_statements TO on", "log_min_messages TO log",
              "log_error_verbosity TO terse", "track_io_timing TO off"}) {
            sql(std::string("ALTER SYSTEM SET ") + setting);
        }
        sql("SELECT pg_reload_conf()");
        wait_for("SHOW log_min_messages", "log");
        from_ = size();
    }
    ~server_log() {
        sql("ALTER SYSTEM RESET ALL");
        sql("SELECT pg_reload_conf()");
    }

    std::vector<plan> plans() const {
        std::ifstream in(path(), std::ios::binary);
        in.seekg(from_);
        std::vector<plan> out;
        bool inside = false;
        for (std::string line; std::getline(in, line);) {
            const auto query = line.find("Query Text: ");
            if (query != line.npos) out.push_back({line.substr(query + 12), {}, 0});
            inside = query != line.npos || (inside && line.starts_with('\t'));
            if (inside && query == line.npos) add(line, out.back());
        }
        return out;
    }

private:
    static std::string path() { return node().folder() + "/log"; }
    static std::streamoff size() {
        std::ifstream in(path(), std::ios::binary | std::ios::ate);
        return in.tellg();
    }
    static void add(const std::string& line, plan& to) {
        to.text += line + '\n';
        static const std::regex buffers("Buffers: shared(?: hit=([0-9]+))?(?: read=([0-9]+))?");
        std::smatch found;
        // The first one is that of all of it.
        if (to.pages > 0 || !std::regex_search(line, found, buffers)) return;
        for (const std::size_t i : {std::size_t{1}, std::size_t{2}}) {
            if (found[i].matched) to.pages += std::stol(found[i]);
        }
    }

    std::streamoff from_ = 0;
};

void expect_indexes(const std::vector<plan>& all) {
    static const std::regex scan("(Seq Scan|Bitmap Heap Scan) on (?:[a-z0-9_]+\\.)?([a-z_]+)");
    for (const plan& it : all) {
        for (auto at = std::sregex_iterator(it.text.begin(), it.text.end(), scan);
             at != std::sregex_iterator(); ++at) {
            BOOST_TEST(!large_tables.contains((*at)[2].str()), it.query << '\n' << it.text);
        }
        BOOST_TEST(it.text.find("Hash Join") == it.text.npos, it.query << '\n' << it.text);
    }
}

// By statement: the most that one execution of it has looked at.
std::map<std::string, plan> costs(const std::vector<plan>& all) {
    std::map<std::string, plan> out;
    for (const plan& it : all) {
        const auto [known, first] = out.try_emplace(it.query, it);
        if (!first && known->second.pages < it.pages) known->second = it;
    }
    return out;
}

change create_with(const std::string& id) {
    change out = create(id);
    out.idempotency_key = testing::idempotency_of(id);
    return out;
}

change of(const std::string& id, std::string event, decltype(change::action) action) {
    change out;
    out.order = id;
    out.event = std::move(event);
    out.action = std::move(action);
    return out;
}

// One write after the other, of everything that a write may have.
class scenario {
public:
    explicit scenario(const shop& of) : orders_(of.open()), writer_(writer_of(*orders_)) {}

    void fill(int orders) {
        constexpr int at_once = 500;
        for (int i = 0; i < orders; i += at_once) {
            std::vector<change> some;
            for (int k = i; k < std::min(orders, i + at_once); ++k) {
                some.push_back(create_with("F" + std::to_string(k)));
            }
            put(std::move(some));
        }
    }

    // The same on empty tables and on full ones.
    void run() {
        std::vector<change> some;
        for (int i = 0; i < 30; ++i) some.push_back(create_with("S" + std::to_string(i)));
        put(some);
        put(some);  // replays
        put({of("S0", "edit", edit_order{testing::order_builder().build()}),
             of("S1", "cancel", move_to(order_status("CANCELLED"))),
             of("S2", "delete", remove_order{}),
             of("S3", "annotate", annotate_order{"{\"n\":1}", {}, {}})});
        put({of("S1", "redact", redact_order{})});
        claim_and_complete();
        use_records();
        read_all();
    }

private:
    static transition_order move_to(order_status status) {
        transition_order out;
        out.to = status;
        out.settles = true;
        return out;
    }

    std::vector<change_outcome> put(std::vector<change> changes, std::vector<claim> claims = {}) {
        const auto done = write(*writer_, ++sequence_, std::move(changes), std::move(claims));
        BOOST_TEST_REQUIRE(done.call.has_value(), done.call.error().message());
        claimed_ = done.claims.empty() ? claim_outcome{} : done.claims.front();
        return done.changes;
    }

    void claim_and_complete() {
        claim wanted;
        wanted.stage = &status_machine::standard().stages().front();
        wanted.worker_id = "w";
        wanted.expires_at = day_one + 30s;
        wanted.lease = 30s;
        wanted.limit = 10;
        wanted.probe.limit = 10;
        put({}, {wanted});
        wanted.probe.limit = 0;
        put({}, {wanted});
        std::vector<change> ends;
        for (const claimed_order& it : claimed_.orders) {
            ends.push_back(of(std::string(it.value.id.view()), "complete",
                              move_to(order_status("COMPLETED"))));
            ends.back().lease = it.lease;
        }
        BOOST_TEST(ends.size() == 10U);
        put(std::move(ends));
        wanted.only = {"S5", "S6"};
        put({}, {wanted});
    }

    void use_records() {
        std::vector<change_record> records{
            {record_action::create, "c", "k" + std::to_string(sequence_), 0, "v", day_one, "S4"}};
        std::vector<commit_cursor> cursors{{"relay", "me", feed_position{}, day_one + 30s}};
        std::vector<record_outcome> made(1);
        std::vector<cursor_outcome> moved(1);
        std::vector<purge_orders> purges{{day_one, 5, std::chrono::milliseconds(0)}};
        std::vector<purge_outcome> purged(1);
        write_params params{day_one, "test", ++sequence_, {}, {}, cursors};
        params.forget_before = day_one - 1h;
        params.forget_max = 16;
        params.records = records;
        params.purges = purges;
        write_results results{{}, {}, moved, made, purged};
        BOOST_TEST_REQUIRE(writer_->write(params, results).has_value());
        BOOST_TEST(writer_->was_applied("test", sequence_).value());
    }

    void read_all() {
        const std::vector<std::string> ids{"S0", "S4", "none"};
        (void)writer_->load({ids, {}}).value();
        (void)writer_->history({.order = "S0"}).value();
        (void)writer_->read_feed({{}, 20}).value();
        (void)writer_->find_position(day_one).value();
        (void)writer_->count().value();
        (void)writer_->find_cursor("relay").value();
        (void)writer_->list_cursors().value();
        (void)writer_->find_record({"c", "k"}).value();
        (void)writer_->list_records({"c"}).value();
        (void)writer_->list_due_records({"c", day_one}).value();
        for (const bool descending : {false, true}) {
            list_params by;
            by.descending = descending;
            (void)writer_->list(by).value();
            by.after = list_position{day_one, 10};
            (void)writer_->list(by).value();
            by.after.reset();
            const std::vector<order_status> one{"COMPLETED"}, two{"PENDING", "COMPLETED"};
            by.statuses = one;
            (void)writer_->list(by).value();
            by.statuses = two;
            (void)writer_->list(by).value();
            by.created_from = day_one;
            by.scope.user = "1";
            (void)writer_->list(by).value();
            list_params ids_of;
            ids_of.descending = descending;
            ids_of.sort = list_sort::order_id;
            ids_of.id_prefix = "S1";
            (void)writer_->list(ids_of).value();
            list_params due;
            due.descending = descending;
            due.sort = list_sort::due_at;
            const std::vector<order_status> waiting{"PENDING"};
            due.statuses = waiting;
            (void)writer_->list(due).value();
            list_params value;
            value.descending = descending;
            value.index = index_condition{1, "web", "web"};
            (void)writer_->list(value).value();
            value.sort = list_sort::index;
            value.index->to += "z";
            (void)writer_->list(value).value();
        }
    }

    std::unique_ptr<storage> orders_;
    std::unique_ptr<repository> writer_;
    std::uint64_t sequence_ = 0;
    claim_outcome claimed_;
};

// Rows like those that are there, as many as wanted in all: only the server is measured.
void multiply(const shop& of, int wanted) {
    const std::string from = sql("SELECT count(*) FROM " + of.table("orders"));
    const std::string numbers =
        "generate_series(" + from + " + 1, " + std::to_string(wanted) + ") n";
    sql("INSERT INTO " + of.table("orders") +
        " SELECT 1000000 + n, convert_to('G' || n, 'UTF8'), user_id, tenant, amount, currency, "
        "created_at, item_ids, metadata, extra, index_entries FROM " +
        numbers + ", (SELECT * FROM " + of.table("orders") + " LIMIT 1) o");
    sql("INSERT INTO " + of.table("work") +
        " SELECT 1000000 + n, status, version, attempts, updated_at, next_attempt_at, "
        "first_claimed_at, settled_at, lease, leased, due_at, span, expired_leases, worker_id, "
        "last_error, traceparent FROM " +
        numbers + ", (SELECT * FROM " + of.table("work") + " WHERE status = 'PENDING' LIMIT 1) w");
    const std::string last = sql("SELECT max(position) FROM " + of.table("journal"));
    sql("INSERT INTO " + of.table("journal") + " SELECT " + last + " + row_number() OVER (), " +
        "1000000 + n, version, event, from_status, status, actor, reason, traceparent, at, "
        "snapshot "
        "FROM " +
        numbers + ", (SELECT * FROM " + of.table("journal") + " WHERE version = 1 LIMIT 1) j");
    sql("INSERT INTO " + of.table("keys") +
        "(key, body, number, version, at) SELECT decode(md5(n::text), 'hex'), body, 1000000 + n, "
        "1, at FROM " +
        numbers + ", (SELECT * FROM " + of.table("keys") + " LIMIT 1) k");
    // The next write goes on behind them.
    sql("UPDATE " + of.table("writes") + " SET number = 1000000 + " + std::to_string(wanted) +
        ", position = (SELECT max(position) FROM " + of.table("journal") +
        "), orders[array_position(statuses, 'PENDING')] = orders[array_position(statuses, "
        "'PENDING')] + " +
        std::to_string(wanted) + " - " + from + " WHERE id = (SELECT max(id) FROM " +
        of.table("writes") + ")");
}

std::vector<plan> plans_of(const shop& in, int orders) {
    {
        scenario first(in);
        first.fill(std::min(orders, many_in_ci));
    }
    if (orders > many_in_ci) multiply(in, orders);
    const server_log log;
    {
        scenario measured(in);
        measured.run();
    }
    wait_for("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orderproc'", "0");
    return log.plans();
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(each_statement_uses_its_index_on_empty_tables, shop) {
    const auto all = plans_of(*this, 0);
    BOOST_TEST(costs(all).size() > 40U);
    expect_indexes(all);
}

BOOST_AUTO_TEST_CASE(each_statement_reads_as_many_pages_of_large_tables_as_of_small_ones) {
    const shop small, large;
    const auto with_few = costs(plans_of(small, few));
    const auto all = plans_of(large, many());
    const auto with_many = costs(all);
    expect_indexes(all);
    BOOST_TEST(with_many.size() > 40U);
    long most_with_few = 0;
    for (const auto& [query, it] : with_few) most_with_few = std::max(most_with_few, it.pages);
    long most = 0;
    for (const auto& [query, it] : with_many) {
        // How a page of a list is looked for may depend on how many orders there are.
        const auto same = with_few.find(query);
        const long before = same == with_few.end() ? most_with_few : same->second.pages;
        // A larger index is deeper by a level or two, which each row that is looked for pays.
        const long bound = 2 * before + 30;
        BOOST_TEST(it.pages <= bound, query << "\nreads " << it.pages << " pages with " << many()
                                            << " orders, " << before << " with " << few << '\n'
                                            << it.text);
        most = std::max(most, it.pages);
        const char* const other = same == with_few.end() ? " (another statement)" : "";
        BOOST_TEST_MESSAGE(before << other << " " << it.pages << " pages: " << query);
    }
    BOOST_TEST_MESSAGE("most: " << most);
}

// The test itself: what it looks for is found.
BOOST_FIXTURE_TEST_CASE(a_whole_table_is_noticed, shop) {
    const server_log log;
    sql("SET enable_indexscan TO off; SET enable_bitmapscan TO off; SET enable_indexonlyscan TO "
        "off; "
        "SELECT * FROM " +
        table("orders") + " WHERE number = 1");
    const auto all = log.plans();
    const auto found = std::find_if(all.begin(), all.end(), [](const plan& it) {
        return it.text.find("Seq Scan on orders") != it.text.npos;
    });
    BOOST_TEST((found != all.end()));
}
