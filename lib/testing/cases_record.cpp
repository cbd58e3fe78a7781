// Records: what is kept beside the orders.

#include "testing/kit.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

constexpr std::string_view hooks = "webhooks";

change_record creating(std::string key, std::string value, std::optional<timestamp> due_at = {}) {
    return {record_action::create, std::string(hooks), std::move(key), 0, std::move(value), due_at};
}
change_record replacing(const record& it, std::string value, std::optional<timestamp> due_at = {}) {
    return {
        record_action::replace, std::string(hooks), it.key, it.version, std::move(value), due_at};
}
change_record removing(const record& it) {
    return {record_action::remove, std::string(hooks), it.key, it.version, {}, {}};
}

std::optional<record> find(bench& b, std::string_view key, std::string_view collection = hooks) {
    return value("find_record()", b.reader().find_record({collection, key}));
}

std::string show_record(const std::optional<record>& it) {
    if (!it) return "none";
    return "version " + show(it->version) + " with " + show(it->value.size()) + " bytes" +
           (it->due_at ? ", due at " + to_string(*it->due_at) : "");
}
void expect_record(std::string_view what, const std::optional<record>& expected,
                   const std::optional<record>& found) {
    if (found == expected) return;
    fail(std::string(what) + ": expected " + show_record(expected) + ", found " +
         show_record(found));
}

// A change that succeeds: the record as it is now.
record done(bench& b, change_record what) {
    const std::string name = "the change of record " + what.key;
    auto outcome = b.write(std::move(what));
    expect_equal(name, error_code{}, outcome.ec);
    expect(outcome.present.has_value(), name + ": succeeded without a record");
    expect_record(name + ", read", outcome.present, find(b, outcome.present->key));
    return std::move(*outcome.present);
}
void expect_refused(bench& b, std::string_view what, errc why, change_record change,
                    const std::optional<record>& present) {
    const std::string key = change.key;
    const auto outcome = b.write(std::move(change));
    expect_equal(what, make_error_code(why), outcome.ec);
    expect_record(std::string(what) + ", the outcome", present, outcome.present);
    expect_record(std::string(what) + ", afterwards", present, find(b, key));
}

void record_is_created_once(bench& b) {
    expect_record("before it was created", {}, find(b, "one"));
    std::string bytes("\0\xff'\"\n", 5);
    const auto due_at = b.now() + seconds(5);
    const record made = done(b, creating("one", bytes, due_at));
    expect(made.key == "one" && made.value == bytes, "a record is not what was created");
    expect(made.version > 0, "a record has version 0");
    expect(made.due_at == due_at, "a record has another due time");
    expect_refused(b, "creating it again", errc::already_exists, creating("one", "other"), made);
    const record empty = done(b, creating("two", ""));
    expect(empty.value.empty() && !empty.due_at, "a record that is empty is not");
}

void record_is_replaced_by_version(bench& b) {
    expect_refused(b, "replacing what is not there", errc::not_found,
                   replacing({"one", "", 1, {}}, "b"), {});
    const record first = done(b, creating("one", "a", b.now()));
    const record second = done(b, replacing(first, "b"));
    expect(second.version > first.version, "a version does not ascend");
    expect(second.value == "b" && !second.due_at, "a record keeps what was replaced");
    expect_refused(b, "replacing a version that has passed", errc::version_conflict,
                   replacing(first, "c"), second);
    record ahead = second;
    ++ahead.version;
    expect_refused(b, "replacing a version that is to come", errc::version_conflict,
                   replacing(ahead, "c"), second);
}

void record_is_removed_by_version(bench& b) {
    expect_refused(b, "removing what is not there", errc::not_found, removing({"one", "", 1, {}}),
                   {});
    const record first = done(b, creating("one", "a", b.now()));
    const record second = done(b, replacing(first, "b", b.now()));
    expect_refused(b, "removing a version that has passed", errc::version_conflict, removing(first),
                   second);
    const auto gone = b.write(removing(second));
    expect_equal("removing", error_code{}, gone.ec);
    expect_record("what is left of a removed record", {}, gone.present);
    expect_record("a removed record", {}, find(b, "one"));
    expect(value("list_records()", b.reader().list_records({hooks})).records.empty(),
           "a removed record is listed");
    expect(
        value("list_due_records()", b.reader().list_due_records({hooks, b.now()})).records.empty(),
        "a removed record is due");
}

void version_is_never_given_twice(bench& b) {
    const record first = done(b, creating("one", "a"));
    b.write(removing(first));
    const record again = done(b, creating("one", "b"));
    expect(again.version > first.version,
           "a record that was removed starts again with version " + show(again.version));
    expect_refused(b, "replacing by a version from before it was removed", errc::version_conflict,
                   replacing(first, "c"), again);
}

