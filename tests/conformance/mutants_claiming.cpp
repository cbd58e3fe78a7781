// Mutants of claims and leases.

#include "mutants.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace mutants {
namespace {

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
                ends[std::string(it.value.id.view())] = all.claims[i].expires_at;
            }
        }
        return ok;
    };
}

// Takes back what a claim names as expired, whatever became of the lease since.
result<void> ends_leases_by_name(repository& inner, const write_params& all, write_results& out) {
    std::vector<claim> claims(all.claims.begin(), all.claims.end());
    write_params changed = all;
    changed.claims = claims;
    if (!claims.empty() && !claims.front().expired.empty()) {
        std::vector<claim> look{claims.front()};
        look.front().expired.clear();
        look.front().probe.limit = 100;
        look.front().limit = 0;
        std::vector<claim_outcome> seen(1);
        write_params first = all;
        first.changes = {};
        first.cursors = {};
        first.claims = look;
        write_results results{{}, seen, {}};
        if (auto ok = inner.write(first, results); !ok) return ok;
        claims.front().expired = seen.front().doubtful;
    }
    return inner.write(changed, out);
}

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
    {"a hand-over is a renewal", "a_handed_over_lease_waits_for_an_answer",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* renew = std::get_if<renew_lease>(&it.action)) renew->handed_over.reset();
         };
     }},
    {"lost lease stops the batch", "a_refused_finish_changes_nothing_beside_it",
     [](hooks& h) { h.write = stops_at_a_refusal; }},
    {"due by the latest clock", "a_clock_that_steps_back_ends_no_lease",
     [](hooks& h) {
         h.write_in = [latest = timestamp::min()](write_copy& it) mutable {
             latest = it.now = std::max(latest, it.now);
         };
     }},
    {"the probe does not look", "a_lease_of_a_clock_ahead_is_found",
     [](hooks& h) { h.claim_in = [](claim& it) { it.probe.limit = 0; }; }},
    {"the probe begins again each time", "a_lease_of_a_clock_ahead_is_found",
     [](hooks& h) { h.claim_in = [](claim& it) { it.probe.active = {}; }; }},
    {"leases are twice as long", "a_lease_of_a_clock_ahead_is_found",
     [](hooks& h) { h.claim_in = [](claim& it) { it.lease *= 2; }; }},
    {"leases named as expired stay", "a_lease_of_a_clock_ahead_ends_when_named",
     [](hooks& h) { h.claim_in = [](claim& it) { it.expired.clear(); }; }},
    {"leases end by name alone", "a_lease_of_a_clock_ahead_ends_when_named",
     [](hooks& h) { h.write = ends_leases_by_name; }},
    {"back-off does not double", "the_backoff_of_lapses_doubles",
     [](hooks& h) {
         h.claim_in = [claims = 0](claim& it) mutable { it.expiry_backoff /= 1 << (claims++ / 2); };
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
     [](hooks& h) { h.claim_in = [](claim& it) { it.expiry_backoff *= 0; }; }},
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
             for (auto& it : out.orders) it.isolated = false;
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
    {"a back-off is taken for a delay asked for", "a_back_off_of_a_clock_ahead_is_over",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it)) move->backoff = {};
         };
     }},
    {"a delay asked for is taken for a back-off", "a_back_off_of_a_clock_ahead_is_over",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* move = moving(it)) move->backoff = std::chrono::seconds(1);
         };
     }},
    {"the probe stops at what is not due", "what_was_queued_before_a_step_back_is_reached",
     [](hooks& h) { h.claim_in = [](claim& it) { it.probe.waiting = {}; }; }},
    {"no more after a step back", "what_was_queued_before_a_step_back_is_reached",
     [](hooks& h) { h.claim_out = [](claim_outcome& out) { out.more = false; }; }},
    {"claims before changes", "claims_see_the_changes_before_them",
     [](hooks& h) { h.write = claims_first; }},
};

}  // namespace

std::vector<mutant> claiming_mutants() {
    return all_of({leases, claims});
}

}  // namespace mutants
