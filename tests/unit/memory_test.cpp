#include <orderproc/memory.hpp>
#include <orderproc/verify.hpp>

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <new>
#include <optional>
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

change create(const std::string& id) {
    create_order action;
    action.value.id = order_id::parse(id).value();
    action.value.user = "1";
    action.value.item_ids = {1};
    action.value.total_amount = {100, "USD"};
    action.value.status = "PENDING";
    action.queued = true;
    change out;
    out.order = id;
    out.event = "create";
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
    const std::vector<change_record> records{
        {record_action::create, "a collection", long_id(1), 0, long_id(2), timestamp{}}};
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

BOOST_AUTO_TEST_CASE(epoch_0_is_none) {
    const auto storage = make_memory_storage(0);
    const auto db = storage->connect_reader().value();
    BOOST_TEST(db->read_feed({}).value().oldest.epoch == 1U);
    const auto other = make_memory_storage(7);
    const auto db7 = other->connect_reader().value();
    BOOST_TEST(db7->read_feed({}).value().oldest.epoch == 7U);
}

}  // namespace orderproc
