#include "http/connection.hpp"

#include "http/answer.hpp"
#include "http/problem.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <ctime>

namespace orderproc::server::http {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t read_ahead = 4 * 1024;             // beyond the largest header
constexpr std::size_t gathered_answers_max = 64 * 1024;  // of pipelined requests, for one write
constexpr std::size_t requests_in_a_row_max = 16;        // then it is the turn of others
constexpr std::size_t out_capacity_kept = 256 * 1024;
constexpr std::size_t linger_max = 512 * 1024;
constexpr std::chrono::milliseconds linger_timeout{2000};

bool is_request_id(std::string_view id) noexcept {
    return !id.empty() && id.size() <= 128 && std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    });
}

}  // namespace

connection::connection(io_thread& home, std::unique_ptr<byte_stream> client,
                       const asio::ip::address& from)
    : home_(home),
      client_(std::move(client)),
      from_(from),
      peer_(bytes_of(from)),
      parser_(home.options().limits, true),
      session_(home.answers().open(*this)),
      in_capacity_(home.options().limits.header_size_max + read_ahead) {
    in_ = std::make_unique_for_overwrite<char[]>(in_capacity_);
    char* const end = std::to_chars(id_.begin(), id_.end(), home.next_connection_id(), 16).ptr;
    *end = '-';
    id_prefix_size_ = static_cast<std::size_t>(end + 1 - id_.data());
}

connection::~connection() = default;

// What every entry from the io_context goes through: the one place that destroys the
// connection, and the boundary for exceptions, which here can only be want of memory.
template <class Step>
void connection::guarded(Step&& go) noexcept {
    try {
        go();
    } catch (...) {
        close();
    }
    if (closed_ && !busy()) home_.release(*this);
}

void connection::start() {
    guarded([this] {
        // Who connects has something to say: no keep-alive before the first request.
        deadline_ = home_.tick_after(home_.options().header_timeout);
        read_more();
    });
}

void connection::close() noexcept {
    if (!take_back()) {
        close_due_ = true;
        return;
    }
    if (waiting_ && !closed_) session_->abandon();
    closed_ = true;
    deadline_ = 0;
    if (client_) client_->close();  // what is under way comes back with an error
}

void connection::set_phase(phase to) {
    if (phase_ == to) return;
    phase_ = to;
    const server_options& options = home_.options();
    switch (to) {
        case phase::idle:
            deadline_ = home_.tick_after(options.idle_timeout);
            break;
        case phase::header:
            deadline_ = home_.tick_after(options.header_timeout);
            break;
        case phase::body:
            deadline_ = home_.tick_after(options.body_timeout);
            break;
        case phase::answering:
            deadline_ = 0;
            break;
        case phase::writing:
            deadline_ = home_.tick_after(options.write_timeout);
            break;
        case phase::lingering:
            deadline_ = home_.tick_after(std::min(options.idle_timeout, linger_timeout));
            break;
    }
}

void connection::check_time(std::uint64_t tick) {
    const turn now = turn_.load(std::memory_order_acquire);
    if (now == turn::answered) {
        take_back();
        if (home_.draining()) drain();
    } else if (now != turn::home) {
        return;  // a client that goes is noticed, for it is read from
    }
    if (waiting_ && !closed_ && client_->was_reset()) return close();
    if (deadline_ == 0 || tick < deadline_) return;
    if ((phase_ == phase::header || phase_ == phase::body) && reading_) {
        deadline_ = 0;
        timed_out_ = true;
        client_->cancel();  // take_in() answers
    } else {
        close();
    }
}

void connection::drain() {
    if (turn_.load(std::memory_order_acquire) == turn::answered) take_back();
    if (phase_ == phase::idle && !client_->readable()) close();
}

void connection::pump() {
    const std::uint64_t until = requests_ + requests_in_a_row_max;
    while (!closed_ && !busy()) {
        if (!advance()) return;
        if (closed_ || busy() || requests_ < until) continue;
        if (flush()) yield();
        return;
    }
}

// A client may send many requests at once, each of which takes its time: the thread's other
// connections go first.
void connection::yield() {
    asio::post(home_.context(), [this] {
        guarded([this] {
            giving_way_ = false;
            pump();
        });
    });
    giving_way_ = true;
}

