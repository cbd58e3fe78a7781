#ifndef ORDERPROC_TESTS_SERVER_TLS_PEER_HPP
#define ORDERPROC_TESTS_SERVER_TLS_PEER_HPP

// What a client meets over TLS: a server with whatever certificate a test wants, that says whatever
// bytes it wants.

#include "bare_server.hpp"
#include "test_certificates.hpp"

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server::testing {

using secure_socket = boost::asio::ssl::stream<peer_socket&>;

inline void say(secure_socket& to, std::string_view text) {
    boost::system::error_code ec;
    boost::asio::write(to, boost::asio::buffer(text.data(), text.size()), ec);
}

// Up to the end of the header, and what came with it. Empty: the client has gone.
inline std::string read_head(secure_socket& from) {
    std::string text;
    std::array<char, 1024> part;
    boost::system::error_code ec;
    while (!ec && text.find("\r\n\r\n") == std::string::npos) {
        text.append(part.data(), from.read_some(boost::asio::buffer(part), ec));
    }
    return ec ? std::string() : text;
}

// A close_notify, and the client's.
inline void bid_farewell(secure_socket& to) {
    boost::system::error_code ec;
    to.shutdown(ec);
}

struct tls_peer {
    using told = std::function<void(secure_socket&)>;
    using setting = std::function<void(boost::asio::ssl::context&)>;

    // then is called after each handshake that succeeded.
    tls_peer(const authority::files& with, told then, const setting& more = {})
        : context(boost::asio::ssl::context::tls_server),
          server([this, then = std::move(then)](peer_socket& raw) {
              secure_socket by(raw, context);
              boost::system::error_code ec;
              by.handshake(boost::asio::ssl::stream_base::server, ec);
              if (ec) return;
              ++shaken;
              if (const char* name =
                      SSL_get_servername(by.native_handle(), TLSEXT_NAMETYPE_host_name)) {
                  const std::lock_guard lock(mutex);
                  asked_for = name;
              }
              then(by);
          }) {
        context.use_certificate_chain_file(with.certificate);
        context.use_private_key_file(with.key, boost::asio::ssl::context::pem);
        if (more) more(context);
    }
    http_url url(const std::string& host = "127.0.0.1") const {
        http_url out = server.url();
        out.secure = true;
        out.host = host;
        return out;
    }
    std::string sni() {
        const std::lock_guard lock(mutex);
        return asked_for;
    }
    int accepted() const { return server.accepted; }

    boost::asio::ssl::context context;
    std::atomic<int> shaken{0};
    std::mutex mutex;
    std::string asked_for;
    bare_server server;  // the last member: its thread uses the others
};

}  // namespace orderproc::server::testing

#endif
