#ifndef ORDERPROC_TESTS_SERVER_BARE_SERVER_HPP
#define ORDERPROC_TESTS_SERVER_BARE_SERVER_HPP

// What a client meets on the network: a server that says whatever bytes a test wants.

#include "client/http_url.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <atomic>
#include <charconv>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace orderproc::server::testing {

using peer_socket = boost::asio::ip::tcp::socket;

// Serves one connection after the other, each until `then` returns.
struct bare_server {
    explicit bare_server(std::function<void(peer_socket&)> then)
        : acceptor(context, {boost::asio::ip::make_address("127.0.0.1"), 0}),
          thread([this, then = std::move(then)] {
              for (boost::system::error_code ec; !ec;) {
                  auto accepted_one = acceptor.accept(ec);
                  if (ec) break;
                  ++accepted;
                  then(accepted_one);
              }
          }) {}
    ~bare_server() {
        ::shutdown(acceptor.native_handle(), SHUT_RDWR);
        thread.join();
    }
    http_url url() const {
        http_url out;
        out.host = "127.0.0.1";
        out.port = acceptor.local_endpoint().port();
        return out;
    }
    std::atomic<int> accepted{0};
    boost::asio::io_context context;
    boost::asio::ip::tcp::acceptor acceptor;
    std::thread thread;
};

inline void say(peer_socket& to, std::string_view text) {
    boost::system::error_code ec;
    boost::asio::write(to, boost::asio::buffer(text.data(), text.size()), ec);
}

// Up to the end of the header; and nothing more, if nothing more was sent at once. Empty: the
// client has gone.
inline std::string read_head(peer_socket& from) {
    std::string text;
    std::array<char, 1024> part;
    boost::system::error_code ec;
    while (!ec && text.find("\r\n\r\n") == std::string::npos) {
        text.append(part.data(), from.read_some(boost::asio::buffer(part), ec));
    }
    return ec ? std::string() : text;
}

// A whole request. Empty: the client has gone.
inline std::string read_request(peer_socket& from) {
    constexpr std::string_view length = "\r\nContent-Length: ";
    std::string text = read_head(from);
    std::size_t size = 0;
    if (const std::size_t at = text.find(length); at != text.npos) {
        std::from_chars(text.data() + at + length.size(), text.data() + text.size(), size);
    }
    size += text.find("\r\n\r\n") + 4;
    boost::system::error_code ec;
    std::array<char, 1024> part;
    while (!ec && !text.empty() && text.size() < size) {
        text.append(part.data(), from.read_some(boost::asio::buffer(part), ec));
    }
    return ec ? std::string() : text;
}

inline void wait_for_end(peer_socket& of) {
    std::array<char, 1024> part;
    boost::system::error_code ec;
    while (!ec) of.read_some(boost::asio::buffer(part), ec);
}

}  // namespace orderproc::server::testing

#endif
