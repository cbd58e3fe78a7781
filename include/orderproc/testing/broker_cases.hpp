#ifndef ORDERPROC_TESTING_BROKER_CASES_HPP
#define ORDERPROC_TESTING_BROKER_CASES_HPP

// What every broker adapter promises, as cases for any test framework; used as storage_cases().

#include <orderproc/queue.hpp>
#include <orderproc/testing/case_result.hpp>

#include <chrono>
#include <memory>
#include <span>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace testing {

// How the cases get at your adapter. A harness is made for one case.
class ORDERPROC_EXPORT broker_harness {
public:
    virtual ~broker_harness() = default;

    // The same broker at every call.
    virtual std::unique_ptr<broker> open() = 0;

    // Begins every name of a queue and topic. One broker may serve many cases, each of which uses
    // its own names; give another prefix where it remembers earlier runs.
    virtual std::string prefix() { return "orderproc-test"; }

    // Now: every connection that is open is lost, with what is under way on it. Answers false if
    // it cannot be arranged; so do the others.
    virtual bool cut_connections() { return false; }
    // The same, and the broker has forgotten everything: queues, messages, bindings.
    virtual bool wipe() { return false; }

    // How long a connection must outlive silence while it is served: a few heartbeats. 0: unknown.
    virtual std::chrono::milliseconds idle_time() { return {}; }
    // How long to wait for what has to come.
    virtual std::chrono::milliseconds timeout() { return std::chrono::seconds(60); }
};

struct broker_case {
    std::string name;     // "a_full_window_refuses"
    std::string promise;  // a sentence for people
    void (*run)(broker_harness& harness);
};

ORDERPROC_EXPORT std::span<const broker_case> broker_cases();

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
