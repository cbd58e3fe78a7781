#include "storage/memory/transaction.hpp"

#include <orderproc/adapter.hpp>
#include <orderproc/memory.hpp>

#include <algorithm>
#include <limits>
#include <mutex>

namespace orderproc {
inline namespace v1 {

namespace {

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
        return {
            "memory", 1, false, {}, {capability::epochs, capability::records, capability::purge}};
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

result<void> memory_repository::write(const write_params& params, write_results& results) {
    const std::lock_guard lock(of_.mutex_);
    transaction work(of_.tables_, params.now);
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
    const std::lock_guard lock(of_.mutex_);
    order_page page;
    page.newest = newest(of_.tables_);
    if (params.limit == 0 || low >= high) return page;
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
    page.oldest = {epoch_at(epochs, journal.floor), journal.floor};
    page.newest = newest(of_.tables_);
    judge_position(params.after, epochs, page);
    if (page.reset) return page;
    const std::uint64_t after = params.after.offset;
    const std::size_t size = std::min<std::size_t>(params.limit, journal.newest() - after);
    const auto first = journal.entries.begin() + static_cast<std::ptrdiff_t>(after - journal.base);
    page.entries.assign(first, first + static_cast<std::ptrdiff_t>(size));
    return page;
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
