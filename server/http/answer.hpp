#ifndef ORDERPROC_SERVER_HTTP_ANSWER_HPP
#define ORDERPROC_SERVER_HTTP_ANSWER_HPP

// Answers as bytes.

#include "http/message.hpp"

#include <array>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

namespace orderproc::server::http {

// The Date field (RFC 9110, 5.6.7), written once a second.
class date_cache {
public:
    std::string_view at(std::time_t now) noexcept;

private:
    std::time_t when_ = -1;
    std::array<char, 29> text_{};
};

// How a client finds the end of the body.
enum class framing : std::uint8_t { length, chunked, until_close };

enum class connection_word : std::uint8_t { none, close, keep_alive };

struct answer_params {
    std::string_view date;
    std::string_view request_id;
    connection_word connection = connection_word::none;
    framing body = framing::length;     // else the body is not part of what is appended
    bool without_body = false;          // to HEAD: the fields, Content-Length too, as of a GET
    std::string_view more_fields = {};  // each with its CR LF
};

// Appends the whole message, ready to be sent.
void append_answer(const response& what, const answer_params& params, std::string& out);

}  // namespace orderproc::server::http

#endif
