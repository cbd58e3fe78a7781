#include "processors/child_process.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

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

std::string lost(int why) {
    return std::string("its exit code is lost: ") + std::strerror(why);
}

}  // namespace

class child_process::impl : public std::enable_shared_from_this<impl> {
public:
    explicit impl(asio::io_context& on)
        : context_(on), input_(on), errors_(on), exit_(on), grace_(on) {}

    void run(const child_command& what, std::string input,
             std::function<void(const child_end&)> done) {
        text_ = std::move(input);
        done_ = std::move(done);
        const std::string error = start(what);
        if (!error.empty()) {
            end_.error = what.path + ": " + error;
            asio::post(context_, [self = shared_from_this()] { self->tell(); });
            return;
        }
        feed();
        listen();
        exit_.async_wait(asio::posix::descriptor_base::wait_read,
                         [self = shared_from_this()](error_code) { self->reap(); });
    }

    void stop(std::chrono::milliseconds grace) {
        if (!child_) return;
        stopping_ = true;
        ::kill(-child_->process, SIGTERM);
        grace_.expires_after(grace);
        grace_.async_wait([self = shared_from_this()](error_code ec) {
            if (!ec) self->kill();
        });
    }

    void kill() {
        stopping_ = true;
        if (child_) ::kill(-child_->process, SIGKILL);
    }

private:
    std::string start(const child_command& what) {
        pipe_ends in, err;
        if (!in.open() || !err.open()) return std::strerror(errno);
        child made;
        if (const int why = child_table::of_this_process().start(what, in.read, err.write, made)) {
            return why == ECHILD ? lost(why) : std::strerror(why);
        }
        child_ = made;
        exit_.assign(made.descriptor);
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
        const child_exit how = child_table::of_this_process().wait(*child_);
        child_.reset();
        grace_.cancel();
        end_.code = how.code;
        end_.signal = how.signal;
        if (how.error != 0) {
            end_.error = lost(how.error);
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
    std::optional<child> child_;  // until it is reaped
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

void child_process::run(const child_command& what, std::string input,
                        std::function<void(const child_end&)> done) {
    impl_->run(what, std::move(input), std::move(done));
}

void child_process::stop(std::chrono::milliseconds grace) {
    impl_->stop(grace);
}

void child_process::kill() {
    impl_->kill();
}

}  // namespace orderproc::server
