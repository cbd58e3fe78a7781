#ifndef ORDERPROC_SERVER_AUTH_API_KEY_HPP
#define ORDERPROC_SERVER_AUTH_API_KEY_HPP

// API keys: what a client sends, and what is kept of it.

#include "auth/scope.hpp"
#include "http/client_address.hpp"

#include <orderproc/idempotency.hpp>
#include <orderproc/timestamp.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::auth {

inline constexpr std::string_view key_prefix = "op_";
inline constexpr std::size_t key_id_size = 8;
inline constexpr std::size_t key_secret_size = 43;  // base62: 256 random bits
inline constexpr std::size_t key_check_size = 6;
inline constexpr std::size_t key_environment_size_max = 12;
inline constexpr std::size_t key_name_size_max = 64;
inline constexpr std::string_view key_collection = "api_keys";

// op_<environment>_<id>_<secret>_<check>. The check is a CRC-32 of what is before it, so that
// typing errors and finds of scanners are told from keys without a look-up. Views the text.
struct key_text {
    std::string_view environment;
    std::string_view id;
    std::string_view secret;
};
// nullopt: it is no key, or the check does not fit.
std::optional<key_text> parse_key(std::string_view text) noexcept;
// Whether a text has something in it that looks like the beginning of a key and is as long.
bool has_key(std::string_view text) noexcept;

// A new key of random bits of the system's. Throws std::system_error if it has none.
// REQUIRES: is_key_environment(environment).
std::string make_key(std::string_view environment);
bool is_key_environment(std::string_view text) noexcept;  // 1 to 12 of [a-z0-9]
bool is_key_name(std::string_view text) noexcept;  // 1 to 64 of [a-z0-9._-], the first [a-z0-9]

// What is stored. Of the secret a digest alone: it is random, so none has to be slow.
struct api_key {
    std::string id;
    std::string name;
    digest secret{};
    scope_set scopes;
    std::optional<std::string> user;    // bound to this user…
    std::optional<std::string> tenant;  // …or to this tenant
    std::vector<std::string> networks;  // from which it may be used; empty: from anywhere
    timestamp created_at{};
    std::string created_by;
    std::optional<timestamp> expires_at;
    std::optional<timestamp> revoked_at;
    std::optional<timestamp> disabled_at;  // until somebody enables it, it counts as ended
    std::string rotated_from;              // the id of the key in whose place it came; empty: none

    bool bound() const noexcept { return user || tenant; }
    // When it stops, or stopped; none: it has no end.
    std::optional<timestamp> ends_at() const noexcept;
    bool ended(timestamp now) const noexcept;  // or is disabled
};

// What makes no sense: errc::invalid_argument, saying which part.
result<void> validate(const api_key& it);

std::string encode(const api_key& it);
// errc::corrupt: it is not what encode() writes.
result<api_key> decode_key(std::string_view id, std::string_view value);

// Characters of base62, random as those of a key.
std::string random_text(std::size_t size);

}  // namespace orderproc::server::auth

#endif
