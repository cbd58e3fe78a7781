#include "core/lease_reason.hpp"

#include <orderproc/claim.hpp>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

// Lapses in a row from which on an order is started apart, and then alone.
constexpr std::uint32_t isolated_from = 2;
constexpr std::uint32_t alone_from = 3;
constexpr std::size_t isolated_company = 32;
constexpr std::uint32_t backoff_doublings_max = 10;

// How many orders with so many expired_leases may be worked on together.
std::size_t company_of(std::uint32_t expired_leases) {
    if (expired_leases < isolated_from) return std::numeric_limits<std::size_t>::max();
    return expired_leases < alone_from ? isolated_company : 1;
}

// Does the expiry of a lease count as an attempt? Of the first one nobody knows whose fault it
// is; after that only of one that was alone.
bool expiry_counts(const stored_order& candidate) {
    return candidate.expired_leases == 0 || candidate.expired_leases >= alone_from;
}

evaluation begin(stored_order&& candidate, std::string_view event, std::string_view actor,
                 write_time at) {
    evaluation out;
    out.after = std::move(candidate);
    out.journaled = true;
    out.event = event;
    out.from = out.after.value.status;
    out.actor = actor;
    order& it = out.after.value;
    it.version = order_version{static_cast<std::uint64_t>(it.version) + 1};
    it.updated_at = at.stamp;
    return out;
}

evaluation hand_out(stored_order&& candidate, const claim& by, write_time at) {
    evaluation out = begin(std::move(candidate), by.stage->start, by.worker_id, at);
    stored_order& it = out.after;
    it.lease = lease_token{static_cast<std::uint64_t>(it.lease) + 1};
    it.leased = true;
    it.due_at = by.expires_at;
    it.span = by.lease;
    it.worker_id = by.worker_id;
    it.value.status = by.stage->active;
    it.value.attempts += 1;
    it.value.next_attempt_at.reset();
    if (!it.value.first_claimed_at) it.value.first_claimed_at = at.stamp;
    return out;
}

// Out of the hands of whoever had it: back to waiting or, out of attempts, failed.
evaluation take_back(stored_order&& candidate, const claim& by, write_time at, std::string reason) {
    const bool expired = candidate.leased;
    const std::uint32_t given_back = expired && !expiry_counts(candidate) ? 1 : 0;
    const std::uint32_t attempts = candidate.value.attempts - given_back;
    const bool exhausted = attempts >= by.attempts_max;
    const work_stage& stage = *by.stage;
    evaluation out =
        begin(std::move(candidate), exhausted ? stage.fail : stage.release, by.worker_id, at);
    stored_order& it = out.after;
    it.value.attempts = attempts;
    if (expired) ++it.expired_leases;
    it.leased = false;
    it.worker_id.clear();
    it.due_at.reset();
    it.span = {};
    if (exhausted) {
        it.value.status = stage.failed;
        it.value.next_attempt_at.reset();
        it.value.settled_at = at.stamp;
    } else {
        const auto doublings = std::min(it.expired_leases - 1, backoff_doublings_max);
        it.value.status = stage.waiting;
        it.span = by.expiry_backoff * (1 << doublings);
        it.value.next_attempt_at = at.now + it.span;
        it.due_at = it.value.next_attempt_at;
    }
    it.value.last_error = reason;
    out.reason = std::move(reason);
    return out;
}

// So much after now; without overflow, whatever a file or a host says.
timestamp after(timestamp now, std::chrono::milliseconds time) {
    constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 36525);
    return now + std::clamp(time, std::chrono::milliseconds(0), century);
}

constexpr auto last_number = std::numeric_limits<std::int64_t>::max();

}  // namespace

// Whether the claim says so, of this very lease.
bool claim_selection::is_over(const stored_order& leased) const {
    return std::any_of(claim_.expired.begin(), claim_.expired.end(),
                       [&](const doubtful_lease& seen) {
                           return seen.token == leased.lease && seen.ends_at == *leased.due_at &&
                                  seen.order == leased.value.id.view();
                       });
}

std::optional<timestamp> claim_selection::rank(const stored_order& candidate) const {
    if (!candidate.due_at) return std::nullopt;
    const timestamp due_at = *candidate.due_at;
    // What another clock has put off comes first: by due_at it would come last for ever.
    constexpr timestamp before_all = timestamp::min();
    if (due_at <= at_.now) return due_at;
    if (candidate.leased) {
        return is_over(candidate) ? std::optional(before_all) : std::nullopt;
    }
    // What was queued without a delay is due even if the clock has stepped back since.
    if (!candidate.value.next_attempt_at) {
        return due_at <= at_.stamp ? std::optional(due_at) : std::nullopt;
    }
    const bool backs_off = candidate.span.count() > 0 && candidate.value.attempts > 0;
    const bool put_off =
        backs_off && due_at > after(at_.now, std::max(candidate.span, claim_.backoff_max));
    return put_off ? std::optional(before_all) : std::nullopt;
}

