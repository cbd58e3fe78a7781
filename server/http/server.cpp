#include "http/server.hpp"

#include "http/answer.hpp"
#include "http/io_thread.hpp"
#include "http/problem.hpp"
#include "http/socket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace orderproc::server::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds accept_pause{100};  // when out of descriptors or memory
constexpr int accepts_in_a_row = 64;

// Nobody reads the request of a connection that is one too many.
std::string too_many(const service& answers, std::string_view date, std::uint64_t id) {
    std::array<char, 20> digits;
    request unread;
    unread.id = {digits.data(), std::to_chars(digits.begin(), digits.end(), id, 16).ptr};
    response out;
    write_problem(problems::too_many_connections, {}, unread, out);
    out.add("Retry-After", "1");
    answers.turned_away(out);
    answer_params params;
    params.date = date;
    params.request_id = unread.id;
    params.connection = connection_word::close;
    std::string bytes;
    append_answer(out, params, bytes);
    return bytes;
}

}  // namespace

class server::impl {
public:
    impl(server_options options, service& answers, carriers over)
        : options_(std::move(options)),
          over_(std::move(over)),
          counts_(options_.connections_max, options_.connections_per_address_max),
          gate_(options_.admits, random_seed()),
          homes_(make_homes(answers)) {}

    result<void> listen() {
        error_code ec;
        const auto address = asio::ip::make_address(options_.address, ec);
        if (ec) return failure{errc::invalid_argument, "address " + options_.address};
        const tcp::endpoint at(address, options_.port);
        open_socket(acceptor_, at.protocol(), ec);
        if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
        if (!ec) acceptor_.set_option(tcp::no_delay(true), ec);  // connections inherit it
        if (!ec) acceptor_.non_blocking(true, ec);
        if (!ec) acceptor_.bind(at, ec);
        if (!ec) acceptor_.listen(asio::socket_base::max_listen_connections, ec);
        if (!ec) port_ = acceptor_.local_endpoint(ec).port();
        if (ec) {
            return failure{errc::unavailable, "listen on " + options_.address + ":" +
                                                  std::to_string(options_.port) + ": " +
                                                  ec.message()};
        }
        return {};
    }

    void start() {
        asio::post(homes_.front()->context(), [this] { accept(); });
        for (auto& home : homes_) {
            for (int i = 0; i < 2; ++i) threads_.emplace_back([&home] { home->run(); });
        }
    }

    void stop(std::chrono::milliseconds drain) {
        asio::post(homes_.front()->context(), [this] {
            stopping_ = true;
            error_code ignored;
            acceptor_.close(ignored);
            pause_.cancel();
        });
        for (auto& home : homes_) {
            asio::post(home->context(), [&home, drain] { home->drain(drain); });
        }
    }

    void join() {
        for (std::thread& it : threads_) {
            if (it.joinable()) it.join();
        }
    }

    std::uint16_t port() const noexcept { return port_; }
    std::size_t connections() const { return counts_.total(); }

private:
    static std::uint64_t random_seed() {
        std::random_device random;
        return std::uint64_t{random()} << 32 | random();
    }

    std::vector<std::unique_ptr<io_thread>> make_homes(service& answers) {
        std::vector<std::unique_ptr<io_thread>> out;
        for (std::size_t i = 0; i < std::max<std::size_t>(options_.threads, 1); ++i) {
            out.push_back(std::make_unique<io_thread>(options_, over_, answers, counts_, gate_,
                                                      random_seed() >> 4));
        }
        return out;
    }

    void accept() {
        acceptor_.async_wait(tcp::acceptor::wait_read, [this](error_code) { accept_waiting(); });
    }

    // Those that wait, but not for ever: the thread has connections to serve as well.
    void accept_waiting() {
        for (int i = 0; i < accepts_in_a_row && !stopping_; ++i) {
            if (over_.secure && over_.secure->crowded()) return pause();
            io_thread& home = *homes_[next_home_];
            tcp::socket made(home.context());
            error_code ec;
            accept_socket(acceptor_, made, peer_, ec);
            if (!ec) {
                admit(home, std::move(made));
            } else if (ec == asio::error::would_block) {
                break;
            } else if (ec != asio::error::connection_aborted) {
                // Out of descriptors, most likely. The connection keeps waiting: try again when
                // others may have gone.
                return pause();
            }
        }
        if (!stopping_) accept();
    }

    void pause() {
        pause_.expires_after(accept_pause);
        pause_.async_wait([this](error_code) { accept_waiting(); });
    }

    void admit(io_thread& home, tcp::socket socket) {
        const asio::ip::address from = peer_.address();
        const bool plain = over_.may_speak_plainly(from);
        if (!plain && !over_.secure) return;  // the socket closes
        if (!counts_.add(from, gate_.trusts(from))) {
            if (plain) turn_away(socket);
            return;
        }
        next_home_ = (next_home_ + 1) % homes_.size();
        if (&home == homes_.front().get()) return home.adopt(std::move(socket), from);
        asio::post(home.context(), [&home, from, s = std::move(socket)]() mutable {
            home.adopt(std::move(s), from);
        });
    }

    void turn_away(tcp::socket& it) noexcept {
        io_thread& here = *homes_.front();
        try {
            const std::string bytes =
                too_many(here.answers(), date_.at(std::time(nullptr)), here.next_connection_id());
            error_code ignored;
            it.non_blocking(true, ignored);
            it.write_some(asio::buffer(bytes), ignored);
            it.shutdown(tcp::socket::shutdown_both, ignored);
        } catch (...) {  // no memory: the socket closes
        }
    }

    const server_options options_;
    const carriers over_;
    connection_counts counts_;
    admission gate_;
    std::vector<std::unique_ptr<io_thread>> homes_;
    tcp::acceptor acceptor_{homes_.front()->context()};
    asio::steady_timer pause_{homes_.front()->context()};
    tcp::endpoint peer_;
    std::size_t next_home_ = 0;
    bool stopping_ = false;  // of the first thread, as is the next
    date_cache date_;
    std::uint16_t port_ = 0;
    std::vector<std::thread> threads_;
};

server::server(std::unique_ptr<impl> it) noexcept : impl_(std::move(it)) {}

server::~server() {
    stop(std::chrono::milliseconds(0));
    join();
}

result<std::unique_ptr<server>> server::open(server_options options, service& answers,
                                             carriers over) {
    auto made = std::make_unique<impl>(std::move(options), answers, std::move(over));
    if (auto listening = made->listen(); !listening) return std::move(listening).error();
    made->start();
    return std::unique_ptr<server>(new server(std::move(made)));
}

std::uint16_t server::port() const noexcept {
    return impl_->port();
}
std::size_t server::connections() const {
    return impl_->connections();
}
void server::stop(std::chrono::milliseconds drain) {
    impl_->stop(drain);
}
void server::join() {
    impl_->join();
}

}  // namespace orderproc::server::http
