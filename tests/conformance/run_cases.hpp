#ifndef ORDERPROC_TESTS_CONFORMANCE_RUN_CASES_HPP
#define ORDERPROC_TESTS_CONFORMANCE_RUN_CASES_HPP

// Every storage or broker case as a Boost.Test case. In the file of an adapter's tests:
//
//   const bool added = add_storage_cases([] { return std::make_unique<my_harness>(); });

#include <orderproc/testing/broker_cases.hpp>
#include <orderproc/testing/storage_cases.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <iostream>
#include <memory>
#include <string>

// What a case that the harness cannot run is: told, or an error.
enum class skipped_case { told, error };

template <class Cases, class Make>
bool add_cases(const Cases& cases, const Make& make, skipped_case skipped_is) {
    for (const auto& it : cases) {
        const auto body = [&it, make, skipped_is] {
            const auto harness = make();
            try {
                it.run(*harness);
            } catch (const orderproc::testing::case_skipped& skipped) {
                if (skipped_is == skipped_case::error) {
                    BOOST_ERROR(std::string("skipped: ") + skipped.what());
                } else {
                    std::cout << it.name << " skipped: " << skipped.what() << '\n';
                }
                return;
            } catch (const orderproc::testing::case_failed& failed) {
                BOOST_ERROR(failed.what());
                return;
            }
            BOOST_TEST(true);
        };
        boost::unit_test::framework::master_test_suite().add(
            boost::unit_test::make_test_case(body, it.name, __FILE__, __LINE__));
    }
    return true;
}

inline bool add_storage_cases(
    const std::function<std::unique_ptr<orderproc::testing::storage_harness>()>& make,
    skipped_case skipped_is = skipped_case::told) {
    return add_cases(orderproc::testing::storage_cases(), make, skipped_is);
}

inline bool add_broker_cases(
    const std::function<std::unique_ptr<orderproc::testing::broker_harness>()>& make,
    skipped_case skipped_is = skipped_case::told) {
    return add_cases(orderproc::testing::broker_cases(), make, skipped_is);
}

#endif
