// Mutants of writing: changes and idempotency keys.

#include "mutants.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace mutants {
namespace {

std::optional<order> row(repository& from, const std::string& id) {
    const std::vector ids{id};
    return from.load({ids, {}}).value().orders.front();
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
             if (edit) edit->content.item_ids = row(inner, it.order).value().item_ids;
         };
     }},
    {"retry of a waiting order does nothing", "a_retry_of_a_waiting_order_makes_it_due",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it); move && it.event == "retry") move->queued = false;
         };
     }},
    {"the last of many large orders is cut", "many_large_orders_are_kept_whole",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             if (it.changes.size() < 512) return;
             std::get<create_order>(it.changes.back().action).value.metadata = "{}";
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
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.scope.user.reset(); }; }},
    {"tenant ignored", "another_tenants_order_is_not_found",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.scope.tenant.reset(); }; }},
    {"edit forgets the annotations", "an_edit_replaces_content_of_every_kind",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             auto* edit = std::get_if<edit_order>(&it.action);
             if (edit) edit->content.annotations.clear();
         };
     }},
    {"edit moves an order to another tenant", "an_edit_replaces_content_of_every_kind",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             auto* edit = std::get_if<edit_order>(&it.action);
             if (edit) edit->content.tenant.clear();
         };
     }},
    {"ids end at 64 bytes", "ids_of_every_kind_are_kept",
     [](hooks& h) {
         h.load_in = [](std::vector<std::string>& ids, auto&) {
             for (std::string& id : ids) id.resize(std::min<std::size_t>(id.size(), 64));
         };
     }},
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
    {"keys aged by the latest clock", "keys_of_a_clock_ahead_are_forgotten",
     [](hooks& h) {
         h.write_in = [latest = timestamp::min()](write_copy& it) mutable {
             latest = it.now = std::max(latest, it.now);
         };
     }},
    {"keys ahead of the clock forgotten at once", "keys_of_a_clock_ahead_are_forgotten",
     [](hooks& h) {
         h.write_in = [](write_copy& it) {
             if (it.forget_max > 0) it.forget_before = it.now + std::chrono::hours(1);
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
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.idempotency_key.reset(); }; }},
    {"body not compared", "a_key_with_another_body_is_refused",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (it.idempotency_key) it.idempotency_key->body = {};
         };
     }},
    {"half of a key compared", "keys_differ_in_every_byte",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (it.idempotency_key)
                 std::fill(it.idempotency_key->key.begin() + 8, it.idempotency_key->key.end(),
                           std::byte{});
         };
     }},
    {"key stored on refusal", "a_refused_change_stores_no_key",
     [](hooks& h) {
         h.change_out = [refused = std::set<digest>()](const change& it, change_outcome& out,
                                                       repository&) mutable {
             if (it.idempotency_key && refused.contains(it.idempotency_key->key))
                 out.replayed = true;
             if (it.idempotency_key && out.ec) refused.insert(it.idempotency_key->key);
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
             if (it.event == "retry") it.idempotency_key.reset();
         };
     }},
    {"state judged before the key", "a_key_is_looked_up_before_the_state",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             if (out.replayed && it.version) out.ec = errc::version_conflict;
         };
     }},
    {"looked up is removed", "a_key_is_looked_up_by_itself",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (std::holds_alternative<look_up_key>(it.action)) it.action = remove_order{};
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

}  // namespace

std::vector<mutant> writing_mutants() {
    return all_of({changing, keys});
}

}  // namespace mutants
