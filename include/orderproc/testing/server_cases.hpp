#ifndef ORDERPROC_TESTING_SERVER_CASES_HPP
#define ORDERPROC_TESTING_SERVER_CASES_HPP

// What a storage adapter promises whose database has a server: connections are lost at the worst
// time, commits are cancelled, the server dies, a standby takes its place. To be run beside
// storage_cases(), in the same way:
//
//   for (const auto& c : orderproc::testing::server_cases())
//       my_framework_case(c.name, [&] { my_server_harness h; c.run(h); });
//
// A case throws case_failed if the promise is broken, and case_skipped if the harness cannot do
// what the case needs. An embedded database has nothing to run here.

#include <orderproc/testing/storage_cases.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace testing {

// What happens to the connection of a write, on its way to the server.
enum class connection_fault : std::uint8_t {
    cut_before_commit,  // the request to commit does not reach the server
    cut_in_commit,      // it does, and the connection is closed at once
    cut_after_commit,   // the server has committed, and its answer is lost
    server_paused,  // the server stops (SIGSTOP) before it commits, and the connection is closed
    client_hangs,   // after the write's reads: nothing more arrives, and nothing is closed
    client_hangs_midway,  // the same in the middle of what the write stores
};

// How the cases get at your adapter and at the server behind it. Each function answers false, or
// nothing, if it cannot be arranged; the cases that need it are then skipped.
class ORDERPROC_EXPORT server_harness : public storage_harness {
public:
    // As open(). The first write that changes something through it meets the fault. Its other
    // connections, and those of other storages, do not.
    virtual std::unique_ptr<storage> open_with(connection_fault /*what*/) { return nullptr; }
    // Blocks until that write has met the fault.
    virtual void await_fault() {}
    // The paused server goes on, the client that hung sends the rest.
    virtual void end_fault() {}

    // From now on commits are not answered, as if they waited for a synchronous standby (hold
    // true), or are answered again.
    virtual bool hold_commits(bool /*hold*/) { return false; }
    virtual void await_held_commit() {}   // blocks until there is one
    virtual void cancel_held_commit() {}  // as an operator does who loses patience

    // Kills the server, and starts it again.
    virtual bool restart() { return false; }

    // Called before the case opens the storage: gives the server a standby that has every write
    // that was answered. open() names both servers.
    virtual bool add_standby() { return false; }
    // The standby becomes the server that accepts writes. The one before goes on running.
    virtual bool fail_over() { return false; }

    // A transaction that is not the library's sees the orders as they are now (hold true), until it
    // ends.
    virtual bool hold_snapshot(bool /*hold*/) { return false; }
    // How much the server has done for connections that are closed by now, in a unit that counts
    // what it looked at, such as pages. Not a time.
    virtual std::optional<std::uint64_t> work_done() { return std::nullopt; }
};

struct server_case {
    std::string name;     // "a_cancelled_commit_is_unknown"
    std::string promise;  // a sentence for people
    void (*run)(server_harness& harness);
};

ORDERPROC_EXPORT std::span<const server_case> server_cases();

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
