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
    result<void> check(std::span<const std::string_view> skus,
                       std::vector<std::size_t>& unknown) override {
        std::unique_lock lock(mutex_);
        asked.emplace_back(skus.begin(), skus.end());
        changed_.notify_all();
        changed_.wait(lock, [this] { return open_; });
        if (throws) throw std::runtime_error("broken");
        for (std::size_t i = 0; i < skus.size(); ++i) {
            if (skus[i].starts_with("no")) unknown.insert(unknown.begin(), i);  // in any order
        }
        if (beyond) unknown.push_back(skus.size());
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
    std::vector<std::vector<std::string>> asked;
    bool throws = false;
    bool beyond = false;

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

class question final : public item_completion {
public:
    explicit question(std::vector<std::string> of) : skus(std::move(of)) {}
    void complete(error_code code, std::span<const std::size_t> places) noexcept override {
        ec = code;
        unknown.assign(places.begin(), places.end());
        ++calls;
    }
    std::vector<std::string> skus;
    error_code ec;
    std::vector<std::size_t> unknown;
    std::atomic<int> calls{0};
};

}  // namespace

BOOST_AUTO_TEST_CASE(what_waits_is_asked_at_once_and_answered_each) {
    slow_checker asks;
    question first({"a"}), second({"no long name of an item", "b", "no long name of an item"});
    question third({}), fourth({"b", "no"});
    {
        item_gate gate(asks, system_runtime());
        BOOST_TEST(gate.submit(first.skus, first).has_value());
        asks.wait_for_questions(1);
        for (question* it : {&second, &third, &fourth}) {
            BOOST_TEST(gate.submit(it->skus, *it).has_value());
        }
        asks.open();
    }
    BOOST_TEST(asks.asked.size() == 2U);
    BOOST_TEST((asks.asked[1] == std::vector<std::string>{"b", "no", "no long name of an item"}));
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
    question first({"a"}), second({"b"}), third({"c"});
    {
        item_gate gate(asks, system_runtime(), 1);
        BOOST_TEST(gate.submit(first.skus, first).has_value());
        asks.wait_for_questions(1);
        BOOST_TEST(gate.submit(second.skus, second).has_value());
        BOOST_TEST(gate.submit(third.skus, third).error().code ==
                   make_error_code(errc::overloaded));
        asks.open();
    }
    BOOST_TEST(second.calls == 1);
    BOOST_TEST(third.calls == 0);
}

struct last_error : observer {
    void error(std::string_view where, const failure& what) noexcept override {
        text = std::string(where) + ": " + what.detail;
    }
    std::string text;
};

BOOST_AUTO_TEST_CASE(a_checker_that_names_what_nobody_asked_could_not_tell) {
    last_error watch;
    slow_checker asks;
    asks.beyond = true;
    asks.open();
    question it({"a", "no"});
    {
        item_gate gate(asks, system_runtime(watch));
        BOOST_TEST(gate.submit(it.skus, it).has_value());
    }
    BOOST_TEST(it.ec == make_error_code(errc::unavailable));
    BOOST_TEST(it.unknown.empty());
    BOOST_TEST(watch.text == "items: the item checker named a position beyond what it was asked");
}

// Who was told may be gone before the others are.
BOOST_AUTO_TEST_CASE(questions_may_go_as_soon_as_they_are_answered) {
    struct short_lived final : item_completion {
        void complete(error_code, std::span<const std::size_t> places) noexcept override {
            seen = places.size();
            skus.clear();
            skus.shrink_to_fit();
        }
        std::vector<std::string> skus{"no long name of an item", "a long name of an item"};
        std::size_t seen = 0;
    };
    slow_checker asks;
    short_lived blocker, first, second;
    {
        item_gate gate(asks, system_runtime());
        BOOST_TEST(gate.submit(blocker.skus, blocker).has_value());
        asks.wait_for_questions(1);
        BOOST_TEST(gate.submit(first.skus, first).has_value());
        BOOST_TEST(gate.submit(second.skus, second).has_value());
        asks.open();
    }
    BOOST_TEST(first.seen == 1U);
    BOOST_TEST(second.seen == 1U);
}

BOOST_AUTO_TEST_CASE(the_skus_of_an_order_are_those_of_its_items) {
    order_content it;
    it.item_ids = {7, 7, 9223372036854775807};
    std::vector<std::string> skus{"before"};
    append_skus(it, skus);
    BOOST_TEST((skus == std::vector<std::string>{"before", "7", "7", "9223372036854775807"}));
    it.item_ids.clear();
    it.lines = {{"TEA", 2}, {"CUP"}};
    skus.clear();
    append_skus(it, skus);
    BOOST_TEST((skus == std::vector<std::string>{"TEA", "CUP"}));
}

BOOST_AUTO_TEST_CASE(a_checker_that_throws_could_not_tell) {
    last_error watch;
    slow_checker asks;
    asks.throws = true;
    asks.open();
    question it({"a", "no"});
    {
        item_gate gate(asks, system_runtime(watch));
        BOOST_TEST(gate.submit(it.skus, it).has_value());
    }
    BOOST_TEST(it.ec == make_error_code(errc::unavailable));
    BOOST_TEST(it.unknown.empty());
    BOOST_TEST(watch.text == "items: broken");
}
