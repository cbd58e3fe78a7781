#ifndef ORDERPROC_SERVER_HTTP_SERVER_HPP
#define ORDERPROC_SERVER_HTTP_SERVER_HPP

// HTTP/1.1 (RFC 9110, RFC 9112) for one service, over TCP or what is carried by it.

#include "http/options.hpp"
#include "http/service.hpp"
#include "http/stream_maker.hpp"

#include <orderproc/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace orderproc::server::http {

// Safe to use from any thread.
class server {
public:
    // Listens, and serves on threads of its own. errc::invalid_argument if the address is not
    // numeric; errc::unavailable if it cannot be listened on.
    static result<std::unique_ptr<server>> open(server_options options, service& answers,
                                                carriers over = {});

    // stop(0), join(). What sessions wait for has to become ready by itself.
    ~server();

    std::uint16_t port() const noexcept;
    std::size_t connections() const;

    // Accepts nothing more, closes idle connections, lets the others answer what they have
    // begun, and drops those that need longer. Returns at once. A second call can only
    // shorten the time.
    void stop(std::chrono::milliseconds drain);
    void join();  // until all of that is done. REQUIRES: on one thread

private:
    class impl;
    explicit server(std::unique_ptr<impl> it) noexcept;
    std::unique_ptr<impl> impl_;
};

}  // namespace orderproc::server::http

#endif
