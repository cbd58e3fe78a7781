#ifndef ORDERPROC_SERVER_AUTH_AUDIT_HPP
#define ORDERPROC_SERVER_AUTH_AUDIT_HPP

// Who did what to the installation itself: records that are kept for 400 days.

#include <orderproc/error.hpp>
#include <orderproc/record.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/timestamp.hpp>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::auth {

inline constexpr std::string_view audit_collection = "audit";
inline constexpr std::chrono::hours audit_kept{24 * 400};

struct audit_entry {
    timestamp at{};
    std::string actor;   // "cli:anna", "cli:root as anna", "key:web-shop"
    std::string action;  // "key.create"
    std::string about;   // what it was done to, and how: "web-shop 4fZ0b1Qx, orders:write"
};

// To be written in the same transaction as what it tells of, or before that is acknowledged. mark:
// with the time it is the record's key, so that what is told twice is there once; at most 64 bytes
// of it count. Empty: a random one.
change_record to_record(const audit_entry& it, std::string_view mark = {});
// Removes records of a collection that have been kept for long enough, at most so many of them.
result<std::vector<change_record>> expired_records(repository_reader& from,
                                                   std::string_view collection, timestamp now,
                                                   std::size_t most);
// All, oldest first. errc::corrupt: a record is not what to_record() writes.
result<std::vector<audit_entry>> list_audit(repository_reader& from);

}  // namespace orderproc::server::auth

#endif
