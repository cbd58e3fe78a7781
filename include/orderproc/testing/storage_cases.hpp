#ifndef ORDERPROC_TESTING_STORAGE_CASES_HPP
#define ORDERPROC_TESTING_STORAGE_CASES_HPP

// What every storage adapter promises, as cases for any test framework:
//
//   for (const auto& c : orderproc::testing::storage_cases())
//       my_framework_case(c.name, [&] { my_harness h; c.run(h); });
//
// A case throws case_failed if the promise is broken (or an exception came out of the storage) and
// case_skipped if the harness cannot do what the case needs, or if the storage does not declare the
// capability that the case is about (storage_info::capabilities). It does the same at every run.

#include <orderproc/repository.hpp>
#include <orderproc/testing/case_result.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace testing {

// How the cases get at your adapter. A harness is made for one case and starts with no orders.
class ORDERPROC_EXPORT storage_harness {
public:
    virtual ~storage_harness() = default;

    // The same orders at every call: a second one is another process's view, or this one's
    // after a restart. Several may be open at a time if the storage is durable.
    virtual std::unique_ptr<storage> open() = 0;

    // May several processes have the storage open at the same time? If not (an embedded database
    // that locks its files), the cases with several writers open it several times in one process,
    // in a thread for each of them.
    //
    // These cases fork() while they have nothing open, and call open() in the child. Whatever
    // does not survive a fork must not exist before the first open(): see docs/write-a-storage.md.
    virtual bool shared_by_processes() const { return true; }

    // How long such a case waits when none of its processes says anything, before it kills them
    // and fails.
    virtual std::chrono::milliseconds silence_max() const { return std::chrono::minutes(1); }

    // From now on every write fails half-way, before its commit (fail true), or works again.
    // Answers false if it cannot be arranged.
    virtual bool fail_writes(bool /*fail*/) { return false; }
};

struct storage_case {
    std::string name;     // "a_duplicate_id_is_refused"
    std::string promise;  // a sentence for people
    void (*run)(storage_harness& harness);
    std::optional<capability> needs = {};  // none: it is for every storage
};

ORDERPROC_EXPORT std::span<const storage_case> storage_cases();

}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
