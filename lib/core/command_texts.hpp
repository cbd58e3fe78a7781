#ifndef ORDERPROC_CORE_COMMAND_TEXTS_HPP
#define ORDERPROC_CORE_COMMAND_TEXTS_HPP

// The rules of the texts beside an order's fields, which go into the journal: every storage and
// every reader of the feed has to take them.

#include <orderproc/error.hpp>

#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// errc::invalid_argument, naming the text and its rule.
result<void> check_actor(std::string_view text);
result<void> check_traceparent(std::string_view text);
result<void> check_reason(std::string_view name, std::string_view text);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
