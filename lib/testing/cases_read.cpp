// Loading, lists, histories, counts.

#include "testing/kit.hpp"
#include "testing/listed.hpp"

#include <algorithm>
#include <map>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

constexpr order_status nobody = "FAILED";

void pages_follow_the_filters(bench& b) {
    const auto all = population(b);
    const std::vector<std::vector<order_status>> statuses{
        {}, {"PENDING"}, {"FAILED", "CANCELLED"}, {"COMPLETED", "PROCESSING", "PENDING"}, {"NONE"}};
    const timestamp third = all[15].created_at;
    const timestamp last = all.back().created_at;
    const std::vector<std::pair<std::optional<timestamp>, std::optional<timestamp>>> times{
        {{}, {}}, {third, {}}, {{}, last}, {third, last}, {last, third}, {third, third}};
    for (const auto& wanted : statuses) {
        for (const auto& [from, until] : times) {
            for (const std::int64_t user : {0, 2, 9}) {
                for (const std::size_t limit : {1U, 7U, 1000U}) {
                    list_params params;
                    params.statuses = wanted;
                    params.created_from = from;
                    params.created_until = until;
                    if (user != 0) params.scope.user = std::to_string(user);
                    params.limit = limit;
                    expect_listed(b, all, params);
                    params.descending = false;
                    expect_listed(b, all, params);
                }
            }
        }
    }
}

void full_last_page_is_the_last(bench& b) {
    for (int i = 0; i < 6; ++i) b.created("L-" + std::to_string(i));
    list_params params;
    params.limit = 6;
    expect(!value("list()", b.reader().list(params)).next, "the only page has a next one");
    params.limit = 3;
    const order_page first = value("list()", b.reader().list(params));
    expect(first.next.has_value(), "the first page of two has no next one");
    expect_equal("the position after it", first.orders.back().number, first.next->number);
    params.after = first.next;
    expect(!value("list()", b.reader().list(params)).next, "the last page has a next one");
}

void inserts_do_not_disturb_pages(bench& b, bool descending) {
    std::vector<std::string> expected;
    for (int i = 0; i < 30; ++i) expected.push_back(id_of(b.created("o" + std::to_string(i))));
    if (descending) std::reverse(expected.begin(), expected.end());
    list_params params;
    params.descending = descending;
    params.limit = 4;
    std::vector<std::string> found;
    int made = 0;
    do {
        order_page page = value("list()", b.reader().list(params));
        for (const order& it : page.orders) found.push_back(id_of(it));
        params.after = page.next;
        if (found.size() >= 40) break;
        b.advance(milliseconds(made % 2));
        std::vector<change> creates;
        for (int i = 0; i < 2; ++i, ++made) creates.push_back(b.create("n" + std::to_string(made)));
        b.write(std::move(creates));
    } while (params.after);
    for (int i = 0; !descending && expected.size() < found.size(); ++i) {
        expected.push_back("n" + std::to_string(i));
    }
    expect_equal("pages while orders are created", expected, found);
}

void pages_downwards_are_stable(bench& b) {
    inserts_do_not_disturb_pages(b, true);
}
void pages_upwards_are_stable(bench& b) {
    inserts_do_not_disturb_pages(b, false);
}

void page_goes_on_after_a_deleted_order(bench& b) {
    for (int i = 0; i < 6; ++i) b.created("d" + std::to_string(i));
    list_params params;
    params.limit = 2;
    params.after = value("list()", b.reader().list(params)).next;
    b.done(b.erase("d4"));  // the last one of the page
    params.limit = 10;
    expect_equal("the page after it", std::vector<std::string>{"d3", "d2", "d1", "d0"},
                 ids_of(value("list()", b.reader().list(params)).orders));
}

