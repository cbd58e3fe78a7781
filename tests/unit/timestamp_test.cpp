#include <orderproc/timestamp.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ostream>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;

namespace {

timestamp at(std::int64_t milliseconds) {
    return timestamp(std::chrono::milliseconds(milliseconds));
}

struct known_time {
    std::string text;
    std::int64_t milliseconds;  // since 1970, from date(1)
};
std::ostream& operator<<(std::ostream& out, const known_time& it) {
    return out << it.text;
}

const std::vector<known_time> canonical = {
    {"1970-01-01T00:00:00.000Z", 0},
    {"1969-12-31T23:59:59.999Z", -1},
    {"2026-06-15T14:23:11.326Z", 1781533391326},
    {"2000-02-29T12:00:00.000Z", 951825600000},
    {"1999-12-31T23:59:59.999Z", 946684799999},
    {"2024-02-29T23:59:59.001Z", 1709251199001},
    {"1900-03-01T00:00:00.000Z", -2203891200000},
    {"0000-01-01T00:00:00.000Z", -62167219200000},
    {"0000-02-29T00:00:00.010Z", -62162121599990},
    {"9999-12-31T23:59:59.999Z", 253402300799999},
};

const std::vector<known_time> accepted = {
    {"2026-06-15T14:23:11Z", 1781533391000},
    {"2026-06-15t14:23:11z", 1781533391000},
    {"2026-06-15T14:23:11.3Z", 1781533391300},
    {"2026-06-15T14:23:11.32Z", 1781533391320},
    {"2026-06-15T14:23:11.3269999999999999999999Z", 1781533391326},
    {"2026-06-15T14:23:11.0009Z", 1781533391000},
    {"1969-12-31T23:59:59.9999Z", -1},
    {"2026-06-15T16:23:11.326+02:00", 1781533391326},
    {"2026-06-15T10:53:11.326-03:30", 1781533391326},
    {"2026-06-16T14:22:11.326+23:59", 1781533391326},
    {"2026-06-14T14:24:11.326-23:59", 1781533391326},
    {"2026-06-15T14:23:11.326+00:00", 1781533391326},
    {"2026-06-15T14:23:11.326-00:00", 1781533391326},
    {"2024-03-01T00:30:00+01:00", 1709249400000},
    {"2016-12-31T23:59:60Z", 1483228800000},
    {"2016-12-31T23:59:60.75Z", 1483228800750},
    {"1990-12-31T15:59:60-08:00", 662688000000},
    {"2017-01-01T05:29:60+05:30", 1483228800000},
    {"2015-06-30T23:59:60Z", 1435708800000},
    {"0000-01-01T00:00:00+00:01", -62167219260000},
    {"9999-12-31T23:59:59-00:01", 253402300859000},
};

const std::vector<std::string> refused = {
    "",
    "2026",
    "2026-06-15",
    "14:23:11Z",
    "2026-06-15T14:23:11",
    "2026-06-15T14:23Z",
    "2026-06-15 14:23:11Z",
    "2026-06-15_14:23:11Z",
    " 2026-06-15T14:23:11Z",
    "2026-06-15T14:23:11Z ",
    "2026-06-15T14:23:11Z\n",
    "2026-06-15T14:23:11ZZ",
    "2026-06-15T14:23:11 Z",
    "2026-06-15T14:23:11UTC",
    "20260615T142311Z",
    "2026-6-15T14:23:11Z",
    "2026-06-15T4:23:11Z",
    "26-06-15T14:23:11Z",
    "+2026-06-15T14:23:11Z",
    "-2026-06-15T14:23:11Z",
    "12026-06-15T14:23:11Z",
    "2026/06/15T14:23:11Z",
    "2026-W25-1T14:23:11Z",
    "2026-166T14:23:11Z",
    "2026-00-15T14:23:11Z",
    "2026-13-15T14:23:11Z",
    "2026-06-00T14:23:11Z",
    "2026-06-15T24:00:00Z",
    "2026-06-15T14:60:11Z",
    "2026-06-15T14:23:61Z",
    "2026-06-15T14:23:60Z",
    "2026-06-15T23:59:60Z",
    "2016-12-31T23:59:60+01:00",
    "2016-12-31T23:58:60Z",
    "2026-06-15T14:23:11.Z",
    "2026-06-15T14:23:11,326Z",
    "2026-06-15T14:23:11.3.2Z",
    "2026-06-15T14:23:11.-3Z",
    "2026-06-15T14:23:11.326",
    "2026-06-15T14:23:11+2:00",
    "2026-06-15T14:23:11+02",
    "2026-06-15T14:23:11+0200",
    "2026-06-15T14:23:11+02:0",
    "2026-06-15T14:23:11+02:000",
    "2026-06-15T14:23:11+24:00",
    "2026-06-15T14:23:11+02:60",
    "2026-06-15T14:23:11+-2:00",
    "2026-06-15T14:23:11~02:00",
    "2026-06-15T14:23:11Z+02:00",
    "2026-06-15T-4:23:11Z",
    "2026-06-15T14: 3:11Z",
    "2O26-06-15T14:23:11Z",
    "2026-06-15T14:23:11\xe2\x88\x92"
    "02:00",
};

}  // namespace

