// Orders that are found by their attributes.

#include "testing/listed.hpp"
#include "testing/shop.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void expect_found(bench& b, const std::vector<order>& all, const list_params& params) {
    const auto expected = found_by_value(all, params);
    const auto found = b.list(params);
    expect_equal(describe(params), ids_of(expected), ids_of(found));
    for (std::size_t i = 0; i < found.size(); ++i) {
        expect_same(describe(params), expected[i], found[i]);
    }
}

// Both directions, by pages of several sizes.
void expect_found_by_pages(bench& b, const std::vector<order>& all, list_params params) {
    for (const bool descending : {false, true}) {
        params.descending = descending;
        for (const std::size_t limit : {1U, 4U, 1000U}) {
            params.limit = limit;
            expect_found(b, all, params);
        }
    }
}

void found(bench& b, std::string_view attribute, const attribute_value& value,
           std::vector<std::string> ids) {
    list_params params = with_value(attribute, value);
    params.descending = false;
    expect_equal("orders by " + std::string(attribute), ids, ids_of(b.list(params)));
}

void orders_are_found_by_their_values(bench& b) {
    b.use(shop());
    b.done(b.create(with(shop_order("A"), "channel", "web")));
    b.done(b.create(with(with(shop_order("B"), "channel", "web"), "weight", std::int64_t{5})));
    b.done(b.create(shop_order("C")));
    found(b, "channel", "web", {"A", "B"});
    found(b, "channel", "shop", {});
    found(b, "weight", std::int64_t{5}, {"B"});
    b.done(b.edit("B", with(shop_order("B"), "channel", "shop")));
    found(b, "channel", "web", {"A"});
    found(b, "channel", "shop", {"B"});
    found(b, "weight", std::int64_t{5}, {});
    b.done(b.annotate("A", {{}, {{"email", "a@example.com"}}, {}}));
    found(b, "email", "a@example.com", {"A"});
    b.done(b.annotate("A", {{}, {}, {"email"}}));
    found(b, "email", "a@example.com", {});
    const claimed_order held = b.claimed("A");
    found(b, "channel", "web", {"A"});
    b.done(b.leave(held, "complete"));
    found(b, "channel", "web", {"A"});
    b.done(b.erase("A"));
    found(b, "channel", "web", {});
    b.done(b.erase("B"));
    found(b, "channel", "shop", {});
}

// Values of every type, many of them equal.
std::vector<order> stock(bench& b) {
    b.use(shop());
    constexpr std::string_view channels[] = {"web", "shop", "phone"};
    for (int i = 0; i < 40; ++i) {
        order it = shop_order("s" + std::to_string(i), i % 4 == 0 ? "ann" : std::to_string(i % 3));
        if (i % 5 == 0) it.tenant = "south";
        it = with(it, "channel", std::string(channels[static_cast<std::size_t>(i % 3)]));
        if (i % 7 != 0) it = with(it, "weight", std::int64_t{(i * 7) % 10 - 5});
        it = with(it, "fee", amount{(i * 300) % 1000});
        it = with(it, "placed", b.now() - seconds(i % 6));
        it = with(it, "email", std::string(static_cast<std::size_t>(i % 9), 'x') + "@");
        b.done(b.create(it));
        if (i % 3 == 0) b.advance(seconds(1));
    }
    for (int i = 0; i < 40; i += 6) b.done(b.raise("s" + std::to_string(i), "cancel"));
    b.done(b.erase("s13"));
    list_params params;
    params.limit = 1000;
    return b.list(params);
}

void a_value_is_listed_by_creation(bench& b) {
    const auto all = stock(b);
    for (const char* channel : {"web", "phone"}) {
        list_params params = with_value("channel", channel);
        expect_found_by_pages(b, all, params);
        const order_status some[] = {"CANCELLED", "FAILED"};
        params.statuses = some;
        expect_found_by_pages(b, all, params);
        params.statuses = {};
        params.scope.user = "ann";
        expect_found_by_pages(b, all, params);
        params.scope.tenant = "south";
        expect_found_by_pages(b, all, params);
        params.scope = {};
        params.created_from = all[30].created_at;
        params.created_until = all[5].created_at;
        expect_found_by_pages(b, all, params);
    }
    expect_found_by_pages(b, all, with_value("weight", std::int64_t{-3}));
    expect_found_by_pages(b, all, with_value("email", "xxxxxxxx@"));
    expect_found_by_pages(b, all, with_value("email", "xxxxxxx"));  // the beginning of others
}

