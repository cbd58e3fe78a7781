#include <orderproc/adapter.hpp>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace orderproc {
inline namespace v1 {

change_outcome refuse(const change& what, error_code why, const stored_order* current) {
    change_outcome out;
    out.ec = why;
    if (current && what.scope.admits(current->value)) out.after = current->value;
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

cursor_outcome evaluate(stored_cursor& kept, const commit_cursor& what, timestamp now) {
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
    return params.scope.admits(it) &&
           (wanted.empty() || std::find(wanted.begin(), wanted.end(), it.status) != wanted.end()) &&
           (!params.created_from || it.created_at >= *params.created_from) &&
           (!params.created_until || it.created_at < *params.created_until) &&
           it.id.view().starts_with(params.id_prefix);
}

std::optional<std::string> end_of_prefix(std::string_view prefix) {
    while (prefix.ends_with('\xff')) prefix.remove_suffix(1);
    if (prefix.empty()) return std::nullopt;
    std::string out(prefix);
    out.back() = static_cast<char>(static_cast<unsigned char>(out.back()) + 1);
    return out;
}

namespace {

// Its own entries, and the place before the first of them: newest has it in a new epoch.
bool in_chain(feed_position it, std::span<const journal_epoch> epochs) noexcept {
    const auto found = std::find_if(epochs.begin(), epochs.end(), [&](const journal_epoch& known) {
        return known.epoch == it.epoch;
    });
    if (found == epochs.end() || it.offset + 1 < found->first) return false;
    const auto next = std::next(found);
    return next == epochs.end() || it.offset < next->first;
}

}  // namespace

void judge_position(feed_position after, std::span<const journal_epoch> epochs,
                    feed_page& page) noexcept {
    page.reset = after.offset < page.oldest.offset || after.offset > page.newest.offset ||
                 (after.offset != 0 && !in_chain(after, epochs));
}

std::uint64_t epoch_at(std::span<const journal_epoch> epochs, std::uint64_t offset) noexcept {
    auto it = epochs.end() - 1;
    while (it != epochs.begin() && it->first > offset) --it;
    return it->epoch;
}

result<void> add_epoch(std::vector<journal_epoch>& epochs, std::uint64_t epoch,
                       std::uint64_t newest) {
    const auto same = [&](const journal_epoch& it) { return it.epoch == epoch; };
    if (epoch == 0) return failure{errc::invalid_argument, "an epoch is never 0"};
    if (std::any_of(epochs.begin(), epochs.end(), same)) {
        return failure{errc::invalid_argument,
                       "the journal has had epoch " + std::to_string(epoch) + " already"};
    }
    epochs.push_back({epoch, newest + 1});
    return {};
}

result<feed_position> repository_reader::find_position(timestamp) {
    return errc::not_supported;
}

result<void> repository::rotate_epoch(std::uint64_t) {
    return errc::not_supported;
}

}  // namespace v1
}  // namespace orderproc
