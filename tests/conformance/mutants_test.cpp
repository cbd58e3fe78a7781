// A check that cannot fail proves nothing: storages that break one promise each, and the case
// that has to notice.

#include "mutant_storage.hpp"

#include <orderproc/testing/storage_cases.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <thread>

namespace mutants {
namespace {

struct mutant {
    const char* name;
    const char* noticed_by;
    void (*make)(hooks& h);
};
std::ostream& operator<<(std::ostream& out, const mutant& it) {
    return out << it.name;
}

const testing::storage_case& find_case(std::string_view name) {
    for (const auto& it : testing::storage_cases()) {
        if (it.name == name) return it;
    }
    throw std::invalid_argument("no case " + std::string(name));
}

move_order* moving(change& it) {
    return std::get_if<move_order>(&it.action);
}

bool creating(const change& it) {
    return std::holds_alternative<create_order>(it.action);
}

std::optional<order> row(repository& from, const std::string& id) {
    const std::vector ids{id};
    return from.load({ids, {}}).value().front();
}

// Part of a write, and nothing of the rest.
write_params part(const write_params& of, std::size_t first, std::size_t size) {
    write_params out = of;
    out.changes = of.changes.subspan(first, size);
    out.claims = {};
    out.cursors = {};
    return out;
}

// The changes in two writes, then the rest.
result<void> torn_write(repository& inner, const write_params& all, write_results& out) {
    const std::size_t half = all.changes.size() / 2;
    write_results first{out.changes.first(half), {}, {}};
    if (auto ok = inner.write(part(all, 0, half), first); !ok) return ok;
    std::this_thread::yield();
    write_params rest = all;
    rest.changes = all.changes.subspan(half);
    write_results second{out.changes.subspan(half), out.claims, out.cursors};
    return inner.write(rest, second);
}

result<void> stops_at_a_refusal(repository& inner, const write_params& all, write_results& out) {
    for (std::size_t i = 0; i < all.changes.size(); ++i) {
        write_results one{out.changes.subspan(i, 1), {}, {}};
        if (auto ok = inner.write(part(all, i, 1), one); !ok) return ok;
        if (!out.changes[i].ec) continue;
        for (auto& it : out.changes.subspan(i + 1)) it.ec = errc::unavailable;
        break;
    }
    return {};
}

result<void> claims_first(repository& inner, const write_params& all, write_results& out) {
    write_params claims = all;
    claims.changes = {};
    write_results claimed{{}, out.claims, out.cursors};
    if (auto ok = inner.write(claims, claimed); !ok) return ok;
    write_results changed{out.changes, {}, {}};
    return inner.write(part(all, 0, all.changes.size()), changed);
}

// Goes on claiming where a selection stopped.
result<void> fills_up_claims(repository& inner, const write_params& all, write_results& out) {
    if (auto ok = inner.write(all, out); !ok) return ok;
    while (!out.claims.empty() && out.claims[0].more && !out.claims[0].orders.empty()) {
        std::vector<claim_outcome> more(all.claims.size());
        write_params again = all;
        again.changes = {};
        again.cursors = {};
        write_results results{{}, more, {}};
        if (auto ok = inner.write(again, results); !ok) return ok;
        auto& orders = out.claims[0].orders;
        orders.insert(orders.end(), more[0].orders.begin(), more[0].orders.end());
        out.claims[0].more = more[0].more;
    }
    return {};
}

const mutant changing[] = {
    {"fence ignored", "a_lost_lease_finishes_nothing",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.lease.reset(); }; }},
    {"fence ignored, ended lease", "a_status_move_ends_the_lease",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) { it.lease.reset(), it.from = {}; };
     }},
    {"fence by the worker, not the claim", "a_token_is_not_guessed",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (it.lease) it.lease = lease_token{1};
         };
     }},
    {"version ignored", "a_stale_version_is_refused",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.version.reset(); }; }},
    {"user ignored", "another_users_order_is_not_found",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.user_id.reset(); }; }},
    {"lease ignored by clients", "an_order_being_worked_on_is_left_alone",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) { it.unleased = false, it.from = {}; };
     }},
    {"status ignored", "a_move_from_a_wrong_status_is_refused",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.from = {}; }; }},
    {"repeating refused", "what_is_there_already_changes_nothing",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it)) move->repeatable = false;
         };
     }},
    {"repeating makes an entry", "what_is_there_already_changes_nothing",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (moving(it)) it.from = {};
         };
     }},
    {"metadata cut", "the_largest_order_is_kept_whole",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             auto* create = std::get_if<create_order>(&it.action);
             if (create && create->value.metadata.size() > 4000) {
                 create->value.metadata.resize(4000);
             }
         };
     }},
    {"items sorted", "a_created_order_is_stored_as_sent",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             auto* create = std::get_if<create_order>(&it.action);
             if (create) std::sort(create->value.item_ids.begin(), create->value.item_ids.end());
         };
     }},
    {"traceparent lost", "words_are_kept_byte_for_byte",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.traceparent.clear(); }; }},
    {"actor lost", "history_tells_all",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.actor = "me"; }; }},
    {"reason lost", "words_are_kept_byte_for_byte",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it)) move->reason.clear();
         };
     }},
    {"renewing ignored", "renewing_makes_no_entry",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* renew = std::get_if<renew_lease>(&it.action)) {
                 renew->expires_at = timestamp{};
             }
         };
     }},
    {"last_error lost", "a_move_sets_and_keeps",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it)) move->last_error = "";
         };
     }},
    {"completion not counted", "statistics_count_work_that_was_done",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it)) move->completes = false;
         };
     }},
    {"duplicate accepted", "a_duplicate_id_is_refused",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             if (out.ec == errc::already_exists) out.ec = {};
         };
     }},
    {"deleted id free again", "a_deleted_id_stays_taken",
     [](hooks& h) {
         h.change_in = [](change& it, repository& inner) {
             const auto past = inner.history({it.order, order_version{0}, 9}).value();
             if (!creating(it) || past.empty() || past.back().event != "delete") return;
             it.order += "_";
             std::get<create_order>(it.action).value.id = order_id::parse(it.order).value();
         };
     }},
    {"number given twice", "numbers_ascend_and_are_never_given_twice",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             if (out.after) out.after->number = 1;
         };
     }},
    {"refusing order not shown", "a_duplicate_id_is_refused",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             if (out.ec) out.after.reset();
         };
     }},
    {"another's order shown", "a_duplicate_of_anothers_order_is_not_shown",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository& inner) {
             if (out.ec) out.after = row(inner, it.order);
         };
     }},
    {"time runs backwards", "time_never_runs_backwards",
     [](hooks& h) {
         h.time_out = [](change_outcome& out, timestamp now) {
             if (out.after) out.after->updated_at = now;
         };
     }},
    {"ids without case", "ids_are_told_apart_by_case_and_end",
     [](hooks& h) {
         h.load_in = [](std::vector<std::string>& ids, auto&) {
             if (ids[0] == "aBc") ids[0] = "abc";
         };
     }},
    {"refusal stops the batch", "each_change_of_a_batch_stands_alone",
     [](hooks& h) { h.write = stops_at_a_refusal; }},
};

