#include "http/message.hpp"

#include <algorithm>

namespace orderproc::server::http {

namespace {

constexpr char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    if (a.size() != b.size()) return false;
    return a == b ||  // as clients mostly write it
           std::equal(a.begin(), a.end(), b.begin(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view request::find(std::string_view name) const noexcept {
    for (const field& it : fields) {
        if (equal_ignoring_case(it.name, name)) return it.value;
    }
    return {};
}

void response::add(std::string_view name, std::string_view value) {
    fields.append(name).append(": ").append(value).append("\r\n");
}

void response::clear() noexcept {
    status = 200;
    content_type = "application/json";
    cost = 1;
    fields.clear();
    body.clear();
    stream.reset();
}

}  // namespace orderproc::server::http