// All pages.
std::vector<std::string> keys(bench& b, list_records_params params) {
    std::vector<std::string> out;
    std::string last;
    for (bool more = true; more;) {
        params.after = last;
        const record_page page = value("list_records()", b.reader().list_records(params));
        expect(page.records.size() <= params.limit, "a page is longer than its limit");
        expect(!page.more || page.records.size() == params.limit,
               "a page that is not full says that there is another");
        for (const record& it : page.records) out.push_back(it.key);
        expect(out.size() < 1000, "the pages of a list never end");
        more = page.more;
        if (more) last = out.back();
    }
    return out;
}

void records_are_listed_by_key(bench& b) {
    std::vector<std::string> all{"a", "b", "b\xff", "b\xff\xff", "ba", "c", "\xff", "\xff\xff"};
    all.emplace_back("b\0", 2);
    for (const std::string& it : all) done(b, creating(it, "of " + it));
    std::sort(all.begin(), all.end());
    const auto beginning = [&](std::string_view prefix) {
        std::vector<std::string> out;
        for (const auto& it : all) {
            if (it.starts_with(prefix)) out.push_back(it);
        }
        return out;
    };
    for (const std::size_t limit : {1U, 2U, 3U, 100U}) {
        for (const std::string_view prefix : {"", "b", "b\xff", "\xff", "bb", "c"}) {
            expect_equal("keys", beginning(prefix), keys(b, {hooks, prefix, {}, limit}));
        }
    }
    const auto page = value("list_records()", b.reader().list_records({hooks, "c"}));
    expect_record("a listed record", find(b, "c"), page.records.at(0));
}

std::vector<std::string> due(bench& b, timestamp until, std::size_t limit) {
    std::vector<std::string> out;
    list_due_records_params params{hooks, until, {}, limit};
    record last;
    for (bool more = true; more;) {
        const record_page page = value("list_due_records()", b.reader().list_due_records(params));
        expect(page.records.size() <= limit, "a page is longer than its limit");
        for (const record& it : page.records) out.push_back(it.key);
        expect(out.size() < 1000, "the pages of what is due never end");
        more = page.more;
        if (!more) break;
        last = page.records.back();
        expect(last.due_at.has_value(), "a record without a due time is due");
        params.after = due_record_position{*last.due_at, last.key};
    }
    return out;
}

void due_records_are_listed_by_time(bench& b) {
    const timestamp t = b.now();
    done(b, creating("never", ""));
    done(b, creating("late", "", t + seconds(9)));
    const record moved = done(b, creating("moved", "", t));
    done(b, creating("b", "", t + seconds(2)));
    done(b, creating("a", "", t + seconds(2)));
    done(b, creating("c", "", t + seconds(2)));
    done(b, creating("z", "", t + seconds(1)));
    using names = std::vector<std::string>;
    for (const std::size_t limit : {1U, 2U, 100U}) {
        expect_equal("due at once", names{"moved"}, due(b, t, limit));
        expect_equal("due in two seconds", names{"moved", "z", "a", "b", "c"},
                     due(b, t + seconds(2), limit));
        expect_equal("due within less", names{"moved", "z"}, due(b, t + milliseconds(1999), limit));
    }
    const record off = done(b, replacing(moved, "", t + seconds(20)));
    expect_equal("due when one was put off", names{"z"}, due(b, t + seconds(1), 9));
    expect_equal("due in the end", names{"z", "a", "b", "c", "late", "moved"},
                 due(b, t + seconds(20), 9));
    done(b, replacing(off, ""));
    expect_equal("due when one is due no more", names{"z", "a", "b", "c", "late"},
                 due(b, t + seconds(60), 2));
}

void collections_are_apart(bench& b) {
    const std::pair<std::string, std::string> names[] = {
        {"a", "bc"}, {"ab", "c"}, {"b", "bc"}, {std::string(32, 'a'), "bc"}};
    for (const auto& [collection, key] : names) {
        change_record what = creating(key, collection, b.now());
        what.collection = collection;
        expect_equal("creating in " + collection, error_code{}, b.write(what).ec);
    }
    for (const auto& [collection, key] : names) {
        const auto found = find(b, key, collection);
        expect(found && found->value == collection, "the record of another collection is found");
        const auto all = value("list_records()", b.reader().list_records({collection}));
        expect_equal("records of " + collection, std::size_t{1}, all.records.size());
        expect_record("listed of " + collection, found, all.records.front());
        const auto due =
            value("list_due_records()", b.reader().list_due_records({collection, b.now()}));
        expect_equal("due of " + collection, std::size_t{1}, due.records.size());
        expect_record("due of " + collection, found, due.records.front());
    }
    expect_record("a key of another collection", {}, find(b, "bc", "ab"));
    expect(value("list_records()", b.reader().list_records({"none"})).records.empty(),
           "a collection without records lists some");
}

