#ifndef ORDERPROC_TESTS_SERVER_RAW_TLS_HPP
#define ORDERPROC_TESTS_SERVER_RAW_TLS_HPP

// One end of a TLS connection, over a blocking socket, that sends its bytes when and in what
// portions a test wants.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server::testing {

// At most so many bytes at a time, `between` being called before each.
struct portions {
    std::size_t size = static_cast<std::size_t>(-1);
    std::function<void()> between = [] {};
};

class raw_tls {
public:
    raw_tls(SSL_CTX* with, boost::asio::ip::tcp::socket socket)
        : socket_(std::move(socket)), tls_(SSL_new(with), SSL_free) {
        in_ = BIO_new(BIO_s_mem());
        out_ = BIO_new(BIO_s_mem());
        SSL_set_bio(native(), in_, out_);
        SSL_set_msg_callback(native(), &raw_tls::count);
        SSL_set_msg_callback_arg(native(), this);
        socket_.set_option(boost::asio::ip::tcp::no_delay(true));
    }
    raw_tls(const raw_tls&) = delete;
    raw_tls& operator=(const raw_tls&) = delete;

    SSL* native() noexcept { return tls_.get(); }
    boost::asio::ip::tcp::socket& socket() noexcept { return socket_; }

    bool shake_hands(const portions& in) {
        return until_done([&] { return SSL_do_handshake(native()); }, in) == 1;
    }
    bool shake_hands() { return shake_hands({}); }

    // Up to so many bytes; fewer: it has ended, as ended() says.
    std::string read(std::size_t size) {
        std::string out(size, '\0');
        std::size_t got = 0;
        while (got < size) {
            const int more = until_done(
                [&] { return SSL_read(native(), out.data() + got, static_cast<int>(size - got)); });
            if (more <= 0) break;
            got += static_cast<std::size_t>(more);
        }
        out.resize(got);
        return out;
    }
    // By a close_notify.
    bool ended() noexcept { return (SSL_get_shutdown(native()) & SSL_RECEIVED_SHUTDOWN) != 0; }

    // False: the other end has gone.
    bool write(std::string_view text) {
        SSL_write(native(), text.data(), static_cast<int>(text.size()));
        return send();
    }
    // Asks the other end to do the same.
    bool update_key() {
        SSL_key_update(native(), SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(native());
        return send();
    }
    bool bid_farewell() {
        SSL_shutdown(native());
        return send();
    }
    // What OpenSSL would send now.
    std::string take_output() {
        std::string out(BIO_ctrl_pending(out_), '\0');
        if (!out.empty()) BIO_read(out_, out.data(), static_cast<int>(out.size()));
        return out;
    }
    bool send(std::string_view bytes) {
        boost::system::error_code ec;
        boost::asio::write(socket_, boost::asio::buffer(bytes.data(), bytes.size()), ec);
        return !ec;
    }
    void reset() {
        socket_.set_option(boost::asio::socket_base::linger(true, 0));
        socket_.close();
    }

    int records_of_data = 0;  // that came
    int key_updates = 0;

private:
    static void count(int written, int, int kind, const void* bytes, std::size_t size, SSL*,
                      void* of) {
        if (written != 0 || size == 0) return;
        auto& to = *static_cast<raw_tls*>(of);
        const unsigned char first = *static_cast<const unsigned char*>(bytes);
        if (kind == SSL3_RT_HEADER && first == SSL3_RT_APPLICATION_DATA) ++to.records_of_data;
        if (kind == SSL3_RT_HANDSHAKE && first == SSL3_MT_KEY_UPDATE) ++to.key_updates;
    }

    bool send(const portions& in = {}) {
        const std::string all = take_output();
        for (std::size_t at = 0; at < all.size();) {
            in.between();
            const std::string_view some = std::string_view(all).substr(at, in.size);
            if (!send(some)) return false;
            at += some.size();
        }
        return true;
    }

    template <class Call>
    int until_done(Call call, const portions& in = {}) {
        for (;;) {
            const int result = call();
            const bool wants = SSL_get_error(native(), result) == SSL_ERROR_WANT_READ;
            if (!send(in) || !wants) return result;
            std::array<char, 16 * 1024> part;
            boost::system::error_code ec;
            const std::size_t size =
                socket_.read_some(boost::asio::buffer(part, std::min(part.size(), in.size)), ec);
            if (ec) return -1;
            BIO_write(in_, part.data(), static_cast<int>(size));
        }
    }

    boost::asio::ip::tcp::socket socket_;
    const std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
    BIO* in_ = nullptr;
    BIO* out_ = nullptr;
};

}  // namespace orderproc::server::testing

#endif
