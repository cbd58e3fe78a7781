// The rings of GET /stats, by a clock that the test moves.

#include "api/stats_history.hpp"

#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t quarter = 0;  // of stats_spans
constexpr std::size_t hour = 1;
constexpr std::size_t newest = stats_points - 1;

struct sampled {
    // One sample at the present time, if it is due.
    bool sample() {
        if (!history.is_due(time.monotonic())) return false;
        now.created_to_done = done;
        history.add(time.monotonic(), now);
        return true;
    }
    // Five seconds in which so many orders came and were done.
    void step(std::uint64_t created, std::uint64_t completed) {
        time.advance(seconds(5));
        now.created += created;
        now.completed += completed;
        BOOST_REQUIRE(sample());
    }
    stats_history::view look(std::size_t span = quarter) {
        return history.look(span, time.monotonic());
    }
    stats_history::point point(std::size_t ago, std::size_t span = quarter) {
        return look(span).points[newest - ago];
    }

    orderproc::testing::manual_clock time;
    stats_history history;
    std::vector<milliseconds> done;
    stats_sample now{1000, 900, 0, 0, 0.0};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(history_of_stats, sampled)

BOOST_AUTO_TEST_CASE(nothing_is_known_before_the_first_sample) {
    const auto seen = look();
    BOOST_TEST(!seen.since.has_value());
    BOOST_TEST(!seen.completed_per_minute.has_value());
    BOOST_TEST(!seen.created_to_done.has_value());
    for (const auto& it : seen.points) {
        BOOST_TEST((!it.created && !it.completed && !it.failed && !it.waiting && !it.in_work));
        BOOST_TEST((!it.p50 && !it.p95 && !it.p99));
    }
}

// What was there when the process began is not of its first step.
BOOST_AUTO_TEST_CASE(rates_are_of_differences) {
    time.advance(seconds(3));
    const auto began = time.monotonic();
    BOOST_TEST(sample());
    BOOST_TEST(!sample());  // once in each step
    BOOST_TEST(!point(0).created.has_value());

    time.advance(seconds(2));
    now = {1010, 904, 7, 3, 1.0};
    BOOST_TEST(sample());
    BOOST_TEST(point(0).created.value() == 5);  // in two seconds
    BOOST_TEST(point(0).completed.value() == 2);
    BOOST_TEST(point(0).failed.value() == 0.5);
    BOOST_TEST(point(0).waiting.value() == 7U);
    BOOST_TEST(point(0).in_work.value() == 3U);
    BOOST_TEST(!point(1).waiting.has_value());

    step(0, 0);
    BOOST_TEST(point(0).created.value() == 0);  // measured, and none
    BOOST_TEST(point(1).created.value() == 5);
    BOOST_TEST((look().since.value() == began));
}

BOOST_AUTO_TEST_CASE(points_are_where_the_answer_says) {
    BOOST_REQUIRE(sample());
    step(5, 0);
    step(10, 0);
    time.advance(milliseconds(1700));
    const auto seen = look();
    BOOST_TEST((seen.from == clock::instant(seconds(10) - seconds(5) * 180)));
    BOOST_TEST(seen.points[newest].created.value() == 2);
    BOOST_TEST(seen.points[newest - 1].created.value() == 1);
    time.advance(milliseconds(3300));  // the next step has ended, and nobody has sampled it
    BOOST_TEST(!point(0).created.has_value());
    BOOST_TEST(point(1).created.value() == 2);
}

BOOST_AUTO_TEST_CASE(a_gap_is_not_zero_and_is_not_smeared) {
    BOOST_REQUIRE(sample());
    step(5, 5);
    time.advance(seconds(20));  // the storage could not be read
    now.created += 400;
    now.waiting = 9;
    now.failed.reset();
    BOOST_REQUIRE(sample());
    for (const std::size_t ago : {1U, 2U, 3U}) {
        BOOST_TEST(!point(ago).created.has_value());
        BOOST_TEST(!point(ago).waiting.has_value());
    }
    BOOST_TEST(!point(0).created.has_value());  // it is of 20 s
    BOOST_TEST(!point(0).failed.has_value());
    BOOST_TEST(point(0).waiting.value() == 9U);  // and this is of now
    BOOST_TEST(point(4).created.value() == 1);
    now.failed = 0.0;
    step(10, 0);
    BOOST_TEST(point(0).created.value() == 2);
}

// As after a storage was put back.
BOOST_AUTO_TEST_CASE(counters_that_go_back_are_a_gap) {
    BOOST_REQUIRE(sample());
    for (int i = 0; i < 13; ++i) step(5, 5);
    BOOST_TEST(look().completed_per_minute.value() == 60);
    time.advance(seconds(5));
    now.created = 3;
    now.completed = 2;
    BOOST_REQUIRE(sample());
    BOOST_TEST(!point(0).created.has_value());
    BOOST_TEST(!point(0).completed.has_value());
    BOOST_TEST(point(0).waiting.has_value());
    BOOST_TEST(!look().completed_per_minute.has_value());
    step(5, 5);
    BOOST_TEST(point(0).created.value() == 1);
    for (int i = 0; i < 12; ++i) step(5, 5);
    BOOST_TEST(look().completed_per_minute.value() == 60);
}

// Points are of monotonic time: none is lost, and none is there twice.
BOOST_AUTO_TEST_CASE(a_wall_clock_that_is_set_changes_no_point) {
    BOOST_REQUIRE(sample());
    step(5, 0);
    time.step(-std::chrono::hours(3));
    step(10, 0);
    time.step(std::chrono::hours(30));
    step(15, 0);
    BOOST_TEST(point(2).created.value() == 1);
    BOOST_TEST(point(1).created.value() == 2);
    BOOST_TEST(point(0).created.value() == 3);
}

BOOST_AUTO_TEST_CASE(old_points_make_room) {
    BOOST_REQUIRE(sample());
    for (std::size_t i = 0; i < 2 * stats_points; ++i) step(i, 0);
    BOOST_TEST(point(0).created.value() == (2 * stats_points - 1) / 5.0);
    BOOST_TEST(point(newest).created.value() == stats_points / 5.0);
    time.advance(minutes(14));  // what is left of it is where it was
    BOOST_TEST(!point(0).created.has_value());
    BOOST_TEST(point(168).created.value() == (2 * stats_points - 1) / 5.0);
    time.advance(std::chrono::hours(5));
    for (const auto& it : look().points) BOOST_TEST(!it.created.has_value());
}

BOOST_AUTO_TEST_CASE(an_hour_has_a_point_for_each_twenty_seconds) {
    BOOST_REQUIRE(sample());
    for (std::uint64_t i = 0; i < 8; ++i) {
        now.waiting = i;
        now.failed = i < 4 ? 0.0 : 5.0;
        done.assign(1, seconds(i + 1));
        step(i < 4 ? 5 : 10, 0);
    }
    BOOST_TEST(point(0, hour).created.value() == 2);
    BOOST_TEST(point(1, hour).created.value() == 1);
    BOOST_TEST(point(0, hour).failed.value() == 1);
    BOOST_TEST(point(1, hour).failed.value() == 0);
    BOOST_TEST(point(0, hour).waiting.value() == 7U);
    BOOST_TEST(point(1, hour).waiting.value() == 3U);
    BOOST_TEST((point(1, hour).p99.value() > seconds(3)));  // of four steps
    BOOST_TEST((point(1, hour).p50.value() < seconds(3)));
    BOOST_TEST(!point(2, hour).created.has_value());
    BOOST_TEST((look(hour).from == time.monotonic() - seconds(20) * 180));
    BOOST_TEST(point(0).created.value() == 2);  // beside those of five
}

// A sample that is missing within does not make the point wrong.
BOOST_AUTO_TEST_CASE(a_short_gap_within_twenty_seconds) {
    BOOST_REQUIRE(sample());
    step(5, 0);
    time.advance(seconds(5));
    now.created += 5;
    step(5, 0);
    step(5, 0);
    BOOST_TEST(point(0, hour).created.value() == 1);
    BOOST_TEST(!point(2).created.has_value());
}

BOOST_AUTO_TEST_CASE(the_last_minute) {
    BOOST_REQUIRE(sample());
    for (int i = 0; i < 11; ++i) step(0, 100);
    BOOST_TEST(!look().completed_per_minute.has_value());  // it has not sampled for a minute
    step(0, 100);
    BOOST_TEST(look().completed_per_minute.value() == 1200);
    for (int i = 0; i < 12; ++i) step(0, 0);
    BOOST_TEST(look().completed_per_minute.value() == 0);
    time.advance(seconds(20));  // nobody has sampled since: it is of another minute
    BOOST_TEST(!look().completed_per_minute.has_value());
}

BOOST_AUTO_TEST_CASE(the_last_five_minutes) {
    done.assign(50, seconds(100));  // before the first sample: nobody knows since when
    BOOST_REQUIRE(sample());
    BOOST_TEST(!look().created_to_done.has_value());
    done.assign(95, seconds(1));
    done.insert(done.end(), 5, seconds(20));
    step(0, 400);
    done.clear();
    const auto seen = look().created_to_done.value();
    BOOST_TEST(seen.sampled == 100U);
    BOOST_TEST(seen.of == 400U);
    BOOST_TEST(seen.within_goal == 0.95);
    BOOST_TEST((seen.p50 > milliseconds(937) && seen.p50 < milliseconds(1063)));
    BOOST_TEST((seen.p99 > seconds(18) && seen.p99 < seconds(22)));
    for (int i = 0; i < 59; ++i) step(0, 0);
    BOOST_TEST(look().created_to_done->sampled == 100U);
    step(0, 0);
    BOOST_TEST(!look().created_to_done.has_value());
}

BOOST_AUTO_TEST_CASE(percentiles_are_off_by_a_sixteenth_at_most) {
    for (const std::int64_t ms : {0, 1, 7, 8, 15, 16, 17, 100, 999, 1000, 2700, 10'000, 65'535,
                                  65'536, 3'600'000, 86'400'000, 1'000'000'000}) {
        duration_counts counts;
        counts.add(milliseconds(ms));
        for (const double part : {0.01, 0.5, 0.99, 1.0}) {
            const auto got = counts.percentile(part).count();
            BOOST_TEST(std::abs(got - ms) * 16 <= ms, ms << " became " << got);
        }
    }
    duration_counts counts;
    counts.add(milliseconds(-5));
    counts.add(std::chrono::hours(24 * 365));
    BOOST_TEST(counts.percentile(0.5).count() == 0);
    BOOST_TEST((counts.percentile(1) > std::chrono::hours(24 * 11)));
    for (int i = 1; i <= 100; ++i) counts.add(milliseconds(i));
    BOOST_TEST(counts.count() == 102U);
    duration_counts twice = counts;
    twice.add(counts);
    BOOST_TEST(twice.count() == 204U);
    BOOST_TEST((twice.percentile(0.5) == counts.percentile(0.5)));
}

BOOST_AUTO_TEST_SUITE_END()
