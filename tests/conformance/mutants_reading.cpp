// Mutants of reading and lasting.

#include "mutants.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

namespace mutants {
namespace {

// A first write of several edits comes in halves, with a read of somebody else's in between.
class torn_write {
public:
    static void make(hooks& h) {
        const auto self = std::make_shared<torn_write>();
        h.load_in = [self](auto&, auto&) { self->begins(); };
        h.load_out = [self](auto&) { self->ends(); };
        h.list_in = [self](auto&) { self->begins(); };
        h.list_out = [self](auto&) { self->ends(); };
        h.write = [self](repository& inner, const write_params& all, write_results& out) {
            return self->write(inner, all, out);
        };
    }

private:
    void begins() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !closed_; });
        ++reading_;
    }
    void ends() {
        const std::lock_guard lock(mutex_);
        --reading_;
        ++ended_;
        changed_.notify_all();
    }
    result<void> write(repository& inner, const write_params& all, write_results& out) {
        if (torn_ || all.changes.size() < 2 ||
            !std::holds_alternative<edit_order>(all.changes[0].action)) {
            return inner.write(all, out);
        }
        torn_ = true;
        std::unique_lock lock(mutex_);
        closed_ = true;  // nobody reads beside the first half, so that the next one sees it
        changed_.wait(lock, [this] { return reading_ == 0; });
        const std::size_t half = all.changes.size() / 2;
        write_results first{out.changes.first(half), {}, {}};
        if (auto ok = inner.write(part(all, 0, half), first); !ok) return ok;
        closed_ = false;
        changed_.notify_all();
        changed_.wait(lock, [this, before = ended_] { return ended_ > before; });
        lock.unlock();
        write_params rest = all;
        rest.changes = all.changes.subspan(half);
        write_results second{out.changes.subspan(half), out.claims, out.cursors, out.records,
                             out.purges};
        return inner.write(rest, second);
    }

    bool torn_ = false;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool closed_ = false;
    int reading_ = 0;
    std::uint64_t ended_ = 0;
};

