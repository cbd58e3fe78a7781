// Mutants of writing: changes, idempotency keys, claims.

#include "mutants.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace mutants {
namespace {

move_order* moving(change& it) {
    return std::get_if<move_order>(&it.action);
}

bool creating(const change& it) {
    return std::holds_alternative<create_order>(it.action);
}

std::optional<order> row(repository& from, const std::string& id) {
    const std::vector ids{id};
    return from.load({ids, {}}).value().orders.front();
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

// Refuses, once the lease is over, what holders of it raise of that kind.
auto ends_leases_by_the_clock(bool renewals) {
    return [renewals, ends = std::map<std::string, timestamp>()](
               repository& inner, const write_params& all, write_results& out) mutable {
        for (std::size_t i = 0; i < all.changes.size(); ++i) {
            const change& it = all.changes[i];
            const auto known = ends.find(it.order);
            if (!it.lease || renewals != (it.event == "renew") || known == ends.end() ||
                all.now < known->second) {
                continue;
            }
            out.changes[i].ec = errc::lease_lost;
            return result<void>();
        }
        auto ok = inner.write(all, out);
        for (std::size_t i = 0; i < all.claims.size(); ++i) {
            for (const claimed_order& it : out.claims[i].orders) {
                ends[std::string(it.value.id->view())] = all.claims[i].expires_at;
            }
        }
        return ok;
    };
}

result<void> refuses_nothing_to_do(repository& inner, const write_params& all, write_results& out) {
    if (all.changes.empty() && all.claims.empty() && all.cursors.empty()) {
        return errc::invalid_argument;
    }
    return inner.write(all, out);
}

const mutant changing[] = {
    {"missing order refused otherwise", "a_missing_order_is_not_found",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             if (out.ec == errc::not_found) out.ec = errc::transition_rejected;
         };
     }},
    {"edit keeps the items", "an_edit_replaces_what_clients_may_set",
     [](hooks& h) {
         h.change_in = [](change& it, repository& inner) {
             auto* edit = std::get_if<edit_order>(&it.action);
             if (edit) edit->item_ids = row(inner, it.order).value().item_ids;
         };
     }},
    {"retry of a waiting order does nothing", "a_retry_of_a_waiting_order_makes_it_due",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it); move && it.event == "retry") move->queued = false;
         };
     }},
    {"nothing to do is refused", "an_empty_write_succeeds",
     [](hooks& h) { h.write = refuses_nothing_to_do; }},
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
    {"attempts ignored by edits", "an_edit_after_an_attempt_is_refused",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             const bool waits = out.after && out.after->status == order_status("PENDING");
             if (it.event == "edit" && waits) out.ec = {};
         };
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

const mutant leases[] = {
    {"finished twice", "the_holder_of_a_lease_finishes",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             auto* move = moving(it);
             if (!move || !it.lease) return;
             it.lease.reset();
             move->repeatable = true;
         };
     }},
    {"expired lease does not finish", "an_expired_lease_may_still_finish",
     [](hooks& h) { h.write = ends_leases_by_the_clock(false); }},
    {"expired lease is not renewed", "an_expired_lease_may_be_renewed",
     [](hooks& h) { h.write = ends_leases_by_the_clock(true); }},
    {"lost lease stops the batch", "a_refused_finish_changes_nothing_beside_it",
     [](hooks& h) { h.write = stops_at_a_refusal; }},
    {"due by the latest clock", "a_clock_that_steps_back_ends_no_lease",
     [](hooks& h) {
         h.write_in = [latest = timestamp::min()](write_copy& it) mutable {
             latest = it.now = std::max(latest, it.now);
         };
     }},
    {"back-off does not double", "the_backoff_of_lapses_doubles",
     [](hooks& h) {
         h.claim_in = [claims = 0](claim& it) mutable { it.lapse_backoff /= 1 << (claims++ / 2); };
     }},
};

const mutant keys[] = {
    {"nothing forgotten", "old_keys_are_forgotten",
     [](hooks& h) { h.write_in = [](write_copy& it) { it.forget_max = 0; }; }},
    {"all forgotten at once", "old_keys_are_forgotten",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             if (it.forget_max > 0) it.forget_max = 1000;
         };
     }},
    {"young keys forgotten", "young_keys_are_kept",
     [](hooks& h) { h.write_in = [](write_copy& it) { it.forget_before = timestamp::max(); }; }},
    {"keys forgotten unasked", "young_keys_are_kept",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             if (it.forget_max == 0) it.forget_before = it.now;
             it.forget_max = 10;
         };
     }},
    {"writers remembered for ever", "old_writers_are_forgotten",
     [](hooks& h) {
         h.applied = [](std::string& writer, auto, bool& answer) {
             answer = answer || writer == "kit";
         };
     }},
    {"nothing journaled", "changes_say_what_they_journaled",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             out.journaled = false;
         };
     }},
    {"all journaled", "changes_say_what_they_journaled",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             out.journaled = !out.ec;
         };
     }},
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
         h.claim_in = [](claim& it) {
             static const work_stage packing{"PAID",   "pack",        "PACKING",
                                             "unpack", "pack_failed", "STUCK"};
             it.stage = &packing;
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
             for (auto& it : out.orders) it.apart = false;
         };
     }},
    {"suspect beside others", "a_suspect_is_handed_out_alone",
     [](hooks& h) { h.write = fills_up_claims; }},
    {"suspect after others", "a_suspect_stops_the_claim_before_it",
     [](hooks& h) { h.write = fills_up_claims; }},
    {"trace not handed out", "due_orders_are_handed_out",
     [](hooks& h) {
         h.claim_out = [](claim_outcome& out) {
             for (auto& it : out.orders) it.traceparent.clear();
         };
     }},
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

}  // namespace

std::vector<mutant> writing_mutants() {
    return all_of({changing, leases, keys, claims});
}

}  // namespace mutants
