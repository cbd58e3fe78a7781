// Redaction, records about an order, and what a write depends on.

#include "testing/shop.hpp"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

const order_model& shop_of(bench& b) {
    const bool indexes = b.orders().info().capabilities.has(capability::indexes);
    return indexes ? shop() : shop_without_indexes();
}

// A settled order that has had what is personal in each of its entries.
void settled(bench& b, std::string_view id) {
    b.use(shop_of(b));
    order it = with(with(shop_order(id), "email", "ann@example.com"), "gift", true);
    it.metadata = R"({"name":"Ann"})";
    b.done(with_key(b.create(it), key(1, 1)));
    it = with(it, "email", "anna@example.com");
    b.done(b.edit(id, it));
    b.done(b.annotate(id, {R"({"seen":"by Ann"})", {}, {}}));
    b.done(b.raise(id, "cancel"));
}

bool is_redacted(const order& it) {
    return it.metadata == "{}" && it.annotations.empty() && it.attributes.size() == 1 &&
           it.attributes.front().name == "gift";
}

void expect_redacted(bench& b, std::string_view id, std::size_t entries) {
    const auto history = b.history(id);
    expect_equal("entries", entries, history.size());
    for (const journal_entry& it : history) {
        expect(is_redacted(it.after), "the entry " + it.event + " is not redacted");
    }
    for (const journal_entry& it : b.feed()) {
        if (id_of(it.after) != id) continue;
        expect(is_redacted(it.after), "in the feed the entry " + it.event + " is not redacted");
    }
}

void redaction_takes_out_what_is_personal(bench& b) {
    settled(b, "A");
    b.done(b.create(with(shop_order("B"), "email", "ann@example.com")));
    const order was = b.found("A");
    const auto before = b.history("A");
    b.advance(seconds(1));
    const order is = b.done(b.redact("A"));
    order expected = was;
    shop().redact(expected);
    expected.version = order_version{5};
    expected.updated_at = b.now();
    expect_same("a redacted order", expected, is);
    expect_same("the same, read", expected, b.found("A"));
    expect_redacted(b, "A", 5);
    const auto after = b.history("A");
    expect_equal("the event", std::string("redact"), after.back().event);
    for (std::size_t i = 0; i < before.size(); ++i) {
        order entry = before[i].after;
        shop().redact(entry);
        expect_equal("the position of an entry", before[i].position, after[i].position);
        expect_equal("when it was", before[i].at, after[i].at);
        expect_same("an entry", entry, after[i].after);
    }
    b.done(b.redact("A"));  // again
    expect_redacted(b, "A", 6);
    list_params params = with_value("email", "anna@example.com");
    if (!is_supported(b.reader().list(params))) return;
    expect(b.list(params).empty(), "it is found by what was taken out");
    params = with_value("email", "ann@example.com");
    expect_equal("others", std::vector<std::string>{"B"}, ids_of(b.list(params)));
}

void open_orders_are_not_redacted(bench& b) {
    b.use(shop_of(b));
    b.done(b.create(shop_order("A")));
    expect_refused("an order that waits", errc::transition_rejected, b.write(b.redact("A")));
    const claimed_order held = b.claimed("A");
    expect_refused("an order that is worked on", errc::transition_rejected, b.write(b.redact("A")));
    b.done(b.leave(held, "complete"));
    b.done(b.redact("A"));
    expect_refused("none", errc::not_found, b.write(b.redact("none")));
    change theirs = b.redact("A");
    theirs.scope.user = "2";
    expect_refused("another user's", errc::not_found, b.write(std::move(theirs)));
}

void deleted_orders_are_redacted(bench& b) {
    settled(b, "A");
    b.done(b.erase("A"));
    change stale = b.redact("A");
    stale.version = order_version{4};
    expect_refused("an older version", errc::version_conflict, b.write(std::move(stale)));
    change theirs = b.redact("A");
    theirs.scope.user = "2";
    expect_refused("another user's", errc::not_found, b.write(std::move(theirs)));
    const change once = with_key(b.redact("A"), key(3, 3));
    const order is = b.done(once);
    expect(is_redacted(is), "the answer is not redacted");
    expect_equal("version", order_version{6}, is.version);
    expect_redacted(b, "A", 6);
    expect(!b.find("A"), "it is there again");
    const change_outcome again = b.write(once);
    expect(again.replayed && again.after && again.after->version == is.version,
           "it is not replayed");
    expect_refused("its id", errc::already_exists, b.write(b.create(shop_order("A"))));
    expect_equal("orders", std::size_t{0}, b.list({}).size());
}

void replays_give_the_redacted_order(bench& b) {
    settled(b, "A");
    b.done(b.redact("A"));
    change first = b.create(with(shop_order("A"), "email", "ann@example.com"));
    const change_outcome again = b.write(with_key(std::move(first), key(1, 1)));
    expect_ok("a replay", again);
    expect(again.replayed, "it is not replayed");
    expect_equal("its version", order_version{1}, again.after->version);
    expect(is_redacted(*again.after), "a replay gives what was taken out");
}

change_record about(std::string key, std::string order) {
    change_record out;
    out.collection = "parked";
    out.key = std::move(key);
    out.value = "for ann@example.com";
    out.order = std::move(order);
    out.due_at = timestamp{} + std::chrono::hours(1);
    return out;
}

