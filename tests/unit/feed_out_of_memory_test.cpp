// Memory runs out at each allocation of the feed: every subscriber gets everything once, in order.

#include "failing_allocator.hpp"
#include "feed_fixture.hpp"

#include <exception>
#include <string>

using namespace orderproc;
using namespace orderproc::tests;
using namespace shop_test;

namespace {

void expect_all_of_it(bool encoded) {
    at_each_allocation([encoded](std::size_t after, std::size_t for_so_many) {
        feed_place it;
        live_feed_options options = it.by_hand();
        if (encoded) {
            options.encode = [](const journal_entry& entry, std::string& out) {
                out.append(entry.event).append(1, ' ').append(entry.after.id.view()).append(", ");
            };
        }
        live_feed feed{it.orders, it.feed_reads, options};
        subscriber all, one, users, late;
        all.subscribe(feed, {{}, it.newest(), false});
        one.subscribe(feed, {{.orders = {order_id::parse("B").value()}}, it.newest(), false});
        users.subscribe(feed, {{.scope = {.user = "7"}}, it.newest(), false});
        feed_place::run(feed);
        late.subscribe(feed, {{.statuses = {"PENDING", "CANCELLED"}}, feed_position{}, false});
        for (const char* id : {"A", "B", "C", "D", "E", "F"}) it.create(id, 7);
        it.raise("B", "cancel");

        memory_runs_out out(after, for_so_many);
        for (int i = 0; i < 100; ++i) {
            try {
                feed_place::run(feed);
                break;
            } catch (const std::exception&) {  // the host's run_once() is called again
            }
        }
        const bool did = out.end();
        feed_place::run(feed);
        const auto words = [&](subscriber& of) {
            std::string got;
            for (const feed_part& part : of.take()) {
                if (!encoded) append_words(part, got);
                got.append(part.text);
            }
            return encoded ? got.substr(0, got.size() - 2) : got;
        };
        const std::string everything =
            "create A, create B, create C, create D, create E, create F, cancel B";
        BOOST_TEST(words(all) == everything);
        BOOST_TEST(words(one) == "create B, cancel B");
        BOOST_TEST(words(users) == everything);
        BOOST_TEST(words(late) == everything);
        return did;
    });
}

}  // namespace

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_repeated_when_memory_runs_out) {
    expect_all_of_it(false);
}

BOOST_AUTO_TEST_CASE(nothing_is_lost_or_repeated_when_memory_runs_out_while_encoding) {
    expect_all_of_it(true);
}
