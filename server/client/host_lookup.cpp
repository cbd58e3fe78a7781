#include "client/host_lookup.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace asio = boost::asio;

void add_address(const sockaddr& from, host_addresses& to) {
    if (from.sa_family == AF_INET) {
        const auto& four = reinterpret_cast<const sockaddr_in&>(from);
        to.emplace_back(asio::ip::address_v4(ntohl(four.sin_addr.s_addr)));
    } else if (from.sa_family == AF_INET6) {
        const auto& six = reinterpret_cast<const sockaddr_in6&>(from);
        asio::ip::address_v6::bytes_type bytes;
        std::copy_n(six.sin6_addr.s6_addr, bytes.size(), bytes.begin());
        to.emplace_back(asio::ip::address_v6(bytes, six.sin6_scope_id));
    }
}

result<host_addresses> find_host(const std::string& host) {
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    const int code = getaddrinfo(host.c_str(), nullptr, &wanted, &found);
    if (code != 0) {
        return failure{errc::unavailable,
                       std::string("the host name cannot be resolved: ") + gai_strerror(code)};
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(found, freeaddrinfo);
    host_addresses out;
    for (const addrinfo* it = found; it; it = it->ai_next) add_address(*it->ai_addr, out);
    return out;
}

// What the thread and the lookup share. The lookup may go first.
struct host_lookup::shared {
    std::mutex mutex;
    host_lookup* told = nullptr;  // nullptr: nobody wants to know any more
};

struct host_lookup::waiter {
    asio::steady_timer timer;
    std::optional<result<host_addresses>> got;
};

void host_lookup::stopper::stop() {
    stopped_ = true;
    if (timer_) timer_->cancel();
}

host_lookup::host_lookup(asio::io_context& context, std::string host, host_finder find)
    : context_(context), host_(std::move(host)), find_(std::move(find)) {}

host_lookup::~host_lookup() {
    if (!under_way_) return;
    const std::lock_guard lock(under_way_->mutex);
    under_way_->told = nullptr;
}

asio::awaitable<result<host_addresses>> host_lookup::find(
    std::chrono::steady_clock::time_point until, stopper& stop) {
    boost::system::error_code ec;
    if (const auto known = asio::ip::make_address(host_, ec); !ec) co_return host_addresses{known};
    if (stop.stopped_) co_return errc::stopped;
    waiter here{asio::steady_timer(context_, until), std::nullopt};
    const auto place = waiting_.insert(waiting_.end(), &here);
    try {
        if (!under_way_) start();
    } catch (const std::system_error& thrown) {  // no thread was to be had
        waiting_.erase(place);
        co_return failure{errc::unavailable, thrown.what()};
    }
    stop.timer_ = &here.timer;
    co_await here.timer.async_wait(asio::redirect_error(asio::use_awaitable, ec));
    stop.timer_ = nullptr;
    if (here.got) co_return std::move(*here.got);
    waiting_.erase(place);
    if (stop.stopped_) co_return errc::stopped;
    co_return failure{errc::unavailable, "the host name was not resolved in time"};
}

void host_lookup::start() {
    auto state = std::make_shared<shared>();
    state->told = this;
    std::thread([state, &context = context_, find = find_, host = host_] {
        result<host_addresses> got = errc::unavailable;
        try {
            got = find(host);
        } catch (const std::exception& thrown) {
            got = failure{errc::unavailable, thrown.what()};
        }
        const std::lock_guard lock(state->mutex);
        if (!state->told) return;  // the context may be gone as well
        asio::post(context, [state, got = std::move(got)] {
            {  // Until the other thread has left post(): whoever is told may end the context.
                const std::lock_guard left(state->mutex);
            }
            if (state->told) state->told->tell(got);
        });
    }).detach();
    under_way_ = std::move(state);
}

void host_lookup::tell(const result<host_addresses>& got) {
    under_way_.reset();
    for (waiter* it : std::exchange(waiting_, {})) {
        it->got = got;
        it->timer.cancel();
    }
}

}  // namespace orderproc::server
