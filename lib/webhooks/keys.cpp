#include "webhooks/base64.hpp"

#include <orderproc/webhook_endpoint.hpp>

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t aes_key_size = 32;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t key_id_size = 8;
constexpr std::string_view sealed_prefix = "a256gcm.";
constexpr std::string_view clear_prefix = "clear.";

struct free_cipher {
    void operator()(EVP_CIPHER_CTX* it) const noexcept { EVP_CIPHER_CTX_free(it); }
};
using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, free_cipher>;

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) noexcept {
    return reinterpret_cast<unsigned char*>(text.data());
}

// The first digits of the key's SHA-256, by which a stored secret names it.
std::string id_of_key(std::string_view key) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest;
    SHA256(bytes_of(key), key.size(), digest.data());
    std::string out;
    for (std::size_t i = 0; i < key_id_size / 2; ++i) {
        out += digits[digest[i] >> 4];
        out += digits[digest[i] & 15];
    }
    return out;
}

// Nonce, cipher text, tag.
std::optional<std::string> encrypt(std::string_view key, std::string_view text,
                                   std::string_view about) {
    std::string out(nonce_size + text.size() + tag_size, '\0');
    unsigned char* const nonce = bytes_of(out);
    if (RAND_bytes(nonce, nonce_size) != 1) return std::nullopt;
    const cipher_context with(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool done =
        with &&
        EVP_EncryptInit_ex2(with.get(), EVP_aes_256_gcm(), bytes_of(key), nonce, nullptr) == 1 &&
        EVP_EncryptUpdate(with.get(), nullptr, &size, bytes_of(about),
                          static_cast<int>(about.size())) == 1 &&
        EVP_EncryptUpdate(with.get(), nonce + nonce_size, &size, bytes_of(text),
                          static_cast<int>(text.size())) == 1 &&
        EVP_EncryptFinal_ex(with.get(), nonce + nonce_size + size, &size) == 1 &&
        EVP_CIPHER_CTX_ctrl(with.get(), EVP_CTRL_AEAD_GET_TAG, tag_size,
                            nonce + nonce_size + text.size()) == 1;
    if (!done) return std::nullopt;
    return out;
}

std::optional<std::string> decrypt(std::string_view key, std::string_view sealed,
                                   std::string_view about) {
    if (sealed.size() < nonce_size + tag_size) return std::nullopt;
    std::string out(sealed.size() - nonce_size - tag_size, '\0');
    std::string tag(sealed.substr(sealed.size() - tag_size));
    const cipher_context with(EVP_CIPHER_CTX_new());
    int size = 0;
    const bool done =
        with &&
        EVP_DecryptInit_ex2(with.get(), EVP_aes_256_gcm(), bytes_of(key), bytes_of(sealed),
                            nullptr) == 1 &&
        EVP_DecryptUpdate(with.get(), nullptr, &size, bytes_of(about),
                          static_cast<int>(about.size())) == 1 &&
        EVP_DecryptUpdate(with.get(), bytes_of(out), &size, bytes_of(sealed) + nonce_size,
                          static_cast<int>(out.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(with.get(), EVP_CTRL_AEAD_SET_TAG, tag_size, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(with.get(), bytes_of(out) + size, &size) == 1;
    if (!done) return std::nullopt;
    return out;
}

}  // namespace

result<webhook_keys> webhook_keys::parse(std::string_view text) {
    webhook_keys out;
    for (std::size_t line = 1; !text.empty(); ++line) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (one.ends_with('\r')) one.remove_suffix(1);
        if (one.empty() || one.starts_with('#')) continue;
        auto bytes = detail::from_base64(one);
        if (!bytes || bytes->size() != aes_key_size) {
            return failure{errc::invalid_argument,
                           "line " + std::to_string(line) +
                               " is not a key of 32 bytes in base64; make one with: openssl rand "
                               "-base64 32"};
        }
        out.keys_.push_back({id_of_key(*bytes), std::move(*bytes)});
    }
    if (out.keys_.empty()) {
        return failure{errc::invalid_argument,
                       "there is no key: a line of 32 bytes in base64; make one with: openssl rand "
                       "-base64 32"};
    }
    return out;
}

result<std::string> webhook_keys::seal(const webhook_secret& it, std::string_view endpoint) const {
    if (keys_.empty()) return std::string(clear_prefix) + it.text();
    const auto sealed = encrypt(keys_.front().bytes, it.bytes(), endpoint);
    if (!sealed) return failure{errc::unavailable, "OpenSSL could not encrypt a webhook secret"};
    return std::string(sealed_prefix) + keys_.front().id + "." + detail::to_base64(*sealed);
}

result<webhook_secret> webhook_keys::open(std::string_view sealed,
                                          std::string_view endpoint) const {
    const auto wrong = [&](errc code, const std::string& why) {
        return failure{code, "the secret of endpoint " + std::string(endpoint) + " " + why};
    };
    if (sealed.starts_with(clear_prefix)) {
        auto out = webhook_secret::parse(sealed.substr(clear_prefix.size()));
        if (!out) return wrong(errc::corrupt, "cannot be read");
        return out;
    }
    if (!sealed.starts_with(sealed_prefix) ||
        sealed.size() < sealed_prefix.size() + key_id_size + 1) {
        return wrong(errc::corrupt, "cannot be read");
    }
    const std::string_view id = sealed.substr(sealed_prefix.size(), key_id_size);
    const auto with =
        std::find_if(keys_.begin(), keys_.end(), [&](const key& one) { return one.id == id; });
    if (with == keys_.end()) {
        return wrong(errc::not_found,
                     "is encrypted with key " + std::string(id) + ", which is not there");
    }
    const auto bytes = detail::from_base64(sealed.substr(sealed_prefix.size() + key_id_size + 1));
    const auto opened = bytes ? decrypt(with->bytes, *bytes, endpoint) : std::nullopt;
    if (!opened) return wrong(errc::corrupt, "was changed, or is another endpoint's");
    auto out =
        webhook_secret::parse(std::string(webhook_secret_prefix) + detail::to_base64(*opened));
    if (!out) return wrong(errc::corrupt, "cannot be read");
    return out;
}

bool webhook_keys::seals_alike(std::string_view sealed) const noexcept {
    if (keys_.empty()) return sealed.starts_with(clear_prefix);
    return sealed.starts_with(sealed_prefix) &&
           sealed.substr(sealed_prefix.size()).starts_with(keys_.front().id);
}

}  // namespace v1
}  // namespace orderproc
