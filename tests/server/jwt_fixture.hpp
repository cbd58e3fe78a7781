#ifndef ORDERPROC_TESTS_SERVER_JWT_FIXTURE_HPP
#define ORDERPROC_TESTS_SERVER_JWT_FIXTURE_HPP

// An identity provider: real keys of OpenSSL, their JWK Set, and tokens that it signs, also such
// as no honest one would.

#include "http/base64url.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <array>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

using http::from_base64url;
using http::to_base64url;

// A key pair. Making one of RSA takes a while: one that is made once will do for all tests.
class signing_key {
public:
    enum class type { es256, es384, eddsa, rs256 };

    explicit signing_key(type of, unsigned rsa_bits = 2048) : type_(of) {
        switch (of) {
            case type::es256:
                key_.reset(EVP_EC_gen("P-256"));
                break;
            case type::es384:
                key_.reset(EVP_EC_gen("P-384"));
                break;
            case type::eddsa:
                key_.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
                break;
            case type::rs256:
                key_.reset(EVP_RSA_gen(rsa_bits));
                break;
        }
        if (!key_) throw std::runtime_error("OpenSSL makes no key");
    }

    static const signing_key& of(type it) {
        static const signing_key es256(type::es256), es384(type::es384), eddsa(type::eddsa),
            rs256(type::rs256);
        switch (it) {
            case type::es256:
                return es256;
            case type::es384:
                return es384;
            case type::eddsa:
                return eddsa;
            case type::rs256:
                break;
        }
        return rs256;
    }

    std::string_view algorithm() const {
        constexpr std::array<std::string_view, 4> names{"ES256", "ES384", "EdDSA", "RS256"};
        return names[static_cast<std::size_t>(type_)];
    }

    // The members of its JWK but "kid", for between braces.
    std::string jwk() const {
        switch (type_) {
            case type::es256:
            case type::es384:
                return R"("kty":"EC","crv":")" +
                       std::string(type_ == type::es256 ? "P-256" : "P-384") + R"(","x":")" +
                       to_base64url(number(OSSL_PKEY_PARAM_EC_PUB_X, size())) + R"(","y":")" +
                       to_base64url(number(OSSL_PKEY_PARAM_EC_PUB_Y, size())) + "\"";
            case type::eddsa:
                return R"("kty":"OKP","crv":"Ed25519","x":")" + to_base64url(raw()) + "\"";
            case type::rs256:
                break;
        }
        return R"("kty":"RSA","n":")" + to_base64url(number(OSSL_PKEY_PARAM_RSA_N)) + R"(","e":")" +
               to_base64url(number(OSSL_PKEY_PARAM_RSA_E)) + "\"";
    }

    // As a token carries it.
    std::string sign(std::string_view what) const {
        const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                              &EVP_MD_CTX_free);
        const EVP_MD* const hash = type_ == type::eddsa   ? nullptr
                                   : type_ == type::es384 ? EVP_sha384()
                                                          : EVP_sha256();
        std::string out(1024, '\0');
        std::size_t size = out.size();
        if (EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key_.get()) != 1 ||
            EVP_DigestSign(context.get(), bytes(out), &size, bytes(what), what.size()) != 1) {
            throw std::runtime_error("OpenSSL does not sign");
        }
        out.resize(size);
        return type_ == type::es256 || type_ == type::es384 ? raw_pair(out) : out;
    }

    // The same of ECDSA, as most programs show it and tokens do not.
    static std::string der_of(std::string_view raw) {
        const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(),
                                                                         &ECDSA_SIG_free);
        const std::size_t half = raw.size() / 2;
        ECDSA_SIG_set0(pair.get(), BN_bin2bn(bytes(raw), static_cast<int>(half), nullptr),
                       BN_bin2bn(bytes(raw) + half, static_cast<int>(half), nullptr));
        unsigned char* made = nullptr;
        const int size = i2d_ECDSA_SIG(pair.get(), &made);
        std::string out(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
        OPENSSL_free(made);
        return out;
    }

    std::string public_pem() const {
        const std::unique_ptr<BIO, decltype(&BIO_free)> to(BIO_new(BIO_s_mem()), &BIO_free);
        PEM_write_bio_PUBKEY(to.get(), key_.get());
        char* text = nullptr;
        const long size = BIO_get_mem_data(to.get(), &text);
        return {text, static_cast<std::size_t>(size)};
    }
    std::string public_der() const {
        unsigned char* made = nullptr;
        const int size = i2d_PUBKEY(key_.get(), &made);
        std::string out(reinterpret_cast<const char*>(made), static_cast<std::size_t>(size));
        OPENSSL_free(made);
        return out;
    }

private:
    static unsigned char* bytes(std::string& of) {
        return reinterpret_cast<unsigned char*>(of.data());
    }
    static const unsigned char* bytes(std::string_view of) {
        return reinterpret_cast<const unsigned char*>(of.data());
    }
    std::size_t size() const { return type_ == type::es384 ? 48 : 32; }

    std::string number(const char* name, std::size_t size = 0) const {
        BIGNUM* found = nullptr;
        if (EVP_PKEY_get_bn_param(key_.get(), name, &found) != 1) {
            throw std::runtime_error("OpenSSL knows no such number");
        }
        if (size == 0) size = static_cast<std::size_t>(BN_num_bytes(found));
        std::string out(size, '\0');
        BN_bn2binpad(found, bytes(out), static_cast<int>(size));
        BN_free(found);
        return out;
    }
    std::string raw() const {
        std::string out(64, '\0');
        std::size_t size = out.size();
        EVP_PKEY_get_raw_public_key(key_.get(), bytes(out), &size);
        out.resize(size);
        return out;
    }
    std::string raw_pair(std::string_view der) const {
        const unsigned char* at = bytes(der);
        const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(
            d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), &ECDSA_SIG_free);
        std::string out(2 * size(), '\0');
        const int half = static_cast<int>(size());
        BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), bytes(out), half);
        BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), bytes(out) + half, half);
        return out;
    }

    const type type_;
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_{nullptr, &EVP_PKEY_free};
};

inline std::string hmac_sha256(std::string_view key, std::string_view what) {
    std::string out(32, '\0');
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
         reinterpret_cast<const unsigned char*>(what.data()), what.size(),
         reinterpret_cast<unsigned char*>(out.data()), &size);
    return out;
}

// {"keys":[…]} of keys as jwk() gives them, with more members each.
inline std::string jwks(const std::vector<std::string>& keys) {
    std::string out = R"({"keys":[)";
    for (const std::string& it : keys) {
        if (out.back() == '}') out.push_back(',');
        out.append("{").append(it).append("}");
    }
    return out + "]}";
}
inline std::string named(const signing_key& key, std::string_view id) {
    return key.jwk() + R"(,"kid":")" + std::string(id) + "\"";
}

// Header and claims as texts, whatever stands in them.
inline std::string unsigned_token(std::string_view header, std::string_view claims) {
    return to_base64url(header) + "." + to_base64url(claims);
}
inline std::string sign_token(const signing_key& by, std::string_view header,
                              std::string_view claims) {
    const std::string text = unsigned_token(header, claims);
    return text + "." + to_base64url(by.sign(text));
}

}  // namespace orderproc::server::testing

#endif
