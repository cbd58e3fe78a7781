#ifndef ORDERPROC_STORAGE_POSTGRES_REPOSITORY_HPP
#define ORDERPROC_STORAGE_POSTGRES_REPOSITORY_HPP

#include "storage/postgres/connect_pause.hpp"
#include "storage/postgres/connection.hpp"
#include "storage/postgres/seen_journal.hpp"

#include <orderproc/postgres.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

// What the connections of a storage share.
struct shared_state {
    connection_settings settings;
    std::string schema;
    std::chrono::milliseconds clock_skew_max{0};
    bool resume_after_loss = false;
    std::atomic<std::int64_t> newest_timeline{0};  // of a server that was connected to
    seen_journal seen;
    connect_pause pause;  // of readers
};

struct opened_connection {
    std::unique_ptr<connection> db;
    std::int64_t timeline = 0;
    bool new_timeline = false;     // the server has another one than the last epoch
    std::uint64_t noted_loss = 0;  // the sum of epochs.lost
    bool synced = true;            // the server syncs its files
    std::int64_t backend = 0;      // the server's process
};

// Where commits do not wait for the disk.
failure not_synced();

// Connects, and looks whether the server and the schema can be used.
result<opened_connection> connect(shared_state& shared);

// errc::not_supported where a pooler divides a session among transactions.
result<void> expect_own_session(const shared_state& shared, const opened_connection& first);

result<std::unique_ptr<repository_reader>> connect_reader(shared_state& shared);
result<std::unique_ptr<repository>> connect_writer(shared_state& shared);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
