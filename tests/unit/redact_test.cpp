#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/redact.hpp>
#include <orderproc/testing/builders.hpp>

#include <boost/test/unit_test.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using orderproc::testing::erase;
using orderproc::testing::order_builder;
using orderproc::testing::raise;

namespace {

struct fixture {
    fixture() {
        place("open", "ann");
        for (const char* id : {"A", "B", "C", "D"}) place(id, id[0] == 'D' ? "bob" : "ann");
        for (const char* id : {"A", "B", "D"}) run(raise(id, "cancel"));
        for (const char* id : {"B", "C"}) run(erase(id));
    }

    void place(const char* id, const char* user) {
        run(order_builder().id(id).user(user).metadata(R"({"name":"Ann"})").submit());
    }
    void run(command what) { BOOST_REQUIRE(!orders.execute(std::move(what)).ec); }

    result<redact_report> redact(const order_scope& whose = {"ann", {}}) {
        return redact_orders(*reads, model, whose, [this](command what) -> result<change_outcome> {
            if (fails_after-- == 0) return failure{errc::unavailable};
            if (before) before(what);
            asked.push_back(std::get<redact_personal>(what.what).order);
            return orders.execute(std::move(what));
        });
    }
    bool personal(const char* id) {
        for (const journal_entry& it : reads->history({id, order_version{0}, 100}).value()) {
            if (it.after.metadata != "{}") return true;
        }
        return false;
    }

    const order_model model = [] {
        order_rules rules;
        rules.user = user_form::text;
        return order_model::build(rules).value();
    }();
    std::unique_ptr<storage> kept = make_memory_storage();
    engine orders{*kept, status_machine::standard(), model, system_runtime(), {.threads = 0}};
    std::unique_ptr<repository_reader> reads = kept->connect_reader().value();
    std::vector<std::string> asked;
    std::function<void(const command&)> before;
    int fails_after = -1;
};

using strings = std::vector<std::string>;

}  // namespace

BOOST_FIXTURE_TEST_CASE(all_settled_and_deleted_orders_of_the_user_are_redacted, fixture) {
    const auto report = redact().value();
    BOOST_TEST(report.redacted == 3U);
    BOOST_TEST(report.open == 1U);
    BOOST_TEST(report.before == 0U);
    BOOST_TEST(asked == (strings{"A", "B", "C"}), boost::test_tools::per_element());
    for (const char* id : {"A", "B", "C"}) BOOST_TEST(!personal(id), id);
    for (const char* id : {"D", "open"}) BOOST_TEST(personal(id), id);
}

BOOST_FIXTURE_TEST_CASE(once_more_nothing_is_left_to_do, fixture) {
    BOOST_REQUIRE(redact().has_value());
    asked.clear();
    BOOST_TEST(redact().value().before == 3U);
    BOOST_TEST(asked.empty());
    // What has become personal since is taken out.
    command again;
    again.what = annotate{"A", {"{\"called\":\"Ann\"}", {}, {}}};
    run(std::move(again));
    const auto report = redact().value();
    BOOST_TEST(report.redacted == 1U);
    BOOST_TEST(report.before == 2U);
    BOOST_TEST(asked == strings{"A"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(those_that_are_left_alone_are_told_of, fixture) {
    BOOST_REQUIRE(redact().has_value());
    strings told;
    bool fails = false;
    const auto again = [&] {
        return redact_orders(
            *reads, model, {"ann", {}},
            [](const command&) -> result<change_outcome> { return failure{errc::corrupt}; }, {},
            [&](std::string_view order) -> result<void> {
                told.emplace_back(order);
                if (fails) return failure{errc::unavailable};
                return {};
            });
    };
    BOOST_TEST(again().value().before == 3U);
    BOOST_TEST(told == (strings{"A", "B", "C"}), boost::test_tools::per_element());
    fails = true;
    BOOST_TEST((again().error().code == errc::unavailable));
    BOOST_TEST(told.size() == 4U);
}

BOOST_FIXTURE_TEST_CASE(after_a_failure_it_goes_on, fixture) {
    fails_after = 1;
    BOOST_TEST((redact().error().code == errc::unavailable));
    BOOST_TEST(asked == strings{"A"}, boost::test_tools::per_element());
    const auto report = redact().value();
    BOOST_TEST(report.redacted == 2U);
    BOOST_TEST(report.before == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_is_deleted_meanwhile_is_redacted_once, fixture) {
    before = [this](const command& what) {
        if (std::get<redact_personal>(what.what).order == "A") run(erase("A"));
    };
    const auto report = redact().value();
    BOOST_TEST(report.redacted == 3U);
    BOOST_TEST(report.before == 1U);  // by the walk through the journal
    BOOST_TEST(!personal("A"));
}

BOOST_FIXTURE_TEST_CASE(a_scope_without_a_user_is_refused, fixture) {
    BOOST_TEST((redact({}).error().code == errc::invalid_argument));
    BOOST_TEST((redact({{}, "north"}).error().code == errc::invalid_argument));
    BOOST_TEST(redact({"ann", "north"}).value().redacted == 0U);  // none is of that tenant
    BOOST_TEST(asked.empty());
}

BOOST_FIXTURE_TEST_CASE(whether_an_order_needs_it, fixture) {
    const auto needs = [this](const char* id) { return needs_redaction(*reads, model, id); };
    BOOST_TEST(needs("A").value());
    BOOST_TEST(needs("B").value());  // deleted
    BOOST_REQUIRE(redact().has_value());
    BOOST_TEST(!needs("A").value());
    BOOST_TEST(!needs("B").value());
    BOOST_TEST(needs("D").value());
    BOOST_TEST((needs("none").error().code == errc::not_found));
}
