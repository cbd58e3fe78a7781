#include "cli/values.hpp"

#include "items/file_items.hpp"
#include "items/http_items.hpp"
#include "processors/exec_processor.hpp"
#include "processors/http_processor.hpp"
#include "processors/simulate.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/runtime.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace orderproc::server {

namespace {

struct unit {
    std::string_view name;
    double milliseconds;
};
constexpr unit units[] = {{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}};
// Clients wait for it.
constexpr std::chrono::seconds items_timeout(5);

constexpr double duration_max = 10.0 * 365 * 24 * 3'600'000;

bool is_address(const std::string& host) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

result<std::chrono::milliseconds> parse_duration(std::string_view text) {
    const auto bad = [&] {
        return failure{errc::invalid_argument,
                       "\"" + std::string(text) + "\" is no duration such as 2s, 500ms, 5m or 0"};
    };
    double number = 0;
    const auto [end, ec] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (ec != std::errc{} || !(number >= 0)) return bad();
    const std::string_view name(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (name.empty() && number == 0) return std::chrono::milliseconds{0};
    for (const unit& it : units) {
        if (it.name != name) continue;
        const double value = number * it.milliseconds;
        if (value > duration_max) return bad();
        return std::chrono::milliseconds{static_cast<std::int64_t>(value)};
    }
    return bad();
}

bool endpoint::loopback() const {
    return host.starts_with("127.") || host == "::1";
}

result<endpoint> parse_endpoint(std::string_view text) {
    const failure bad{errc::invalid_argument,
                      "\"" + std::string(text) + "\" is no address such as 127.0.0.1:8000"};
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) return bad;
    endpoint out;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
    if (bracketed) host = host.substr(1, host.size() - 2);
    if (!bracketed && host.find(':') != std::string_view::npos) return bad;
    out.host = host.empty() ? "127.0.0.1" : std::string(host);
    const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), out.port);
    if (ec != std::errc{} || end != port.data() + port.size() || !is_address(out.host)) return bad;
    return out;
}

result<std::unique_ptr<item_checker>> make_named_items(const std::string& text, observer& watch) {
    constexpr std::string_view file = "file:";
    if (text.empty()) return std::unique_ptr<item_checker>();
    if (text.starts_with(file)) return make_file_items(text.substr(file.size()), watch);
    if (text.starts_with("http:") || text.starts_with("https:")) {
        const auto to = parse_http_url(text);
        if (!to) return to.error();
        http_client_options options;
        options.connections_max = 1;
        options.timeout = items_timeout;
        return make_http_items(*to, options);
    }
    return failure{
        errc::invalid_argument,
        "\"" + text + "\" is no list of items such as file:items.txt or http://host/path"};
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> out;
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
        if (text.empty()) return out;
        const std::size_t end = std::min(text.find(' '), text.size());
        out.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
}

result<std::unique_ptr<processor>> make_named_processor(const std::string& text,
                                                        std::size_t at_once) {
    constexpr std::string_view simulate = "simulate:";
    constexpr std::string_view exec = "exec:";
    constexpr std::string_view event = "complete";
    if (text.starts_with(simulate)) {
        auto options = parse_simulation(std::string_view(text).substr(simulate.size()));
        if (!options) return std::move(options).error();
        return make_simulation(std::move(*options), system_runtime().random);
    }
    if (text.starts_with(exec)) {
        exec_options options;
        options.command = split_words(std::string_view(text).substr(exec.size()));
        options.event = event;
        if (at_once > 0) options.processes_max = at_once;
        return make_exec_processor(std::move(options));
    }
    if (text.starts_with("http:") || text.starts_with("https:")) {
        const auto to = parse_http_url(text);
        if (!to) return to.error();
        http_client_options options;
        if (at_once > 0) options.connections_max = at_once;
        return make_http_processor(*to, std::string(event), options);
    }
    return failure{
        errc::invalid_argument,
        "\"" + text + "\" is no processor such as simulate:2s, exec:./script or http://host/path"};
}

}  // namespace orderproc::server