const mutant reading[] = {
    {"position of load() behind", "rows_come_with_their_position",
     [](hooks& h) { h.load_out = [](loaded_orders& it) { --it.newest.offset; }; }},
    {"position of list() ahead", "rows_come_with_their_position",
     [](hooks& h) { h.list_out = [](order_page& it) { ++it.newest.offset; }; }},
    {"oldest due not counted", "the_oldest_due_order_is_counted",
     [](hooks& h) {
         h.count_out = [](statistics& it) {
             for (status_count& row : it.orders) row.oldest_due_at.reset();
         };
     }},
    {"oldest due counted late", "the_oldest_due_order_is_counted",
     [](hooks& h) {
         h.count_out = [](statistics& it) {
             for (status_count& row : it.orders) {
                 if (row.oldest_due_at) *row.oldest_due_at += std::chrono::milliseconds(1);
             }
         };
     }},
    {"worker's entries without a trace", "history_tells_all",
     [](hooks& h) {
         h.history_out = [](std::vector<journal_entry>& all) {
             for (journal_entry& it : all) {
                 if (it.actor == "worker") it.traceparent.clear();
             }
         };
     }},
    {"page repeats", "pages_downwards_are_stable",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) ++it.after->number;
         };
     }},
    {"page skips", "pages_downwards_are_stable",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) --it.after->number;
         };
     }},
    {"page repeats upwards", "pages_upwards_are_stable",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) --it.after->number;
         };
     }},
    {"position ignores the number", "pages_follow_the_filters",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) it.after->number = it.descending ? 0 : 1'000'000;
         };
     }},
    {"always newest first", "pages_follow_the_filters",
     [](hooks& h) { h.list_in = [](list_params& it) { it.descending = true; }; }},
    {"until inclusive", "pages_follow_the_filters",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.created_until) *it.created_until += std::chrono::milliseconds(1);
         };
     }},
    {"from exclusive", "pages_follow_the_filters",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.created_from) *it.created_from += std::chrono::milliseconds(1);
         };
     }},
    {"one status of several", "pages_follow_the_filters",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.statuses.size() > 1) it.statuses = it.statuses.first(1);
         };
     }},
    {"user ignored in lists", "pages_follow_the_filters",
     [](hooks& h) { h.list_in = [](list_params& it) { it.scope.user.reset(); }; }},
    {"user ignored in lists of a tenant", "lists_stay_within_their_scope",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.scope.tenant) it.scope.user.reset();
         };
     }},
    {"tenant ignored in lists", "lists_stay_within_their_scope",
     [](hooks& h) { h.list_in = [](list_params& it) { it.scope.tenant.reset(); }; }},
    {"tenant ignored by load", "load_stays_within_its_scope",
     [](hooks& h) { h.load_in = [](auto&, auto& scope) { scope.tenant.reset(); }; }},
    {"guests are anybody", "load_stays_within_its_scope",
     [](hooks& h) {
         h.load_in = [](auto&, auto& scope) {
             if (scope.user == "") scope.user.reset();
         };
     }},
    {"user ignored by histories", "histories_stay_within_their_scope",
     [](hooks& h) { h.history_in = [](history_params& it) { it.scope.user.reset(); }; }},
    {"tenant ignored by histories", "histories_stay_within_their_scope",
     [](hooks& h) { h.history_in = [](history_params& it) { it.scope.tenant.reset(); }; }},
    {"histories judged by their first entry", "histories_stay_within_their_scope",
     [](hooks& h) {
         h.history_in = [](history_params& it) {
             if (it.scope.user == "2") it.scope.user = "u-1";
         };
     }},
    {"users are numbers", "users_of_every_kind_are_told_apart",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.scope.user == "01") it.scope.user = "1";
         };
     }},
    {"attributes lost in rows", "content_of_every_kind_is_kept",
     [](hooks& h) {
         h.load_out = [](auto& rows) {
             for (auto& it : rows.orders) {
                 if (it) it->attributes.clear();
             }
         };
     }},
    {"lines lost in pages", "content_of_every_kind_is_kept",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             for (order& it : page.orders) it.lines.clear();
         };
     }},
    {"annotations lost in histories", "content_of_every_kind_is_kept",
     [](hooks& h) {
         h.history_out = [](auto& entries) {
             for (auto& it : entries) it.after.annotations.clear();
         };
     }},
    {"limit ignored in lists", "pages_follow_the_filters",
     [](hooks& h) { h.list_in = [](list_params& it) { it.limit += 1; }; }},
    {"last page says there is another", "a_full_last_page_is_the_last",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             if (page.orders.empty()) return;
             page.next = {page.orders.back().created_at, page.orders.back().number};
         };
     }},
    {"page ends at a deleted order", "a_page_goes_on_after_a_deleted_order",
     [](hooks& h) {
         h.list_out = [last = std::int64_t{0}](order_page& page) mutable {
             if (last > 0 && page.orders.size() == 4) page.orders.clear();
             if (page.next) last = page.next->number;
         };
     }},
    {"load backwards", "load_keeps_the_order_of_the_ids",
     [](hooks& h) {
         h.load_out = [](auto& rows) { std::reverse(rows.orders.begin(), rows.orders.end()); };
     }},
    {"load closes gaps", "load_keeps_the_order_of_the_ids",
     [](hooks& h) {
         h.load_out = [](auto& rows) { std::erase_if(rows.orders, [](auto& it) { return !it; }); };
     }},
    {"load ignores the user", "load_keeps_the_order_of_the_ids",
     [](hooks& h) { h.load_in = [](auto&, auto& scope) { scope.user.reset(); }; }},
    {"load of a thousand at most", "many_orders_are_loaded_at_once",
     [](hooks& h) {
         h.load_in = [](auto& ids, auto&) { ids.resize(std::min<std::size_t>(ids.size(), 1000)); };
     }},
    {"no history after a delete", "a_deleted_order_leaves_its_history",
     [](hooks& h) {
         h.history_out = [](auto& entries) {
             if (!entries.empty() && entries.back().event == "delete") entries.clear();
         };
     }},
    {"history always from the start", "history_tells_all",
     [](hooks& h) { h.history_in = [](history_params& it) { it.after = order_version{0}; }; }},
    {"history shows the present", "history_tells_all",
     [](hooks& h) {
         h.history_out = [](auto& entries) {
             for (auto& it : entries) it.after = entries.back().after;
         };
     }},
    {"counts drift", "counts_are_those_of_the_table",
     [](hooks& h) {
         h.count_out = [](statistics& it) {
             for (auto& [status, size, due] : it.orders) size += size > 20 ? 1 : 0;
         };
     }},
    {"a status not counted", "counts_are_those_of_the_table",
     [](hooks& h) { h.count_out = [](statistics& it) { it.orders.pop_back(); }; }},
    {"counts drift unnoticed by the case", "a_created_order_is_stored_as_sent",
     [](hooks& h) {
         h.count_out = [](statistics& it) {
             for (auto& [status, size, due] : it.orders) ++size;
         };
     }},
    {"reader sees the past", "a_reader_sees_answered_writes",
     [](hooks& h) { h.connects_once = true; }},
};