void a_range_is_listed_by_value(bench& b) {
    const auto all = stock(b);
    list_params ranges[] = {with_values("weight", std::int64_t{-4}, std::int64_t{3}),
                            with_values("fee", amount{0}, amount{600}),
                            with_values("placed", b.now() - seconds(15), b.now()),
                            with_values("email", "@", "xxxxx@"),
                            with_values("weight", std::int64_t{3}, std::int64_t{-4})};
    for (list_params& params : ranges) {
        expect_found_by_pages(b, all, params);
        const order_status pending = "PENDING";
        params.statuses = {&pending, 1};
        expect_found_by_pages(b, all, params);
        params.statuses = {};
        params.scope.tenant = "north";
        params.created_from = all[30].created_at;
        expect_found_by_pages(b, all, params);
    }
}

// No row of another tenant is passed over, whatever else the list is asked for.
void a_tenant_is_listed_by_its_index(bench& b) {
    const auto all = stock(b);
    for (const char* tenant : {"north", "south", "none"}) {
        list_params params;
        params.scope.tenant = tenant;
        params.index = order_model::of_tenant(tenant);
        expect_found_by_pages(b, all, params);
        params.created_from = all[30].created_at;
        params.created_until = all[5].created_at;
        expect_found_by_pages(b, all, params);
        params.created_from.reset();
        const order_status some[] = {"CANCELLED", "PENDING"};
        params.statuses = some;
        expect_found_by_pages(b, all, params);
        params.statuses = {};
        params.created_until.reset();
        params.rows_max = 1;
        params.limit = 3;
        const order_page page = value("list()", b.reader().list(params));
        const std::size_t there = std::min(params.limit, found_by_value(all, params).size());
        expect_equal("orders of a page of " + describe(params), there, page.orders.size());
    }
}

void pages_of_values_are_stable(bench& b) {
    b.use(shop());
    std::vector<std::string> expected;
    for (int i = 0; i < 20; ++i) {
        const std::int64_t weight = i / 7;  // seven of each
        expected.push_back(
            id_of(b.done(b.create(with(shop_order("w" + std::to_string(i)), "weight", weight)))));
    }
    list_params params = with_values("weight", std::int64_t{0}, std::int64_t{9});
    params.descending = false;
    params.limit = 3;
    std::vector<std::string> ids;
    for (int made = 0;; ++made) {
        const order_page page = value("list()", b.reader().list(params));
        for (const order& it : page.orders) ids.push_back(id_of(it));
        if (!page.next || ids.size() > 100) break;
        params.after = page.next;
        const order before =
            with(shop_order("n" + std::to_string(made)), "weight", std::int64_t{-1});
        b.done(b.create(before));
        b.done(b.erase(ids.back()));  // where the page ended
    }
    expect_equal("pages by value while orders come and go", expected, ids);
}

void totals_count_values(bench& b) {
    const auto all = stock(b);
    const order_status pending = "PENDING";
    list_params all_of[] = {with_value("channel", "web"),
                            with_values("weight", std::int64_t{-4}, std::int64_t{3}),
                            with_value("channel", "none")};
    for (list_params& params : all_of) {
        for (const bool filters : {false, true}) {
            if (filters) params.statuses = {&pending, 1};
            for (const std::size_t most : {1U, 5U, 1000U}) {
                params.count_max = most;
                params.limit = 2;
                const std::size_t orders = found_by_value(all, params).size();
                const order_page page = value("list()", b.reader().list(params));
                expect(page.total.has_value(), describe(params) + ": there is no total");
                expect_equal("counted by " + describe(params), std::min(orders, most),
                             static_cast<std::size_t>(page.total->orders));
                expect_equal("more in " + describe(params), orders > most, page.total->more);
            }
        }
    }
}

// All pages of a list that may look at so many rows a page.
std::vector<std::string> by_short_pages(bench& b, list_params params) {
    std::vector<std::string> out;
    for (int pages = 0; pages < 1000; ++pages) {
        const order_page page = value("list()", b.reader().list(params));
        expect(page.orders.size() <= params.limit, "a page is longer than its limit");
        for (const order& it : page.orders) out.push_back(id_of(it));
        if (!page.next) return out;
        params.after = page.next;
    }
    fail("the pages of " + describe(params) + " never end");
}

