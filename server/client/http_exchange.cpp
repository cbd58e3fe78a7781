#include "client/http_exchange.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <array>
#include <exception>
#include <optional>
#include <utility>

namespace orderproc::server {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using instant = exchange_options::instant;

namespace {

constexpr unsigned http_1_1 = 11;
constexpr unsigned switching_protocols = 101;
constexpr unsigned ok = 200;
constexpr unsigned no_content = 204;
constexpr unsigned not_modified = 304;
constexpr std::uint32_t header_max = 64 * 1024;
constexpr std::size_t part_max = 16 * 1024;
constexpr int interim_max = 100;  // answers before the one that counts

using answer_parser = beast::http::response_parser<beast::http::buffer_body>;

// Of what comes next.
instant next_step(const exchange_options& with) {
    return std::min(with.until, time_after(with.silence));
}

// The addresses one after the other. One that does not answer leaves the rest a share of the time.
asio::awaitable<error_code> connect_to(connection& by, const host_addresses& found,
                                       std::uint16_t port, instant until, bool vetted) {
    error_code ec = asio::error::host_not_found;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (by.stopped) co_return asio::error::operation_aborted;  // connecting would open it again
        const auto now = std::chrono::steady_clock::now();
        const auto left = static_cast<instant::rep>(found.size() - i);
        by.stream.expires_at(until == instant::max() ? until : now + (until - now) / left);
        const tcp::endpoint to(found[i], port);
        ec = co_await by.stream.connect(to);
        if (!ec && vetted && by.stream.peer() != to) co_return asio::error::access_denied;
        if (!ec) break;
    }
    co_return ec;
}

asio::awaitable<void> connect(connection& by, host_lookup& hosts, const http_url& to,
                              const exchange_options& with, exchange_result& out) {
    const instant until = std::min(next_step(with), time_after(with.connect));
    if (to.secure && !with.secure) {
        out.ec = asio::error::operation_not_supported;
        out.detail = https_needs_tls;
        co_return;
    }
    const auto found = co_await hosts.find(until, by.lookup);
    if (!found) {
        out.ec = asio::error::host_not_found;
        out.detail = found.error().detail;
        co_return;
    }
    if (with.vet) {
        if (const auto allowed = with.vet(*found); !allowed) {
            out.ec = asio::error::access_denied;
            out.detail = allowed.error().detail;
            co_return;
        }
    }
    out.ec = co_await connect_to(by, *found, to.port, until, with.vet != nullptr);
    if (out.ec) co_return;
    by.stream.expires_at(until);
    out.ec = co_await by.stream.open(to.secure ? with.secure : nullptr, to.host);
    out.connected = !out.ec;
}

asio::awaitable<error_code> write(connection& by, const http_url& to, const fetch_request& what) {
    beast::http::request<beast::http::string_body> request;
    request.version(http_1_1);
    request.method_string(what.method);
    request.target(what.target);
    request.set(beast::http::field::host, to.authority());
    request.set(beast::http::field::user_agent, "orderproc/" ORDERPROC_VERSION);
    request.set(beast::http::field::accept_encoding, "identity");  // else any would be acceptable
    for (const auto& [name, value] : what.fields) request.insert(name, value);
    request.body() = what.body;
    if (!what.body.empty() || what.method != "GET") request.prepare_payload();
    error_code ec;
    co_await beast::http::async_write(by.stream, request,
                                      asio::redirect_error(asio::use_awaitable, ec));
    co_return ec;
}

// Whether it can be told where the body ends (RFC 9112, 6.3). The parser has refused bad lengths,
// and a length beside "chunked".
error_code check_framing(const beast::http::response_header<>& head) {
    const auto [first, last] = head.equal_range(beast::http::field::transfer_encoding);
    if (first == last) return {};
    const bool chunked = std::next(first) == last && beast::iequals(first->value(), "chunked");
    const bool sound = chunked && head.version() >= http_1_1;
    return sound ? error_code() : beast::http::error::bad_transfer_encoding;
}

// The header section of the final answer.
asio::awaitable<error_code> read_head(connection& by, const fetch_request& what,
                                      exchange_result& out, std::optional<answer_parser>& parser) {
    for (int i = 0; i <= interim_max; ++i) {
        parser.emplace();
        parser->header_limit(header_max);
        parser->body_limit(boost::none);  // read_body() counts
        parser->skip(what.method == "HEAD");
        error_code ec;
        co_await beast::http::async_read_header(by.stream, by.buffer, *parser,
                                                asio::redirect_error(asio::use_awaitable, ec));
        out.answered = out.answered || parser->got_some();
        if (ec) co_return ec;
        const unsigned status = parser->get().result_int();
        if (status == switching_protocols) co_return beast::http::error::bad_status;
        if (status / 100 == 1) continue;
        const bool empty = what.method == "HEAD" || status == no_content || status == not_modified;
        co_return empty ? error_code() : check_framing(parser->get());
    }
    co_return beast::http::error::header_limit;
}

// At most body_max of it, unless parts takes it.
asio::awaitable<error_code> read_body(connection& by, const exchange_options& with,
                                      answer_parser& parser, const body_sink* parts,
                                      std::string& body) {
    std::array<char, part_max> part;
    while (!parser.is_done()) {
        auto& room = parser.get().body();
        room.data = part.data();
        room.size = part.size();
        room.more = true;
        error_code ec;
        by.stream.expires_at(next_step(with));
        co_await beast::http::async_read_some(by.stream, by.buffer, parser,
                                              asio::redirect_error(asio::use_awaitable, ec));
        if (ec == beast::http::error::need_buffer) ec = {};
        const std::string_view read(part.data(), part.size() - room.size);
        if (parts) {
            if (!read.empty() && !(*parts)(read)) co_return error_code();
        } else if (body.size() + read.size() > with.body_max) {
            co_return beast::http::error::body_limit;
        } else {
            body.append(read);
        }
        if (ec) co_return ec;
    }
    co_return error_code();
}

void take_head(const beast::http::response_header<>& head, fetch_response& out) {
    out.status = head.result_int();
    for (const auto& field : head) out.fields.emplace_back(field.name_string(), field.value());
}

}  // namespace

