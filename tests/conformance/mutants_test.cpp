// Each case of the kit fails for a storage that breaks its promise, and says how.

#include "mutants.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

namespace mutants {
namespace {

std::vector<mutant> all_mutants() {
    std::vector<mutant> out = writing_mutants();
    for (const auto& more :
         {claiming_mutants(), reading_mutants(), query_mutants(), index_mutants(), redact_mutants(),
          unchanged_mutants(), record_mutants(), purge_mutants()}) {
        out.insert(out.end(), more.begin(), more.end());
    }
    return out;
}

bool needs_processes(const std::string& name) {
    const std::set<std::string> all{"a_killed_writer_loses_nothing", "two_writers_take_turns",
                                    "nothing_appears_late", "a_claim_is_nobody_elses"};
    return all.contains(name);
}

}  // namespace

BOOST_DATA_TEST_CASE(a_mutant_is_noticed, boost::unit_test::data::make(all_mutants()), it) {
    hooks with;
    it.make(with);
    const auto noticed = run(find_case(it.noticed_by), std::move(with));
    BOOST_TEST(noticed.has_value(), it.noticed_by << " does not notice: " << it.name);
    if (noticed) BOOST_TEST_MESSAGE(it.name << ": " << *noticed);
}

BOOST_AUTO_TEST_CASE(without_a_mutation_nothing_is_noticed) {
    for (const auto& it : testing::storage_cases()) {
        if (needs_processes(it.name)) continue;  // each process has a memory of its own
        hooks with;
        with.durable = true;
        const auto noticed = run(it, std::move(with));
        BOOST_TEST(!noticed.has_value(), noticed.value_or(""));
    }
}

BOOST_AUTO_TEST_CASE(names_are_unique_and_promises_are_sentences) {
    std::set<std::string> names;
    for (const auto& it : testing::storage_cases()) {
        BOOST_TEST(names.insert(it.name).second, it.name << " is there twice");
        BOOST_TEST(it.promise.ends_with('.'));
    }
    BOOST_TEST(names.size() > 80U);
}

BOOST_AUTO_TEST_CASE(each_case_has_a_mutant) {
    std::set<std::string> noticed_by;
    for (const mutant& it : all_mutants()) noticed_by.insert(it.noticed_by);
    for (const auto& it : testing::storage_cases()) {
        BOOST_TEST(noticed_by.contains(it.name), "nothing shows that it can fail: " << it.name);
    }
}

BOOST_AUTO_TEST_CASE(cases_of_a_capability_are_skipped_unless_it_is_declared) {
    std::size_t skipped = 0;
    for (const auto& it : testing::storage_cases()) {
        if (!it.needs) continue;
        hooks with;
        with.basic = with.durable = true;
        mutant_harness harness(std::move(with));
        try {
            it.run(harness);
            BOOST_ERROR(it.name << " was run");
        } catch (const testing::case_skipped& why) {
            const std::string expected =
                "mutant does not declare the capability " + std::string(to_string(*it.needs));
            BOOST_TEST(why.what() == expected);
            ++skipped;
        }
    }
    BOOST_TEST(skipped > 10U);
}

BOOST_AUTO_TEST_CASE(an_exception_of_the_storage_is_a_failure) {
    for (const char* name : {"a_created_order_is_stored_as_sent", "readers_see_whole_writes"}) {
        hooks with;
        with.load_in = [](auto&, auto&) { throw std::runtime_error("from the driver"); };
        const auto noticed = run(find_case(name), std::move(with));
        BOOST_TEST_REQUIRE(noticed.has_value());
        BOOST_TEST(noticed->find("an exception came out of the storage: from the driver") !=
                   std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(a_failure_says_what_where_and_which_case) {
    hooks with;
    with.change_in = [](change& it, repository&) { it.version.reset(); };
    const auto noticed = run(find_case("a_stale_version_is_refused"), std::move(with));
    BOOST_TEST_REQUIRE(noticed.has_value());
    BOOST_TEST(*noticed ==
               "A change is a compare-and-set on the version it names.\n"
               "  an edit of a version that has passed: expected \"the order has another "
               "version\", found success\n"
               "  (case a_stale_version_is_refused, of mutant)");
}

}  // namespace mutants
