#include "http/stream.hpp"

#include "http/io_thread.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <charconv>
#include <chrono>
#include <span>
#include <thread>
#include <utility>

namespace orderproc::server::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t write_max = 256 * 1024;  // about, for one system call
constexpr std::size_t buffers_max = 64;
constexpr std::size_t frame_pieces = 3;  // size line, line end, last chunk
constexpr std::size_t pieces_kept = 8;
constexpr std::size_t dropped_max = 64 * 1024;
constexpr std::chrono::milliseconds end_timeout{2000};

}  // namespace

stream::stream(io_thread& home, stream_set& owner, stream_start what)
    : home_(home),
      owner_(owner),
      client_(std::move(what.client)),
      from_(what.from),
      source_(std::move(what.source)),
      chunked_(what.chunked),
      heartbeat_(home.tick_after(home.options().heartbeat)) {
    const auto head = std::make_shared<const std::string>(std::move(what.head));
    pieces_.push_back({head, *head});
}

// Want of memory ends a stream, and nothing else.
template <class Step>
void stream::protect(Step&& go) noexcept {
    try {
        go();
    } catch (...) {
        close();
    }
}

// What every entry from the io_context goes through: the one place that destroys the stream.
template <class Step>
void stream::guarded(Step&& go) noexcept {
    protect(std::forward<Step>(go));
    if (closed_ && !busy()) owner_.release(*this);
}

void stream::start() {
    guarded([this] {
        source_->start(*this);
        watch_peer();
        pump();
        if (home_.draining()) drain();
    });
}

// The source goes first: nobody wakes a stream that has none.
void stream::close() noexcept {
    closed_ = true;
    deadline_ = 0;
    source_.reset();
    pieces_.clear();
    client_->close();  // what is under way comes back with an error
}

void stream::wake() noexcept {
    if (!woken_.exchange(true)) owner_.woken(*this);
}

void stream::resume() {
    woken_ = false;
    guarded([this] { pump(); });
}

void stream::check_time(std::uint64_t tick) {
    if (deadline_ != 0 && tick >= deadline_) return close();
    if (!closed_ && !ended_ && source_->over()) return drain();
    if (closed_ || tick < heartbeat_) return;
    heartbeat_ = home_.tick_after(home_.options().heartbeat);
    if (ended_ || writing_ || !pieces_.empty()) return;
    protect([this] {
        beat();
        pump();
    });
}

void stream::drain() noexcept {
    if (closed_ || ended_) return;
    protect([this] {
        break_off();
        pump();
    });
}

void stream::pump() {
    while (!closed_ && !writing_ && !finished_) {
        if (!pieces_.empty()) {
            if (!flush()) return;
        } else if (ended_) {
            return finish();
        } else {
            fill();
            if (pieces_.empty() && !ended_) return;
        }
    }
}

void stream::fill() {
    if (chunked_) pieces_.push_back({});  // for the size
    switch (source_->take(pieces_, write_max, buffers_max - frame_pieces)) {
        case body_source::state::failed:
            return close();
        case body_source::state::ended:
            frame();
            break_off();
            if (chunked_) pieces_.push_back({nullptr, "0\r\n\r\n"});
            return;
        case body_source::state::open:
            return frame();
    }
}

// What was taken is still sent. Without a last chunk behind it the client sees that the body is
// not whole (RFC 9112, 8), and comes again.
void stream::break_off() noexcept {
    ended_ = true;
    source_.reset();
}

void stream::beat() {
    const std::string_view bytes = source_->heartbeat();
    if (bytes.empty()) return;
    if (chunked_) pieces_.push_back({});
    pieces_.push_back({nullptr, bytes});
    frame();
}

// Makes a chunk (RFC 9112, 7.1) of what was put in behind the place for its size.
void stream::frame() {
    if (!chunked_) return;
    std::size_t size = 0;
    for (const piece& it : pieces_) size += it.bytes.size();
    if (size == 0) return pieces_.clear();  // that would be the last chunk
    char* end = std::to_chars(frame_.begin(), frame_.end(), size, 16).ptr;
    *end++ = '\r';
    *end++ = '\n';
    pieces_.front().bytes = {frame_.data(), static_cast<std::size_t>(end - frame_.data())};
    pieces_.push_back({nullptr, "\r\n"});
}

