#include "storage/kv/writing.hpp"

#include <orderproc/codec.hpp>

#include <utility>
#include <variant>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace kv {

change_outcome writing::apply(const change& what) {
    if (what.idempotency_key) {
        if (auto replayed = replay(*what.idempotency_key)) return std::move(*replayed);
    }
    const auto place = in_.get(kv_table::ids, what.order);
    const bool known = place.has_value();  // perhaps deleted since
    const std::int64_t number = known ? number_of(*place) : 0;
    const auto current = place ? in_.order_at(std::string(*place)) : std::nullopt;
    const stored_order* const before = current ? &*current : nullptr;
    auto verdict = judge(what, number, before);
    if (!verdict) return refuse(what, verdict.error().code, before);
    if (const auto holder = find_holder(*verdict, before)) {
        return refuse_taken(what, *verdict, *holder);
    }
    order& after = verdict->after.value;
    if (!known) {
        after.number = in_.count("number", 1);
        in_.put(kv_table::ids, what.order, place_of(after));
    }
    if (verdict->redacted) redact_entries(what, after.number);
    store(*verdict, before);
    if (what.idempotency_key) keep_key(*what.idempotency_key, after);
    changed_ = changed_ || std::holds_alternative<renew_lease>(what.action);
    return {{}, false, verdict->journaled, std::move(after)};
}

// number: of the order that has the id, or had it; 0: there was none.
result<evaluation> writing::judge(const change& what, std::int64_t number,
                                  const stored_order* current) {
    const bool known = number != 0;
    if (known && std::holds_alternative<create_order>(what.action)) return errc::already_exists;
    if (current || !known || !std::holds_alternative<redact_order>(what.action)) {
        return evaluate(current, what, at_);
    }
    auto last = last_entry(number);
    if (!last) return errc::not_found;  // purged
    return evaluate_deleted(std::move(last->after), what, at_);
}

// The latest of an order; none once it was purged.
std::optional<journal_entry> writing::last_entry(std::int64_t number) {
    std::optional<std::uint64_t> offset;
    in_.walk(kv_table::versions, {bytes(number), bytes(number + 1), true},
             [&](std::string_view, std::string_view found) {
                 offset = parts{found}.number();
                 return false;
             });
    return offset ? in_.entry({0, *offset}) : std::nullopt;
}

// The other order that has a value which no two may have.
std::optional<stored_order> writing::find_holder(const evaluation& wanted,
                                                 const stored_order* current) {
    const auto& before = current ? current->index : std::vector<index_entry>();
    for (const index_entry& it : entries_beyond(wanted.after.index, before)) {
        if (!it.unique) continue;
        const std::string value = index_key(it.slot, it.value);
        std::string place;
        in_.walk(kv_table::index, {value, *end_of_prefix(value)},
                 [&](std::string_view, std::string_view found) {
                     if (number_of(found) != wanted.after.value.number) place = found;
                     return place.empty();
                 });
        if (!place.empty()) return in_.order_at(std::move(place));
    }
    return std::nullopt;
}

void writing::redact_entries(const change& what, std::int64_t number) {
    std::vector<std::uint64_t> offsets;
    in_.walk(kv_table::versions, {bytes(number), bytes(number + 1)},
             [&](std::string_view, std::string_view found) {
                 offsets.push_back(parts{found}.number());
                 return true;
             });
    for (const std::uint64_t offset : offsets) {
        auto it = in_.entry({0, offset});
        if (!it) continue;
        redact(what, it->after);
        std::string row;
        encode(*it, row);
        in_.put(kv_table::journal, bytes(offset), row);
    }
    remove_records(what.order);
}

void writing::reindex(std::span<const index_entry> before, std::span<const index_entry> after,
                      const order& of) {
    for (const index_entry& it : entries_beyond(before, after)) {
        in_.remove(kv_table::index, index_key(it.slot, it.value, of.number));
        changed_ = true;
    }
    for (const index_entry& it : entries_beyond(after, before)) {
        in_.put(kv_table::index, index_key(it.slot, it.value, of.number), place_of(of));
        changed_ = true;
    }
}

std::optional<change_outcome> writing::replay(const idempotency& once) {
    const auto found = in_.get(kv_table::keys, view(once.key));
    if (!found) return {};
    change_outcome out;
    if (!found->starts_with(view(once.body))) {
        out.ec = errc::idempotency_mismatch;
        return out;
    }
    parts answer{found->substr(once.body.size())};
    const std::int64_t number = answer.signed_number();
    const auto offset = in_.offset_of(number, order_version{answer.number()});
    auto first = in_.entry({0, offset.value_or(0)});
    if (!first && in_.floor() > 0 && !in_.has_entries(number)) {
        out.ec = errc::not_found;  // purged
        return out;
    }
    if (!first) {
        in_.fail({errc::corrupt, "the first answer to an idempotency key is gone"});
        return out;
    }
    out.replayed = true;
    out.after = std::move(first->after);
    return out;
}

void writing::keep_key(const idempotency& once, const order& after) {
    changed_ = true;
    in_.put(kv_table::keys, view(once.key), bytes(view(once.body), after.number, after.version));
    in_.put(kv_table::ages, bytes(at_.now, a_key, view(once.key)), {});
}

void writing::store(const evaluation& what, const stored_order* before) {
    const order& after = what.after.value;
    const std::string place = place_of(after);
    if (before) in_.count(count_name(before->value.status), -1);
    if (before && before->due_at) in_.remove(kv_table::due, due_key(*before));
    reindex(before ? before->index : std::vector<index_entry>(), what.after.index, after);
    if (what.removed) {
        if (before) in_.remove(kv_table::orders, place);  // else it was deleted before
    } else {
        std::string row;
        encode(what.after, row);
        in_.put(kv_table::orders, place, row);
        in_.count(count_name(after.status), 1);
        if (what.after.due_at) in_.put(kv_table::due, due_key(what.after), place);
    }
    if (what.completed) {
        in_.count("completed", 1);
        if (after.first_claimed_at) {
            in_.count("processing_ms", (at_.stamp - *after.first_claimed_at).count());
        }
    }
    if (!what.journaled) return;
    changed_ = true;
    const auto offset = static_cast<std::uint64_t>(in_.count("offset", 1));
    std::string entry;
    encode(to_entry(what, {0, offset}, at_), entry);
    in_.put(kv_table::journal, bytes(offset), entry);
    in_.put(kv_table::versions, bytes(after.number, after.version), bytes(offset));
}

}  // namespace kv
}  // namespace detail
}  // namespace v1
}  // namespace orderproc
