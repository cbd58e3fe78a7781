// Subscribers that are behind share what is read for them, and each is told what it would be told
// alone.

#include "feed_fixture.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;
using testing::fault_call;

namespace {

struct crowd : feed_place {
    // Of so many users in turn.
    void fill(int count, int users = 5) {
        for (int i = 0; i < count; ++i) create("A-" + std::to_string(made++), 1 + i % users);
    }
    static live_feed_options small_steps() {
        live_feed_options out = by_hand();
        out.page_size = 16;
        out.step_size = 8;
        return out;
    }
    std::unique_ptr<subscriber> behind(live_feed& of, feed_filter filter = {},
                                       feed_position after = {}) {
        auto out = std::make_unique<subscriber>();
        out->subscribe(of, {std::move(filter), after, false});
        return out;
    }
    static feed_filter user(std::int64_t id) { return {.scope = {.user = std::to_string(id)}}; }
    std::size_t reads_of(live_feed& of) {
        const std::size_t before = store.calls(fault_call::read);
        run(of);
        return store.calls(fault_call::read) - before;
    }

    int made = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sharing, crowd)

BOOST_AUTO_TEST_CASE(one_read_serves_all_that_stand_at_its_place) {
    fill(80);
    live_feed alone{orders, feed_reads, small_steps()};
    const auto single = behind(alone);
    const std::size_t needed = reads_of(alone);
    BOOST_TEST(needed >= 10U);
    const std::string everything = single->words();
    live_feed feed{orders, feed_reads, small_steps()};
    std::vector<std::unique_ptr<subscriber>> all;
    for (int i = 0; i < 20; ++i)
        all.push_back(behind(feed, i % 2 ? user(1 + i % 5) : feed_filter()));
    // The end of the journal is seen by one of them, or in a read for those that are live.
    BOOST_TEST(reads_of(feed) <= needed + 3);
    BOOST_TEST(all[0]->words() == everything);
    const auto parts = all[1]->take();
    BOOST_TEST(parts.size() == 16U);
    for (const feed_part& it : parts) BOOST_TEST(it.entries[0].after.user == "2");
    create("B", 2);
    run(feed);
    BOOST_TEST(all[0]->words() == "create B");
    BOOST_TEST(all[1]->words() == "create B");
}

BOOST_AUTO_TEST_CASE(one_that_takes_later_finds_what_was_read_for_a_second) {
    fill(80);
    live_feed_options options = small_steps();
    options.buffer_max = 16;  // room for a step at a time
    const auto reads_again = [&](std::size_t shared, std::chrono::milliseconds later) {
        options.shared_max = shared;
        live_feed feed{orders, feed_reads, options};
        const auto quick = behind(feed), slow = behind(feed);
        std::string words_of_quick, words_of_slow;
        for (int i = 0; i < 30; ++i) {
            run(feed);
            words_of_quick += quick->words() + ", ";
        }
        time.advance(later);
        const std::size_t before = store.calls(fault_call::read);
        for (int i = 0; i < 30; ++i) {
            words_of_slow += slow->words() + ", ";
            run(feed);
        }
        const auto trimmed = [](std::string text) {
            std::string out;
            for (std::size_t at = 0; (at = text.find("create", at)) != std::string::npos; ++at) {
                out += text.substr(at, text.find(',', at) - at) + ";";
            }
            return out;
        };
        BOOST_TEST(trimmed(words_of_slow) == trimmed(words_of_quick));
        return store.calls(fault_call::read) - before;
    };
    const std::chrono::milliseconds soon{0}, late{1000};
    const std::size_t shared = reads_again(std::size_t{1} << 20, soon);
    const std::size_t too_late = reads_again(std::size_t{1} << 20, late);
    const std::size_t unshared = reads_again(0, soon);
    BOOST_TEST(shared + 7 <= unshared);  // of the nine pages that are left
    BOOST_TEST(too_late == unshared);
}

// What a redaction took out of the journal is told to nobody who asks after it.
BOOST_AUTO_TEST_CASE(nothing_that_was_read_before_is_told_to_a_new_subscriber) {
    fill(40);
    live_feed feed{orders, feed_reads, small_steps()};
    const auto first = behind(feed);
    while (first->words().find("A-8") == std::string::npos) (void)feed.run_once();
    const std::size_t before = store.calls(fault_call::read);
    const auto second = behind(feed);
    (void)feed.run_once();
    (void)feed.run_once();
    BOOST_TEST(!second->words().empty());
    BOOST_TEST(store.calls(fault_call::read) > before);
}

BOOST_AUTO_TEST_CASE(one_that_is_far_behind_has_as_many_reads_as_all_others_together) {
    fill(400);
    live_feed feed{orders, feed_reads, small_steps()};
    std::vector<std::unique_ptr<subscriber>> near;
    for (int i = 0; i < 50; ++i) near.push_back(behind(feed, user(1 + i % 5), {1, 200}));
    const auto far = behind(feed);
    std::size_t told = 0;
    for (int i = 0; i < 24; ++i) {
        (void)feed.run_once();
        for (const auto& it : near) (void)it->take();
        for (const feed_part& it : far->take()) told += it.entries.size();
    }
    BOOST_TEST(told >= 10 * 8U);  // of 24 steps
}

BOOST_AUTO_TEST_CASE(each_is_told_what_it_would_be_told_alone) {
    testing::seeded_random chance(7);
    const auto below = [&](std::uint64_t most) { return chance.next() % most; };
    fill(150, 7);
    for (int i = 0; i < 30; ++i) raise("A-" + std::to_string(i * 5), "cancel");
    live_feed_options options = small_steps();
    options.buffer_max = 4096;
    options.shared_max = 16 * 1024;
    live_feed feed{orders, feed_reads, options};
    struct listener {
        std::unique_ptr<subscriber> who;
        feed_filter filter;
        feed_position after;
        std::vector<std::uint64_t> got;
    };
    std::vector<listener> all(40);
    for (listener& it : all) {
        switch (below(5)) {
            case 0:
                break;
            case 1:
                it.filter.events = {"cancel"};
                break;
            case 2:
                it.filter.statuses = {"PENDING", "CANCELLED"};
                it.filter.scope.user = "3";
                break;
            case 3:
                it.filter.orders = {order_id::parse("A-5").value(), order_id::parse("A-7").value()};
                break;
            default:
                it.filter = user(static_cast<std::int64_t>(1 + below(7)));
        }
        const std::uint64_t offset = below(180);
        if (offset > 0) it.after = {1, offset};
        it.who = behind(feed, it.filter, it.after);
    }
    const auto take = [&](listener& from) {
        for (const feed_part& part : from.who->take(1 + below(4000))) {
            for (const journal_entry& one : part.entries) from.got.push_back(one.position.offset);
        }
    };
    for (int i = 0; i < 3000; ++i) {
        (void)feed.run_once();
        if (i < 40) fill(1, 7);
        take(all[below(all.size())]);
    }
    for (int i = 0; i < 200; ++i) {
        run(feed);
        for (listener& it : all) take(it);
    }
    const auto journal =
        direct.use([&](repository_reader& from) {
                  return from.read_feed({{}, 10'000});
              })
            .value();
    for (const listener& it : all) {
        std::vector<std::uint64_t> expected;
        for (const journal_entry& one : journal.entries) {
            const bool behind_it = one.position.offset > it.after.offset;
            if (behind_it && matches(it.filter, one)) expected.push_back(one.position.offset);
        }
        BOOST_TEST(it.got == expected, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_SUITE_END()