void load_keeps_the_order_of_the_ids(bench& b) {
    for (const char* id : {"A", "B", "C"}) b.created(id, *id == 'B' ? 2 : 1);
    const std::vector<std::string> ids{"C", "missing", "A", "C", "", "B"};
    const auto rows = value("load()", b.reader().load({ids, {}})).orders;
    expect_equal("answers of load()", ids.size(), rows.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const bool there = ids[i].size() == 1;
        expect_equal("the answer for \"" + ids[i] + "\" is there", there, rows[i].has_value());
        if (there) expect_equal("the answer at its place", ids[i], id_of(*rows[i]));
    }
    const auto mine = value("load()", b.reader().load({ids, {"1", {}}})).orders;
    expect_equal("answers of load() for a user", ids.size(), mine.size());
    expect(mine[0] && mine[2] && mine[3], "a user's own order is not loaded");
    expect(!mine[5], "another user's order is loaded");
    expect(value("load()", b.reader().load({{}, {}})).orders.empty(), "load() of nothing answers");
}

// Orders of three users and two tenants, one of them deleted.
std::vector<order> scoped_population(bench& b) {
    const char* users[] = {"1", "u-1", ""};
    const char* tenants[] = {"", "north", "south"};
    std::vector<change> creates;
    for (int i = 0; i < 27; ++i) {
        order it = sample("s" + std::to_string(i));
        it.user = users[i % 3];
        it.tenant = tenants[i / 3 % 3];
        creates.push_back(b.create(it));
    }
    for (const auto& made : b.write(std::move(creates))) expect_ok("a create", made);
    b.done(b.erase("s4"));
    std::vector<change> cancels;
    for (const int i : {1, 9, 10, 17})
        cancels.push_back(b.raise("s" + std::to_string(i), "cancel"));
    b.write(std::move(cancels));
    return b.list({});
}

std::vector<order_scope> scopes_of_interest() {
    std::vector<order_scope> out;
    for (const char* user : {"1", "u-1", "", "none"}) {
        out.push_back({user, {}});
        for (const char* tenant : {"", "north", "south", "none"}) out.push_back({user, tenant});
    }
    for (const char* tenant : {"", "north", "south", "none"}) out.push_back({{}, tenant});
    return out;
}

void lists_stay_within_their_scope(bench& b) {
    const auto all = scoped_population(b);
    const std::vector<std::vector<order_status>> statuses{{}, {"CANCELLED"}, {"PENDING", "FAILED"}};
    for (const order_scope& scope : scopes_of_interest()) {
        for (const auto& wanted : statuses) {
            for (const std::size_t limit : {1U, 2U, 1000U}) {
                list_params params;
                params.scope = scope;
                params.statuses = wanted;
                params.limit = limit;
                expect_listed(b, all, params);
                params.descending = false;
                expect_listed(b, all, params);
            }
        }
    }
}

void load_stays_within_its_scope(bench& b) {
    const auto all = scoped_population(b);
    const std::vector<std::string> ids = ids_of(all);
    for (const order_scope& scope : scopes_of_interest()) {
        const auto rows = value("load()", b.reader().load({ids, scope})).orders;
        expect_equal("answers of load()", ids.size(), rows.size());
        for (std::size_t i = 0; i < ids.size(); ++i) {
            expect_equal("order " + ids[i] + " is there", scope.admits(all[i]),
                         rows[i].has_value());
            const std::vector<std::string> one{ids[i]};
            const auto row = value("load()", b.reader().load({one, scope})).orders.front();
            expect_equal("order " + ids[i] + " alone is there", scope.admits(all[i]),
                         row.has_value());
        }
    }
}

// Judged by the order as it is, not as it was, and as it was at its end if it was deleted.
void histories_stay_within_their_scope(bench& b) {
    order it = sample("h");
    it.user = "u-1";
    it.tenant = "north";
    b.done(b.create(it));
    it.user = "2";
    b.done(b.edit("h", it));
    const auto entries = [&b](const order_scope& scope) {
        return value("history()", b.reader().history({"h", order_version{0}, 10, scope})).size();
    };
    for (const std::size_t there : {2U, 3U}) {
        if (there == 3) b.done(b.erase("h"));
        expect_equal("entries for its user", there, entries({"2", {}}));
        expect_equal("entries for its tenant", there, entries({{}, "north"}));
        expect_equal("entries for both", there, entries({"2", "north"}));
        expect_equal("entries for the user of before", std::size_t{0}, entries({"u-1", {}}));
        expect_equal("entries for another tenant", std::size_t{0}, entries({{}, ""}));
        expect_equal("entries for its user of another tenant", std::size_t{0},
                     entries({"2", "south"}));
    }
}

