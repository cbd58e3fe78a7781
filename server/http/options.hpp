#ifndef ORDERPROC_SERVER_HTTP_OPTIONS_HPP
#define ORDERPROC_SERVER_HTTP_OPTIONS_HPP

#include "http/admission.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

namespace orderproc::server::http {

// What a request may be; beyond it 431, 414 or 413.
struct request_limits {
    std::size_t header_size_max = 8 * 1024;  // request line and fields
    std::size_t fields_max = 64;
    std::size_t target_size_max = 2 * 1024;
    std::size_t body_size_max = 256 * 1024;
    std::string large_path;  // the one whose body may be larger; empty: none
    std::size_t large_body_size_max = 8 * 1024 * 1024;
};

struct server_options {
    std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6
    std::uint16_t port = 0;             // 0: any that is free
    std::size_t threads = 1;
    request_limits limits;
    std::size_t connections_max = 1024;
    std::size_t connections_per_address_max = 256;  // trusted proxies have no such bound
    admission_options admits;
    // Kept to within a quarter of the shortest.
    std::chrono::milliseconds header_timeout = std::chrono::seconds(5);
    std::chrono::milliseconds body_timeout = std::chrono::seconds(10);
    std::chrono::milliseconds idle_timeout = std::chrono::seconds(30);
    std::chrono::milliseconds write_timeout = std::chrono::seconds(10);
    std::chrono::milliseconds heartbeat = std::chrono::seconds(15);  // of streams
};

}  // namespace orderproc::server::http

#endif
