#include "api/work_facts.hpp"

#include "api/representation.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t workers_looked_at = 20'000;
constexpr std::size_t gone_workers_looked_at = 100;

result<void> read_workers(repository_reader& from, work_facts& out) {
    auto there = list_present_workers(from, out.read_at, workers_looked_at);
    if (!there) return std::move(there).error();
    auto gone = list_gone_workers(from, out.read_at, gone_workers_looked_at);
    if (!gone) return std::move(gone).error();
    out.workers = std::move(*there);
    std::move(gone->begin(), gone->end(), std::back_inserter(out.workers));
    return {};
}

}  // namespace

result<work_facts> read_work_facts(repository_reader& from, timestamp now) {
    work_facts out;
    out.read_at = now;
    const auto newest = newest_position(from);
    if (!newest) return newest.error();
    out.newest = *newest;
    auto counted = from.count();
    if (!counted) return std::move(counted).error();
    out.counted = std::move(*counted);
    auto pauses = list_pauses(from);
    if (!pauses && pauses.error().code == errc::not_supported) {
        out.has_records = false;
        return out;
    }
    if (!pauses) return std::move(pauses).error();
    out.pauses = std::move(*pauses);
    if (auto ok = read_workers(from, out); !ok) return std::move(ok).error();
    return out;
}

std::uint64_t orders_in(const statistics& counted, const order_status& status) noexcept {
    const auto found = std::find_if(counted.orders.begin(), counted.orders.end(),
                                    [&](const status_count& row) { return row.status == status; });
    return found == counted.orders.end() ? 0 : found->orders;
}

bool waits_for_resume(const worker_record& it, const std::vector<work_pause>& pauses,
                      const status_machine& machine) {
    if (it.stages.empty()) return false;
    return std::all_of(it.stages.begin(), it.stages.end(), [&](const order_status& active) {
        const work_stage* stage = machine.stage_active_in(active);
        return stage && is_paused(pauses, *stage);
    });
}

}  // namespace orderproc::server
