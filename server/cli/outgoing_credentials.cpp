#include "cli/outgoing_credentials.hpp"

#include "http/message.hpp"
#include "text/secret_file.hpp"

#ifdef ORDERPROC_WITH_WEBHOOKS
#include <orderproc/webhook_signature.hpp>
#endif

#include <algorithm>
#include <array>
#include <chrono>
#include <sstream>

namespace orderproc::server {

namespace {

constexpr std::string_view between_words = " \t\r";
constexpr std::string_view signing_prefix = "whsec_";
constexpr std::size_t credentials_size_max = std::size_t{1024} * 1024;

std::string_view without_blanks(std::string_view text) {
    const std::size_t first = text.find_first_not_of(between_words);
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(between_words) + 1 - first);
}

failure bad_line(const char* why) {
    return {errc::invalid_argument, why};
}

// What says how a request is read is not the file's to choose.
bool frames_requests(std::string_view name) {
    constexpr std::array<std::string_view, 6> those{
        "Host", "Connection", "Content-Length", "Content-Type", "Expect", "Transfer-Encoding"};
    return std::any_of(those.begin(), those.end(),
                       [&](std::string_view it) { return http::equal_ignoring_case(it, name); });
}

bool is_same_server(const http_url& a, const http_url& b) {
    return a.secure == b.secure && a.port == b.port && http::equal_ignoring_case(a.host, b.host);
}

#ifdef ORDERPROC_WITH_WEBHOOKS

result<void> check_secret(std::string_view text) {
    auto made = webhook_secret::parse(text);
    if (!made) return std::move(made).error();
    return {};
}

result<http_fields> sign_with(const std::vector<webhook_secret>& secrets, std::string_view id,
                              std::string_view body) {
    const auto now = std::chrono::floor<timestamp::duration>(std::chrono::system_clock::now());
    auto made = webhook_signature(secrets, id, timestamp(now), body);
    if (!made) return std::move(made).error();
    return http_fields{{"webhook-id", std::string(id)},
                       {"webhook-timestamp", webhook_timestamp(timestamp(now))},
                       {"webhook-signature", std::move(*made)}};
}

void sign(request_credential& with, const std::vector<std::string>& texts) {
    std::vector<webhook_secret> secrets;
    for (const std::string& it : texts) secrets.push_back(webhook_secret::parse(it).value());
    with.sign = [secrets = std::move(secrets)](std::string_view id, std::string_view body) {
        return sign_with(secrets, id, body);
    };
}

#else

result<void> check_secret(std::string_view) {
    return bad_line("this build cannot sign requests");
}

void sign(request_credential&, const std::vector<std::string>&) {}

#endif

}  // namespace

// "https://host[:port] whsec_…" or "https://host[:port] Name: value".
result<outgoing_credentials::line> outgoing_credentials::read_line(std::string_view text) {
    const std::size_t blank = text.find_first_of(between_words);
    const auto server = parse_http_url(text.substr(0, blank));
    if (!server || server->path != "/") {
        return bad_line("does not begin with a server such as https://ship.example");
    }
    if (!server->secure && !server->on_this_machine()) {
        return bad_line(
            "plain http:// does not carry a credential to another machine: use https://");
    }
    line out;
    out.server = *server;
    const std::string_view rest =
        blank == text.npos ? std::string_view() : without_blanks(text.substr(blank));
    if (rest.starts_with(signing_prefix)) {
        if (auto ok = check_secret(rest); !ok) return std::move(ok).error();
        out.secret = rest;
        return out;
    }
    const std::size_t colon = rest.find(':');
    if (colon == rest.npos) {
        return bad_line("has neither a header field such as Authorization: Bearer … nor whsec_…");
    }
    out.field = {std::string(rest.substr(0, colon)),
                 std::string(without_blanks(rest.substr(colon + 1)))};
    fetch_request probe;
    probe.fields = {out.field};
    if (out.field.second.empty() || frames_requests(out.field.first) || !probe.validate()) {
        return bad_line("has a header field that cannot be sent as a credential");
    }
    return out;
}

result<outgoing_credentials> outgoing_credentials::read(const std::string& path) {
    auto whole = read_secret_file(path, credentials_size_max);
    if (!whole) return std::move(whole).error();
    std::istringstream in(std::move(*whole));
    outgoing_credentials out;
    std::size_t number = 0;
    for (std::string text; std::getline(in, text);) {
        ++number;
        const std::string_view words = without_blanks(text);
        if (words.empty() || words.starts_with('#')) continue;
        auto made = read_line(words);
        if (!made) {
            return failure{errc::invalid_argument,
                           path + ": line " + std::to_string(number) + ": " + made.error().detail};
        }
        out.lines_.push_back(std::move(*made));
    }
    return out;
}

request_credential outgoing_credentials::of(const http_url& server) const {
    request_credential out;
    std::vector<std::string> secrets;
    for (const line& it : lines_) {
        if (!is_same_server(it.server, server)) continue;
        if (it.secret.empty()) {
            out.fields.push_back(it.field);
        } else {
            secrets.push_back(it.secret);
        }
    }
    if (!secrets.empty()) sign(out, secrets);
    return out;
}

}  // namespace orderproc::server
