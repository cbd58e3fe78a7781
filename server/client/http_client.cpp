#include "client/http_client.hpp"

#include "http/socket.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <deque>
#include <exception>
#include <list>
#include <optional>
#include <thread>

namespace orderproc::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;

namespace {

constexpr unsigned http_1_1 = 11;
constexpr std::size_t header_max = 64 * 1024;
constexpr std::size_t body_alone_max = 64 * 1024 * 1024;  // of one request alone

struct connection {
    explicit connection(asio::io_context& on) : stream(on) {}
    beast::tcp_stream stream;
    beast::flat_buffer buffer;
    bool used = false;  // it has answered before
    bool stopped = false;

    // A cancel() would be lost between two steps, and the next one would wait; what is closed
    // lets none of them begin.
    void stop() {
        stopped = true;
        stream.close();
    }
};

// What became of sending a request once.
struct attempt {
    boost::system::error_code ec;
    bool answered = false;  // some of an answer was read
    bool keep = false;      // the connection can be used again
    fetch_response got;
};

// Keeps to one deadline over all steps.
asio::awaitable<boost::system::error_code> connect(connection& by, const http_url& to) {
    boost::system::error_code ec;
    tcp::resolver resolver(co_await asio::this_coro::executor);
    const std::string port = std::to_string(to.port);
    const auto found = co_await resolver.async_resolve(
        to.host, port, asio::redirect_error(asio::use_awaitable, ec));
    if (by.stopped) ec = asio::error::operation_aborted;  // connecting would open it again
    if (ec) co_return ec;
    for (const tcp::endpoint to_try : found) {
        by.stream.socket().close(ec);
        ec = {};
        http::open_socket(by.stream.socket(), to_try.protocol(), ec);
        if (ec) continue;
        co_await by.stream.async_connect(to_try, asio::redirect_error(asio::use_awaitable, ec));
        if (!ec || by.stopped || ec == beast::error::timeout) break;
    }
    if (by.stopped) ec = asio::error::operation_aborted;
    if (!ec) by.stream.socket().set_option(tcp::no_delay(true), ec);
    co_return ec;
}

asio::awaitable<boost::system::error_code> ask(connection& by, const http_url& to,
                                               const fetch_request& what) {
    boost::system::error_code ec;
    if (!by.used) ec = co_await connect(by, to);
    if (ec) co_return ec;
    beast::http::request<beast::http::string_body> request;
    request.version(http_1_1);
    request.method_string(what.method);
    request.target(what.target);
    request.set(beast::http::field::host, to.authority());
    for (const auto& [name, value] : what.fields) request.insert(name, value);
    request.body() = what.body;
    if (!what.body.empty() || what.method != "GET") request.prepare_payload();
    co_await beast::http::async_write(by.stream, request,
                                      asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
}

using answer_parser = beast::http::response_parser<beast::http::string_body>;

void take(answer_parser& parser, attempt& out) {
    auto answer = parser.release();
    out.keep = answer.keep_alive();
    out.got.status = answer.result_int();
    for (const auto& field : answer) {
        out.got.fields.emplace_back(field.name_string(), field.value());
    }
    out.got.body = std::move(answer.body());
}

asio::awaitable<attempt> send(connection& by, const http_url& to, const fetch_request& what,
                              std::size_t body_max) {
    attempt out;
    out.ec = co_await ask(by, to, what);
    if (out.ec) co_return out;
    answer_parser parser;
    parser.header_limit(header_max);
    parser.body_limit(body_max);
    parser.skip(what.method == "HEAD");
    co_await beast::http::async_read(by.stream, by.buffer, parser,
                                     asio::redirect_error(asio::use_awaitable, out.ec));
    out.answered = parser.got_some();
    if (!out.ec) take(parser, out);
    co_return out;
}

std::chrono::steady_clock::time_point end_of(const stream_times& times) {
    const auto now = std::chrono::steady_clock::now();
    return times.until - now < times.silence ? times.until : now + times.silence;
}

asio::awaitable<attempt> send_for_parts(connection& by, const http_url& to,
                                        const fetch_request& what, const stream_times& times,
                                        const body_sink& sink) {
    attempt out;
    by.stream.expires_at(end_of(times));
    out.ec = co_await ask(by, to, what);
    if (out.ec) co_return out;
    answer_parser parser;
    parser.header_limit(header_max);
    parser.body_limit(body_alone_max);  // also of what says its length before
    co_await beast::http::async_read_header(by.stream, by.buffer, parser,
                                            asio::redirect_error(asio::use_awaitable, out.ec));
    const bool in_parts = !out.ec && parser.get().result() == beast::http::status::ok;
    if (in_parts) parser.body_limit(boost::none);
    for (bool more = true; more && !out.ec && !parser.is_done();) {
        by.stream.expires_at(end_of(times));
        co_await beast::http::async_read_some(by.stream, by.buffer, parser,
                                              asio::redirect_error(asio::use_awaitable, out.ec));
        std::string& part = parser.get().body();
        if (!in_parts || part.empty()) continue;
        more = sink(part);
        part.clear();
    }
    if (!out.ec) take(parser, out);
    co_return out;
}

failure trouble_with(const http_url& to, const boost::system::error_code& ec,
                     std::chrono::milliseconds timeout) {
    std::string why = ec.message();
    if (ec == beast::error::timeout) {
        why = "no answer within " + std::to_string(timeout.count()) + " ms";
    } else if (ec == beast::http::error::end_of_stream ||
               ec == beast::http::error::partial_message) {
        why = "the connection was closed before the answer was whole";
    } else if (ec == beast::http::error::body_limit) {
        why = "the answer is too large";
    }
    return {errc::unavailable, to.authority() + ": " + why};
}

// One request and its way: queued, on a connection, told.
struct task {
    fetch_request what;
    std::stop_token stop;
    std::function<void(result<fetch_response>)> done;
    connection* by = nullptr;
    bool stopped = false;
    std::optional<std::stop_callback<std::function<void()>>> on_stop;
};

}  // namespace

class http_client::impl {
public:
    impl(http_url to, const http_client_options& options)
        : to_(std::move(to)),
          options_(options),
          work_(asio::make_work_guard(context_)),
          thread_([this] { context_.run(); }) {}

