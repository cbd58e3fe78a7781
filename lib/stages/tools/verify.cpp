#include "core/order_difference.hpp"
#include "core/work_events.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/codec.hpp>
#include <orderproc/verify.hpp>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t page_size = 1000;
constexpr std::uint64_t progress_every = 4096;

// What is remembered of an order: enough to judge its next entry and to recognise its row.
struct folded {
    std::uint64_t fingerprint = 0;  // of the order after its latest entry
    std::uint64_t offset = 0;       // of that entry
    std::uint32_t version = 0;
    std::uint32_t first = 0;   // the version after the first of its entries in the feed
    std::uint16_t status = 0;  // an index into the machine's
    bool removed = false;
    bool listed = false;
};

class verifier {
public:
    verifier(repository_reader& from, const status_machine& machine)
        : from_(from), machine_(machine) {}

    result<verify_report> run(const std::function<void(const verify_report&)>& progress);

private:
    result<void> fold(const std::function<void(const verify_report&)>& progress);
    result<void> compare_orders(const std::function<void(const verify_report&)>& progress);
    result<void> compare_row(const order& row);
    result<void> compare_history(const order& row, order_version until);
    result<void> look_for_missing();
    result<void> compare_counts();
    result<void> compare_cursors();
    void judge_position(const journal_entry& entry);
    void begin_epoch(const journal_entry& entry);
    result<feed_page> read_entry(std::uint64_t offset);
    feed_position position(std::uint64_t offset) const {
        return {epoch_at(epochs_, offset), offset};
    }
    result<void> judge(const journal_entry& entry);
    result<bool> deleted_before(const journal_entry& entry);
    void judge_first(const journal_entry& entry);
    void judge_next(const journal_entry& entry, const folded& before);
    bool allowed(const journal_entry& entry) const;
    std::uint64_t fingerprint(const order& value);
    void differ(const journal_entry& entry, const std::string& text);
    void differ(std::string text) {
        if (!report_.difference) report_.difference = std::move(text);
    }

    repository_reader& from_;
    const status_machine& machine_;
    verify_report report_;
    std::unordered_map<std::int64_t, folded> orders_;  // by number
    std::vector<std::uint64_t> listed_;                // how many, by status
    std::uint64_t completed_ = 0;                      // entries that completed work
    std::chrono::milliseconds processing_time_{0};     // of those, since the first claim
    bool whole_ = true;                                // the journal is kept from its beginning
    std::vector<journal_epoch> epochs_;                // as the entries have them
    feed_position last_;
    timestamp last_at_ = timestamp::min();
    std::string buffer_;
};

std::string text(const feed_position& at) {
    return std::to_string(at.epoch) + "-" + std::to_string(at.offset);
}

using detail::show;

std::string name(const order& it) {
    return "order " + (!it.id.empty() ? std::string(it.id.view()) : "without an id") + " (number " +
           std::to_string(it.number) + ")";
}

result<verify_report> verifier::run(const std::function<void(const verify_report&)>& progress) {
    listed_.resize(machine_.statuses().size());
    if (auto ok = fold(progress); !ok) return std::move(ok).error();
    if (!report_.difference) {
        if (auto ok = compare_orders(progress); !ok) return std::move(ok).error();
    }
    if (!report_.difference) {
        if (auto ok = compare_counts(); !ok) return std::move(ok).error();
    }
    if (!report_.difference) {
        if (auto ok = compare_cursors(); !ok) return std::move(ok).error();
    }
    return std::move(report_);
}

result<void> verifier::fold(const std::function<void(const verify_report&)>& progress) {
    auto page = from_.read_feed({{}, 1});
    if (!page) return std::move(page).error();
    const feed_position newest = page->newest;
    last_ = page->oldest;
    whole_ = last_.offset == 0;
    epochs_.assign(1, {last_.epoch, last_.offset + 1});
    if (last_.epoch == 0 || newest.epoch == 0) differ("the feed has epoch 0");
    while (!report_.difference) {
        page = from_.read_feed({last_, page_size});
        if (!page) return std::move(page).error();
        if (page->reset) differ("the feed does not go on after " + text(last_));
        if (page->entries.empty()) break;
        for (const journal_entry& entry : page->entries) {
            if (auto ok = judge(entry); !ok) return ok;
            if (report_.difference) return {};
            if (++report_.entries % progress_every == 0 && progress) progress(report_);
        }
    }
    if (!report_.difference && last_.offset != newest.offset) {
        differ("the feed says that " + text(newest) + " is its newest entry, but ends at " +
               text(last_));
    }
    return {};
}

