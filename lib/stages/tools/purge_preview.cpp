#include <orderproc/adapter.hpp>
#include <orderproc/purge_preview.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t entries_read_at_once = 500;

// The first entry that the cursor has not passed; none: there is none, or it gets a reset.
struct cursor_look {
    bool lost = false;
    std::optional<journal_entry> next;
    std::uint64_t behind = 0;
};

result<cursor_look> look_behind(repository_reader& from, const feed_position& at) {
    auto page = from.read_feed({at, 1});
    if (!page) return std::move(page).error();
    cursor_look out;
    out.lost = page->reset;
    out.behind = page->reset ? 0 : page->newest.offset - at.offset;
    if (!page->entries.empty()) out.next = std::move(page->entries.front());
    return out;
}

class purge_walk {
public:
    purge_walk(repository_reader& from, const preview_purge_params& params)
        : from_(from), params_(params) {
        out_.last = params.after;
        out_.before = std::min({params.what.before, params.now, params.forget_before});
    }

    result<purge_preview> run() {
        auto bounds = read_bounds();
        if (!bounds) return std::move(bounds).error();
        while (!over_) {
            auto page = from_.read_feed({at_, entries_read_at_once});
            if (!page) return std::move(page).error();
            if (page->reset) {  // another purge was here
                at_ = page->oldest;
                continue;
            }
            if (page->entries.empty()) break;
            if (auto ok = judge(page->entries, *bounds); !ok) return std::move(ok).error();
            at_ = page->entries.back().position;
        }
        count_group();
        return std::move(out_);
    }

private:
    result<purge_bounds> read_bounds() {
        auto page = from_.read_feed({params_.after, 1});
        if (page && page->reset) page = from_.read_feed({page->oldest, 1});
        if (!page) return std::move(page).error();
        auto cursors = from_.list_cursors();
        if (!cursors) return std::move(cursors).error();
        // A connection does not show the chain of epochs, but says which positions are in it.
        std::vector<named_cursor> holding;
        for (named_cursor& it : *cursors) {
            const auto seen = look_behind(from_, it.at);
            if (!seen) return seen.error();
            if (seen->lost) continue;
            it.at.epoch = page->newest.epoch;
            holding.push_back(std::move(it));
        }
        at_ = params_.after.offset > page->oldest.offset ? params_.after : page->oldest;
        write_params when;
        when.now = params_.now;
        when.forget_before = params_.forget_before;
        const journal_epoch all{page->newest.epoch, 1};
        return purge_bounds(params_.what, when, holding, {&all, 1}, page->oldest.offset,
                            page->newest.offset);
    }

    result<void> judge(const std::vector<journal_entry>& entries, purge_bounds& bounds) {
        std::vector<std::string> ids;
        for (const journal_entry& it : entries) ids.emplace_back(it.after.id.view());
        const auto there = from_.load({ids});
        if (!there) return there.error();
        for (std::size_t i = 0; i < entries.size() && !over_; ++i) {
            judge(entries[i], there->orders[i], bounds);
        }
        return {};
    }

    // Entries of the same time are passed all together, so that their time can be the limit.
    void judge(const journal_entry& it, const std::optional<order>& current, purge_bounds& bounds) {
        if (it.at != group_at_) {
            count_group();
            group_at_ = it.at;
            if (out_.entries >= params_.what.limit) {
                out_.more = bounds.passes(it.position.offset, it.at);
                return stop(it);
            }
        }
        if (!bounds.passes(it.position.offset, it.at)) {
            out_.held_by = bounds.held_by();
            return stop(it);
        }
        const bool ends = current && ends_with(&*current, it.version, current->version);
        const auto& kept = params_.kept;
        if (ends && std::find(kept.begin(), kept.end(), current->status) != kept.end()) {
            out_.kept = *current;
            return stop(it);
        }
        ++group_.entries;
        if (ends) ++group_.orders;
        group_.last = it.position;
    }

    void stop(const journal_entry& at) {
        over_ = true;
        if (!out_.held_by.empty() || out_.kept) out_.held_since = at.at;
        if (at.at == group_at_) group_ = {};
        out_.before = std::min(out_.before, at.at);
    }

    void count_group() {
        if (group_.entries == 0) return;
        out_.entries += group_.entries;
        out_.orders += group_.orders;
        out_.last = group_.last;
        group_ = {};
    }

    repository_reader& from_;
    const preview_purge_params& params_;
    feed_position at_;
    purge_preview out_;
    std::optional<timestamp> group_at_;
    purge_preview group_;
    bool over_ = false;
};

}  // namespace

result<purge_preview> preview_purge(repository_reader& from, const preview_purge_params& params) {
    if (auto ok = validate(params.what); !ok) return std::move(ok).error();
    return purge_walk(from, params).run();
}

result<std::vector<purge_holder>> list_purge_holders(repository_reader& from, timestamp before,
                                                     std::size_t most) {
    auto cursors = from.list_cursors();
    if (!cursors) return std::move(cursors).error();
    std::sort(cursors->begin(), cursors->end(),
              [](const auto& a, const auto& b) { return a.at.offset < b.at.offset; });
    if (cursors->size() > most) cursors->resize(most);
    std::vector<purge_holder> out;
    for (const named_cursor& it : *cursors) {
        const auto seen = look_behind(from, it.at);
        if (!seen) return seen.error();
        if (seen->lost) continue;
        if (!seen->next || seen->next->at >= before) break;  // and so it is with all others
        out.push_back({it.name, seen->behind, seen->next->at});
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
