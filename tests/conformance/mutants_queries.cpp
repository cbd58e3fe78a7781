// Mutants of the sorts of lists, totals, and times in the feed.

#include "mutants.hpp"

#include <chrono>
#include <string>
#include <string_view>

namespace mutants {
namespace {

const mutant sorts[] = {
    {"ids in the order of creation", "pages_are_sorted_by_id",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::order_id) it.sort = list_sort::created_at;
         };
     }},
    {"ids always upwards", "pages_are_sorted_by_id",
     [](hooks& h) { h.list_in = [](list_params& it) { it.descending = false; }; }},
    {"prefix ignored by a list by id", "pages_are_sorted_by_id",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::order_id) it.id_prefix = {};
         };
     }},
    {"a prefix has one order at most", "pages_are_sorted_by_id",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.id_prefix == "p58x") it.id_prefix = "p5";
         };
     }},
    {"statuses ignored by a list by id", "pages_are_sorted_by_id",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::order_id) it.statuses = {};
         };
     }},
    {"prefix ignored by a list by creation", "a_prefix_selects_in_every_sort",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::created_at) it.id_prefix = {};
         };
     }},
    {"a page by id ends at a deleted order", "pages_by_id_are_stable",
     [](hooks& h) {
         h.list_out = [last = std::string()](order_page& page) mutable {
             if (!last.empty()) page.next.reset();
             if (page.next) last = page.next->id;
         };
     }},
    {"a page by id repeats", "pages_by_id_are_stable",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after && !it.after->id.empty()) it.after->id.back() -= 2;
         };
     }},
    {"due times in the order of creation", "pages_are_sorted_by_due_time",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.sort == list_sort::due_at) it.sort = list_sort::created_at;
         };
     }},
    {"ties of due times skipped", "pages_are_sorted_by_due_time",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) it.after->number = it.descending ? 0 : 1'000'000;
         };
     }},
    {"ties of due times repeated", "pages_are_sorted_by_due_time",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.after) it.after->number += it.descending ? 1 : -1;
         };
     }},
    {"user ignored by a list by due time", "pages_are_sorted_by_due_time",
     [](hooks& h) { h.list_in = [](list_params& it) { it.scope.user.reset(); }; }},
};

const mutant totals[] = {
    {"a page is the total", "totals_are_those_of_the_list",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             if (page.total) page.total = list_total{page.orders.size(), page.next.has_value()};
         };
     }},
    {"counted further than asked", "totals_are_those_of_the_list",
     [](hooks& h) { h.list_in = [](list_params& it) { it.count_max *= 2; }; }},
    {"there are never more", "totals_are_those_of_the_list",
     [](hooks& h) {
         h.list_out = [](order_page& page) {
             if (page.total) page.total->more = false;
         };
     }},
    {"a full count has more", "totals_are_those_of_the_list",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.count_max > 1) --it.count_max;
         };
         h.list_out = [](order_page& page) {
             if (page.total && page.total->more) ++page.total->orders;
         };
     }},
    {"counted though not asked", "totals_are_those_of_the_list",
     [](hooks& h) {
         h.list_in = [](list_params& it) {
             if (it.count_max == 0) it.count_max = 1;
         };
     }},
    {"deleted orders were never created", "creations_are_counted",
     [](hooks& h) {
         h.count_out = [](statistics& it) {
             it.created = 0;
             for (const status_count& row : it.orders) it.created += row.orders;
         };
     }},
};

const mutant times[] = {
    {"entries of the moment itself are left out", "a_time_is_found_in_the_feed",
     [](hooks& h) {
         h.position_in = [](timestamp& at) {
             if (at < timestamp::max()) at += std::chrono::milliseconds(1);
         };
     }},
    {"one entry too many", "a_time_is_found_in_the_feed",
     [](hooks& h) {
         h.position_out = [](feed_position& it) {
             if (it.offset > 0) --it.offset;
         };
     }},
    {"always the beginning", "a_time_is_found_in_the_feed",
     [](hooks& h) { h.position_out = [](feed_position& it) { it.offset = 0; }; }},
    {"the place has the first epoch", "a_time_is_found_in_the_feed",
     [](hooks& h) { h.position_out = [](feed_position& it) { it.epoch = 1; }; }},
};

}  // namespace

std::vector<mutant> query_mutants() {
    return all_of({sorts, totals, times});
}

}  // namespace mutants