BOOST_DATA_TEST_CASE(canonical_texts_go_both_ways, data::make(canonical)) {
    BOOST_TEST(to_string(at(sample.milliseconds)) == sample.text);
    BOOST_TEST((parse_timestamp(sample.text).value() == at(sample.milliseconds)));
}

BOOST_DATA_TEST_CASE(other_forms_of_rfc_3339, data::make(accepted)) {
    const auto got = parse_timestamp(sample.text);
    BOOST_TEST_REQUIRE(got.has_value());
    BOOST_TEST(got->time_since_epoch().count() == sample.milliseconds);
}

BOOST_DATA_TEST_CASE(what_rfc_3339_does_not_allow, data::make(refused)) {
    const auto got = parse_timestamp(sample);
    BOOST_TEST_REQUIRE(!got.has_value());
    BOOST_TEST((got.error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(months_have_their_days) {
    const std::array<int, 12> days_of_month{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    for (const int year : {0, 4, 100, 400, 1900, 2000, 2023, 2024, 2100, 2400, 9999}) {
        const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (int month = 1; month <= 12; ++month) {
            const int last =
                days_of_month[static_cast<std::size_t>(month - 1)] + (leap && month == 2 ? 1 : 0);
            for (int day = 0; day <= 32; ++day) {
                char text[48];
                std::snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00.000Z", year, month, day);
                const auto got = parse_timestamp(text);
                BOOST_TEST_REQUIRE(got.has_value() == (day >= 1 && day <= last), text);
                if (got) BOOST_TEST_REQUIRE(to_string(*got) == text);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(exactly_24_characters_are_written) {
    std::array<char, timestamp_text_size + 2> out;
    out.fill('#');
    format_to(at(0), out.data() + 1);
    BOOST_TEST((std::string_view(out.data(), out.size()) == "#1970-01-01T00:00:00.000Z#"));
}

BOOST_AUTO_TEST_CASE(years_out_of_reach_are_shown_as_the_nearest_end) {
    for (const timestamp late : {at(253402300800000), timestamp::max()}) {
        BOOST_TEST(to_string(late) == "9999-12-31T23:59:59.999Z");
    }
    for (const timestamp early : {at(-62167219200001), timestamp::min()}) {
        BOOST_TEST(to_string(early) == "0000-01-01T00:00:00.000Z");
    }
}

// The oracle counts days by the calendar's rules, one year after the other.
BOOST_AUTO_TEST_CASE(every_year_begins_and_ends_where_the_calendar_says) {
    std::int64_t days = -719528;  // of 0000-01-01
    for (int year = 0; year <= 9999; ++year) {
        char first[32];
        char last[32];
        std::snprintf(first, sizeof first, "%04d-01-01T00:00:00.000Z", year);
        std::snprintf(last, sizeof last, "%04d-12-31T23:59:59.999Z", year);
        BOOST_TEST_REQUIRE(to_string(at(days * 86'400'000)) == first);
        const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        days += leap ? 366 : 365;
        BOOST_TEST_REQUIRE(to_string(at(days * 86'400'000 - 1)) == last);
    }
}

BOOST_AUTO_TEST_CASE(random_times_make_the_round_trip) {
    std::mt19937_64 random(20260615);
    std::uniform_int_distribution<std::int64_t> times(-62167219200000, 253402300799999);
    std::string before = to_string(at(-62167219200000));
    std::int64_t previous = -62167219200000;
    for (int i = 0; i < 200'000; ++i) {
        const std::int64_t value = times(random);
        const std::string text = to_string(at(value));
        const auto back = parse_timestamp(text);
        if (!back || *back != at(value)) BOOST_FAIL(text << ' ' << value);
        if ((text < before) != (value < previous)) BOOST_FAIL(text << " sorts as " << before);
        before = text;
        previous = value;
    }
}

BOOST_AUTO_TEST_CASE(no_single_character_can_be_dropped_or_doubled) {
    const std::string text = "2026-06-15T14:23:11+02:00";
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string shorter = text;
        shorter.erase(i, 1);
        BOOST_TEST(!parse_timestamp(shorter), shorter);
        std::string longer = text;
        longer.insert(i, 1, text[i]);
        BOOST_TEST(!parse_timestamp(longer), longer);
        BOOST_TEST(!parse_timestamp(text.substr(0, i)), text.substr(0, i));
    }
}
