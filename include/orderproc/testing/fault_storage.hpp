#ifndef ORDERPROC_TESTING_FAULT_STORAGE_HPP
#define ORDERPROC_TESTING_FAULT_STORAGE_HPP

// A storage in front of any other that fails: as told, or by chance, the same way for the same
// seed. What survives it survives a network and a database that come and go.

#include <orderproc/repository.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace orderproc {
inline namespace v1 {
namespace testing {

enum class fault : std::uint8_t {
    none,
    unavailable,        // nothing is done; errc::unavailable
    connection_lost,    // the same, and so is whatever this connection is asked for afterwards
    unknown_unwritten,  // of writes: not written; errc::outcome_unknown; the connection is lost
    unknown_written,    // of writes: written; errc::outcome_unknown; the connection is lost
    throws,             // nothing is done; std::bad_alloc
    throws_written,     // of writes: written; std::bad_alloc
};

enum class fault_call : std::uint8_t { connect, write, was_applied, read };

// What chance does to one kind of call: each from 0 to 1, together 1 at most.
struct fault_odds {
    double unavailable = 0;
    double connection_lost = 0;
    double unknown_unwritten = 0;  // of writes
    double unknown_written = 0;    // of writes
};

struct fault_options {
    std::uint64_t seed = 1;
    fault_odds connect, write, was_applied, read;
    std::chrono::microseconds delay_max{0};  // each call first sleeps up to so long, by chance
};

// A call that is about to be made.
struct fault_site {
    fault_call call;
    const write_params* write;  // of a write, else nullptr
};

// Safe to use from any thread. The n-th call of a kind has the same fate whatever other calls
// are made meanwhile.
class ORDERPROC_EXPORT fault_storage final : public storage {
public:
    explicit fault_storage(storage& inner, fault_options options = {});  // inner outlives it
    ~fault_storage() override;                                           // after its connections

    storage_info info() const override;  // inner's, by another name
    result<std::unique_ptr<repository>> connect_writer() override;
    result<std::unique_ptr<repository_reader>> connect_reader() override;
    result<std::unique_ptr<commit_watch>> watch() override;  // inner's, without faults

    // Happens to a call of that kind to come, after those told before and in place of chance.
    // instead: what is reported, whatever the fault would report.
    void next(fault_call of, fault what, std::optional<failure> instead = {});
    // To all connections that are open: each is unavailable from now on.
    void lose_connections();
    // From now on chance does nothing, and nothing is late; what was told still happens.
    void calm();
    // Called before each call, on its thread and with no lock held: it may note it, wait, move
    // a clock. REQUIRES: set while nobody is connected.
    void on_call(std::function<void(const fault_site&)> hook);

    std::size_t calls(fault_call of) const;  // made so far, those that failed too
    std::size_t faults() const;              // that happened so far
    std::size_t open_max() const;            // connections open at the same time, at most

private:
    template <class Base>
    class ORDERPROC_HIDDEN reading;
    class ORDERPROC_HIDDEN writing;
    struct ORDERPROC_HIDDEN impl;
    std::shared_ptr<impl> impl_;
};

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
