#include "storage/kv/writing.hpp"

#include <orderproc/codec.hpp>

#include <algorithm>
#include <chrono>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace kv {

namespace {

// Kinds of what ages, and the names of counters beside those of the statuses.
constexpr std::string_view a_key = "k";
constexpr std::string_view a_writer = "w";
constexpr std::string_view last_stamp = "last_stamp";

write_time time_of(tables& in, timestamp now) {
    if (!in.get(kv_table::counters, last_stamp)) return now;  // nobody has written yet
    return {now, timestamp(timestamp::duration(in.counter(last_stamp)))};
}

std::string count_name(order_status status) {
    return bytes(std::string_view("="), status.view());
}

}  // namespace

writing::writing(tables& in, timestamp now) : in_(in), at_(time_of(in, now)) {}

change_outcome writing::apply(const change& what) {
    if (what.idempotency_key) {
        if (auto replayed = replay(*what.idempotency_key)) return std::move(*replayed);
    }
    const auto place = in_.get(kv_table::ids, what.order);
    const bool known = place.has_value();  // perhaps deleted since
    const auto current = place ? in_.order_at(std::string(*place)) : std::nullopt;
    const stored_order* const before = current ? &*current : nullptr;
    auto verdict = known && std::holds_alternative<create_order>(what.action)
                       ? result<evaluation>(errc::already_exists)
                       : evaluate(before, what, at_);
    if (!verdict) return refuse(what, verdict.error().code, before);
    order& after = verdict->after.value;
    if (!known) {
        after.number = in_.count("number", 1);
        in_.put(kv_table::ids, what.order, place_of(after));
    }
    store(*verdict, before);
    if (what.idempotency_key) keep_key(*what.idempotency_key, after);
    changed_ = changed_ || std::holds_alternative<renew_lease>(what.action);
    return {{}, false, verdict->journaled, std::move(after)};
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
    if (what.removed) {
        in_.remove(kv_table::orders, place);
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

claim_outcome writing::apply(const claim& what) {
    claim_outcome out;
    claim_selection selection(what, at_);
    auto offers = candidates(what);
    for (const doubtful_lease& it : what.expired) {
        if (auto found = in_.find(it.order)) offers.push_back(std::move(*found));
    }
    for (const due_range& range : selection.ranges()) {
        for (stored_order& it : in_range(range)) {
            if (selection.survey(it, out)) offers.push_back(std::move(it));
        }
    }
    selection.arrange(offers);
    for (const stored_order& it : offers) {
        auto verdict = selection.offer(it);
        if (!verdict) continue;
        store(*verdict, &it);
        selection.take(std::move(*verdict), out);
    }
    auto next = in_.first_due(what.stage->waiting);
    const auto expiry = in_.first_due(what.stage->active);
    if (expiry && (!next || *expiry < *next)) next = expiry;
    selection.finish(next, offers.size(), out);
    return out;
}

std::vector<stored_order> writing::candidates(const claim& what) {
    std::vector<stored_order> out;
    for (const std::string& id : what.only) {
        if (auto it = in_.find(id)) out.push_back(std::move(*it));
    }
    if (!what.only.empty()) return out;
    for (const order_status status : {what.stage->waiting, what.stage->active}) {
        const std::string from = bytes(status.view(), std::string_view("\0", 1));
        const std::string until = bytes(from, at_.stamp + std::chrono::milliseconds(1));
        read_due(from, until, what.limit, out);
    }
    return out;
}

std::vector<stored_order> writing::in_range(const due_range& range) {
    std::vector<stored_order> out;
    const auto status = range.status.view();
    // A zero more than the key of the position: what follows it.
    const std::string from = bytes(status, std::string_view("\0", 1), range.after.due_at,
                                   range.after.number, std::string_view("\0", 1));
    read_due(from, bytes(status, std::string_view("\1", 1)), range.limit, out);
    return out;
}

void writing::read_due(std::string_view from, std::string_view until, std::size_t limit,
                       std::vector<stored_order>& out) {
    std::vector<std::string> places;
    in_.walk(kv_table::due, {from, until}, [&](std::string_view, std::string_view place) {
        if (places.size() < limit) places.emplace_back(place);
        return places.size() < limit;
    });
    for (std::string& place : places) {
        if (auto it = in_.order_at(std::move(place))) out.push_back(std::move(*it));
    }
}

cursor_outcome writing::apply(const commit_cursor& what) {
    auto found = in_.cursor(what.name);
    const bool there = found.has_value();
    stored_cursor kept =
        there ? std::move(*found) : stored_cursor{{in_.epochs().back().epoch, 0}, {}};
    const cursor_outcome out = evaluate(kept, what, at_.now);
    if (out.ec || (what.remove && !there)) return out;
    changed_ = true;
    if (what.remove) {
        in_.remove(kv_table::cursors, what.name);
        return out;
    }
    in_.put(kv_table::cursors, what.name,
            bytes(kept.at.epoch, kept.at.offset, kept.expires_at, kept.moved_at,
                  std::string_view(kept.owner)));
    return out;
}

record_outcome writing::apply(const change_record& what) {
    auto kept = in_.record_of(what.collection, what.key);
    const auto reminded = kept ? kept->due_at : std::nullopt;
    const auto version = static_cast<std::uint64_t>(in_.counter("record_version")) + 1;
    record_outcome out = evaluate(kept, what, version);
    if (out.ec) return out;
    changed_ = true;
    in_.count("record_version", 1);
    if (reminded) {
        in_.remove(kv_table::reminders, reminder_key(what.collection, *reminded, what.key));
    }
    const std::string key = record_key(what.collection, what.key);
    if (!kept) {
        in_.remove(kv_table::records, key);
        return out;
    }
    in_.put(kv_table::records, key, encode(*kept));
    if (kept->due_at) {
        in_.put(kv_table::reminders, reminder_key(what.collection, *kept->due_at, what.key), {});
    }
    return out;
}

purge_outcome writing::apply(const purge_orders& what, const write_params& params) {
    const auto epochs = in_.epochs();
    const std::uint64_t before = in_.floor();
    purge_bounds bounds(what, params, in_.cursors(), epochs, before, in_.offset());
    std::vector<journal_entry> passed;
    purge_outcome out;
    const auto pass = [&](std::string_view key, std::string_view value) {
        const std::uint64_t offset = parts{key}.number();
        auto entry = decode_journal_entry(value, {0, offset});
        if (!entry) in_.fail(entry.error());
        if (!entry || !bounds.passes(offset, entry->at)) return false;
        out.more = passed.size() == what.limit;
        if (!out.more) passed.push_back(std::move(*entry));
        return !out.more;
    };
    in_.walk(kv_table::journal, {bytes(before + 1), bytes(in_.offset() + 1)}, pass);
    for (const journal_entry& it : passed) purge(it, out);
    const std::uint64_t floor = before + passed.size();
    if (!passed.empty()) {
        changed_ = true;
        in_.put(kv_table::counters, "floor", bytes(static_cast<std::int64_t>(floor)));
    }
    out.held_by = bounds.held_by();
    out.floor = {epoch_at(epochs, floor), floor};
    return out;
}

void writing::purge(const journal_entry& last, purge_outcome& out) {
    const std::int64_t number = last.after.number;
    const auto current = in_.order_at(place_of(last.after));
    if (!ends_with(current ? &current->value : nullptr, last.version, last.event)) return;
    if (current) {
        ++out.orders;
        in_.count(count_name(current->value.status), -1);
        in_.remove(kv_table::orders, place_of(current->value));
        if (current->due_at) in_.remove(kv_table::due, due_key(*current));
    }
    std::vector<std::pair<std::string, std::string>> entries;
    in_.walk(kv_table::versions, {bytes(number), bytes(number + 1)},
             [&](std::string_view version, std::string_view offset) {
                 entries.emplace_back(version, offset);
                 return true;
             });
    for (const auto& [version, offset] : entries) {
        in_.remove(kv_table::versions, version);
        in_.remove(kv_table::journal, offset);
    }
    out.entries += entries.size();
}

bool writing::end(const write_params& params) {
    if (!changed_) return false;
    in_.put(kv_table::counters, last_stamp, bytes(at_.stamp));
    remember(params.writer, params.sequence);
    forget(params);
    return true;
}

void writing::remember(std::string_view writer, std::uint64_t sequence) {
    if (const auto found = in_.get(kv_table::writers, writer)) {
        const timestamp heard =
            parts{found->substr(std::min<std::size_t>(8, found->size()))}.time();
        in_.remove(kv_table::ages, bytes(heard, a_writer, writer));
    }
    in_.put(kv_table::writers, writer, bytes(sequence, at_.now));
    in_.put(kv_table::ages, bytes(at_.now, a_writer, writer), {});
}

// What ages between the two times, as keys of that table.
std::vector<std::string> writing::aged(timestamp from, timestamp until, std::size_t most) {
    std::vector<std::string> out;
    if (most == 0) return out;
    in_.walk(kv_table::ages, {bytes(from), bytes(until)},
             [&](std::string_view age, std::string_view) {
                 out.emplace_back(age);
                 return out.size() < most;
             });
    return out;
}

void writing::forget(const write_params& params) {
    for (const std::string_view age :
         aged(timestamp::min(), params.forget_before, params.forget_max)) {
        const std::string_view kind = age.substr(8, 1);
        in_.remove(kind == a_key ? kv_table::keys : kv_table::writers, age.substr(9));
        in_.remove(kv_table::ages, age);
    }
    const timestamp ahead = ahead_of(params);
    if (at_.stamp <= ahead) return;  // no clock was so far ahead
    const auto first = ahead + std::chrono::milliseconds(1);
    for (const std::string_view age : aged(first, timestamp::max(), params.forget_max)) {
        in_.remove(kv_table::ages, age);
        in_.put(kv_table::ages, bytes(at_.now, age.substr(8)), {});
        if (age.substr(8, 1) == a_key) continue;
        const std::string_view writer = age.substr(9);
        const auto found = in_.get(kv_table::writers, writer);
        if (!found) continue;
        const std::uint64_t sequence = parts{*found}.number();
        in_.put(kv_table::writers, writer, bytes(sequence, at_.now));
    }
}

}  // namespace kv
}  // namespace detail
}  // namespace v1
}  // namespace orderproc
