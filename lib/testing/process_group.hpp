#ifndef ORDERPROC_TESTING_PROCESS_GROUP_HPP
#define ORDERPROC_TESTING_PROCESS_GROUP_HPP

// Several processes that have one storage open at the same time, and the case that tells them
// what to do.

#include "testing/kit.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

using std::chrono::microseconds;

// One end of a connection between a case and one of its processes. Messages arrive whole and in
// the order in which they were sent.
class channel {
public:
    enum class kind : char { text, finished, failed, skipped };
    struct message {
        kind what;
        std::string text;
    };

    explicit channel(int socket) noexcept : socket_(socket) {}
    channel(channel&& other) noexcept;
    channel& operator=(channel&&) = delete;
    ~channel();

    // Throws broken if the other end is closed.
    void send(std::string_view text, kind what = kind::text);
    // Waits for a message. None: the other end is closed.
    std::optional<message> receive();

    // The next message that has arrived already.
    std::optional<message> take();
    // Reads what has arrived; blocks if nothing has. False: the other end is closed.
    bool read_some();
    int socket() const noexcept { return socket_; }

private:
    int socket_;
    std::string arrived_;
};

// A process that was forked. Destroying this kills it, and waits until it is gone.
class forked {
public:
    explicit forked(int id) noexcept : id_(id) {}
    forked(forked&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
    forked& operator=(forked&&) = delete;
    ~forked();

    void signal(int number) noexcept;
    int wait() noexcept;  // how it ended, as waitpid() says it

private:
    int id_;
};

std::string process_name(std::size_t who);  // for people

// The processes are forked before the case opens the storage, so that nothing which must not
// cross a fork (connections, locks, threads of a client library) exists yet. If the harness says
// that only one process can have the storage open, the group is one process with a thread for
// each member. Either way the case can end a member that hangs.
class process_group {
public:
    // What a member does, with the storage open. The member ends when this returns.
    using body = std::function<void(bench& b, std::size_t who, channel& to_case)>;

    // Forks the members and lets one after the other open the storage. Throws case_skipped if
    // that is not possible here, or if the storage is not durable. Members that still run when
    // the group is destroyed are killed.
    process_group(shared_case& of, std::size_t size, body run);
    process_group(const process_group&) = delete;
    process_group& operator=(const process_group&) = delete;

    void tell(std::size_t who, std::string_view text);

    struct saying {
        std::size_t who;
        std::string text;
    };
    // The next message of any member. None: nobody said anything for that long, or all of them
    // have ended. Throws broken if a member failed, or ended before its body had returned.
    std::optional<saying> next(microseconds at_most);
    // The same, but silence for as long as the harness allows is a failure.
    std::optional<saying> next();

    // Stops a member wherever it is. False: members are threads here, and cannot be stopped.
    bool hold(std::size_t who);
    void let_go(std::size_t who);
    void kill(std::size_t who);  // kill -9; what it has said can still be read
    std::size_t size() const noexcept { return members_.size(); }

private:
    struct member {
        channel link;
        bool killed = false;
        bool ended = false;
    };
    forked& process_of(std::size_t who) noexcept;
    std::optional<saying> heard(std::size_t who, channel::message what);
    void end_of(std::size_t who);
    bool gather(microseconds at_most);
    bool all_ended() const noexcept;

    std::vector<member> members_;
    std::vector<forked> processes_;  // one for each member, or one for all
    bool threads_ = false;
    milliseconds silence_max_{0};
    std::size_t turn_ = 0;  // whose messages are looked at first
};

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
