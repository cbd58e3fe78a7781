#include <orderproc/adapter.hpp>

#include <algorithm>
#include <chrono>

namespace orderproc {
inline namespace v1 {

change_outcome refuse(const change& what, error_code why, const stored_order* current) {
    change_outcome out;
    out.ec = why;
    if (current && (!what.user_id || *what.user_id == current->value.user_id)) {
        out.after = current->value;
    }
    return out;
}

journal_entry to_entry(const evaluation& what, feed_position position, write_time at) {
    return {position,
            what.after.value.version,
            std::string(what.event),
            what.from,
            std::string(what.actor),
            what.reason,
            what.after.traceparent,
            at.stamp,
            what.after.value};
}

timestamp ahead_of(const write_params& params) noexcept {
    constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 36525);
    if (params.forget_before < params.now - century) return timestamp::max();  // keeps everything
    return params.now + (params.now - params.forget_before);
}

cursor_outcome evaluate(stored_cursor& kept, const cursor_move& what, timestamp now) {
    const bool over = kept.expires_at <= now ||
                      (what.expired == kept.expires_at && kept.expires_at > what.expires_at);
    if (kept.owner != what.owner && !over) return {errc::lease_lost, kept.at, kept.expires_at};
    if (what.to) kept.at = *what.to;
    kept.owner = what.owner;
    kept.expires_at = what.expires_at;
    return {{}, kept.at, {}};
}

bool matches(const order& it, const list_params& params) noexcept {
    const auto& wanted = params.statuses;
    return (!params.user_id || *params.user_id == it.user_id) &&
           (wanted.empty() || std::find(wanted.begin(), wanted.end(), it.status) != wanted.end());
}

void judge_position(feed_position after, feed_page& page) noexcept {
    page.reset = (after.offset != 0 && after.epoch != page.newest.epoch) ||
                 after.offset < page.oldest.offset || after.offset > page.newest.offset;
}

}  // namespace v1
}  // namespace orderproc
