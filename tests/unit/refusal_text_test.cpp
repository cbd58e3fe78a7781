#include "core/refusal_text.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <array>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;

namespace {

constexpr std::array<order_status, 2> from{"PENDING", "FAILED"};

struct refused {
    std::string_view expected;
    errc code;
    std::function<void(change&, order&)> set = [](change&, order&) {};
    bool shown = true;
};
std::ostream& operator<<(std::ostream& out, const refused& it) {
    return out << it.expected;
}

const std::vector<refused> all{
    {"there is no order \"A-1\"", errc::not_found, {[](change&, order&) {}}, false},
    {"the order id \"A-1\" is taken", errc::already_exists},
    {"the order id \"A-1\" is taken, perhaps by an order that was deleted",
     errc::already_exists,
     {[](change&, order&) {}},
     false},
    {"the idempotency key was used with a different request", errc::idempotency_mismatch},
    {"the lease of order \"A-1\" was taken over or has ended", errc::lease_lost},
    {"order \"A-1\" is at version 7, not 3", errc::version_conflict, {[](change& it, order&) {
         it.version = order_version{3};
     }}},
    {"order \"A-1\" is at version 7", errc::version_conflict},
    {"\"cancel\" is refused: order \"A-1\" is COMPLETED, not PENDING or FAILED",
     errc::transition_rejected,
     {[](change& it, order&) { it.from = from; }}},
    {"\"cancel\" is refused: order \"A-1\" is PENDING, and work on it has begun",
     errc::transition_rejected,
     {[](change& it, order& now) {
         it.from = from;
         now.status = "PENDING";
     }}},
    {"\"cancel\" is refused: order \"A-1\" is COMPLETED, and is being worked on",
     errc::transition_rejected},
    {"there is no order \"a?b\"",
     errc::not_found,
     {[](change& it, order&) { it.order = "a\nb"; }},
     false},
    {"", errc::unavailable},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(refusals_for_people)

BOOST_DATA_TEST_CASE(say_why, data::make(all), it) {
    change what;
    what.order = "A-1";
    what.event = "cancel";
    order now;
    now.version = order_version{7};
    now.status = "COMPLETED";
    it.set(what, now);
    change_outcome outcome;
    outcome.ec = it.code;
    if (it.shown) outcome.after = now;
    BOOST_TEST(detail::describe_refusal(what, outcome) == it.expected);
}

BOOST_AUTO_TEST_SUITE_END()
