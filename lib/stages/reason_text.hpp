#ifndef ORDERPROC_STAGES_REASON_TEXT_HPP
#define ORDERPROC_STAGES_REASON_TEXT_HPP

#include <cstddef>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline constexpr std::size_t reason_size_max = 1024;

// What a processor said, fit for a journal: UTF-8 (RFC 3629) without NUL, at most
// reason_size_max bytes. Whatever is not becomes '?': a storage that refuses such text would
// refuse the verdict for ever.
std::string reason_text(std::string_view said);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