result<void> verifier::judge(const journal_entry& entry) {
    judge_position(entry);
    if (entry.version != entry.after.version) {
        differ(entry, "is version " + detail::show(entry.version) + ", its order " +
                          detail::show(entry.after.version));
    }
    const auto statuses = machine_.statuses();
    const auto status = std::find(statuses.begin(), statuses.end(), entry.after.status);
    if (status == statuses.end()) {
        differ(entry, "has status " + detail::show(entry.after.status) +
                          ", which the machine does not have");
        return {};
    }
    const auto known = orders_.find(entry.after.number);
    if (known == orders_.end()) {
        judge_first(entry);
    } else {
        judge_next(entry, known->second);
    }
    const work_stage* stage = entry.from ? machine_.stage_active_in(*entry.from) : nullptr;
    const transition* rule = machine_.find(entry.event);
    if (stage && rule && detail::completes_work(*rule, machine_)) {
        ++completed_;
        const order& done = entry.after;
        if (done.first_claimed_at) processing_time_ += done.updated_at - *done.first_claimed_at;
    }
    const bool fresh = known == orders_.end();
    auto removed = fresh ? deleted_before(entry) : result<bool>(known->second.removed);
    if (!removed) return std::move(removed).error();
    folded& it = fresh ? orders_[entry.after.number] : known->second;
    if (fresh) it.first = static_cast<std::uint32_t>(entry.version);
    it.fingerprint = fingerprint(entry.after);
    it.offset = entry.position.offset;
    it.version = static_cast<std::uint32_t>(entry.version);
    it.status = static_cast<std::uint16_t>(status - statuses.begin());
    it.removed = *removed || entry.event == "delete";
    return {};
}

// A redaction may be the only entry of a deleted order that the feed still has.
result<bool> verifier::deleted_before(const journal_entry& entry) {
    std::uint64_t version = 0;
    const std::string id(entry.after.id.view());
    while (!whole_ && entry.event == "redact" && order_version{version} < entry.version) {
        auto entries = from_.history({id, order_version{version}, page_size});
        if (!entries) return std::move(entries).error();
        if (entries->empty()) break;
        for (const journal_entry& it : *entries) {
            if (it.event == "delete") return true;
        }
        version = static_cast<std::uint64_t>(entries->back().version);
    }
    return false;
}

void verifier::judge_position(const journal_entry& entry) {
    const std::uint64_t expected = last_.offset + 1;
    if (entry.position.offset != expected) {
        differ(entry, "follows " + text(last_) + ": expected offset " + std::to_string(expected));
    }
    if (entry.position.epoch != last_.epoch) begin_epoch(entry);
    if (entry.at < last_at_) {
        differ(entry, "was written at " + to_string(entry.at) + ", the one before it at " +
                          to_string(last_at_));
    }
    last_ = entry.position;
    last_at_ = entry.at;
}

// An epoch begins with an entry and never comes again.
void verifier::begin_epoch(const journal_entry& entry) {
    if (!add_epoch(epochs_, entry.position.epoch, last_.offset)) {
        differ(entry, "is in an epoch that ended before");
    }
}

void verifier::judge_first(const journal_entry& entry) {
    if (entry.after.id.empty()) differ(entry, "is of an order without an id");
    if (entry.event == "create") {
        if (entry.version != order_version{1}) {
            differ(entry, "created it with version " + detail::show(entry.version));
        }
        if (entry.from) differ(entry, "created it from " + detail::show(*entry.from));
        if (entry.after.status != machine_.initial()) {
            differ(entry, "created it as " + detail::show(entry.after.status));
        }
    } else if (whole_) {
        differ(entry, "is of an order that was never created");
    } else if (!allowed(entry)) {
        differ(entry, "moved it from " + detail::show(entry.from) + " to " +
                          detail::show(entry.after.status) + ", which the machine forbids");
    }
}

