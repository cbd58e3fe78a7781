#include <orderproc/items.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>

using namespace orderproc;

namespace {

// Answers when it is let.
class slow_checker final : public item_checker {
public:
    result<void> check(std::span<const std::int64_t> ids,
                       std::vector<std::int64_t>& unknown) override {
        std::unique_lock lock(mutex_);
        asked.emplace_back(ids.begin(), ids.end());
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        if (throws) throw std::runtime_error("broken");
        for (const std::int64_t id : ids) {
            if (id > 100) unknown.insert(unknown.begin(), id);  // in any order
        }
        return {};
    }
    void open() {
        const std::lock_guard lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void wait_for_questions(std::size_t wanted) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return asked.size() >= wanted; });
    }
    std::vector<std::vector<std::int64_t>> asked;
    bool throws = false;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

class question final : public item_completion {
public:
    explicit question(std::vector<std::int64_t> of) : ids(std::move(of)) {}
    void complete(error_code code, std::span<const std::size_t> places) noexcept override {
        ec = code;
        unknown.assign(places.begin(), places.end());
        ++calls;
    }
    std::vector<std::int64_t> ids;
    error_code ec;
    std::vector<std::size_t> unknown;
    std::atomic<int> calls{0};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_waits_is_asked_at_once_and_answered_each) {
    slow_checker asks;
    question first({1}), second({200, 2, 200}), third({}), fourth({2, 101});
    {
        item_gate gate(asks, system_runtime());
        BOOST_TEST(gate.submit(first.ids, first).has_value());
        asks.wait_for_questions(1);
        for (question* it : {&second, &third, &fourth}) {
            BOOST_TEST(gate.submit(it->ids, *it).has_value());
        }
        asks.open();
    }
    BOOST_TEST(asks.asked.size() == 2U);
    BOOST_TEST((asks.asked[1] == std::vector<std::int64_t>{2, 101, 200}));
    for (const question* it : {&first, &second, &third, &fourth}) {
        BOOST_TEST(it->calls == 1);
        BOOST_TEST(!it->ec);
    }
    BOOST_TEST(first.unknown.empty());
    BOOST_TEST((second.unknown == std::vector<std::size_t>{0, 2}));
    BOOST_TEST(third.unknown.empty());
    BOOST_TEST((fourth.unknown == std::vector<std::size_t>{1}));
}

BOOST_AUTO_TEST_CASE(the_queue_is_bounded) {
    slow_checker asks;
    question first({1}), second({2}), third({3});
    {
        item_gate gate(asks, system_runtime(), 1);
        BOOST_TEST(gate.submit(first.ids, first).has_value());
        asks.wait_for_questions(1);
        BOOST_TEST(gate.submit(second.ids, second).has_value());
        BOOST_TEST(gate.submit(third.ids, third).error().code == make_error_code(errc::overloaded));
        asks.open();
    }
    BOOST_TEST(second.calls == 1);
    BOOST_TEST(third.calls == 0);
}

BOOST_AUTO_TEST_CASE(a_checker_that_throws_could_not_tell) {
    struct : observer {
        void error(std::string_view where, const failure& what) noexcept override {
            text = std::string(where) + ": " + what.detail;
        }
        std::string text;
    } watch;
    slow_checker asks;
    asks.throws = true;
    asks.open();
    question it({1, 200});
    {
        item_gate gate(asks, system_runtime(watch));
        BOOST_TEST(gate.submit(it.ids, it).has_value());
    }
    BOOST_TEST(it.ec == make_error_code(errc::unavailable));
    BOOST_TEST(it.unknown.empty());
    BOOST_TEST(watch.text == "items: broken");
}
