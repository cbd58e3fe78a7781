#ifndef ORDERPROC_SERVER_ATTEMPTS_ATTEMPT_TOKENS_HPP
#define ORDERPROC_SERVER_ATTEMPTS_ATTEMPT_TOKENS_HPP

// What an endpoint is given to answer an attempt by: the name of the attempt, signed, so that
// nobody can make one up and every process of a storage can read it.

#include <orderproc/processor.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server {

// Safe to use from any thread.
class attempt_tokens {
public:
    static constexpr std::size_t secret_size_min = 32;

    // The secret is the storage's: random, at least secret_size_min bytes, and all processes have
    // the same.
    explicit attempt_tokens(std::string secret) : secret_(std::move(secret)) {}

    // "17.1.PROCESSING.<32 hexadecimal digits>": lease, number, stage and signature, in characters
    // that a path can have as they are. The order is signed as well, but not in it. The signature
    // is the first half of an HMAC-SHA-256.
    std::string make(const attempt_reference& of) const;
    // nullopt: it was not made of an attempt at this order under this secret.
    std::optional<attempt_reference> read(std::string_view order, std::string_view text) const;

private:
    std::string signature_of(std::string_view order, std::string_view attempt) const;

    const std::string secret_;
};

}  // namespace orderproc::server

#endif
