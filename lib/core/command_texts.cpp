#include "core/command_texts.hpp"

#include "core/text.hpp"

#include <orderproc/command.hpp>

#include <cstddef>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

result<void> check_text(std::string_view name, std::string_view text, std::size_t size_max,
                        text_kind kind) {
    if (text.size() > size_max) {
        return failure{errc::invalid_argument, std::string(name) + " must have at most " +
                                                   std::to_string(size_max) + " bytes"};
    }
    if (is_text(text, kind)) return {};
    constexpr std::string_view rules[] = {"UTF-8 without NUL", "UTF-8 without control characters",
                                          "printable ASCII"};
    return failure{errc::invalid_argument, std::string(name) + " must be " +
                                               std::string(rules[static_cast<std::size_t>(kind)])};
}

}  // namespace

result<void> check_actor(std::string_view text) {
    return check_text("actor", text, command::actor_size_max, text_kind::one_line);
}

result<void> check_traceparent(std::string_view text) {
    return check_text("traceparent", text, command::traceparent_size_max, text_kind::ascii);
}

result<void> check_reason(std::string_view name, std::string_view text) {
    return check_text(name, text, raise_event::reason_size_max, text_kind::lines);
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
