#include "auth/jwk.hpp"

#include "auth/strict_json.hpp"
#include "http/base64url.hpp"

#include <boost/json.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>
#include <new>
#include <utility>

namespace orderproc::server::auth {

namespace json = boost::json;

namespace {

struct algorithm_name {
    jwt_algorithm value;
    std::string_view name;
};
constexpr std::array<algorithm_name, 3> algorithm_names{{
    {jwt_algorithm::es256, "ES256"},
    {jwt_algorithm::eddsa, "EdDSA"},
    {jwt_algorithm::rs256, "RS256"},
}};

constexpr std::size_t coordinate_size = 32;   // of P-256, and of Ed25519
constexpr std::size_t signature_size = 64;    // of both
constexpr int modulus_bits_min = 2048;        // RFC 7518, 3.3
constexpr int modulus_bits_max = 8192;        // larger ones cost too much
constexpr std::size_t exponent_size_max = 8;  // the same
constexpr std::uint64_t exponent_min = 65537;

template <auto Free>
struct freed {
    template <class It>
    void operator()(It* it) const noexcept {
        Free(it);
    }
};
using number = std::unique_ptr<BIGNUM, freed<BN_free>>;
using digest_context = std::unique_ptr<EVP_MD_CTX, freed<EVP_MD_CTX_free>>;
using key_context = std::unique_ptr<EVP_PKEY_CTX, freed<EVP_PKEY_CTX_free>>;
using parameter_builder = std::unique_ptr<OSSL_PARAM_BLD, freed<OSSL_PARAM_BLD_free>>;
using parameters = std::unique_ptr<OSSL_PARAM, freed<OSSL_PARAM_free>>;
using ecdsa_signature = std::unique_ptr<ECDSA_SIG, freed<ECDSA_SIG_free>>;

// What fails here must not look like a failure of whoever asks OpenSSL next on this thread.
struct error_queue_cleaner {
    ~error_queue_cleaner() { ERR_clear_error(); }
};

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

number number_of(std::string_view bytes) noexcept {
    return number(BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr));
}

// r and s, as DER has them.
std::vector<unsigned char> der_of(std::string_view signature) {
    ecdsa_signature pair(ECDSA_SIG_new());
    number r = number_of(signature.substr(0, coordinate_size));
    number s = number_of(signature.substr(coordinate_size));
    if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1) return {};
    (void)r.release();  // they are the pair's now
    (void)s.release();
    unsigned char* made = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &made);
    if (size <= 0) return {};
    std::vector<unsigned char> out(made, made + size);
    OPENSSL_free(made);
    return out;
}

jwk::native_key make_key(const char* type, OSSL_PARAM_BLD* from) {
    const parameters what(OSSL_PARAM_BLD_to_param(from));
    const key_context context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY* made = nullptr;
    if (!what || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, what.get()) != 1) {
        return nullptr;
    }
    return jwk::native_key(made);
}

// What is read of one key. None: it is not there, or no text.
std::optional<std::string_view> text_of(const json::object& from, std::string_view name) {
    const auto* found = from.if_contains(name);
    if (!found || !found->is_string()) return std::nullopt;
    return std::string_view(found->get_string());
}

std::string bytes_in(const json::object& from, std::string_view name) {
    const auto text = text_of(from, name);
    return text ? http::from_base64url(*text).value_or(std::string()) : std::string();
}

