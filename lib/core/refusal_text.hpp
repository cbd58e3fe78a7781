#ifndef ORDERPROC_CORE_REFUSAL_TEXT_HPP
#define ORDERPROC_CORE_REFUSAL_TEXT_HPP

#include <orderproc/change.hpp>

#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail {

// Why a repository refused the change, in a sentence for people. Tells no more of an order than the
// outcome shows: an order of somebody else is not found. Empty if ec is none of a refusal.
std::string describe_refusal(const change& what, const change_outcome& outcome);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
