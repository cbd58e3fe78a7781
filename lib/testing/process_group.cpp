#include "testing/process_group.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#ifdef __linux__
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#endif

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

std::string process_name(std::size_t who) {
    return "process " + std::to_string(who + 1);
}

#ifdef __linux__

namespace {

constexpr std::size_t header_size = sizeof(std::uint32_t) + 1;

[[noreturn]] void fail_errno(const std::string& doing) {
    fail(doing + ": " + std::generic_category().message(errno));
}

// The test framework's handlers would bring a member that crashes back into the framework, which
// would then run the rest of the tests a second time.
void forget_signal_handlers() {
    for (const int it : {SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGILL, SIGINT, SIGSEGV, SIGTERM}) {
        std::signal(it, SIG_DFL);
    }
}

// Opens the storage when it is told to, and does what the body says.
void serve(shared_case& of, std::size_t who, channel& link, const process_group::body& run,
           std::mutex& opening) {
    try {
        if (!link.receive()) return;
        const auto b = [&] {
            const std::lock_guard lock(opening);  // a harness need not be safe for two threads
            return std::make_unique<bench>(of.harness);
        }();
        b->require_durable();
        b->sign_as("kit-" + std::to_string(who + 1));
        link.send(b->orders().info().name);
        run(*b, who, link);
        link.send({}, channel::kind::finished);
    } catch (const broken& e) {
        link.send(e.what, channel::kind::failed);
    } catch (const case_skipped& e) {
        link.send(e.what(), channel::kind::skipped);
    } catch (const std::exception& e) {
        link.send(std::string("an exception came out of the storage: ") + e.what(),
                  channel::kind::failed);
    } catch (...) {
        link.send("something that is no std::exception came out of the storage",
                  channel::kind::failed);
    }
}

// The life of a forked process, which has these members' ends.
[[noreturn]] void live(shared_case& of, std::size_t first, std::vector<channel>& links,
                       const process_group::body& run) {
    forget_signal_handlers();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // if the test is killed, nothing of it goes on
    try {
        std::mutex opening;
        const auto member = [&](std::size_t i) noexcept {
            try {
                serve(of, first + i, links[i], run, opening);
            } catch (const broken&) {  // the case is no longer there
            }
        };
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < links.size(); ++i) threads.emplace_back(member, i);
        member(0);
    } catch (...) {
        ::_exit(1);  // no thread could be started; the case sees that the process has ended
    }
    ::_exit(0);
}

std::string how_it_ended(int status) {
    if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
    return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

channel::channel(channel&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), arrived_(std::move(other.arrived_)) {}

channel::~channel() {
    if (socket_ >= 0) ::close(socket_);
}

void channel::send(std::string_view text, kind what) {
    const auto size = static_cast<std::uint32_t>(text.size());
    std::string bytes(header_size, static_cast<char>(what));
    std::memcpy(bytes.data(), &size, sizeof size);
    bytes += text;
    for (std::string_view left = bytes; !left.empty();) {
        const auto sent = ::send(socket_, left.data(), left.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) fail_errno("a message to another process of the case");
        left.remove_prefix(static_cast<std::size_t>(sent));
    }
}

std::optional<channel::message> channel::receive() {
    while (true) {
        if (auto out = take()) return out;
        if (!read_some()) return std::nullopt;
    }
}

std::optional<channel::message> channel::take() {
    std::uint32_t size = 0;
    if (arrived_.size() < header_size) return std::nullopt;
    std::memcpy(&size, arrived_.data(), sizeof size);
    if (arrived_.size() < header_size + size) return std::nullopt;
    message out{static_cast<kind>(arrived_[sizeof size]), arrived_.substr(header_size, size)};
    arrived_.erase(0, header_size + size);
    return out;
}

bool channel::read_some() {
    std::array<char, 4096> bytes;
    while (true) {
        const auto size = ::recv(socket_, bytes.data(), bytes.size(), 0);
        if (size > 0) arrived_.append(bytes.data(), static_cast<std::size_t>(size));
        if (size >= 0 || errno != EINTR) return size > 0;
    }
}

forked::~forked() {
    if (id_ <= 0) return;
    ::kill(id_, SIGKILL);
    wait();
}

void forked::signal(int number) noexcept {
    if (id_ > 0) ::kill(id_, number);
}

int forked::wait() noexcept {
    int status = 0;
    while (::waitpid(id_, &status, 0) < 0 && errno == EINTR) {
    }
    id_ = 0;
    return status;
}

process_group::process_group(shared_case& of, std::size_t size, body run)
    : threads_(!of.harness.shared_by_processes()), silence_max_(of.harness.silence_max()) {
    std::vector<channel> theirs;
    for (std::size_t i = 0; i < size; ++i) {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) fail_errno("socketpair()");
        members_.push_back({channel(pair[0])});
        theirs.emplace_back(pair[1]);
    }
    const std::size_t share = threads_ ? size : 1;
    for (std::size_t first = 0; first < size; first += share) {
        const int id = ::fork();
        if (id < 0) fail_errno("fork()");
        if (id > 0) {
            processes_.emplace_back(id);
            continue;
        }
        // An end that stays open here would hide from its other end that somebody has ended.
        std::vector<channel> own;
        for (std::size_t i = 0; i < share; ++i) own.push_back(std::move(theirs[first + i]));
        theirs.clear();
        members_.clear();
        live(of, first, own, run);
    }
    theirs.clear();
    for (std::size_t i = 0; i < size; ++i) {
        tell(i, "open");
        of.storage_name = next()->text;
    }
}