bool stream::flush() {
    std::array<asio::const_buffer, buffers_max> buffers;
    while (piece_ < pieces_.size()) {
        std::size_t count = 0;
        for (std::size_t i = piece_; i < pieces_.size() && count < buffers.size(); ++i) {
            const std::size_t skip = i == piece_ ? piece_sent_ : 0;
            const std::string_view rest = pieces_[i].bytes.substr(skip);
            buffers[count++] = asio::buffer(rest.data(), rest.size());
        }
        error_code ec;
        std::size_t sent = client_->write_some({buffers.data(), count}, ec);
        if (ec == asio::error::would_block || ec == asio::error::try_again) {
            wait_for_room();
            return false;
        }
        if (ec) {
            close();
            return false;
        }
        for (sent += piece_sent_; piece_ < pieces_.size(); ++piece_) {
            if (sent < pieces_[piece_].bytes.size()) break;
            sent -= pieces_[piece_].bytes.size();
        }
        piece_sent_ = sent;
    }
    deadline_ = 0;
    piece_ = piece_sent_ = 0;
    if (pieces_.capacity() > pieces_kept) {
        pieces_ = {};
    } else {
        pieces_.clear();
    }
    return true;
}

// The time is for the whole of a write: who takes a few bytes now and then is too slow as well.
void stream::wait_for_room() {
    if (deadline_ == 0) deadline_ = home_.tick_after(home_.options().write_timeout);
    client_->wait_writable(*this);
    writing_ = true;
}

void stream::on_writable(error_code ec) noexcept {
    guarded([&] {
        writing_ = false;
        if (closed_) return;
        if (ec) return close();
        pump();
    });
}

// Closing before the client has seen the end might make it lose that.
void stream::finish() {
    finished_ = true;
    error_code ec;
    client_->shutdown(ec);
    if (ec) return close();
    deadline_ = home_.tick_after(end_timeout);
}

void stream::watch_peer() {
    client_->read_some(home_.bin(), *this);
    watching_ = true;
}

void stream::on_read(error_code ec, std::size_t size) noexcept {
    guarded([&] { drop(ec, size); });
}

// A client that closes its side has gone. What it sends instead is dropped: it was told that
// this answer is the last.
void stream::drop(error_code ec, std::size_t size) {
    watching_ = false;
    if (closed_) return;
    dropped_ += size;
    if (ec || dropped_ > dropped_max) return close();
    watch_peer();
}

stream_set::~stream_set() {
    // The last one to wake may still be leaving post().
    while (waking_.load(std::memory_order_acquire) != 0) std::this_thread::yield();
}

void stream_set::adopt(stream_start what) {
    auto made = std::make_unique<stream>(home_, *this, std::move(what));
    stream* const it = made.release();
    it->next_ = first_;
    if (first_) first_->previous_ = it;
    first_ = it;
    it->start();
}

void stream_set::release(stream& it) noexcept {
    if (it.previous_) it.previous_->next_ = it.next_;
    if (it.next_) it.next_->previous_ = it.previous_;
    if (first_ == &it) first_ = it.next_;
    const asio::ip::address from = it.from_;
    delete &it;
    home_.gone(from);
}

void stream_set::check_time(std::uint64_t tick) {
    for (stream* it = first_; it; it = it->next_) it->check_time(tick);
}

void stream_set::drain() noexcept {
    for (stream* it = first_; it; it = it->next_) it->drain();
}

void stream_set::close() noexcept {
    for (stream* it = first_; it; it = it->next_) it->close();
}

void stream_set::woken(stream& it) noexcept {
    waking_.fetch_add(1, std::memory_order_relaxed);
    stream* first = woken_.load(std::memory_order_relaxed);
    do {
        it.next_woken_ = first;
    } while (!woken_.compare_exchange_weak(first, &it, std::memory_order_acq_rel,
                                           std::memory_order_relaxed));
    if (!first) asio::post(home_.context(), [this] { resume_woken(); });
    waking_.fetch_sub(1, std::memory_order_release);
}

void stream_set::resume_woken() {
    stream* it = woken_.exchange(nullptr, std::memory_order_acq_rel);
    while (it) {
        stream* const next = std::exchange(it->next_woken_, nullptr);
        it->resume();
        it = next;
    }
}

}  // namespace orderproc::server::http