void a_short_page_goes_on(bench& b) {
    population(b);
    const order_status statuses[] = {"CANCELLED", "PENDING"};
    list_params by_user = of_user(2);
    by_user.statuses = std::span(statuses).first(1);
    list_params nobody;
    nobody.scope.tenant = "nobody";
    list_params by_id = by_user;
    by_id.sort = list_sort::order_id;
    list_params by_due_time = of_user(2);
    by_due_time.sort = list_sort::due_at;
    by_due_time.statuses = std::span(statuses).last(1);
    for (list_params params : {by_user, nobody, by_id, by_due_time}) {
        if (!is_supported(b.reader().list(params))) continue;
        for (const bool descending : {false, true}) {
            params.descending = descending;
            params.limit = 3;
            params.rows_max = 10'000;
            const auto expected = ids_of(b.list(params));
            for (const std::size_t rows : {1U, 2U, 7U, 100U}) {
                params.rows_max = rows;
                expect_equal(describe(params) + ", " + show(rows) + " rows a page", expected,
                             by_short_pages(b, params));
            }
        }
    }
}

void a_short_page_of_values_goes_on(bench& b) {
    const auto all = stock(b);
    const order_status cancelled = "CANCELLED";
    for (list_params params :
         {with_value("channel", "web"), with_values("weight", std::int64_t{-5}, std::int64_t{4})}) {
        params.statuses = {&cancelled, 1};
        params.limit = 2;
        params.count_max = 1000;
        for (const bool descending : {false, true}) {
            params.descending = descending;
            const auto expected = ids_of(found_by_value(all, params));
            for (const std::size_t rows : {1U, 3U, 1000U}) {
                params.rows_max = rows;
                expect_equal(describe(params) + ", " + show(rows) + " rows a page", expected,
                             by_short_pages(b, params));
                const auto total = value("list()", b.reader().list(params)).total;
                expect(total && total->orders <= expected.size(), "too many are counted");
                expect(total->more || total->orders == expected.size(),
                       "a count that ends early says that there are no more");
            }
        }
    }
}

void a_purge_takes_index_entries(bench& b) {
    b.use(shop());
    for (const char* id : {"A", "B"}) {
        b.done(b.create(with(shop_order(id), "channel", "web")));
    }
    b.done(b.raise("A", "cancel"));
    b.advance(std::chrono::hours(1));
    b.write(purge_orders{b.now()});
    found(b, "channel", "web", {"B"});
}

void an_index_is_refreshed(bench& b) {
    b.use(shop_without_indexes());
    for (const char* id : {"A", "B"}) {
        b.done(b.create(with(shop_order(id), "channel", "web")));
    }
    const claimed_order held = b.claimed("B");
    found(b, "channel", "web", {});
    const feed_position newest = b.newest();
    b.use(shop());
    for (const char* id : {"A", "B"}) {
        const order is = b.found(id);
        expect_same("an order whose index was refreshed", is, b.done(b.refresh_index(id)));
        expect_same("the same, read", is, b.found(id));
    }
    found(b, "channel", "web", {"A", "B"});
    expect_equal("the newest entry", newest, b.newest());
    b.done(b.leave(held, "complete"));
    b.use(shop_without_indexes());
    b.done(b.refresh_index("A"));
    found(b, "channel", "web", {"B"});
    b.use(shop());
}

constexpr entry entries[] = {
    {"orders_are_found_by_their_values",
     "An order is found by the values that it has, whatever it was found by before.",
     orders_are_found_by_their_values, capability::indexes},
    {"a_value_is_listed_by_creation",
     "A list of one value is sorted by creation, and has what its filters say.",
     a_value_is_listed_by_creation, capability::indexes},
    {"a_range_is_listed_by_value",
     "A list of a range of values is sorted by value, then by creation.",
     a_range_is_listed_by_value, capability::indexes},
    {"a_tenant_is_listed_by_its_index", "A list of a tenant's orders passes over no others.",
     a_tenant_is_listed_by_its_index, capability::indexes},
    {"pages_of_values_are_stable",
     "A list by value neither skips nor repeats while orders come and go, among equal values too.",
     pages_of_values_are_stable, capability::indexes},
    {"totals_count_values", "A total counts the orders with a value.", totals_count_values,
     capability::indexes},
    {"a_short_page_goes_on",
     "A page that ends because it has looked at rows_max rows is followed by one that goes on.",
     a_short_page_goes_on},
    {"a_short_page_of_values_goes_on",
     "The same of a list by value; a count that ends early says that there may be more.",
     a_short_page_of_values_goes_on, capability::indexes},
    {"a_purge_takes_index_entries", "An order that was purged is found by no value.",
     a_purge_takes_index_entries, capability::indexes},
    {"an_index_is_refreshed",
     "An order gets the index entries that a new model says, and nothing else changes.",
     an_index_is_refreshed, capability::indexes},
};

}  // namespace

std::vector<storage_case> index_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
