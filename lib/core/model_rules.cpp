#include "core/model_rules.hpp"

#include "core/text.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

using breach = std::optional<field_breach>;

bool consists_of(std::string_view text, text_characters characters) noexcept {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto is_alphanumeric = [&](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    const auto is_token = [&](char c) {
        return is_alphanumeric(c) || c == '.' || c == '_' || c == ':' || c == '-';
    };
    switch (characters) {
        case text_characters::any:
            return is_text(text, text_kind::one_line);
        case text_characters::ascii:
            return is_text(text, text_kind::ascii);
        case text_characters::alphanumeric:
            return std::all_of(text.begin(), text.end(), is_alphanumeric);
        case text_characters::token:
            return std::all_of(text.begin(), text.end(), is_token);
        case text_characters::digits:
            return std::all_of(text.begin(), text.end(), is_digit);
    }
    return false;
}

std::string_view must_consist_of(text_characters characters) noexcept {
    switch (characters) {
        case text_characters::any:
            return "must be UTF-8 without control characters";
        case text_characters::ascii:
            return "must be printable ASCII";
        case text_characters::alphanumeric:
            return "must have letters and digits of ASCII alone";
        case text_characters::token:
            return "must have letters, digits and any of . _ : - alone";
        case text_characters::digits:
            return "must have digits alone";
    }
    return {};
}

breach check_text(const attribute_rule& rule, const std::string& text) {
    if (text.size() < rule.size_min || text.size() > rule.size_max) {
        const std::string bytes =
            rule.size_min == rule.size_max
                ? std::to_string(rule.size_max)
                : std::to_string(rule.size_min) + " to " + std::to_string(rule.size_max);
        return field_breach{"out_of_range", "must have " + bytes + " bytes"};
    }
    if (consists_of(text, rule.characters)) return std::nullopt;
    return field_breach{"unsupported_character", std::string(must_consist_of(rule.characters))};
}

breach check_range(const attribute_rule& rule, std::int64_t value, std::string_view unit) {
    if (value >= rule.minimum && value <= rule.maximum) return std::nullopt;
    return field_breach{"out_of_range", "must be from " + std::to_string(rule.minimum) + " to " +
                                            std::to_string(rule.maximum) + std::string(unit)};
}

breach check_choice(const attribute_rule& rule, const std::string& text) {
    if (std::find(rule.choices.begin(), rule.choices.end(), text) != rule.choices.end()) {
        return std::nullopt;
    }
    std::string detail = "must be one of";
    for (const std::string& it : rule.choices) {
        detail += it == rule.choices.front() ? " " : ", ";
        detail += '"' + it + '"';
    }
    return field_breach{"not_a_choice", std::move(detail)};
}

}  // namespace

std::string_view name_of(attribute_type type) noexcept {
    switch (type) {
        case attribute_type::text:
            return "a text";
        case attribute_type::integer:
            return "an integer";
        case attribute_type::amount:
            return "an amount";
        case attribute_type::boolean:
            return "true or false";
        case attribute_type::time:
            return "a time";
        case attribute_type::choice:
            return "a text";
    }
    return {};
}

std::optional<field_breach> check_attribute(const attribute_rule& rule,
                                            const attribute_value& value) {
    const auto* const text = std::get_if<std::string>(&value);
    if (text && rule.type == attribute_type::text) return check_text(rule, *text);
    if (text && rule.type == attribute_type::choice) return check_choice(rule, *text);
    const auto* const integer = std::get_if<std::int64_t>(&value);
    if (integer && rule.type == attribute_type::integer) return check_range(rule, *integer, "");
    const auto* const worth = std::get_if<amount>(&value);
    if (worth && rule.type == attribute_type::amount) {
        return check_range(rule, worth->minor_units, " minor units");
    }
    if (std::holds_alternative<bool>(value) && rule.type == attribute_type::boolean) return {};
    if (std::holds_alternative<timestamp>(value) && rule.type == attribute_type::time) return {};
    return field_breach{"wrong_type", "must be " + std::string(name_of(rule.type))};
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