const mutant keys[] = {
    {"key not stored", "a_replay_is_the_first_answer",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.once.reset(); }; }},
    {"body not compared", "a_key_with_another_body_is_refused",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (it.once) it.once->body = {};
         };
     }},
    {"half of a key compared", "keys_differ_in_every_byte",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (it.once) std::fill(it.once->key.begin() + 8, it.once->key.end(), std::byte{});
         };
     }},
    {"key stored on refusal", "a_refused_change_stores_no_key",
     [](hooks& h) {
         h.change_out = [refused = std::set<digest>()](const change& it, change_outcome& out,
                                                       repository&) mutable {
             if (it.once && refused.contains(it.once->key)) out.replayed = true;
             if (it.once && out.ec) refused.insert(it.once->key);
         };
     }},
    {"replay answers with the present", "a_replay_is_the_first_answer_after_later_changes",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository& inner) {
             if (out.replayed) out.after = row(inner, it.order);
         };
     }},
    {"replay of a delete not found", "a_delete_is_replayed",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             if (out.replayed && it.event == "delete") out.ec = errc::not_found;
         };
     }},
    {"key of an unchanged order not stored", "a_success_without_an_entry_is_replayed",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (it.event == "retry") it.once.reset();
         };
     }},
    {"state judged before the key", "a_key_is_looked_up_before_the_state",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             if (out.replayed && it.version) out.ec = errc::version_conflict;
         };
     }},
    {"replay not called one", "replays_and_new_changes_share_a_batch",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             out.replayed = false;
         };
     }},
    {"was_applied always true", "was_applied_knows_the_last_write",
     [](hooks& h) { h.applied = [](auto&, auto, bool& answer) { answer = true; }; }},
    {"was_applied never true", "was_applied_knows_the_last_write",
     [](hooks& h) { h.applied = [](auto&, auto, bool& answer) { answer = false; }; }},
    {"was_applied of any writer", "each_writer_has_its_sequence",
     [](hooks& h) {
         h.write_in = [](write_copy& it) { it.writer = "all"; };
         h.applied = [](std::string& writer, auto, bool&) { writer = "all"; };
     }},
    {"was_applied up to the last", "was_applied_knows_the_last_write",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             if (it.sequence == 2) it.sequence = 1;
         };
     }},
};

