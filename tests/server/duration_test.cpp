#include "text/duration.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <ostream>
#include <string>

using namespace orderproc;
using namespace orderproc::server;
namespace data = boost::unit_test::data;

namespace {

struct duration_row {
    const char* text;
    std::int64_t ms;  // -1: refused
};
std::ostream& operator<<(std::ostream& out, const duration_row& it) {
    return out << it.text;
}

const duration_row durations[] = {
    {"0", 0},
    {"0s", 0},
    {"2s", 2000},
    {"500ms", 500},
    {"5m", 300'000},
    {"1h", 3'600'000},
    {"90d", 7'776'000'000},
    {"1.5s", 1500},
    {"", -1},
    {"2", -1},
    {"-1s", -1},
    {"2 s", -1},
    {"2sec", -1},
    {"s", -1},
    {"1e3s", -1},
    {"nan", -1},
    {"inf", -1},
    {"99999999h", -1},
    {"2S", -1},
};

}  // namespace

BOOST_DATA_TEST_CASE(durations_are_read_with_their_unit, data::make(durations), row) {
    const auto read = parse_duration(row.text);
    BOOST_TEST_REQUIRE(read.has_value() == (row.ms >= 0));
    if (read) BOOST_TEST(read->count() == row.ms);
    if (!read) BOOST_TEST(read.error().detail.find(row.text) != std::string::npos);
}
