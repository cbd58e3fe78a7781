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

// To be written in the same transaction as what it tells of.
change_record to_record(const audit_entry& it);
// Removes what has been kept for long enough, at most so many of them.
result<std::vector<change_record>> expired_audit(repository_reader& from, timestamp now,
                                                 std::size_t most);
// All, oldest first. errc::corrupt: a record is not what to_record() writes.
result<std::vector<audit_entry>> list_audit(repository_reader& from);

}  // namespace orderproc::server::auth

#endif
