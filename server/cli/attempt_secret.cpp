#include "cli/attempt_secret.hpp"

#include "auth/api_key.hpp"
#include "cli/record_write.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::string_view secret_collection = "attempts";
constexpr std::string_view secret_key = "secret";
constexpr std::size_t secret_size = auth::key_secret_size;  // 256 random bits

result<std::optional<record>> find_secret(storage& orders) {
    auto reader = orders.connect_reader();
    if (!reader) return std::move(reader).error();
    return (*reader)->find_record({secret_collection, secret_key});
}

}  // namespace

result<std::unique_ptr<attempt_tokens>> open_attempt_tokens(storage& orders) {
    if (!orders.info().capabilities.has(capability::records))
        return std::unique_ptr<attempt_tokens>();
    auto found = find_secret(orders);
    if (!found) return std::move(found).error();
    if (!*found) {
        const change_record create{record_action::create, std::string(secret_collection),
                                   std::string(secret_key), 0, auth::random_text(secret_size)};
        const auto made = write_records(orders, {&create, 1}, {});
        if (!made && made.error().code != errc::already_exists) return made.error();
        found = find_secret(orders);  // another process may have been quicker
        if (!found) return std::move(found).error();
    }
    if (!*found || (*found)->value.size() < attempt_tokens::secret_size_min) {
        return failure{errc::corrupt, "the record attempts/secret is no secret"};
    }
    return std::make_unique<attempt_tokens>(std::move((*found)->value));
}

}  // namespace orderproc::server