void many_orders_are_loaded_at_once(bench& b) {
    std::vector<std::string> ids;
    std::vector<change> creates;
    for (int i = 0; i < 1200; ++i) {
        ids.push_back("many-" + std::to_string(i * 7919 % 1200));
        creates.push_back(b.create(ids.back()));
    }
    for (const auto& made : b.write(std::move(creates))) expect_ok("a create of 1200", made);
    std::reverse(ids.begin(), ids.end());
    const auto rows = value("load()", b.reader().load({ids, {}})).orders;
    expect_equal("answers of load()", ids.size(), rows.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
        expect_equal("the answer at its place", ids[i], rows[i] ? id_of(*rows[i]) : "none");
    }
}

void history_tells_all(bench& b) {
    b.created("H");
    b.created("h");
    b.advance(seconds(1));
    b.done(b.edit("H", "{}"));
    const claimed_order held = b.claimed("H", "w-9");
    b.done(b.leave(held, "complete"));
    const auto all = b.history("H");
    const std::vector<std::string> events{"create", "edit", "start", "complete"};
    expect_equal("entries", events.size(), all.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
        expect_equal("event " + show(i), events[i], all[i].event);
        expect_equal("version of an entry", order_version{i + 1}, all[i].version);
        expect_equal("version of the order in it", order_version{i + 1}, all[i].after.version);
        expect_equal("order of the entry", std::string("H"), id_of(all[i].after));
    }
    expect(!all[0].from, "a create has a status before it");
    expect_equal("from of the last", std::optional(order_status("PROCESSING")), all[3].from);
    expect_equal("actor of the last", std::string("worker"), all[3].actor);
    expect_equal("reason of the last", std::string("left by its worker"), all[3].reason);
    expect(!all[0].traceparent.empty(), "a client's entry has lost its traceparent");
    for (const journal_entry& it : all) {
        expect_equal("traceparent of an entry", all[0].traceparent, it.traceparent);
    }
    expect_equal("at of the first", all[3].at - seconds(1), all[0].at);
    expect(b.history("none").empty(), "an order that never was has a history");

    const auto later = value("history()", b.reader().history({"H", order_version{2}, 1}));
    expect_equal("entries after version 2, one", std::size_t{1}, later.size());
    expect_equal("the version after 2", order_version{3}, later.front().version);
    const auto none = value("history()", b.reader().history({"H", order_version{4}, 10}));
    expect(none.empty(), "there are entries after the last version");
}

void counts_are_those_of_the_table(bench& b) {
    std::map<order_status, std::uint64_t> expected;
    for (const order& it : population(b)) ++expected[it.status];
    for (const auto& [status, size, due] : b.count().orders) {
        expect_equal("orders in " + show(status), expected[status], size);
        expected.erase(status);
    }
    for (const auto& [status, size] : expected) {
        expect_equal("orders in " + show(status) + ", left out by count()", size, std::uint64_t{0});
    }
}

void rows_come_with_their_position(bench& b) {
    const std::vector<std::string> ids{"A"};
    const std::vector<std::string> more{"A", "B"};
    for (const char* id : {"A", "B"}) {
        b.created(id);
        const feed_position newest = b.newest();
        expect_equal("newest of load()", newest,
                     value("load()", b.reader().load({ids, {}})).newest);
        expect_equal("newest of load() for two", newest,
                     value("load()", b.reader().load({more, {}})).newest);
        expect_equal("newest of list()", newest, value("list()", b.reader().list({})).newest);
        list_params nothing;
        nothing.statuses = std::span(&nobody, 1);
        expect_equal("newest of an empty list()", newest,
                     value("list()", b.reader().list(nothing)).newest);
        nothing = {};
        nothing.limit = 0;
        expect_equal("newest of a list() of none", newest,
                     value("list()", b.reader().list(nothing)).newest);
    }
    const std::vector<std::string> missing{"none"};
    expect_equal("newest of a missing order", b.newest(),
                 value("load()", b.reader().load({missing, {}})).newest);
}

