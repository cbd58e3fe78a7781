#ifndef ORDERPROC_RECORD_HPP
#define ORDERPROC_RECORD_HPP

// Records: small things that are no orders, such as API keys and webhook endpoints, kept beside
// them as bytes under a key. They are not in the journal. A storage may have none:
// capability::records.

#include <orderproc/error.hpp>
#include <orderproc/timestamp.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {

inline constexpr std::size_t record_collection_size_max = 32;
inline constexpr std::size_t record_key_size_max = 128;
inline constexpr std::size_t record_value_size_max = std::size_t{64} * 1024;

struct record {
    std::string key;
    std::string value;
    // 1 or more. It ascends with every change and is never given to the same key twice, not even
    // after the record was removed and created again.
    std::uint64_t version = 0;
    std::optional<timestamp> due_at;  // when somebody should look at it
    // The id of the order that it is about; empty: none. It goes when that order is redacted or
    // purged.
    std::string order = {};
    friend bool operator==(const record&, const record&) = default;
};

enum class record_action : std::uint8_t { create, replace, remove };

// A compare-and-set on one record. Sizes are in bytes, and bytes may have any value.
struct change_record {
    record_action action = record_action::create;
    std::string collection;                // 1 to 32 bytes; keys are unique within it
    std::string key;                       // 1 to 128 bytes
    std::uint64_t version = 0;             // expected by replace and remove
    std::string value = {};                // up to 64 KiB; of create and replace
    std::optional<timestamp> due_at = {};  // of create and replace
    std::string order = {};                // the same; at most order_id::size_max bytes
};

// Removes a record that was read with that version: refused if somebody has changed it since.
ORDERPROC_EXPORT change_record removal_of(std::string_view collection, std::string_view key,
                                          std::uint64_t version);

struct record_outcome {
    // already_exists: the record to be created is there. not_found: the one to be replaced or
    // removed is not. version_conflict: it has another version than expected.
    error_code ec;
    // The record as it is after the write, whether or not this change was refused.
    std::optional<record> present;
};

// What the engine refuses before it is queued: errc::invalid_argument, with a detail that names
// the member and its limit.
ORDERPROC_EXPORT result<void> validate(const change_record& what);

// REQUIRES of all reads: collections and keys are no longer than those of change_record.
struct find_record_params {
    std::string_view collection;
    std::string_view key;
};

// Records of a collection by key, byte by byte.
struct list_records_params {
    std::string_view collection;
    std::string_view prefix = {};  // of the keys
    std::string_view after = {};   // the last key of the page before
    std::size_t limit = 100;       // at least 1
};

// Records of a collection that are due, by due time and then by key.
struct due_record_position {
    timestamp due_at;
    std::string_view key;
};
struct list_due_records_params {
    std::string_view collection;
    timestamp until;                                // inclusive
    std::optional<due_record_position> after = {};  // the last record of the page before
    std::size_t limit = 100;                        // at least 1
};

struct record_page {
    std::vector<record> records;
    bool more = false;  // there are others after the last of these
};

}  // namespace v1
}  // namespace orderproc

#endif
