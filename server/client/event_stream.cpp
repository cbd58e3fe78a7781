#include "client/event_stream.hpp"

#include <algorithm>
#include <charconv>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
constexpr milliseconds retry_least(100);
constexpr milliseconds retry_most = std::chrono::hours(24);
constexpr milliseconds pause_most = std::chrono::seconds(30);  // unless the server asks for more

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// Of digits alone; more than fit are very many.
std::int64_t number_of(std::string_view digits) noexcept {
    std::int64_t out = 0;
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), out);
    return read.ec == std::errc{} ? out : retry_most.count();
}

}  // namespace

bool event_stream_reader::read(std::string_view part, const event_sink& sink) {
    while (!part.empty()) {
        if (after_cr_ && part.front() == '\n') part.remove_prefix(1);
        after_cr_ = false;
        const std::size_t end = part.find_first_of("\r\n");
        const std::string_view text = part.substr(0, end);
        if (line_.size() + text.size() > event_max_) return false;
        line_.append(text);
        if (end == part.npos) return true;
        after_cr_ = part[end] == '\r';
        part.remove_prefix(end + 1);
        if (!end_line(sink)) return false;
    }
    return true;
}

void event_stream_reader::restart() noexcept {
    line_.clear();
    type_.clear();
    data_.clear();
    id_ = last_id_;
    first_line_ = true;
    after_cr_ = false;
}

bool event_stream_reader::end_line(const event_sink& sink) {
    std::string_view line = line_;
    if (first_line_ && line.starts_with(byte_order_mark)) line.remove_prefix(3);
    first_line_ = false;
    bool go_on = true;
    if (line.empty()) {
        go_on = dispatch(sink);
    } else if (const std::size_t colon = line.find(':'); colon != 0) {  // 0: a comment
        std::string_view value = colon == line.npos ? "" : line.substr(colon + 1);
        if (value.starts_with(' ')) value.remove_prefix(1);
        read_field(line.substr(0, colon), value);
        go_on = data_.size() <= event_max_;
    }
    line_.clear();
    return go_on;
}

void event_stream_reader::read_field(std::string_view name, std::string_view value) {
    if (name == "data") {
        data_.append(value).append(1, '\n');
    } else if (name == "event") {
        type_ = value;
    } else if (name == "id" && value.find('\0') == value.npos) {
        id_ = value;
    } else if (name == "retry" && !value.empty() &&
               std::all_of(value.begin(), value.end(), is_digit)) {
        retry_ = milliseconds(std::min<std::int64_t>(number_of(value), retry_most.count()));
    }
}

bool event_stream_reader::dispatch(const event_sink& sink) {
    last_id_ = id_;
    bool go_on = true;
    if (!data_.empty()) {
        data_.pop_back();
        go_on = sink({type_.empty() ? std::string_view("message") : type_, data_});
    }
    type_.clear();
    data_.clear();
    return go_on;
}

milliseconds reconnection_pause(milliseconds retry, unsigned failures,
                                std::uint64_t random) noexcept {
    const milliseconds least = std::clamp(retry, retry_least, retry_most);
    milliseconds pause = least;
    for (; failures > 0 && pause < pause_most; --failures) pause *= 2;
    pause = std::max(std::min(pause, pause_most), least);
    const double uniform = static_cast<double>(random >> 11) * 0x1.0p-53;  // [0, 1)
    return pause + milliseconds(static_cast<milliseconds::rep>(static_cast<double>(pause.count()) *
                                                               uniform / 2));
}

}  // namespace orderproc::server
