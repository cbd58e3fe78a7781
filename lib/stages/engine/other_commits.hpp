#ifndef ORDERPROC_STAGES_ENGINE_OTHER_COMMITS_HPP
#define ORDERPROC_STAGES_ENGINE_OTHER_COMMITS_HPP

// Tells the listeners of what other processes commit.

#include "stages/engine/commit_listeners.hpp"

#include <orderproc/repository.hpp>
#include <orderproc/runtime.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

namespace orderproc {
inline namespace v1 {
namespace detail {

// A thread that sleeps until somebody commits. Nothing, if the storage cannot tell. A watch that
// has failed is built anew.
class other_commits {
public:
    other_commits(storage& orders, runtime with, commit_listeners& listeners);
    ~other_commits();

private:
    void run(const std::stop_token& stop) noexcept;
    void listen(const std::stop_token& stop);
    void build_anew(const std::stop_token& stop);

    storage& orders_;
    runtime with_;
    commit_listeners& listeners_;
    std::mutex mutex_;  // of the pointer, which the thread alone changes
    std::condition_variable_any stopped_;
    std::unique_ptr<commit_watch> watch_;
    std::jthread thread_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
