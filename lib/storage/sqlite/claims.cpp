#include "order_row.hpp"
#include "writer.hpp"

#include <orderproc/adapter.hpp>

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

claim_outcome writer::apply(const claim& what) {
    claim_outcome out;
    claim_selection selection(what, at_);
    // Read before the first of them is changed, which would move it in the index.
    std::vector<stored_order> offers = what.only.empty() ? candidates(what) : named(what);
    for (const doubtful_lease& it : what.expired) {
        if (auto found = find(it.order)) offers.push_back(std::move(*found));
    }
    for (const due_range& range : selection.ranges()) {
        for (stored_order& it : in_range(range)) {
            if (selection.survey(it, out)) offers.push_back(std::move(it));
        }
    }
    selection.arrange(offers);
    for (stored_order& candidate : offers) {
        auto verdict = selection.offer(std::move(candidate));
        if (!verdict) continue;
        store(*verdict, nullptr);
        selection.take(std::move(*verdict), out);
    }
    selection.finish(first_due(*what.stage), offers.size(), out);
    return out;
}

std::vector<stored_order> writer::candidates(const claim& what) {
    std::vector<stored_order> out;
    if (at_.stamp > at_.now) {
        // Some are not due, and those of one status must not take the places of the other's.
        for (const order_status status : {what.stage->waiting, what.stage->active}) {
            auto some = in_range({status, {}, what.limit});
            std::copy_if(std::make_move_iterator(some.begin()), std::make_move_iterator(some.end()),
                         std::back_inserter(out),
                         [this](const stored_order& it) { return *it.due_at <= at_.stamp; });
        }
        return out;
    }
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
    auto due = due_.query(what.stage->waiting.view(), what.stage->active.view(), at_.stamp,
                          static_cast<std::uint64_t>(std::min(what.limit, most)));
    while (due.next()) out.push_back(read_stored_order(db_, due));
    return out;
}

std::vector<stored_order> writer::in_range(const due_range& range) {
    std::vector<stored_order> out;
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
    auto found = in_range_.query(range.status.view(), range.after.due_at, range.after.number,
                                 static_cast<std::uint64_t>(std::min(range.limit, most)));
    while (found.next()) out.push_back(read_stored_order(db_, found));
    return out;
}

std::vector<stored_order> writer::named(const claim& what) {
    std::vector<stored_order> out;
    for (const std::string& id : what.only) {
        if (auto it = find(id)) out.push_back(std::move(*it));
    }
    return out;
}

std::optional<timestamp> writer::first_due(const work_stage& stage) {
    std::optional<timestamp> first;
    for (const order_status status : {stage.waiting, stage.active}) {
        auto found = first_due_.query(status.view());
        if (found.next() && (!first || found.time(0) < *first)) first = found.time(0);
    }
    return first;
}

cursor_outcome writer::apply(const commit_cursor& what) {
    stored_cursor kept{{sums_.epoch, 0}, {}};
    {
        auto found = cursor_.query(std::string_view(what.name));
        if (found.next()) {
            kept = {{static_cast<std::uint64_t>(found.integer(1)),
                     static_cast<std::uint64_t>(found.integer(2))},
                    std::string(found.text(0)),
                    found.time(3),
                    found.time(4)};
        }
    }
    const cursor_outcome out = evaluate(kept, what, at_.now);
    if (out.ec) return out;
    if (what.remove) {
        const bool removed = remove_cursor_.run(std::string_view(what.name)) > 0;
        dirty_ = dirty_ || removed;
        return out;
    }
    dirty_ = true;
    set_cursor_.run(std::string_view(what.name), std::string_view(kept.owner), kept.at.epoch,
                    kept.at.offset, kept.expires_at, kept.moved_at);
    return out;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
