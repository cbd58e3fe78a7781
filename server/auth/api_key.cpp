#include "auth/api_key.hpp"

#include "text/secret_text.hpp"

#include <boost/crc.hpp>
#include <boost/json.hpp>

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace orderproc::server::auth {

namespace json = boost::json;
using orderproc::to_string;  // of a time

namespace {

constexpr std::string_view base62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t tail_size = 1 + key_id_size + 1 + key_secret_size + 1 + key_check_size;
constexpr std::size_t networks_max = 64;
constexpr std::size_t bound_size_max = 256;

bool all_base62(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    });
}

std::array<char, key_check_size> check_of(std::string_view text) noexcept {
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    std::uint32_t value = crc.checksum();
    std::array<char, key_check_size> out;
    for (char& c : out) {
        c = base62[value % base62.size()];
        value /= static_cast<std::uint32_t>(base62.size());
    }
    return out;
}

int digit_of(char c) noexcept {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool read_hex(std::string_view text, digest& out) noexcept {
    if (text.size() != out.size() * 2) return false;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const int high = digit_of(text[2 * i]);
        const int low = digit_of(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        out[i] = static_cast<std::byte>(high * 16 + low);
    }
    return true;
}

void put_time(json::object& to, std::string_view name, const std::optional<timestamp>& at) {
    if (at) to[name] = to_string(*at);
}

// What is read of one record. All throws are caught by decode_key().
std::string text_in(const json::object& from, std::string_view name) {
    const auto* found = from.if_contains(name);
    return found ? std::string(found->as_string()) : std::string();
}

std::optional<std::string> optional_in(const json::object& from, std::string_view name) {
    const auto* found = from.if_contains(name);
    return found ? std::optional<std::string>(found->as_string()) : std::nullopt;
}

std::optional<timestamp> time_in(const json::object& from, std::string_view name) {
    const auto* found = from.if_contains(name);
    if (!found) return std::nullopt;
    return parse_timestamp(found->as_string()).value();
}

std::vector<std::string> texts_in(const json::object& from, std::string_view name) {
    std::vector<std::string> out;
    const auto* found = from.if_contains(name);
    if (!found) return out;
    for (const json::value& it : found->as_array()) out.emplace_back(it.as_string());
    return out;
}

api_key read_key(std::string_view id, const json::object& from) {
    api_key out;
    out.id = id;
    out.name = text_in(from, "name");
    if (!read_hex(text_in(from, "digest"), out.secret)) throw std::invalid_argument("digest");
    out.scopes = parse_scopes(texts_in(from, "scopes")).value();
    out.user = optional_in(from, "user");
    out.tenant = optional_in(from, "tenant");
    out.networks = texts_in(from, "networks");
    out.created_at = parse_timestamp(text_in(from, "created_at")).value();
    out.created_by = text_in(from, "created_by");
    out.expires_at = time_in(from, "expires_at");
    out.revoked_at = time_in(from, "revoked_at");
    out.disabled_at = time_in(from, "disabled_at");
    out.rotated_from = text_in(from, "rotated_from");
    return out;
}

}  // namespace

std::optional<key_text> parse_key(std::string_view text) noexcept {
    if (!text.starts_with(key_prefix)) return std::nullopt;
    if (text.size() < key_prefix.size() + 1 + tail_size) return std::nullopt;
    const std::size_t tail = text.size() - tail_size;
    key_text out;
    out.environment = text.substr(key_prefix.size(), tail - key_prefix.size());
    const std::size_t secret = tail + 1 + key_id_size + 1;
    const std::size_t check = secret + key_secret_size + 1;
    if (text[tail] != '_' || text[secret - 1] != '_' || text[check - 1] != '_') return std::nullopt;
    out.id = text.substr(tail + 1, key_id_size);
    out.secret = text.substr(secret, key_secret_size);
    if (!is_key_environment(out.environment) || !all_base62(out.id) || !all_base62(out.secret)) {
        return std::nullopt;
    }
    const auto expected = check_of(text.substr(0, check - 1));
    if (!std::equal(expected.begin(), expected.end(), text.begin() + check)) return std::nullopt;
    return out;
}