const mutant feeds[] = {
    {"feed skips an entry", "positions_have_no_gaps",
     [](hooks& h) {
         h.feed_out = [](feed_page& page) {
             std::erase_if(page.entries, [](auto& it) { return it.position.offset == 3; });
         };
     }},
    {"feed in another order", "the_feed_and_histories_agree",
     [](hooks& h) {
         h.feed_out = [](feed_page& page) {
             auto& e = page.entries;
             if (e.size() < 4) return;
             std::swap(e[1], e[2]);
             std::swap(e[1].position, e[2].position);
         };
     }},
    {"feed repeats at a page", "pages_of_the_feed_join",
     [](hooks& h) {
         h.feed_in = [](feed_params& it) {
             if (it.after.offset % 3 == 2) --it.after.offset;
         };
     }},
    {"other epoch not noticed", "an_unknown_position_resets",
     [](hooks& h) { h.feed_in = [](feed_params& it) { it.after.epoch = 1; }; }},
    {"beyond the newest not noticed", "an_unknown_position_resets",
     [](hooks& h) {
         h.feed_out = [](feed_page& page) {
             if (page.entries.empty()) page.reset = false;
         };
     }},
    {"beginning of another epoch is a reset", "an_unknown_position_resets",
     [](hooks& h) {
         h.feed_in = [](feed_params& it) {
             if (it.after.epoch > 1 && it.after.offset == 0) it.after.offset = 1;
         };
     }},
    {"entries take the present epoch", "epochs_form_a_chain",
     [](hooks& h) {
         h.feed_out = [](feed_page& page) {
             for (journal_entry& it : page.entries) it.position.epoch = page.newest.epoch;
         };
     }},
    {"histories take the first epoch", "epochs_form_a_chain",
     [](hooks& h) {
         h.history_out = [](std::vector<journal_entry>& all) {
             for (journal_entry& it : all) it.position.epoch = 1;
         };
     }},
    {"an epoch has no end", "epochs_form_a_chain",
     [](hooks& h) {
         h.feed_out = [](feed_page& page) {
             if (page.newest.epoch > 1 && page.newest.offset > 8) page.reset = false;
         };
     }},
    {"an epoch is forgotten", "an_epoch_is_new",
     [](hooks& h) {
         h.feed_in = [](feed_params& it) {
             if (it.after.epoch == 2) it.after.epoch = 99;
         };
     }},
    {"any epoch will do", "an_epoch_is_new",
     [](hooks& h) {
         h.rotate = [](repository& inner, std::uint64_t epoch) -> result<void> {
             auto done = inner.rotate_epoch(epoch);
             if (!done && epoch == 0) return {};
             return done;
         };
     }},
    {"newest is late", "positions_have_no_gaps",
     [](hooks& h) {
         h.feed_out = [](feed_page& page) {
             if (page.newest.offset > 0) --page.newest.offset;
         };
     }},
    {"limit ignored in the feed", "pages_of_the_feed_join",
     [](hooks& h) { h.feed_in = [](feed_params& it) { ++it.limit; }; }},
    {"an entry's order is the present one", "the_feed_and_histories_agree",
     [](hooks& h) {
         h.feed_out = [](feed_page& page) {
             for (auto& it : page.entries) it.after.status = "PENDING";
         };
     }},
    {"holds named as expired stay", "a_cursor_of_a_clock_ahead_is_taken",
     [](hooks& h) { h.cursor_in = [](commit_cursor& it, timestamp) { it.expired.reset(); }; }},
    {"cursor stolen", "a_cursor_has_one_owner",
     [](hooks& h) { h.cursor_in = [](commit_cursor& it, timestamp) { it.owner = "any"; }; }},
    {"cursor never expires", "a_cursor_expires",
     [](hooks& h) {
         h.cursor_in = [](commit_cursor& it, timestamp) { it.expires_at += std::chrono::hours(1); };
     }},
    {"cursor not held", "a_cursor_has_one_owner",
     [](hooks& h) { h.cursor_in = [](commit_cursor& it, timestamp now) { it.expires_at = now; }; }},
    {"cursor not let go", "a_cursor_is_let_go",
     [](hooks& h) {
         h.cursor_in = [](commit_cursor& it, timestamp now) {
             it.expires_at = std::max(it.expires_at, now + std::chrono::seconds(1));
         };
     }},
    {"cursor does not move", "a_cursor_is_taken_and_moved",
     [](hooks& h) { h.cursor_in = [](commit_cursor& it, timestamp) { it.to.reset(); }; }},
    {"one cursor for all", "cursors_are_apart",
     [](hooks& h) { h.cursor_in = [](commit_cursor& it, timestamp) { it.name = "relay"; }; }},
    {"cursor out of nothing", "a_cursor_is_taken_and_moved",
     [](hooks& h) { h.cursor_out = [](auto& at) {
                        at = at.value_or(feed_position{1, 0});
                    }; }},
    {"cursors in any order", "cursors_are_listed",
     [](hooks& h) { h.cursors_out = [](auto& all) { std::reverse(all.begin(), all.end()); }; }},
    {"a cursor is not listed", "cursors_are_listed",
     [](hooks& h) {
         h.cursors_out = [](auto& all) {
             if (!all.empty()) all.pop_back();
         };
     }},
};

