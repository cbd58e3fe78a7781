#include "storage/memory/transaction.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <new>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace memory {

namespace {

// Nodes change hands, so that nothing can fail.
template <class Map, class Touched>
void replace(Map& in, const Touched& touched, Map& by) noexcept {
    for (const auto& [key, value] : touched) in.erase(key);
    in.merge(by);
}

// What is there of those that were touched.
template <class Key, class Value, class Less>
std::map<Key, Value, Less> kept(std::map<Key, std::optional<Value>, Less>& touched) {
    std::map<Key, Value, Less> out;
    for (auto& [key, it] : touched) {
        if (it) out.emplace(key, std::move(*it));
    }
    return out;
}

}  // namespace

const journal_entry* journal::find(std::uint64_t offset) const {
    if (offset <= base) {
        const auto it = older.find(offset);
        return it == older.end() ? nullptr : &it->second;
    }
    const journal_entry& it = entries[offset - base - 1];
    return it.position.offset == 0 ? nullptr : &it;
}

void journal::erase(std::uint64_t offset) noexcept {
    if (offset <= base) {
        older.erase(offset);
    } else {
        entries[offset - base - 1] = {};
    }
}

void journal::replace(std::uint64_t offset, order&& after) noexcept {
    if (!find(offset)) return;
    journal_entry& it = offset <= base ? older.find(offset)->second : entries[offset - base - 1];
    it.after = std::move(after);
}

// When most of it is below the floor, so that it costs little for each entry.
void journal::compact() noexcept try {
    constexpr std::uint64_t least = 64;
    const std::uint64_t below = floor - base;
    if (below < least || below < entries.size() / 2) return;
    std::map<std::uint64_t, journal_entry> kept;
    for (std::uint64_t offset = base + 1; offset <= floor; ++offset) {
        if (find(offset)) kept.emplace(offset, journal_entry{});
    }
    // Nothing from here on fails.
    for (auto& [offset, it] : kept) it = std::move(entries[offset - base - 1]);
    older.merge(kept);
    entries.erase(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(below));
    base = floor;
} catch (const std::bad_alloc&) {  // another time
}

claim_outcome transaction::apply(const claim& what) {
    claim_outcome out;
    claim_selection selection(what, at_);
    const auto offers = candidates(what, selection, out);
    for (const auto& [rank, at] : offers) {
        auto verdict = selection.offer(*find(at));
        if (!verdict) continue;
        store(*verdict, at);
        selection.take(std::move(*verdict), out);
    }
    selection.finish(first_due(*what.stage), offers.size(), out);
    return out;
}

