// What a handler says of an entry, and what becomes of it, in one thread on a manual clock.

#include "follower_fixture.hpp"

#include <new>
#include <stdexcept>
#include <vector>

using namespace orderproc;
using namespace shop_test;
using boost::test_tools::per_element;

namespace {

follow_answer failed(std::string why = "no such field") {
    return {0, entry_outcome::failed, std::move(why), {}};
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(an_entry_that_is_not_handled_now, mail_room)

BOOST_AUTO_TEST_CASE(is_tried_again_ever_more_rarely_for_as_long_as_it_takes) {
    create_three();
    answer = [this](entries given) {
        return handle_but_b(given, {0, entry_outcome::not_now, "the index is away"});
    };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(calls.size() == 2U);
    pass(99ms, {&it}, 99ms);
    BOOST_TEST(calls.size() == 2U);
    pass(1ms, {&it}, 1ms);
    BOOST_TEST(calls.size() == 3U);
    pass(199ms, {&it}, 199ms);
    BOOST_TEST(calls.size() == 3U);
    pass(1ms, {&it}, 1ms);
    BOOST_TEST(calls.size() == 4U);
    pass(10min, {&it}, 1s);
    const auto report = pass(5s, {&it}, 1s);
    BOOST_TEST((report.waits_for == feed_wait::handler));
    BOOST_TEST(report.waited >= 10min);
    BOOST_TEST(watch.reason == "the feed lags by 605 s: its handler has taken nothing for 605 s");
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    BOOST_TEST(watch.errors == (texts{"follower.not_now"}), per_element());  // once
    BOOST_TEST(watch.given_up.empty());
    broken = false;
    pass(5s, {&it}, 1s);
    BOOST_TEST(handled == (texts{"A create", "B create", "C create"}), per_element());
    BOOST_TEST(stands() == 3U);
}

BOOST_AUTO_TEST_CASE(is_tried_again_when_the_handler_says) {
    create_three();
    answer = [this](entries given) {
        return handle_but_b(given, {0, entry_outcome::not_now, "busy", 7s});
    };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    pass(6900ms, {&it});
    BOOST_TEST(calls.size() == 2U);
    pass(100ms, {&it});
    BOOST_TEST(calls.size() == 3U);
}

// A handler that begins here and finishes elsewhere.
BOOST_AUTO_TEST_CASE(is_tried_again_when_the_host_says) {
    create("A");
    int ready = 0;
    auto options = quiet();
    options.on_ready = [&] { ++ready; };
    answer = [this](entries given) {
        return broken ? follow_answer{0, entry_outcome::not_now, {}, 1h} : handle(given);
    };
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(calls.size() == 1U);
    broken = false;
    const int before = ready;
    it.try_again();
    BOOST_TEST(ready == before + 1);
    BOOST_TEST((it.next_due() <= time.monotonic()));
    settle({&it});
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    BOOST_TEST(watch.errors.empty());  // nobody gave a reason
    it.try_again();                    // there is nothing to try
    settle({&it});
    BOOST_TEST(calls.size() == 2U);
}

BOOST_AUTO_TEST_CASE(is_tried_again_at_once_if_it_was_ready_while_the_handler_ran) {
    create("A");
    journal_follower* same = nullptr;
    answer = [&](entries given) {
        if (calls.size() > 1) return handle(given);
        same->try_again();
        return follow_answer{0, entry_outcome::not_now, {}, 1h};
    };
    journal_follower it(front, journal, quiet());
    same = &it;
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(handled == (texts{"A create"}), per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(an_entry_that_cannot_be_handled, mail_room)

BOOST_AUTO_TEST_CASE(is_skipped_after_its_tries_if_that_is_wanted) {
    create_three();
    answer = [this](entries given) { return handle_but_b(given, failed()); };
    auto options = quiet();
    options.give_up = unpublishable::skip;
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    const auto report = pass(200ms, {&it});
    BOOST_TEST((report.waits_for == feed_wait::entry));
    BOOST_TEST(calls.size() == 3U);  // A, and B twice
    pass(1s, {&it});
    BOOST_TEST(calls.size() == 5U);
    BOOST_TEST(handled == (texts{"A create", "C create"}), per_element());
    BOOST_TEST(watch.given_up == (texts{"1-2 B create skip: no such field"}), per_element());
    BOOST_TEST(stands() == 3U);
}

BOOST_AUTO_TEST_CASE(holds_up_the_others_otherwise_and_is_reported_once) {
    create_three();
    answer = [this](entries given) { return handle_but_b(given, failed()); };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    pass(10min, {&it}, 1s);
    BOOST_TEST(handled == (texts{"A create"}), per_element());
    BOOST_TEST(watch.given_up == (texts{"1-2 B create hold: no such field"}), per_element());
    BOOST_TEST((watch.waits_for == feed_wait::entry));
    BOOST_TEST(stands() == 1U);
    broken = false;
    pass(5s, {&it}, 1s);
    BOOST_TEST(handled == (texts{"A create", "B create", "C create"}), per_element());
    BOOST_TEST(stands() == 3U);
}

BOOST_AUTO_TEST_CASE(is_given_up_at_once_if_the_handler_says_so) {
    create_three();
    answer = [this](entries given) {
        return handle_but_b(given, {0, entry_outcome::impossible, "no address"});
    };
    auto options = quiet();
    options.give_up = unpublishable::skip;
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(calls.size() == 3U);
    BOOST_TEST(handled == (texts{"A create", "C create"}), per_element());
    BOOST_TEST(watch.given_up == (texts{"1-2 B create skip: no address"}), per_element());
}

BOOST_AUTO_TEST_CASE(keeps_its_tries_while_it_has_to_wait_in_between) {
    create("B");
    std::vector<entry_outcome> said{entry_outcome::failed, entry_outcome::not_now,
                                    entry_outcome::failed, entry_outcome::failed};
    answer = [&](entries) {
        const auto next = said.at(calls.size() - 1);
        return follow_answer{0, next, "why", 0ms};
    };
    auto options = quiet();
    options.give_up = unpublishable::skip;
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(calls.size() == 4U);
    BOOST_TEST(watch.given_up.size() == 1U);
}

BOOST_AUTO_TEST_CASE(has_all_its_tries_with_a_new_leader) {
    create("B");
    answer = [](entries) { return failed(); };
    auto options = quiet();
    options.give_up = unpublishable::skip;
    journal_follower first(front, journal, options);
    BOOST_REQUIRE(first.start());
    pass(200ms, {&first});
    BOOST_TEST(calls.size() == 2U);
    first.stop();
    settle({&first});
    options.owner = "b";
    journal_follower second(front, journal, options);
    BOOST_REQUIRE(second.start());
    settle({&second});
    BOOST_TEST(watch.given_up.empty());
    pass(1s, {&second});
    BOOST_TEST(calls.size() == 5U);
    BOOST_TEST(watch.given_up.size() == 1U);
}

// It may not spin.
BOOST_AUTO_TEST_CASE(is_one_of_which_the_handler_says_nothing) {
    create("A");
    answer = [](entries) { return follow_answer{}; };
    auto options = quiet();
    options.give_up = unpublishable::skip;
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    settle({&it});
    BOOST_TEST(calls.size() == 1U);
    pass(1s, {&it});
    BOOST_TEST(watch.given_up == (texts{"1-1 A create skip: the handler did not say why"}),
               per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(a_handler_that_throws, mail_room)

// A was handled twice: nobody could tell that it was not the one at fault.
BOOST_AUTO_TEST_CASE(is_called_for_one_entry_at_a_time_until_the_one_at_fault_is_found) {
    create_three();
    answer = [this](entries given) {
        for (std::size_t i = 0; i < given.size(); ++i) {
            if (given[i].after.id.view() == "B") throw std::runtime_error("no such field");
            handle(given.subspan(i, 1));
        }
        return follow_answer{given.size()};
    };
    auto options = quiet();
    options.give_up = unpublishable::skip;
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    pass(1s, {&it});
    BOOST_TEST(calls == (std::vector<std::size_t>{3, 1, 1, 1, 1, 1}), per_element());
    BOOST_TEST(handled == (texts{"A create", "A create", "C create"}), per_element());
    BOOST_TEST(watch.given_up == (texts{"1-2 B create skip: no such field"}), per_element());
    BOOST_TEST(watch.errors.empty());
    create("D");
    create("E");
    settle({&it});
    BOOST_TEST(calls.back() == 2U);  // together again
}

BOOST_AUTO_TEST_CASE(may_throw_anything) {
    create("A");
    answer = [](entries) -> follow_answer { throw 7; };
    journal_follower it(front, journal, quiet());
    BOOST_REQUIRE(it.start());
    pass(1s, {&it});
    BOOST_TEST(watch.given_up == (texts{"1-1 A create hold: the handler threw no std::exception"}),
               per_element());
}

// It says nothing about the entry.
BOOST_AUTO_TEST_CASE(for_lack_of_memory_is_called_again_and_gives_nothing_up) {
    create_three();
    bool memory = false;
    answer = [&](entries given) {
        if (!memory) throw std::bad_alloc();
        return handle(given);
    };
    auto options = quiet();
    options.give_up = unpublishable::skip;
    journal_follower it(front, journal, options);
    BOOST_REQUIRE(it.start());
    pass(10min, {&it}, 1s);
    BOOST_TEST(watch.given_up.empty());
    BOOST_REQUIRE(!watch.errors.empty());
    BOOST_TEST(watch.errors.front() == "follower");
    memory = true;
    pass(1s, {&it});
    BOOST_TEST(handled == (texts{"A create", "B create", "C create"}), per_element());
    BOOST_TEST(stands() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_CASE(what_a_follower_waits_for_has_a_name) {
    BOOST_TEST(name_of(feed_wait::handler) == "handler");
}
