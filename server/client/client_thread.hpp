#ifndef ORDERPROC_SERVER_CLIENT_CLIENT_THREAD_HPP
#define ORDERPROC_SERVER_CLIENT_CLIENT_THREAD_HPP

// A thread on which clients work. Many can share one: none of them blocks it.

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <thread>

namespace orderproc::server {

class client_thread {
public:
    client_thread()
        : work_(boost::asio::make_work_guard(context_)), thread_([this] { context_.run(); }) {}
    // Waits for the end of what is under way. REQUIRES: no client uses it any more.
    ~client_thread() {
        work_.reset();
        thread_.join();
    }
    client_thread(const client_thread&) = delete;
    client_thread& operator=(const client_thread&) = delete;

    boost::asio::io_context& context() noexcept { return context_; }

private:
    boost::asio::io_context context_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    std::thread thread_;
};

}  // namespace orderproc::server

#endif
