#include "client/http_date.hpp"

#include "client/http_message.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>

using namespace orderproc::server;
using namespace std::chrono_literals;
namespace data = boost::unit_test::data;

namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr sys_seconds now = sys_days(2026y / 6 / 15) + 14h;
constexpr sys_seconds example = sys_days(1994y / 11 / 6) + 8h + 49min + 37s;

struct date_row {
    std::string text;
    std::optional<sys_seconds> time;
};
std::ostream& operator<<(std::ostream& out, const date_row& it) {
    return out << it.text;
}

const std::vector<date_row> dates{
    {"Sun, 06 Nov 1994 08:49:37 GMT", example},
    {"Sunday, 06-Nov-94 08:49:37 GMT", example},
    {"Sun Nov  6 08:49:37 1994", example},
    {"Wed Nov 16 08:49:37 1994", example + std::chrono::days(10)},
    {"Mon, 06 Nov 1994 08:49:37 GMT", example},  // the wrong day of the week
    {"Sat, 31 Dec 2016 23:59:60 GMT", sys_days(2017y / 1 / 1)},
    {"Thu, 29 Feb 2024 00:00:00 GMT", sys_days(2024y / 2 / 29)},
    // Two digits: at most 50 years ahead.
    {"Monday, 15-Jun-76 14:00:00 GMT", sys_days(2076y / 6 / 15) + 14h},
    {"Monday, 15-Jun-76 23:00:00 GMT", sys_days(1976y / 6 / 15) + 23h},
    {"Monday, 15-Jun-77 14:00:00 GMT", sys_days(1977y / 6 / 15) + 14h},
    {"Monday, 15-Jun-26 14:00:00 GMT", now},
    {"", {}},
    {"Sun, 06 Nov 1994 08:49:37", {}},
    {"Sun, 06 Nov 1994 08:49:37 UTC", {}},
    {"Sun, 06 Nov 1994 08:49:37 +0000", {}},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", {}},
    {"sun, 06 nov 1994 08:49:37 gmt", {}},
    {"Sun, 6 Nov 1994 08:49:37 GMT", {}},
    {"Sun, 06 Nov 94 08:49:37 GMT", {}},
    {"06 Nov 1994 08:49:37 GMT", {}},
    {"Sun, 00 Nov 1994 08:49:37 GMT", {}},
    {"Sun, 31 Nov 1994 08:49:37 GMT", {}},
    {"Sun, 29 Feb 2023 08:49:37 GMT", {}},
    {"Sun, 06 Nov 1994 24:00:00 GMT", {}},
    {"Sun, 06 Nov 1994 08:60:00 GMT", {}},
    {"Sun, 06 Nov 1994 08:49:61 GMT", {}},
    {"Sun, 06 Nov 1994 8:49:37 GMT", {}},
    {"Sun Nov 6 08:49:37 1994", {}},
    {"Sun Nov  0 08:49:37 1994", {}},
    {"Sun Nov  6 08:49:37 1994 GMT", {}},
    {"Sun, 06-Nov-94 08:49:37 GMT", {}},
    {"Sunday, 06-Nov-1994 08:49:37 GMT", {}},
    {"1994-11-06T08:49:37Z", {}},
};

struct wait_row {
    std::string text;
    std::string date;  // of the answer; empty: it has none
    std::optional<std::chrono::seconds> wait;
};
std::ostream& operator<<(std::ostream& out, const wait_row& it) {
    return out << it.text << " | " << it.date;
}

const std::vector<wait_row> waits{
    {"0", "", 0s},
    {"120", "", 120s},
    {"86400", "", 24h},
    {"86401", "", 24h},
    {"99999999999999999999999", "", 24h},
    {"0000000000000000000000007", "", 7s},
    {"", "", {}},
    {"-1", "", {}},
    {"+1", "", {}},
    {"1.5", "", {}},
    {"1 ", "", {}},
    {"1s", "", {}},
    {"1,2", "", {}},
    {"soon", "", {}},
    {"Mon, 15 Jun 2026 14:01:00 GMT", "", 60s},
    {"Monday, 15-Jun-26 14:01:00 GMT", "", 60s},
    {"Mon Jun 15 14:01:00 2026", "", 60s},
    {"Mon, 15 Jun 2026 13:00:00 GMT", "", 0s},
    {"Fri, 31 Dec 1999 23:59:59 GMT", "", 0s},
    {"Fri, 31 Dec 9999 23:59:59 GMT", "", 24h},
    // A server whose clock is an hour ahead, or a year behind.
    {"Mon, 15 Jun 2026 15:00:30 GMT", "Mon, 15 Jun 2026 15:00:00 GMT", 30s},
    {"Sun, 15 Jun 2025 14:00:30 GMT", "Sun Jun 15 14:00:00 2025", 30s},
    {"Mon, 15 Jun 2026 14:00:00 GMT", "Mon, 15 Jun 2026 15:00:00 GMT", 0s},
    {"Mon, 15 Jun 2026 14:00:30 GMT", "yesterday", 30s},
    {"30", "Mon, 15 Jun 2026 15:00:00 GMT", 30s},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_date_is_read_in_each_of_its_forms, data::make(dates), it) {
    BOOST_TEST((parse_http_date(it.text, now) == it.time));
}

BOOST_AUTO_TEST_CASE(two_digits_are_a_year_of_the_next_century_when_that_is_near) {
    const sys_seconds late = sys_days(2099y / 12 / 31);
    BOOST_TEST((parse_http_date("Friday, 01-Jan-00 00:00:00 GMT", late) ==
                sys_seconds(sys_days(2100y / 1 / 1))));
}

BOOST_DATA_TEST_CASE(a_server_asks_to_wait_in_seconds_or_until_a_date, data::make(waits), it) {
    fetch_response got;
    got.fields = {{"retry-after", it.text}};
    if (!it.date.empty()) got.fields.emplace_back("Date", it.date);
    BOOST_TEST((got.retry_after(now) == it.wait));
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_ask_to_wait) {
    BOOST_TEST(!fetch_response().retry_after(now));
}
