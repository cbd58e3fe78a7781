// The engine under an order model: what it refuses, and which changes share no batch.

#include "engine_fixture.hpp"

#include <orderproc/testing/builders.hpp>

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace orderproc::tests;

namespace {

order_model make_model(attribute_unique unique) {
    order_rules rules;
    attribute_rule ref{"ref"};
    ref.indexed = true;
    ref.unique = unique;
    ref.size_max = 64;
    ref.edits = attribute_edits::always;
    rules.attributes = {ref};
    rules.tenants = unique == attribute_unique::in_tenant;
    return order_model::build(std::move(rules)).value();
}

command with_ref(std::string_view id, std::string_view ref) {
    return testing::order_builder{}.id(id).attribute("ref", std::string(ref)).submit();
}

command annotation(std::string order, std::string ref) {
    annotate what{std::move(order), {}};
    what.fields.attributes = {{"ref", std::move(ref)}};
    command out;
    out.what = std::move(what);
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(under_a_model)

BOOST_FIXTURE_TEST_CASE(one_value_is_once_in_a_batch, fixture) {
    orders.capabilities = {capability::indexes};
    const order_model model = make_model(attribute_unique::everywhere);
    engine it(orders, machine, model, with, by_hand());
    BOOST_TEST(&it.model() == &model);
    ask(it, with_ref("A", "R1"));
    ask(it, with_ref("B", "R1"));
    ask(it, with_ref("C", "R2"));
    ask(it, annotation("A", "R3"));
    ask(it, annotation("C", "R1"));
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"A", "C"}, {"B", "A"}, {"C"}}));
}

BOOST_FIXTURE_TEST_CASE(values_of_two_tenants_are_told_apart_by_the_storage, fixture) {
    orders.capabilities = {capability::indexes};
    const order_model model = make_model(attribute_unique::in_tenant);
    engine it(orders, machine, model, with, by_hand());
    for (const char* tenant : {"north", "south"}) {
        ask(it, testing::order_builder{}.id(tenant).tenant(tenant).attribute("ref", "R1").submit());
    }
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"north"}, {"south"}}));
    for (recorder& done : asked) BOOST_TEST(!done.ec());
}

BOOST_FIXTURE_TEST_CASE(values_that_may_be_repeated_share_a_batch, fixture) {
    orders.capabilities = {capability::indexes};
    const order_model model = make_model(attribute_unique::no);
    engine it(orders, machine, model, with, by_hand());
    ask(it, with_ref("A", "R1"));
    ask(it, with_ref("B", "R1"));
    while (it.run_once().value() > 0) continue;
    BOOST_TEST((seen() == std::vector<names>{{"A", "B"}}));
}

BOOST_FIXTURE_TEST_CASE(a_storage_without_indexes_takes_no_model_with_them, fixture) {
    const order_model model = make_model(attribute_unique::no);
    orders.capabilities = {};
    BOOST_CHECK_EXCEPTION(engine(orders, machine, model, with, by_hand()), std::invalid_argument,
                          [](const std::invalid_argument& e) {
                              return std::string(e.what()).find("indexes") != std::string::npos;
                          });
}

BOOST_FIXTURE_TEST_CASE(a_storage_that_cannot_redact_is_not_asked_to, fixture) {
    orders.capabilities = {};
    engine it(orders, machine, with, by_hand());
    command what;
    what.what = redact_personal{"A"};
    recorder& done = asked.emplace_back();
    auto queued = it.submit(std::move(what), done);
    BOOST_REQUIRE(!queued);
    BOOST_TEST(queued.error().code == errc::not_supported);
}

BOOST_AUTO_TEST_SUITE_END()
