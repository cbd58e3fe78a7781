#include "client/http_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core/error.hpp>

#include <algorithm>
#include <deque>
#include <exception>
#include <future>
#include <list>
#include <optional>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace asio = boost::asio;
namespace beast = boost::beast;

namespace {

constexpr std::size_t body_alone_max = 64 * 1024 * 1024;  // of one request alone

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

// What it has under way keeps it alive.
class http_client::impl : public std::enable_shared_from_this<impl> {
public:
    impl(http_url to, http_client_options options, asio::io_context& context)
        : to_(std::move(to)),
          options_(std::move(options)),
          context_(context),
          hosts_(context_, to_.host, options_.find) {}

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    // The end of what is under way, and then of this. The future is ready after that.
    static std::future<void> end(std::shared_ptr<impl> it) {
        auto out = it->ended_.promise.get_future();
        asio::io_context& context = it->context_;
        asio::post(context, [it = std::move(it)] { it->stop(); });
        return out;
    }

    void fetch(fetch_request what, std::stop_token stop,
               std::function<void(result<fetch_response>)> done) {
        if (auto valid = what.validate(); !valid) return done(std::move(valid).error());
        auto it = std::make_shared<task>();
        it->what = std::move(what);
        it->stop = std::move(stop);
        it->done = std::move(done);
        asio::post(context_, [self = shared_from_this(), it = std::move(it)]() mutable {
            self->add(std::move(it));
        });
    }

private:
    struct end_teller {
        ~end_teller() { promise.set_value(); }
        std::promise<void> promise;
    };

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
            [self = shared_from_this(), it, place](std::exception_ptr thrown,
                                                   result<fetch_response> got) {
                self->tasks_.erase(place);
                it->on_stop.reset();
                --self->active_;
                if (thrown) got = failure{errc::unavailable, "out of memory"};
                // An answer that was there is told all the same: the work was done.
                const bool cut_short = it->stopped && !got;
                it->done(cut_short ? result<fetch_response>(errc::stopped) : std::move(got));
                self->next();
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
        exchange_options with;
        with.body_max = options_.body_max;
        with.until = time_after(options_.timeout);
        with.connect = options_.connect_timeout;
        with.drain = options_.drain_timeout;
        with.secure = options_.secure;
        with.vet = options_.vet;
        for (bool again = false; !it->stopped; again = true) {
            std::unique_ptr<connection> by;
            if (!again) by = co_await take_idle();
            if (it->stopped) break;
            if (!by) by = std::make_unique<connection>(context_);
            it->by = by.get();
            exchange_result tried = co_await exchange(*by, hosts_, to_, it->what, with);
            it->by = nullptr;
            const bool stale = by->used && !tried.answered && it->what.may_be_repeated() &&
                               tried.ec != beast::error::timeout;
            if (tried.keep && !by->stopped && !stopped_) keep(std::move(by));
            if (!tried.ec) co_return std::move(tried.got);
            if (!stale) {
                co_return exchange_failure(to_, tried, options_.timeout, options_.connect_timeout);
            }
        }
        co_return errc::stopped;
    }

    // Nullptr: there is none that can be used.
    asio::awaitable<std::unique_ptr<connection>> take_idle() {
        while (!idle_.empty()) {
            auto out = std::move(idle_.back());
            idle_.pop_back();
            if (co_await out->stream.unwatch()) co_return out;
        }
        co_return nullptr;
    }

    // Closes it as soon as the server does (RFC 9112, 9.5). What else comes is an answer that
    // nobody asked for, and does not belong to the next request (RFC 9112, 9.2).
    void keep(std::unique_ptr<connection> it) {
        it->used = true;
        it->stream.expires_at(exchange_options::instant::max());
        connection* const known = it.get();
        idle_.push_back(std::move(it));
        known->stream.watch([self = shared_from_this(), known] {
            std::erase_if(self->idle_, [known](const auto& kept) { return kept.get() == known; });
        });
    }

    static void cancel(task& it) {
        it.stopped = true;
        if (it.by) it.by->stop();
    }

    void stop() {
        stopped_ = true;
        for (const auto& it : idle_) it->stop();  // which is the end of it
        for (const auto& it : std::exchange(waiting_, {})) it->done(errc::stopped);
        for (const auto& it : tasks_) cancel(*it);
    }

    end_teller ended_;  // the last to go
    const http_url to_;
    const http_client_options options_;
    asio::io_context& context_;
    host_lookup hosts_;
    std::size_t active_ = 0;
    bool stopped_ = false;
    std::list<task_pointer> tasks_;
    std::deque<task_pointer> waiting_;
    std::vector<std::unique_ptr<connection>> idle_;
};

http_client::http_client(const http_url& to, http_client_options options)
    : on_(options.on ? options.on : std::make_shared<client_thread>()),
      impl_(std::make_shared<impl>(to, std::move(options), on_->context())) {}

http_client::~http_client() {
    impl::end(std::move(impl_)).wait();
}

void http_client::fetch(fetch_request what, std::stop_token stop,
                        std::function<void(result<fetch_response>)> done) {
    impl_->fetch(std::move(what), std::move(stop), std::move(done));
}

result<fetch_response> fetch(const http_url& to, const fetch_request& what,
                             std::chrono::milliseconds timeout, const fetch_means& by) {
    exchange_options with;
    with.secure = by.secure;
    with.body_max = body_alone_max;
    with.until = time_after(timeout);
    with.connect = timeout;
    return exchange_alone(to, what, with, by.find, timeout);
}

result<fetch_response> fetch_parts(const http_url& to, const fetch_request& what,
                                   stream_times times, const body_sink& sink,
                                   const fetch_means& by) {
    exchange_options with;
    with.secure = by.secure;
    with.body_max = body_alone_max;
    with.until = times.until;
    with.silence = times.silence;
    with.connect = times.silence;
    with.parts = &sink;
    return exchange_alone(to, what, with, by.find, times.silence);
}

}  // namespace orderproc::server
