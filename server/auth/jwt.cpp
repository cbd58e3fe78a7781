#include "auth/jwt.hpp"

#include "auth/strict_json.hpp"
#include "http/base64url.hpp"
#include "http/message.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace orderproc::server::auth {

namespace json = boost::json;

namespace {

constexpr std::int64_t seconds_end = std::int64_t{1} << 53;  // beyond it doubles are no integers
constexpr std::size_t bound_size_max = 256;
constexpr std::size_t name_size_max = 256;  // of the journal's actor

std::optional<std::string_view> text_in(const json::object& from, std::string_view name) {
    const auto* found = from.if_contains(name);
    if (!found || !found->is_string()) return std::nullopt;
    return std::string_view(found->get_string());
}

std::optional<json::object> object_of(std::string_view part) {
    const auto bytes = http::from_base64url(part);
    if (!bytes) return std::nullopt;
    auto parsed = parse_strictly(*bytes);
    if (!parsed || !parsed->is_object()) return std::nullopt;
    return std::move(parsed->get_object());
}

// Of access tokens, and not of others that an issuer signs with the same key (RFC 8725, 3.11).
bool is_type(std::string_view it) noexcept {
    constexpr std::array<std::string_view, 4> known{"JWT", "at+jwt", "application/jwt",
                                                    "application/at+jwt"};
    return std::any_of(known.begin(), known.end(),
                       [&](std::string_view one) { return http::equal_ignoring_case(one, it); });
}

bool read_header(const json::object& from, jwt& to) {
    if (from.contains("crit") || from.contains("b64")) return false;
    if (from.contains("typ") && !is_type(text_in(from, "typ").value_or(""))) return false;
    const auto algorithm = text_in(from, "alg");
    if (!algorithm) return false;
    to.algorithm = *algorithm;
    if (!from.contains("kid")) return true;
    const auto key_id = text_in(from, "kid");
    if (!key_id || key_id->empty() || key_id->size() > jwk_id_size_max) return false;
    to.key_id = *key_id;
    return true;
}

// A NumericDate (RFC 7519, 2): seconds, perhaps with decimals.
std::optional<timestamp> time_of(const json::value& from) {
    if (from.is_double()) {
        const double seconds = from.get_double();
        if (!(seconds >= 0 && seconds < static_cast<double>(seconds_end))) return std::nullopt;
        return timestamp(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
    }
    if (!from.is_int64()) return std::nullopt;
    const std::int64_t seconds = from.get_int64();
    if (seconds < 0 || seconds >= seconds_end) return std::nullopt;
    return timestamp(std::chrono::seconds(seconds));
}

// False: it is there and no time.
bool read_time(const json::object& from, std::string_view name, std::optional<timestamp>& to) {
    const auto* found = from.if_contains(name);
    if (!found) return true;
    to = time_of(*found);
    return to.has_value();
}

jwt_fault check_times(const json::object& claims, timestamp now, timestamp& expires_at) {
    std::optional<timestamp> expires;
    std::optional<timestamp> begins;
    std::optional<timestamp> issued;
    if (!read_time(claims, "exp", expires) || !read_time(claims, "nbf", begins) ||
        !read_time(claims, "iat", issued)) {
        return jwt_fault::malformed;
    }
    if (!expires) return jwt_fault::no_expiry;
    if (now >= *expires + jwt_skew) return jwt_fault::expired;
    if ((begins && now + jwt_skew < *begins) || (issued && now + jwt_skew < *issued)) {
        return jwt_fault::not_yet;
    }
    if (*expires - issued.value_or(now) > jwt_life_max) return jwt_fault::no_expiry;
    expires_at = *expires;
    return jwt_fault::none;
}

bool text_is(const json::value& it, std::string_view what) {
    return it.is_string() && std::string_view(it.get_string()) == what;
}

bool is_for(const json::object& claims, std::string_view audience) {
    const auto* found = claims.if_contains("aud");
    if (!found) return false;
    if (found->is_string()) return text_is(*found, audience);
    if (!found->is_array()) return false;
    const json::array& all = found->get_array();
    const bool texts =
        std::all_of(all.begin(), all.end(), [](const json::value& it) { return it.is_string(); });
    return texts && std::any_of(all.begin(), all.end(),
                                [&](const json::value& it) { return text_is(it, audience); });
}

void add_scope(std::string_view name, scope_set& to) {
    if (const auto found = find_scope(name)) to.add(*found);
}

// A text with spaces (RFC 8693, 4.2), or an array of texts. What is no scope of ours is others'.
scope_set scopes_of(const json::value* from) {
    scope_set out;
    if (from && from->is_string()) {
        std::string_view rest(from->get_string());
        while (!rest.empty()) {
            const std::string_view one = rest.substr(0, rest.find(' '));
            add_scope(one, out);
            rest.remove_prefix(std::min(one.size() + 1, rest.size()));
        }
    } else if (from && from->is_array()) {
        for (const json::value& it : from->get_array()) {
            if (it.is_string()) add_scope(it.get_string(), out);
        }
    }
    return out;
}

// A text of one line, or an integer, as users of the standard order model are.
std::optional<std::string> bound_of(const json::object& claims, std::string_view name) {
    const auto* found = claims.if_contains(name);
    if (!found) return std::nullopt;
    if (found->is_int64() && found->get_int64() >= 0) return std::to_string(found->get_int64());
    if (found->is_uint64()) return std::to_string(found->get_uint64());
    if (!found->is_string()) return std::nullopt;
    std::string out(found->get_string());
    const bool one_line = std::all_of(out.begin(), out.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte != 0x7f;
    });
    if (out.empty() || out.size() > bound_size_max || !one_line) return std::nullopt;
    return out;
}

bool bind(const json::object& claims, const jwt_issuer& by, jwt_identity& to) {
    if (!by.user_claim.empty() && !(to.user = bound_of(claims, by.user_claim))) return false;
    if (!by.tenant_claim.empty() && !(to.tenant = bound_of(claims, by.tenant_claim))) return false;
    if (!to.user && !to.tenant) return true;
    scope_set kept;
    for (const scope it : scopes_in(to.scopes)) {
        if (scopes_of_bound.has(it)) kept.add(it);
    }
    to.scopes = kept;
    return true;
}

}  // namespace

