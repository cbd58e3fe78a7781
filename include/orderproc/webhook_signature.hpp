#ifndef ORDERPROC_WEBHOOK_SIGNATURE_HPP
#define ORDERPROC_WEBHOOK_SIGNATURE_HPP

// Signatures of Standard Webhooks 1.0 (github.com/standard-webhooks/standard-webhooks): an HMAC by
// which a receiver tells that a message is from the sender that it shares a secret with, that
// nobody changed it, and when it was sent.

#include <orderproc/error.hpp>
#include <orderproc/timestamp.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {

inline constexpr std::string_view webhook_secret_prefix = "whsec_";

// A secret that sender and receiver share: 24 to 64 bytes. It is never printed, nor part of any
// error.
class ORDERPROC_EXPORT webhook_secret {
public:
    static constexpr std::size_t size_min = 24;
    static constexpr std::size_t size_max = 64;

    // "whsec_" and the bytes in base64 (RFC 4648, section 4, with its padding).
    // errc::invalid_argument: it is not, or has too few or too many bytes.
    static result<webhook_secret> parse(std::string_view text);
    // 32 bytes of the system's cryptographic generator. errc::unavailable: it has none to give.
    static result<webhook_secret> make();

    std::string text() const;  // as parse() reads it
    std::string_view bytes() const noexcept { return bytes_; }
    friend bool operator==(const webhook_secret&, const webhook_secret&) = default;

private:
    explicit webhook_secret(std::string bytes) noexcept : bytes_(std::move(bytes)) {}
    std::string bytes_;
};

// The value of the header webhook-signature: "v1," and the base64 of the HMAC-SHA256 of
// "id.seconds.body", where id and seconds are the values of webhook-id and webhook-timestamp
// (webhook_timestamp()), and the body is as it is sent. Several secrets give as many signatures,
// separated by spaces: a receiver accepts a message if one of them is right.
// errc::invalid_argument: there is no secret; errc::unavailable: OpenSSL failed, for want of
// memory.
ORDERPROC_EXPORT result<std::string> webhook_signature(const webhook_secret& with,
                                                       std::string_view id, timestamp at,
                                                       std::string_view body);
ORDERPROC_EXPORT result<std::string> webhook_signature(std::span<const webhook_secret> with,
                                                       std::string_view id, timestamp at,
                                                       std::string_view body);

// The value of webhook-timestamp: whole seconds since 1970, in decimal.
ORDERPROC_EXPORT std::string webhook_timestamp(timestamp at);

// The headers of a message, as they came.
struct webhook_headers {
    std::string_view id;         // webhook-id
    std::string_view timestamp;  // webhook-timestamp
    std::string_view signature;  // webhook-signature
};

// For receivers. True: one of the signatures is right for the secret, which is compared in
// constant time, and the time is no more than the tolerance from now. The same id may come again:
// a receiver that has seen it answers as before, and does nothing.
ORDERPROC_EXPORT bool verify_webhook(const webhook_secret& with, const webhook_headers& headers,
                                     std::string_view body, timestamp now,
                                     std::chrono::milliseconds tolerance = std::chrono::minutes(5));

}  // namespace v1
}  // namespace orderproc

#endif