const mutant claims[] = {
    {"not-before ignored", "nothing_is_claimed_before_it_is_due",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it)) move->next_attempt_at.reset();
         };
     }},
    {"waiting order never due", "due_orders_are_handed_out",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (creating(it)) std::get<create_order>(it.action).queued = false;
         };
     }},
    {"lease never expires", "an_expired_lease_comes_back",
     [](hooks& h) { h.claim_in = [](claim& it) { it.expires_at += std::chrono::hours(24); }; }},
    {"exhausted handed out", "an_exhausted_order_fails",
     [](hooks& h) { h.claim_in = [](claim& it) { it.attempts_max = 1000; }; }},
    {"one attempt too many", "random_writes_answer_as_memory_does",
     [](hooks& h) { h.claim_in = [](claim& it) { ++it.attempts_max; }; }},
    {"no back-off", "an_expired_lease_comes_back",
     [](hooks& h) { h.claim_in = [](claim& it) { it.lapse_backoff *= 0; }; }},
    {"names ignored", "named_orders_only",
     [](hooks& h) { h.claim_in = [](claim& it) { it.only.clear(); }; }},
    {"limit ignored", "the_limit_of_a_claim_is_kept",
     [](hooks& h) { h.claim_in = [](claim& it) { it.limit = 1000; }; }},
    {"limit ignores what expired", "the_limit_counts_all_that_is_touched",
     [](hooks& h) { h.claim_in = [](claim& it) { it.limit += it.limit == 2 ? 1 : 0; }; }},
    {"always the first stage", "stages_are_claimed_apart",
     [](hooks& h) {
         h.claim_in = [first = std::optional<work_stage>()](claim& it) mutable {
             static work_stage kept;
             if (!first)
                 first = kept =
                     work_stage{"PAID", "pack", "PACKING", "unpack", "pack_failed", "STUCK"};
             it.stage = &kept;
         };
     }},
    {"worker not kept", "claims_of_a_write_share_nothing",
     [](hooks& h) { h.claim_in = [](claim& it) { it.worker_id = "w-1"; }; }},
    {"attempt not counted", "due_orders_are_handed_out",
     [](hooks& h) {
         h.claim_out = [](claim_outcome& out) {
             for (auto& it : out.orders) it.value.attempts -= 1;
         };
     }},
    {"token does not grow", "a_released_lease_is_not_taken_up_again",
     [](hooks& h) {
         h.claim_out = [](claim_outcome& out) {
             for (auto& it : out.orders) it.lease = lease_token{1};
         };
     }},
    {"suspect not marked", "a_suspect_is_handed_out_alone",
     [](hooks& h) {
         h.claim_out = [](claim_outcome& out) {
             for (auto& it : out.orders) it.alone = false;
         };
     }},
    {"suspect beside others", "a_suspect_is_handed_out_alone",
     [](hooks& h) { h.write = fills_up_claims; }},
    {"suspect after others", "a_suspect_stops_the_claim_before_it",
     [](hooks& h) { h.write = fills_up_claims; }},
    {"backwards", "due_orders_come_in_order",
     [](hooks& h) {
         h.claim_out = [](claim_outcome& out) {
             std::reverse(out.orders.begin(), out.orders.end());
         };
     }},
    {"next_due left out", "nothing_is_claimed_before_it_is_due",
     [](hooks& h) { h.claim_out = [](claim_outcome& out) { out.next_due.reset(); }; }},
    {"next_due late", "an_expired_lease_comes_back",
     [](hooks& h) {
         h.claim_out = [](claim_outcome& out) {
             if (out.next_due) *out.next_due += std::chrono::milliseconds(1);
         };
     }},
    {"next_due out of nothing", "nothing_to_claim_is_a_success",
     [](hooks& h) { h.claim_out = [](claim_outcome& out) { out.next_due = timestamp{}; }; }},
    {"never more", "many_due_orders_are_claimed_once",
     [](hooks& h) { h.claim_out = [](claim_outcome& out) { out.more = false; }; }},
    {"always more", "the_limit_of_a_claim_is_kept",
     [](hooks& h) { h.claim_out = [](claim_outcome& out) { out.more = true; }; }},
    {"claims before changes", "claims_see_the_changes_before_them",
     [](hooks& h) { h.write = claims_first; }},
};