jwk::native_key make_ec_key(const json::object& from) {
    const std::string x = bytes_in(from, "x");
    const std::string y = bytes_in(from, "y");
    if (text_of(from, "crv") != "P-256" || x.size() != coordinate_size ||
        y.size() != coordinate_size) {
        return nullptr;
    }
    const std::string point = '\x04' + x + y;  // uncompressed (SEC 1, 2.3.3)
    const parameter_builder what(OSSL_PARAM_BLD_new());
    if (!what ||
        OSSL_PARAM_BLD_push_utf8_string(what.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(what.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1) {
        return nullptr;
    }
    jwk::native_key out = make_key("EC", what.get());
    if (!out) return nullptr;
    const key_context check(EVP_PKEY_CTX_new_from_pkey(nullptr, out.get(), nullptr));
    return check && EVP_PKEY_public_check(check.get()) == 1 ? std::move(out) : nullptr;
}

jwk::native_key make_ed25519_key(const json::object& from) {
    const std::string x = bytes_in(from, "x");
    if (text_of(from, "crv") != "Ed25519" || x.size() != coordinate_size) return nullptr;
    return jwk::native_key(
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()));
}

jwk::native_key make_rsa_key(const json::object& from) {
    const number n = number_of(bytes_in(from, "n"));
    const std::string exponent = bytes_in(from, "e");
    const number e = number_of(exponent);
    if (!n || !e || exponent.size() > exponent_size_max || BN_is_odd(n.get()) != 1 ||
        BN_is_odd(e.get()) != 1 || BN_get_word(e.get()) < exponent_min) {
        return nullptr;
    }
    const int bits = BN_num_bits(n.get());
    if (bits < modulus_bits_min || bits > modulus_bits_max) return nullptr;
    const parameter_builder what(OSSL_PARAM_BLD_new());
    if (!what || OSSL_PARAM_BLD_push_BN(what.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
        OSSL_PARAM_BLD_push_BN(what.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1) {
        return nullptr;
    }
    return make_key("RSA", what.get());
}

// What the key is for, if that is said, has to be to verify signatures (RFC 7517, 4.2 and 4.3).
bool is_for_verifying(const json::object& from) {
    if (from.contains("use") && text_of(from, "use") != "sig") return false;
    const auto* operations = from.if_contains("key_ops");
    if (!operations) return true;
    if (!operations->is_array()) return false;
    const json::array& all = operations->get_array();
    return std::any_of(all.begin(), all.end(), [](const json::value& it) {
        return it.is_string() && std::string_view(it.get_string()) == "verify";
    });
}

// None: it can verify no token of ours.
jwk_ptr read_key(const json::value& from) {
    if (!from.is_object()) return nullptr;
    const json::object& it = from.get_object();
    if (it.contains("d") || it.contains("k") || !is_for_verifying(it)) return nullptr;
    std::optional<std::string> id;
    if (it.contains("kid")) {
        id = text_of(it, "kid");
        if (!id || id->empty() || id->size() > jwk_id_size_max) return nullptr;
    }
    const auto type = text_of(it, "kty");
    jwt_algorithm algorithm;
    jwk::native_key key;
    if (type == "EC") {
        algorithm = jwt_algorithm::es256;
        key = make_ec_key(it);
    } else if (type == "OKP") {
        algorithm = jwt_algorithm::eddsa;
        key = make_ed25519_key(it);
    } else if (type == "RSA") {
        algorithm = jwt_algorithm::rs256;
        key = make_rsa_key(it);
    } else {
        return nullptr;
    }
    if (!key || (it.contains("alg") && text_of(it, "alg") != to_string(algorithm))) return nullptr;
    return std::make_shared<const jwk>(std::move(id), algorithm, std::move(key));
}

}  // namespace

std::string_view to_string(jwt_algorithm it) noexcept {
    for (const algorithm_name& one : algorithm_names) {
        if (one.value == it) return one.name;
    }
    return {};
}

std::optional<jwt_algorithm> find_jwt_algorithm(std::string_view name) noexcept {
    for (const algorithm_name& one : algorithm_names) {
        if (one.name == name) return one.value;
    }
    return std::nullopt;
}

void jwk::free_key::operator()(evp_pkey_st* it) const noexcept {
    EVP_PKEY_free(it);
}

bool jwk::same(const jwk& other) const noexcept {
    const error_queue_cleaner cleaner;
    return id_ == other.id_ && algorithm_ == other.algorithm_ &&
           EVP_PKEY_eq(key_.get(), other.key_.get()) == 1;
}

bool jwk::verifies(std::string_view what, std::string_view signature) const noexcept try {
    const error_queue_cleaner cleaner;
    std::vector<unsigned char> der;
    if (algorithm_ != jwt_algorithm::rs256 && signature.size() != signature_size) return false;
    if (algorithm_ == jwt_algorithm::es256) {
        der = der_of(signature);
        signature = {reinterpret_cast<const char*>(der.data()), der.size()};
    }
    const EVP_MD* const hash = algorithm_ == jwt_algorithm::eddsa ? nullptr : EVP_sha256();
    const digest_context context(EVP_MD_CTX_new());
    return context &&
           EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, key_.get()) == 1 &&
           EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(what),
                            what.size()) == 1;
} catch (const std::bad_alloc&) {
    return false;
}

jwk_ptr jwk_set::find(const std::optional<std::string>& id, jwt_algorithm algorithm) const {
    jwk_ptr out;
    for (const jwk_ptr& it : keys) {
        if (it->algorithm() != algorithm || (id && it->id() != id)) continue;
        if (out) return nullptr;  // whose turn it is nobody can tell
        out = it;
    }
    return out;
}

bool jwk_set::same(const jwk_set& other) const noexcept {
    return std::equal(keys.begin(), keys.end(), other.keys.begin(), other.keys.end(),
                      [](const jwk_ptr& a, const jwk_ptr& b) { return a->same(*b); });
}

result<jwk_set_ptr> parse_jwk_set(std::string_view text) {
    static std::atomic<std::uint64_t> last_version{0};
    const error_queue_cleaner cleaner;
    const auto bad = [](const char* why) { return failure{errc::invalid_argument, why}; };
    if (text.size() > jwk_set_size_max) return bad("a JWK Set has at most 256 KiB");
    const auto parsed = parse_strictly(text);
    const json::value* const all =
        parsed && parsed->is_object() ? parsed->get_object().if_contains("keys") : nullptr;
    if (!all || !all->is_array()) return bad("it is no JWK Set: {\"keys\":[…]}");
    const json::array& list = all->get_array();
    if (list.size() > jwk_count_max) return bad("a JWK Set has at most 100 keys");
    auto out = std::make_shared<jwk_set>();
    out->version = ++last_version;
    for (const json::value& it : list) {
        jwk_ptr made = read_key(it);
        if (!made) continue;
        const bool twice =
            std::any_of(out->keys.begin(), out->keys.end(), [&](const jwk_ptr& before) {
                return made->id() && before->id() == made->id() &&
                       before->algorithm() == made->algorithm();
            });
        if (twice) return bad("two keys have the same kid and algorithm");
        out->keys.push_back(std::move(made));
    }
    if (out->keys.empty() && !list.empty()) {
        return bad("none of the keys can verify ES256, EdDSA or RS256");
    }
    return jwk_set_ptr(std::move(out));
}

}  // namespace orderproc::server::auth
