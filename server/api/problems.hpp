#ifndef ORDERPROC_SERVER_API_PROBLEMS_HPP
#define ORDERPROC_SERVER_API_PROBLEMS_HPP

// What the handlers refuse, beside what the transport does.

#include "auth/problems.hpp"
#include "http/problem.hpp"

#include <orderproc/json.hpp>

#include <span>
#include <string_view>

namespace orderproc::server {

namespace problems {
using auth::problems::credentials_unavailable;
using auth::problems::forbidden;
using auth::problems::unauthenticated;
using http::problem_kind;
using http::problems::bad_request;
using http::problems::overloaded;
using http::problems::payload_too_large;
inline constexpr problem_kind invalid_json{400, "invalid_json", "The body is not JSON"};
inline constexpr problem_kind invalid_parameter{400, "invalid_parameter",
                                                "A query parameter is invalid"};
inline constexpr problem_kind invalid_idempotency_key{
    400, "invalid_idempotency_key", "Idempotency-Key has to be 1 to 255 printable characters"};
inline constexpr problem_kind not_found{404, "not_found", "There is no such resource"};
inline constexpr problem_kind method_not_allowed{405, "method_not_allowed",
                                                 "The resource does not have this method"};
inline constexpr problem_kind order_exists{409, "order_exists", "The order id is taken"};
inline constexpr problem_kind not_editable{409, "not_editable", "The order cannot be edited now"};
inline constexpr problem_kind transition_refused{409, "transition_refused",
                                                 "The order's status forbids it"};
inline constexpr problem_kind attempt_over{409, "attempt_over", "The attempt is over"};
inline constexpr problem_kind attribute_taken{409, "attribute_taken",
                                              "Another order has this value, which is unique"};
inline constexpr problem_kind version_conflict{409, "version_conflict",
                                               "It was changed by somebody else meanwhile"};
inline constexpr problem_kind precondition_failed{412, "precondition_failed",
                                                  "The order is not at the version of If-Match"};
inline constexpr problem_kind unsupported_media_type{415, "unsupported_media_type",
                                                     "The body is not of a type that is read here"};
inline constexpr problem_kind validation{422, "validation", "The order is invalid"};
inline constexpr problem_kind invalid_webhook{422, "invalid_webhook",
                                              "The webhook endpoint is invalid"};
inline constexpr problem_kind invalid_request{422, "invalid_request", "The body is invalid"};
inline constexpr problem_kind everything_paused{
    409, "everything_paused", "One stage cannot be resumed while all work is paused"};
inline constexpr problem_kind webhook_limit{409, "webhook_limit",
                                            "There are as many as there may be"};
inline constexpr problem_kind idempotency_mismatch{
    422, "idempotency_mismatch", "The idempotency key was used with another request"};
inline constexpr problem_kind internal{500, "internal", "Something went wrong"};
inline constexpr problem_kind not_supported{501, "not_supported",
                                            "The storage of this server cannot do that"};
inline constexpr problem_kind items_unavailable{503, "items_unavailable",
                                                "The items cannot be checked now"};
inline constexpr problem_kind unavailable{503, "unavailable", "The storage is unavailable"};
inline constexpr problem_kind outcome_unknown{503, "outcome_unknown",
                                              "The order may or may not have been stored"};
inline constexpr problem_kind stopping{503, "stopping", "The server is going down"};
}  // namespace problems

// All there are: these, and the transport's.
std::span<const http::problem_kind* const> all_problems() noexcept;

// 503 for what may pass, 501 for what this storage cannot, else 500, which says nothing.
void write_failure(error_code ec, const http::request& to, http::response& out);
void write_failure(const http::problem_kind& kind, const http::request& to, http::response& out);

// 403 naming the scope that is needed, or several of which one is.
void write_forbidden(std::string_view scopes, const http::request& to, http::response& out);

// 400 saying where.
void write_syntax_error(const syntax_error& what, const http::request& to, http::response& out);

// 422 with every error: of an order, or of something else.
void write_validation(std::span<const field_error> errors, const http::request& to,
                      http::response& out);
void write_validation(const http::problem_kind& of, std::span<const field_error> errors,
                      const http::request& to, http::response& out);

// 400 naming the query parameter, and what it may be where that is a list.
void write_bad_parameter(std::string_view parameter, std::string_view detail,
                         const http::request& to, http::response& out,
                         std::span<const std::string_view> allowed = {});

// Appends a member of that name: a list of words.
void append_words(std::string_view name, std::span<const std::string_view> words,
                  std::string& members);

}  // namespace orderproc::server

#endif
