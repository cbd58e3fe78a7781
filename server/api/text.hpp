#ifndef ORDERPROC_SERVER_API_TEXT_HPP
#define ORDERPROC_SERVER_API_TEXT_HPP

// What field values and names are made of.

#include "http/message.hpp"

#include <string>
#include <string_view>

namespace orderproc::server {

// Without the optional white space around it (RFC 9110, 5.6.3).
inline std::string_view trim(std::string_view text) noexcept {
    const auto blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && blank(text.back())) text.remove_suffix(1);
    return text;
}

// With its ASCII letters in lower case.
inline std::string lower_case(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 32);
    }
    return out;
}

// Whether the body is declared as the media type, whatever its parameters.
inline bool is_declared(const http::request& in, std::string_view media_type) noexcept {
    const std::string_view declared = in.find("Content-Type");
    return http::equal_ignoring_case(trim(declared.substr(0, declared.find(';'))), media_type);
}

// Whether the body was encoded for the way here (RFC 9110, 8.4), as with gzip.
inline bool is_encoded(const http::request& in) noexcept {
    for (const http::field& it : in.fields) {
        if (!http::equal_ignoring_case(it.name, "Content-Encoding")) continue;
        const std::string_view coding = trim(it.value);
        if (!coding.empty() && !http::equal_ignoring_case(coding, "identity")) return true;
    }
    return false;
}

}  // namespace orderproc::server

#endif
