#ifndef ORDERPROC_SERVER_TEXT_DURATION_HPP
#define ORDERPROC_SERVER_TEXT_DURATION_HPP

// Durations as people write them.

#include <orderproc/error.hpp>

#include <chrono>
#include <string_view>

namespace orderproc::server {

// "2s", "500ms", "5m", "1h", "1.5s", "0"; below ten years. errc::invalid_argument.
result<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace orderproc::server

#endif
