#include "order_row.hpp"
#include "writer.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

namespace orderproc::detail::sqlite {

claim_outcome writer::apply(const claim& what) {
    claim_outcome out;
    claim_selection selection(what, at_);
    // Read before the first of them is changed, which would move it in the index.
    const std::vector<stored_order> offers = what.only.empty() ? candidates(what) : named(what);
    std::size_t taken = 0;
    for (const stored_order& candidate : offers) {
        const auto verdict = selection.offer(candidate);
        if (!verdict) continue;
        store(*verdict, nullptr);
        selection.take(*verdict, out);
        ++taken;
    }
    const auto next = first_due(*what.stage);
    out.more = what.only.empty() ? next && *next <= at_.now : taken < offers.size();
    if (!out.more) out.next_due = next;
    return out;
}

std::vector<stored_order> writer::candidates(const claim& what) {
    std::vector<stored_order> out;
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::max();
    auto due = due_.query(what.stage->waiting.view(), what.stage->active.view(), at_.stamp,
                          static_cast<std::uint64_t>(std::min(what.limit, most)));
    while (due.next()) out.push_back(read_stored_order(db_, due));
    return out;
}

std::vector<stored_order> writer::named(const claim& what) {
    std::vector<stored_order> out;
    for (const std::string& id : what.only) {
        auto it = find(id);
        if (!it || !it->due_at || *it->due_at > at_.stamp) continue;
        const order_status status = it->value.status;
        if (status != what.stage->waiting && status != what.stage->active) continue;
        out.push_back(std::move(*it));
    }
    const auto place = [](const stored_order& it) {
        return std::tuple(it.due_at, it.value.number);
    };
    std::sort(out.begin(), out.end(),
              [&](const auto& a, const auto& b) { return place(a) < place(b); });
    const auto last = std::unique(
        out.begin(), out.end(), [&](const auto& a, const auto& b) { return place(a) == place(b); });
    out.erase(last, out.end());
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

cursor_outcome writer::apply(const cursor_move& what) {
    feed_position at{sums_.epoch, 0};
    {
        auto found = cursor_.query(std::string_view(what.name));
        if (found.next()) {
            at = {static_cast<std::uint64_t>(found.integer(1)),
                  static_cast<std::uint64_t>(found.integer(2))};
            if (found.text(0) != what.owner && found.time(3) > at_.now) {
                return {errc::lease_lost, at};
            }
        }
    }
    if (what.to) at = *what.to;
    dirty_ = true;
    set_cursor_.run(std::string_view(what.name), std::string_view(what.owner), at.epoch, at.offset,
                    what.expires_at);
    return {{}, at};
}

}  // namespace orderproc::detail::sqlite
