#ifndef ORDERPROC_STAGES_WORKER_REASON_TEXT_HPP
#define ORDERPROC_STAGES_WORKER_REASON_TEXT_HPP

#include <orderproc/command.hpp>

#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// What a processor said, as a reason that raise_event could have: UTF-8 (RFC 3629) without NUL, at
// most raise_event::reason_size_max bytes. Each byte that is not becomes '?': a storage that
// refuses such text would refuse the verdict for ever.
std::string reason_text(std::string_view said);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
