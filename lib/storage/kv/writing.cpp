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

constexpr std::string_view last_stamp = "last_stamp";

write_time time_of(tables& in, timestamp now) {
    if (!in.get(kv_table::counters, last_stamp)) return now;  // nobody has written yet
    return {now, timestamp(timestamp::duration(in.counter(last_stamp)))};
}

}  // namespace

writing::writing(tables& in, timestamp now) : in_(in), at_(time_of(in, now)) {}

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
    const std::string key = record_key(what.collection, what.key);
    auto kept = in_.record_at(key);
    const auto before = kept;
    const auto version = static_cast<std::uint64_t>(in_.counter("record_version")) + 1;
    record_outcome out = evaluate(kept, what, version);
    if (out.ec) return out;
    changed_ = true;
    in_.count("record_version", 1);
    if (before) remove_references(key, *before);
    if (!kept) {
        in_.remove(kv_table::records, key);
        return out;
    }
    in_.put(kv_table::records, key, encode(*kept));
    add_references(key, *kept);
    return out;
}

namespace {

// The collection of a record's key, with its size.
std::string_view collection_of(std::string_view key) {
    return key.substr(0, std::size_t{1} + static_cast<unsigned char>(key.front()));
}

std::string reminder_of(std::string_view key, timestamp due_at) {
    const std::string_view collection = collection_of(key);
    return bytes(collection, due_at, key.substr(collection.size()));
}

}  // namespace

void writing::add_references(std::string_view key, const record& to) {
    if (to.due_at) in_.put(kv_table::reminders, reminder_of(key, *to.due_at), {});
    if (!to.order.empty()) in_.put(kv_table::subjects, subject_key(to.order, key), {});
}

void writing::remove_references(std::string_view key, const record& to) {
    if (to.due_at) in_.remove(kv_table::reminders, reminder_of(key, *to.due_at));
    if (!to.order.empty()) in_.remove(kv_table::subjects, subject_key(to.order, key));
}

// Those about the order.
void writing::remove_records(std::string_view order) {
    const std::string subject = subject_key(order);
    std::vector<std::string> keys;
    in_.walk(kv_table::subjects, {subject, end_of_prefix(subject).value_or(subject)},
             [&](std::string_view key, std::string_view) {
                 keys.emplace_back(key.substr(subject.size()));
                 return true;
             });
    for (const std::string& key : keys) {
        const auto it = in_.record_at(key);
        if (!it) continue;
        remove_references(key, *it);
        in_.remove(kv_table::records, key);
    }
}

bool writing::admits(const record_guard& guard) {
    const auto it = in_.record_of(guard.collection, guard.key);
    return guard.version == (it ? it->version : 0);
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
    order_version latest = last.version;
    if (current) {
        latest = current->value.version;
    } else if (const auto entry = last_entry(number)) {
        latest = entry->version;
    }
    if (!ends_with(current ? &current->value : nullptr, last.version, latest)) return;
    remove_records(last.after.id.view());
    if (current) {
        reindex(current->index, {}, current->value);
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