connection::connection(asio::io_context& on) : stream(on), buffer(header_max + part_max) {}

void connection::stop() {
    stopped = true;
    lookup.stop();
    stream.close();
}

instant time_after(milliseconds duration) noexcept {
    if (duration == milliseconds::max()) return instant::max();
    return std::chrono::steady_clock::now() + duration;
}

asio::awaitable<exchange_result> exchange(connection& by, host_lookup& hosts, const http_url& to,
                                          const fetch_request& what, const exchange_options& with) {
    exchange_result out;
    out.connected = by.used;
    if (!by.used) co_await connect(by, hosts, to, with, out);
    if (out.ec) co_return out;
    by.stream.expires_at(next_step(with));
    const error_code unsent = co_await write(by, to, what);
    // A server may refuse a request before it has read all of it (RFC 9112, 9.5).
    std::optional<answer_parser> parser;
    by.stream.expires_at(next_step(with));
    out.ec = co_await read_head(by, what, out, parser);
    if (out.ec) {
        if (unsent) out.ec = unsent;
        co_return out;
    }
    take_head(parser->get(), out.got);
    exchange_options rest = with;
    if (what.status_suffices) rest.until = std::min(with.until, time_after(with.drain));
    const body_sink* parts = out.got.status == ok ? with.parts : nullptr;
    out.ec = co_await read_body(by, rest, *parser, parts, out.got.body);
    out.keep = !out.ec && !unsent && parser->is_done() && parser->keep_alive() &&
               by.buffer.size() == 0;  // what is left belongs to no request
    if (what.status_suffices) out.ec = {};
    co_return out;
}

result<fetch_response> exchange_alone(const http_url& to, const fetch_request& what,
                                      const exchange_options& with, const host_finder& find,
                                      milliseconds timeout, std::stop_token stop) {
    if (auto valid = what.validate(); !valid) return std::move(valid).error();
    asio::io_context context{1};
    host_lookup hosts(context, to.host, find);
    connection by(context);
    exchange_result tried;
    std::exception_ptr thrown;
    const std::stop_callback on_stop(stop, [&] { asio::post(context, [&by] { by.stop(); }); });
    asio::co_spawn(context, exchange(by, hosts, to, what, with),
                   [&](std::exception_ptr e, exchange_result got) {
                       thrown = std::move(e);
                       tried = std::move(got);
                       by.stop();  // nothing is left to wait for
                   });
    context.run();
    if (thrown) std::rethrow_exception(thrown);
    if (!tried.ec) return std::move(tried.got);
    if (stop.stop_requested()) return errc::stopped;
    return exchange_failure(to, tried, timeout, with.connect);
}

failure exchange_failure(const http_url& to, const exchange_result& tried, milliseconds timeout,
                         milliseconds connect) {
    const auto& ec = tried.ec;
    std::string why = tried.detail.empty() ? ec.message() : tried.detail;
    if (ec == beast::error::timeout) {
        const auto waited = tried.connected ? timeout : std::min(timeout, connect);
        why = (tried.connected ? "no answer within " : "no connection within ") +
              std::to_string(waited.count()) + " ms";
    } else if (ec == beast::http::error::end_of_stream ||
               ec == beast::http::error::partial_message) {
        why = "the connection was closed before the answer was whole";
    } else if (ec == beast::http::error::body_limit) {
        why = "the answer is too large";
    } else if (ec == beast::http::error::header_limit) {
        why = "the answer's header is too large";
    } else if (ec == beast::http::error::bad_status) {
        why = "the answer's status is malformed, or switches protocols";
    } else if (ec.category() == make_error_code(beast::http::error::bad_status).category()) {
        why = "the answer is malformed: " + ec.message();
    }
    return {errc::unavailable, to.authority() + ": " + why};
}

}  // namespace orderproc::server