bool connection::advance() {
    auto state = in_begin_ != in_end_ ? feed() : request_parser::state::need_more;
    if (state == request_parser::state::header) {
        admit();
        if (last_) return flush();
        state = feed();
    }
    switch (state) {
        case request_parser::state::failed:
            if (parser_.skipping()) {  // it was answered already
                close();
                return false;
            }
            refuse(parser_.fault(), parser_.fault_detail());
            return flush();
        case request_parser::state::complete:
            if (parser_.skipping()) {
                parser_.reset();
                return out_.size() > gathered_answers_max ? flush() : true;
            }
            handle();
            if (waiting_) {
                if (flush()) offer();
                return false;
            }
            return last_ || out_.size() > gathered_answers_max ? flush() : true;
        case request_parser::state::header:
        case request_parser::state::need_more:
            break;
    }
    if (parser_.header_done() && parser_.take_expectation()) {
        out_.append("HTTP/1.1 100 Continue\r\n\r\n");
    }
    if (flush()) read_more();
    return false;
}

request_parser::state connection::feed() {
    std::size_t used = 0;
    const auto out = parser_.feed({in_.get() + in_begin_, in_end_ - in_begin_}, used);
    in_begin_ += used;
    return out;
}

// Who is not let in is answered before the body is read; if that is short it is read then, and
// the connection goes on.
void connection::admit() {
    request& head = parser_.value();
    head.peer = peer_;
    identify(head);
    response_.clear();
    admission& gate = home_.gate();
    admission::refusal found = gate.judge(head, from_);
    const bool known = found.kind || session_->admit(head, response_);
    if (!found.kind) found = gate.limit(head, from_, ticket_);
    if (!found.kind && known) {
        found = gate.admit(head, parser_.body_size_max(), ticket_);
        if (!found.kind) return;
    }
    set_phase(phase::answering);
    last_ = !parser_.skip_body();
    if (!found.kind) return answer_refusal();
    answer_problem(*found.kind, found.detail);
}

void connection::handle() {
    set_phase(phase::answering);
    response_.clear();
    const step now = session_->begin(parser_.value(), response_);
    waiting_ = now != step::answered;
    answer_follows_ = now == step::answer_follows;
    if (!waiting_) append_answer();
}

void connection::resume() {
    // It may have been offered after ready() was called.
    const turn was = turn_.exchange(turn::home);
    const bool answered = was != turn::home && was != turn::offered;
    guarded([&] {
        waiting_ = false;
        resume_due_ = writing_;
        if (early_) take_early(early_->ec, early_->size);
        early_.reset();
        if (close_due_ || broken_) close();
        if (closed_ || writing_) return;
        if (answered) {
            go_on();
        } else {
            finish();
        }
    });
}

void connection::finish() {
    resume_due_ = false;
    waiting_ = session_->resume(parser_.value(), response_) != step::answered;
    if (waiting_) return;
    append_answer();
    go_on();
}

// Behind an answer.
void connection::go_on() {
    const bool gather = in_begin_ != in_end_ && !last_ && out_.size() < gathered_answers_max;
    if (!gather && !flush()) return;
    if (reading_) {
        set_phase(phase::idle);
    } else {
        pump();
    }
}

void connection::identify(request& it) {
    ++requests_;
    const std::string_view sent = it.find("X-Request-Id");
    if (is_request_id(sent)) {
        it.id = sent;
        return;
    }
    const char* end =
        std::to_chars(id_.data() + id_prefix_size_, id_.data() + id_.size(), requests_, 16).ptr;
    it.id = {id_.data(), static_cast<std::size_t>(end - id_.data())};
}

void connection::append_answer() {
    ticket_.close(response_);
    const request& to = parser_.value();
    last_ = last_ || !parser_.keep_alive() || home_.draining();
    answer_params params;
    params.date = date_.at(std::time(nullptr));
    params.request_id = to.id;
    if (client_->secure()) params.more_fields = home_.over().secure_fields;
    params.without_body = to.method == "HEAD";
    const bool streams = response_.stream && !params.without_body;
    if (response_.stream) {
        params.body = streams && !parser_.http_1_0() ? framing::chunked : framing::until_close;
    }
    if (last_ || streams) {
        params.connection = connection_word::close;
    } else if (parser_.http_1_0()) {
        params.connection = connection_word::keep_alive;
    }
    http::append_answer(response_, params, out_);
    if (streams) return hand_over(params.body == framing::chunked);
    response_.stream.reset();
    if (response_.body.capacity() > out_capacity_kept) response_.body = {};
    if (!last_ && !parser_.skipping()) parser_.reset();
}

