#include "stages/worker/lease_watch.hpp"

#include <algorithm>
#include <exception>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::size_t remembered_max = 4096;

}  // namespace

void lease_watch::saw(std::span<const doubtful_lease> found, clock::instant now) noexcept {
    if (found.empty()) return;
    try {
        for (const doubtful_lease& it : found) remember(it, now);
    } catch (const std::exception&) {  // out of memory: they are seen again
    }
    find_next_over();
}

void lease_watch::remember(const doubtful_lease& it, clock::instant now) {
    auto known = seen_.find(it.order);
    if (known == seen_.end()) {
        if (seen_.size() >= remembered_max) return;
        known = seen_.emplace(it.order, entry{it, now + it.length}).first;
    } else if (known->second.lease != it) {
        // Renewed, or another one's: seen for the first time.
        known->second = {it, now + it.length};
    }
}

void lease_watch::find_next_over() noexcept {
    next_over_ = clock::instant::max();
    for (const auto& [order, it] : seen_) next_over_ = std::min(next_over_, it.over_at);
}

std::vector<doubtful_lease> lease_watch::over(clock::instant now, std::size_t most) const {
    std::vector<doubtful_lease> out;
    if (now < next_over_) return out;
    for (auto it = seen_.begin(); it != seen_.end() && out.size() < most; ++it) {
        if (it->second.over_at <= now) out.push_back(it->second.lease);
    }
    return out;
}

void lease_watch::forget(const std::vector<doubtful_lease>& judged) noexcept {
    if (judged.empty()) return;
    for (const doubtful_lease& it : judged) seen_.erase(it.order);
    find_next_over();
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