void verifier::judge_next(const journal_entry& entry, const folded& before) {
    const order_status status = machine_.statuses()[before.status];
    if (before.removed && entry.event != "redact") differ(entry, "comes after its deletion");
    if (entry.event == "create") differ(entry, "creates it a second time");
    if (static_cast<std::uint64_t>(entry.version) != std::uint64_t{before.version} + 1) {
        differ(entry, "has version " + detail::show(entry.version) + " after version " +
                          std::to_string(before.version));
    }
    if (entry.from != status) {
        differ(entry, "moved it from " + detail::show(entry.from) + ", but it was " +
                          detail::show(status));
    }
    if (!allowed(entry)) {
        differ(entry, "moved it from " + detail::show(entry.from) + " to " +
                          detail::show(entry.after.status) + ", which the machine forbids");
    }
}

bool verifier::allowed(const journal_entry& entry) const {
    if (!entry.from) return false;
    const order_status to = entry.after.status;
    if (is_engine_event(entry.event)) return to == *entry.from;  // a create has come first
    const transition* rule = machine_.find(entry.event);
    if (!rule || rule->to != to) return false;
    if (to == *entry.from) return true;  // asked for again, to make it due sooner
    return std::find(rule->from.begin(), rule->from.end(), *entry.from) != rule->from.end();
}

result<void> verifier::compare_orders(const std::function<void(const verify_report&)>& progress) {
    list_params params;
    params.descending = false;
    params.limit = page_size;
    timestamp last_created = timestamp::min();
    std::int64_t last_number = 0;
    do {
        auto page = from_.list(params);
        if (!page) return std::move(page).error();
        for (const order& row : page->orders) {
            if (std::pair(row.created_at, row.number) <= std::pair(last_created, last_number)) {
                differ(name(row) + " is listed after number " + std::to_string(last_number) +
                       ", created at " + to_string(last_created));
            }
            if (auto ok = compare_row(row); !ok) return ok;
            if (report_.difference) return {};
            if (report_.orders % progress_every == 0 && progress) progress(report_);
            last_created = row.created_at;
            last_number = row.number;
        }
        params.after = page->next;
    } while (params.after);
    return look_for_missing();
}

result<void> verifier::compare_row(const order& row) {
    ++report_.orders;
    const auto statuses = machine_.statuses();
    const auto status = std::find(statuses.begin(), statuses.end(), row.status);
    if (status != statuses.end()) ++listed_[static_cast<std::size_t>(status - statuses.begin())];
    const auto it = orders_.find(row.number);
    if (it == orders_.end()) {
        if (whole_) differ(name(row) + " has no entry in the journal");
        if (row.settled_at) differ(name(row) + " was settled before the feed begins, but is there");
        return compare_history(row, row.version);
    }
    folded& expected = it->second;
    if (expected.removed) differ(name(row) + " was deleted, but is listed");
    if (expected.listed) differ(name(row) + " is listed twice");
    expected.listed = true;
    if (expected.fingerprint == fingerprint(row)) {
        return compare_history(row, order_version{expected.first - 1});
    }
    auto page = read_entry(expected.offset);
    if (!page) return std::move(page).error();
    const std::string why = page->entries.empty()
                                ? "an entry that is gone"
                                : detail::order_difference(page->entries.front().after, row);
    differ(name(row) + " is not what its latest entry " + text(position(expected.offset)) +
           " made it: " + why);
    return {};
}

