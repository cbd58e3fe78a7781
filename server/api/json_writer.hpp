#ifndef ORDERPROC_SERVER_API_JSON_WRITER_HPP
#define ORDERPROC_SERVER_API_JSON_WRITER_HPP

// JSON text of small answers that are no orders.

#include <orderproc/timestamp.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc::server {

// Seconds with as many decimals as milliseconds have, without zeros behind.
void append_seconds(std::chrono::milliseconds value, std::string& out);

// Appends values one after the other and puts the commas between them. Whoever writes sees to it
// that what is opened is closed and that members have names. The text outlives it.
class json_writer {
public:
    explicit json_writer(std::string& out) : out_(out) {}

    json_writer& open(char bracket);   // '{' or '['
    json_writer& close(char bracket);  // '}' or ']'
    json_writer& name(
        std::string_view text);  // of the next value: plain, without anything to escape

    json_writer& text(std::string_view value);
    json_writer& number(std::uint64_t value);
    json_writer& decimal(double value, int decimals);  // rounded; without zeros behind
    json_writer& seconds(std::chrono::milliseconds value);
    json_writer& time(timestamp value);
    json_writer& boolean(bool value);
    json_writer& null();
    json_writer& raw(std::string_view value);  // JSON already
    // null if it is empty.
    json_writer& text_or_null(std::string_view value);
    json_writer& time_or_null(const std::optional<timestamp>& value);

private:
    void begin_value();
    std::string& out_;
};

}  // namespace orderproc::server

#endif
