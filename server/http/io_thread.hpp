#ifndef ORDERPROC_SERVER_HTTP_IO_THREAD_HPP
#define ORDERPROC_SERVER_HTTP_IO_THREAD_HPP

// One event loop and the connections that live on it. Internal to the transport.

#include "http/client_address.hpp"
#include "http/loop_turns.hpp"
#include "http/options.hpp"
#include "http/service.hpp"
#include "http/stream.hpp"
#include "http/stream_maker.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

namespace orderproc::server::http {

class connection;

// How many connections there are, all threads together.
class connection_counts {
public:
    connection_counts(std::size_t most, std::size_t most_per_address)
        : max_(most), per_address_max_(most_per_address) {}

    // False: it would be one too many. shared: the address stands for many clients.
    bool add(const boost::asio::ip::address& from, bool shared);
    void remove(const boost::asio::ip::address& from) noexcept;
    std::size_t total() const;

private:
    const std::size_t max_;
    const std::size_t per_address_max_;
    mutable std::mutex mutex_;
    std::size_t total_ = 0;
    std::map<address_bytes, std::size_t> by_network_;
};

// All but completed(), draining(), context() and run() is for its own thread.
class io_thread {
public:
    io_thread(const server_options& options, const carriers& over, service& answers,
              connection_counts& counts, admission& gate, std::uint64_t id_seed);
    ~io_thread();

    boost::asio::io_context& context() noexcept { return context_; }
    // Until drained and empty. Two threads call it, and are in the loop by turns: the one that has
    // work to do which blocks leaves the loop to the other before.
    void run() noexcept;
    void leave_loop() noexcept;  // soon

    // REQUIRES: it may speak plainly, or there is something secure.
    void adopt(boost::asio::ip::tcp::socket socket, const boost::asio::ip::address& from);
    void release(connection& it) noexcept;  // destroys it
    stream_set& streams() noexcept { return streams_; }
    // Where what clients send to a stream is read to. Shared by all, for nobody looks into it.
    boost::asio::mutable_buffer bin() noexcept { return boost::asio::buffer(bin_); }
    void gone(const boost::asio::ip::address& from) noexcept;  // a client of there

    // Closes what is idle, lets the rest answer what it has begun, until the deadline.
    void drain(std::chrono::milliseconds at_most);
    bool draining() const noexcept { return draining_; }  // from any thread

    // The connection's resume() is called soon. From any thread. All that come before the
    // thread looks share one post.
    void completed(connection& it) noexcept;

    const server_options& options() const noexcept { return options_; }
    const carriers& over() const noexcept { return over_; }
    service& answers() noexcept { return answers_; }
    admission& gate() noexcept { return gate_; }
    std::uint64_t next_connection_id() noexcept { return ++last_connection_id_; }

    // Time is counted in ticks, so that a deadline costs no system call and no timer.
    std::uint64_t tick_after(std::chrono::milliseconds timeout) const noexcept;

private:
    void resume_completed();
    void arm_tick();
    void on_tick();
    void check_done() noexcept;

    boost::asio::io_context context_{1};
    loop_turns turns_;
    bool leaves_ = false;  // of the thread that is in the loop
    std::optional<boost::asio::executor_work_guard<boost::asio::io_context::executor_type>> work_;
    const server_options& options_;
    const carriers& over_;
    service& answers_;
    connection_counts& counts_;
    admission& gate_;

    connection* connections_ = nullptr;
    stream_set streams_{*this};
    std::array<char, 512> bin_;
    std::uint64_t last_connection_id_;

    std::atomic<connection*> completed_{nullptr};
    std::atomic<std::size_t> completing_{0};  // threads inside completed()

    boost::asio::steady_timer timer_;
    std::chrono::milliseconds tick_;
    std::uint64_t now_ = 1;
    bool ticking_ = false;
    std::atomic<bool> draining_{false};
    std::uint64_t drain_deadline_ = 0;
};

}  // namespace orderproc::server::http

#endif