bool has_key(std::string_view text) noexcept {
    std::size_t at = 0;
    while ((at = text.find(key_prefix, at)) != text.npos) {
        const std::string_view rest = text.substr(at);
        const auto end = std::find_if(rest.begin(), rest.end(), [](char c) {
            return c != '_' && !all_base62({&c, 1});
        });
        const auto size = static_cast<std::size_t>(end - rest.begin());
        if (size > key_prefix.size() + key_secret_size) return true;
        at += size;  // what begins within it is shorter
    }
    return false;
}

std::string random_text(std::size_t size) {
    constexpr unsigned char fair = 256 / base62.size() * base62.size();  // below it all are alike
    std::string out;
    while (out.size() < size) {
        std::array<unsigned char, 64> bytes;
        const auto got = ::getrandom(bytes.data(), bytes.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
        for (std::size_t i = 0; i < static_cast<std::size_t>(got) && out.size() < size; ++i) {
            if (bytes[i] < fair) out.push_back(base62[bytes[i] % base62.size()]);
        }
    }
    return out;
}

std::string make_key(std::string_view environment) {
    std::string out(key_prefix);
    out.append(environment).append(1, '_').append(random_text(key_id_size));
    out.append(1, '_').append(random_text(key_secret_size));
    const auto check = check_of(out);
    return out.append(1, '_').append(check.data(), check.size());
}

bool is_key_environment(std::string_view text) noexcept {
    return !text.empty() && text.size() <= key_environment_size_max &&
           std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

bool is_key_name(std::string_view text) noexcept {
    const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= key_name_size_max && plain(text.front()) &&
           std::all_of(text.begin(), text.end(),
                       [&](char c) { return plain(c) || c == '.' || c == '_' || c == '-'; });
}

std::optional<timestamp> api_key::ends_at() const noexcept {
    if (revoked_at && expires_at) return std::min(*revoked_at, *expires_at);
    return revoked_at ? revoked_at : expires_at;
}

bool api_key::ended(timestamp now) const noexcept {
    return revoked_at || disabled_at || (expires_at && *expires_at <= now);
}

result<void> validate(const api_key& it) {
    const auto bad = [](std::string why) {
        return failure{errc::invalid_argument, std::move(why)};
    };
    if (!is_key_name(it.name)) {
        return bad("the name \"" + it.name +
                   "\" is not 1 to 64 lower-case letters, digits, \".\", \"_\" or \"-\", such as "
                   "web-shop");
    }
    if (it.scopes.empty()) return bad("at least one scope of " + names_of_scopes());
    if (it.user && it.tenant) return bad("a key is bound to a user or to a tenant, not to both");
    if (it.bound() && !scopes_of_bound.holds(it.scopes)) {
        return bad("a key that is bound to a user or a tenant may have no scopes but " +
                   to_string(scopes_of_bound));
    }
    for (const auto* text : {&it.user, &it.tenant}) {
        if (*text && ((*text)->empty() || (*text)->size() > bound_size_max)) {
            return bad("a user or a tenant has 1 to 256 bytes");
        }
    }
    if (it.networks.size() > networks_max) return bad("a key has at most 64 networks");
    for (const std::string& one : it.networks) {
        if (auto range = http::address_range::parse(one); !range) return range.error();
    }
    return {};
}

std::string encode(const api_key& it) {
    json::object out;
    out["name"] = it.name;
    out["digest"] = hex_of(it.secret);
    json::array scopes;
    for (const scope one : scopes_in(it.scopes)) scopes.emplace_back(to_string(one));
    out["scopes"] = std::move(scopes);
    if (it.user) out["user"] = *it.user;
    if (it.tenant) out["tenant"] = *it.tenant;
    if (!it.networks.empty()) {
        json::array networks;
        for (const std::string& one : it.networks) networks.emplace_back(one);
        out["networks"] = std::move(networks);
    }
    out["created_at"] = to_string(it.created_at);
    out["created_by"] = it.created_by;
    put_time(out, "expires_at", it.expires_at);
    put_time(out, "revoked_at", it.revoked_at);
    put_time(out, "disabled_at", it.disabled_at);
    if (!it.rotated_from.empty()) out["rotated_from"] = it.rotated_from;
    return json::serialize(out);
}

result<api_key> decode_key(std::string_view id, std::string_view value) {
    try {
        api_key out = read_key(id, json::parse(value).as_object());
        if (auto ok = validate(out); !ok) return failure{errc::corrupt, ok.error().detail};
        return out;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception& why) {
        return failure{errc::corrupt, "the record of key " + std::string(id) + ": " + why.what()};
    }
}

}  // namespace orderproc::server::auth
