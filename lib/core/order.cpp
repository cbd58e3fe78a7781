#include "core/json_reader.hpp"
#include "core/order_rules.hpp"
#include "core/text.hpp"

#include <orderproc/order.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
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

// What a plain id consists of, by character.
constexpr auto of_plain_id = [] {
    std::array<bool, 256> out{};
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto c = static_cast<char>(i);
        out[i] = is_alphanumeric(c) || c == '.' || c == '_' || c == ':' || c == '-';
    }
    return out;
}();

bool is_plain_id(std::string_view text) noexcept {
    if (text.empty() || text.size() > order_id::plain_size_max || !is_alphanumeric(text[0])) {
        return false;
    }
    bool all = true;
    for (const char c : text) all &= of_plain_id[static_cast<unsigned char>(c)];
    return all;
}

// RFC 3986, section 2.3.
constexpr bool is_unreserved(char c) noexcept {
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// Whether a character of UTF-8 beyond ASCII is a control character, a separator of lines or
// paragraphs, or changes the direction of the text around it (Unicode, annex 9).
bool is_invisible(std::string_view character) noexcept {
    if (character.size() == 2) {
        return (character[0] == '\xC2' && character[1] < '\xA0') ||  // C1
               character == "\xD8\x9C";                              // U+061C
    }
    if (character.size() != 3 || character[0] != '\xE2') return false;
    const auto last = static_cast<unsigned char>(character[2]);
    if (character[1] == '\x80') {  // U+200E, U+200F, U+2028 to U+202E
        return last == 0x8E || last == 0x8F || (last >= 0xA8 && last <= 0xAE);
    }
    return character[1] == '\x81' && last >= 0xA6 && last <= 0xA9;  // U+2066 to U+2069
}

bool is_order_id(std::string_view text) noexcept {
    if (is_plain_id(text)) return text != "batch" && text != "status";
    if (text.empty() || text.size() > order_id::size_max) return false;
    if (text.front() == ' ' || text.back() == ' ' || text.front() == '~') return false;
    std::size_t encoded = 0;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const detail::utf8_step step = detail::step_utf8(at, end);
        const auto first = static_cast<unsigned char>(*at);
        if (!step.valid || first < 0x20 || first == 0x7F) return false;
        if (step.size > 1 && is_invisible({at, step.size})) return false;
        encoded += is_unreserved(*at) ? 1 : 3 * step.size;
        at += step.size;
    }
    if (encoded > order_id::encoded_size_max) return false;
    return text != "." && text != "..";
}

failure invalid(std::string detail) {
    return {errc::invalid_argument, std::move(detail)};
}

}  // namespace

result<order_id> order_id::parse(std::string_view text) {
    if (!is_order_id(text)) return errc::invalid_argument;
    return order_id(text);
}

