#include "cli/storage_secret.hpp"

#include "auth/api_key.hpp"
#include "cli/record_write.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::string_view secret_collection = "secrets";
constexpr std::size_t secret_size = auth::key_secret_size;

result<std::optional<record>> find_secret(storage& orders, std::string_view name) {
    auto reader = orders.connect_reader();
    if (!reader) return std::move(reader).error();
    return (*reader)->find_record({secret_collection, name});
}

}  // namespace

result<std::string> load_storage_secret(storage& orders, std::string_view name) {
    if (!orders.info().capabilities.has(capability::records)) return std::string();
    auto found = find_secret(orders, name);
    if (found && !*found) {
        const change_record create{record_action::create, std::string(secret_collection),
                                   std::string(name), 0, auth::random_text(secret_size)};
        auto made = write_records(orders, {&create, 1}, {});
        // Another process may have been quicker.
        if (!made && made.error().code != errc::already_exists) return std::move(made).error();
        found = find_secret(orders, name);
    }
    if (!found) return std::move(found).error();
    if (!*found || (*found)->value.size() < secret_size) {
        return failure{errc::corrupt, "the record secrets/" + std::string(name) + " is no secret"};
    }
    return std::move((*found)->value);
}

}  // namespace orderproc::server
