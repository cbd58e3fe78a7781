#include "text/duration.hpp"

#include <charconv>
#include <cstdint>
#include <string>

namespace orderproc::server {

namespace {

struct unit {
    std::string_view name;
    double milliseconds;
};
constexpr unit units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 24.0 * 3'600'000}};
constexpr double duration_max = 10.0 * 365 * 24 * 3'600'000;

}  // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto bad = [&] {
        return failure{
            errc::invalid_argument,
            "\"" + std::string(text) + "\" is not a duration such as 2s, 500ms, 5m or 0"};
    };
    double number = 0;
    const auto [end, ec] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (ec != std::errc{} || !(number >= 0)) return bad();
    const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (name.empty() && number == 0) return std::chrono::milliseconds{0};
    for (const unit& it : units) {
        if (it.name != name) continue;
        const double value = number * it.milliseconds;
        if (value > duration_max) return bad();
        return std::chrono::milliseconds{static_cast<std::int64_t>(value)};
    }
    return bad();
}

}  // namespace orderproc::server
