#include <orderproc/order.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::string_view ulid_prefix = "ORD-";
constexpr std::size_t ulid_size = 26;
constexpr std::int64_t ulid_time_max = (std::int64_t{1} << 48) - 1;

// Crockford's base 32, the highest digit first.
char* put_base32(char* out, std::uint64_t value, int digits) noexcept {
    constexpr std::string_view alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    static_assert(alphabet.size() == 32);
    for (int i = digits - 1; i >= 0; --i) *out++ = alphabet[(value >> (5 * i)) & 31];
    return out;
}

constexpr bool is_alphanumeric(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_order_id(std::string_view text) noexcept {
    if (text.empty() || text.size() > order_id::size_max || !is_alphanumeric(text[0])) return false;
    for (const char c : text) {
        if (!is_alphanumeric(c) && c != '.' && c != '_' && c != ':' && c != '-') return false;
    }
    return text != "batch" && text != "status";
}

failure invalid(std::string detail) {
    return {errc::invalid_argument, std::move(detail)};
}

}  // namespace

result<order_id> order_id::parse(std::string_view text) {
    if (!is_order_id(text)) return errc::invalid_argument;
    return order_id(text);
}

order_id order_id::make(timestamp now, std::uint64_t random_high, std::uint64_t random_low) {
    const auto time = static_cast<std::uint64_t>(
        std::clamp<std::int64_t>(now.time_since_epoch().count(), 0, ulid_time_max));
    constexpr std::uint64_t low_40 = (std::uint64_t{1} << 40) - 1;
    std::array<char, ulid_prefix.size() + ulid_size> text;
    std::memcpy(text.data(), ulid_prefix.data(), ulid_prefix.size());
    char* at = put_base32(text.data() + ulid_prefix.size(), time, 10);
    at = put_base32(at, ((random_high & 0xFFFF) << 24) | (random_low >> 40), 8);
    put_base32(at, random_low & low_40, 8);
    return order_id({text.data(), text.size()});
}

result<void> validate(const order& value) {
    if (value.user_id < 1) return invalid("user_id must be 1 or more");
    if (value.item_ids.empty() || value.item_ids.size() > order::items_max) {
        return invalid("item_ids must have 1 to " + std::to_string(order::items_max) + " entries");
    }
    const auto bad = std::find_if(value.item_ids.begin(), value.item_ids.end(),
                                  [](std::int64_t id) { return id < 1; });
    if (bad != value.item_ids.end()) {
        return invalid("item_ids[" + std::to_string(bad - value.item_ids.begin()) +
                       "] must be 1 or more");
    }
    const money& total = value.total_amount;
    if (total.minor_units < 0 || total.minor_units > money::minor_units_max) {
        return invalid("total_amount must be 0 to " + std::to_string(money::minor_units_max) +
                       " minor units");
    }
    if (!currency_decimals({total.currency.data(), total.currency.size()})) {
        return invalid("currency of total_amount is not in ISO 4217");
    }
    constexpr std::size_t metadata_size_min = 2;  // {}
    if (value.metadata.size() < metadata_size_min ||
        value.metadata.size() > order::metadata_size_max) {
        return invalid("metadata must be a JSON object of at most " +
                       std::to_string(order::metadata_size_max) + " bytes");
    }
    return {};
}

}  // namespace v1
}  // namespace orderproc