// What the feed no longer has: the entries of an order up to the version, of which the last may be
// the one that made it what it is.
result<void> verifier::compare_history(const order& row, order_version until) {
    const std::string id(row.id.view());
    std::uint64_t version = 0, offset = 0;
    while (version < static_cast<std::uint64_t>(until) && !report_.difference) {
        const auto entries = from_.history({id, order_version{version}, page_size});
        if (!entries) return entries.error();
        if (entries->empty()) differ(name(row) + " has no history after version " + show(version));
        for (const journal_entry& it : *entries) {
            if (version == static_cast<std::uint64_t>(until)) break;
            if (it.version != order_version{++version}) {
                differ(it, "is in the history in the place of version " + show(version));
            }
            if (it.position.offset <= offset) differ(it, "is before the entry before it");
            offset = it.position.offset;
            if (it.version == row.version && fingerprint(it.after) != fingerprint(row)) {
                differ(it, "is not what the order is: " + detail::order_difference(it.after, row));
            }
            if (report_.difference) break;
        }
    }
    return {};
}

result<feed_page> verifier::read_entry(std::uint64_t offset) {
    return from_.read_feed({position(offset - 1), 1});
}

result<void> verifier::look_for_missing() {
    const folded* first = nullptr;
    for (const auto& [number, it] : orders_) {
        if (it.removed || it.listed) continue;
        if (!first || it.offset < first->offset) first = &it;
    }
    if (!first) return {};
    auto page = read_entry(first->offset);
    if (!page) return std::move(page).error();
    if (page->entries.empty()) {
        differ("entry " + text(position(first->offset)) + " is gone");
    } else {
        differ(page->entries.front(), "left it in the table, but it is not listed");
    }
    return {};
}

result<void> verifier::compare_counts() {
    auto counted = from_.count();
    if (!counted) return std::move(counted).error();
    const auto statuses = machine_.statuses();
    std::vector<std::uint64_t> found(statuses.size());
    for (const auto& [status, size, due] : counted->orders) {
        const auto it = std::find(statuses.begin(), statuses.end(), status);
        if (it != statuses.end()) {
            found[static_cast<std::size_t>(it - statuses.begin())] += size;
        } else if (size > 0) {
            differ("count() has orders in " + detail::show(status) +
                   ", which the machine does not have");
        }
    }
    for (std::size_t i = 0; i < statuses.size(); ++i) {
        if (found[i] == listed_[i]) continue;
        differ("count() says that " + std::to_string(found[i]) + " orders are " +
               detail::show(statuses[i]) + "; there are " + std::to_string(listed_[i]));
    }
    if (whole_ && counted->created != orders_.size()) {
        differ("count() says that " + std::to_string(counted->created) +
               " orders were created; the journal has " + std::to_string(orders_.size()));
    }
    if (whole_ && counted->completed != completed_) {
        differ("count() says that " + std::to_string(counted->completed) +
               " orders were completed; the journal has " + std::to_string(completed_));
    }
    if (whole_ && counted->processing_time != processing_time_) {
        differ("count() says that they took " + std::to_string(counted->processing_time.count()) +
               " ms; the journal says " + std::to_string(processing_time_.count()));
    }
    return {};
}

// One of another epoch may be from before a backup was restored: its reader is told to start again.
result<void> verifier::compare_cursors() {
    auto cursors = from_.list_cursors();
    if (!cursors && cursors.error().code == errc::not_supported) return {};
    if (!cursors) return std::move(cursors).error();
    for (const named_cursor& it : *cursors) {
        if (it.at.epoch == last_.epoch && it.at.offset > last_.offset) {
            differ("cursor " + it.name + " stands at " + text(it.at) +
                   ", beyond the newest entry " + text(last_));
        }
    }
    return {};
}

std::uint64_t verifier::fingerprint(const order& value) {
    buffer_.clear();
    encode(value, buffer_);
    return std::hash<std::string_view>{}(buffer_);
}

void verifier::differ(const journal_entry& entry, const std::string& what) {
    differ("entry " + text(entry.position) + " (" + entry.event + ") of " + name(entry.after) +
           " " + what);
}

}  // namespace

result<verify_report> verify(repository_reader& from, const status_machine& machine,
                             const std::function<void(const verify_report&)>& progress) {
    return verifier(from, machine).run(progress);
}

}  // namespace v1
}  // namespace orderproc
