#include "storage/memory/transaction.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/memory.hpp>

#include <algorithm>
#include <functional>
#include <limits>
#include <mutex>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using detail::memory::index_key;
using detail::memory::place;
using detail::memory::record_name;
using detail::memory::tables;
using detail::memory::totals;
using detail::memory::transaction;

class memory_storage;

class memory_repository final : public repository {
public:
    explicit memory_repository(memory_storage& of) : of_(of) {}

    result<void> write(const write_params& params, write_results& results) override;
    result<bool> was_applied(std::string_view writer, std::uint64_t sequence) override;
    result<loaded_orders> load(const load_params& params) override;
    result<order_page> list(const list_params& params) override;
    result<std::vector<journal_entry>> history(const history_params& params) override;
    result<feed_page> read_feed(const feed_params& params) override;
    result<feed_position> find_position(timestamp at) override;
    result<statistics> count() override;
    result<std::optional<feed_position>> find_cursor(std::string_view name) override;
    result<std::vector<named_cursor>> list_cursors() override;
    result<void> rotate_epoch(std::uint64_t epoch) override;
    result<std::optional<record>> find_record(const find_record_params& params) override;
    result<record_page> list_records(const list_records_params& params) override;
    result<record_page> list_due_records(const list_due_records_params& params) override;

private:
    memory_storage& of_;
};

class memory_storage final : public storage {
public:
    explicit memory_storage(std::uint64_t epoch) { tables_.epochs.push_back({epoch, 1}); }

    storage_info info() const override {
        return {"memory",
                1,
                false,
                {},
                {capability::epochs, capability::records, capability::purge, capability::id_lists,
                 capability::due_lists, capability::totals, capability::positions,
                 capability::indexes, capability::redaction}};
    }
    result<std::unique_ptr<repository>> connect_writer() override {
        return std::make_unique<memory_repository>(*this);
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return std::make_unique<memory_repository>(*this);
    }

private:
    friend class memory_repository;
    std::mutex mutex_;
    tables tables_;
};

feed_position newest(const tables& of) {
    return {of.epochs.back().epoch, of.journal.newest()};
}

feed_position oldest(const tables& of) {
    return {epoch_at(of.epochs, of.journal.floor), of.journal.floor};
}

result<void> memory_repository::write(const write_params& params, write_results& results) {
    const std::lock_guard lock(of_.mutex_);
    transaction work(of_.tables_, params.now);
    if (params.guard && !work.admits(*params.guard)) return errc::model_changed;
    for (std::size_t i = 0; i < params.changes.size(); ++i) {
        results.changes[i] = work.apply(params.changes[i]);
    }
    for (std::size_t i = 0; i < params.claims.size(); ++i) {
        results.claims[i] = work.apply(params.claims[i]);
    }
    for (std::size_t i = 0; i < params.cursors.size(); ++i) {
        results.cursors[i] = work.apply(params.cursors[i]);
    }
    for (std::size_t i = 0; i < params.records.size(); ++i) {
        results.records[i] = work.apply(params.records[i]);
    }
    for (std::size_t i = 0; i < params.purges.size(); ++i) {
        results.purges[i] = work.apply(params.purges[i], params);
    }
    work.commit(params);
    return {};
}

result<bool> memory_repository::was_applied(std::string_view writer, std::uint64_t sequence) {
    const std::lock_guard lock(of_.mutex_);
    const auto& writers = of_.tables_.writers;
    const auto it = writers.find(writer);
    return it != writers.end() && it->second.sequence == sequence;
}

result<loaded_orders> memory_repository::load(const load_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const tables& t = of_.tables_;
    loaded_orders out;
    out.newest = newest(t);
    out.orders.resize(params.ids.size());
    for (std::size_t i = 0; i < params.ids.size(); ++i) {
        const auto known = t.ids.find(params.ids[i]);
        if (known == t.ids.end()) continue;
        const auto it = t.orders.find(known->second);
        if (it == t.orders.end()) continue;
        const order& found = it->second.value;
        if (params.scope.admits(found)) out.orders[i] = found;
    }
    return out;
}

// Until visit says false.
template <class Iterator, class Visit>
void walk(Iterator first, Iterator last, bool descending, const Visit& visit) {
    if (descending) {
        while (last != first) {
            if (!visit(*--last)) return;
        }
    } else {
        for (; first != last; ++first) {
            if (!visit(*first)) return;
        }
    }
}

using visitor = std::function<bool(const list_position& at, const order& it)>;

void walk_by_creation(const tables& of, const list_params& params, const visitor& visit) {
    constexpr auto lowest = std::numeric_limits<std::int64_t>::min();
    place low{params.created_from.value_or(timestamp::min()), lowest};
    place high{params.created_until.value_or(timestamp::max()), lowest};
    if (params.after) {
        const place after{params.after->at, params.after->number};
        if (params.descending) {
            high = std::min(high, after);
        } else {
            low = std::max(low, after);
        }
    }
    if (low >= high) return;
    walk(of.orders.upper_bound(low), of.orders.lower_bound(high), params.descending,
         [&](const auto& row) {
             return visit({row.first.created_at, row.first.number}, row.second.value);
         });
}

