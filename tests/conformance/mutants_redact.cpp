// Mutants of annotations, redactions, records about an order, and of what a write depends on.

#include "mutants.hpp"

#include <string>
#include <variant>
#include <vector>

namespace mutants {
namespace {

const order_status initial[] = {"PENDING"};

bool annotating(const change& it) {
    return std::holds_alternative<annotate_order>(it.action);
}

bool redacting(const change& it) {
    return std::holds_alternative<redact_order>(it.action);
}

bool is_there(const std::string& id, repository& inner) {
    const std::vector<std::string> ids{id};
    return inner.load({ids, {}}).value().orders.front().has_value();
}

const mutant annotations[] = {
    {"who works on an order keeps others from it", "an_annotation_disturbs_no_work",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) { it.unleased = it.unleased || annotating(it); };
     }},
    {"an annotation has no version", "an_annotation_disturbs_no_work",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             if (!annotating(it) || out.ec) return;
             const auto version = static_cast<std::uint64_t>(out.after->version);
             out.after->version = order_version{version - 1};
         };
     }},
    {"annotated orders are never due", "an_annotated_order_is_due_as_before",
     [](hooks& h) {
         h.claim_out = [](claim_outcome& out) {
             std::erase_if(out.orders,
                           [](const auto& it) { return !it.value.annotations.empty(); });
         };
     }},
    {"settled orders are not annotated", "annotations_change_in_every_status",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (annotating(it)) it.from = initial;
         };
     }},
};

const mutant redactions[] = {
    {"the first entry keeps what is personal", "a_redaction_takes_out_what_is_personal",
     [](hooks& h) {
         h.history_out = [](std::vector<journal_entry>& all) {
             if (!all.empty()) all.front().after.metadata = R"({"name":"Ann"})";
         };
     }},
    {"attributes are never personal", "a_redaction_takes_out_what_is_personal",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (redacting(it)) it.model = nullptr;
         };
     }},
    {"entries go", "a_redaction_takes_out_what_is_personal",
     [](hooks& h) {
         h.history_out = [](std::vector<journal_entry>& all) {
             if (!all.empty() && all.back().event == "redact") all.erase(all.begin());
         };
     }},
    {"open orders are redacted", "open_orders_are_not_redacted",
     [](hooks& h) {
         h.change_out = [](const change& it, change_outcome& out, repository&) {
             if (redacting(it) && out.ec == errc::transition_rejected) out.ec = {};
         };
     }},
    {"deleted orders are not found", "deleted_orders_are_redacted",
     [](hooks& h) {
         h.change_in = [](change& it, repository& inner) {
             if (redacting(it) && !is_there(it.order, inner)) it.order = "none";
         };
     }},
    {"deleted orders of others are redacted", "deleted_orders_are_redacted",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (redacting(it)) it.scope = {};
         };
     }},
    {"a replay remembers", "replays_give_the_redacted_order",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) {
             if (out.replayed) out.after->metadata = R"({"name":"Ann"})";
         };
     }},
    {"records stay", "a_redaction_takes_records",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (redacting(it)) it.action = annotate_order{};
         };
     }},
    {"records have no order", "a_redaction_takes_records",
     [](hooks& h) { h.record_in = [](change_record& it, repository&) { it.order.clear(); }; }},
    {"a deletion is the last entry", "redacted_orders_are_purged",
     [](hooks& h) {
         h.history_out = [](std::vector<journal_entry>& all) {
             if (!all.empty() && all.back().event == "redact")
                 all.erase(all.begin(), all.end() - 1);
         };
     }},
    {"records about purged orders stay", "a_purge_takes_records",
     [](hooks& h) {
         h.record_in = [](change_record& it, repository&) {
             if (it.order != "C") it.order += '-';
         };
     }},
};

const mutant guards[] = {
    {"what a write depends on is ignored", "a_guard_holds_a_write_back",
     [](hooks& h) { h.write_in = [](write_copy& it) { it.guard.reset(); }; }},
    {"a record that is not there has any version", "a_guard_holds_a_write_back",
     [](hooks& h) {
         h.write = [](repository& inner, const write_params& all, write_results& out) {
             write_params any = all;
             const auto found =
                 all.guard ? inner.find_record({all.guard->collection, all.guard->key}).value()
                           : std::nullopt;
             if (!found) any.guard.reset();
             return inner.write(any, out);
         };
     }},
};

}  // namespace

std::vector<mutant> redact_mutants() {
    return all_of({annotations, redactions, guards});
}

}  // namespace mutants
