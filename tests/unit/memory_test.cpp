#include <orderproc/memory.hpp>
#include <orderproc/verify.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

// Allocations until one fails; none: they all succeed.
thread_local std::optional<int> allocations_left;

}  // namespace

void* operator new(std::size_t size) {
    if (allocations_left && (*allocations_left)-- <= 0) throw std::bad_alloc();
    if (void* out = std::malloc(size == 0 ? 1 : size)) return out;
    throw std::bad_alloc();
}
void operator delete(void* what) noexcept {
    std::free(what);
}
void operator delete(void* what, std::size_t) noexcept {
    std::free(what);
}

namespace orderproc {
namespace {

// No text: std::variant of libstdc++ 12 does not survive a copy of one that throws.
constexpr std::int64_t rank = 5;

const order_model& model() {
    static const order_model out = [] {
        order_rules rules;
        rules.attributes = {{"rank", attribute_type::integer}};
        rules.attributes[0].indexed = true;
        return order_model::build(rules).value();
    }();
    return out;
}

std::size_t count_ranked(repository& db) {
    const std::string value = order_model::index_value(*model().find("rank"), rank, "USD");
    list_params params;
    params.index = {1, value, value};
    return db.list(params).value().orders.size();
}

change create(const std::string& id) {
    create_order action;
    action.value.id = order_id::parse(id).value();
    action.value.user = "1";
    action.value.item_ids = {1};
    action.value.total_amount = {100, "USD"};
    action.value.status = "PENDING";
    action.value.attributes = {{"rank", rank}};
    action.value.metadata = R"({"a":"text that does not fit into a small string"})";
    action.queued = true;
    change out;
    out.order = id;
    out.event = "create";
    out.model = &model();
    out.action = std::move(action);
    return out;
}

std::string long_id(int i) {
    return "an-id-that-does-not-fit-into-a-small-string-" + std::to_string(i);
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_write_without_memory_leaves_nothing) {
    const auto storage = make_memory_storage();
    const auto db = storage->connect_writer().value();
    std::vector<change> changes;
    for (int i = 0; i < 3; ++i) changes.push_back(create(long_id(i)));
    changes[0].idempotency_key = idempotency{};
    std::vector<claim> claims(1);
    claims[0].stage = &status_machine::standard().stages().front();
    claims[0].limit = 2;
    std::vector<commit_cursor> cursors{{"a cursor with a long name", "its owner", {}, {}}};
    write_params params;
    params.writer = "a writer whose name is long";
    params.sequence = 1;
    params.changes = changes;
    params.claims = claims;
    params.cursors = cursors;
    const std::vector<change_record> records{{record_action::create, "a collection", long_id(1), 0,
                                              long_id(2), timestamp{}, long_id(1)}};
    params.records = records;

    int failures = 0;
    for (bool written = false; !written; ++failures) {
        std::vector<change_outcome> changed(changes.size());
        std::vector<claim_outcome> claimed(1);
        std::vector<cursor_outcome> moved(1);
        std::vector<record_outcome> recorded(1);
        write_results results{changed, claimed, moved, recorded};
        allocations_left = failures;
        try {
            written = db->write(params, results).has_value();
        } catch (const std::bad_alloc&) {
            written = false;
        }
        allocations_left.reset();
        const std::uint64_t expected = written ? 5 : 0;  // three creates, two starts
        BOOST_TEST_REQUIRE(db->read_feed({}).value().newest.offset == expected);
        BOOST_TEST_REQUIRE(db->list({}).value().orders.size() == (written ? 3U : 0U));
        BOOST_TEST_REQUIRE(count_ranked(*db) == (written ? 3U : 0U));
        BOOST_TEST_REQUIRE(db->was_applied(params.writer, 1).value() == written);
        BOOST_TEST_REQUIRE(db->find_cursor(cursors[0].name).value().has_value() == written);
        BOOST_TEST_REQUIRE(changed[0].replayed == false);
        const find_record_params record{records[0].collection, records[0].key};
        BOOST_TEST_REQUIRE(db->find_record(record).value().has_value() == written);
        BOOST_TEST_REQUIRE(
            db->list_due_records({records[0].collection, timestamp{}}).value().records.empty() !=
            written);
        const auto report = verify(*db, status_machine::standard()).value();
        BOOST_TEST_REQUIRE(report.difference.value_or("") == "");
    }
    BOOST_TEST(failures > 30);  // each at another allocation
}

BOOST_AUTO_TEST_CASE(a_redaction_without_memory_takes_out_nothing) {
    const auto storage = make_memory_storage();
    const auto db = storage->connect_writer().value();
    std::uint64_t sequence = 0;
    const auto write = [&](const change& what, std::span<const change_record> records,
                           std::optional<int> allocations) {
        change_outcome outcome;
        std::vector<record_outcome> recorded(records.size());
        write_params params;
        params.writer = "w";
        params.sequence = ++sequence;
        params.changes = {&what, 1};
        params.records = records;
        write_results results{{&outcome, 1}, {}, {}};
        results.records = recorded;
        allocations_left = allocations;
        bool written = false;
        try {
            written = db->write(params, results).has_value();
        } catch (const std::bad_alloc&) {
            written = false;
        }
        allocations_left.reset();
        BOOST_TEST_REQUIRE((!written || !outcome.ec));
        return written;
    };
    const std::string id = long_id(1);
    const std::vector<change_record> about{
        {record_action::create, "a collection", long_id(3), 0, "value", timestamp{}, id}};
    BOOST_REQUIRE(write(create(id), about, {}));
    change cancel;
    cancel.order = id;
    cancel.event = "cancel";
    transition_order move;
    move.to = "CANCELLED";
    move.settles = true;
    cancel.action = move;
    cancel.model = &model();
    BOOST_REQUIRE(write(cancel, {}, {}));
    change redact;
    redact.order = id;
    redact.event = "redact";
    redact.action = redact_order{};
    redact.model = &model();
    int failures = 0;
    for (bool written = false; !written; ++failures) {
        written = write(redact, {}, failures);
        const auto history = db->history({id, order_version{0}, 100}).value();
        BOOST_TEST_REQUIRE(history.size() == (written ? 3U : 2U));
        for (const journal_entry& it : history) {
            BOOST_TEST_REQUIRE((it.after.metadata == "{}") == written);
        }
        BOOST_TEST_REQUIRE(db->list_records({"a collection"}).value().records.empty() == written);
    }
    BOOST_TEST(failures > 5);
}

BOOST_AUTO_TEST_CASE(epoch_0_is_none) {
    const auto storage = make_memory_storage(0);
    const auto db = storage->connect_reader().value();
    BOOST_TEST(db->read_feed({}).value().oldest.epoch == 1U);
    const auto other = make_memory_storage(7);
    const auto db7 = other->connect_reader().value();
    BOOST_TEST(db7->read_feed({}).value().oldest.epoch == 7U);
}

}  // namespace orderproc
