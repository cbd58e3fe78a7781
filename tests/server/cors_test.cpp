// Pages of other origins, over real sockets: also what is refused before a handler sees it is
// theirs to read, and all that they are told is in /openapi.json.

#include "api/cors.hpp"

#include "api/api_service.hpp"
#include "client.hpp"
#include "documented.hpp"
#include "http/server.hpp"

#include <orderproc/memory.hpp>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

const std::string origin = "Origin: https://shop.example\r\n";
const std::string stranger = "Origin: https://evil.example\r\n";

std::string request(std::string_view method, std::string_view target, std::string_view fields) {
    return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n" +
           std::string(fields) + "\r\n";
}

// The comma-separated words.
std::vector<std::string> words(std::string_view text) {
    std::vector<std::string> out;
    for (;;) {
        const auto comma = text.find(", ");
        out.emplace_back(text.substr(0, comma));
        if (comma == text.npos) return out;
        text.remove_prefix(comma + 2);
    }
}

// What the document does not say of an answer that came over a socket; empty: nothing.
std::string undocumented(std::string_view method, std::string_view path, const answer& got) {
    http::request in;
    in.method = method;
    in.path = path;
    http::response out;
    out.status = static_cast<unsigned>(got.status);
    const std::string type = got.find("Content-Type").value_or("");
    out.content_type = type;
    out.body = got.body;
    std::string_view lines = std::string_view(got.head).substr(got.head.find("\r\n") + 2);
    while (!lines.empty()) {
        const std::string_view line = lines.substr(0, lines.find("\r\n") + 2);
        const std::string_view name = line.substr(0, line.find(':'));
        const bool framing = name == "Date" || name == "Connection" || name.starts_with("Content-");
        if (!framing) out.fields.append(line);
        lines.remove_prefix(line.size());
    }
    return documentation::standard().missing(in, out);
}

struct fixture {
    fixture() {
        options.limits.body_size_max = 4096;
        options.admits.overloaded = [this](const http::request&) { return overloaded.load(); };
    }
    void open(std::vector<std::string> origins = {"https://shop.example"}) {
        cors = std::make_unique<cors_service>(service, std::move(origins));
        server = http::server::open(options, *cors).value();
    }
    client call() { return client(server->port()); }

    // A new connection's, which the page may read and which is as documented.
    answer refused(int status, std::string_view method, std::string_view target,
                   const std::string& bytes) {
        const answer got = call().ask(bytes);
        BOOST_TEST_CONTEXT(method << ' ' << target << ' ' << status) {
            BOOST_TEST(got.status == status);
            BOOST_TEST(got.find("Access-Control-Allow-Origin").value_or("") ==
                       "https://shop.example");
            BOOST_TEST(got.find("Access-Control-Expose-Headers").value_or("") ==
                       cors_exposed_fields);
            BOOST_TEST(got.find("X-Request-Id").has_value());
            BOOST_TEST(undocumented(method, target, got) == "");
        }
        return got;
    }

    std::unique_ptr<storage> store = make_memory_storage();
    engine orders{*store, status_machine::standard(), system_runtime()};
    reader reads{*store};
    api handlers{orders, reads};
    api_service service{handlers};
    std::unique_ptr<cors_service> cors;
    http::server_options options;
    std::atomic<bool> overloaded{false};
    std::unique_ptr<http::server> server;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cors, fixture)

BOOST_AUTO_TEST_CASE(preflights_are_documented) {
    open();
    const std::string asks = "Access-Control-Request-Method: PATCH\r\n";
    for (const std::string& whose : {origin, stranger}) {
        client caller = call();
        for (const char* path : {"/orders", "/orders/A-1", "/orders/A-1/cancel", "/events", "/"}) {
            const answer got = caller.ask(request("OPTIONS", path, whose + asks));
            BOOST_TEST(got.status == 204, path);
            BOOST_TEST(undocumented("OPTIONS", path, got) == "");
            BOOST_TEST(got.find("Access-Control-Allow-Methods").has_value() == (whose == origin));
        }
    }
}

BOOST_AUTO_TEST_CASE(fields_that_the_operator_adds) {
    const std::vector<std::string> fields{"X-Tenant", "x-b3-traceid"};
    cors_service with(service, {"https://shop.example"}, fields);
    http::request in;
    const http::field asked[] = {{"Origin", "https://shop.example"},
                                 {"Access-Control-Request-Method", "POST"}};
    in.method = "OPTIONS";
    in.path = "/orders";
    in.fields = asked;
    http::response out;
    BOOST_REQUIRE(with.answer_preflight(in, out));
    for (const char* name : {"baggage", "sentry-trace", "traceparent", "tracestate"}) {
        BOOST_TEST(out.fields.find(std::string(name) + ", ") != std::string::npos, name);
    }
    BOOST_TEST(out.fields.find("tracestate, X-Tenant, x-b3-traceid\r\n") != std::string::npos);
    for (const char* bad : {"", "X Tenant", "X:", "a,b", "X\r\nY", "\xC3\xA9"}) {
        BOOST_TEST(!is_cors_field(bad), bad);
    }
    BOOST_TEST(is_cors_field("X-Tenant"));
}

