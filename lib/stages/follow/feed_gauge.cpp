#include "stages/follow/feed_gauge.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds measures_every{1000};

}  // namespace

feed_gauge::feed_gauge(reader& journal, runtime with, std::string_view cursor)
    : journal_(journal), with_(with), cursor_(cursor) {}

void feed_gauge::note(feed_wait what, bool advanced, clock::instant now) noexcept {
    const bool waits = what != feed_wait::nothing && what != feed_wait::leader;
    if (!waits || !waits_ || advanced) progress_at_ = now;
    waits_ = waits;
    waits_for_ = what;
}

// Also while another one leads.
std::optional<timestamp> feed_gauge::find_oldest(const feed_standing& it, std::uint64_t& behind) {
    // One that has not moved yet stands at 0, and what was purged is not waited for.
    if (it.leading) behind = it.newest - std::min(it.newest, std::max(it.done.offset, it.floor));
    if (it.knows_oldest) return it.oldest;
    const auto found = journal_.use([&](repository_reader& from) -> result<feed_page> {
        auto at = it.leading ? std::optional(it.done) : std::nullopt;
        if (!at) {
            auto stands = from.find_cursor(cursor_);
            if (!stands) return std::move(stands).error();
            at = stands->value_or(feed_position{});
        }
        auto page = from.read_feed({*at, 1});
        if (page && page->reset) page = from.read_feed({*(at = page->oldest), 1});
        if (page) behind = page->newest.offset - std::min(page->newest.offset, at->offset);
        return page;
    });
    if (!found || found->entries.empty()) return std::nullopt;
    return found->entries.front().at;
}

void feed_gauge::measure(const feed_standing& it, clock::instant now) {
    const bool arrived = it.caught_up && !caught_up_;
    if (now < due_ && !arrived) return;
    due_ = now + measures_every;
    feed_report report;
    report.cursor = cursor_;
    report.leading = it.leading;
    if (const auto oldest = find_oldest(it, report.behind)) {
        report.lag = std::max(milliseconds(0), with_.time.now() - *oldest);
    } else {
        report.behind = 0;
    }
    caught_up_ = it.caught_up;
    report.waits_for = waits_for_;
    report.waited = waited(now);
    with_.observer.feed_measured(report);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
