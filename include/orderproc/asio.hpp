#ifndef ORDERPROC_ASIO_HPP
#define ORDERPROC_ASIO_HPP

// The engine for programs that run on Boost.Asio: callbacks, futures and coroutines.

#include <orderproc/engine.hpp>

#include <boost/asio/associated_allocator.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/require.hpp>
#include <boost/asio/system_executor.hpp>

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
        if (!accepted) return refuse(std::move(it), std::move(accepted).error());
        (void)it.release();  // the engine's, or gone already
    }

    explicit asio_operation(Handler&& handler)
        : handler_(std::move(handler)), work_(boost::asio::get_associated_executor(handler_)) {}
    ~asio_operation() override = default;

    // Out of memory here ends the process: there is nobody else to tell.
    void complete(change_outcome& outcome) noexcept override {
        outcome_ = std::move(outcome);
        finish(owner(this));
    }

private:
    // any_completion_handler's executor can only dispatch, which may call at once.
    static constexpr bool can_post =
        !boost::asio::execution::is_executor<executor>::value ||
        boost::asio::can_require<executor, boost::asio::execution::blocking_t::never_t>::value;

    static void finish(owner it) {
        const executor where = it->work_.get_executor();
        auto call = [it = std::move(it)]() mutable {
            change_outcome result(std::move(it->outcome_));
            Handler handler(take_apart(it.release()));
            std::move(handler)(std::move(result));
        };
        if constexpr (can_post) {
            boost::asio::post(where, std::move(call));
        } else {
            boost::asio::dispatch(where, std::move(call));
        }
    }

    static void refuse(owner it, failure&& why) {
        it->outcome_.ec = why.code;
        it->outcome_.detail = std::move(why.detail);
        finish(std::move(it));
    }

    Handler handler_;
    boost::asio::executor_work_guard<executor> work_;
    change_outcome outcome_;
};

}  // namespace detail

// Submits and completes with a change_outcome, on the handler's associated executor, never
// from within this call, unless it was refused and that executor can only dispatch, as the one
// of any_completion_handler in Boost 1.81. A command that was refused before queueing completes
// with its ec and detail, and no order. Cannot be cancelled: what was submitted may already be
// durable. What the handler runs on has to outlive the engine, whose thread posts to it.
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
