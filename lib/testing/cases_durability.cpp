// Failing half-way, restarting, being killed, reading while somebody writes.

#include "testing/kit.hpp"
#include "testing/process_group.hpp"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void failed_write_leaves_nothing(bench& b) {
    b.created("A");
    b.created("B");
    const claimed_order held = b.claimed("A");
    const auto rows = b.list({});
    const feed_position newest = b.newest();
    const std::uint64_t sequence = b.sequence();
    batch all;
    all.changes = {with_key(b.create("C"), key(1, 1)), b.leave(held, "complete"), b.create("D")};
    all.claims = {b.claim_of("w")};
    all.cursors = {{"relay", "kit", feed_position{newest.epoch, 1}, b.now() + seconds(30)}};

    if (!b.harness().fail_writes(true)) throw case_skipped("the harness cannot make writes fail");
    batch_outcome out;
    const auto failed = b.try_write(all, out);
    expect(b.harness().fail_writes(false), "the harness cannot make writes work again");
    expect(!failed, "a write that failed half-way is answered as a success");
    b.close_writer();
    b.open_writer();

    expect_equal("orders", ids_of(rows), ids_of(b.list({})));
    for (const order& row : rows) expect_same("an order", row, b.find(id_of(row)));
    expect_equal("newest", newest, b.newest());
    expect(!value("find_cursor()", b.reader().find_cursor("relay")), "a cursor was left");
    expect(!value("was_applied()", b.writer().was_applied(bench::writer_name, b.sequence())),
           "was_applied() says that the failed write was applied");
    expect(value("was_applied()", b.writer().was_applied(bench::writer_name, sequence)),
           "was_applied() has forgotten the write before the failed one");

    const batch_outcome again = b.write(all);
    for (const auto& it : again.changes) {
        expect_ok("a change, written again", it);
        expect(!it.replayed, "the failed write left an idempotency key");
    }
    expect_equal("claimed", std::vector<std::string>{"B", "C", "D"},
                 ids_of(again.claims.front().orders));
}

// Orders in several statuses, a key, a cursor.
void fill(bench& b) {
    for (const char* id : {"A", "B", "C", "D", "E"}) b.created(id);
    b.done(b.leave(b.claimed("A"), "complete"));
    b.done(b.release(b.claimed("B"), b.now() + seconds(60)));
    b.claimed("C");
    b.done(with_key(b.raise("D", "cancel"), key(1, 1)));
    b.done(b.erase("E"));
    b.write(
        commit_cursor{"relay", "kit", feed_position{b.newest().epoch, 5}, b.now() + seconds(9)});
}

void everything_is_there_after_reopening(bench& b) {
    b.require_durable();
    fill(b);
    const auto rows = b.list({});
    const auto entries = b.feed();
    const statistics counted = b.count();
    const std::uint64_t last = b.sequence();
    b.close();
    b.open();
    expect(value("was_applied()", b.writer().was_applied(bench::writer_name, last)),
           "was_applied() has forgotten the last write");
    expect_equal("orders", ids_of(rows), ids_of(b.list({})));
    for (const order& row : rows) expect_same("an order", row, b.find(id_of(row)));
    const auto found = b.feed();
    expect_equal("entries", entries.size(), found.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        expect_equal("position: the epoch stays", entries[i].position, found[i].position);
        expect_same("an entry", entries[i].after, found[i].after);
    }
    expect_equal("completed", counted.completed, b.count().completed);
    const auto at = value("find_cursor()", b.reader().find_cursor("relay"));
    expect_equal("the cursor", std::uint64_t{5}, at ? at->offset : 0);
    expect_equal("the cursor's hold", make_error_code(errc::lease_lost),
                 b.write(commit_cursor{"relay", "other", {}, b.now() + seconds(9)}).ec);
    const auto replayed = b.write(with_key(b.raise("D", "cancel"), key(1, 1)));
    expect(replayed.replayed, "the idempotency key is gone");
    expect_refused("a deleted id", errc::already_exists, b.write(b.create("E")));
    b.advance(seconds(31));
    expect_equal("expired leases", std::size_t{1}, b.write(b.claim_of("w")).released);
    expect(b.created("F").number > rows.front().number, "numbers start again");
}

