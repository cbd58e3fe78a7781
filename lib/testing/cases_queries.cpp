// Other sorts of lists, totals, and times in the feed: what a storage need not have.

#include "testing/kit.hpp"
#include "testing/listed.hpp"

#include <algorithm>
#include <map>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

list_params sorted_by(list_sort sort, bool descending = false) {
    list_params out;
    out.sort = sort;
    out.descending = descending;
    return out;
}

void pages_are_sorted_by_id(bench& b) {
    population(b);
    for (const char* id : {"P1", "p", "p-", "p.x", "p5:", "pa", "pA", "o", "q", "p50", "5"}) {
        if (!b.find(id)) b.created(id, 2);
    }
    const auto all = b.list({});
    const order_status pending = "PENDING";
    for (const std::string_view prefix : {"", "p", "p5", "p58", "p58x", "P", "q", "r"}) {
        for (const bool descending : {false, true}) {
            for (const std::size_t limit : {1U, 7U, 1000U}) {
                list_params params = sorted_by(list_sort::order_id, descending);
                params.id_prefix = prefix;
                params.limit = limit;
                expect_listed(b, all, params);
                params.statuses = {&pending, 1};
                expect_listed(b, all, params);
                params.scope.user = "2";
                params.created_from = all[all.size() / 2].created_at;
                expect_listed(b, all, params);
            }
        }
    }
}

void a_prefix_selects_in_every_sort(bench& b) {
    list_params params;
    params.id_prefix = "p5";
    const auto all = population(b);
    for (const std::size_t limit : {2U, 1000U}) {
        params.limit = limit;
        for (const bool descending : {false, true}) {
            params.descending = descending;
            params.scope.user.reset();
            expect_listed(b, all, params);
            params.scope.user = "2";
            expect_listed(b, all, params);
        }
    }
}

void pages_by_id_are_stable(bench& b) {
    list_params params = sorted_by(list_sort::order_id);
    std::vector<std::string> expected;
    for (int i = 10; i < 40; ++i) expected.push_back(id_of(b.created("o" + std::to_string(i))));
    params.limit = 4;
    std::vector<std::string> found;
    for (int made = 0;; ++made) {
        order_page page = value("list()", b.reader().list(params));
        for (const order& it : page.orders) found.push_back(id_of(it));
        if (!page.next || found.size() > 100) break;
        params.after = page.next;
        b.created("n" + std::to_string(made));  // before all
        b.done(b.erase(found.back()));          // where the page ended
    }
    expect_equal("pages by id while orders come and go", expected, found);
}

// With when each is due.
std::map<std::string, timestamp> orders_that_wait(bench& b) {
    std::map<std::string, timestamp> due;
    for (int i = 0; i < 24; ++i) {
        const order it = b.created("w" + std::to_string(i * 7 % 24), 1 + i % 2);
        due[id_of(it)] = b.now();
        if (i % 3 == 0) b.advance(seconds(1));
    }
    for (int i = 0; i < 4; ++i) {
        const auto held = b.write(b.claim_of("w", 4)).orders;
        expect_equal("orders claimed", std::size_t{4}, held.size());
        const timestamp later = b.now() + seconds(500 - i * 100);
        for (const claimed_order& it : held) due[id_of(it.value)] = b.now() + seconds(30);
        b.done(b.release(held[0], later));
        b.done(b.release(held[1], later + seconds(50)));
        due[id_of(held[0].value)] = later;
        due[id_of(held[1].value)] = later + seconds(50);
        if (i == 3) {
            b.done(b.leave(held[2], "complete"));
            due.erase(id_of(held[2].value));
        }
        if (i % 2 == 0) b.advance(seconds(1));
    }
    return due;
}

void pages_are_sorted_by_due_time(bench& b) {
    const order_status statuses[] = {"PENDING", "PROCESSING", "COMPLETED", "NONE"};
    list_params params = sorted_by(list_sort::due_at);
    params.statuses = std::span(statuses).first(1);
    const auto due = orders_that_wait(b);
    const auto all = b.list({});
    for (const order_status& status : statuses) {
        for (const std::optional<std::string>& user : {std::optional<std::string>(), {"2"}}) {
            std::vector<order> expected;
            for (const order& it : all) {
                const bool wanted = it.status == status && due.contains(id_of(it));
                if (wanted && (!user || it.user == *user)) expected.push_back(it);
            }
            std::sort(expected.begin(), expected.end(), [&](const order& x, const order& y) {
                return std::pair(due.at(id_of(x)), x.number) <
                       std::pair(due.at(id_of(y)), y.number);
            });
            params.statuses = {&status, 1};
            params.scope.user = user;
            for (const bool descending : {false, true}) {
                params.descending = descending;
                for (const std::size_t limit : {1U, 3U, 1000U}) {
                    params.limit = limit;
                    expect_equal(describe(params), ids_of(expected), ids_of(b.list(params)));
                }
                std::reverse(expected.begin(), expected.end());
            }
        }
    }
}