    ~impl() {
        asio::post(context_, [this] { stop(); });
        work_.reset();
        thread_.join();
    }

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    void fetch(fetch_request what, std::stop_token stop,
               std::function<void(result<fetch_response>)> done) {
        auto it = std::make_shared<task>();
        it->what = std::move(what);
        it->stop = std::move(stop);
        it->done = std::move(done);
        asio::post(context_, [this, it = std::move(it)]() mutable { add(std::move(it)); });
    }

private:
    using task_pointer = std::shared_ptr<task>;  // also the stop callback's

    void add(task_pointer it) {
        if (stopped_ || it->stop.stop_requested()) return it->done(errc::stopped);
        if (active_ >= options_.connections_max) {
            if (waiting_.size() >= options_.queue_max) return it->done(errc::overloaded);
            waiting_.push_back(std::move(it));
            return;
        }
        start(std::move(it));
    }

    void start(task_pointer it) {
        ++active_;
        tasks_.push_back(it);
        const auto place = std::prev(tasks_.end());
        const std::weak_ptr<task> weak = it;
        it->on_stop.emplace(it->stop, [this, weak] {
            asio::post(context_, [weak] {
                if (const auto known = weak.lock()) cancel(*known);
            });
        });
        asio::co_spawn(
            context_, run(it),
            [this, it, place](std::exception_ptr thrown, result<fetch_response> got) {
                tasks_.erase(place);
                it->on_stop.reset();
                --active_;
                if (thrown) got = failure{errc::unavailable, "out of memory"};
                it->done(it->stopped ? result<fetch_response>(errc::stopped) : std::move(got));
                next();
            });
    }

    void next() {
        while (!waiting_.empty() && active_ < options_.connections_max) {
            task_pointer it = std::move(waiting_.front());
            waiting_.pop_front();
            add(std::move(it));
        }
    }

    asio::awaitable<result<fetch_response>> run(task_pointer it) {
        for (bool again = false; !it->stopped; again = true) {
            std::unique_ptr<connection> by;
            if (!idle_.empty() && !again) {
                by = std::move(idle_.back());
                idle_.pop_back();
            } else {
                by = std::make_unique<connection>(context_);
            }
            it->by = by.get();
            by->stream.expires_after(options_.timeout);
            attempt tried = co_await send(*by, to_, it->what, options_.body_max);
            it->by = nullptr;
            if (!tried.ec) {
                if (tried.keep && !by->stopped && idle_.size() < options_.connections_max) {
                    by->used = true;
                    by->stream.expires_never();
                    idle_.push_back(std::move(by));
                }
                co_return std::move(tried.got);
            }
            // The server may have closed a connection just as it was used again.
            const bool stale = by->used && !tried.answered && it->what.repeatable &&
                               tried.ec != beast::error::timeout;
            if (!stale) co_return trouble_with(to_, tried.ec, options_.timeout);
        }
        co_return errc::stopped;
    }

    static void cancel(task& it) {
        it.stopped = true;
        if (it.by) it.by->stop();
    }

    void stop() {
        stopped_ = true;
        idle_.clear();
        for (const auto& it : std::exchange(waiting_, {})) it->done(errc::stopped);
        for (const auto& it : tasks_) cancel(*it);
    }

    const http_url to_;
    const http_client_options options_;
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    std::size_t active_ = 0;
    bool stopped_ = false;
    std::list<task_pointer> tasks_;
    std::deque<task_pointer> waiting_;
    std::vector<std::unique_ptr<connection>> idle_;
    std::thread thread_;
};

http_client::http_client(const http_url& to, http_client_options options)
    : impl_(std::make_unique<impl>(to, options)) {}

http_client::~http_client() = default;

void http_client::fetch(fetch_request what, std::stop_token stop,
                        std::function<void(result<fetch_response>)> done) {
    impl_->fetch(std::move(what), std::move(stop), std::move(done));
}

namespace {

// Runs what `begin` makes for a connection until it ends, in this thread.
template <class Begin>
result<fetch_response> run_alone(const http_url& to, std::chrono::milliseconds timeout,
                                 Begin&& begin) {
    asio::io_context context{1};
    connection by(context);
    attempt tried;
    std::exception_ptr thrown;
    asio::co_spawn(context, begin(by), [&](std::exception_ptr e, attempt got) {
        thrown = std::move(e);
        tried = std::move(got);
    });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    if (tried.ec) return trouble_with(to, tried.ec, timeout);
    return std::move(tried.got);
}

}  // namespace

result<fetch_response> fetch(const http_url& to, fetch_request what,
                             std::chrono::milliseconds timeout) {
    return run_alone(to, timeout, [&](connection& by) {
        by.stream.expires_after(timeout);
        return send(by, to, what, body_alone_max);
    });
}

result<fetch_response> fetch_parts(const http_url& to, fetch_request what, stream_times times,
                                   const body_sink& sink) {
    return run_alone(to, times.silence,
                     [&](connection& by) { return send_for_parts(by, to, what, times, sink); });
}

}  // namespace orderproc::server
