#include "stages/worker/job_table.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

std::optional<clock::instant> wanted_at(const job_entry& it) {
    if (it.phase == job_phase::closing) {
        return it.closing.under_way ? std::nullopt : std::optional(it.submit_at);
    }
    std::optional<clock::instant> at;
    if (!it.renewal.under_way) at = it.renew_at;
    if (it.phase == job_phase::running) at = std::min(at.value_or(it.timeout_at), it.timeout_at);
    return at;
}

}  // namespace

void job_table::add(const std::shared_ptr<job_entry>& entry) {
    entry->serial = ++last_serial_;
    jobs_.emplace(entry->serial, entry);
    if (entry->isolated != 0) ++isolated_;
    try {
        enter(*entry, job_phase::held);
    } catch (...) {
        remove(*entry);
        throw;
    }
}

std::shared_ptr<job_entry> job_table::find(std::uint64_t serial) const {
    const auto found = jobs_.find(serial);
    return found == jobs_.end() ? nullptr : found->second;
}

void job_table::remove(job_entry& entry) noexcept {
    const auto found = jobs_.find(entry.serial);
    if (found == jobs_.end()) return;
    const auto kept = std::move(found->second);
    jobs_.erase(found);
    held_.erase(kept->serial);
    if (kept->isolated != 0) --isolated_;
    if (kept->deadline) deadlines_.erase({*kept->deadline, kept->serial});
    kept->deadline.reset();
}

void job_table::enter(job_entry& entry, job_phase phase) {
    entry.phase = phase;
    if (phase == job_phase::held) {
        held_.insert(entry.serial);
    } else {
        held_.erase(entry.serial);
    }
    schedule(entry);
}

void job_table::schedule(job_entry& entry) {
    const auto at = wanted_at(entry);
    if (at == entry.deadline) return;
    if (at) deadlines_.emplace(*at, entry.serial);
    if (entry.deadline) deadlines_.erase({*entry.deadline, entry.serial});
    entry.deadline = at;
}

std::shared_ptr<job_entry> job_table::due(clock::instant now) const {
    if (deadlines_.empty() || deadlines_.begin()->first > now) return nullptr;
    return find(deadlines_.begin()->second);
}

std::optional<clock::instant> job_table::next_due() const {
    if (deadlines_.empty()) return std::nullopt;
    return deadlines_.begin()->first;
}

std::vector<std::shared_ptr<job_entry>> job_table::in_phase(job_phase phase) const {
    std::vector<std::shared_ptr<job_entry>> out;
    for (const auto& [serial, entry] : jobs_) {
        if (entry->phase == phase) out.push_back(entry);
    }
    return out;
}

std::vector<std::shared_ptr<job_entry>> job_table::next_apart() const {
    std::vector<std::shared_ptr<job_entry>> out;
    if (held_.empty() || held_.size() != jobs_.size()) return out;
    const std::uint64_t group = find(*held_.begin())->isolated;
    for (const std::uint64_t serial : held_) {
        if (auto it = find(serial); it->isolated == group) out.push_back(std::move(it));
    }
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
