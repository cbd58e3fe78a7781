#include "observe/log_lines.hpp"

#include "text/terminal_text.hpp"

#include <orderproc/json_text.hpp>

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace orderproc::server {

namespace {

// As a JSON string without anything that is obeyed where the log is read.
void append_quoted(std::string_view text, std::string& out) {
    std::string quoted;
    append_json_string(text, quoted);
    out.append(printable_json(quoted));
}

void append_json_value(const log_field& it, std::string& out) {
    if (const auto* text = std::get_if<std::string_view>(&it.value)) {
        append_quoted(*text, out);
    } else if (const auto* number = std::get_if<std::int64_t>(&it.value)) {
        out.append(std::to_string(*number));
    } else {
        out.append(std::get<bool>(it.value) ? "true" : "false");
    }
}

// A word as it is, anything else in quotes.
void append_text_value(const log_field& it, std::string& out) {
    const auto* text = std::get_if<std::string_view>(&it.value);
    const bool word = text && !text->empty() && std::all_of(text->begin(), text->end(), [](char c) {
                          return c > ' ' && c < '\x7f' && c != '"' && c != '\\' && c != '=';
                      });
    if (word) {
        out.append(*text);
    } else {
        append_json_value(it, out);
    }
}

}  // namespace

void append_log_line(log_format as, timestamp now, const log_record& what, std::string& out) {
    if (as == log_format::json) {
        out.append(R"({"time":")").append(to_string(now)).append(R"(","level":")");
        out.append(name_of(what.level)).append(R"(","event":)");
        append_json_string(what.event, out);
        for (const log_field& it : what.fields) {
            out.append(1, ',');
            append_json_string(it.name, out);
            out.append(1, ':');
            append_json_value(it, out);
        }
        out.append("}\n");
        return;
    }
    out.append(to_string(now)).append(1, ' ').append(name_of(what.level)).append(1, ' ');
    out.append(what.event);
    for (const log_field& it : what.fields) {
        out.append(1, ' ').append(it.name).append(1, '=');
        append_text_value(it, out);
    }
    out.append(1, '\n');
}

namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

constexpr std::size_t note_size_max = 256;  // of the line about those that were dropped

timestamp now() {
    return std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
}

int make_event() {
    const int out = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (out < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
    return out;
}

}  // namespace

line_log::line_log(log_format as, int descriptor, line_log_options options)
    : as_(as), options_(options), to_(descriptor), ending_(make_event()), end_at_{} {
    // The system gives memory only for what is used.
    waiting_.reserve(options_.waiting_max + note_size_max);
    thread_ = std::thread([this] { run(); });
}

line_log::~line_log() {
    {
        const std::lock_guard lock(mutex_);
        ended_ = true;
    }
    end_at_ = steady::now() + options_.end_timeout;
    ::eventfd_write(ending_, 1);
    changed_.notify_one();
    thread_.join();
    ::close(ending_);
}

log_sink line_log::sink() {
    return [this](const log_record& what) { add(what); };
}

void line_log::add(const log_record& what) {
    thread_local std::string line;
    line.clear();
    append_log_line(as_, now(), what, line);
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() + line.size() > options_.waiting_max) {
            ++dropped_;
            return;
        }
        waiting_.append(line);
        if (waiting_.size() > line.size()) return;  // the thread was told of those before it
    }
    changed_.notify_one();
}

void line_log::run() noexcept {
    std::string lines;
    lines.reserve(options_.waiting_max + note_size_max);
    while (take(lines) && write(lines)) continue;
}

// False: there is nothing left, and nothing more will come.
bool line_log::take(std::string& lines) {
    lines.clear();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
    lines.swap(waiting_);
    const std::uint64_t dropped = std::exchange(dropped_, 0);
    lock.unlock();
    if (dropped > 0) {
        const std::array<log_field, 1> count{{{"lines", static_cast<std::int64_t>(dropped)}}};
        append_log_line(as_, now(), {log_level::warning, "log_lines_dropped", count}, lines);
    }
    return !lines.empty();
}

// False: it is time to end.
bool line_log::write(std::string_view lines) noexcept {
    while (!lines.empty()) {
        const std::ptrdiff_t size = to_.write_some(lines);
        if (size < 0) return true;  // nobody reads any more
        lines.remove_prefix(static_cast<std::size_t>(size));
        if (size == 0 && !wait_for_room()) return false;
    }
    return true;
}

bool line_log::wait_for_room() noexcept {
    const steady::time_point end_at = end_at_;
    if (end_at == steady::time_point{}) {
        to_.wait(milliseconds(-1), ending_);
        return true;
    }
    const auto left = std::chrono::ceil<milliseconds>(end_at - steady::now());
    if (left <= milliseconds(0)) return false;
    to_.wait(left);
    return true;
}

}  // namespace orderproc::server
