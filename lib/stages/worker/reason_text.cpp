#include "stages/worker/reason_text.hpp"

#include "core/utf8.hpp"

namespace orderproc {
inline namespace v1 {
namespace detail {

std::string reason_text(std::string_view said) {
    std::string out;
    while (!said.empty()) {
        const utf8_step step = step_utf8(said.data(), said.data() + said.size());
        const bool fit = step.valid && said.front() != '\0';
        const std::string_view next = fit ? said.substr(0, step.size) : std::string_view("?");
        if (out.size() + next.size() > raise_event::reason_size_max) break;
        out += next;
        said.remove_prefix(fit ? step.size : 1);
    }
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
