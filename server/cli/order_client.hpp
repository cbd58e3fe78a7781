#ifndef ORDERPROC_SERVER_CLI_ORDER_CLIENT_HPP
#define ORDERPROC_SERVER_CLI_ORDER_CLIENT_HPP

// A server's orders, asked for over HTTP.

#include "client/http_client.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc::server {

class order_client {
public:
    // The path of the URL goes before every target. token: the credential to send; empty: none.
    // secure: carries https, and outlives the client.
    order_client(http_url to, std::string token, http::client_stream_maker* secure);

    // Blocks. Requests that may be repeated are repeated while passes() says so: a few times, and
    // once if there was no answer.
    result<fetch_response> ask(fetch_request what) const;
    // The same without repetitions.
    result<fetch_response> ask_once(fetch_request what, std::chrono::milliseconds timeout) const;
    // What to wait before the next of some tries: what the server asks for, but no more than 10 s.
    // nullopt: this is the answer.
    static std::optional<std::chrono::milliseconds> pause_before_next(
        const result<fetch_response>& got, int tried);
    // Another try may bring something else: no answer, or 408, 425, 429, 502, 503 or 504.
    static bool passes(const result<fetch_response>& got);

    // What its orders look like, and what moves them.
    result<fetch_response> model() const;
    result<fetch_response> get(const std::string& order, const std::string& at) const;
    result<fetch_response> page(const std::string& filters, std::size_t limit) const;
    // At most a thousand entries after the version.
    result<fetch_response> history(const std::string& order, std::uint64_t after) const;
    // The stream of its changes behind the last event's id (empty: all of them), to the sink as it
    // comes. Not repeated.
    result<fetch_response> events(const std::string& order, const std::string& last_id,
                                  std::chrono::steady_clock::time_point until,
                                  const body_sink& sink) const;
    // if_version 0: whatever it is.
    result<fetch_response> raise(const std::string& order, const std::string& event,
                                 std::uint64_t if_version) const;
    // Whatever event the model has for clients.
    result<fetch_response> transition(const std::string& order, const std::string& event,
                                      const std::string& reason, std::uint64_t if_version) const;
    // Orders of a text, as JSON or one a line.
    result<fetch_response> create(const std::string& target, std::string body, bool lines,
                                  const std::string& key) const;

private:
    http_fields with_credential(http_fields fields) const;

    const http_url to_;
    const std::string token_;
    const fetch_means by_;
};

std::string random_key();

std::string url_encoded(std::string_view text);

}  // namespace orderproc::server

#endif
