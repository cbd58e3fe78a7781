#ifndef ORDERPROC_TESTING_FAULT_BROKER_HPP
#define ORDERPROC_TESTING_FAULT_BROKER_HPP

// A broker that misbehaves as real ones do, the same way for the same seed.

#include <orderproc/queue.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace orderproc {
inline namespace v1 {
namespace testing {

// How often, in thousandths.
struct broker_faults {
    std::uint64_t seed = 1;
    unsigned refused_connections = 0;  // of connects: errc::unavailable
    unsigned lost_connections = 0;     // of calls: the connection is gone from here on
    unsigned lost_confirms = 0;        // of submits: arrived, but the connection is lost unreported
    unsigned refused = 0;              // of submits: reported as errc::unavailable, not sent
    unsigned duplicates = 0;           // of submits: arrives twice
};

// Passes everything on to another broker, which outlives it. Safe to use from any thread.
class ORDERPROC_EXPORT fault_broker final : public broker {
public:
    explicit fault_broker(broker& inner, broker_faults faults = {}) noexcept;

    broker_info info() const override { return inner_.info(); }
    result<std::unique_ptr<publisher>> connect_publisher(const publisher_params& params) override;
    result<std::unique_ptr<consumer>> connect_consumer(const consumer_params& params) override;

    // What is connected now is lost at its next call; a receive() or poll() that waits soon ends.
    void cut() noexcept { ++generation_; }
    // As long as it is away nothing connects, and what is connected is lost.
    void set_away(bool away) noexcept { away_ = away; }
    // As a broker short of memory: submit() answers errc::overloaded.
    void hold_up(bool held) noexcept { held_up_ = held; }
    // No more chance: what was asked for above keeps working.
    void heal() noexcept { healed_ = true; }

    std::uint64_t faults_made() const noexcept { return made_; }

private:
    friend class fault_publisher;
    friend class fault_consumer;

    bool happens(unsigned thousandths) noexcept;
    bool lost(std::uint64_t generation) noexcept;

    broker& inner_;
    const broker_faults faults_;
    seeded_random chance_;
    std::atomic<std::uint64_t> generation_{0};
    std::atomic<bool> away_{false};
    std::atomic<bool> held_up_{false};
    std::atomic<bool> healed_{false};
    std::atomic<std::uint64_t> made_{0};
};

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
