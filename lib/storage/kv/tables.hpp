#ifndef ORDERPROC_STORAGE_KV_TABLES_HPP
#define ORDERPROC_STORAGE_KV_TABLES_HPP

// Keys, and one transaction's tables as what they mean.

#include <orderproc/adapter.hpp>
#include <orderproc/kv.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace kv {

// Keys are made of parts and sort as these do: numbers big-endian, the sign turned.
inline void add(std::string& to, std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) to += static_cast<char>(value >> shift);
}
inline void add(std::string& to, std::int64_t value) {
    add(to, static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63));
}
inline void add(std::string& to, timestamp value) {
    add(to, std::int64_t{value.time_since_epoch().count()});
}
inline void add(std::string& to, order_version value) {
    add(to, static_cast<std::uint64_t>(value));
}
inline void add(std::string& to, std::string_view value) {
    to += value;
}
template <class... Parts>
std::string bytes(const Parts&... parts) {
    std::string out;
    (add(out, parts), ...);
    return out;
}

inline std::string_view view(const digest& it) {
    return {reinterpret_cast<const char*>(it.data()), it.size()};
}
inline std::string place_of(const order& it) {
    return bytes(it.created_at, it.number);
}
inline std::string due_key(const stored_order& it) {
    return bytes(it.value.status.view(), std::string_view("\0", 1), *it.due_at, it.value.number);
}

// The size comes first, so that no collection's keys are among another's.
inline std::string in_collection(std::string_view collection) {
    return static_cast<char>(collection.size()) + std::string(collection);
}
inline std::string record_key(std::string_view collection, std::string_view key) {
    return bytes(std::string_view(in_collection(collection)), key);
}
inline std::string reminder_key(std::string_view collection, timestamp due_at,
                                std::string_view key) {
    return bytes(std::string_view(in_collection(collection)), due_at, key);
}

// Values of any size, so that keys which begin with them sort as they do: in groups of eight bytes,
// each followed by how many of them belong to the value, or by 9 if more follow.
inline constexpr std::size_t group_size = 8;
std::string sortable(std::string_view value);
inline std::string index_key(std::uint8_t slot, std::string_view value) {
    return static_cast<char>(slot) + sortable(value);
}
inline std::string index_key(std::uint8_t slot, std::string_view value, std::int64_t number) {
    return bytes(std::string_view(index_key(slot, value)), number);
}

inline std::string subject_key(std::string_view order) {
    return std::string(view(digest_of(order)));
}
inline std::string subject_key(std::string_view order, std::string_view record) {
    return subject_key(order) + std::string(record);
}

// What was added, taken off again. Short bytes are noticed: then bad is true.
struct parts {
    std::string_view left;
    bool bad = false;

    std::uint64_t number() {
        if (left.size() < 8) {
            bad = true;
            return 0;
        }
        std::uint64_t out = 0;
        for (const char c : left.substr(0, 8)) out = (out << 8) | static_cast<unsigned char>(c);
        left.remove_prefix(8);
        return out;
    }
    std::int64_t signed_number() {
        return static_cast<std::int64_t>(number() ^ (std::uint64_t{1} << 63));
    }
    timestamp time() { return timestamp(timestamp::duration(signed_number())); }
    std::string value();  // see sortable()
};

// Of a place.
inline std::int64_t number_of(std::string_view place) {
    return parts{place.substr(std::min(place.size(), sizeof(std::int64_t)))}.signed_number();
}

std::string encode(const record& it);  // without its key
result<record> decode_record(std::string_view key, std::string_view bytes);

// After the first failure it reads nothing, writes nothing, and finish() tells of it.
class tables {
public:
    explicit tables(result<std::unique_ptr<kv_transaction>> begun);

    bool ok() const noexcept { return !failed_; }
    void fail(failure why);
    result<void> finish() const;
    result<void> commit();

    // The value is valid until the next change.
    std::optional<std::string_view> get(kv_table of, std::string_view key);
    void put(kv_table of, std::string_view key, std::string_view value);
    void remove(kv_table of, std::string_view key);
    void walk(kv_table of, kv_range range, const kv_transaction::visitor& visit);

    std::int64_t counter(std::string_view name);
    std::int64_t count(std::string_view name, std::int64_t by);  // the counter afterwards
    // The chain of the journal, oldest first; one without an epoch if the tables are not ready.
    std::vector<journal_epoch> epochs();
    void set_epochs(std::span<const journal_epoch> chain);
    std::uint64_t floor() { return static_cast<std::uint64_t>(counter("floor")); }
    std::uint64_t offset() { return static_cast<std::uint64_t>(counter("offset")); }
    feed_position newest() { return {epochs().back().epoch, offset()}; }

    std::optional<stored_order> order_at(std::string place);
    std::optional<stored_order> find(std::string_view id);
    std::optional<journal_entry> entry(feed_position at);
    std::optional<std::uint64_t> offset_of(std::int64_t number, order_version version);
    bool has_entries(std::int64_t number);  // in the journal
    std::optional<timestamp> first_due(order_status status);
    std::optional<stored_cursor> cursor(std::string_view name);
    std::vector<named_cursor> cursors();
    std::optional<record> record_of(std::string_view collection, std::string_view key);
    std::optional<record> record_at(std::string_view key);  // of the table

private:
    std::unique_ptr<kv_transaction> in_;
    std::optional<failure> failed_;
};

}  // namespace kv
}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
