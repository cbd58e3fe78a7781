// Mutants of purges.

#include "mutants.hpp"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>

namespace mutants {
namespace {

template <auto Change>
void hurt_purge(hooks& h) {
    h.write_in = [](write_copy& it) {
        for (purge_orders& each : it.purges) Change(each, it);
    };
}

result<void> purges_first(repository& inner, const write_params& all, write_results& out) {
    write_params rest = all;
    rest.purges = {};
    if (!all.purges.empty()) {
        write_params only = part(all, 0, 0);
        only.purges = all.purges;
        only.sequence -= 1;
        write_results purged;
        purged.purges = out.purges;
        if (auto ok = inner.write(only, purged); !ok) return ok;
    }
    return inner.write(rest, out);
}

const mutant purges[] = {
    {"nothing goes", "settled_orders_go_whole",
     hurt_purge<[](purge_orders& it, write_copy&) { it.before = {}; }>},
    {"ids are free again", "settled_orders_go_whole",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             if (creating(it) && out.ec && !out.after) out.ec = {};
         };
     }},
    {"orders are counted twice", "settled_orders_go_whole",
     [](hooks& h) { h.purge_out = [](purge_outcome& it, repository&) { it.orders *= 2; }; }},
    {"histories begin at the floor", "open_orders_keep_their_history",
     [](hooks& h) {
         h.history_out = [](std::vector<journal_entry>& all) {
             if (all.size() > 1) all.erase(all.begin());
         };
     }},
    {"no reset below the floor", "the_feed_begins_at_the_floor",
     [](hooks& h) { h.feed_out = [](feed_page& it) { it.reset = false; }; }},
    {"the beginning is the floor", "the_feed_begins_at_the_floor",
     [](hooks& h) {
         h.feed_out = [](feed_page& it) {
             if (it.reset) it.oldest.offset = 0;
         };
     }},
    {"keys may be younger", "a_purge_stops_at_its_time",
     [](hooks& h) { h.write_in = [](write_copy& it) { it.forget_before = it.now; }; }},
    {"time is inclusive", "a_purge_stops_at_its_time",
     hurt_purge<[](purge_orders& it, write_copy& all) {
         it.before += std::chrono::milliseconds(1);
         all.forget_before += std::chrono::milliseconds(1);
     }>},
    {"limit ignored", "purges_go_on",
     hurt_purge<[](purge_orders& it, write_copy&) { it.limit = 1000; }>},
    {"never more", "purges_go_on",
     [](hooks& h) { h.purge_out = [](purge_outcome& it, repository&) { it.more = false; }; }},
    {"cursors hold nothing", "cursors_hold_a_purge_back",
     hurt_purge<[](purge_orders& it, write_copy&) { it.hold_max = std::chrono::minutes(1); }>},
    {"holder not named", "cursors_hold_a_purge_back",
     [](hooks& h) { h.purge_out = [](purge_outcome& it, repository&) { it.held_by.clear(); }; }},
    {"cursors hold for ever", "a_cursor_that_stands_still_holds_nothing",
     hurt_purge<[](purge_orders& it, write_copy&) { it.hold_max *= 1000; }>},
    {"a cursor that stood still goes on", "a_cursor_that_stands_still_holds_nothing",
     [](hooks& h) { h.feed_out = [](feed_page& it) { it.reset = false; }; }},
    {"idle cursors hold nothing", "a_cursor_that_had_nothing_to_pass_holds",
     hurt_purge<[](purge_orders& it, write_copy&) { it.hold_max /= 1000; }>},
    {"replayed without an answer", "a_key_of_what_was_purged_is_not_found",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             if (it.idempotency_key && out.ec == errc::not_found) out.replayed = true;
         };
     }},
    {"purges come first", "a_purge_sees_the_rest_of_the_write",
     [](hooks& h) { h.write = purges_first; }},
    {"purged by itself", "a_purge_is_part_of_the_write",
     [](hooks& h) {
         h.failing_write = [](repository& inner, const write_params& all) {
             std::vector<purge_outcome> outcomes(all.purges.size());
             write_params only = part(all, 0, 0);
             only.purges = all.purges;
             only.sequence -= 1;
             write_results results;
             results.purges = outcomes;
             (void)inner.write(only, results);
         };
     }},
    {"long purges end early", "random_purges_answer_as_memory_does",
     hurt_purge<[](purge_orders& it, write_copy&) {
         it.limit = std::min<std::size_t>(it.limit, 25);
     }>},
    {"forgets", "a_purge_is_for_good", [](hooks& h) { h.durable = h.forgets = true; }},
};

}  // namespace

std::vector<mutant> purge_mutants() {
    return all_of({purges});
}

}  // namespace mutants
