#include "storage/kv/lists.hpp"
#include "storage/kv/tables.hpp"
#include "storage/kv/writing.hpp"

#include <orderproc/codec.hpp>
#include <orderproc/kv.hpp>

#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using detail::kv::bytes;
using detail::kv::decode_record;
using detail::kv::in_collection;
using detail::kv::number_of;
using detail::kv::parts;
using detail::kv::record_key;
using detail::kv::reminder_key;
using detail::kv::tables;
using detail::kv::walk_list;
using detail::kv::writing;

class kv_repository final : public repository {
public:
    explicit kv_repository(kv_begin begin) : begin_(std::move(begin)) {}

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
    kv_begin begin_;
};

// What comes after every key that begins with the prefix.
std::string end_of(std::string_view prefix) {
    return end_of_prefix(prefix).value_or(std::string(kv_key_size_max + 1, '\xff'));
}

// What was read, unless reading failed.
template <class T>
result<T> read(const tables& in, T out) {
    if (auto ok = in.finish(); !ok) return ok.error();
    return out;
}

result<void> kv_repository::write(const write_params& params, write_results& results) {
    tables in(begin_());
    if (!in.ok()) return in.finish();
    writing work(in, params.now);
    if (params.guard && !work.admits(*params.guard)) in.fail(errc::model_changed);
    for (std::size_t i = 0; i < params.changes.size() && in.ok(); ++i) {
        results.changes[i] = work.apply(params.changes[i]);
    }
    for (std::size_t i = 0; i < params.claims.size() && in.ok(); ++i) {
        results.claims[i] = work.apply(params.claims[i]);
    }
    for (std::size_t i = 0; i < params.cursors.size() && in.ok(); ++i) {
        results.cursors[i] = work.apply(params.cursors[i]);
    }
    for (std::size_t i = 0; i < params.records.size() && in.ok(); ++i) {
        results.records[i] = work.apply(params.records[i]);
    }
    for (std::size_t i = 0; i < params.purges.size() && in.ok(); ++i) {
        results.purges[i] = work.apply(params.purges[i], params);
    }
    return work.end(params) ? in.commit() : in.finish();
}

// The transaction that it asks after has ended, or no other could have begun.
result<bool> kv_repository::was_applied(std::string_view writer, std::uint64_t sequence) {
    tables in(begin_());
    const auto found = in.get(kv_table::writers, writer);
    const bool same = found && parts{*found}.number() == sequence;
    return read(in, same);
}

result<loaded_orders> kv_repository::load(const load_params& params) {
    tables in(begin_());
    loaded_orders out;
    out.newest = in.newest();
    out.orders.resize(params.ids.size());
    for (std::size_t i = 0; i < params.ids.size(); ++i) {
        auto it = in.find(params.ids[i]);
        if (!it || !params.scope.admits(it->value)) continue;
        out.orders[i] = std::move(it->value);
    }
    return read(in, std::move(out));
}

// The whole list is counted in the same transaction.
list_total count_list(tables& in, const list_params& params) {
    list_params whole = params;
    whole.after.reset();
    list_window window(whole, params.count_max);
    walk_list(in, whole, [&](const list_position& at, order& it) {
        return window.judge(at, it) != list_window::verdict::stop;
    });
    return {window.shown(), window.next().has_value()};
}

result<order_page> kv_repository::list(const list_params& params) {
    tables in(begin_());
    order_page page;
    page.newest = in.newest();
    if (params.count_max > 0) page.total = count_list(in, params);
    if (params.limit == 0) return read(in, std::move(page));
    list_window window(params, params.limit);
    walk_list(in, params, [&](const list_position& at, order& it) {
        const auto verdict = window.judge(at, it);
        if (verdict == list_window::verdict::show) page.orders.push_back(std::move(it));
        return verdict != list_window::verdict::stop;
    });
    page.next = window.next();
    return read(in, std::move(page));
}

// Judged by the order's last entry, which a deleted one has as well.
bool admits(tables& in, std::int64_t number, const order_scope& scope) {
    if (scope.everybody()) return true;
    std::uint64_t last = 0;
    in.walk(kv_table::versions, {bytes(number), bytes(number + 1), true},
            [&](std::string_view, std::string_view offset) {
                last = parts{offset}.number();
                return false;
            });
    const auto it = in.entry({epoch_at(in.epochs(), last), last});
    return it && scope.admits(it->after);
}

result<std::vector<journal_entry>> kv_repository::history(const history_params& params) {
    tables in(begin_());
    std::vector<journal_entry> out;
    const auto place = in.get(kv_table::ids, params.order);
    if (!place || params.limit == 0) return read(in, std::move(out));
    const std::int64_t number = number_of(*place);
    const std::string from = bytes(number, params.after, std::string_view("\0", 1));
    const std::string until = bytes(number + 1);
    if (!admits(in, number, params.scope)) return read(in, std::move(out));
    std::vector<std::uint64_t> offsets;
    in.walk(kv_table::versions, {from, until}, [&](std::string_view, std::string_view offset) {
        offsets.push_back(parts{offset}.number());
        return offsets.size() < params.limit;
    });
    const auto epochs = in.epochs();
    for (const std::uint64_t offset : offsets) {
        if (auto it = in.entry({epoch_at(epochs, offset), offset})) out.push_back(std::move(*it));
    }
    return read(in, std::move(out));
}

