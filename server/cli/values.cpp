#include "cli/values.hpp"

#include "cli/refusal.hpp"
#include "items/file_items.hpp"
#include "items/http_items.hpp"
#include "processors/exec_processor.hpp"
#include "processors/http_processor.hpp"
#include "processors/simulate.hpp"
#include "text/duration.hpp"

#include <orderproc/memory.hpp>
#include <orderproc/runtime.hpp>

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace orderproc::server {

using std::chrono::milliseconds;

namespace {

// Clients wait for it.
constexpr std::chrono::seconds items_timeout(5);

constexpr std::string_view blanks = " \t\r\n";

// Longer than anybody waits; the library takes a little more.
constexpr milliseconds option_duration_max = std::chrono::hours(24 * 365);

bool is_address(const std::string& host) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

}  // namespace

result<milliseconds> duration_option(std::string_view option, std::string_view text,
                                     milliseconds low) {
    const auto value = of_option(option, parse_duration(text));
    if (!value || (*value >= low && *value <= option_duration_max)) return value;
    return failure{errc::invalid_argument, std::string(option) + ": " + std::string(text) +
                                               " is not within " + std::to_string(low.count()) +
                                               "ms and a year"};
}

bool endpoint::loopback() const {
    return host.starts_with("127.") || host == "::1";
}

result<endpoint> parse_endpoint(std::string_view text) {
    const failure bad{errc::invalid_argument,
                      "\"" + std::string(text) + "\" is not an address such as 127.0.0.1:8000"};
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
    return failure{errc::invalid_argument, "unknown list of items \"" + text +
                                               "\": expected file:PATH or http://HOST/PATH"};
}

result<std::vector<std::string>> split_words(std::string_view text) {
    std::vector<std::string> out;
    bool in_word = false;
    char quote = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (quote == 0 && blanks.find(c) != blanks.npos) {
            in_word = false;
            continue;
        }
        if (!std::exchange(in_word, true)) out.emplace_back();
        const char next = i + 1 < text.size() ? text[i + 1] : 0;
        if (c == quote) {
            quote = 0;
        } else if (quote == 0 && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == '\\' && (quote == 0 || (quote == '"' && (next == '"' || next == c)))) {
            if (++i == text.size()) return failure{errc::invalid_argument, "ends with a backslash"};
            out.back().push_back(next);
        } else {
            out.back().push_back(c);
        }
    }
    if (quote != 0) {
        return failure{errc::invalid_argument,
                       std::string("the quotation mark ") + quote + " is not closed"};
    }
    return out;
}

result<std::unique_ptr<processor>> make_named_processor(const std::string& text,
                                                        const std::string& event,
                                                        std::size_t at_once,
                                                        const order_model& model,
                                                        handed_over_work later) {
    constexpr std::string_view simulate = "simulate:";
    constexpr std::string_view exec = "exec:";
    if (text.starts_with(simulate)) {
        auto options = parse_simulation(std::string_view(text).substr(simulate.size()));
        if (!options) return std::move(options).error();
        options->event = event;
        return make_simulation(std::move(*options), system_runtime().random);
    }
    if (text.starts_with(exec)) {
        exec_options options;
        auto words = split_words(std::string_view(text).substr(exec.size()));
        if (!words) return std::move(words).error();
        options.command = std::move(*words);
        options.event = event;
        options.model = &model;
        if (at_once > 0) options.processes_max = at_once;
        return make_exec_processor(std::move(options));
    }
    if (text.starts_with("http:") || text.starts_with("https:")) {
        const auto to = parse_http_url(text);
        if (!to) return to.error();
        http_client_options options;
        if (at_once > 0) options.connections_max = at_once;
        return make_http_processor(*to, event, options, model, {}, later);
    }
    return failure{errc::invalid_argument, "unknown processor \"" + text +
                                               "\": expected simulate:DURATION, exec:PROGRAM or "
                                               "http://HOST/PATH"};
}

}  // namespace orderproc::server