void second_storage_sees_everything(bench& b) {
    b.require_durable();
    fill(b);
    const auto other = b.harness().open();
    const auto beside = value("connecting", other->connect_reader());
    expect_equal("orders", ids_of(b.list({})), ids_of(value("list()", beside->list({})).orders));
    const order late = b.created("late");
    const std::vector<std::string> ids{"late"};
    expect_same("load()", late, value("load()", beside->load({ids, {}})).orders.front());
    expect_equal("newest", b.newest(), value("read_feed()", beside->read_feed({{}, 1})).newest);
}

constexpr std::size_t orders_in_a_write = 8;

// What one reader saw of a write: all orders carry the same text, and so does the rest.
void expect_whole(repository_reader& by, const std::vector<std::string>& ids) {
    const auto rows = value("load()", by.load({ids, {}})).orders;
    for (const auto& row : rows) {
        expect(row.has_value(), "an order is missing while others are edited");
        expect_equal("one read's orders, all edited in the same write", rows[0]->metadata,
                     row->metadata);
    }
    const auto listed = value("list()", by.list({}));
    expect_equal("orders listed", ids.size(), listed.orders.size());
    for (const order& row : listed.orders) {
        expect_equal("one page's orders, all edited in the same write", listed.orders[0].metadata,
                     row.metadata);
    }
    const auto page = value("read_feed()", by.read_feed({{}, 1}));
    expect_equal("entries beyond whole writes", std::uint64_t{0},
                 page.newest.offset % orders_in_a_write);
    std::uint64_t counted = 0;
    for (const status_count& it : value("count()", by.count()).orders) counted += it.orders;
    expect_equal("orders counted", std::uint64_t{ids.size()}, counted);
}

void readers_see_whole_writes(bench& b) {
    std::vector<std::string> ids;
    std::vector<change> changes;
    for (std::size_t i = 0; i < orders_in_a_write; ++i) {
        ids.push_back("c" + std::to_string(i));
        changes.push_back(b.create(ids.back()));
    }
    b.write(std::move(changes));

    std::atomic<bool> stop{false};
    std::atomic<int> reads{0};
    std::mutex mutex;
    std::string broke;
    const auto breaks = [&](std::string what) {
        const std::lock_guard lock(mutex);
        broke = std::move(what);
        stop = true;
    };
    const auto read = [&] {
        try {
            const auto own = value("connecting", b.orders().connect_reader());
            do {
                expect_whole(*own, ids);
                ++reads;
            } while (!stop);
        } catch (const broken& e) {
            breaks(e.what);
        } catch (const std::exception& e) {
            breaks(std::string("an exception came out of the storage: ") + e.what());
        }
    };
    {
        std::vector<std::jthread> readers;
        for (int i = 0; i < 2; ++i) readers.emplace_back(read);
        try {
            // Until there were writes beside many reads; a read takes as long as it takes.
            for (int i = 0; i < 100 || (reads < 100 && i < 5000); ++i) {
                if (stop) break;
                std::vector<change> edits;
                const std::string text = "{\"write\":" + std::to_string(i) + "}";
                for (const std::string& id : ids) edits.push_back(b.edit(id, text));
                b.write(std::move(edits));
            }
        } catch (...) {
            stop = true;
            throw;
        }
        stop = true;
    }
    if (!broke.empty()) fail(broke);
}

constexpr std::uint64_t creates_in_a_write = 4;

std::string killed_id(std::uint64_t round, std::uint64_t write, std::uint64_t i) {
    return "k" + std::to_string(round) + "-" + std::to_string(write) + "-" + std::to_string(i);
}

