#ifndef ORDERPROC_SERVER_API_CURSOR_SEAL_HPP
#define ORDERPROC_SERVER_API_CURSOR_SEAL_HPP

// Cursors whose holder learns nothing from them.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server {

// Encrypts and authenticates short texts with a synthetic initialization vector (Rogaway and
// Shrimpton, 2006; RFC 5297 is the same with AES), so that equal texts have equal seals and no
// random number is needed. The pseudorandom function is SHA-256, cut to 128 bits, of the secret and
// the text behind it (Coron and others, 2005: what is cut off keeps the text from being
// continued). Immutable: safe to use from any thread.
class cursor_seal {
public:
    static constexpr std::size_t secret_size_min = 32;
    static constexpr std::size_t content_size_max = 255;

    // secret: random text that is the same in all processes which are to open what one of them
    // has sealed. REQUIRES: secret_size_min characters or more.
    explicit cursor_seal(std::string secret) : secret_(std::move(secret)) {}

    // context: what has to be the same when it is opened. size: what the content may come to at
    // most; the seal shows this one alone. REQUIRES: content.size() <= size <= content_size_max.
    std::string seal(std::string_view context, std::string_view content, std::size_t size) const;
    // None: it was not sealed with this secret in this context, or was changed.
    std::optional<std::string> open(std::string_view context, std::string_view sealed) const;

private:
    std::string tag_of(std::string_view context, std::string_view padded) const;
    std::string masked(std::string_view tag, std::string_view text) const;

    const std::string secret_;
};

}  // namespace orderproc::server

#endif
