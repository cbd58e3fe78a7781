#include "http/answer.hpp"

#include <charconv>

namespace orderproc::server::http {

namespace {

std::string_view reason(unsigned status) noexcept {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 204:
            return "No Content";
        case 302:
            return "Found";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 503:
            return "Service Unavailable";
        default:
            return {};  // RFC 9112, 4: clients ignore it
    }
}

void append_number(std::size_t value, std::string& out) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.begin(), digits.end(), value).ptr;
    out.append(digits.data(), end);
}

char* two_digits(int value, char* to) noexcept {
    *to++ = static_cast<char>('0' + value / 10);
    *to++ = static_cast<char>('0' + value % 10);
    return to;
}

}  // namespace

std::string_view date_cache::at(std::time_t now) noexcept {
    if (now != when_) {
        static constexpr std::string_view days = "SunMonTueWedThuFriSat";
        static constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
        std::tm parts{};
        ::gmtime_r(&now, &parts);
        const auto copy = [](std::string_view from, char* to) {
            from.copy(to, from.size());
            return to + from.size();
        };
        char* to = copy(days.substr(static_cast<std::size_t>(parts.tm_wday) * 3, 3), text_.data());
        to = two_digits(parts.tm_mday, copy(", ", to));
        *to++ = ' ';
        to = copy(months.substr(static_cast<std::size_t>(parts.tm_mon) * 3, 3), to);
        *to++ = ' ';
        const int year = parts.tm_year + 1900;
        to = two_digits(year % 100, two_digits(year / 100, to));
        *to++ = ' ';
        to = two_digits(parts.tm_hour, to);
        *to++ = ':';
        to = two_digits(parts.tm_min, to);
        *to++ = ':';
        to = two_digits(parts.tm_sec, to);
        copy(" GMT", to);
        when_ = now;
    }
    return {text_.data(), text_.size()};
}

void append_answer(const response& what, const answer_params& params, std::string& out) {
    out.append("HTTP/1.1 ");
    append_number(what.status, out);
    out.append(1, ' ').append(reason(what.status)).append("\r\nDate: ").append(params.date);
    const bool bodiless = what.status == 204 || what.status == 304;
    if (!bodiless) {
        out.append("\r\nContent-Type: ").append(what.content_type);
        if (params.body == framing::length) {
            out.append("\r\nContent-Length: ");
            append_number(what.body.size(), out);
        } else if (params.body == framing::chunked) {
            out.append("\r\nTransfer-Encoding: chunked");
        }
    }
    // No browser guesses another type, whatever clients had stored here.
    out.append("\r\nX-Content-Type-Options: nosniff\r\nX-Request-Id: ").append(params.request_id);
    if (params.connection == connection_word::close) {
        out.append("\r\nConnection: close");
    } else if (params.connection == connection_word::keep_alive) {
        out.append("\r\nConnection: keep-alive");
    }
    out.append("\r\n").append(params.more_fields).append(what.fields).append("\r\n");
    if (!bodiless && !params.without_body) out.append(what.body);
}

}  // namespace orderproc::server::http
