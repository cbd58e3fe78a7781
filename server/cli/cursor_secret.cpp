#include "cli/cursor_secret.hpp"

#include "api/cursor_seal.hpp"
#include "auth/api_key.hpp"
#include "cli/record_write.hpp"
#include "cli/stored_model.hpp"

#include <optional>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::string_view secret_key = "cursor_secret";

result<std::optional<record>> find_secret(storage& orders) {
    auto reader = orders.connect_reader();
    if (!reader) return std::move(reader).error();
    return (*reader)->find_record({model_collection, secret_key});
}

}  // namespace

result<std::string> load_cursor_secret(storage& orders) {
    if (!orders.info().capabilities.has(capability::records)) return std::string();
    auto found = find_secret(orders);
    if (found && !*found) {
        const change_record create{record_action::create, std::string(model_collection),
                                   std::string(secret_key), 0,
                                   auth::random_text(cursor_seal::secret_size_min)};
        auto made = write_records(orders, {&create, 1}, {});
        // Another process may have been quicker.
        if (!made && made.error().code != errc::already_exists) return std::move(made).error();
        found = find_secret(orders);
    }
    if (!found) return std::move(found).error();
    if (!*found || (*found)->value.size() < cursor_seal::secret_size_min) {
        return failure{errc::corrupt, "the record cursor_secret cannot be read"};
    }
    return std::move((*found)->value);
}

}  // namespace orderproc::server
