#ifndef ORDERPROC_TESTING_ROUNDS_HPP
#define ORDERPROC_TESTING_ROUNDS_HPP

// Work of several processes that overlaps for certain where nothing keeps the processes apart.

#include "testing/process_group.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

// The first members of the group are workers, the others are watchers. In a round each worker
// does its work once and says what came of it; then each watcher looks.
//
// In the first round the workers work one after the other, and it is measured how long that takes.
// From then on they all start at the same time in every other round. In the rounds between, one of
// them starts alone and is stopped in the middle of its work until the others have done theirs and
// the watchers have looked. A storage that keeps writers apart may make the others wait for the
// stopped one; so it goes on after a short while. Nothing is judged by time: how long things take
// only decides how often the work of two processes overlaps.
class rounds {
public:
    using listener = std::function<void(std::size_t who, const std::string& said)>;

    rounds(process_group& group, std::size_t workers, listener hear)
        : group_(group), workers_(workers), hear_(std::move(hear)), asked_(group.size()) {}

    void run();
    std::size_t count() const noexcept { return count_; }
    void end();  // lets all members return from answer_rounds()

private:
    void one_after_the_other();
    void all_together();
    void one_held();
    void ask(std::size_t who);
    void ask_all(std::size_t first, std::size_t last);
    // Whether all of them have answered.
    bool wait_for(std::size_t first, std::size_t last, microseconds at_most);
    void wait_for_all();
    bool answered(std::size_t first, std::size_t last) const;
    void hear(const process_group::saying& what);

    process_group& group_;
    const std::size_t workers_;
    const listener hear_;
    std::vector<char> asked_;  // whose answer is outstanding
    std::size_t count_ = 0;
    microseconds typical_{0};  // how long the work of one worker takes at least
};

// The part of a member: does the work once for each round, and says what it returns.
void answer_rounds(channel& to_case, const std::function<std::string()>& work);

// Answers errc::unavailable with a new connection and another try, as the engine does.
batch_outcome write_beside_others(bench& b, const batch& what);

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
