// The repository over sorted tables, and what it does when they fail or were damaged.

#include "map_tables.hpp"
#include "run_cases.hpp"

#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

namespace {

using namespace orderproc;

std::shared_ptr<map_tables> prepared(std::uint64_t epoch = 7) {
    auto out = std::make_shared<map_tables>();
    map_transaction first(*out, connection_kind::write);
    BOOST_REQUIRE(prepare_kv(first, epoch));
    return out;
}

class harness final : public testing::storage_harness {
public:
    std::unique_ptr<storage> open() override { return std::make_unique<map_storage>(tables_); }
    bool fail_writes(bool fail) override {
        tables_->changes_left = fail ? 12 : -1;
        return true;
    }

private:
    std::shared_ptr<map_tables> tables_ = prepared();
};

const bool added = add_storage_cases([] { return std::make_unique<harness>(); });

struct shop {
    std::shared_ptr<map_tables> tables = prepared();
    std::unique_ptr<repository> rows = make_kv_repository(begins(*tables, connection_kind::write));
    testing::manual_clock time;
    testing::seeded_random chance;
    observer nobody;
    runtime with{time, chance, nobody};

    result<change_outcome> write(command what, std::string_view writer = "w") {
        const change one = lower(std::move(what), status_machine::standard(), with).value();
        change_outcome outcome;
        write_params params;
        params.now = time.now();
        params.writer = writer;
        params.sequence = 1;
        params.changes = {&one, 1};
        write_results results;
        results.changes = {&outcome, 1};
        if (auto ok = rows->write(params, results); !ok) return ok.error();
        return outcome;
    }
    error_code load(const std::string& id) {
        auto found = rows->load({{&id, 1}, {}});
        return found ? error_code() : found.error().code;
    }
};

}  // namespace

BOOST_AUTO_TEST_CASE(tables_of_one_epoch_get_a_chain) {
    auto tables = prepared(7);
    auto& counters = tables->of(kv_table::counters);
    counters.erase("epochs");
    std::string number(8, '\0');
    number.front() = '\x80';
    number.back() = 1;
    counters["format"] = number;
    number.back() = 7;
    counters["epoch"] = number;
    {
        map_transaction first(*tables, connection_kind::write);
        BOOST_TEST(prepare_kv(first, 8).has_value());
    }
    const auto rows = make_kv_repository(begins(*tables, connection_kind::write));
    BOOST_TEST(rows->read_feed({}).value().newest.epoch == 7U);
    BOOST_TEST(rows->rotate_epoch(9).has_value());
    BOOST_TEST(rows->read_feed({}).value().newest.epoch == 9U);
}

BOOST_FIXTURE_TEST_CASE(cursors_of_an_older_format_get_a_time, shop) {
    BOOST_REQUIRE(write(testing::order_builder{}.id("A").submit()));
    const timestamp written = time.now();
    auto& counters = tables->of(kv_table::counters);
    counters["format"].back() = 2;
    std::string number(8, '\0');
    std::string cursor;  // epoch, offset, the end of the hold, the owner
    for (const char last : {7, 1, 0}) {
        number.back() = last;
        cursor += number;
    }
    tables->of(kv_table::cursors)["relay"] = cursor + "me";
    {
        map_transaction first(*tables, connection_kind::write);
        BOOST_TEST(prepare_kv(first, 8).has_value());
    }
    const auto all = rows->list_cursors().value();
    BOOST_REQUIRE(all.size() == 1U);
    BOOST_TEST((all[0].at == feed_position{7, 1}));
    BOOST_TEST((all[0].moved_at == written));
    map_transaction second(*tables, connection_kind::write);
    BOOST_TEST(prepare_kv(second, 8).has_value());  // nothing is left to do
    BOOST_TEST(tables->of(kv_table::cursors)["relay"].size() == cursor.size() + 10);
}

BOOST_AUTO_TEST_CASE(tables_that_are_ready_are_left_alone) {
    map_tables tables;
    {
        map_transaction first(tables, connection_kind::write);
        BOOST_TEST(prepare_kv(first, 7).has_value());
    }
    {
        map_transaction second(tables, connection_kind::write);
        BOOST_TEST(prepare_kv(second, 8).has_value());
    }
    const auto rows = make_kv_repository(begins(tables, connection_kind::read));
    BOOST_TEST(rows->read_feed({}).value().newest.epoch == 7U);
    auto& format = tables.of(kv_table::counters).at("format");
    format.back() = 5;
    map_transaction third(tables, connection_kind::write);
    BOOST_TEST((prepare_kv(third, 9).error().code == errc::schema_mismatch));
}

