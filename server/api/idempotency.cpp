#include "api/idempotency.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <string>

namespace orderproc::server {

digest digest_of(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> whole;
    if (EVP_Digest(text.data(), text.size(), whole.data(), nullptr, EVP_sha256(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not to be had");
    }
    digest out;
    std::memcpy(out.data(), whole.data(), out.size());
    return out;
}

key_field read_idempotency_key(const http::request& in) noexcept {
    key_field out;
    bool there = false;
    for (const http::field& it : in.fields) {
        if (!http::equal_ignoring_case(it.name, "Idempotency-Key")) continue;
        out.text = it.value;
        out.valid = !there && !it.value.empty() && it.value.size() <= idempotency_key_size_max &&
                    std::all_of(it.value.begin(), it.value.end(),
                                [](char c) { return c >= 0x20 && c < 0x7f; });
        there = true;
    }
    return out;
}

idempotency make_idempotency(std::string_view principal, const http::request& in,
                             std::string_view key, std::string_view body) {
    std::string scope;
    scope.reserve(principal.size() + in.method.size() + in.path.size() + key.size() + 4);
    for (const std::string_view part : {principal, in.method, in.path, key}) {
        scope.append(part).append(1, '\0');  // which none of them contains
    }
    return {digest_of(scope), digest_of(body)};
}

}  // namespace orderproc::server