std::vector<due_range> claim_selection::ranges() const {
    const due_probe& probe = claim_.probe;
    if (probe.limit == 0 || !claim_.only.empty()) return {};
    // Between now and the latest stamp there may be orders queued without a delay.
    const bool stepped_back = at_.stamp > at_.now;
    const timestamp waiting = stepped_back ? at_.now : after(at_.now, claim_.backoff_max);
    const timestamp active = after(at_.now, claim_.lease);
    return {{claim_.stage->waiting, std::max(probe.waiting, {waiting, last_number}), probe.limit},
            {claim_.stage->active, std::max(probe.active, {active, last_number}), probe.limit}};
}

bool claim_selection::survey(const stored_order& found, claim_outcome& out) {
    const bool active = found.value.status == claim_.stage->active;
    const due_position place{found.due_at.value_or(timestamp::min()), found.value.number};
    ++(active ? surveyed_active_ : surveyed_waiting_);
    (active ? out.next_probe.active : out.next_probe.waiting) = place;
    if (rank(found)) return true;
    // Workers may differ in how long their leases are: the longer of the two counts.
    const auto length = std::max(found.span, claim_.lease);
    if (found.leased && claim_.lease.count() > 0 && place.due_at > after(at_.now, length)) {
        out.doubtful.push_back(
            {std::string(found.value.id.view()), found.lease, place.due_at, length});
    }
    return false;
}

void claim_selection::arrange(std::vector<stored_order>& candidates) const {
    std::erase_if(candidates, [this](const stored_order& it) {
        const order_status status = it.value.status;
        return !rank(it) || (status != claim_.stage->waiting && status != claim_.stage->active);
    });
    const auto place = [this](const stored_order& it) {
        return std::pair(*rank(it), it.value.number);
    };
    const auto out_of_order = [&](const auto& a, const auto& b) { return place(a) >= place(b); };
    if (std::adjacent_find(candidates.begin(), candidates.end(), out_of_order) ==
        candidates.end()) {
        return;  // an index gave them so
    }
    std::sort(candidates.begin(), candidates.end(),
              [&](const auto& a, const auto& b) { return place(a) < place(b); });
    const auto last =
        std::unique(candidates.begin(), candidates.end(),
                    [](const auto& a, const auto& b) { return a.value.number == b.value.number; });
    candidates.erase(last, candidates.end());
}

bool claim_selection::done() const noexcept {
    return stopped_ || touched_ >= claim_.limit;
}

std::optional<evaluation> claim_selection::offer(stored_order candidate) {
    if (done() || !rank(candidate)) return std::nullopt;
    const bool lease_expired = candidate.leased && candidate.value.status == claim_.stage->active;
    if (!lease_expired && candidate.value.status != claim_.stage->waiting) return std::nullopt;

    const std::uint32_t attempts = candidate.value.attempts;
    const bool exhausted = attempts >= claim_.attempts_max;
    if (!lease_expired && !exhausted && !may_join(company_of(candidate.expired_leases)))
        return std::nullopt;
    ++touched_;  // here, not in take(): an adapter may collect all that it stores at the end
    const auto of_max = [&] {
        return std::to_string(attempts) + " of " + std::to_string(claim_.attempts_max);
    };
    if (lease_expired) {
        std::string reason = candidate.worker_id.empty()
                                 ? std::string(detail::nobody_answered)
                                 : std::string(detail::lease_expired_of_worker) +
                                       candidate.worker_id + " expired on attempt ";
        reason += of_max();
        return take_back(std::move(candidate), claim_, at_, std::move(reason));
    }
    if (exhausted) {
        return take_back(std::move(candidate), claim_, at_, "no attempt left: " + of_max());
    }
    return hand_out(std::move(candidate), claim_, at_);
}

// Whether it may be handed out beside what has been.
bool claim_selection::may_join(std::size_t company) noexcept {
    if (handed_out_ == 0) company_ = company;
    stopped_ = company != company_ || handed_out_ + 1 >= company_;
    if (company != company_) return false;
    ++handed_out_;
    return true;
}

void claim_selection::take(evaluation stored, claim_outcome& out) {
    stored_order& it = stored.after;
    if (it.leased) {
        const bool isolated = it.expired_leases >= isolated_from;
        out.orders.push_back({std::move(it.value), it.lease, std::move(it.traceparent), isolated});
        return;
    }
    const bool failed = it.value.status == claim_.stage->failed;
    ++(failed ? out.failed : out.released);
    out.reclaimed.push_back({std::string(it.value.id.view()), std::move(stored.reason), failed});
}

void claim_selection::finish(std::optional<timestamp> first_due, std::size_t offers,
                             claim_outcome& out) const {
    if (claim_.only.empty()) {
        // Up to the latest stamp there may be orders that were queued without a delay.
        const timestamp due = done() ? at_.stamp : at_.now;
        out.more = first_due && *first_due <= due;
    } else {
        out.more = touched_ < offers;
    }
    if (!out.more) out.next_due = first_due;
    out.next_probe.limit = claim_.probe.limit;
    if (surveyed_waiting_ < claim_.probe.limit) out.next_probe.waiting = {};
    if (surveyed_active_ < claim_.probe.limit) out.next_probe.active = {};
}

}  // namespace v1
}  // namespace orderproc