std::string_view name_of(jwt_fault it) noexcept {
    constexpr std::array<std::string_view, 12> names{
        "none",      "malformed", "algorithm", "issuer",   "key",     "signature",
        "no_expiry", "expired",   "not_yet",   "audience", "subject", "binding"};
    return names[static_cast<std::size_t>(it)];
}

std::string_view jwt::issuer() const noexcept {
    return text_in(claims, "iss").value_or(std::string_view());
}

std::optional<jwt> parse_jwt(std::string_view text) {
    if (text.size() > jwt_size_max) return std::nullopt;
    const std::size_t first = text.find('.');
    const std::size_t second = first == text.npos ? text.npos : text.find('.', first + 1);
    if (second == text.npos) return std::nullopt;
    const auto header = object_of(text.substr(0, first));
    auto claims = object_of(text.substr(first + 1, second - first - 1));
    auto signature = http::from_base64url(text.substr(second + 1));  // has no other dot in it
    jwt out;
    if (!header || !claims || !signature || !read_header(*header, out)) return std::nullopt;
    out.signed_part = text.substr(0, second);
    out.signature = std::move(*signature);
    out.claims = std::move(*claims);
    return out;
}

jwt_fault verify_jwt(const jwt& it, const jwt_issuer& by, const jwk_set& keys, timestamp now,
                     jwt_identity& to) {
    const auto algorithm = find_jwt_algorithm(it.algorithm);
    if (!algorithm || !by.takes(*algorithm)) return jwt_fault::algorithm;
    to.key = keys.find(it.key_id, *algorithm);
    if (!to.key) return jwt_fault::key;
    if (!to.key->verifies(it.signed_part, it.signature)) return jwt_fault::signature;
    const jwt_fault times = check_times(it.claims, now, to.expires_at);
    if (times != jwt_fault::none) return times;
    if (!is_for(it.claims, by.audience)) return jwt_fault::audience;
    const auto subject = text_in(it.claims, "sub");
    if (!subject || subject->empty() || subject->size() > jwt_subject_size_max ||
        principal_name(by.name, *subject).empty()) {
        return jwt_fault::subject;
    }
    to.subject = *subject;
    to.scopes = scopes_of(it.claims.if_contains(by.scope_claim));
    return bind(it.claims, by, to) ? jwt_fault::none : jwt_fault::binding;
}

std::string principal_name(std::string_view issuer_name, std::string_view subject) {
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out = "jwt:";
    out.append(issuer_name).append(1, ':');
    for (const char c : subject) {
        if (c > ' ' && c < '\x7f' && c != '%') {
            out.push_back(c);
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out.append({'%', hex[byte >> 4], hex[byte & 15]});
        }
    }
    return out.size() <= name_size_max ? out : std::string();
}

}  // namespace orderproc::server::auth
