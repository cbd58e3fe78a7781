#include "processors/child_process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

extern char** environ;  // NOLINT: POSIX names it so

namespace orderproc::server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t first_line_max = 500;

struct pipe_ends {
    int read = -1;
    int write = -1;
    bool open() { return ::pipe2(&read, O_CLOEXEC) == 0; }
    ~pipe_ends() {
        if (read >= 0) ::close(read);
        if (write >= 0) ::close(write);
    }
};
static_assert(sizeof(pipe_ends) == 2 * sizeof(int));  // as pipe2() fills it

// What posix_spawn is told, freed at the end.
struct spawn_plan {
    posix_spawn_file_actions_t files{};
    posix_spawnattr_t attributes{};
    spawn_plan(int input, int errors) {
        posix_spawn_file_actions_init(&files);
        posix_spawn_file_actions_adddup2(&files, input, STDIN_FILENO);
        posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
        posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
        posix_spawnattr_init(&attributes);
        sigset_t none;
        sigemptyset(&none);
        sigset_t defaults;
        sigemptyset(&defaults);
        sigaddset(&defaults, SIGPIPE);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &defaults);
        posix_spawnattr_setpgroup(&attributes, 0);
        posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~spawn_plan() {
        posix_spawn_file_actions_destroy(&files);
        posix_spawnattr_destroy(&attributes);
    }
    spawn_plan(const spawn_plan&) = delete;
    spawn_plan& operator=(const spawn_plan&) = delete;
};

// Ours, with those of the same name replaced.
std::vector<char*> environment_with(const std::vector<std::string>& variables) {
    std::vector<char*> out;
    for (char** it = environ; *it; ++it) {
        const std::string_view one(*it);
        const std::string_view name = one.substr(0, one.find('=') + 1);
        const bool replaced =
            std::any_of(variables.begin(), variables.end(),
                        [&](const std::string& by) { return by.starts_with(name); });
        if (!replaced) out.push_back(*it);
    }
    for (const std::string& it : variables) out.push_back(const_cast<char*>(it.c_str()));
    out.push_back(nullptr);
    return out;
}

int start(const std::vector<std::string>& command, const std::vector<std::string>& variables,
          const spawn_plan& plan, pid_t& out) {
    std::vector<char*> arguments;
    for (const std::string& it : command) arguments.push_back(const_cast<char*>(it.c_str()));
    arguments.push_back(nullptr);
    const std::vector<char*> environment = environment_with(variables);
    return ::posix_spawnp(&out, arguments[0], &plan.files, &plan.attributes, arguments.data(),
                          environment.data());
}

}  // namespace

class child_process::impl : public std::enable_shared_from_this<impl> {
public:
    explicit impl(asio::io_context& on)
        : context_(on), input_(on), errors_(on), exit_(on), grace_(on) {}

    void run(const std::vector<std::string>& command, const std::vector<std::string>& variables,
             std::string input, std::function<void(const child_end&)> done) {
        text_ = std::move(input);
        done_ = std::move(done);
        const std::string trouble = spawn(command, variables);
        if (!trouble.empty()) {
            end_.trouble = command[0] + ": " + trouble;
            asio::post(context_, [self = shared_from_this()] { self->tell(); });
            return;
        }
        feed();
        listen();
        exit_.async_wait(asio::posix::descriptor_base::wait_read,
                         [self = shared_from_this()](error_code) { self->reap(); });
    }

    void stop(std::chrono::milliseconds grace) {
        if (pid_ <= 0) return;
        stopping_ = true;
        ::kill(-pid_, SIGTERM);
        grace_.expires_after(grace);
        grace_.async_wait([self = shared_from_this()](error_code ec) {
            if (!ec) self->kill();
        });
    }

    void kill() {
        if (pid_ > 0) ::kill(-pid_, SIGKILL);
    }

private:
    std::string spawn(const std::vector<std::string>& command,
                      const std::vector<std::string>& variables) {
        pipe_ends in, err;
        if (!in.open() || !err.open()) return std::strerror(errno);
        const spawn_plan plan(in.read, err.write);
        if (const int code = start(command, variables, plan, pid_); code != 0) {
            pid_ = 0;
            return std::strerror(code);
        }
        const auto exit = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
        if (exit < 0) {
            const std::string why = std::string("pidfd_open: ") + std::strerror(errno);
            kill();
            ::waitpid(pid_, nullptr, 0);
            pid_ = 0;
            return why;
        }
        exit_.assign(exit);
        input_.assign(std::exchange(in.write, -1));
        errors_.assign(std::exchange(err.read, -1));
        return {};
    }

    void feed() {
        asio::async_write(input_, asio::buffer(text_),
                          [self = shared_from_this()](error_code, std::size_t) {
                              error_code ignored;  // it may have closed its end: its business
                              self->input_.close(ignored);
                          });
    }

    void listen() {
        reading_ = true;
        errors_.async_read_some(asio::buffer(buffer_),
                                [self = shared_from_this()](error_code ec, std::size_t size) {
                                    self->reading_ = false;
                                    self->heard(size);
                                    if (self->exited_) return self->finish();
                                    if (!ec) self->listen();
                                });
    }

    void heard(std::size_t size) {
        if (line_done_) return;
        const std::string_view text(buffer_.data(), size);
        const std::size_t end = text.find('\n');
        end_.first_line.append(text.substr(0, end));
        line_done_ = end != text.npos || end_.first_line.size() >= first_line_max;
        if (end_.first_line.size() > first_line_max) end_.first_line.resize(first_line_max);
    }

    void reap() {
        if (stopping_) kill();  // what it leaves behind, while its number is still ours
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        grace_.cancel();
        if (WIFSIGNALED(status)) {
            end_.signal = WTERMSIG(status);
        } else {
            end_.code = WEXITSTATUS(status);
        }
        exited_ = true;
        if (!reading_) return finish();
        error_code ignored;
        errors_.cancel(ignored);  // the read under way, done or not, goes on in finish()
    }

    // What it wrote before it ended is in the pipe by now. Its own children may hold the other
    // end for as long as they like.
    void finish() {
        error_code ec;
        errors_.non_blocking(true, ec);
        while (!ec && !line_done_) {
            const std::size_t size = errors_.read_some(asio::buffer(buffer_), ec);
            heard(size);
        }
        tell();
    }

    void tell() {
        error_code ignored;
        input_.close(ignored);
        errors_.close(ignored);
        exit_.close(ignored);
        std::exchange(done_, nullptr)(end_);
    }

    asio::io_context& context_;
    asio::posix::stream_descriptor input_, errors_, exit_;
    asio::steady_timer grace_;
    pid_t pid_ = 0;
    std::string text_;
    std::array<char, 4096> buffer_{};
    bool line_done_ = false;
    bool reading_ = false;
    bool exited_ = false;
    bool stopping_ = false;
    child_end end_;
    std::function<void(const child_end&)> done_;
};

child_process::child_process(asio::io_context& on) : impl_(std::make_shared<impl>(on)) {}

child_process::~child_process() = default;

void child_process::run(const std::vector<std::string>& command,
                        const std::vector<std::string>& variables, std::string input,
                        std::function<void(const child_end&)> done) {
    impl_->run(command, variables, std::move(input), std::move(done));
}

void child_process::stop(std::chrono::milliseconds grace) {
    impl_->stop(grace);
}

void child_process::kill() {
    impl_->kill();
}

}  // namespace orderproc::server
