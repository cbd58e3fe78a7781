#include "observe/log_lines.hpp"

#include "text/terminal_text.hpp"

#include <orderproc/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>

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

log_sink make_line_log(log_format as, int descriptor) {
    return [as, descriptor](const log_record& what) {
        thread_local std::string line;
        line.clear();
        const auto now =
            std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
        append_log_line(as, now, what, line);
        [[maybe_unused]] const auto written = ::write(descriptor, line.data(), line.size());
    };
}

}  // namespace orderproc::server
