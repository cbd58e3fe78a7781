#include "processors/children.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace orderproc::server {

namespace {

constexpr std::size_t shebang_max = 256;  // as far as the kernel reads (execve(2))
constexpr int cannot_execute = 127;

// P_PIDFD, which older C libraries do not name.
constexpr auto by_pidfd = static_cast<idtype_t>(3);

bool can_execute(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
           ::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) == 0;
}

// What runs a script: the first word behind "#!"; empty if the file is none, or cannot be read.
std::string interpreter_of(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    std::array<char, shebang_max> bytes{};
    const ssize_t size = ::read(file, bytes.data(), bytes.size());
    ::close(file);
    std::string_view line(bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    if (!line.starts_with("#!")) return {};
    line = line.substr(2, line.find('\n') - 2);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    return std::string(line.substr(0, line.find_first_of(" \t")));
}

failure no_program(const std::string& name, const std::string& why) {
    return {errc::invalid_argument, "program \"" + name + "\" " + why};
}

result<std::string> in_path(const std::string& name) {
    const char* const set = std::getenv("PATH");
    std::string_view left = set ? set : "/usr/local/bin:/usr/bin:/bin";
    while (!left.empty()) {
        const std::string_view folder = left.substr(0, left.find(':'));
        left.remove_prefix(std::min(folder.size() + 1, left.size()));
        const std::string path = std::string(folder) + "/" + name;
        if (!folder.empty() && can_execute(path)) return path;
    }
    return no_program(name, "is not in PATH");
}

// What a child needs before it becomes the program: nothing may be allocated any more.
struct start_plan {
    const char* path;
    char* const* arguments;
    char* const* environment;
    int input;
    int errors;
    int report;  // gets the errno if the program cannot be executed
    pid_t parent;
};

void take_default_signals() noexcept {
    struct sigaction usual {};
    usual.sa_handler = SIG_DFL;
    for (int it = 1; it <= SIGRTMAX; ++it) ::sigaction(it, &usual, nullptr);  // 2 are not ours
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool take_descriptors(const start_plan& plan) noexcept {
    const int nothing = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nothing < 0 || ::dup2(plan.input, STDIN_FILENO) < 0 || ::dup2(nothing, STDOUT_FILENO) < 0 ||
        ::dup2(plan.errors, STDERR_FILENO) < 0) {
        return false;
    }
    // All of ours close by themselves. This is for descriptors that were open before we started,
    // and for libraries that know no better; kernels before 5.11 do not have it.
    ::syscall(SYS_close_range, STDERR_FILENO + 1U, ~0U, CLOSE_RANGE_CLOEXEC);
    return true;
}

// Runs in the child, which after vfork(2) shares our memory: only system calls are made.
[[noreturn]] void become(const start_plan& plan) noexcept {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != plan.parent) ::_exit(cannot_execute);  // it died before that
    take_default_signals();
    if (take_descriptors(plan)) ::execve(plan.path, plan.arguments, plan.environment);
    const int why = errno;
    [[maybe_unused]] const ssize_t told = ::write(plan.report, &why, sizeof why);
    ::_exit(cannot_execute);
}

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
    std::vector<char*> out;
    for (const std::string& it : texts) out.push_back(const_cast<char*>(it.c_str()));
    out.push_back(nullptr);
    return out;
}

// A child of vfork(2) would run our signal handlers with our memory.
class signals_blocked {
public:
    signals_blocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    signals_blocked(const signals_blocked&) = delete;
    signals_blocked& operator=(const signals_blocked&) = delete;

private:
    sigset_t before_{};
};

// vfork(2) copies no page tables: a large server starts a program as fast as a small one.
pid_t start_child(const start_plan& plan) noexcept {
    const signals_blocked during;
    const pid_t child = ::vfork();  // NOLINT: see become()
    if (child == 0) become(plan);
    return child;
}

void wait_quietly(pid_t child) noexcept {
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

result<std::string> find_program(const std::string& name) {
    if (name.empty()) return no_program(name, "has no name");
    result<std::string> path = name;
    if (name.find('/') == name.npos) path = in_path(name);
    if (!path) return path;
    if (::access(path->c_str(), F_OK) != 0) {
        return no_program(name, std::string("cannot be found: ") + std::strerror(errno));
    }
    if (!can_execute(*path)) return no_program(name, "is not an executable file");
    const std::string interpreter = interpreter_of(*path);
    if (!interpreter.empty() && !can_execute(interpreter)) {
        return no_program(name, "needs the interpreter " + interpreter + ", which is not there");
    }
    return path;
}

child_table& child_table::of_this_process() {
    static child_table table;
    return table;
}

int child_table::start(const child_command& what, int input, int errors, child& out) {
    const std::vector<char*> arguments = pointers_to(what.arguments);
    const std::vector<char*> environment = pointers_to(what.environment);
    int report[2];
    if (::pipe2(report, O_CLOEXEC) != 0) return errno;
    const start_plan plan{what.path.c_str(), arguments.data(), environment.data(), input, errors,
                          report[1],         ::getpid()};
    const std::lock_guard lock(mutex_);  // nobody may reap it before it is in the table
    const pid_t made = start_child(plan);
    int why = made < 0 ? errno : 0;
    ::close(report[1]);
    const bool refused = made > 0 && ::read(report[0], &why, sizeof why) > 0;
    ::close(report[0]);
    if (made < 0) return why;
    const int descriptor =
        refused ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, made, 0));  // it closes on exec
    if (descriptor < 0) {
        if (!refused)
            why = errno == ESRCH ? ECHILD : errno;  // it has ended, and SIGCHLD is ignored
        if (!refused && why != ECHILD) ::kill(-made, SIGKILL);
        wait_quietly(made);
        return why;
    }
    own_.insert(made);
    out = {made, descriptor};
    return 0;
}

child_exit child_table::wait(const child& it) {
    const std::lock_guard lock(mutex_);  // its number may be another child's as soon as it is free
    siginfo_t how{};
    int failed = 0;
    do {
        failed = ::waitid(by_pidfd, static_cast<id_t>(it.descriptor), &how, WEXITED);
    } while (failed != 0 && errno == EINTR);
    child_exit out;
    if (failed != 0) {
        out.error = errno;
    } else if (how.si_code == CLD_EXITED) {
        out.code = how.si_status;
    } else {
        out.signal = how.si_status;
    }
    own_.erase(it.process);
    if (adopts_) reap_adopted_locked();  // it may have stood before others
    return out;
}

void child_table::reap_adopted() {
    const std::lock_guard lock(mutex_);
    adopts_ = true;
    reap_adopted_locked();
}

void child_table::reap_adopted_locked() {
    for (;;) {
        siginfo_t first{};
        if (::waitid(P_ALL, 0, &first, WEXITED | WNOHANG | WNOWAIT) != 0) return;
        if (first.si_pid == 0 || own_.count(first.si_pid) != 0) return;
        wait_quietly(first.si_pid);
    }
}

}  // namespace orderproc::server
