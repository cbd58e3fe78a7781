// What a purge may be asked for.

#include <orderproc/purge.hpp>

#include <boost/test/unit_test.hpp>

using namespace orderproc;

BOOST_AUTO_TEST_CASE(limits_are_not_clamped) {
    purge_orders it;
    BOOST_TEST(validate(it).has_value());
    it.limit = purge_limit_max;
    it.hold_max = it.hold_max.zero();
    BOOST_TEST(validate(it).has_value());
    it.limit = purge_limit_max + 1;
    BOOST_TEST(validate(it).error().detail == "limit of a purge: 1 to 65,536, not 65537");
    it.limit = 0;
    BOOST_TEST((validate(it).error().code == errc::invalid_argument));
    it.limit = 1;
    it.hold_max = std::chrono::milliseconds(-1);
    BOOST_TEST((validate(it).error().code == errc::invalid_argument));
}
