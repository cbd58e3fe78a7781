// The small parts that all stages are made of.

#include "stages/common/mailbox.hpp"
#include "stages/common/notifier.hpp"
#include "stages/common/stage_life.hpp"
#include "stages/engine/commit_listeners.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <optional>
#include <thread>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
using detail::commit_listeners;
using detail::notifier;
using detail::stage_life;

BOOST_AUTO_TEST_SUITE(a_bell)

BOOST_AUTO_TEST_CASE(calls_its_host_once_until_it_is_answered) {
    int calls = 0;
    notifier it([&] { ++calls; });
    it.notify();
    it.notify();
    BOOST_TEST(calls == 1);
    it.begin();
    BOOST_TEST(!it.end());
    it.notify();
    BOOST_TEST(calls == 2);
}

BOOST_AUTO_TEST_CASE(does_not_call_a_host_that_runs_but_tells_it_afterwards) {
    int calls = 0;
    notifier it([&] { ++calls; });
    it.begin();
    it.notify();
    BOOST_TEST(calls == 0);
    BOOST_TEST(it.end());
    it.begin();
    BOOST_TEST(!it.end());
}

BOOST_AUTO_TEST_CASE(wakes_a_thread_that_waits) {
    notifier it(nullptr);
    std::jthread ringer([&] { it.notify(); });
    it.wait_for(1h);  // as long as the test may take, if it did not ring
    it.begin();
    BOOST_TEST(!it.end());
    it.notify();
    it.wait_for(1h);  // it rang before: at once
}

BOOST_AUTO_TEST_CASE(closes_when_the_last_call_has_returned) {
    std::latch inside(1);
    std::latch may_return(1);
    std::atomic<bool> returned{false};
    notifier it([&] {
        inside.count_down();
        may_return.wait();
        returned = true;
    });
    std::jthread ringer([&] { it.notify(); });
    inside.wait();
    std::jthread closer([&] {
        it.close();
        BOOST_TEST(returned.load());
    });
    may_return.count_down();
    closer.join();
    it.begin();
    (void)it.end();
    returned = false;
    it.notify();
    BOOST_TEST(!returned.load());  // nobody is called any more
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

struct letters {
    std::vector<int> all;
    std::optional<orderproc::clock::instant> stop_at;
};

class letter_box final : public detail::mailbox<letters> {
public:
    using mailbox::mailbox;
    void post(int what) {
        leave([&](letters& mail) { mail.all.push_back(what); });
    }
};

orderproc::clock::instant at(std::chrono::milliseconds time) {
    return orderproc::clock::instant(time);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(a_mailbox)

BOOST_AUTO_TEST_CASE(wakes_its_stage_and_hands_over_once_what_was_left) {
    int calls = 0;
    letter_box it([&] { ++calls; });
    it.post(1);
    it.post(2);
    BOOST_TEST(calls == 1);
    BOOST_TEST((it.notifier.due(at(5s)) < at(0s)));
    it.notifier.begin();
    BOOST_TEST(it.take().all.size() == 2U);
    BOOST_TEST(!it.notifier.end());
    BOOST_TEST((it.notifier.due(at(5s)) == at(5s)));
    BOOST_TEST(it.take().all.empty());
}

BOOST_AUTO_TEST_CASE(keeps_the_earliest_deadline) {
    letter_box it(nullptr);
    BOOST_TEST(!it.take().stop_at.has_value());
    it.stop_at(at(5s));
    it.stop_at(at(3s));
    it.stop_at(at(4s));
    BOOST_TEST((it.take().stop_at == at(3s)));
    BOOST_TEST((it.take().stop_at == at(3s)));
}

BOOST_AUTO_TEST_SUITE_END()

namespace {

class listener final : public commit_listener {
public:
    explicit listener(std::function<void()> what = [] {}) : what_(std::move(what)) {}
    void committed() noexcept override {
        ++calls;
        what_();
    }
    std::atomic<int> calls{0};

private:
    std::function<void()> what_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(commit_listeners_)

BOOST_AUTO_TEST_CASE(are_all_told_until_they_are_removed) {
    commit_listeners all;
    listener one, other;
    all.announce();
    all.add(one);
    all.add(other);
    all.announce();
    all.remove(one);
    all.announce();
    BOOST_TEST(one.calls == 1);
    BOOST_TEST(other.calls == 2);
}

BOOST_AUTO_TEST_CASE(may_remove_themselves_and_others_while_they_are_told) {
    commit_listeners all;
    listener last;
    listener first([&] {
        all.remove(first);
        all.remove(last);
    });
    all.add(first);
    all.add(last);
    all.announce();
    all.announce();
    BOOST_TEST(first.calls == 1);
    BOOST_TEST(last.calls == 0);
}

BOOST_AUTO_TEST_CASE(are_not_called_once_remove_has_returned) {
    commit_listeners all;
    std::latch inside(1);
    std::latch may_return(1);
    std::atomic<bool> gone{false};
    listener slow([&] {
        inside.count_down();
        may_return.wait();
        BOOST_TEST(!gone.load());
    });
    all.add(slow);
    std::jthread announcer([&] { all.announce(); });
    inside.wait();
    std::jthread remover([&] {
        all.remove(slow);
        gone = true;
    });
    may_return.count_down();
    announcer.join();
    remover.join();
    all.announce();
    BOOST_TEST(slow.calls == 1);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(the_life_of_a_stage)

BOOST_AUTO_TEST_CASE(starts_once_and_ends_for_good) {
    stage_life it;
    int prepared = 0;
    const auto prepare = [&]() -> result<void> {
        ++prepared;
        return {};
    };
    BOOST_TEST(it.start(prepare, false, nullptr).value());
    BOOST_TEST(!it.start(prepare, false, nullptr).value());
    BOOST_TEST(prepared == 1);
    it.join();
    BOOST_TEST(it.start(prepare, false, nullptr).error().code == make_error_code(errc::stopped));
}

BOOST_AUTO_TEST_CASE(may_be_started_again_after_a_refusal) {
    stage_life it;
    const auto refuse = []() -> result<void> { return errc::invalid_argument; };
    const auto agree = []() -> result<void> { return {}; };
    BOOST_TEST(it.start(refuse, true, [] {}).error().code ==
               make_error_code(errc::invalid_argument));
    std::atomic<bool> ran{false};
    BOOST_TEST(it.start(agree, true, [&] { ran = true; }).value());
    it.join();
    BOOST_TEST(ran.load());
}

BOOST_AUTO_TEST_CASE(is_not_waited_for_by_its_own_thread) {
    stage_life it;
    std::latch joined(1);
    BOOST_TEST(it.start([]() -> result<void> { return {}; }, true,
                        [&] {
                            it.join();
                            joined.count_down();
                        })
                   .value());
    joined.wait();
    it.join();
}

BOOST_AUTO_TEST_SUITE_END()
