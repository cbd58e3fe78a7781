#include <orderproc/journal.hpp>

#include <charconv>
#include <system_error>

namespace orderproc {
inline namespace v1 {

namespace {

// No sign, no leading zero, as to_string() writes it: two texts never name one position.
bool read_number(std::string_view text, std::uint64_t& value) noexcept {
    if (text.empty() || (text.size() > 1 && text.front() == '0')) return false;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    return ec == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string to_string(const feed_position& at) {
    return std::to_string(at.epoch) + "-" + std::to_string(at.offset);
}

std::optional<feed_position> parse_feed_position(std::string_view text) noexcept {
    feed_position out;
    if (text == "0") return out;
    const std::size_t dash = text.find('-');
    if (dash == text.npos || !read_number(text.substr(0, dash), out.epoch) ||
        !read_number(text.substr(dash + 1), out.offset)) {
        return std::nullopt;
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
