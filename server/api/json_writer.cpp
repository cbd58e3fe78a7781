#include "api/json_writer.hpp"

#include <orderproc/json_text.hpp>

#include <array>
#include <charconv>
#include <cmath>

namespace orderproc::server {

void append_seconds(std::chrono::milliseconds value, std::string& out) {
    const auto count = value.count();
    if (count < 0) out.append(1, '-');
    const auto whole = static_cast<std::uint64_t>(count < 0 ? -count : count);
    out.append(std::to_string(whole / 1000));
    std::string decimals = std::to_string(whole % 1000);
    decimals.insert(0, 3 - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1);
    if (!decimals.empty()) out.append(1, '.').append(decimals);
}

void json_writer::begin_value() {
    if (out_.empty()) return;
    const char last = out_.back();
    if (last != '{' && last != '[' && last != ':') out_ += ',';
}

json_writer& json_writer::open(char bracket) {
    begin_value();
    out_ += bracket;
    return *this;
}

json_writer& json_writer::close(char bracket) {
    out_ += bracket;
    return *this;
}

json_writer& json_writer::name(std::string_view text) {
    begin_value();
    out_.append(1, '"').append(text).append("\":");
    return *this;
}

json_writer& json_writer::text(std::string_view value) {
    begin_value();
    append_json_string(value, out_);
    return *this;
}

json_writer& json_writer::number(std::uint64_t value) {
    return raw(std::to_string(value));
}

json_writer& json_writer::decimal(double value, int decimals) {
    if (!std::isfinite(value)) return null();
    std::array<char, 400> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                   std::chars_format::fixed, decimals);
    std::string_view text(digits.data(), static_cast<std::size_t>(end.ptr - digits.data()));
    if (text.find('.') != text.npos) {
        text = text.substr(0, text.find_last_not_of('0') + 1);
        if (text.back() == '.') text.remove_suffix(1);
    }
    return raw(text == "-0" ? "0" : text);
}

json_writer& json_writer::seconds(std::chrono::milliseconds value) {
    begin_value();
    append_seconds(value, out_);
    return *this;
}

json_writer& json_writer::time(timestamp value) {
    return text(to_string(value));
}

json_writer& json_writer::boolean(bool value) {
    return raw(value ? "true" : "false");
}

json_writer& json_writer::null() {
    return raw("null");
}

json_writer& json_writer::raw(std::string_view value) {
    begin_value();
    out_.append(value);
    return *this;
}

json_writer& json_writer::text_or_null(std::string_view value) {
    return value.empty() ? null() : text(value);
}

json_writer& json_writer::time_or_null(const std::optional<timestamp>& value) {
    return value ? time(*value) : null();
}

}  // namespace orderproc::server
