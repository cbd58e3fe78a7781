#ifndef ORDERPROC_ASIO_HPP
#define ORDERPROC_ASIO_HPP

// The engine for programs that run on Boost.Asio: callbacks, futures and coroutines.

#include <orderproc/engine.hpp>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>

#include <memory>
#include <type_traits>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace detail {
// Carries one handler through the engine, and then to its executor.
template <class Handler>
class asio_operation;
}  // namespace detail

// Submits and completes with a change_outcome, on the handler's associated executor, never
// from within this call. A command that was refused before queueing completes with its ec and
// no order. Cannot be cancelled: what was submitted may already be durable.
template <class CompletionToken>
auto async_submit(engine& orders, command what, CompletionToken&& token);

}  // namespace v1
}  // namespace orderproc

#endif
