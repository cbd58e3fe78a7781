#ifndef ORDERPROC_ASIO_HPP
#define ORDERPROC_ASIO_HPP

// The engine for programs that run on Boost.Asio: callbacks, futures and coroutines.

#include <orderproc/engine.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace detail {

// Carries one handler through the engine, and then to its executor. One allocation, by the
// handler's allocator, given back before the handler runs.
template <class Handler>
class asio_operation final : public completion {
    using executor = boost::asio::associated_executor_t<Handler>;
    using allocator = typename std::allocator_traits<
        boost::asio::associated_allocator_t<Handler>>::template rebind_alloc<asio_operation>;
    using allocation = std::allocator_traits<allocator>;

    // The allocator comes from the handler where it is now: one moved from may have none.
    static Handler take_apart(asio_operation* it) {
        Handler handler(std::move(it->handler_));
        allocator memory(boost::asio::get_associated_allocator(handler));
        allocation::destroy(memory, it);
        allocation::deallocate(memory, it, 1);
        return handler;
    }
    struct destroyer {
        void operator()(asio_operation* it) const { take_apart(it); }
    };
    using owner = std::unique_ptr<asio_operation, destroyer>;

public:
    static void start(engine& orders, command&& what, Handler&& handler) {
        allocator memory(boost::asio::get_associated_allocator(handler));
        auto* const raw = allocation::allocate(memory, 1);
        try {
            allocation::construct(memory, raw, std::move(handler));
        } catch (...) {
            allocation::deallocate(memory, raw, 1);
            throw;
        }
        owner it(raw);
        auto accepted = orders.submit(std::move(what), *raw);
        (void)it.release();  // the engine's, or complete()'s
        if (!accepted) {
            change_outcome refused;
            refused.ec = accepted.error().code;
            raw->complete(refused);
        }
    }

    explicit asio_operation(Handler&& handler)
        : handler_(std::move(handler)), work_(boost::asio::get_associated_executor(handler_)) {}
    ~asio_operation() = default;

    // Out of memory here ends the process: there is nobody else to tell.
    void complete(change_outcome& outcome) noexcept override {
        outcome_ = std::move(outcome);
        const executor where = work_.get_executor();
        boost::asio::post(where, [it = owner(this)]() mutable {
            change_outcome result(std::move(it->outcome_));
            Handler handler(take_apart(it.release()));
            std::move(handler)(std::move(result));
        });
    }

private:
    Handler handler_;
    boost::asio::executor_work_guard<executor> work_;
    change_outcome outcome_;
};

}  // namespace detail

// Submits and completes with a change_outcome, on the handler's associated executor, never
// from within this call. A command that was refused before queueing completes with its ec and
// no order. Cannot be cancelled: what was submitted may already be durable.
//
// The engine must outlive the operation. To co_await with GCC 12, name the command first: a
// temporary aggregate in a co_await expression is destroyed twice.
template <class CompletionToken>
auto async_submit(engine& orders, command what, CompletionToken&& token) {
    return boost::asio::async_initiate<CompletionToken, void(change_outcome)>(
        [](auto handler, engine* to, command asked) {
            detail::asio_operation<decltype(handler)>::start(*to, std::move(asked),
                                                             std::move(handler));
        },
        token, &orders, std::move(what));
}

}  // namespace v1
}  // namespace orderproc

#endif
