// Tokens. As they come none counts, for nobody but the fuzzer has the key; header and claims on two
// lines are signed with it, and what counts then keeps to the rules.

#include "auth/jwt.hpp"
#include "fuzz.hpp"
#include "jwt_fixture.hpp"

#include <chrono>
#include <string>

using namespace orderproc;
using namespace orderproc::server::auth;
using namespace orderproc::server::testing;

namespace {

constexpr timestamp now{std::chrono::seconds(1'781'481'600)};

const signing_key& key() {
    return signing_key::of(signing_key::type::eddsa);
}

jwt_issuer issuer() {
    jwt_issuer out;
    out.issuer = "https://id.example";
    out.name = "id.example";
    out.audience = "orderproc";
    out.user_claim = "uid";
    return out;
}

jwt_fault judge(std::string_view text, jwt_identity& found) {
    static const jwt_issuer by = issuer();
    static const jwk_set_ptr keys = parse_jwk_set(jwks({named(key(), "k1")})).value();
    const auto parsed = parse_jwt(text);
    if (!parsed) return jwt_fault::malformed;
    ORDERPROC_EXPECT(text.starts_with(parsed->signed_part));
    ORDERPROC_EXPECT(!parsed->key_id || parsed->key_id->size() <= jwk_id_size_max);
    ORDERPROC_EXPECT(text.size() <= jwt_size_max);
    if (parsed->issuer() != by.issuer) return jwt_fault::issuer;
    return verify_jwt(*parsed, by, *keys, now, found);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    jwt_identity found;
    ORDERPROC_EXPECT(judge(text, found) != jwt_fault::none);

    std::string_view claims = text;
    const std::string_view header = fuzz::next_part(claims, "\n");
    if (claims.empty()) return 0;
    const std::string token = sign_token(key(), header, claims);
    found = {};
    if (judge(token, found) != jwt_fault::none) return 0;
    ORDERPROC_EXPECT(!found.subject.empty() && found.subject.size() <= jwt_subject_size_max);
    ORDERPROC_EXPECT(!principal_name("id.example", found.subject).empty());
    ORDERPROC_EXPECT(found.expires_at + jwt_skew > now);
    ORDERPROC_EXPECT(found.expires_at - now <= jwt_life_max + jwt_skew);
    ORDERPROC_EXPECT(found.user && !found.user->empty() && !found.tenant);
    ORDERPROC_EXPECT(scopes_of_bound.holds(found.scopes));
    return 0;
}
