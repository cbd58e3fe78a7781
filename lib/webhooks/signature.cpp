#include "webhooks/base64.hpp"

#include <orderproc/webhook_signature.hpp>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t made_secret_size = 32;
constexpr std::string_view signature_version = "v1,";

const unsigned char* unsigned_bytes(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

// The signed content is "id.seconds.body", seconds as the receiver gets them.
std::optional<std::string> sign(const webhook_secret& with, std::string_view id,
                                std::string_view seconds, std::string_view body) {
    std::string content;
    content.reserve(id.size() + seconds.size() + body.size() + 2);
    content.append(id).append(1, '.').append(seconds).append(1, '.').append(body);
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
    unsigned size = 0;
    const std::string_view key = with.bytes();
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), unsigned_bytes(content),
             content.size(), mac.data(), &size) == nullptr) {
        return std::nullopt;
    }
    return std::string(signature_version)
        .append(detail::to_base64({reinterpret_cast<const char*>(mac.data()), size}));
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

namespace detail {

std::string to_base64(std::string_view bytes) {
    std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // it writes a NUL behind them
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     unsigned_bytes(bytes), static_cast<int>(bytes.size()));
    out.resize(static_cast<std::size_t>(size));
    return out;
}

// OpenSSL's decoder takes white space, and bits behind the last byte: what it takes is written
// again and compared.
std::optional<std::string> from_base64(std::string_view text) {
    if (text.empty()) return std::string();
    if (text.size() % 4 != 0) return std::nullopt;
    std::string out(text.size() / 4 * 3, '\0');
    const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                     unsigned_bytes(text), static_cast<int>(text.size()));
    if (size < 0) return std::nullopt;
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
    out.resize(static_cast<std::size_t>(size) - padding);
    if (to_base64(out) != text) return std::nullopt;
    return out;
}

}  // namespace detail

result<webhook_secret> webhook_secret::parse(std::string_view text) {
    const failure bad{errc::invalid_argument,
                      "a webhook secret is \"whsec_\" and 24 to 64 bytes in base64"};
    if (!text.starts_with(webhook_secret_prefix)) return bad;
    auto bytes = detail::from_base64(text.substr(webhook_secret_prefix.size()));
    if (!bytes || bytes->size() < size_min || bytes->size() > size_max) return bad;
    return webhook_secret(std::move(*bytes));
}

result<webhook_secret> webhook_secret::make() {
    std::string bytes(made_secret_size, '\0');
    if (RAND_priv_bytes(reinterpret_cast<unsigned char*>(bytes.data()),
                        static_cast<int>(bytes.size())) != 1) {
        return failure{errc::unavailable, "the system has no random numbers for a secret"};
    }
    return webhook_secret(std::move(bytes));
}

std::string webhook_secret::text() const {
    return std::string(webhook_secret_prefix).append(detail::to_base64(bytes_));
}

std::string webhook_timestamp(timestamp at) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count());
}

result<std::string> webhook_signature(const webhook_secret& with, std::string_view id, timestamp at,
                                      std::string_view body) {
    return webhook_signature(std::span(&with, 1), id, at, body);
}

result<std::string> webhook_signature(std::span<const webhook_secret> with, std::string_view id,
                                      timestamp at, std::string_view body) {
    if (with.empty()) return failure{errc::invalid_argument, "no secret to sign with"};
    const std::string seconds = webhook_timestamp(at);
    std::string out;
    for (const webhook_secret& it : with) {
        const auto one = sign(it, id, seconds, body);
        if (!one) return failure{errc::unavailable, "OpenSSL could not make an HMAC"};
        if (!out.empty()) out += ' ';
        out += *one;
    }
    return out;
}

bool verify_webhook(const webhook_secret& with, const webhook_headers& headers,
                    std::string_view body, timestamp now, std::chrono::milliseconds tolerance) {
    std::int64_t seconds = 0;
    const std::string_view sent = headers.timestamp;
    const auto [end, ec] = std::from_chars(sent.data(), sent.data() + sent.size(), seconds);
    if (ec != std::errc() || end != sent.data() + sent.size()) return false;
    const auto limit = std::chrono::ceil<std::chrono::seconds>(tolerance).count();
    const auto here = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
    if (seconds < here - limit || seconds > here + limit) return false;
    const auto expected = sign(with, headers.id, sent, body);
    if (!expected) return false;
    bool found = false;
    for (std::string_view rest = headers.signature; !rest.empty();) {
        const std::size_t space = rest.find(' ');
        if (equal_in_constant_time(rest.substr(0, space), *expected)) found = true;
        rest = space == rest.npos ? std::string_view() : rest.substr(space + 1);
    }
    return found;
}

}  // namespace v1
}  // namespace orderproc