void largest_record_is_kept_whole(bench& b) {
    change_record what;
    what.collection.assign(record_collection_size_max, '\xff');
    what.key.assign(record_key_size_max, '\xff');
    what.due_at = b.now();
    for (std::size_t i = 0; i < record_value_size_max; ++i) {
        what.value += static_cast<char>(i % 251);
    }
    const auto made = b.write(what);
    expect_equal("creating it", error_code{}, made.ec);
    const auto found = find(b, what.key, what.collection);
    expect(found && found->value == what.value && found->key == what.key,
           "the largest record is not what was created");
    const auto page = value("list_records()", b.reader().list_records({what.collection}));
    expect_record("in the list", found, page.records.at(0));
    const auto due =
        value("list_due_records()", b.reader().list_due_records({what.collection, b.now()}));
    expect_record("among those due", found, due.records.at(0));
}

void records_change_beside_orders(bench& b) {
    b.created("A");
    const record kept = done(b, creating("kept", "a"));
    const feed_position newest = b.newest();
    done(b, replacing(kept, "b"));
    expect_equal("newest: records are not in the journal", newest, b.newest());
    batch all;
    all.changes = {b.create("A"), b.create("B")};
    all.records = {creating("new", "1"), creating("kept", "2"), creating("new", "3"),
                   creating("other", "4")};
    const auto out = b.write(all);
    kit::expect_refused("the create of an order that is there", errc::already_exists,
                        out.changes[0]);
    expect_ok("the create beside records", out.changes[1]);
    expect_equal("a new record", error_code{}, out.records[0].ec);
    expect_equal("one that is there", make_error_code(errc::already_exists), out.records[1].ec);
    expect_equal("one that this write made", make_error_code(errc::already_exists),
                 out.records[2].ec);
    expect_record("what refused it", find(b, "new"), out.records[2].present);
    expect_equal("one after a refused one", error_code{}, out.records[3].ec);
    expect_equal("newest", feed_position{newest.epoch, newest.offset + 1}, b.newest());
}

void records_are_part_of_the_write(bench& b) {
    const record kept = done(b, creating("kept", "a"));
    expect(value("was_applied()", b.writer().was_applied(bench::writer_name, b.sequence())),
           "was_applied() does not know a write of a record alone");
    batch all;
    all.changes = {b.create("A")};
    all.records = {creating("new", "1", b.now()), replacing(kept, "b"), creating("last", "2")};
    if (!b.harness().fail_writes(true)) throw case_skipped("the harness cannot make writes fail");
    batch_outcome out;
    const auto failed = b.try_write(all, out);
    expect(b.harness().fail_writes(false), "the harness cannot make writes work again");
    expect(!failed, "a write that failed half-way is answered as a success");
    b.close_writer();
    b.open_writer();
    expect_record("a record that a failed write replaced", kept, find(b, "kept"));
    expect_record("a record that a failed write created", {}, find(b, "new"));
    expect(
        value("list_due_records()", b.reader().list_due_records({hooks, b.now()})).records.empty(),
        "a record of a failed write is due");
    const auto again = b.write(all);
    for (const auto& it : again.records) expect_equal("written again", error_code{}, it.ec);
}

void records_are_there_after_reopening(bench& b) {
    b.require_durable();
    const record made = done(b, creating("one", "a", b.now()));
    const record other = done(b, creating("two", "b"));
    b.close();
    b.open();
    expect_record("a record", made, find(b, "one"));
    expect_record("another", other, find(b, "two"));
    expect_equal("due", std::vector<std::string>{"one"}, due(b, b.now(), 9));
    b.write(removing(made));
    const record again = done(b, creating("one", "c"));
    expect(again.version > other.version, "versions start again");
}

constexpr capability needs = capability::records;
constexpr entry entries[] = {
    {"a_record_is_created_once", "A record is what was created, and is not created twice.",
     record_is_created_once, needs},
    {"a_record_is_replaced_by_version", "Replacing is a compare-and-set on the version.",
     record_is_replaced_by_version, needs},
    {"a_record_is_removed_by_version", "Removing is a compare-and-set, and leaves nothing.",
     record_is_removed_by_version, needs},
    {"a_version_is_never_given_twice", "No two states of a key have one version.",
     version_is_never_given_twice, needs},
    {"records_are_listed_by_key", "Lists show what begins with the prefix, in pages, by key.",
     records_are_listed_by_key, needs},
    {"due_records_are_listed_by_time", "What is due is listed by due time, then by key.",
     due_records_are_listed_by_time, needs},
    {"collections_are_apart", "Collections share nothing.", collections_are_apart, needs},
    {"the_largest_record_is_kept_whole", "Whatever the limits allow is kept as it is.",
     largest_record_is_kept_whole, needs},
    {"records_change_beside_orders", "Each succeeds or is refused on its own, in order.",
     records_change_beside_orders, needs},
    {"records_are_part_of_the_write", "Records are written with the rest or not at all.",
     records_are_part_of_the_write, needs},
    {"records_are_there_after_reopening", "Records outlive the process, and so do versions.",
     records_are_there_after_reopening, needs},
};

}  // namespace

std::vector<storage_case> record_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
