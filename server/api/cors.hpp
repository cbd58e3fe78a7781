#ifndef ORDERPROC_SERVER_API_CORS_HPP
#define ORDERPROC_SERVER_API_CORS_HPP

// Which pages of other origins may ask (fetch.spec.whatwg.org, 3.2).

#include "http/service.hpp"

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// Of answers, beside those that pages may always read.
inline constexpr std::string_view cors_exposed_fields =
    "ETag, Location, Link, Retry-After, X-Request-Id, Idempotency-Replayed, Feed-Position, "
    "RateLimit, RateLimit-Policy";
// Of requests: those that browsers ask about. "*" would leave out Authorization.
inline constexpr std::string_view cors_allowed_fields =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, "
    "X-Request-Id, baggage, sentry-trace, traceparent, tracestate";
// How long a browser need not ask again.
inline constexpr std::string_view cors_preflight_seconds = "600";

// "https://shop.example" or "https://shop.example:8443", in lower case as browsers send it, or
// "*" for all.
bool is_cors_origin(std::string_view text) noexcept;
// The name of a field (RFC 9110, 5.6.2) that pages may send beside cors_allowed_fields.
bool is_cors_field(std::string_view text) noexcept;

// Answers preflights, whoever asks: they carry no credentials. All other answers, errors and
// streams too, say to a page of one of the origins that it may read them, and their fields.
class cors_service final : public http::service {
public:
    // REQUIRES: each is_cors_origin(), each of fields is_cors_field(). inner outlives it.
    cors_service(http::service& inner, std::vector<std::string> origins,
                 std::span<const std::string> fields = {});

    std::unique_ptr<http::session> open(http::exchange& by) override;
    void work() noexcept override { inner_.work(); }
    // Whose page it is nobody knows yet: with several origins every page may read it.
    void turned_away(http::response& out) const override;

    // Adds what a browser has to know about this answer.
    void add_fields(const http::request& in, http::response& out) const;
    // Answers a preflight of an origin that may; else false.
    bool answer_preflight(const http::request& in, http::response& out) const;

private:
    http::service& inner_;
    const std::vector<std::string> origins_;
    const bool all_;
    std::string allowed_fields_{cors_allowed_fields};
};

}  // namespace orderproc::server

#endif
