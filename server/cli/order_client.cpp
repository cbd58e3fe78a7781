#include "cli/order_client.hpp"

#include "api/uri.hpp"

#include <orderproc/json_text.hpp>
#include <orderproc/runtime.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::chrono::seconds timeout(60);
constexpr int tries_max = 5;
constexpr int tries_unanswered_max = 2;
constexpr std::chrono::seconds wait_max(10);
constexpr std::chrono::seconds silence_max(45);  // a stream says something every 15 s

http_url without_last_slash(http_url to) {
    if (to.path.ends_with('/')) to.path.pop_back();
    return to;
}

std::string path_of(const std::string& order) {
    return "/orders/" + url_encoded(order);
}

// if_version 0: whatever it is.
fetch_request post_to(std::string target, std::uint64_t if_version) {
    fetch_request what;
    what.method = "POST";
    what.target = std::move(target);
    what.fields = {{"Idempotency-Key", random_key()}};
    if (if_version > 0) {
        what.fields.emplace_back("If-Match", "\"" + std::to_string(if_version) + "\"");
    }
    return what;
}

}  // namespace

order_client::order_client(http_url to, std::string token, http::client_stream_maker* secure)
    : to_(without_last_slash(std::move(to))), token_(std::move(token)), by_{find_host, secure} {}

http_fields order_client::with_credential(http_fields fields) const {
    if (!token_.empty()) fields.emplace_back("Authorization", "Bearer " + token_);
    return fields;
}

result<fetch_response> order_client::ask_once(fetch_request what,
                                              std::chrono::milliseconds within) const {
    what.target.insert(0, to_.path);
    what.fields = with_credential(std::move(what.fields));
    return fetch(to_, what, within, by_);
}

result<fetch_response> order_client::ask(fetch_request what) const {
    what.target.insert(0, to_.path);
    what.fields = with_credential(std::move(what.fields));
    for (int tried = 1;; ++tried) {
        auto got = fetch(to_, what, timeout, by_);
        const auto pause = pause_before_next(got, tried);
        if (!pause || !what.may_be_repeated()) return got;
        std::this_thread::sleep_for(*pause);
    }
}

std::optional<std::chrono::milliseconds> order_client::pause_before_next(
    const result<fetch_response>& got, int tried) {
    if (!passes(got) || tried >= (got ? tries_max : tries_unanswered_max)) return std::nullopt;
    const auto asked = got ? got->retry_after() : std::nullopt;
    if (asked > wait_max) return std::nullopt;  // coming earlier would be no use
    if (asked) return *asked;
    return std::chrono::milliseconds(100 << tried);
}

bool order_client::passes(const result<fetch_response>& got) {
    constexpr std::array<unsigned, 6> passing{408, 425, 429, 502, 503, 504};
    if (!got) return got.error().code == errc::unavailable;
    return std::find(passing.begin(), passing.end(), got->status) != passing.end();
}

result<fetch_response> order_client::model() const {
    fetch_request what;
    what.target = "/model";
    return ask(std::move(what));
}

result<fetch_response> order_client::get(const std::string& order, const std::string& at) const {
    fetch_request what;
    what.target = path_of(order);
    if (!at.empty()) what.target += "?at=" + url_encoded(at);
    return ask(std::move(what));
}

result<fetch_response> order_client::page(const std::string& filters, std::size_t limit) const {
    fetch_request what;
    what.target = "/orders?limit=" + std::to_string(limit) + filters;
    return ask(std::move(what));
}

result<fetch_response> order_client::history(const std::string& order, std::uint64_t after) const {
    fetch_request what;
    what.target = path_of(order) + "/history?after=" + std::to_string(after);
    return ask(std::move(what));
}

result<fetch_response> order_client::events(const std::string& order, const std::string& last_id,
                                            std::chrono::steady_clock::time_point until,
                                            const body_sink& sink) const {
    fetch_request what;
    what.target = to_.path + path_of(order) + "/events";
    what.fields = with_credential({{"Accept", "text/event-stream"}});
    if (!last_id.empty()) what.fields.emplace_back("Last-Event-ID", last_id);
    return fetch_parts(to_, std::move(what), {silence_max, until}, sink, by_);
}

result<fetch_response> order_client::raise(const std::string& order, const std::string& event,
                                           std::uint64_t if_version) const {
    return ask(post_to(path_of(order) + "/" + event, if_version));
}

result<fetch_response> order_client::transition(const std::string& order, const std::string& event,
                                                const std::string& reason,
                                                std::uint64_t if_version) const {
    fetch_request what = post_to(path_of(order) + "/transitions", if_version);
    what.fields.emplace_back("Content-Type", "application/json");
    what.body = "{\"event\":";
    append_json_string(event, what.body);
    if (!reason.empty()) {
        what.body += ",\"reason\":";
        append_json_string(reason, what.body);
    }
    what.body += '}';
    return ask(std::move(what));
}

result<fetch_response> order_client::create(const std::string& target, std::string body, bool lines,
                                            const std::string& key) const {
    fetch_request what;
    what.method = "POST";
    what.target = target;
    what.body = std::move(body);
    what.fields = {{"Content-Type", lines ? "application/x-ndjson" : "application/json"},
                   {"Idempotency-Key", key}};
    return ask(std::move(what));
}

std::string random_key() {
    random_source& random = system_runtime().random;
    return "cli-" + std::to_string(random.next()) + "-" + std::to_string(random.next());
}

std::string url_encoded(std::string_view text) {
    std::string out;
    percent_encode(text, out);
    return out;
}

}  // namespace orderproc::server
