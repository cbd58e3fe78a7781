#include "storage/kv/lists.hpp"

#include <orderproc/codec.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace kv {

namespace {

using visitor = std::function<bool(const list_position& at, order& it)>;

// Keys of an index that are read before the orders behind them are: a walk cannot read others.
constexpr std::size_t step_size = 128;

constexpr std::string_view zero{"\0", 1};  // a key and this: what follows the key

struct bounds {
    std::string from, until;

    // Leaves what comes behind the key, in the direction of the list.
    void go_on_after(const std::string& key, bool descending) {
        if (descending) {
            until = std::min(until, key);
        } else {
            from = std::max(from, bytes(std::string_view(key), zero));
        }
    }
};

void walk_by_creation(tables& in, const list_params& params, const visitor& visit) {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
    bounds of{bytes(params.created_from.value_or(timestamp::min()), lowest),
              bytes(params.created_until.value_or(timestamp::max()), lowest)};
    if (params.after) {
        of.go_on_after(bytes(params.after->at, params.after->number), params.descending);
    }
    in.walk(kv_table::orders, {of.from, of.until, params.descending},
            [&](std::string_view, std::string_view row) {
                auto it = decode_stored_order(row);
                if (!it) {
                    in.fail(it.error());
                    return false;
                }
                return visit({it->value.created_at, it->value.number}, it->value);
            });
}

// A list by an index, whose values are the keys of the orders.
template <class Position>
void walk_index(tables& in, kv_table index, bounds of, const list_params& params,
                const Position& position_of, const visitor& visit) {
    std::vector<std::pair<std::string, std::string>> step;
    do {
        step.clear();
        in.walk(index, {of.from, of.until, params.descending},
                [&](std::string_view key, std::string_view place) {
                    step.emplace_back(key, place);
                    return step.size() < step_size;
                });
        for (auto& [key, place] : step) {
            auto it = in.order_at(std::move(place));
            if (!it) continue;  // it was deleted
            if (!visit(position_of(std::string_view(key), it->value), it->value)) return;
        }
        if (!step.empty()) of.go_on_after(step.back().first, params.descending);
    } while (step.size() == step_size);
}

void walk_by_id(tables& in, const list_params& params, const visitor& visit) {
    const std::string behind_all(kv_key_size_max, '\xff');
    bounds of{params.id_prefix.empty() ? std::string(zero) : std::string(params.id_prefix),
              end_of_prefix(params.id_prefix).value_or(behind_all)};
    if (params.after) of.go_on_after(params.after->id, params.descending);
    walk_index(
        in, kv_table::ids, std::move(of), params,
        [](std::string_view key, const order&) {
            return list_position{{}, 0, std::string(key)};
        },
        visit);
}

void walk_by_due_time(tables& in, const list_params& params, const visitor& visit) {
    const std::string_view status = params.statuses.front().view();
    const std::string before = bytes(status, zero);
    bounds of{before, bytes(status, std::string_view("\1", 1))};
    if (params.after) {
        of.go_on_after(bytes(std::string_view(before), params.after->at, params.after->number),
                       params.descending);
    }
    walk_index(
        in, kv_table::due, std::move(of), params,
        [&](std::string_view key, const order&) {
            parts left{key.substr(before.size())};
            const timestamp due_at = left.time();
            return list_position{due_at, left.signed_number()};
        },
        visit);
}

// Of one value by creation, of a range by value.
void walk_by_value(tables& in, const list_params& params, const visitor& visit) {
    const index_condition& wanted = *params.index;
    const bool by_value = params.sort == list_sort::index;
    bounds of{index_key(wanted.slot, wanted.from),
              *end_of_prefix(index_key(wanted.slot, wanted.to))};
    if (params.after) {
        const std::string_view value = by_value ? params.after->value : wanted.from;
        of.go_on_after(index_key(wanted.slot, value, params.after->number), params.descending);
    }
    walk_index(
        in, kv_table::index, std::move(of), params,
        [&](std::string_view key, const order& it) {
            list_position out{it.created_at, it.number};
            if (by_value) out.value = parts{key.substr(1)}.value();
            return out;
        },
        visit);
}

}  // namespace

void walk_list(tables& in, const list_params& params, const visitor& visit) {
    if (params.index) return walk_by_value(in, params, visit);
    switch (params.sort) {
        case list_sort::order_id:
            return walk_by_id(in, params, visit);
        case list_sort::due_at:
            return walk_by_due_time(in, params, visit);
        case list_sort::created_at:
        case list_sort::index:  // with a condition
            return walk_by_creation(in, params, visit);
    }
}

}  // namespace kv
}  // namespace detail
}  // namespace v1
}  // namespace orderproc