std::vector<std::string> parked(bench& b) {
    std::vector<std::string> out;
    const auto all = value("list_records()", b.reader().list_records({"parked"}));
    for (const record& it : all.records) {
        out.push_back(it.key + " of " + it.order);
        const auto one = value("find_record()", b.reader().find_record({"parked", it.key}));
        expect(one == it, "find_record() and list_records() differ");
    }
    list_due_records_params due;
    due.collection = "parked";
    due.until = timestamp::max();
    const auto found = value("list_due_records()", b.reader().list_due_records(due));
    expect(found.records == all.records, "list_due_records() and list_records() differ");
    return out;
}

void redaction_takes_records(bench& b) {
    if (!b.orders().info().capabilities.has(capability::records)) return;
    settled(b, "A");
    std::string key = "a";
    for (const char* order : {"A", "B", "", "AB", "A"}) {
        expect_equal("a record", error_code{}, b.write(about(key, order)).ec);
        ++key.front();
    }
    change_record moved = about("moved", "A");
    const auto version = b.write(moved).present->version;
    moved.action = record_action::replace;
    moved.version = version;
    moved.order = "B";
    expect_equal("a record that is now about another", error_code{}, b.write(moved).ec);
    expect_equal(
        "records",
        std::vector<std::string>{"a of A", "b of B", "c of ", "d of AB", "e of A", "moved of B"},
        parked(b));
    b.done(b.redact("A"));
    expect_equal("records that are left",
                 std::vector<std::string>{"b of B", "c of ", "d of AB", "moved of B"}, parked(b));
}

void purge_takes_records(bench& b) {
    if (!b.orders().info().capabilities.has(capability::purge)) return;
    for (const char* id : {"A", "B", "C"}) b.created(id);
    b.done(b.raise("A", "cancel"));
    b.done(b.erase("B"));
    for (const char* id : {"A", "B", "C"}) b.write(about(id, id));
    b.advance(std::chrono::hours(1));
    b.write(purge_orders{b.now()});
    expect_equal("records", std::vector<std::string>{"C of C"}, parked(b));
}

void redacted_orders_are_purged(bench& b) {
    if (!b.orders().info().capabilities.has(capability::purge)) return;
    settled(b, "A");
    b.done(b.erase("A"));
    b.done(b.create(shop_order("open")));
    b.advance(std::chrono::hours(1));
    b.done(b.redact("A"));
    purge_orders some{b.now()};
    expect_equal("entries that go before its last one", std::uint64_t{0}, b.write(some).entries);
    for (const journal_entry& it : b.history("A")) {
        expect(is_redacted(it.after), "the entry " + it.event + " is not redacted");
    }
    expect_equal("entries that are there still", std::size_t{6}, b.history("A").size());
    b.check_invariants();
    b.advance(std::chrono::hours(1));
    some.before = b.now();
    const purge_outcome out = b.write(some);
    expect_equal("entries that go with it", std::uint64_t{6}, out.entries);
    expect_equal("orders that go, without deleted ones", std::uint64_t{0}, out.orders);
    expect_equal("what is left", std::size_t{0}, b.history("A").size());
    expect_refused("a redaction of what was purged", errc::not_found, b.write(b.redact("A")));
}

void guard_holds_a_write_back(bench& b) {
    change_record what;
    what.collection = "orderproc";
    what.key = "model";
    what.value = "one";
    const auto guarded = [&](std::string_view id, std::uint64_t version) {
        batch all;
        all.changes = {b.create(id)};
        all.guard = {{what.collection, what.key, version}};
        batch_outcome outcome;
        return b.try_write(all, outcome);
    };
    const auto expect_held = [&](std::string_view id, std::uint64_t version) {
        const auto done = guarded(id, version);
        expect(!done && done.error().code == errc::model_changed,
               "a write for version " + show(version) + " is not refused");
        expect(!b.find(id), "what was refused is there");
    };
    expect_held("A", 1);
    expect(guarded("A", 0).has_value(), "a write for no record is refused");
    const std::uint64_t first = b.write(what).present->version;
    expect_held("B", 0);
    expect_held("B", first + 1);
    expect(guarded("B", first).has_value(), "a write for its version is refused");
    what.action = record_action::replace;
    what.version = first;
    const std::uint64_t second = b.write(what).present->version;
    expect_held("C", first);
    expect(guarded("C", second).has_value(), "a write for its new version is refused");
    what.action = record_action::remove;
    what.version = second;
    b.write(what);
    expect_held("D", second);
    expect(guarded("D", 0).has_value(), "a write for no record any more is refused");
}

constexpr entry entries[] = {
    {"a_redaction_takes_out_what_is_personal",
     "What is personal leaves a redacted order, all of its entries and the index; the rest stays.",
     redaction_takes_out_what_is_personal, capability::redaction},
    {"open_orders_are_not_redacted", "Only orders that are settled are redacted.",
     open_orders_are_not_redacted, capability::redaction},
    {"deleted_orders_are_redacted", "A deleted order is redacted in all of its journal.",
     deleted_orders_are_redacted, capability::redaction},
    {"replays_give_the_redacted_order", "A replay gives the redacted order.",
     replays_give_the_redacted_order, capability::redaction},
    {"a_redaction_takes_records", "Records about a redacted order go, and no others.",
     redaction_takes_records, capability::redaction},
    {"redacted_orders_are_purged",
     "A deleted order that was redacted is purged whole, with its last entry.",
     redacted_orders_are_purged, capability::redaction},
    {"a_purge_takes_records", "Records about an order go when it is purged.", purge_takes_records,
     capability::records},
    {"a_guard_holds_a_write_back",
     "A write is refused, whole, unless the record that it depends on has the version.",
     guard_holds_a_write_back, capability::records},
};

}  // namespace

std::vector<storage_case> redact_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