result<feed_page> kv_repository::read_feed(const feed_params& params) {
    tables in(begin_());
    feed_page page;
    const auto epochs = in.epochs();
    page.newest = {epochs.back().epoch, in.offset()};
    const std::uint64_t floor = in.floor();
    page.oldest = {epoch_at(epochs, floor), floor};
    judge_position(params.after, epochs, page);
    if (page.reset || params.limit == 0) return read(in, std::move(page));
    const std::string from = bytes(params.after.offset + 1);
    const std::string until = bytes(page.newest.offset + 1);
    in.walk(kv_table::journal, {from, until}, [&](std::string_view key, std::string_view value) {
        const std::uint64_t offset = parts{key}.number();
        auto it = decode_journal_entry(value, {epoch_at(epochs, offset), offset});
        if (!it) {
            in.fail(it.error());
            return false;
        }
        page.entries.push_back(std::move(*it));
        return page.entries.size() < params.limit;
    });
    return read(in, std::move(page));
}

result<feed_position> kv_repository::find_position(timestamp at) {
    tables in(begin_());
    std::uint64_t before = in.floor();    // that entry, and all below it, is earlier
    std::uint64_t end = in.offset() + 1;  // that one is not
    while (in.ok() && end - before > 1) {
        const std::uint64_t middle = before + (end - before) / 2;
        const auto it = in.entry({0, middle});
        if (!it) in.fail({errc::corrupt, "an entry of the journal is gone"});
        (it && it->at < at ? before : end) = middle;
    }
    return read(in, feed_position{epoch_at(in.epochs(), before), before});
}

result<statistics> kv_repository::count() {
    tables in(begin_());
    statistics out;
    in.walk(kv_table::counters, {"=", ">"}, [&](std::string_view name, std::string_view value) {
        const auto status = order_status::parse(name.substr(1));
        if (!status) in.fail({errc::corrupt, "a counter has no status"});
        const auto orders = static_cast<std::uint64_t>(parts{value}.signed_number());
        if (status) out.orders.push_back({*status, orders, {}});
        return in.ok();
    });
    for (status_count& it : out.orders) it.oldest_due_at = in.first_due(it.status);
    out.completed = static_cast<std::uint64_t>(in.counter("completed"));
    out.processing_time = std::chrono::milliseconds(in.counter("processing_ms"));
    out.created = static_cast<std::uint64_t>(in.counter("number"));
    return read(in, std::move(out));
}

result<std::optional<feed_position>> kv_repository::find_cursor(std::string_view name) {
    tables in(begin_());
    const auto found = in.cursor(name);
    return read(in, found ? std::optional(found->at) : std::nullopt);
}

result<std::vector<named_cursor>> kv_repository::list_cursors() {
    tables in(begin_());
    auto out = in.cursors();
    return read(in, std::move(out));
}

result<std::optional<record>> kv_repository::find_record(const find_record_params& params) {
    tables in(begin_());
    auto out = in.record_of(params.collection, params.key);
    return read(in, std::move(out));
}

result<record_page> kv_repository::list_records(const list_records_params& params) {
    tables in(begin_());
    const std::string collection = in_collection(params.collection);
    const auto until = end_of(record_key(params.collection, params.prefix));
    std::string from = record_key(params.collection, params.prefix);
    if (!(params.after < params.prefix)) {
        from = bytes(std::string_view(record_key(params.collection, params.after)),
                     std::string_view("\0", params.after.empty() ? 0 : 1));
    }
    record_page page;
    in.walk(kv_table::records, {from, until}, [&](std::string_view key, std::string_view value) {
        page.more = page.records.size() == params.limit;
        if (page.more) return false;
        auto it = decode_record(key.substr(collection.size()), value);
        if (!it) {
            in.fail(it.error());
            return false;
        }
        page.records.push_back(std::move(*it));
        return true;
    });
    return read(in, std::move(page));
}

result<record_page> kv_repository::list_due_records(const list_due_records_params& params) {
    tables in(begin_());
    const std::string collection = in_collection(params.collection);
    const std::string from =
        params.after ? bytes(std::string_view(reminder_key(params.collection, params.after->due_at,
                                                           params.after->key)),
                             std::string_view("\0", 1))
                     : reminder_key(params.collection, timestamp::min(), {});
    const std::string until = end_of(reminder_key(params.collection, params.until, {}));
    record_page page;
    std::vector<std::string> keys;
    in.walk(kv_table::reminders, {from, until}, [&](std::string_view key, std::string_view) {
        page.more = keys.size() == params.limit;
        if (!page.more) keys.emplace_back(key.substr(collection.size() + sizeof(std::int64_t)));
        return !page.more;
    });
    for (const std::string& key : keys) {
        if (auto it = in.record_of(params.collection, key)) page.records.push_back(std::move(*it));
    }
    return read(in, std::move(page));
}

result<void> kv_repository::rotate_epoch(std::uint64_t epoch) {
    tables in(begin_());
    auto epochs = in.epochs();
    const std::uint64_t newest = in.offset();
    if (!in.ok()) return in.finish();
    if (auto added = add_epoch(epochs, epoch, newest); !added) return added;
    in.set_epochs(epochs);
    return in.commit();
}

}  // namespace

std::unique_ptr<repository> make_kv_repository(kv_begin begin) {
    return std::make_unique<kv_repository>(std::move(begin));
}

}  // namespace v1
}  // namespace orderproc
