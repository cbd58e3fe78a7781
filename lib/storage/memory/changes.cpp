#include "storage/memory/transaction.hpp"

#include <algorithm>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace memory {

const place* transaction::find_place(std::string_view id) const {
    if (const auto it = ids_.find(id); it != ids_.end()) return &it->second;
    const auto it = base_.ids.find(id);
    return it == base_.ids.end() ? nullptr : &it->second;
}

const stored_order* transaction::find(const place& at) const {
    if (const auto it = touched_.find(at); it != touched_.end()) {
        return it->second ? &*it->second : nullptr;
    }
    const auto it = base_.orders.find(at);
    return it == base_.orders.end() ? nullptr : &it->second;
}

// Of a value that no two orders may have: the other one that has it.
const stored_order* transaction::find_holder(const index_entry& of, std::int64_t number) const {
    const index_key first{of.slot, of.value, 0};
    const auto other_in = [&](const std::map<index_key, place>& index) -> const place* {
        for (auto it = index.lower_bound(first); it != index.end(); ++it) {
            const auto& [slot, value, holder] = it->first;
            if (slot != of.slot || value != of.value) break;
            if (holder != number && !removed_.contains(it->first)) return &it->second;
        }
        return nullptr;
    };
    const place* at = other_in(base_.index);
    if (!at) at = other_in(added_);
    return at ? find(*at) : nullptr;
}

const stored_order* transaction::find_holder(const evaluation& wanted,
                                             const stored_order* current) const {
    const auto& before = current ? current->index : std::vector<index_entry>();
    for (const index_entry& it : entries_beyond(wanted.after.index, before)) {
        const stored_order* const holder =
            it.unique ? find_holder(it, wanted.after.value.number) : nullptr;
        if (holder) return holder;
    }
    return nullptr;
}

std::optional<change_outcome> transaction::replay(const idempotency& once) const {
    const auto it = base_.keys.find(once.key);
    if (it == base_.keys.end()) return std::nullopt;
    change_outcome out;
    if (it->second.body != once.body) {
        out.ec = errc::idempotency_mismatch;
        return out;
    }
    const std::uint64_t offset = it->second.offset;
    const journal_entry* const answer = base_.journal.find(offset);
    out.replayed = answer != nullptr;
    if (!answer) {
        out.ec = errc::not_found;  // only a purge takes entries away
        return out;
    }
    const auto redacted = redacted_.find(offset);
    out.after = redacted == redacted_.end() ? answer->after : redacted->second;
    return out;
}

result<evaluation> transaction::judge(const change& what, const place* known,
                                      const stored_order* current) const {
    if (known && std::holds_alternative<create_order>(what.action)) return errc::already_exists;
    if (current || !known || !std::holds_alternative<redact_order>(what.action)) {
        return evaluate(current, what, at_);
    }
    const journal_entry* const last = last_entry(known->number);
    if (!last) return errc::not_found;  // purged
    return evaluate_deleted(order(last->after), what, at_);
}

change_outcome transaction::apply(const change& what) {
    if (what.idempotency_key) {
        if (auto replayed = replay(*what.idempotency_key)) return std::move(*replayed);
    }
    const place* known = find_place(what.order);
    const stored_order* current = known ? find(*known) : nullptr;
    auto verdict = judge(what, known, current);
    if (!verdict) return refuse(what, verdict.error().code, current);
    if (const auto* holder = find_holder(*verdict, current)) {
        return refuse_taken(what, *verdict, *holder);
    }
    order& after = verdict->after.value;
    if (!known) {
        after.number = ++sums_.number;
        known = &ids_.emplace(what.order, place{after.created_at, after.number}).first->second;
    }
    if (verdict->redacted) redact_entries(what, after.number);
    store(*verdict, *known);
    changed_ = changed_ || std::holds_alternative<renew_lease>(what.action) || what.idempotency_key;
    if (what.idempotency_key) {
        const std::uint64_t offset =
            verdict->journaled ? newest() : base_.versions.at({after.number, after.version});
        keys_.emplace(what.idempotency_key->key,
                      used_key{what.idempotency_key->body, offset, at_.now});
    }
    change_outcome out;
    out.journaled = verdict->journaled;
    out.after = std::move(after);
    return out;
}

void transaction::store(const evaluation& what, const place& at) {
    const order& after = what.after.value;
    const stored_order* const before = find(at);
    if (before) --sums_.orders[before->value.status];
    if (!what.removed) ++sums_.orders[after.status];
    if (what.completed) {
        ++sums_.completed;
        if (after.first_claimed_at) sums_.processing_time += at_.stamp - *after.first_claimed_at;
    }
    changed_ = changed_ || what.journaled;
    if (what.journaled) {
        journal_.push_back(to_entry(what, {epoch(), newest() + 1}, at_));
    }
    reindex(before ? before->index : std::vector<index_entry>(), what.after.index, at);
    touched_[at] = what.removed ? std::nullopt : std::optional(what.after);
}

void transaction::reindex(std::span<const index_entry> before, std::span<const index_entry> after,
                          const place& at) {
    for (const index_entry& it : entries_beyond(before, after)) {
        index_key key{it.slot, it.value, at.number};
        if (added_.erase(key) == 0) removed_.insert(std::move(key));
        changed_ = true;
    }
    for (const index_entry& it : entries_beyond(after, before)) {
        index_key key{it.slot, it.value, at.number};
        if (removed_.erase(key) == 0) added_.emplace(std::move(key), at);
        changed_ = true;
    }
}

// The latest of an order; none once it was purged.
const journal_entry* transaction::last_entry(std::int64_t number) const {
    const auto ours = std::find_if(journal_.rbegin(), journal_.rend(),
                                   [&](const auto& it) { return it.after.number == number; });
    if (ours != journal_.rend()) return &*ours;
    auto next = base_.versions.lower_bound({number + 1, order_version{0}});
    if (next == base_.versions.begin() || (--next)->first.number != number) return nullptr;
    return base_.journal.find(next->second);
}

void transaction::redact_entries(const change& what, std::int64_t number) {
    for (auto it = base_.versions.lower_bound({number, order_version{0}});
         it != base_.versions.end() && it->first.number == number; ++it) {
        order after = base_.journal.at(it->second).after;
        redact(what, after);
        redacted_.insert_or_assign(it->second, std::move(after));
    }
    for (journal_entry& it : journal_) {
        if (it.after.number == number) redact(what, it.after);
    }
    remove_records(what.order);
}

// Those about the order.
void transaction::remove_records(const std::string& order) {
    for (auto it = base_.subjects.lower_bound({order, {}});
         it != base_.subjects.end() && it->first == order; ++it) {
        records_.try_emplace(it->second, std::nullopt);
    }
    for (auto& [name, it] : records_) {
        if (it && it->order == order) it.reset();
    }
}

bool transaction::admits(const record_guard& guard) const {
    const auto it = base_.records.find({std::string(guard.collection), std::string(guard.key)});
    return guard.version == (it == base_.records.end() ? 0 : it->second.version);
}

}  // namespace memory
}  // namespace detail
}  // namespace v1
}  // namespace orderproc
