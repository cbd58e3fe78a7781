#include <orderproc/dead_letters.hpp>
#include <orderproc/explain.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// What is read of the surroundings at most.
constexpr std::size_t history_kept = 300;
constexpr std::size_t ahead_max = 200;
constexpr std::size_t workers_max = 20'000;

result<void> read_history(repository_reader& from, order_facts& out) {
    history_params what;
    what.order = out.id;
    if (out.value) {
        const auto version = static_cast<std::uint64_t>(out.value->version);
        if (version > history_kept) what.after = order_version{version - history_kept};
    }
    while (true) {
        auto entries = from.history(what);
        if (!entries) return std::move(entries).error();
        if (entries->empty()) return {};
        what.after = entries->back().version;
        const bool last = entries->size() < what.limit;
        std::move(entries->begin(), entries->end(), std::back_inserter(out.history));
        if (out.history.size() > history_kept) {
            out.history.erase(out.history.begin(), out.history.end() - history_kept);
        }
        if (last) return {};
    }
}

// The one that has the order, which may be gone.
result<void> read_its_worker(repository_reader& from, const status_machine& machine,
                             order_facts& out) {
    const work_stage* const stage = machine.stage_active_in(out.value->status);
    if (!stage) return {};
    const auto begun = std::find_if(out.history.rbegin(), out.history.rend(),
                                    [&](const auto& it) { return it.event == stage->start; });
    if (begun == out.history.rend()) return {};
    const std::string& name = begun->actor;
    if (name.empty() || name.size() > record_key_size_max) return {};
    const auto there = std::find_if(out.workers.begin(), out.workers.end(),
                                    [&](const worker_record& it) { return it.name == name; });
    if (there != out.workers.end()) return {};
    auto found = find_worker(from, name);
    if (!found) return std::move(found).error();
    if (*found) out.workers.push_back(std::move(**found));
    return {};
}

// A storage without records has neither pauses nor workers.
result<void> read_records(repository_reader& from, const status_machine& machine, timestamp now,
                          order_facts& out) {
    auto pauses = list_pauses(from);
    if (!pauses && pauses.error().code == errc::not_supported) {
        out.workers_known = false;
        return {};
    }
    if (!pauses) return std::move(pauses).error();
    out.pauses = std::move(*pauses);
    auto workers = list_present_workers(from, now, workers_max);
    if (!workers) return std::move(workers).error();
    out.workers = std::move(*workers);
    if (!out.value) return {};
    return read_its_worker(from, machine, out);
}

result<void> count_ahead(repository_reader& from, order_facts& out) {
    const std::array<order_status, 1> status{out.value->status};
    list_params what;
    what.statuses = status;
    what.sort = list_sort::due_at;
    what.descending = false;
    what.limit = ahead_max;
    const auto page = from.list(what);
    if (!page && page.error().code == errc::not_supported) return {};
    if (!page) return page.error();
    const auto found = std::find_if(page->orders.begin(), page->orders.end(),
                                    [&](const order& it) { return it.id == out.value->id; });
    out.ahead = static_cast<std::uint64_t>(found - page->orders.begin());
    out.ahead_more = found == page->orders.end() && page->next.has_value();
    if (found == page->orders.end() && !page->next) out.ahead.reset();  // it was taken meanwhile
    return {};
}

result<void> count_similar(repository_reader& from, const status_machine& machine,
                           std::size_t similar_max, order_facts& out) {
    if (similar_max == 0) return {};
    const std::string reason = reason_group(out.value->last_error);
    group_dead_letters_params what;
    what.orders_max = similar_max;
    what.groups_max = similar_max;
    const auto all = group_dead_letters(from, machine, what);
    if (!all) return all.error();
    out.similar = 0;
    out.similar_more = !all->complete;
    for (const dead_letter_group& it : all->groups) {
        if (it.reason == reason && it.orders > 0) out.similar = it.orders - 1;
    }
    return {};
}

}  // namespace

result<order_facts> read_order_facts(repository_reader& from, const std::string& id,
                                     const status_machine& machine, timestamp now,
                                     std::size_t similar_max) {
    order_facts out;
    out.id = id;
    const std::array<std::string, 1> ids{id};
    auto loaded = from.load({ids, {}});
    if (!loaded) return std::move(loaded).error();
    out.value = std::move(loaded->orders.front());
    auto ok = read_history(from, out);
    if (ok) ok = read_records(from, machine, now, out);
    if (!ok) return std::move(ok).error();
    if (!out.value) return out;
    const order_status status = out.value->status;
    const auto failed = failed_statuses(machine);
    if (machine.stage_waiting_in(status)) {
        ok = count_ahead(from, out);
    } else if (std::find(failed.begin(), failed.end(), status) != failed.end()) {
        ok = count_similar(from, machine, similar_max, out);
    }
    if (!ok) return std::move(ok).error();
    return out;
}

}  // namespace v1
}  // namespace orderproc