void process_group::tell(std::size_t who, std::string_view text) {
    members_[who].link.send(text);
}

forked& process_group::process_of(std::size_t who) noexcept {
    return processes_[threads_ ? 0 : who];
}

bool process_group::hold(std::size_t who) {
    if (threads_) return false;
    process_of(who).signal(SIGSTOP);
    return true;
}

void process_group::let_go(std::size_t who) {
    process_of(who).signal(SIGCONT);
}

void process_group::kill(std::size_t who) {
    members_[who].killed = true;
    process_of(who).signal(SIGKILL);
}

bool process_group::all_ended() const noexcept {
    return std::all_of(members_.begin(), members_.end(), [](const member& it) { return it.ended; });
}

std::optional<process_group::saying> process_group::heard(std::size_t who, channel::message what) {
    switch (what.what) {
        case channel::kind::text:
            return saying{who, std::move(what.text)};
        case channel::kind::finished:
            members_[who].ended = true;
            return std::nullopt;
        case channel::kind::skipped:
            throw case_skipped(what.text);
        case channel::kind::failed:
            break;
    }
    fail(process_name(who) + ": " + what.text);
}

void process_group::end_of(std::size_t who) {
    member& it = members_[who];
    it.ended = true;
    if (!it.killed) fail(process_name(who) + " " + how_it_ended(process_of(who).wait()));
}

// Reads what the members have said, once somebody has said something.
bool process_group::gather(microseconds at_most) {
    std::vector<pollfd> polled;
    for (const member& it : members_) {
        polled.push_back({it.ended ? -1 : it.link.socket(), POLLIN, 0});
    }
    const auto whole = std::chrono::floor<seconds>(at_most);
    const std::timespec timeout{whole.count(), std::chrono::nanoseconds(at_most - whole).count()};
    const int ready = ::ppoll(polled.data(), polled.size(), &timeout, nullptr);
    if (ready < 0 && errno != EINTR) fail_errno("ppoll()");
    if (ready <= 0) return ready < 0;
    for (std::size_t i = 0; i < polled.size(); ++i) {
        if (polled[i].revents != 0 && !members_[i].link.read_some()) end_of(i);
    }
    return true;
}

std::optional<process_group::saying> process_group::next(microseconds at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    while (true) {
        for (std::size_t i = 0; i < members_.size(); ++i) {
            turn_ = (turn_ + 1) % members_.size();  // nobody who talks a lot is heard alone
            while (auto what = members_[turn_].link.take()) {
                if (auto out = heard(turn_, std::move(*what))) return out;
            }
        }
        if (all_ended()) return std::nullopt;
        const auto left = std::chrono::ceil<microseconds>(until - std::chrono::steady_clock::now());
        if (!gather(std::max(left, microseconds(0)))) return std::nullopt;
    }
}

std::optional<process_group::saying> process_group::next() {
    auto out = next(silence_max_);
    if (!out && !all_ended()) {
        fail("no process has said anything for " + std::to_string(silence_max_.count()) +
             " ms: one of them hangs");
    }
    return out;
}

#else  // no processes to be had

channel::channel(channel&&) noexcept : socket_(-1) {}
channel::~channel() = default;
void channel::send(std::string_view, kind) {}
std::optional<channel::message> channel::receive() {
    return {};
}
forked::~forked() = default;
process_group::process_group(shared_case&, std::size_t, body) {
    throw case_skipped("no fork() here");
}
void process_group::tell(std::size_t, std::string_view) {}
bool process_group::hold(std::size_t) {
    return false;
}
void process_group::let_go(std::size_t) {}
void process_group::kill(std::size_t) {}
std::optional<process_group::saying> process_group::next(microseconds) {
    return {};
}
std::optional<process_group::saying> process_group::next() {
    return {};
}

#endif

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