const mutant reading[] = {
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
     [](hooks& h) { h.list_in = [](list_params& it) { it.user_id.reset(); }; }},
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
     [](hooks& h) { h.load_out = [](auto& rows) { std::reverse(rows.begin(), rows.end()); }; }},
    {"load closes gaps", "load_keeps_the_order_of_the_ids",
     [](hooks& h) {
         h.load_out = [](auto& rows) { std::erase_if(rows, [](auto& it) { return !it; }); };
     }},
    {"load ignores the user", "load_keeps_the_order_of_the_ids",
     [](hooks& h) { h.load_in = [](auto&, auto& user) { user.reset(); }; }},
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
             for (auto& [status, size] : it.orders) size += size > 20 ? 1 : 0;
         };
     }},
    {"a status not counted", "counts_are_those_of_the_table",
     [](hooks& h) { h.count_out = [](statistics& it) { it.orders.pop_back(); }; }},
    {"counts drift unnoticed by the case", "a_created_order_is_stored_as_sent",
     [](hooks& h) {
         h.count_out = [](statistics& it) {
             for (auto& [status, size] : it.orders) ++size;
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
    {"cursor stolen", "a_cursor_has_one_owner",
     [](hooks& h) { h.cursor_in = [](cursor_move& it, timestamp) { it.owner = "any"; }; }},
    {"cursor never expires", "a_cursor_expires",
     [](hooks& h) {
         h.cursor_in = [](cursor_move& it, timestamp) { it.expires_at += std::chrono::hours(1); };
     }},
    {"cursor not held", "a_cursor_has_one_owner",
     [](hooks& h) { h.cursor_in = [](cursor_move& it, timestamp now) { it.expires_at = now; }; }},
    {"cursor not let go", "a_cursor_is_let_go",
     [](hooks& h) {
         h.cursor_in = [](cursor_move& it, timestamp now) {
             it.expires_at = std::max(it.expires_at, now + std::chrono::seconds(1));
         };
     }},
    {"cursor does not move", "a_cursor_is_taken_and_moved",
     [](hooks& h) { h.cursor_in = [](cursor_move& it, timestamp) { it.to.reset(); }; }},
    {"one cursor for all", "cursors_are_apart",
     [](hooks& h) { h.cursor_in = [](cursor_move& it, timestamp) { it.name = "relay"; }; }},
    {"cursor out of nothing", "a_cursor_is_taken_and_moved",
     [](hooks& h) { h.cursor_out = [](auto& at) {
                        at = at.value_or(feed_position{1, 0});
                    }; }},
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
             write_results results;
             (void)inner.write(part(all, 0, 0), results);
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
    {"torn write", "readers_see_whole_writes", [](hooks& h) { h.write = torn_write; }},
    {"forgets", "everything_is_there_after_reopening",
     [](hooks& h) { h.durable = h.forgets = true; }},
    {"another epoch after reopening", "everything_is_there_after_reopening",
     [](hooks& h) { h.durable = h.new_epoch = true; }},
    {"other processes see nothing", "a_second_storage_sees_everything",
     [](hooks& h) { h.durable = h.forgets = true; }},
    {"not durable, but says so", "a_killed_writer_loses_nothing",
     [](hooks& h) { h.durable = true; }},
};

std::vector<mutant> all() {
    std::vector<mutant> out;
    for (const std::span<const mutant> some :
         {std::span<const mutant>(changing), std::span<const mutant>(keys),
          std::span<const mutant>(claims), std::span<const mutant>(reading),
          std::span<const mutant>(feeds), std::span<const mutant>(lasting)}) {
        out.insert(out.end(), some.begin(), some.end());
    }
    return out;
}

// Why the case failed; none if it did not notice.
std::optional<std::string> run(const testing::storage_case& what, hooks with) {
    mutant_harness harness(std::move(with));
    try {
        what.run(harness);
    } catch (const testing::case_failed& failed) {
        return failed.what();
    }
    return std::nullopt;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_mutant_is_noticed, boost::unit_test::data::make(all()), it) {
    hooks with;
    it.make(with);
    const auto noticed = run(find_case(it.noticed_by), std::move(with));
    BOOST_TEST(noticed.has_value(), it.noticed_by << " does not notice: " << it.name);
    if (noticed) BOOST_TEST_MESSAGE(it.name << ": " << *noticed);
}

BOOST_AUTO_TEST_CASE(without_a_mutation_nothing_is_noticed) {
    for (const auto& it : testing::storage_cases()) {
        if (it.name == "a_killed_writer_loses_nothing") continue;  // memory dies with its process
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

BOOST_AUTO_TEST_CASE(a_failure_says_what_where_and_which_case) {
    hooks with;
    with.change_in = [](change& it, repository&) { it.version.reset(); };
    const auto noticed = run(find_case("a_stale_version_is_refused"), std::move(with));
    BOOST_TEST_REQUIRE(noticed.has_value());
    BOOST_TEST(*noticed ==
               "A change is a compare-and-set on the version it names.\n"
               "  an edit of a version that has passed: expected \"the order has another "
               "version\", found success\n"
               "  (case a_stale_version_is_refused)");
}

}  // namespace mutants
