// Entries that cannot be published, in one thread on a manual clock: none stops the others for
// good.

#include "relay_fixture.hpp"

#include <new>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;
using namespace shop_test;

namespace {

using boost::test_tools::per_element;

struct bad_entry : station {
    // Its format fails for the order "B".
    relay_options choosy(unpublishable then = unpublishable::park) {
        relay_options out = quiet();
        out.give_up = then;
        out.format = [this](const journal_entry& entry, message& to) {
            ++formatted;
            if (entry.after.id.view() == "B" && broken) throw std::runtime_error("no such field");
            write_cloud_event(entry, to);
        };
        return out;
    }
    void create_three() {
        for (const char* id : {"A", "B", "C"}) create(id);
    }
    // What arrived for subscribers: "A create".
    texts events() const {
        texts out;
        for (const message& it : post.submitted) {
            if (it.topic.starts_with("order.")) out.push_back(it.key + " " + it.topic.substr(6));
        }
        return out;
    }
    std::vector<message> parked() const {
        std::vector<message> out;
        for (const message& it : post.submitted) {
            if (it.topic == "orderproc.poison") out.push_back(it);
        }
        return out;
    }
    // The broker's word on what concerns the order "B".
    void judge_b(error_code event, error_code copy = {}) {
        post.says = [event, copy](const message& it) {
            if (it.key != "B") return error_code();
            return it.topic == "orderproc.poison" ? copy : event;
        };
    }

