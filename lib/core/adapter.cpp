#include "core/model_rules.hpp"

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

change_outcome refuse_taken(const change& what, const evaluation& wanted,
                            const stored_order& holder) {
    change_outcome out = refuse(what, errc::attribute_taken, &holder);
    for (const index_entry& it : wanted.after.index) {
        const bool shared =
            it.unique && std::binary_search(holder.index.begin(), holder.index.end(), it);
        if (shared) out.taken = it.slot % detail::tenant_slots;
    }
    return out;
}

std::vector<index_entry> entries_beyond(std::span<const index_entry> of,
                                        std::span<const index_entry> others) {
    std::vector<index_entry> out;
    std::set_difference(of.begin(), of.end(), others.begin(), others.end(),
                        std::back_inserter(out));
    return out;
}

// Each entry: its slot, whether it is unique, the size of its value, and that.
void append_index(std::span<const index_entry> entries, std::string& out) {
    static_assert(index_entry::value_size_max < 256);
    for (const index_entry& it : entries) {
        out += static_cast<char>(it.slot);
        out += it.unique ? '\1' : '\0';
        out += static_cast<char>(it.value.size());
        out += it.value;
    }
}

result<std::vector<index_entry>> read_index(std::string_view bytes) {
    constexpr std::size_t head = 3;
    result<std::vector<index_entry>> out;
    while (!bytes.empty()) {
        if (bytes.size() < head || static_cast<unsigned char>(bytes[1]) > 1) return errc::corrupt;
        index_entry it;
        it.slot = static_cast<std::uint8_t>(bytes[0]);
        it.unique = bytes[1] == '\1';
        const std::size_t size = static_cast<unsigned char>(bytes[2]);
        bytes.remove_prefix(head);
        if (bytes.size() < size || size > index_entry::value_size_max) return errc::corrupt;
        it.value = bytes.substr(0, size);
        bytes.remove_prefix(size);
        if (!out->empty() && !(out->back() < it)) return errc::corrupt;
        out->push_back(std::move(it));
    }
    return out;
}

void redact(const change& what, order_content& earlier) {
    (what.model ? *what.model : order_model::standard()).redact(earlier);
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
    const bool moves = what.to && !what.remove && *what.to != kept.at;
    if (moves) kept.at = *what.to;
    if (moves || kept.moved_at == timestamp::min()) kept.moved_at = now;
    kept.owner = what.owner;
    kept.expires_at = what.expires_at;
    return {{}, kept.at, {}};
}

record_outcome evaluate(std::optional<record>& kept, const change_record& what,
                        std::uint64_t version) {
    if (what.action == record_action::create) {
        if (kept) return {errc::already_exists, kept};
    } else {
        if (!kept) return {errc::not_found, {}};
        if (kept->version != what.version) return {errc::version_conflict, kept};
    }
    if (what.action == record_action::remove) {
        kept.reset();
    } else {
        kept = record{what.key, what.value, version, what.due_at, what.order};
    }
    return {{}, kept};
}

bool matches(const order& it, const list_params& params) noexcept {
    const auto& wanted = params.statuses;
    return params.scope.admits(it) &&
           (wanted.empty() || std::find(wanted.begin(), wanted.end(), it.status) != wanted.end()) &&
           (!params.created_from || it.created_at >= *params.created_from) &&
           (!params.created_until || it.created_at < *params.created_until) &&
           it.id.view().starts_with(params.id_prefix);
}

bool finds_tenant(const list_params& params) {
    return params.scope.tenant && params.index == order_model::of_tenant(*params.scope.tenant);
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

purge_bounds::purge_bounds(const purge_orders& what, const write_params& params,
                           std::span<const named_cursor> cursors,
                           std::span<const journal_epoch> epochs, std::uint64_t floor,
                           std::uint64_t newest)
    : before_(std::min({what.before, params.forget_before, params.now})),
      waiting_since_(params.now - what.hold_max),
      last_(newest) {
    for (const named_cursor& it : cursors) {
        const std::uint64_t at = it.at.offset;
        // The reader of one that is lost gets a reset: there is nothing to keep for it.
        if (at < floor || (at != 0 && !in_chain(it.at, epochs))) continue;
        if (it.moved_at < waiting_since_) {
            idle_.push_back({at, it.name});
        } else if (at < last_) {
            last_ = at;
            last_holder_ = it.name;
        }
    }
}

bool purge_bounds::passes(std::uint64_t offset, timestamp at) {
    held_by_.clear();
    if (at >= before_) return false;
    if (offset > last_) {
        held_by_ = last_holder_;
        return false;
    }
    if (at < waiting_since_) return true;
    for (const holder& it : idle_) {
        if (it.at + 1 != offset) continue;
        held_by_ = it.name;
        return false;
    }
    return true;
}

bool ends_with(const order* current, order_version version, order_version latest) noexcept {
    return version == latest && (!current || current->settled_at);
}

list_window::verdict list_window::judge(const list_position& at, const order& row) {
    const bool shown = matches(row, params_);
    if (shown ? shown_ == limit_ : passed_ == params_.rows_max) {
        next_ = std::move(last_);
        return verdict::stop;
    }
    if (shown_ < limit_) last_ = at;  // of a full page it is the last that is shown
    ++(shown ? shown_ : passed_);
    return shown ? verdict::show : verdict::pass;
}

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

result<std::optional<record>> repository_reader::find_record(const find_record_params&) {
    return errc::not_supported;
}

result<record_page> repository_reader::list_records(const list_records_params&) {
    return errc::not_supported;
}

result<record_page> repository_reader::list_due_records(const list_due_records_params&) {
    return errc::not_supported;
}

result<void> repository::rotate_epoch(std::uint64_t) {
    return errc::not_supported;
}

result<void> require(const storage_info& of, const capability_set& needed, std::string_view by) {
    const capability_set missing = needed.without(of.capabilities);
    if (missing.empty()) return {};
    return failure{errc::not_supported, std::string(by) + " needs a storage with " +
                                            to_string(missing) + ", which " + of.name +
                                            " does not have"};
}

}  // namespace v1
}  // namespace orderproc
