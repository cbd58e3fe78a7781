// JWK Sets, and files of issuers: what is taken is within the limits, and means the same when it is
// read again.

#include "auth/jwk.hpp"
#include "auth/jwt_issuer.hpp"
#include "fuzz.hpp"

#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server::auth;

namespace {

void check_set(std::string_view text) {
    const auto got = parse_jwk_set(text);
    if (!got) return;
    const jwk_set& set = **got;
    ORDERPROC_EXPECT(set.keys.size() <= jwk_count_max && text.size() <= jwk_set_size_max);
    for (const jwk_ptr& it : set.keys) {
        ORDERPROC_EXPECT(!it->id() || (!it->id()->empty() && it->id()->size() <= jwk_id_size_max));
        ORDERPROC_EXPECT(!it->id() || set.find(it->id(), it->algorithm()) == it);
        ORDERPROC_EXPECT(!it->retired());
        ORDERPROC_EXPECT(!it->verifies("text", std::string(64, '\0')));
        ORDERPROC_EXPECT(!it->verifies("text", std::string(256, '\0')));
    }
    const auto again = parse_jwk_set(text);
    ORDERPROC_EXPECT(again && set.same(**again) && (*again)->version != set.version);
}

void check_issuers(std::string_view text) {
    auto got = parse_jwt_issuers(text);
    if (!got || !complete(*got)) return;
    ORDERPROC_EXPECT(got->size() <= jwt_issuers_max);
    for (const jwt_issuer& it : *got) {
        ORDERPROC_EXPECT(!it.issuer.empty() && !it.name.empty() && !it.audience.empty());
        ORDERPROC_EXPECT(it.user_claim.empty() || it.tenant_claim.empty());
        ORDERPROC_EXPECT(it.keys.starts_with("file:/") || it.keys.starts_with("https://"));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    check_set(text);
    check_issuers(text);
    return 0;
}
