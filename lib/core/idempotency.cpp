#include "core/sha256.hpp"

#include <orderproc/idempotency.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t hmac_block_size = 64;
constexpr unsigned inner_pad = 0x36;
constexpr unsigned outer_pad = 0x5c;

std::string_view chars_of(std::span<const std::byte> bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string padded(std::string_view key, unsigned with) {
    std::string out(hmac_block_size, static_cast<char>(with));
    for (std::size_t i = 0; i < key.size(); ++i) {
        out[i] = static_cast<char>(static_cast<unsigned char>(key[i]) ^ with);
    }
    return out;
}

}  // namespace

digest digest_of(std::string_view text) noexcept {
    const auto whole = detail::sha256(text);
    digest out;
    std::copy_n(whole.begin(), out.size(), out.begin());
    return out;
}

digest keyed_digest_of(std::string_view key, std::string_view text) {
    const auto short_key = detail::sha256(key);
    if (key.size() > hmac_block_size) key = chars_of(short_key);
    const auto inner = detail::sha256(padded(key, inner_pad).append(text));
    return digest_of(padded(key, outer_pad).append(chars_of(inner)));
}

idempotency make_idempotency(const idempotency_scope& scope, std::string_view key,
                             std::string_view body) {
    std::string text;
    text.reserve(scope.principal.size() + scope.method.size() + scope.route.size() +
                 scope.order.size() + key.size() + 5);
    for (const std::string_view part :
         {scope.principal, scope.method, scope.route, scope.order, key}) {
        text.append(part).append(1, '\0');
    }
    return {digest_of(text), digest_of(body)};
}

}  // namespace v1
}  // namespace orderproc
