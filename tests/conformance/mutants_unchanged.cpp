// Mutants of writes that change nothing.

#include "mutants.hpp"

#include <optional>
#include <string>
#include <vector>

namespace mutants {
namespace {

std::optional<order> find(repository& from, const std::string& id) {
    const std::vector ids{id};
    return from.load({ids, {}}).value().orders.front();
}

// The time of a write becomes the latest, whatever the write did.
result<void> records_every_time(repository& inner, const write_params& all, write_results& out) {
    const commit_cursor mark{"mark", "mutant", std::nullopt, all.now};
    cursor_outcome outcome;
    write_params only = part(all, 0, 0);
    only.cursors = {&mark, 1};
    write_results results{{}, {}, {&outcome, 1}};
    if (auto ok = inner.write(only, results); !ok) return ok;
    return inner.write(all, out);
}

// The same, if nothing but a claim was asked for.
result<void> records_times_of_claims(repository& inner, const write_params& all,
                                     write_results& out) {
    return all.changes.empty() && !all.claims.empty() ? records_every_time(inner, all, out)
                                                      : inner.write(all, out);
}

const mutant unchanged[] = {
    {"every write moves the time", "a_write_that_changes_nothing_moves_no_time",
     [](hooks& h) { h.write = records_every_time; }},
    {"an idle claim moves the time", "a_write_that_changes_nothing_moves_no_time",
     [](hooks& h) { h.write = records_times_of_claims; }},
    {"mismatch shows the order", "a_mismatch_shows_no_order",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository& inner) {
             if (out.ec == errc::idempotency_mismatch) out.after = find(inner, it.order);
         };
     }},
};

}  // namespace

std::vector<mutant> unchanged_mutants() {
    return all_of({unchanged});
}

}  // namespace mutants