void expect_total(bench& b, list_params params, std::size_t orders) {
    for (const std::size_t most :
         {std::size_t{1}, std::size_t{7}, std::max<std::size_t>(orders, 1), std::size_t{1000}}) {
        params.count_max = most;
        params.after.reset();
        for (const std::size_t limit : {0U, 3U, 3U}) {
            params.limit = limit;
            const order_page page = value("list()", b.reader().list(params));
            expect(page.total.has_value(), describe(params) + ": there is no total");
            expect_equal("orders counted by " + describe(params), std::min(orders, most),
                         static_cast<std::size_t>(page.total->orders));
            expect_equal("there are more in " + describe(params), orders > most, page.total->more);
            params.after = page.next;
        }
    }
}

void totals_are_those_of_the_list(bench& b) {
    list_params params;
    params.count_max = 10;
    const auto all = population(b);
    params.count_max = 0;
    expect(!value("list()", b.reader().list(params)).total, "a total comes without being asked");
    const std::vector<std::vector<order_status>> statuses{{}, {"PENDING", "FAILED"}, {"NONE"}};
    for (const auto& wanted : statuses) {
        for (const std::optional<std::string>& user :
             {std::optional<std::string>(), {"2"}, {"9"}}) {
            params.statuses = wanted;
            params.scope.user = user;
            expect_total(b, params, by_definition(all, params).size());
            list_params some = params;
            some.created_from = all[15].created_at;
            expect_total(b, some, by_definition(all, some).size());
            some.scope.tenant = "";
            expect_total(b, some, by_definition(all, some).size());
        }
    }
    for (const list_sort sort : {list_sort::created_at, list_sort::order_id}) {
        params = sorted_by(sort, true);
        params.id_prefix = "p1";
        if (!is_supported(b.reader().list(params))) continue;
        expect_total(b, params, by_definition(all, params).size());
    }
    const order_status pending = "PENDING";
    params = sorted_by(list_sort::due_at);
    params.statuses = {&pending, 1};
    if (!is_supported(b.reader().list(params))) return;
    expect_total(b, params, by_definition(all, params).size());
}

void creations_are_counted(bench& b) {
    expect_equal("created at first", std::uint64_t{0}, b.count().created);
    b.created("A");
    b.created("B");
    b.done(with_key(b.create("C"), key(1, 1)));
    (void)b.write(b.create("A"));                       // there already
    (void)b.write(with_key(b.create("C"), key(1, 1)));  // a replay
    b.done(b.raise("B", "cancel"));
    expect_equal("created", std::uint64_t{3}, b.count().created);
    b.done(b.erase("A"));
    expect_equal("created, one of them deleted", std::uint64_t{3}, b.count().created);
}

void a_time_is_found_in_the_feed(bench& b) {
    const auto find = [&b](timestamp at) {
        return value("find_position()", b.reader().find_position(at));
    };
    expect_equal("the place of a time in an empty feed", std::uint64_t{0}, find(b.now()).offset);
    for (int i = 0; i < 20; ++i) {
        const std::string id = "f" + std::to_string(i);
        b.created(id);
        if (i % 3 == 0) b.done(b.edit(id, "{}"));
        b.advance(milliseconds(i % 4 == 0 ? 0 : 10 * i));
        if (i == 9 || i == 14) {
            const auto rotated = b.writer().rotate_epoch(b.newest().epoch + 1);
            expect(!is_supported(rotated) || rotated, "rotate_epoch() failed");
        }
        if (i == 12) b.advance(milliseconds(-50));  // a clock that steps back moves no time
    }
    const auto all = b.feed();
    std::vector<timestamp> times{timestamp::min(), timestamp::max()};
    for (const journal_entry& it : all) {
        for (const int by : {-1, 0, 1}) times.push_back(it.at + milliseconds(by));
    }
    for (const timestamp time : times) {
        std::size_t earlier = 0;
        while (earlier < all.size() && all[earlier].at < time) ++earlier;
        const feed_position found = find(time);
        expect_equal("the place of " + show(time), std::uint64_t{earlier}, found.offset);
        const feed_page page = value("read_feed()", b.reader().read_feed({found, 1}));
        expect(!page.reset, "the place of " + show(time) + " is not in the feed");
        expect_equal("entries from there", std::min<std::size_t>(1, all.size() - earlier),
                     page.entries.size());
        if (earlier == all.size()) continue;
        expect_equal("the first one", all[earlier].position, page.entries.front().position);
    }
}

constexpr entry entries[] = {
    {"pages_are_sorted_by_id", "A list by id has what its filters say, by the bytes of the ids.",
     pages_are_sorted_by_id, capability::id_lists},
    {"a_prefix_selects_in_every_sort", "A prefix of ids narrows a list by creation as well.",
     a_prefix_selects_in_every_sort, capability::id_lists},
    {"pages_by_id_are_stable", "A list by id neither skips nor repeats while orders come and go.",
     pages_by_id_are_stable, capability::id_lists},
    {"pages_are_sorted_by_due_time",
     "A list by due time has the orders of a status that are due at some time, the first one "
     "first.",
     pages_are_sorted_by_due_time, capability::due_lists},
    {"totals_are_those_of_the_list",
     "A total counts all orders of the list as far as it is to, and says if there are more.",
     totals_are_those_of_the_list, capability::totals},
    {"creations_are_counted", "count() knows how many orders were ever created.",
     creations_are_counted},
    {"a_time_is_found_in_the_feed", "find_position() is where the feed's entries of a time begin.",
     a_time_is_found_in_the_feed, capability::positions},
};

}  // namespace

std::vector<storage_case> query_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