// The lists that pages are given name nothing that the document does not know.
BOOST_AUTO_TEST_CASE(the_lists_are_of_documented_fields) {
    const auto& components = documentation::standard().root().at("components");
    for (const std::string& it : words(cors_exposed_fields)) {
        BOOST_TEST(components.at("headers").as_object().contains(it), it);
    }
    for (const std::string& it : words(cors_allowed_fields)) {
        // What OpenAPI says elsewhere, and what who traces sends along and nobody here reads.
        const bool no_parameter = it == "Authorization" || it == "Content-Type" ||
                                  it == "tracestate" || it == "baggage" || it == "sentry-trace";
        BOOST_TEST((no_parameter || components.at("parameters").as_object().contains(it)), it);
    }
}

BOOST_AUTO_TEST_CASE(what_the_transport_refuses) {
    options.body_timeout = std::chrono::milliseconds(50);
    open();
    const std::string chunked = origin + "Transfer-Encoding: chunked\r\n";
    refused(400, "GET", "/orders", request("GET", "/orders", origin + "Host: b\r\n"));
    refused(400, "POST", "/orders", request("POST", "/orders", chunked) + "zz\r\n\r\n");
    refused(400, "POST", "/orders", request("POST", "/orders", chunked + "Content-Length: 1\r\n"));
    refused(405, "DELETE", "/orders", request("DELETE", "/orders", origin));
    refused(408, "POST", "/orders", request("POST", "/orders", origin + "Content-Length: 1\r\n"));
    refused(413, "POST", "/orders",
            request("POST", "/orders", origin + "Content-Length: 9999\r\n"));
    refused(413, "POST", "/orders", request("POST", "/orders", chunked) + "2000\r\n");
    refused(414, "GET", "/orders",
            request("GET", "/orders?user_id=" + std::string(2048, '1'), origin));
    refused(417, "POST", "/orders", request("POST", "/orders", origin + "Expect: a tip\r\n"));
    std::string many;
    for (int i = 0; i < 64; ++i) many.append("X: a\r\n");
    refused(431, "GET", "/orders", request("GET", "/orders", origin + many));
}

BOOST_AUTO_TEST_CASE(shedding) {
    open();
    overloaded = true;
    const answer got = refused(503, "GET", "/orders", request("GET", "/orders", origin));
    BOOST_TEST(got.says("\"code\":\"overloaded\""));
    BOOST_TEST(got.find("Retry-After").has_value());
}

BOOST_AUTO_TEST_CASE(rates) {
    options.admits.limit = http::rate{0.001, 1};
    open();
    const std::string ask = request("GET", "/orders", origin);
    const answer first = call().ask(ask);
    BOOST_TEST(first.status == 200);
    BOOST_TEST(first.find("RateLimit").has_value());
    BOOST_TEST(undocumented("GET", "/orders", first) == "");
    BOOST_TEST(refused(429, "GET", "/orders", ask).find("Retry-After").has_value());
}

// Nothing was read of it, so nobody knows whose page it is.
BOOST_AUTO_TEST_CASE(one_connection_too_many) {
    options.connections_max = 1;
    const std::string named = "https://shop.example";
    for (const auto& [origins, told] :
         {std::pair{std::vector{named}, named},
          std::pair{std::vector<std::string>{"*"}, std::string("*")},
          std::pair{std::vector{named, std::string("https://b.example")}, std::string("*")}}) {
        open(origins);
        client first = call();
        BOOST_TEST(first.ask(request("GET", "/healthz", "")).status == 200);
        client second = call();
        const answer got = second.read();
        BOOST_TEST(got.status == 503);
        BOOST_TEST(got.says("\"code\":\"too_many_connections\""));
        BOOST_TEST(got.says("\"request_id\":\"" + got.find("X-Request-Id").value_or("?") + "\""));
        BOOST_TEST(got.find("Access-Control-Allow-Origin").value_or("") == told);
        BOOST_TEST(got.find("Access-Control-Expose-Headers").has_value());
        BOOST_TEST(got.find("Connection").value_or("") == "close");
        BOOST_TEST(undocumented("GET", "/orders", got) == "");
        BOOST_TEST(second.closed());
    }
}

// Who does not name any origin has said nothing to pages.
BOOST_AUTO_TEST_CASE(without_origins_nothing_is_said) {
    options.connections_max = 1;
    server = http::server::open(options, service).value();
    client first = call();
    const answer got = first.ask(request("GET", "/healthz", origin));
    client second = call();
    for (const answer& it : {got, second.read()}) {
        BOOST_TEST(it.head.find("Access-Control") == std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
