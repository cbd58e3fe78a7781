#include "storage/kv/tables.hpp"

#include <orderproc/codec.hpp>

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace kv {

namespace {
constexpr std::string_view epochs_key = "epochs";
}

tables::tables(result<std::unique_ptr<kv_transaction>> begun) {
    if (begun) {
        in_ = std::move(*begun);
    } else {
        fail(begun.error());
    }
}

void tables::fail(failure why) {
    if (!failed_) failed_ = std::move(why);
}

result<void> tables::finish() const {
    if (failed_) return *failed_;
    return {};
}

result<void> tables::commit() {
    if (failed_) return *failed_;
    return in_->commit();
}

std::optional<std::string_view> tables::get(kv_table of, std::string_view key) {
    if (failed_ || key.empty() || key.size() > kv_key_size_max) return {};
    auto found = in_->get(of, key);
    if (found) return *found;
    fail(found.error());
    return {};
}

void tables::put(kv_table of, std::string_view key, std::string_view value) {
    if (failed_) return;
    if (key.empty() || key.size() > kv_key_size_max) {
        return fail({errc::invalid_argument, "a name is empty or too long"});
    }
    if (auto done = in_->put(of, key, value); !done) fail(done.error());
}

void tables::remove(kv_table of, std::string_view key) {
    if (failed_) return;
    if (auto done = in_->remove(of, key); !done) fail(done.error());
}

void tables::walk(kv_table of, kv_range range, const kv_transaction::visitor& visit) {
    if (failed_ || range.from >= range.until) return;
    if (auto done = in_->walk(of, range, visit); !done) fail(done.error());
}

std::int64_t tables::counter(std::string_view name) {
    const auto found = get(kv_table::counters, name);
    if (!found) return 0;
    parts value{*found};
    const std::int64_t out = value.signed_number();
    if (value.bad) fail({errc::corrupt, "a counter is cut off"});
    return out;
}

std::int64_t tables::count(std::string_view name, std::int64_t by) {
    const std::int64_t now = counter(name) + by;
    put(kv_table::counters, name, bytes(now));
    return now;
}

std::vector<journal_epoch> tables::epochs() {
    std::vector<journal_epoch> out;
    parts chain{get(kv_table::counters, epochs_key).value_or(std::string_view())};
    while (!chain.left.empty() && !chain.bad) {
        const std::uint64_t epoch = chain.number();
        out.push_back({epoch, chain.number()});
    }
    if (out.empty() || chain.bad) {
        fail({errc::corrupt, "the epochs of the journal are gone"});
        out.assign(1, {});
    }
    return out;
}

void tables::set_epochs(std::span<const journal_epoch> chain) {
    std::string value;
    for (const journal_epoch& it : chain) value += bytes(it.epoch, it.first);
    put(kv_table::counters, epochs_key, value);
}

std::optional<stored_order> tables::order_at(std::string place) {
    const auto found = get(kv_table::orders, place);
    if (!found) return {};
    auto out = decode_stored_order(*found);
    if (out) return std::move(*out);
    fail(out.error());
    return {};
}

std::optional<stored_order> tables::find(std::string_view id) {
    const auto place = get(kv_table::ids, id);
    if (!place) return {};
    return order_at(std::string(*place));
}

std::optional<journal_entry> tables::entry(feed_position at) {
    const auto found = get(kv_table::journal, bytes(at.offset));
    if (!found) return {};
    auto out = decode_journal_entry(*found, at);
    if (out) return std::move(*out);
    fail(out.error());
    return {};
}

std::optional<std::uint64_t> tables::offset_of(std::int64_t number, order_version version) {
    const auto found = get(kv_table::versions, bytes(number, version));
    if (!found) return {};
    return parts{*found}.number();
}

bool tables::has_entries(std::int64_t number) {
    bool out = false;
    walk(kv_table::versions, {bytes(number), bytes(number + 1)},
         [&](std::string_view, std::string_view) {
             out = true;
             return false;
         });
    return out;
}

std::optional<timestamp> tables::first_due(order_status status) {
    std::optional<timestamp> out;
    const std::string from = bytes(status.view(), std::string_view("\0", 1));
    const std::string until = bytes(status.view(), std::string_view("\1", 1));
    walk(kv_table::due, {from, until}, [&](std::string_view key, std::string_view) {
        out = parts{key.substr(from.size())}.time();
        return false;
    });
    return out;
}

std::optional<stored_cursor> tables::cursor(std::string_view name) {
    const auto found = get(kv_table::cursors, name);
    if (!found) return {};
    parts value{*found};
    stored_cursor out;
    out.at.epoch = value.number();
    out.at.offset = value.number();
    out.expires_at = value.time();
    out.moved_at = value.time();
    out.owner = value.left;
    if (value.bad) fail({errc::corrupt, "a cursor is cut off"});
    return out;
}

std::vector<named_cursor> tables::cursors() {
    const std::string until(kv_key_size_max, '\xff');
    std::vector<named_cursor> out;
    walk(kv_table::cursors, {std::string_view("\0", 1), until},
         [&](std::string_view name, std::string_view) {
             out.push_back({std::string(name), {}});
             return true;
         });
    for (named_cursor& it : out) {
        const auto found = cursor(it.name);
        if (!found) continue;
        it.at = found->at;
        it.moved_at = found->moved_at;
    }
    return out;
}

std::string sortable(std::string_view value) {
    std::string out;
    do {
        const std::size_t size = std::min(value.size(), group_size);
        out += value.substr(0, size);
        out.append(group_size - size, '\0');
        value.remove_prefix(size);
        out += static_cast<char>(value.empty() ? size : group_size + 1);
    } while (!value.empty());
    return out;
}

std::string parts::value() {
    std::string out;
    while (left.size() > group_size && !bad) {
        const auto size = static_cast<std::size_t>(static_cast<unsigned char>(left[group_size]));
        bad = size > group_size + 1;
        out += left.substr(0, std::min(size, group_size));
        left.remove_prefix(group_size + 1);
        if (size <= group_size) return out;
    }
    bad = true;
    return out;
}

// Of an order, its id and the size of that stand before the value, and the letter is another one.
std::string encode(const record& it) {
    std::string out = bytes(it.version, it.due_at.value_or(timestamp::min()));
    if (it.order.empty()) {
        out += it.due_at ? 'd' : '-';
    } else {
        out += it.due_at ? 'D' : 'o';
        out += static_cast<char>(it.order.size());
        out += it.order;
    }
    return out + it.value;
}

result<record> decode_record(std::string_view key, std::string_view bytes) {
    parts value{bytes};
    record out;
    out.key = key;
    out.version = value.number();
    const timestamp due_at = value.time();
    const char kind = value.left.empty() ? '\0' : value.left.front();
    const bool of_order = kind == 'D' || kind == 'o';
    std::size_t head = 1;
    if (of_order && value.left.size() > head) {
        const auto size = static_cast<unsigned char>(value.left[head++]);
        out.order = value.left.substr(head, size);
        head += size;
    }
    if (value.bad || value.left.size() < head || (of_order && out.order.empty())) {
        return failure{errc::corrupt, "a record is cut off"};
    }
    if (kind == 'd' || kind == 'D') out.due_at = due_at;
    out.value = value.left.substr(head);
    return out;
}

std::optional<record> tables::record_of(std::string_view collection, std::string_view key) {
    return record_at(record_key(collection, key));
}

std::optional<record> tables::record_at(std::string_view key) {
    const auto found = get(kv_table::records, key);
    if (!found) return {};
    const auto collection = static_cast<unsigned char>(key.front());
    auto out = decode_record(key.substr(collection + std::size_t{1}), *found);
    if (out) return std::move(*out);
    fail(out.error());
    return {};
}

}  // namespace kv
}  // namespace detail