    bool broken = true;
    int formatted = 0;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(an_entry_that_cannot_be_formatted, bad_entry)

BOOST_AUTO_TEST_CASE(is_parked_after_three_tries_over_one_connection) {
    relay it(front, journal, post, choosy());
    BOOST_REQUIRE(it.start());
    create("A");
    create("B", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    create("C");
    settle({&it});
    BOOST_TEST(events() == (texts{"A create"}), per_element());
    pass(5s, {&it});
    BOOST_TEST(events() == (texts{"A create", "C create"}), per_element());
    BOOST_TEST(formatted == 5);
    BOOST_TEST(post.publishers == 1U);
    BOOST_TEST(watch.links == (texts{"connected"}), per_element());
    BOOST_TEST(
        watch.given_up == (texts{"1-2 B create park: it cannot be formatted: no such field"}),
        per_element());
    BOOST_REQUIRE(parked().size() == 1U);
    const message copy = parked().front();
    BOOST_TEST(copy.id == "1-2");
    BOOST_TEST(copy.key == "B");
    BOOST_TEST(copy.payload.empty());
    BOOST_TEST(copy.must_route);
    BOOST_REQUIRE(copy.headers.size() == 2U);
    BOOST_TEST(copy.headers[0].first == poison_topic_header);
    BOOST_TEST(copy.headers[0].second == "order.create");
    BOOST_TEST(copy.headers[1].first == poison_reason_header);
    BOOST_TEST(copy.headers[1].second.starts_with("it cannot be formatted: no such field"));
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(holds_nothing_up_that_came_before_it) {
    post.confirms = false;
    relay it(front, journal, post, choosy());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(5s, {&it});
    BOOST_TEST(post.undecided.size() == 3U);
    BOOST_TEST(watch.given_up.empty());  // said when it is done
    post.confirms = true;
    pass(1s, {&it});
    BOOST_TEST(watch.given_up.size() == 1U);
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(is_skipped_if_that_is_wanted) {
    relay it(front, journal, post, choosy(unpublishable::skip));
    BOOST_REQUIRE(it.start());
    create_three();
    pass(5s, {&it});
    BOOST_TEST(events() == (texts{"A create", "C create"}), per_element());
    BOOST_TEST(parked().empty());
    BOOST_TEST(
        watch.given_up == (texts{"1-2 B create skip: it cannot be formatted: no such field"}),
        per_element());
    BOOST_TEST(post.published_with.queues.size() == 1U);  // no poison queue is needed
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(holds_up_the_others_if_that_is_wanted) {
    relay it(front, journal, post, choosy(unpublishable::hold));
    BOOST_REQUIRE(it.start());
    create_three();
    pass(10min, {&it}, 1s);
    BOOST_TEST(events() == (texts{"A create"}), per_element());
    BOOST_TEST(
        watch.given_up == (texts{"1-2 B create hold: it cannot be formatted: no such field"}),
        per_element());
    BOOST_TEST((watch.waits_for == feed_wait::entry));
    BOOST_TEST(watch.reason.find("the next entry cannot be published") != std::string::npos);
    BOOST_TEST(post.publishers == 1U);
    broken = false;
    pass(20s, {&it});
    BOOST_TEST(events() == (texts{"A create", "B create", "C create"}), per_element());
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(is_published_if_a_later_try_succeeds) {
    relay it(front, journal, post, choosy());
    BOOST_REQUIRE(it.start());
    create_three();
    settle({&it});
    broken = false;
    pass(1s, {&it});
    BOOST_TEST(events() == (texts{"A create", "B create", "C create"}), per_element());
    BOOST_TEST(watch.given_up.empty());
}

// It says nothing about the entry.
BOOST_AUTO_TEST_CASE(is_not_given_up_for_lack_of_memory) {
    auto options = quiet();
    bool memory = false;
    options.format = [&](const journal_entry& entry, message& to) {
        if (entry.after.id.view() == "B" && !memory) throw std::bad_alloc();
        write_cloud_event(entry, to);
    };
    relay it(front, journal, post, options);
    BOOST_REQUIRE(it.start());
    create_three();
    pass(10min, {&it}, 1s);
    BOOST_TEST(watch.given_up.empty());
    memory = true;
    pass(20s, {&it});
    BOOST_TEST(events().back() == "C create");
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(is_skipped_if_the_poison_queue_is_nowhere) {
    judge_b({}, errc::not_found);
    relay it(front, journal, post, choosy());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(1min, {&it});
    BOOST_TEST(events().back() == "C create");
    BOOST_TEST(parked().size() == 3U);
    BOOST_TEST(watch.given_up.size() == 1U);
    BOOST_TEST(watch.given_up.front().starts_with("1-2 B create skip: "));
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(waits_for_a_broker_that_refuses_its_copy) {
    judge_b({}, errc::unavailable);
    relay it(front, journal, post, choosy());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(10min, {&it}, 1s);
    BOOST_TEST(cursor() == 1U);
    BOOST_TEST(watch.given_up.empty());
    post.says = {};
    pass(20s, {&it});
    BOOST_TEST(watch.given_up.size() == 1U);
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(an_entry_that_the_broker_does_not_take, bad_entry)

BOOST_AUTO_TEST_CASE(is_parked_at_once_without_its_payload_if_it_is_too_long) {
    post.takes = [](const message& it) {
        return it.key == "B" && !it.payload.empty() ? make_error_code(errc::invalid_argument)
                                                    : error_code();
    };
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(1s, {&it});
    BOOST_TEST(events() == (texts{"A create", "C create"}), per_element());
    BOOST_REQUIRE(parked().size() == 1U);
    BOOST_TEST(parked().front().id == "1-2");
    BOOST_TEST(watch.given_up.size() == 1U);
    BOOST_TEST(post.publishers == 1U);
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(is_skipped_if_its_copy_does_not_fit_either) {
    post.takes = [](const message& it) {
        return it.key == "B" ? make_error_code(errc::invalid_argument) : error_code();
    };
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(1s, {&it});
    BOOST_TEST(events() == (texts{"A create", "C create"}), per_element());
    BOOST_TEST(watch.given_up.size() == 1U);
    BOOST_TEST(watch.given_up.front().starts_with("1-2 B create skip: "));
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(is_parked_whole_if_it_is_refused_for_a_minute) {
    judge_b(errc::unavailable);
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(59s, {&it});
    BOOST_TEST(cursor() == 1U);
    BOOST_TEST(parked().empty());
    pass(30s, {&it});
    BOOST_TEST(watch.given_up == (texts{"1-2 B create park: the broker refuses it"}),
               per_element());
    BOOST_REQUIRE(parked().size() == 1U);
    BOOST_TEST(parked().front().id == "1-2");
    BOOST_TEST(parked().front().content_type == cloud_event_media_type);
    BOOST_TEST(parked().front().payload.find(R"("id":"1-2")") != std::string::npos);
    BOOST_TEST(events().back() == "C create");
    BOOST_TEST(cursor() == 3U);
}

// A broker in trouble refuses everything: that is no reason to lose anything.
BOOST_AUTO_TEST_CASE(is_not_given_up_if_the_broker_takes_nothing_at_all) {
    post.says = [](const message&) { return make_error_code(errc::unavailable); };
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(1h, {&it}, 1s);
    BOOST_TEST(cursor() == 0U);
    BOOST_TEST(watch.given_up.empty());
    post.submitted.clear();
    post.says = {};
    pass(20s, {&it});
    BOOST_TEST(cursor() == 3U);
    // Only the copy that asked whether the broker works again may have been taken for the first.
    BOOST_TEST(parked().size() <= 1U);
    BOOST_TEST(events().size() + parked().size() == 3U);
}

// Each has its own tries: they must not make each other's count begin anew.
BOOST_AUTO_TEST_CASE(is_given_up_though_another_one_fails_in_between) {
    post.says = [](const message& it) {
        return it.key == "A" || it.key == "B" ? make_error_code(errc::not_found) : error_code();
    };
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create_three();
    pass(1min, {&it});
    BOOST_TEST(watch.errors == (texts{"relay.route", "relay.route"}), per_element());
    BOOST_TEST(cursor() == 3U);
}

BOOST_AUTO_TEST_CASE(has_all_its_tries_with_a_new_leader) {
    relay_options options = choosy();
    options.tries = 100;
    relay first(front, journal, post, options);
    BOOST_REQUIRE(first.start());
    create_three();
    pass(5s, {&first});
    first.stop(0ms);
    settle({&first});
    relay second(front, journal, post, quiet("b"));
    BOOST_REQUIRE(second.start());
    pass(2s, {&second});
    BOOST_TEST(events() == (texts{"A create", "B create", "C create"}), per_element());
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(what_the_feed_waits_for, bad_entry)

BOOST_AUTO_TEST_CASE(is_a_broker_that_confirms_nothing) {
    post.confirms = false;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    time.advance(10s);
    create("A");
    settle({&it});
    const auto report = pass(131s, {&it}, 1s);
    BOOST_TEST(report.connected);
    BOOST_TEST((report.waits_for == feed_wait::confirms));
    BOOST_TEST(report.waited >= 130s);
    BOOST_TEST(watch.reason ==
               "the feed lags by 131 s: the broker has confirmed nothing for 131 s");
    // A confirm of something else does not help: the cursor moves in order.
    create("B");
    settle({&it});
    BOOST_REQUIRE(post.undecided.size() == 2U);  // it is sent all the same
    post.decide_last();
    pass(9s, {&it}, 1s);
    BOOST_TEST(watch.reason ==
               "the feed lags by 140 s: the broker has confirmed nothing for 140 s");
    post.confirms = true;
    BOOST_TEST((pass(1s, {&it}).waits_for == feed_wait::nothing));
    BOOST_TEST(watch.reason.empty());
}

BOOST_AUTO_TEST_CASE(is_a_broker_without_room) {
    post.takes = [](const message&) { return make_error_code(errc::overloaded); };
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    settle({&it});
    create("A");
    settle({&it});
    BOOST_TEST((pass(20s, {&it}, 1s).waits_for == feed_wait::room));
    BOOST_TEST(watch.reason == "the feed lags by 20 s: the broker has accepted nothing for 20 s");
}

BOOST_AUTO_TEST_CASE(is_a_connection) {
    post.away = true;
    relay it(front, journal, post, quiet());
    BOOST_REQUIRE(it.start());
    create("A");
    BOOST_TEST((pass(20s, {&it}, 1s).waits_for == feed_wait::connection));
    BOOST_TEST(watch.reason.find("there is no connection to the broker") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(is_another_process) {
    relay first(front, journal, post, quiet("a"));
    relay second(front, journal, post, quiet("b"));
    BOOST_REQUIRE(first.start());
    BOOST_REQUIRE(second.start());
    pass(1s, {&first, &second});
    BOOST_TEST((second.run_once().waits_for == feed_wait::leader));
}

BOOST_AUTO_TEST_CASE(has_a_name) {
    BOOST_TEST(name_of(feed_wait::nothing) == "nothing");
    BOOST_TEST(name_of(feed_wait::leader) == "leader");
    BOOST_TEST(name_of(feed_wait::connection) == "connection");
    BOOST_TEST(name_of(feed_wait::room) == "room");
    BOOST_TEST(name_of(feed_wait::confirms) == "confirms");
    BOOST_TEST(name_of(feed_wait::entry) == "entry");
    BOOST_TEST(name_of(unpublishable::park) == "park");
    BOOST_TEST(name_of(unpublishable::skip) == "skip");
    BOOST_TEST(name_of(unpublishable::hold) == "hold");
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_CASE(options_to_give_up_are_checked, station) {
    auto options = quiet();
    options.tries = 0;
    relay no_tries(front, journal, post, options);
    BOOST_TEST(no_tries.start().error().code == make_error_code(errc::invalid_argument));
    options = quiet();
    options.poison_queue.clear();
    relay no_queue(front, journal, post, options);
    BOOST_TEST(no_queue.start().error().code == make_error_code(errc::invalid_argument));
}
