// Mutants of orders that are found by their values, of values that are unique, and of pages that
// end early.

#include "mutants.hpp"

#include <algorithm>
#include <string>
#include <variant>
#include <vector>

namespace mutants {
namespace {

// A change of this kind sets no index entries.
template <class Action>
void keeps_entries(hooks& h) {
    h.change_in = [](change& it, repository&) {
        if (std::holds_alternative<Action>(it.action)) it.model = nullptr;
    };
}

const mutant lists[] = {
    {"an edit leaves index entries as they are", "orders_are_found_by_their_values",
     keeps_entries<edit_order>},
    {"an annotation leaves index entries as they are", "orders_are_found_by_their_values",
     keeps_entries<annotate_order>},
    {"statuses ignored by a list of a value", "a_value_is_listed_by_creation",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.index) it.statuses = {};
         };
     }},
    {"a list of a value always downwards", "a_value_is_listed_by_creation",
     [](hooks& h) {
         h.list_in = [](list_params& it) { it.descending = it.descending || it.index; };
     }},
    {"a value is a prefix", "a_value_is_listed_by_creation",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.index && it.index->from == it.index->to) it.index->to += '\xff';
         };
     }},
    {"a tenant's orders are looked for among all", "a_tenant_is_listed_by_its_index",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::created_at) it.index.reset();
         };
     }},
    {"a range ends before its end", "a_range_is_listed_by_value",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::index) it.index->to.pop_back();
         };
     }},
    {"tenants ignored by a list of a range", "a_range_is_listed_by_value",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::index) it.scope.tenant.reset();
         };
     }},
    {"equal values skipped by the next page", "pages_of_values_are_stable",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) it.after->number = 1'000'000;
         };
     }},
    {"equal values repeated by the next page", "pages_of_values_are_stable",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) it.after->number -= 2;
         };
     }},
    {"there are never more values", "totals_count_values",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             if (page.total) page.total->more = false;
         };
     }},
    {"an empty page is the last", "a_short_page_goes_on",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             if (page.orders.empty()) page.next.reset();
         };
     }},
    {"an empty page of values is the last", "a_short_page_of_values_goes_on",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             if (page.orders.empty()) page.next.reset();
         };
     }},
    {"a count that ends early is whole", "a_short_page_of_values_goes_on",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             if (page.total) page.total->more = false;
         };
     }},
    {"a purged order is found", "a_purge_takes_index_entries",
     [](hooks& h) { h.write_in = [](write_copy& it) { it.purges.clear(); }; }},
    {"a refresh takes the index away", "an_index_is_refreshed", keeps_entries<index_order>},
    {"a refresh is a change", "an_index_is_refreshed",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (!std::holds_alternative<index_order>(it.action)) return;
             it.action = annotate_order{};
             it.event = "annotate";
         };
     }},
};

const mutant uniques[] = {
    {"values of new orders are not looked for", "a_unique_value_is_refused",
     keeps_entries<create_order>},
    {"values of edits are not looked for", "a_unique_value_is_refused", keeps_entries<edit_order>},
    {"which value is taken remains a secret", "a_unique_value_is_refused",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository&) { out.taken = 0; };
     }},
    {"the holder is shown to everybody", "a_unique_value_is_refused",
     [](hooks& h) {
         h.change_out = [](const change&, change_outcome& out, repository& inner) {
             const std::vector<std::string> ids{"A"};
             if (out.ec != errc::attribute_taken || out.after) return;
             out.after = inner.load({ids, {}}).value().orders.front();
         };
     }},
    {"annotations are indexed later", "random_writes_under_a_model_answer_as_memory_does",
     keeps_entries<annotate_order>},
    {"a value is taken for good", "a_unique_value_is_free_again", keeps_entries<edit_order>},
    {"a key is no excuse", "a_replay_comes_before_a_taken_value",
     [](hooks& h) { h.change_in = [](change& it, repository&) { it.idempotency_key.reset(); }; }},
    {"a refusal is remembered", "a_replay_comes_before_a_taken_value",
     [](hooks& h) {
         h.change_out = [refused = std::vector<digest>()](const change& it, change_outcome& out,
                                                          repository&) mutable {
             if (!it.idempotency_key) return;
             const digest& key = it.idempotency_key->key;
             if (out.ec == errc::attribute_taken) refused.push_back(key);
             const bool known = std::find(refused.begin(), refused.end(), key) != refused.end();
             if (known) out.ec = errc::attribute_taken;
         };
     }},
    {"a value is unique across tenants", "a_value_is_unique_within_its_tenant",
     [](hooks& h) {
         h.change_in = [](change& it, repository&) {
             if (auto* made = std::get_if<create_order>(&it.action)) made->value.tenant = "north";
         };
     }},
    {"a connection knows its own values", "unique_values_outlive_connections",
     keeps_entries<create_order>},
};

}  // namespace

std::vector<mutant> index_mutants() {
    return all_of({lists, uniques});
}

}  // namespace mutants
