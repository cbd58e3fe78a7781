#ifndef ORDERPROC_QUEUE_RABBITMQ_URL_HPP
#define ORDERPROC_QUEUE_RABBITMQ_URL_HPP

#include <orderproc/error.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::detail::rabbitmq {

struct endpoint {
    std::string host;  // an IPv6 address without its brackets
    std::uint16_t port = 0;
    friend bool operator==(const endpoint&, const endpoint&) = default;
};

struct address {
    bool tls = false;
    std::string user = "guest";
    std::string password = "guest";
    std::vector<endpoint> hosts;
    std::string vhost = "/";
};

// errc::invalid_argument says what is wrong, and nothing of what was written there.
result<address> parse_url(std::string_view url);

// As a URL without credentials.
std::string show(const address& it);
// host:port
std::string show(const endpoint& it);

}  // namespace orderproc::detail::rabbitmq

#endif
