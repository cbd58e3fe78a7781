#include "http/io_thread.hpp"

#include "http/connection.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <thread>
#include <utility>

namespace orderproc::server::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

std::chrono::milliseconds tick_for(const server_options& options) {
    const auto shortest =
        std::min({options.header_timeout, options.body_timeout, options.idle_timeout,
                  options.write_timeout, options.heartbeat});
    return std::clamp(shortest / 4, std::chrono::milliseconds(5), std::chrono::milliseconds(500));
}

}  // namespace

bool connection_counts::add(const asio::ip::address& from, bool shared) {
    const std::lock_guard lock(mutex_);
    if (total_ >= max_) return false;
    std::size_t& of_network = by_network_[client_network(bytes_of(from))];
    if (of_network >= per_address_max_ && !shared) return false;
    ++of_network;
    ++total_;
    return true;
}

void connection_counts::remove(const asio::ip::address& from) noexcept {
    const std::lock_guard lock(mutex_);
    const auto it = by_network_.find(client_network(bytes_of(from)));
    if (it == by_network_.end()) return;
    --total_;
    if (--it->second == 0) by_network_.erase(it);
}

std::size_t connection_counts::total() const {
    const std::lock_guard lock(mutex_);
    return total_;
}

io_thread::io_thread(const server_options& options, const carriers& over, service& answers,
                     connection_counts& counts, admission& gate, std::uint64_t id_seed)
    : work_(context_.get_executor()),
      options_(options),
      over_(over),
      answers_(answers),
      counts_(counts),
      gate_(gate),
      last_connection_id_(id_seed),
      timer_(context_),
      tick_(tick_for(options)) {}

io_thread::~io_thread() {
    // The last one to complete may still be leaving post().
    while (completing_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

void io_thread::run() noexcept {
    while (turns_.enter()) {
        context_.run();
        const bool leaves = std::exchange(leaves_, false);
        context_.restart();
        if (!leaves) return turns_.end();
        turns_.leave();
        answers_.work();
    }
}

void io_thread::leave_loop() noexcept {
    // What is ready already goes first, and may have work to do as well.
    if (std::exchange(leaves_, true)) return;
    try {
        asio::post(context_, [this] { context_.stop(); });
    } catch (...) {  // no memory: at once
        context_.stop();
    }
}

void io_thread::adopt(asio::ip::tcp::socket socket, const asio::ip::address& from) {
    if (draining_) return counts_.remove(from);  // accepted just before the end
    std::unique_ptr<connection> made;
    try {
        auto client = over_.may_speak_plainly(from) ? make_tcp_stream(std::move(socket))
                                                    : over_.secure->make(std::move(socket));
        made = std::make_unique<connection>(*this, std::move(client), from);
    } catch (...) {  // no memory: the socket closes
        counts_.remove(from);
        return;
    }
    connection* const it = made.release();
    it->next_ = connections_;
    if (connections_) connections_->previous_ = it;
    connections_ = it;
    arm_tick();
    it->start();
}

void io_thread::release(connection& it) noexcept {
    if (it.previous_) it.previous_->next_ = it.next_;
    if (it.next_) it.next_->previous_ = it.previous_;
    if (connections_ == &it) connections_ = it.next_;
    const bool leaves_a_stream = it.handed_over();
    const asio::ip::address from = it.from();
    delete &it;
    if (!leaves_a_stream) gone(from);
}

void io_thread::gone(const asio::ip::address& from) noexcept {
    counts_.remove(from);
    check_done();
}

void io_thread::drain(std::chrono::milliseconds at_most) {
    const std::uint64_t deadline = at_most.count() > 0 ? tick_after(at_most) : now_;
    drain_deadline_ = draining_ ? std::min(drain_deadline_, deadline) : deadline;
    draining_ = true;
    for (connection* it = connections_; it; it = it->next_) {
        if (drain_deadline_ <= now_) {
            it->close();
        } else {
            it->drain();
        }
    }
    if (drain_deadline_ <= now_) {
        streams_.close();
    } else {
        streams_.drain();
    }
    check_done();
}

void io_thread::check_done() noexcept {
    if (!draining_ || connections_ || !streams_.empty()) return;
    work_.reset();
    timer_.cancel();
}

void io_thread::completed(connection& it) noexcept {
    completing_.fetch_add(1, std::memory_order_relaxed);
    connection* first = completed_.load(std::memory_order_relaxed);
    do {
        it.next_completed_ = first;
    } while (!completed_.compare_exchange_weak(first, &it, std::memory_order_acq_rel,
                                               std::memory_order_relaxed));
    if (!first) asio::post(context_, [this] { resume_completed(); });
    completing_.fetch_sub(1, std::memory_order_release);
}

void io_thread::resume_completed() {
    connection* newest = completed_.exchange(nullptr, std::memory_order_acq_rel);
    connection* oldest = nullptr;
    while (newest) {
        connection* const after = std::exchange(newest->next_completed_, oldest);
        oldest = std::exchange(newest, after);
    }
    while (oldest) std::exchange(oldest, oldest->next_completed_)->resume();
}

std::uint64_t io_thread::tick_after(std::chrono::milliseconds timeout) const noexcept {
    const auto ticks = (timeout + tick_ - std::chrono::milliseconds(1)) / tick_;
    return now_ + 1 + static_cast<std::uint64_t>(std::max<std::int64_t>(ticks, 0));
}

void io_thread::arm_tick() {
    if (ticking_) return;
    ticking_ = true;
    timer_.expires_after(tick_);
    timer_.async_wait([this](error_code ec) {
        ticking_ = false;
        if (!ec) on_tick();
    });
}

// Without connections nothing ticks: an idle server sleeps.
void io_thread::on_tick() {
    ++now_;
    if (!connections_ && streams_.empty()) return;
    arm_tick();
    const bool over = draining_ && now_ >= drain_deadline_;
    for (connection* it = connections_; it; it = it->next_) {
        if (over) {
            it->close();
        } else {
            it->check_time(now_);
        }
    }
    if (over) {
        streams_.close();
    } else {
        streams_.check_time(now_);
    }
}

}  // namespace orderproc::server::http
