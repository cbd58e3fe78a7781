#include "order_row.hpp"
#include "writer.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/codec.hpp>

#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

void writer::apply(const change& what, change_outcome& out) {
    if (what.idempotency_key && replay(*what.idempotency_key, out)) return;
    if (std::holds_alternative<create_order>(what.action)) {
        create(what, out);
    } else {
        modify(what, out);
    }
    if (what.idempotency_key && !out.ec) keep_key(*what.idempotency_key, *out.after);
}

void writer::create(const change& what, change_outcome& out) {
    auto verdict = evaluate(nullptr, what, at_);
    // Ids that the library makes ascend with time, so a new one needs no look among the old.
    const bool buried =
        what.order <= buried_max_ && buried_.query(std::string_view(what.order)).next();
    if (!verdict || buried) {
        out = refuse(what, verdict ? errc::already_exists : verdict.error().code, nullptr);
        return;
    }
    const auto holder = index_.find_holder({}, verdict->after.index, 0);
    if (holder && !find(what.order)) return refuse_for(*holder, what, *verdict, out);
    order& after = verdict->after.value;
    // Without looking first: nearly always the id is new, and the index sees it anyway.
    after.number = sums_.number + 1;
    if (!insert(verdict->after)) {
        const auto current = find(what.order);
        out = refuse(what, errc::already_exists, current ? &*current : nullptr);
        return;
    }
    index_.update({}, verdict->after.index, after.number);
    dirty_ = true;
    ++sums_.number;
    count(after.status, 1);
    append(*verdict);
    out.journaled = true;
    out.after = std::move(after);
}

void writer::refuse_for(std::int64_t holder, const change& what, const evaluation& wanted,
                        change_outcome& out) {
    const auto it = find(holder);
    if (it) {
        out = refuse_taken(what, wanted, *it);
    } else if (db_.ok()) {
        db_.fail(errc::corrupt, "an index entry has no order");
    }
}

void writer::modify(const change& what, change_outcome& out) {
    auto current = find(what.order);
    if (!current && std::holds_alternative<redact_order>(what.action)) {
        return redact_deleted(what, out);
    }
    const std::vector<index_entry> before = current ? current->index : std::vector<index_entry>();
    auto verdict =
        current ? evaluate(std::move(*current), what, at_) : evaluate(nullptr, what, at_);
    if (!verdict) {
        out = refuse(what, verdict.error().code, current ? &*current : nullptr);
        return;
    }
    const auto& after = verdict->after;
    if (const auto holder = index_.find_holder(before, after.index, after.value.number)) {
        return refuse_for(*holder, what, *verdict, out);
    }
    if (after.index != before) {
        dirty_ = true;
        index_.update(before, after.index, after.value.number);
    }
    if (verdict->redacted) redact_entries(what, after.value.number);
    store(*verdict, &what);
    out.journaled = verdict->journaled;
    out.after = std::move(verdict->after.value);
}

// An order that is there no more has its entries still, unless it was purged.
void writer::redact_deleted(const change& what, change_outcome& out) {
    std::optional<order> last;
    {
        auto known = buried_.query(std::string_view(what.order));
        if (known.next()) {
            auto latest = snapshots_.query(known.integer(0));
            if (latest.next()) last = read_snapshot(db_, latest.text(2));
        }
    }
    if (!last) {
        out = refuse(what, errc::not_found, nullptr);
        return;
    }
    auto verdict = evaluate_deleted(std::move(*last), what, at_);
    if (!verdict) {
        out = refuse(what, verdict.error().code, nullptr);
        return;
    }
    redact_entries(what, verdict->after.value.number);
    append(*verdict);
    dirty_ = true;
    out.journaled = true;
    out.after = std::move(verdict->after.value);
}

// The bytes of before are overwritten in the file (PRAGMA secure_delete), not in the log.
void writer::redact_entries(const change& what, std::int64_t number) {
    std::vector<std::pair<std::int64_t, std::string>> entries;
    {
        auto found = snapshots_.query(number);
        while (found.next()) entries.emplace_back(found.integer(0), found.text(2));
    }
    for (const auto& [position, before] : entries) {
        order it = read_snapshot(db_, before);
        redact(what, it);
        buffer_.clear();
        encode(it, buffer_);
        if (buffer_ != before) set_snapshot_.run(position, blob(buffer_));
    }
    records_.remove_of(what.order);
    redacted_ = true;
}

// False: the key is new.
bool writer::replay(const idempotency& once, change_outcome& out) {
    auto found = find_key_.query(blob(once.key));
    if (!found.next()) return false;
    if (found.text(0) != blob(once.body).bytes) {
        out.ec = errc::idempotency_mismatch;
        return true;
    }
    auto entry = snapshot_.query(found.integer(1), found.integer(2));
    if (entry.next()) {
        out.replayed = true;
        out.after = read_snapshot(db_, entry.text(0));
    } else if (sums_.floor > 0 && !has_entries_.query(found.integer(1)).next()) {
        out.ec = errc::not_found;  // purged
    } else if (db_.ok()) {
        db_.fail(errc::corrupt, "the first answer to an idempotency key is gone");
    }
    return true;
}

void writer::keep_key(const idempotency& once, const order& after) {
    dirty_ = true;
    keep_key_.run(blob(once.key), blob(once.body), after.number,
                  static_cast<std::uint64_t>(after.version), at_.now);
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
