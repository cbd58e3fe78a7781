// One reads for all who ask at the same time, and for a while after that.

#include "api/shared_read.hpp"

#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace std::chrono_literals;

namespace {

struct counted {
    result<int> next() { return ++reads; }
    // What it got: a number, "wait" or "error".
    std::string get() {
        const auto got = shared.get([this] { return next(); });
        if (!got) return "wait";
        return *got ? std::to_string(***got) : "error";
    }
    // Notes what it is told.
    void wait() {
        shared.wait([this](const result<shared_read<int>::value>& got) {
            told.push_back(got ? std::to_string(**got) : "error");
        });
    }

    orderproc::testing::manual_clock time;
    shared_read<int> shared{time, 5s};
    int reads = 0;
    std::vector<std::string> told;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(shared_reads, counted)

BOOST_AUTO_TEST_CASE(a_value_is_shared_for_a_while) {
    BOOST_TEST(get() == "1");
    time.advance(4999ms);
    BOOST_TEST(get() == "1");
    time.advance(1ms);
    BOOST_TEST(get() == "2");
    BOOST_TEST(reads == 2);
}

BOOST_AUTO_TEST_CASE(who_comes_while_it_is_read_waits_for_it) {
    const auto first = shared.get([this] {
        BOOST_TEST(get() == "wait");
        wait();
        BOOST_TEST(get() == "wait");
        wait();
        BOOST_TEST(told.empty());
        return next();
    });
    BOOST_TEST(**first.value() == 1);
    BOOST_TEST(told == (std::vector<std::string>{"1", "1"}), boost::test_tools::per_element());
    wait();  // it has been read meanwhile
    BOOST_TEST(told.back() == "1");
    BOOST_TEST(reads == 1);
}

BOOST_AUTO_TEST_CASE(what_has_changed_is_read_anew) {
    BOOST_TEST(get() == "1");
    shared.expire();
    const auto second = shared.get([this] {
        shared.expire();  // while it is read
        return next();
    });
    BOOST_TEST(**second.value() == 2);
    BOOST_TEST(get() == "3");
    BOOST_TEST(get() == "3");
}

BOOST_AUTO_TEST_CASE(errors_are_told_and_not_kept) {
    const auto failed = shared.get([this] {
        wait();
        return result<int>(errc::unavailable);
    });
    BOOST_TEST(!failed->has_value());
    BOOST_TEST(told == (std::vector<std::string>{"error"}), boost::test_tools::per_element());
    BOOST_TEST(get() == "1");
}

BOOST_AUTO_TEST_CASE(whoever_waits_for_a_read_that_throws_is_told) {
    const auto throws = [this]() -> result<int> {
        wait();
        throw std::runtime_error("as told");
    };
    BOOST_CHECK_THROW((void)shared.get(throws), std::runtime_error);
    BOOST_TEST(told == (std::vector<std::string>{"error"}), boost::test_tools::per_element());
    BOOST_TEST(get() == "1");
}

BOOST_AUTO_TEST_SUITE_END()
