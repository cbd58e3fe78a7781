#include <orderproc/memory.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>
#include <set>
#include <tuple>

namespace orderproc {
inline namespace v1 {

namespace {

// Where an order stands in lists. created_at never runs backwards along the number.
struct place {
    timestamp created_at;
    std::int64_t number = 0;
    friend auto operator<=>(const place&, const place&) = default;
};

struct used_key {
    digest body{};
    std::uint64_t offset = 0;  // of the entry whose order is the answer
};

struct cursor {
    feed_position at;
    std::string owner;
    timestamp expires_at;
};

// Small enough to be copied for each write.
struct totals {
    timestamp last = timestamp::min();  // the latest time written
    std::int64_t number = 0;            // the latest given
    std::map<order_status, std::uint64_t> orders;
    std::uint64_t completed = 0;
    std::chrono::milliseconds processing_time{0};
};

using due_key = std::tuple<order_status, timestamp, place>;

struct tables {
    std::map<std::string, place, std::less<>> ids;  // of every order that ever was
    std::map<place, stored_order> orders;
    std::set<due_key> due;
    std::vector<journal_entry> journal;                                        // offset - 1
    std::map<std::pair<std::int64_t, order_version>, std::uint64_t> versions;  // to offset
    std::map<digest, used_key> keys;
    std::map<std::string, cursor, std::less<>> cursors;
    std::map<std::string, std::uint64_t, std::less<>> writers;  // to the last sequence
    totals sums;
};

// Nodes change hands, so that nothing can fail.
template <class Map>
void replace(Map& in, Map& by) noexcept {
    for (const auto& [key, value] : by) in.erase(key);
    in.merge(by);
}

// What one write makes of the tables, kept apart until commit().
class transaction {
public:
    transaction(tables& base, std::uint64_t epoch, timestamp now)
        : base_(base), epoch_(epoch), at_(now, base.sums.last), sums_(base.sums) {
        sums_.last = at_.stamp;
    }

    change_outcome apply(const change& what);
    claim_outcome apply(const claim& what);
    cursor_outcome apply(const cursor_move& what);
    void commit(std::string_view writer, std::uint64_t sequence);

private:
    const place* find_place(std::string_view id) const;
    const stored_order* find(const place& at) const;
    void store(const evaluation& what, const place& at, std::string_view traceparent);
    std::vector<std::pair<timestamp, place>> candidates(const claim& what) const;
    std::vector<std::pair<timestamp, place>> named(const claim& what) const;
    std::optional<timestamp> first_due(const work_stage& stage) const;
    std::uint64_t newest() const { return base_.journal.size() + journal_.size(); }

    tables& base_;
    std::uint64_t epoch_;
    write_time at_;
    totals sums_;
    std::map<std::string, place, std::less<>> ids_;
    std::map<place, std::optional<stored_order>> touched_;  // none: removed
    std::vector<journal_entry> journal_;
    std::map<digest, used_key> keys_;
    std::map<std::string, cursor, std::less<>> cursors_;
    bool changed_ = false;  // else there is nothing to remember, not even the time
};

const place* transaction::find_place(std::string_view id) const {
    if (const auto it = ids_.find(id); it != ids_.end()) return &it->second;
    const auto it = base_.ids.find(id);
    return it == base_.ids.end() ? nullptr : &it->second;
}

const stored_order* transaction::find(const place& at) const {
    if (const auto it = touched_.find(at); it != touched_.end()) {
        return it->second ? &*it->second : nullptr;
    }
    const auto it = base_.orders.find(at);
    return it == base_.orders.end() ? nullptr : &it->second;
}

change_outcome transaction::apply(const change& what) {
    change_outcome out;
    if (what.once) {
        if (const auto it = base_.keys.find(what.once->key); it != base_.keys.end()) {
            if (it->second.body != what.once->body) {
                out.ec = errc::idempotency_mismatch;
                return out;
            }
            out.replayed = true;
            out.after = base_.journal[it->second.offset - 1].after;
            return out;
        }
    }
    const place* known = find_place(what.order);
    const stored_order* current = known ? find(*known) : nullptr;
    const bool taken = known && std::holds_alternative<create_order>(what.action);
    auto verdict = taken ? result<evaluation>(errc::already_exists) : evaluate(current, what, at_);
    if (!verdict) {
        out.ec = verdict.error().code;
        if (current && (!what.user_id || *what.user_id == current->value.user_id)) {
            out.after = current->value;
        }
        return out;
    }
    order& after = verdict->after.value;
    if (!known) {
        after.number = ++sums_.number;
        known = &ids_.emplace(what.order, place{after.created_at, after.number}).first->second;
    }
    store(*verdict, *known, what.traceparent);
    changed_ = changed_ || std::holds_alternative<renew_lease>(what.action) || what.once;
    if (what.once) {
        const std::uint64_t offset =
            verdict->journaled ? newest() : base_.versions.at({after.number, after.version});
        keys_.emplace(what.once->key, used_key{what.once->body, offset});
    }
    out.after = std::move(after);
    return out;
}

void transaction::store(const evaluation& what, const place& at, std::string_view traceparent) {
    const order& after = what.after.value;
    if (const stored_order* before = find(at)) --sums_.orders[before->value.status];
    if (!what.removed) ++sums_.orders[after.status];
    if (what.completed) {
        ++sums_.completed;
        if (after.first_claimed_at) sums_.processing_time += at_.stamp - *after.first_claimed_at;
    }
    changed_ = changed_ || what.journaled;
    if (what.journaled) {
        journal_.push_back({{epoch_, newest() + 1},
                            after.version,
                            std::string(what.event),
                            what.from,
                            std::string(what.actor),
                            what.reason,
                            std::string(traceparent),
                            at_.stamp,
                            after});
    }
    touched_[at] = what.removed ? std::nullopt : std::optional(what.after);
}

claim_outcome transaction::apply(const claim& what) {
    claim_outcome out;
    claim_selection selection(what, at_);
    std::size_t taken = 0;
    const auto offers = candidates(what);
    for (const auto& [due_at, at] : offers) {
        const auto verdict = selection.offer(*find(at));
        if (!verdict) continue;
        store(*verdict, at, {});
        selection.take(*verdict, out);
        ++taken;
    }
    const auto next = first_due(*what.stage);
    out.more = what.only.empty() ? next && *next <= at_.now : taken < offers.size();
    if (!out.more) out.next_due = next;
    return out;
}

// What is due of the stage, in the order of offering; what the limit lets nobody see is left out.
std::vector<std::pair<timestamp, place>> transaction::candidates(const claim& what) const {
    if (!what.only.empty()) return named(what);
    std::vector<std::pair<timestamp, place>> out;
    for (const order_status status : {what.stage->waiting, what.stage->active}) {
        std::size_t found = 0;
        auto it = base_.due.lower_bound({status, timestamp::min(), place{}});
        for (; it != base_.due.end() && found < what.limit; ++it) {
            const auto& [of, due_at, at] = *it;
            if (of != status || due_at > at_.stamp) break;
            if (touched_.contains(at)) continue;
            out.emplace_back(due_at, at);
            ++found;
        }
    }
    for (const auto& [at, it] : touched_) {
        if (!it || !it->due_at || *it->due_at > at_.stamp) continue;
        const order_status status = it->value.status;
        if (status != what.stage->waiting && status != what.stage->active) continue;
        out.emplace_back(*it->due_at, at);
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::vector<std::pair<timestamp, place>> transaction::named(const claim& what) const {
    std::vector<std::pair<timestamp, place>> out;
    for (const std::string& id : what.only) {
        const place* at = find_place(id);
        const stored_order* it = at ? find(*at) : nullptr;
        if (!it || !it->due_at || *it->due_at > at_.stamp) continue;
        const order_status status = it->value.status;
        if (status != what.stage->waiting && status != what.stage->active) continue;
        out.emplace_back(*it->due_at, *at);
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
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

cursor_outcome transaction::apply(const cursor_move& what) {
    cursor current;
    if (const auto it = cursors_.find(what.name); it != cursors_.end()) {
        current = it->second;
    } else if (const auto kept = base_.cursors.find(what.name); kept != base_.cursors.end()) {
        current = kept->second;
    } else {
        current = {{epoch_, 0}, what.owner, at_.now};
    }
    if (current.owner != what.owner && current.expires_at > at_.now) {
        return {errc::lease_lost, current.at};
    }
    if (what.to) current.at = *what.to;
    current.owner = what.owner;
    current.expires_at = what.expires_at;
    const feed_position at = current.at;
    changed_ = true;
    cursors_.insert_or_assign(what.name, std::move(current));
    return {{}, at};
}

void transaction::commit(std::string_view writer, std::uint64_t sequence) {
    if (!changed_) return;
    // Whatever may fail, while nothing has changed yet.
    std::map<std::string, std::uint64_t, std::less<>> writers;
    writers.emplace(writer, sequence);
    std::map<std::pair<std::int64_t, order_version>, std::uint64_t> versions;
    for (const journal_entry& it : journal_) {
        versions.emplace(std::pair(it.after.number, it.version), it.position.offset);
    }
    std::map<place, stored_order> orders;
    std::set<due_key> due;
    for (auto& [at, it] : touched_) {
        if (!it) continue;
        if (it->due_at) due.emplace(it->value.status, *it->due_at, at);
        orders.emplace(at, std::move(*it));
    }
    if (base_.journal.capacity() < newest()) {
        base_.journal.reserve(std::max<std::size_t>(newest(), base_.journal.capacity() * 2));
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
    base_.ids.merge(ids_);
    base_.keys.merge(keys_);
    base_.versions.merge(versions);
    replace(base_.cursors, cursors_);
    replace(base_.writers, writers);
    for (journal_entry& it : journal_) base_.journal.push_back(std::move(it));
    base_.sums = std::move(sums_);
}

class memory_storage;

class memory_repository final : public repository {
public:
    explicit memory_repository(memory_storage& of) : of_(of) {}

    result<void> write(const write_params& params, write_results& results) override;
    result<bool> was_applied(std::string_view writer, std::uint64_t sequence) override;
    result<std::vector<std::optional<order>>> load(const load_params& params) override;
    result<order_page> list(const list_params& params) override;
    result<std::vector<journal_entry>> history(const history_params& params) override;
    result<feed_page> read_feed(const feed_params& params) override;
    result<statistics> count() override;
    result<std::optional<feed_position>> find_cursor(std::string_view name) override;

private:
    memory_storage& of_;
};

class memory_storage final : public storage {
public:
    explicit memory_storage(std::uint64_t epoch) : epoch_(epoch) {}

    storage_info info() const override { return {"memory", 1, false}; }
    result<std::unique_ptr<repository>> connect(connection_role) override {
        return std::make_unique<memory_repository>(*this);
    }

private:
    friend class memory_repository;
    const std::uint64_t epoch_;
    std::mutex mutex_;
    tables tables_;
};

result<void> memory_repository::write(const write_params& params, write_results& results) {
    const std::lock_guard lock(of_.mutex_);
    transaction work(of_.tables_, of_.epoch_, params.now);
    for (std::size_t i = 0; i < params.changes.size(); ++i) {
        results.changes[i] = work.apply(params.changes[i]);
    }
    for (std::size_t i = 0; i < params.claims.size(); ++i) {
        results.claims[i] = work.apply(params.claims[i]);
    }
    for (std::size_t i = 0; i < params.cursors.size(); ++i) {
        results.cursors[i] = work.apply(params.cursors[i]);
    }
    work.commit(params.writer, params.sequence);
    return {};
}

result<bool> memory_repository::was_applied(std::string_view writer, std::uint64_t sequence) {
    const std::lock_guard lock(of_.mutex_);
    const auto& writers = of_.tables_.writers;
    const auto it = writers.find(writer);
    return it != writers.end() && it->second == sequence;
}

result<std::vector<std::optional<order>>> memory_repository::load(const load_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const tables& t = of_.tables_;
    std::vector<std::optional<order>> out(params.ids.size());
    for (std::size_t i = 0; i < params.ids.size(); ++i) {
        const auto known = t.ids.find(params.ids[i]);
        if (known == t.ids.end()) continue;
        const auto it = t.orders.find(known->second);
        if (it == t.orders.end()) continue;
        const order& found = it->second.value;
        if (!params.user_id || *params.user_id == found.user_id) out[i] = found;
    }
    return out;
}

bool matches(const order& it, const list_params& params) {
    const auto& wanted = params.statuses;
    return (!params.user_id || *params.user_id == it.user_id) &&
           (wanted.empty() || std::find(wanted.begin(), wanted.end(), it.status) != wanted.end());
}

// False when the page is full: there is another one.
bool add(order_page& page, const place& at, const order& it, const list_params& params) {
    if (!matches(it, params)) return true;
    if (page.orders.size() < params.limit) {
        page.orders.push_back(it);
        page.next = {at.created_at, at.number};
        return true;
    }
    return false;
}

result<order_page> memory_repository::list(const list_params& params) {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
    place low{params.created_from.value_or(timestamp::min()), lowest};
    place high{params.created_until.value_or(timestamp::max()), lowest};
    if (params.after) {
        const place after{params.after->created_at, params.after->number};
        if (params.descending) {
            high = std::min(high, after);
        } else {
            low = std::max(low, after);
        }
    }
    order_page page;
    if (params.limit == 0 || low >= high) return page;

    const std::lock_guard lock(of_.mutex_);
    const auto& orders = of_.tables_.orders;
    const auto first = orders.upper_bound(low);
    const auto last = orders.lower_bound(high);
    if (params.descending) {
        for (auto it = last; it != first;) {
            --it;
            if (!add(page, it->first, it->second.value, params)) return page;
        }
    } else {
        for (auto it = first; it != last; ++it) {
            if (!add(page, it->first, it->second.value, params)) return page;
        }
    }
    page.next.reset();
    return page;
}

result<std::vector<journal_entry>> memory_repository::history(const history_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const tables& t = of_.tables_;
    std::vector<journal_entry> out;
    const auto known = t.ids.find(params.order);
    if (known == t.ids.end()) return out;
    const std::int64_t number = known->second.number;
    for (auto it = t.versions.upper_bound({number, params.after});
         it != t.versions.end() && it->first.first == number && out.size() < params.limit; ++it) {
        out.push_back(t.journal[it->second - 1]);
    }
    return out;
}

result<feed_page> memory_repository::read_feed(const feed_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const auto& journal = of_.tables_.journal;
    feed_page page;
    page.oldest = {of_.epoch_, 0};
    page.newest = {of_.epoch_, journal.size()};
    const feed_position after = params.after;
    page.reset =
        after.offset != 0 && (after.epoch != of_.epoch_ || after.offset > page.newest.offset);
    if (page.reset) return page;
    const std::size_t size = std::min<std::size_t>(params.limit, journal.size() - after.offset);
    const auto first = journal.begin() + static_cast<std::ptrdiff_t>(after.offset);
    page.entries.assign(first, first + static_cast<std::ptrdiff_t>(size));
    return page;
}

result<statistics> memory_repository::count() {
    const std::lock_guard lock(of_.mutex_);
    const totals& sums = of_.tables_.sums;
    statistics out;
    out.orders.assign(sums.orders.begin(), sums.orders.end());
    out.completed = sums.completed;
    out.processing_time = sums.processing_time;
    return out;
}

result<std::optional<feed_position>> memory_repository::find_cursor(std::string_view name) {
    const std::lock_guard lock(of_.mutex_);
    const auto& cursors = of_.tables_.cursors;
    const auto it = cursors.find(name);
    if (it == cursors.end()) return std::optional<feed_position>{};
    return std::optional(it->second.at);
}

}  // namespace

std::unique_ptr<storage> make_memory_storage(std::uint64_t epoch) {
    return std::make_unique<memory_storage>(epoch == 0 ? 1 : epoch);  // 0 is no epoch
}

}  // namespace v1
}  // namespace orderproc