// Writes until killed; says so each time a write was answered.
void write_for_ever(bench& b, std::uint64_t round, channel& to_case) {
    b.sign_as(std::string(bench::writer_name));
    std::vector<claimed_order> held;
    for (std::uint64_t n = 0;; ++n) {
        batch all;
        for (const claimed_order& it : held) all.changes.push_back(b.leave(it, "complete"));
        for (std::uint64_t i = 0; i < creates_in_a_write; ++i) {
            all.changes.push_back(b.create(killed_id(round, n, i)));
        }
        all.claims = {b.claim_of("w", 2)};
        all.cursors = {{"relay", "kit", feed_position{1, n}, b.now() + seconds(30)}};
        batch_outcome out = b.write(all);
        for (const auto& it : out.changes) expect_ok("a change", it);
        held = std::move(out.claims.front().orders);
        to_case.send("answered");
    }
}

// How many writes were answered before the kill.
std::uint64_t write_and_be_killed(storage_harness& harness, std::uint64_t round,
                                  std::uint64_t kill_after) {
    shared_case alone{harness};
    process_group group(alone, 1, [round](bench& b, std::size_t, channel& to_case) {
        write_for_ever(b, round, to_case);
    });
    std::uint64_t answered = 0;
    while (group.next()) {
        if (++answered == kill_after) group.kill(0);
    }
    return answered;
}

void check_after_kill(bench& b, std::uint64_t round, std::uint64_t answered) {
    const auto present = [&](std::uint64_t write) {
        std::uint64_t found = 0;
        for (std::uint64_t i = 0; i < creates_in_a_write; ++i) {
            if (b.find(killed_id(round, write, i))) ++found;
        }
        return found;
    };
    for (std::uint64_t n = 0; n < answered; ++n) {
        expect_equal("orders of write " + show(n) + ", of " + show(answered) + " answered",
                     creates_in_a_write, present(n));
    }
    const std::uint64_t more = present(answered);
    expect(more == 0 || more == creates_in_a_write,
           "the write under way at the kill is there by half: " + show(more) + " of " +
               show(creates_in_a_write) + " orders");
    const std::uint64_t last = answered + (more > 0 ? 1 : 0);  // its sequence, too
    expect(value("was_applied()", b.writer().was_applied(bench::writer_name, last)),
           "was_applied() does not know the last write that is there");
    const auto at = value("find_cursor()", b.reader().find_cursor("relay"));
    expect_equal("the cursor", last - 1, at ? at->offset : ~std::uint64_t{0});
    b.check_invariants();
}

void killed_writer_loses_nothing(bench& b) {
    b.require_durable();
    seeded_random chance(20260615);
    for (std::uint64_t round = 0; round < 6; ++round) {
        b.close();  // nothing is open across the fork
        const std::uint64_t answered =
            write_and_be_killed(b.harness(), round, 1 + chance.next() % 60);
        b.open();
        try {
            check_after_kill(b, round, answered);
        } catch (broken& e) {
            e.what = "killed after " + show(answered) + " answered writes, in round " +
                     show(round) + ": " + e.what;
            throw;
        }
    }
}

constexpr entry entries[] = {
    {"a_failed_write_leaves_nothing", "A failure of write() means that nothing is durable.",
     failed_write_leaves_nothing},
    {"everything_is_there_after_reopening", "Orders are there after the process ended.",
     everything_is_there_after_reopening},
    {"a_second_storage_sees_everything", "Another process sees every write that was answered.",
     second_storage_sees_everything},
    {"readers_see_whole_writes", "A read sees the whole of each write or nothing of it.",
     readers_see_whole_writes},
    {"a_killed_writer_loses_nothing", "What was answered survives kill -9, whole.",
     killed_writer_loses_nothing},
};

}  // namespace

std::vector<storage_case> durability_cases() {
    return cases<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