void oldest_due_is_counted(bench& b) {
    const auto due = [&b](order_status status) -> std::optional<timestamp> {
        for (const status_count& it : b.count().orders) {
            if (it.status == status) return it.oldest_due_at;
        }
        return std::nullopt;
    };
    expect(!due("PENDING"), "something is due where there are no orders");
    const timestamp first = b.now();
    b.created("A");
    b.advance(seconds(5));
    b.created("B");
    expect_equal("the oldest of two", std::optional(first), due("PENDING"));
    const claimed_order held = b.claimed("A");
    expect_equal("the oldest of those left", std::optional(b.now()), due("PENDING"));
    expect_equal("the end of a lease", std::optional(b.now() + seconds(30)), due("PROCESSING"));
    b.done(b.leave(held, "complete"));
    expect(!due("PROCESSING"), "a lease that ended is due");
    expect(!due("COMPLETED"), "a completed order is due");
}

void writer_reads_what_it_wrote(bench& b) {
    const std::vector<std::string> ids{"A"};
    for (int i = 0; i < 3; ++i) {
        if (i > 0) b.done(b.edit("A", "{\"i\":" + std::to_string(i) + "}"));
        if (i == 0) b.created("A");
        const auto version = order_version{static_cast<std::uint64_t>(i) + 1};
        for (repository_reader* by : {static_cast<repository_reader*>(&b.writer()), &b.reader()}) {
            const auto rows = value("load()", by->load({ids, {}})).orders;
            expect(rows.front().has_value(), "an answered write is not seen");
            expect_equal("version after an answered write", version, rows.front()->version);
            expect_equal("entries after it", std::uint64_t(i) + 1,
                         value("read_feed()", by->read_feed({{}, 10})).newest.offset);
        }
    }
}

constexpr entry entries[] = {
    {"lists_stay_within_their_scope", "A page has the orders of its user and tenant only.",
     lists_stay_within_their_scope},
    {"load_stays_within_its_scope", "load() shows the orders of its user and tenant only.",
     load_stays_within_its_scope},
    {"histories_stay_within_their_scope",
     "A history is shown to the user and tenant that the order has now.",
     histories_stay_within_their_scope},
    {"rows_come_with_their_position", "newest is the feed's last entry when the rows were read.",
     rows_come_with_their_position},
    {"the_oldest_due_order_is_counted", "count() knows since when orders of a status are due.",
     oldest_due_is_counted},
    {"pages_follow_the_filters", "Pages have what the filters say, in order, once.",
     pages_follow_the_filters},
    {"a_full_last_page_is_the_last", "next says whether there is another page.",
     full_last_page_is_the_last},
    {"pages_downwards_are_stable", "Inserts never make a page skip or repeat (newest first).",
     pages_downwards_are_stable},
    {"pages_upwards_are_stable", "Inserts never make a page skip or repeat (oldest first).",
     pages_upwards_are_stable},
    {"a_page_goes_on_after_a_deleted_order", "A page goes on from a position, not an order.",
     page_goes_on_after_a_deleted_order},
    {"load_keeps_the_order_of_the_ids", "load() answers in the order of the ids, with gaps.",
     load_keeps_the_order_of_the_ids},
    {"many_orders_are_loaded_at_once", "A write and a load may be large.",
     many_orders_are_loaded_at_once},
    {"history_tells_all", "A history has every version, oldest first.", history_tells_all},
    {"counts_are_those_of_the_table", "The counts are those of the table.",
     counts_are_those_of_the_table},
    {"a_reader_sees_answered_writes", "A read sees every write that was answered before it.",
     writer_reads_what_it_wrote},
};

}  // namespace

std::vector<storage_case> read_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
