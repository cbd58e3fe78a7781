#include "api/problems.hpp"

#include "api/idempotency.hpp"

#include <string>

namespace orderproc::server {

namespace {

// Long enough for a batch or a reconnection, short enough not to lose the client.
constexpr std::string_view retry_after_seconds = "1";

const http::problem_kind& kind_of(error_code ec) noexcept {
    if (ec == errc::overloaded) return problems::overloaded;
    // The next try is made under the model that is stored now.
    if (ec == errc::unavailable || ec == errc::model_changed) return problems::unavailable;
    if (ec == errc::outcome_unknown) return problems::outcome_unknown;
    if (ec == errc::stopped) return problems::stopping;
    if (ec == errc::not_supported) return problems::not_supported;
    return problems::internal;
}

// Then what is sent again is not done twice.
bool has_key(const http::request& it) noexcept {
    const key_field key = read_idempotency_key(it);
    return key.valid && !key.text.empty();
}

}  // namespace

std::span<const http::problem_kind* const> all_problems() noexcept {
    using namespace problems;
    namespace transport = http::problems;
    static constexpr const http::problem_kind* table[] = {
        &bad_request,
        &invalid_json,
        &invalid_parameter,
        &invalid_idempotency_key,
        &unauthenticated,
        &forbidden,
        &transport::cross_site,
        &transport::foreign_host,
        &not_found,
        &method_not_allowed,
        &transport::request_timeout,
        &order_exists,
        &not_editable,
        &transition_refused,
        &attempt_over,
        &attribute_taken,
        &version_conflict,
        &webhook_limit,
        &everything_paused,
        &precondition_failed,
        &payload_too_large,
        &transport::uri_too_long,
        &unsupported_media_type,
        &transport::expectation_failed,
        &validation,
        &invalid_webhook,
        &invalid_request,
        &idempotency_mismatch,
        &transport::rate_limited,
        &transport::header_too_large,
        &internal,
        &not_supported,
        &overloaded,
        &items_unavailable,
        &unavailable,
        &credentials_unavailable,
        &outcome_unknown,
        &stopping,
        &transport::too_many_connections,
    };
    return table;
}

void write_failure(error_code ec, const http::request& to, http::response& out) {
    write_failure(kind_of(ec), to, out);
}

void write_failure(const http::problem_kind& kind, const http::request& to, http::response& out) {
    http::write_problem(kind, {}, to, out);
    // Not for an unknown outcome without a key: a blind retry may make a second order.
    const bool in_doubt = kind.code == problems::outcome_unknown.code;
    if (kind.status == 503 && (!in_doubt || has_key(to))) {
        out.add("Retry-After", retry_after_seconds);
    }
}

void write_syntax_error(const syntax_error& what, const http::request& to, http::response& out) {
    const std::string line = std::to_string(what.line);
    const std::string column = std::to_string(what.column);
    http::write_problem(problems::invalid_json,
                        "line " + line + ", column " + column + ": " + what.detail, to, out,
                        R"("line":)" + line + R"(,"column":)" + column);
}

void write_validation(std::span<const field_error> errors, const http::request& to,
                      http::response& out) {
    write_validation(problems::validation, errors, to, out);
}

void write_validation(const http::problem_kind& of, std::span<const field_error> errors,
                      const http::request& to, http::response& out) {
    std::string members = R"("errors":[)";
    for (const field_error& it : errors) {
        if (&it != errors.data()) members.append(1, ',');
        members.append(R"({"pointer":)");
        append_json_string(it.pointer, members);
        members.append(R"(,"code":)");
        append_json_string(it.code, members);
        members.append(R"(,"detail":)");
        append_json_string(it.detail, members);
        members.append(1, '}');
    }
    members.append(1, ']');
    http::write_problem(of, {}, to, out, members);
}

void append_words(std::string_view name, std::span<const std::string_view> words,
                  std::string& members) {
    if (!members.empty()) members.append(1, ',');
    members.append(1, '"').append(name).append("\":[");
    for (const std::string_view word : words) {
        if (members.back() != '[') members.append(1, ',');
        append_json_string(word, members);
    }
    members.append(1, ']');
}

void write_bad_parameter(std::string_view parameter, std::string_view detail,
                         const http::request& to, http::response& out,
                         std::span<const std::string_view> allowed) {
    std::string members = R"("parameter":)";
    append_json_string(parameter, members);
    if (!allowed.empty()) append_words("allowed_values", allowed, members);
    http::write_problem(problems::invalid_parameter, detail, to, out, members);
}

}  // namespace orderproc::server
