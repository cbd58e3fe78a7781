#ifndef ORDERPROC_SERVER_CLIENT_HOST_LOOKUP_HPP
#define ORDERPROC_SERVER_CLIENT_HOST_LOOKUP_HPP

// The addresses of a host, found without blocking the thread that waits for them.

#include "client/host_addresses.hpp"

#include <orderproc/error.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/socket.h>

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace orderproc::server {

// What the system says, if it is IPv4 or IPv6.
void add_address(const sockaddr& from, host_addresses& to);
// Blocks for as long as it likes. errc::unavailable: there is no such host, or nobody to ask.
using host_finder = std::function<result<host_addresses>(const std::string& host)>;

// Asks the system: the hosts file, DNS, whatever it is set up for.
result<host_addresses> find_host(const std::string& host);

// Looks up one host. At most one thread at a time is busy with that: whoever asks meanwhile waits
// for the same answer. Nothing is cached, so that a change of address is seen. Belongs to the one
// thread that runs the context.
class host_lookup {
public:
    // Ends a wait early. Also of use before the wait has begun.
    class stopper {
    public:
        void stop();

    private:
        friend class host_lookup;
        boost::asio::steady_timer* timer_ = nullptr;
        bool stopped_ = false;
    };

    // The context must outlive the lookup.
    host_lookup(boost::asio::io_context& context, std::string host, host_finder find);
    // A thread that is still busy is left to end by itself: nothing can interrupt the system's
    // resolver, and nobody shall wait for it.
    ~host_lookup();
    host_lookup(const host_lookup&) = delete;
    host_lookup& operator=(const host_lookup&) = delete;

    // The addresses; an address is its own. errc::unavailable: as the finder says, or there was no
    // answer in time. errc::stopped.
    boost::asio::awaitable<result<host_addresses>> find(std::chrono::steady_clock::time_point until,
                                                        stopper& stop);

private:
    struct shared;
    struct waiter;

    void start();
    void tell(const result<host_addresses>& got);

    boost::asio::io_context& context_;
    const std::string host_;
    const host_finder find_;
    std::shared_ptr<shared> under_way_;
    std::list<waiter*> waiting_;
};

}  // namespace orderproc::server

#endif