// In the order of offering; what the limit lets nobody see is left out.
std::vector<ranked> transaction::candidates(const claim& what, claim_selection& selection,
                                            claim_outcome& out) const {
    std::vector<ranked> found;
    const auto add = [&](const place& at, const stored_order* it) {
        if (!it) return;
        const order_status status = it->value.status;
        if (status != what.stage->waiting && status != what.stage->active) return;
        if (const auto rank = selection.rank(*it)) found.emplace_back(*rank, at);
    };
    const auto add_named = [&](const std::string& id) {
        if (const place* at = find_place(id)) add(*at, find(*at));
    };
    for (const std::string& id : what.only) add_named(id);
    for (const doubtful_lease& it : what.expired) add_named(it.order);
    if (what.only.empty()) {
        for (const order_status status : {what.stage->waiting, what.stage->active}) {
            for (const place& at : in_range({status, {}, what.limit})) {
                if (*find(at)->due_at <= at_.stamp) add(at, find(at));
            }
        }
    }
    for (const due_range& range : selection.ranges()) {
        for (const place& at : in_range(range)) {
            if (selection.survey(*find(at), out)) add(at, find(at));
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

std::vector<place> transaction::in_range(const due_range& range) const {
    std::vector<ranked> found;
    const auto follows = [&](timestamp due_at, const place& at) {
        return due_position{due_at, at.number} > range.after;
    };
    auto it = base_.due.lower_bound({range.status, range.after.due_at, place{timestamp::min(), 0}});
    for (; it != base_.due.end() && found.size() < range.limit; ++it) {
        const auto& [status, due_at, at] = *it;
        if (status != range.status) break;
        if (follows(due_at, at) && !touched_.contains(at)) found.emplace_back(due_at, at);
    }
    for (const auto& [at, kept] : touched_) {
        if (!kept || kept->value.status != range.status || !kept->due_at) continue;
        if (follows(*kept->due_at, at)) found.emplace_back(*kept->due_at, at);
    }
    std::sort(found.begin(), found.end());
    if (found.size() > range.limit) found.resize(range.limit);
    std::vector<place> out;
    for (const ranked& each : found) out.push_back(each.second);
    return out;
}

std::optional<timestamp> transaction::first_due(const work_stage& stage) const {
    std::optional<timestamp> first;
    const auto consider = [&first](timestamp due_at) {
        if (!first || due_at < *first) first = due_at;
    };
    for (const order_status status : {stage.waiting, stage.active}) {
        auto it = base_.due.lower_bound({status, timestamp::min(), place{}});
        while (it != base_.due.end() && touched_.contains(std::get<place>(*it))) ++it;
        if (it != base_.due.end() && std::get<order_status>(*it) == status) {
            consider(std::get<timestamp>(*it));
        }
    }
    for (const auto& [at, it] : touched_) {
        if (!it || !it->due_at) continue;
        if (it->value.status == stage.waiting || it->value.status == stage.active) {
            consider(*it->due_at);
        }
    }
    return first;
}

cursor_outcome transaction::apply(const commit_cursor& what) {
    std::optional<stored_cursor> kept;
    if (const auto it = cursors_.find(what.name); it != cursors_.end()) {
        kept = it->second;
    } else if (const auto old = base_.cursors.find(what.name); old != base_.cursors.end()) {
        kept = old->second;
    }
    const bool there = kept.has_value();
    if (!there) kept = stored_cursor{{epoch(), 0}, {}};
    const cursor_outcome out = evaluate(*kept, what, at_.now);
    if (out.ec || (what.remove && !there)) return out;
    changed_ = true;
    if (what.remove) kept.reset();
    cursors_.insert_or_assign(what.name, std::move(kept));
    return out;
}

record_outcome transaction::apply(const change_record& what) {
    const record_name name{what.collection, what.key};
    std::optional<record> kept;
    if (const auto it = records_.find(name); it != records_.end()) {
        kept = it->second;
    } else if (const auto old = base_.records.find(name); old != base_.records.end()) {
        kept = old->second;
    }
    record_outcome out = evaluate(kept, what, sums_.record_version + 1);
    if (out.ec) return out;
    changed_ = true;
    ++sums_.record_version;
    records_.insert_or_assign(name, std::move(kept));
    return out;
}

std::vector<named_cursor> transaction::cursors() const {
    std::vector<named_cursor> out;
    const auto add = [&out](const std::string& name, const stored_cursor& it) {
        out.push_back({name, it.at, it.moved_at});
    };
    for (const auto& [name, it] : base_.cursors) {
        if (!cursors_.contains(name)) add(name, it);
    }
    for (const auto& [name, it] : cursors_) {
        if (it) add(name, *it);
    }
    return out;
}

purge_outcome transaction::apply(const purge_orders& what, const write_params& params) {
    const std::uint64_t newest = base_.journal.newest();  // what this write adds is too young
    purge_bounds bounds(what, params, cursors(), base_.epochs, floor_, newest);
    purge_outcome out;
    const std::uint64_t before = floor_;
    while (floor_ < newest) {
        const journal_entry& entry = base_.journal.at(floor_ + 1);
        if (!bounds.passes(floor_ + 1, entry.at)) break;
        out.more = floor_ - before == what.limit;
        if (out.more) break;
        ++floor_;
        purge(entry, out);
    }
    changed_ = changed_ || floor_ != before;
    out.held_by = bounds.held_by();
    out.floor = {epoch_at(base_.epochs, floor_), floor_};
    return out;
}

void transaction::purge(const journal_entry& last, purge_outcome& out) {
    const std::int64_t number = last.after.number;
    const place at{last.after.created_at, number};
    const stored_order* const current = find(at);
    const order_version latest = current ? current->value.version : last_entry(number)->version;
    if (!ends_with(current ? &current->value : nullptr, last.version, latest)) return;
    purged_.push_back(number);
    remove_records(std::string(last.after.id.view()));
    if (current) {
        ++out.orders;
        --sums_.orders[current->value.status];
        reindex(current->index, {}, at);
        touched_[at] = std::nullopt;
    }
    const auto first = base_.versions.lower_bound({number, order_version{0}});
    const auto end = base_.versions.lower_bound({number + 1, order_version{0}});
    out.entries += static_cast<std::uint64_t>(std::distance(first, end));
}

void transaction::erase_purged() noexcept {
    auto& versions = base_.versions;
    for (const std::int64_t number : purged_) {
        auto it = versions.lower_bound({number, order_version{0}});
        while (it != versions.end() && it->first.number == number) {
            base_.journal.erase(it->second);
            it = versions.erase(it);
        }
    }
    if (base_.journal.floor == floor_) return;
    base_.journal.floor = floor_;
    base_.journal.compact();
}

void transaction::commit(const write_params& params) {
    if (!changed_) return;
    // Whatever may fail, while nothing has changed yet.
    std::map<std::string, writer_mark, std::less<>> writers;
    writers.emplace(params.writer, writer_mark{params.sequence, at_.now});
    std::set<std::pair<timestamp, digest>> keys_by_age;
    for (const auto& [key, it] : keys_) keys_by_age.emplace(it.at, key);
    std::map<version_of_order, std::uint64_t> versions;
    for (const journal_entry& it : journal_) {
        versions.emplace(version_of_order{it.after.number, it.version}, it.position.offset);
    }
    std::map<place, stored_order> orders;
    std::set<due_key> due;
    for (auto& [at, it] : touched_) {
        if (!it) continue;
        if (it->due_at) due.emplace(it->value.status, *it->due_at, at);
        orders.emplace(at, std::move(*it));
    }
    auto cursors = kept(cursors_);
    auto records = kept(records_);
    std::set<reminder> reminders;
    std::set<subject> subjects;
    for (const auto& [name, it] : records) {
        if (it.due_at) reminders.emplace(name.collection, *it.due_at, name.key);
        if (!it.order.empty()) subjects.emplace(it.order, name);
    }
    std::vector<std::set<reminder>::iterator> outdated;
    std::vector<std::set<subject>::iterator> unrelated;
    for (const auto& [name, ignored] : records_) {
        const auto found = base_.records.find(name);
        if (found == base_.records.end()) continue;
        const record& before = found->second;
        if (before.due_at) {
            outdated.push_back(base_.reminders.find({name.collection, *before.due_at, name.key}));
        }
        if (!before.order.empty()) unrelated.push_back(base_.subjects.find({before.order, name}));
    }
    auto& entries = base_.journal.entries;
    const std::size_t size = entries.size() + journal_.size();
    if (entries.capacity() < size) {
        entries.reserve(std::max<std::size_t>(size, entries.capacity() * 2));
    }
    // Nothing from here on fails.
    for (const auto& [at, ignored] : touched_) {
        const auto before = base_.orders.find(at);
        if (before == base_.orders.end()) continue;
        const stored_order& it = before->second;
        if (it.due_at) base_.due.erase({it.value.status, *it.due_at, at});
        base_.orders.erase(before);
    }
    base_.orders.merge(orders);
    base_.due.merge(due);
    for (const index_key& it : removed_) base_.index.erase(it);
    base_.index.merge(added_);
    base_.ids.merge(ids_);
    base_.keys.merge(keys_);
    base_.keys_by_age.merge(keys_by_age);
    base_.versions.merge(versions);
    replace(base_.cursors, cursors_, cursors);
    replace(base_.writers, writers, writers);
    for (const auto& it : outdated) base_.reminders.erase(it);
    base_.reminders.merge(reminders);
    for (const auto& it : unrelated) base_.subjects.erase(it);
    base_.subjects.merge(subjects);
    replace(base_.records, records_, records);
    for (auto& [offset, after] : redacted_) base_.journal.replace(offset, std::move(after));
    for (journal_entry& it : journal_) entries.push_back(std::move(it));
    erase_purged();
    base_.sums = std::move(sums_);
    forget(params);
}

void transaction::forget(const write_params& params) noexcept {
    auto& by_age = base_.keys_by_age;
    const timestamp before = params.forget_before;
    std::size_t most = params.forget_max;
    for (; most > 0 && !by_age.empty() && by_age.begin()->first < before; --most) {
        base_.keys.erase(by_age.begin()->second);
        by_age.erase(by_age.begin());
    }
    std::erase_if(base_.writers,
                  [&](const auto& it) { return it.second.at < before && most > 0 && most-- > 0; });
    const timestamp ahead = ahead_of(params);
    if (at_.stamp <= ahead) return;  // no clock was so far ahead
    most = params.forget_max;
    for (; most > 0 && !by_age.empty() && by_age.rbegin()->first > ahead; --most) {
        auto node = by_age.extract(std::prev(by_age.end()));
        node.value().first = at_.now;
        base_.keys.find(node.value().second)->second.at = at_.now;
        by_age.insert(std::move(node));
    }
    for (auto& [name, it] : base_.writers) {
        if (it.at > ahead) it.at = at_.now;
    }
}

}  // namespace memory
}  // namespace detail
}  // namespace v1
}  // namespace orderproc
