#ifndef ORDERPROC_STAGES_WORKER_LEASE_WATCH_HPP
#define ORDERPROC_STAGES_WORKER_LEASE_WATCH_HPP

#include <orderproc/claim.hpp>
#include <orderproc/runtime.hpp>

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Times doubtful leases from when they were first seen. Bounded: what does not fit is not
// remembered, and is seen again by a later probe.
class lease_watch {
public:
    void saw(std::span<const doubtful_lease> found, clock::instant now) noexcept;
    // Those that have been seen for their length, at most so many. A lease that has changed since
    // is among them, too: a claim finds that out.
    std::vector<doubtful_lease> over(clock::instant now, std::size_t most) const;
    void forget(const std::vector<doubtful_lease>& judged) noexcept;
    clock::instant next_over() const noexcept { return next_over_; }  // max(): none
    std::size_t size() const noexcept { return seen_.size(); }

private:
    void remember(const doubtful_lease& it, clock::instant now);
    void find_next_over() noexcept;

    struct entry {
        doubtful_lease lease;
        clock::instant over_at;
    };
    std::map<std::string, entry> seen_;  // by order
    clock::instant next_over_ = clock::instant::max();
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