namespace {

// Of the tables; a change of their layout takes the next. Format 4 added index and subjects, which
// earlier ones have nothing for.
constexpr std::int64_t format = 4;

// Format 1 had one epoch for the whole journal.
result<void> add_chain(kv_transaction& tables) {
    const auto kept = tables.get(kv_table::counters, "epoch");
    if (!kept) return kept.error();
    if (!*kept) return failure{errc::corrupt, "the epoch of the journal is gone"};
    const auto epoch = static_cast<std::uint64_t>(detail::kv::parts{**kept}.signed_number());
    const auto chain = detail::kv::bytes(epoch, std::uint64_t{1});
    return tables.put(kv_table::counters, detail::kv::epochs_key, chain);
}

// Before format 3 nobody noted when a cursor moved: it counts as moved at the latest write.
result<void> date_cursors(kv_transaction& tables) {
    const auto last = tables.get(kv_table::counters, "last_stamp");
    if (!last) return last.error();
    const std::string moved_at((*last).value_or(detail::kv::bytes(timestamp{})));
    std::vector<std::pair<std::string, std::string>> all;
    const std::string until(kv_key_size_max, '\xff');
    const auto walked = tables.walk(kv_table::cursors, {std::string_view("\0", 1), until},
                                    [&](std::string_view name, std::string_view value) {
                                        all.emplace_back(name, value);
                                        return true;
                                    });
    if (!walked) return walked;
    constexpr std::size_t before_owner = 24;  // epoch, offset, the end of the hold
    for (auto& [name, value] : all) {
        if (value.size() < before_owner) return failure{errc::corrupt, "a cursor is cut off"};
        value.insert(before_owner, moved_at);
        if (auto put = tables.put(kv_table::cursors, name, value); !put) return put;
    }
    return {};
}

result<void> bring_up_to_date(kv_transaction& tables, std::int64_t from) {
    result<void> done;
    if (from == 1) done = add_chain(tables);
    if (done && from < 3) done = date_cursors(tables);
    return done;
}

}  // namespace

result<void> prepare_kv(kv_transaction& tables, std::uint64_t epoch) {
    using detail::kv::bytes;
    const auto made = tables.get(kv_table::counters, "format");
    if (!made) return made.error();
    const std::int64_t found = *made ? detail::kv::parts{**made}.signed_number() : 0;
    if (found == format) return {};
    if (*made && (found < 1 || found > format)) {
        return failure{errc::schema_mismatch, "the tables are of another format"};
    }
    const auto chain = bytes(epoch, std::uint64_t{1});
    auto begun = *made ? bring_up_to_date(tables, found)
                       : tables.put(kv_table::counters, detail::kv::epochs_key, chain);
    if (!begun) return begun;
    if (auto ok = tables.put(kv_table::counters, "format", bytes(format)); !ok) return ok;
    return tables.commit();
}

}  // namespace v1
}  // namespace orderproc
