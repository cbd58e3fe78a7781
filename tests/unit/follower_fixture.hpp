#ifndef ORDERPROC_TESTS_UNIT_FOLLOWER_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_FOLLOWER_FIXTURE_HPP

// A journal and followers of it, in one thread on a manual clock.

#include "relay_fixture.hpp"

#include <orderproc/follower.hpp>

#include <cstddef>
#include <functional>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shop_test {

using entries = std::span<const journal_entry>;

struct mail_room : station {
    // Notes what is handled: "A create". The answer is the test's, if it has one.
    follower_options quiet(std::string owner = "a") {
        follower_options out;
        out.handler = [this](entries given) {
            calls.push_back(given.size());
            return answer ? answer(given) : handle(given);
        };
        out.cursor = "mailer";
        out.owner = std::move(owner);
        out.threads = 0;
        return out;
    }
    follow_answer handle(entries given) {
        for (const journal_entry& it : given) {
            handled.push_back(std::string(it.after.id.view()) + " " + it.event);
        }
        return {given.size()};
    }
    // One entry a call, except the order "B", of which the handler says this while it is broken.
    follow_answer handle_but_b(entries given, follow_answer of_b) {
        if (given.front().after.id.view() == "B" && broken) return of_b;
        return handle(given.first(1));
    }
    void create_three() {
        for (const char* id : {"A", "B", "C"}) create(id);
    }
    // Until nobody has anything to do at this time.
    follower_report settle(std::initializer_list<journal_follower*> all) {
        follower_report last;
        for (int i = 0; i < 10'000; ++i) {
            const auto written = front.run_once();
            bool busy = !written || *written > 0;
            for (journal_follower* it : all) {
                last = it->run_once();
                busy = busy || last.next_due <= time.monotonic();
            }
            if (!busy && front.queued() == 0) return last;
        }
        BOOST_FAIL("it never comes to rest");
        return last;
    }
    follower_report pass(milliseconds total, std::initializer_list<journal_follower*> all,
                         milliseconds step = 100ms) {
        follower_report last;
        for (milliseconds done{0}; done < total; done += step) {
            time.advance(step);
            last = settle(all);
        }
        return last;
    }
    std::uint64_t stands(std::string_view name = "mailer") {
        return journal.use([&](repository_reader& from) { return from.find_cursor(name); })
            .value()
            .value_or(feed_position{})
            .offset;
    }

    std::function<follow_answer(entries)> answer;
    bool broken = true;
    texts handled;
    std::vector<std::size_t> calls;  // with so many entries
};

}  // namespace shop_test

#endif