// What is left here has nothing more to do.
void connection::hand_over(bool chunked) {
    home_.streams().adopt(
        {std::move(client_), from_, out_.substr(out_sent_), chunked, std::move(response_.stream)});
    handed_over_ = closed_ = true;
    last_ = false;
    deadline_ = 0;
    out_.clear();
    out_sent_ = 0;
}

void connection::refuse(const problem_kind& kind, std::string_view detail) {
    last_ = true;
    answer_problem(kind, detail);
}

void connection::answer_problem(const problem_kind& kind, std::string_view detail) {
    request& to = parser_.value();
    if (to.id.empty()) identify(to);
    write_problem(kind, detail, to, response_);
    answer_refusal();
}

void connection::answer_refusal() {
    session_->refused(parser_.value(), response_);
    append_answer();
}

error_code connection::send() {
    error_code ec;
    while (out_sent_ < out_.size()) {
        const asio::const_buffer rest(out_.data() + out_sent_, out_.size() - out_sent_);
        out_sent_ += client_->write_some({&rest, 1}, ec);
        if (ec) return ec;
    }
    if (out_.capacity() > out_capacity_kept) out_ = {};
    out_.clear();
    out_sent_ = 0;
    return ec;
}

bool connection::flush() {
    const std::size_t sent_before = out_sent_;
    const error_code ec = send();
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
        // Who took some has time for more.
        if (phase_ == phase::writing && out_sent_ != sent_before) phase_ = phase::answering;
        write_rest();
        return false;
    }
    if (ec) {
        close();
        return false;
    }
    if (last_) linger();
    return !last_;
}

void connection::write_rest() {
    set_phase(phase::writing);
    client_->wait_writable(*this);
    writing_ = true;
}

void connection::on_writable(error_code ec) noexcept {
    guarded([&] { write_on(ec); });
}

void connection::write_on(error_code ec) {
    writing_ = false;
    if (closed_) return;
    if (ec) return close();
    if (!flush()) return;
    set_phase(phase::answering);
    deadline_ = 0;
    if (resume_due_) return finish();
    if (!waiting_) go_on();
}

void connection::read_more() {
    if (peer_ended_) return close();
    if (in_begin_ > 0) {
        std::memmove(in_.get(), in_.get() + in_begin_, in_end_ - in_begin_);
        in_end_ -= in_begin_;
        in_begin_ = 0;
    }
    if (phase_ != phase::lingering) {
        set_phase(parser_.header_done() ? phase::body : in_end_ == 0 ? phase::idle : phase::header);
        // Its last answer was begun before the drain, so the client was not told to close.
        if (home_.draining()) drain();
        if (closed_) return;
    }
    client_->read_some({in_.get() + in_end_, in_capacity_ - in_end_}, *this);
    reading_ = true;  // now that there was memory for it
}

void connection::on_read(error_code ec, std::size_t size) noexcept {
    reading_ = false;
    if (take_back()) {
        guarded([&] { take_in(ec, size); });
    } else {
        early_ = {ec, size};
    }
}

// Before the answer is sent. A client that has ended its side still gets it.
void connection::take_early(error_code ec, std::size_t size) {
    peer_ended_ = ec == asio::error::eof;
    if (ec && !peer_ended_) return close();
    in_end_ += size;
}

void connection::take_in(error_code ec, std::size_t size) {
    if (closed_) return;
    if (waiting_ || writing_) return take_early(ec, size);
    if (timed_out_) {
        timed_out_ = false;
        if (parser_.skipping()) return close();
        refuse(problems::request_timeout, {});
        flush();
        return;
    }
    if (ec) return close();
    if (phase_ == phase::lingering) {
        lingered_ += size;
        if (lingered_ > linger_max) return close();
        return read_more();
    }
    in_end_ += size;
    pump();
}

// Closing with bytes unread would reset the connection, and the client might lose the answer
// that it is about to read (RFC 9112, 9.6): so the rest is read and dropped for a while.
void connection::linger() {
    error_code ec;
    client_->shutdown(ec);
    if (ec) return close();
    set_phase(phase::lingering);
    in_begin_ = in_end_ = 0;
    if (!reading_) read_more();
}

}  // namespace orderproc::server::http