bool order_id::is_plain() const noexcept {
    return is_plain_id(text_);
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

namespace detail {

namespace {

// REQUIRES: not "{}", which needs no look.
result<void> validate_object(const std::string& name, std::string_view text) {
    if (text.size() > order::metadata_size_max) {
        return invalid(name + " must have at most " + std::to_string(order::metadata_size_max) +
                       " bytes");
    }
    json_reader from(text, metadata_levels);
    if (from.next() != json_kind::object) return invalid(name + " must be a JSON object");
    const kept_json found = from.keep(order::metadata_size_max);
    from.finish();
    if (from.failed()) {
        const json_fault fault = from.fault();
        return invalid(name + " must be a JSON object; at line " + std::to_string(fault.line) +
                       ", column " + std::to_string(fault.column) + ": " + fault.detail);
    }
    if (found.breach == json_breach::none) return {};
    return invalid(name + ", at byte " + std::to_string(found.where - text.data()) + ", " +
                   std::string(rule_of(found.breach)));
}

}  // namespace

std::string_view rule_of(json_breach breach) noexcept {
    static_assert(order::metadata_size_max == 16'384);
    static_assert(json_reader::number_size_max == 128 && json_reader::exponent_digits_max == 3);
    switch (breach) {
        case json_breach::none:
            return {};
        case json_breach::too_large:
            return "must be at most 16384 bytes";
        case json_breach::number:
            return "must be a number of at most 128 characters, with an exponent of at most three "
                   "digits, that a double can hold: send others as a string";
        case json_breach::character:
            return "must not contain the character U+0000";
    }
    return {};
}

namespace {

result<void> validate_text(std::string_view name, std::string_view text, std::size_t size_max) {
    if (text.size() > size_max) {
        return invalid(std::string(name) + " must have at most " + std::to_string(size_max) +
                       " bytes");
    }
    if (is_text(text, text_kind::one_line)) return {};
    return invalid(std::string(name) + " must be UTF-8 without control characters");
}

result<void> validate_amount(std::string_view name, std::int64_t minor_units) {
    if (minor_units >= 0 && minor_units <= money::minor_units_max) return {};
    return invalid(std::string(name) + " must be 0 to " + std::to_string(money::minor_units_max) +
                   " minor units");
}

result<void> validate_line(const std::string& name, const order_line& it) {
    if (it.sku.empty()) return invalid(name + ".sku must not be empty");
    if (auto ok = validate_text(name + ".sku", it.sku, order_line::sku_size_max); !ok) return ok;
    if (auto ok = validate_text(name + ".name", it.name, order_line::name_size_max); !ok) return ok;
    if (it.quantity < 1 || it.quantity > order_line::quantity_max) {
        return invalid(name + ".quantity must be 1 to " + std::to_string(order_line::quantity_max));
    }
    if (!it.unit_amount) return {};
    return validate_amount(name + ".unit_amount", it.unit_amount->minor_units);
}

result<void> validate_items(const order_content& value) {
    const std::span<const std::int64_t> ids = value.item_ids;
    if (!value.lines.empty() && !ids.empty())
        return invalid("lines must not stand beside item_ids");
    if (value.lines.size() > order::items_max) {
        return invalid("lines must have 1 to " + std::to_string(order::items_max) + " entries");
    }
    for (std::size_t i = 0; i < value.lines.size(); ++i) {
        const std::string name = "lines[" + std::to_string(i) + "]";
        if (auto ok = validate_line(name, value.lines[i]); !ok) return ok;
    }
    if (!value.lines.empty()) return {};
    if (ids.empty() || ids.size() > order::items_max) {
        return invalid("item_ids must have 1 to " + std::to_string(order::items_max) + " entries");
    }
    const auto bad = std::find_if(ids.begin(), ids.end(), [](std::int64_t id) { return id < 1; });
    if (bad == ids.end()) return {};
    return invalid("item_ids[" + std::to_string(bad - ids.begin()) + "] must be 1 or more");
}

bool is_attribute_name(std::string_view text) noexcept {
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    if (text.empty() || text.size() > order_attribute::name_size_max || !is_letter(text[0])) {
        return false;
    }
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '_'; });
}

result<void> validate_attribute(const order_attribute& it) {
    const std::string name = "attributes." + it.name;
    if (const auto* text = std::get_if<std::string>(&it.value)) {
        return validate_text(name, *text, order_attribute::text_size_max);
    }
    if (const auto* sum = std::get_if<amount>(&it.value)) {
        return validate_amount(name, sum->minor_units);
    }
    return {};
}

result<void> validate_attributes(const std::vector<order_attribute>& all) {
    if (all.size() > order::attributes_max) {
        return invalid("attributes must have at most " + std::to_string(order::attributes_max) +
                       " entries");
    }
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!is_attribute_name(all[i].name)) {
            return invalid("attributes[" + std::to_string(i) +
                           "].name must be [a-z][a-z0-9_]{0,31}");
        }
        if (i > 0 && all[i].name <= all[i - 1].name) {
            return invalid("attributes must ascend by name, and " + all[i].name + " does not");
        }
        if (auto ok = validate_attribute(all[i]); !ok) return ok;
    }
    return {};
}

}  // namespace

}  // namespace detail

result<void> validate(const order_content& value) {
    using namespace detail;
    if (auto ok = validate_text("user", value.user, order::user_size_max); !ok) return ok;
    if (auto ok = validate_items(value); !ok) return ok;
    if (auto ok = validate_amount("total_amount", value.total_amount.minor_units); !ok) return ok;
    if (!currency_decimals(value.total_amount.currency.view())) {
        return invalid("currency of total_amount is not in ISO 4217");
    }
    if (value.metadata != "{}") {
        if (auto ok = validate_object("metadata", value.metadata); !ok) return ok;
    }
    if (auto ok = validate_text("tenant", value.tenant, order::tenant_size_max); !ok) return ok;
    if (auto ok = validate_attributes(value.attributes); !ok) return ok;
    if (value.annotations.empty() || value.annotations == "{}") return {};
    return validate_object("annotations", value.annotations);
}

}  // namespace v1
}  // namespace orderproc