BOOST_FIXTURE_TEST_CASE(a_failure_anywhere_leaves_nothing, shop) {
    BOOST_REQUIRE(write(testing::order_builder{}.id("A").submit({.key = "k"})));
    const auto before = tables->rows;
    int refused = 0;
    for (int changes = 0; changes < 100; ++changes) {
        tables->changes_left = changes;
        auto done = write(testing::order_builder{}.id("B").submit({.key = "l"}));
        if (done) break;
        BOOST_TEST((done.error().code == errc::unavailable));
        BOOST_TEST((tables->rows == before), "after " << changes << " changes");
        ++refused;
    }
    BOOST_TEST(refused > 8);
    tables->changes_left = -1;
    BOOST_TEST(
        (write(testing::order_builder{}.id("B").submit()).value().ec == errc::already_exists));
    tables->fail_commits = true;
    const auto written = tables->rows;
    BOOST_TEST((write(testing::raise("B", "cancel")).error().code == errc::unavailable));
    BOOST_TEST((tables->rows == written));
}

BOOST_FIXTURE_TEST_CASE(damage_is_noticed, shop) {
    BOOST_REQUIRE(write(testing::order_builder{}.id("A").submit({.key = "k"})));
    auto& order = tables->of(kv_table::orders).begin()->second;
    const std::string whole = order;
    order.resize(order.size() / 2);
    BOOST_TEST((load("A") == errc::corrupt));
    BOOST_TEST((rows->list({}).error().code == errc::corrupt));
    BOOST_TEST((write(testing::raise("A", "cancel")).error().code == errc::corrupt));
    order = whole;

    auto& entry = tables->of(kv_table::journal).begin()->second;
    entry.back() = static_cast<char>(~entry.back());
    BOOST_TEST((rows->read_feed({}).error().code == errc::corrupt));
    BOOST_TEST((rows->history({"A", {}, 9}).error().code == errc::corrupt));
    tables->of(kv_table::journal).clear();
    BOOST_TEST((write(testing::order_builder{}.id("A").submit({.key = "k"})).error().code ==
                errc::corrupt));

    tables->of(kv_table::counters)["offset"] = "short";
    BOOST_TEST((rows->read_feed({}).error().code == errc::corrupt));
}

// Only the answer to a key of an order that was purged is missing for a reason.
BOOST_FIXTURE_TEST_CASE(a_lost_answer_is_noticed_beside_a_purge, shop) {
    const auto ask = [&](const char* id) {
        return write(testing::order_builder{}.id(id).submit({.key = id}));
    };
    BOOST_REQUIRE(ask("A") && ask("B"));
    BOOST_REQUIRE(write(testing::raise("A", "cancel")));
    const purge_orders all{timestamp::max()};
    purge_outcome purged;
    write_params params;
    params.now = time.now() + std::chrono::hours(1);
    params.forget_before = params.now;
    params.writer = "w";
    params.sequence = 2;
    params.purges = {&all, 1};
    write_results results;
    results.purges = {&purged, 1};
    BOOST_REQUIRE(rows->write(params, results));
    BOOST_REQUIRE(purged.orders == 1U);
    BOOST_TEST((ask("A").value().ec == errc::not_found));
    BOOST_TEST(ask("B").value().replayed);
    tables->of(kv_table::journal).clear();
    BOOST_TEST((ask("B").error().code == errc::corrupt));
    BOOST_TEST((ask("A").value().ec == errc::not_found));
}

BOOST_FIXTURE_TEST_CASE(names_that_are_no_keys, shop) {
    const std::string endless(1000, 'x');
    BOOST_TEST(!load(endless));
    BOOST_TEST(!rows->find_cursor(endless).value().has_value());
    BOOST_TEST(!rows->was_applied(endless, 1).value());
    BOOST_TEST(
        (write(testing::order_builder{}.submit(), endless).error().code == errc::invalid_argument));
    BOOST_TEST(rows->read_feed({}).value().newest.offset == 0U);
}

BOOST_AUTO_TEST_CASE(tables_that_cannot_be_begun) {
    const auto rows = make_kv_repository([]() -> result<std::unique_ptr<kv_transaction>> {
        return failure{errc::unavailable, "down"};
    });
    write_results none;
    BOOST_TEST(rows->write({}, none).error().detail == "down");
    BOOST_TEST(rows->list({}).error().detail == "down");
    BOOST_TEST(rows->count().error().detail == "down");
    BOOST_TEST(rows->was_applied("w", 1).error().detail == "down");
}
