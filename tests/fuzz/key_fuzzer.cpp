// The readers of keys: of what clients send, and of what is stored. Whatever is taken for a key is
// one to its last byte, and what is read of a record is what would be written.

#include "auth/api_key.hpp"
#include "auth/authenticator.hpp"
#include "fuzz.hpp"

#include <string>

using namespace orderproc;
using namespace orderproc::server::auth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text = fuzz::text_of(data, size);
    if (const auto key = parse_key(text)) {
        ORDERPROC_EXPECT(is_key_environment(key->environment));
        ORDERPROC_EXPECT(key->id.size() == key_id_size);
        ORDERPROC_EXPECT(key->secret.size() == key_secret_size);
        ORDERPROC_EXPECT(has_key(text) && has_credential(text));
        ORDERPROC_EXPECT(!parse_key(text.substr(1)) && !parse_key(std::string(text) + "0"));
    }
    (void)has_credential(text);
    const auto stored = decode_key("id", text);
    if (!stored) return 0;
    ORDERPROC_EXPECT(validate(*stored).has_value());
    const std::string written = encode(*stored);
    const auto again = decode_key("id", written);
    ORDERPROC_EXPECT(again.has_value() && encode(*again) == written);
    ORDERPROC_EXPECT(!again->bound() || scopes_of_bound.holds(again->scopes));
    return 0;
}