void walk_by_id(const tables& of, const list_params& params, const visitor& visit) {
    auto first = of.ids.lower_bound(params.id_prefix);
    const auto end = end_of_prefix(params.id_prefix);
    auto last = end ? of.ids.lower_bound(*end) : of.ids.end();
    if (params.after) {  // whatever it is: it may be beyond either end
        const std::string& after = params.after->id;
        const bool above = end && after >= *end;
        const bool below = after < params.id_prefix;
        if (params.descending ? below : above) return;
        if (params.descending && !above) last = of.ids.lower_bound(after);
        if (!params.descending && !below) first = of.ids.upper_bound(after);
    }
    walk(first, last, params.descending, [&](const auto& row) {
        const auto found = of.orders.find(row.second);
        if (found == of.orders.end()) return true;  // deleted
        return visit({{}, 0, row.first}, found->second.value);
    });
}

// Of one value by creation, of a range by value.
void walk_by_value(const tables& of, const list_params& params, const visitor& visit) {
    const index_condition& wanted = *params.index;
    const bool by_value = params.sort == list_sort::index;
    constexpr auto highest = std::numeric_limits<std::int64_t>::max();
    const index_key low{wanted.slot, wanted.from, 0};
    const index_key high{wanted.slot, wanted.to, highest};
    if (low > high) return;
    auto first = of.index.lower_bound(low);
    auto last = of.index.upper_bound(high);
    if (params.after) {  // whatever it is: it may be beyond either end
        const index_key after{wanted.slot, by_value ? params.after->value : wanted.from,
                              params.after->number};
        if (params.descending ? after < low : after > high) return;
        if (params.descending && after <= high) last = of.index.lower_bound(after);
        if (!params.descending && after >= low) first = of.index.upper_bound(after);
    }
    walk(first, last, params.descending, [&](const auto& row) {
        const auto& [key, at] = row;
        list_position position{at.created_at, at.number};
        if (by_value) position.value = std::get<std::string>(key);
        return visit(position, of.orders.find(at)->second.value);
    });
}

void walk_by_due_time(const tables& of, const list_params& params, const visitor& visit) {
    const order_status status = params.statuses.front();
    constexpr auto highest = std::numeric_limits<std::int64_t>::max();
    auto first = of.due.lower_bound({status, timestamp::min(), place{timestamp::min(), 0}});
    auto last = of.due.upper_bound({status, timestamp::max(), place{timestamp::max(), highest}});
    if (params.after) {
        const auto& after = *params.after;
        auto at = of.due.lower_bound({status, after.at, place{timestamp::min(), 0}});
        const std::int64_t up_to = params.descending ? after.number - 1 : after.number;
        while (at != last && std::get<timestamp>(*at) == after.at &&
               std::get<place>(*at).number <= up_to) {
            ++at;
        }
        (params.descending ? last : first) = at;
    }
    walk(first, last, params.descending, [&](const auto& row) {
        const auto& [its_status, due_at, at] = row;
        return visit({due_at, at.number}, of.orders.find(at)->second.value);
    });
}

// Rows in the order of the list, from params.after on.
void walk_list(const tables& of, const list_params& params, const visitor& visit) {
    if (params.index) return walk_by_value(of, params, visit);
    switch (params.sort) {
        case list_sort::order_id:
            return walk_by_id(of, params, visit);
        case list_sort::due_at:
            return walk_by_due_time(of, params, visit);
        case list_sort::created_at:
        case list_sort::index:  // with a condition
            return walk_by_creation(of, params, visit);
    }
}

list_total count_list(const tables& of, list_params params) {
    params.after.reset();
    list_window window(params, params.count_max);
    walk_list(of, params, [&](const list_position& at, const order& it) {
        return window.judge(at, it) != list_window::verdict::stop;
    });
    return {window.shown(), window.next().has_value()};
}

result<order_page> memory_repository::list(const list_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const tables& t = of_.tables_;
    order_page page;
    page.newest = newest(t);
    if (params.count_max > 0) page.total = count_list(t, params);
    if (params.limit == 0) return page;
    list_window window(params, params.limit);
    walk_list(t, params, [&](const list_position& at, const order& it) {
        const auto verdict = window.judge(at, it);
        if (verdict == list_window::verdict::show) page.orders.push_back(it);
        return verdict != list_window::verdict::stop;
    });
    page.next = window.next();
    return page;
}

result<std::vector<journal_entry>> memory_repository::history(const history_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const tables& t = of_.tables_;
    std::vector<journal_entry> out;
    const auto known = t.ids.find(params.order);
    if (known == t.ids.end()) return out;
    const std::int64_t number = known->second.number;
    const auto first = t.versions.lower_bound({number, order_version{0}});
    const auto next = t.versions.lower_bound({number + 1, order_version{0}});
    if (first == next) return out;  // purged
    // Judged by the last entry, which a deleted order has as well.
    if (!params.scope.admits(t.journal.at(std::prev(next)->second).after)) return out;
    for (auto it = t.versions.upper_bound({number, params.after});
         it != next && out.size() < params.limit; ++it) {
        out.push_back(t.journal.at(it->second));
    }
    return out;
}