const mutant lasting[] = {
    {"failed write done by half", "a_failed_write_leaves_nothing",
     [](hooks& h) {
         h.failing_write = [](repository& inner, const write_params& all) {
             std::vector<change_outcome> outcomes(1);
             write_results results{outcomes, {}, {}};
             (void)inner.write(part(all, 0, 1), results);
         };
     }},
    {"failed write counts as the last", "a_failed_write_leaves_nothing",
     [](hooks& h) {
         h.failing_write = [](repository& inner, const write_params& all) {
             const commit_cursor other{"another", "mutant", std::nullopt, all.now};
             cursor_outcome outcome;
             write_params only = part(all, 0, 0);
             only.cursors = {&other, 1};
             write_results results{{}, {}, {&outcome, 1}};
             (void)inner.write(only, results);
         };
     }},
    {"failed write moves the cursor", "a_failed_write_leaves_nothing",
     [](hooks& h) {
         h.failing_write = [](repository& inner, const write_params& all) {
             std::vector<cursor_outcome> outcomes(all.cursors.size());
             write_params only = part(all, 0, 0);
             only.cursors = all.cursors;
             only.sequence -= 1;
             write_results results{{}, {}, outcomes};
             (void)inner.write(only, results);
         };
     }},
    {"torn write", "readers_see_whole_writes", torn_write::make},
    {"forgets", "everything_is_there_after_reopening",
     [](hooks& h) { h.durable = h.forgets = true; }},
    {"another epoch after reopening", "everything_is_there_after_reopening",
     [](hooks& h) { h.durable = h.new_epoch = true; }},
    {"other processes see nothing", "a_second_storage_sees_everything",
     [](hooks& h) { h.durable = h.forgets = true; }},
    {"not durable, but says so", "a_killed_writer_loses_nothing",
     [](hooks& h) { h.durable = true; }},
    {"a storage for each process", "two_writers_take_turns", [](hooks& h) { h.durable = true; }},
    {"a storage for each process", "nothing_appears_late", [](hooks& h) { h.durable = true; }},
    {"a storage for each process", "a_claim_is_nobody_elses", [](hooks& h) { h.durable = true; }},
};

}  // namespace

std::vector<mutant> reading_mutants() {
    return all_of({reading, feeds, lasting});
}

}  // namespace mutants
