#ifndef ORDERPROC_TESTS_UNIT_PLANNER_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_PLANNER_FIXTURE_HPP

// A write, and a database in memory that is asked what the planner wants to know.

#include "claim_fixture.hpp"
#include "storage/plan/planner.hpp"

#include <orderproc/testing/builders.hpp>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace planner_fixture {

using namespace claim_fixture;
namespace plan = orderproc::detail::plan;

// A write and its results.
struct writing {
    std::vector<change> changes = {};
    std::vector<claim> claims = {};
    std::vector<commit_cursor> cursors = {};
    std::vector<change_record> records = {};
    std::vector<purge_orders> purges = {};
    timestamp at = now;

    write_params params() const {
        write_params out{at, "test", 1, changes, claims, cursors};
        out.forget_before = at;
        out.records = records;
        out.purges = purges;
        return out;
    }
};

// The database: everything that there is, of which each write is given what it asks for.
struct database {
    plan::totals sums;
    std::vector<stored_order> orders = {};
    std::vector<std::string> buried = {};
    std::map<digest, plan::used_key> keys = {};
    std::map<std::string, stored_cursor, std::less<>> cursors = {};
    std::vector<plan::walked_entry> walk = {};
    std::map<plan::record_name, record> records = {};
    std::map<std::string, std::vector<order>, std::less<>> entries = {};
    std::map<std::string, std::vector<plan::record_name>, std::less<>> about = {};

    std::int64_t add(std::string_view id, stored_order it) {
        it.value.id = order_id::parse(id).value();
        it.value.number = ++sums.number;
        auto& status = sums.statuses[it.value.status];
        ++status.orders;
        if (it.due_at) status.due_from = std::min(status.due_from, *it.due_at);
        orders.push_back(std::move(it));
        return sums.number;
    }

    std::vector<due_position> behind(order_status status, due_position after,
                                     std::size_t limit) const {
        std::vector<due_position> out;
        for (const stored_order& it : orders) {
            if (it.value.status != status || !it.due_at) continue;
            const due_position place{*it.due_at, it.value.number};
            if (place > after) out.push_back(place);
        }
        std::sort(out.begin(), out.end());
        if (out.size() > limit) out.resize(limit);
        return out;
    }

    plan::found_rows answer(const write_params& params) const {
        const plan::read_set wanted = plan::reads_of(params);
        const timestamp stamp = write_time(params.now, sums.stamp).stamp;
        plan::found_rows out;
        out.sums = sums;
        out.epochs = {{7, 1}};
        for (const std::string& id : wanted.redacted) {
            if (const auto of = entries.find(id); of != entries.end()) out.entries.insert(*of);
            if (const auto of = about.find(id); of != about.end()) out.about.insert(*of);
        }
        for (const plan::record_name& it : wanted.records) {
            if (const auto found = records.find(it); found != records.end()) {
                out.records.insert(*found);
            }
        }
        std::vector<std::int64_t> numbers;
        for (const plan::due_prefix& it : wanted.due) {
            auto& places = out.due[it.status] = behind(it.status, {}, it.rows);
            for (const due_position& place : places) {
                if (place.due_at <= stamp) numbers.push_back(place.number);
            }
        }
        for (const stored_order& it : orders) {
            const std::string id(it.value.id.view());
            if (std::count(wanted.ids.begin(), wanted.ids.end(), id) > 0) out.orders.push_back(it);
        }
        const plan::later_reads later = plan::later_reads_of(params, out);
        for (const due_range& it : later.ranges) {
            out.ranges.push_back(behind(it.status, it.after, it.limit));
            for (const due_position& place : out.ranges.back()) numbers.push_back(place.number);
        }
        for (const stored_order& it : orders) {
            const bool due = std::count(numbers.begin(), numbers.end(), it.value.number) > 0;
            if (due) out.orders.push_back(it);
            for (const index_entry& entry : it.index) {
                const plan::unique_value value{entry.slot, entry.value};
                const auto& asked = later.values;
                if (!entry.unique || !std::count(asked.begin(), asked.end(), value)) continue;
                out.orders.push_back(it);
                out.holders[value] = it.value.number;
            }
        }
        for (const std::string& id : wanted.new_ids) {
            if (std::count(buried.begin(), buried.end(), id) > 0) out.buried.push_back(id);
        }
        for (const digest& it : wanted.keys) {
            if (const auto used = keys.find(it); used != keys.end()) out.keys.insert(*used);
        }
        for (const auto& [name, it] : cursors) {
            const bool named = std::count(wanted.cursors.begin(), wanted.cursors.end(), name) > 0;
            if (wanted.all_cursors || named) out.cursors.emplace(name, it);
        }
        out.walk.assign(walk.begin(), walk.begin() + static_cast<std::ptrdiff_t>(
                                                         std::min(later.walk, walk.size())));
        return out;
    }
};

// Plans the write, and keeps what the plan points into.
struct planned {
    planned(const database& db, writing what)
        : asked(std::move(what)), params(asked.params()), it(params, db.answer(params)) {
        changes.resize(asked.changes.size());
        claims.resize(asked.claims.size());
        cursors.resize(asked.cursors.size());
        records.resize(asked.records.size());
        purges.resize(asked.purges.size());
        write_results results{changes, claims, cursors};
        results.records = records;
        results.purges = purges;
        it.run(results);
    }
    const plan::write_set& result() const { return it.result(); }

    const writing asked;
    const write_params params;
    std::vector<change_outcome> changes;
    std::vector<claim_outcome> claims;
    std::vector<cursor_outcome> cursors;
    std::vector<record_outcome> records;
    std::vector<purge_outcome> purges;
    plan::planner it;
};

inline change creating(std::string_view id) {
    change out;
    out.order = id;
    out.event = "create";
    order value = testing::order_builder().id(id).status("PENDING").build();
    out.action = create_order{std::move(value), true};
    return out;
}

inline change finishing(std::string_view id, const stored_order& held) {
    change out;
    out.order = id;
    out.event = "complete";
    transition_order to;
    to.to = "COMPLETED";
    to.settles = to.completes = true;
    out.action = std::move(to);
    out.lease = held.lease;
    return out;
}

inline change renewing(std::string_view id, const stored_order& held) {
    change out;
    out.order = id;
    out.event = "renew";
    out.action = renew_lease{now + 60s};
    out.lease = held.lease;
    return out;
}

inline std::vector<std::string> ids_of(const claim_outcome& it) {
    std::vector<std::string> out;
    for (const claimed_order& each : it.orders) out.emplace_back(each.value.id.view());
    return out;
}

using names = std::vector<std::string>;

}  // namespace planner_fixture

#endif
