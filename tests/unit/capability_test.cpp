// Sets of what a storage may leave out.

#include <orderproc/capability.hpp>

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

using namespace orderproc;

BOOST_AUTO_TEST_CASE(a_set_has_what_was_put_into_it) {
    constexpr capability_set none;
    constexpr capability_set some{capability::records};
    static_assert(none.empty() && !some.empty());
    static_assert(some.has(capability::records) && !some.has(capability::epochs));
    static_assert(capability_set{capability::epochs, capability::records}.without(some) ==
                  capability_set{capability::epochs});
    BOOST_TEST(to_string(none).empty());
    BOOST_TEST(to_string(some) == "records");
    BOOST_TEST(to_string(capability_set{capability::records, capability::epochs}) ==
               "epochs, records");
}

BOOST_AUTO_TEST_CASE(each_has_a_name_of_its_own) {
    std::set<std::string_view> names;
    auto it = capability::epochs;
    for (; to_string(it) != "unknown"; it = static_cast<capability>(static_cast<int>(it) + 1)) {
        BOOST_TEST(names.insert(to_string(it)).second);
    }
    BOOST_TEST(names.size() >= 2U);
}