result<feed_page> memory_repository::read_feed(const feed_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const auto& journal = of_.tables_.journal;
    feed_page page;
    const auto& epochs = of_.tables_.epochs;
    page.oldest = oldest(of_.tables_);
    page.newest = newest(of_.tables_);
    judge_position(params.after, epochs, page);
    if (page.reset) return page;
    const std::uint64_t after = params.after.offset;
    const std::size_t size = std::min<std::size_t>(params.limit, journal.newest() - after);
    const auto first = journal.entries.begin() + static_cast<std::ptrdiff_t>(after - journal.base);
    page.entries.assign(first, first + static_cast<std::ptrdiff_t>(size));
    return page;
}

result<feed_position> memory_repository::find_position(timestamp at) {
    const std::lock_guard lock(of_.mutex_);
    const tables& t = of_.tables_;
    const auto& entries = t.journal.entries;
    const auto kept = static_cast<std::ptrdiff_t>(t.journal.floor - t.journal.base);
    const auto first = std::partition_point(entries.begin() + kept, entries.end(),
                                            [&](const journal_entry& it) { return it.at < at; });
    const auto offset = t.journal.base + static_cast<std::uint64_t>(first - entries.begin());
    return feed_position{epoch_at(t.epochs, offset), offset};
}

result<statistics> memory_repository::count() {
    const std::lock_guard lock(of_.mutex_);
    const totals& sums = of_.tables_.sums;
    const auto& due = of_.tables_.due;
    statistics out;
    for (const auto& [status, orders] : sums.orders) {
        status_count& it = out.orders.emplace_back(status_count{status, orders, {}});
        const auto first = due.lower_bound({status, timestamp::min(), place{}});
        if (first != due.end() && std::get<order_status>(*first) == status) {
            it.oldest_due_at = std::get<timestamp>(*first);
        }
    }
    out.completed = sums.completed;
    out.processing_time = sums.processing_time;
    out.created = static_cast<std::uint64_t>(sums.number);
    return out;
}

result<std::optional<feed_position>> memory_repository::find_cursor(std::string_view name) {
    const std::lock_guard lock(of_.mutex_);
    const auto& cursors = of_.tables_.cursors;
    const auto it = cursors.find(name);
    if (it == cursors.end()) return std::optional<feed_position>{};
    return std::optional(it->second.at);
}

result<std::vector<named_cursor>> memory_repository::list_cursors() {
    const std::lock_guard lock(of_.mutex_);
    std::vector<named_cursor> out;
    for (const auto& [name, it] : of_.tables_.cursors) {
        out.push_back({name, it.at, it.moved_at});
    }
    return out;
}

result<std::optional<record>> memory_repository::find_record(const find_record_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const auto& records = of_.tables_.records;
    const auto it =
        records.find(record_name{std::string(params.collection), std::string(params.key)});
    if (it == records.end()) return std::optional<record>{};
    return std::optional(it->second);
}

result<record_page> memory_repository::list_records(const list_records_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const auto& records = of_.tables_.records;
    const std::string collection(params.collection);
    record_page page;
    auto it = params.after < params.prefix
                  ? records.lower_bound({collection, std::string(params.prefix)})
                  : records.upper_bound({collection, std::string(params.after)});
    for (; it != records.end() && it->first.collection == collection &&
           it->first.key.starts_with(params.prefix);
         ++it) {
        page.more = page.records.size() == params.limit;
        if (page.more) break;
        page.records.push_back(it->second);
    }
    return page;
}

result<record_page> memory_repository::list_due_records(const list_due_records_params& params) {
    const std::lock_guard lock(of_.mutex_);
    const tables& t = of_.tables_;
    const std::string collection(params.collection);
    record_page page;
    auto it = params.after ? t.reminders.upper_bound(
                                 {collection, params.after->due_at, std::string(params.after->key)})
                           : t.reminders.lower_bound({collection, timestamp::min(), {}});
    for (; it != t.reminders.end(); ++it) {
        const auto& [of, due_at, key] = *it;
        if (of != collection || due_at > params.until) break;
        page.more = page.records.size() == params.limit;
        if (page.more) break;
        page.records.push_back(t.records.at({of, key}));
    }
    return page;
}

result<void> memory_repository::rotate_epoch(std::uint64_t epoch) {
    const std::lock_guard lock(of_.mutex_);
    return add_epoch(of_.tables_.epochs, epoch, of_.tables_.journal.newest());
}

}  // namespace

std::unique_ptr<storage> make_memory_storage(std::uint64_t epoch) {
    return std::make_unique<memory_storage>(epoch == 0 ? 1 : epoch);  // 0 is no epoch
}

}  // namespace v1
}  // namespace orderproc
