#ifndef ORDERPROC_SERVER_TLS_SOCKET_BIO_HPP
#define ORDERPROC_SERVER_TLS_SOCKET_BIO_HPP

// The socket under a TLS connection, as OpenSSL reads and writes it.

#include <boost/system/error_code.hpp>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <string>

namespace orderproc::server::tls {

// Differs from OpenSSL's own socket BIO (BIO_new_socket) in three ways:
// - A write is never left half done. What the socket has no room for is kept until flush(). So a
//   record is either not begun or complete for OpenSSL, and it may write others in between: the
//   answer to a KeyUpdate, an alert, close_notify.
// - A write to a peer that has gone raises no SIGPIPE.
// - OpenSSL never learns of the end of the bytes, nor of a failed read: it asks for more, and
//   read_error() says that there is no more. What was begun the other way can still be finished.
// For one thread at a time.
class socket_bio {
public:
    // The socket does not block. It stays open until close(), or until this object is gone.
    explicit socket_bio(int socket) noexcept : socket_(socket) {}
    socket_bio(const socket_bio&) = delete;
    socket_bio& operator=(const socket_bio&) = delete;

    // To be called once. REQUIRES: this object outlives `user`. Throws std::bad_alloc.
    void attach_to(SSL* user);

    // To be called before each operation of the SSL: how many bytes it may read until it has to ask
    // for more. So a peer that sends and sends what has no data in it does not keep the thread to
    // itself.
    void allow_to_read(std::size_t size) noexcept { may_read_ = size; }

    // How many bytes wait for flush(). There may be 256 KiB of them: the write that would make them
    // more fails with asio::error::no_buffer_space. Only a peer that reads nothing, and sends what
    // has to be answered, gets that far.
    std::size_t unsent() const noexcept { return unsent_.size() - flushed_; }
    // Sends them. asio::error::would_block: some still wait.
    boost::system::error_code flush() noexcept;

    // Why nothing more will be read: asio::error::eof, or the socket's error.
    const boost::system::error_code& read_error() const noexcept { return read_error_; }
    // Why nothing more will be written. What was unsent is dropped then.
    const boost::system::error_code& write_error() const noexcept { return write_error_; }

    // Gives the socket back. What waits is dropped, and the SSL neither reads nor writes any more.
    void close() noexcept;

private:
    static BIO_METHOD* make_method();
    int read(char* to, std::size_t size) noexcept;
    bool write(const char* from, std::size_t size) noexcept;
    std::size_t send(const char* from, std::size_t size) noexcept;
    void fail(boost::system::error_code ec) noexcept;
    void forget_unsent() noexcept;

    int socket_;
    std::size_t may_read_ = 0;
    std::string unsent_;
    std::size_t flushed_ = 0;  // of unsent_
    boost::system::error_code read_error_, write_error_;
};

}  // namespace orderproc::server::tls

#endif
