#ifndef ORDERPROC_COROUTINE_HPP
#define ORDERPROC_COROUTINE_HPP

// Processors that are coroutines on Boost.Asio: any number of orders at a time, on the threads
// of the host's own context. Apart from asio.hpp, since Asio's coroutines take long to compile.

#include <orderproc/processor.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <exception>
#include <memory>
#include <stop_token>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace detail {

template <class Work>
class coroutine_processor final : public processor {
public:
    coroutine_processor(boost::asio::any_io_executor where, Work work)
        : where_(std::move(where)), work_(std::move(work)) {}

    void start(job it) override {
        boost::asio::co_spawn(where_, run(std::move(it)), boost::asio::detached);
    }

private:
    boost::asio::awaitable<void> run(job it) {
        verdict said;
        if (it.stop().stop_requested()) co_return;  // somebody else's by now
        try {
            said = co_await work_(it.value(), it.stop());
        } catch (const std::exception& thrown) {
            said = retry_later{thrown.what(), {}};
        }
        std::move(it).finish(std::move(said));
    }

    const boost::asio::any_io_executor where_;
    Work work_;
};

}  // namespace detail

// work(const order&, std::stop_token) gives an awaitable<verdict>, and is called on the executor;
// from several threads at a time if it has several. The order lives as long as the coroutine. An
// exception is a retry_later with its text. A job whose context goes before it is done is a
// retry_later as well.
//
// The processor outlives its coroutines: first stop the worker, then run or destroy the context.
template <class Work>
std::unique_ptr<processor> make_coroutine_processor(boost::asio::any_io_executor where, Work work) {
    return std::make_unique<detail::coroutine_processor<Work>>(std::move(where), std::move(work));
}

}  // namespace v1
}  // namespace orderproc

#endif
