#include "api/attribute_filter.hpp"

#include <orderproc/money.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::string_view from_suffix = ".from";
constexpr std::string_view to_suffix = ".to";

// A value of the rule's type, and the currency of an amount.
struct typed_value {
    attribute_value value;
    currency_code currency;
};

std::string read_amount(std::string_view text, typed_value& out) {
    constexpr std::string_view wrong = "has to be an amount and its currency, such as 12.50 EUR";
    const std::size_t space = text.rfind(' ');
    if (space == text.npos) return std::string(wrong);
    const auto code = currency_code::parse(text.substr(space + 1));
    money read;
    if (!code || parse_amount(text.substr(0, space), code->view(), read) != amount_error::none) {
        return std::string(wrong);
    }
    out = {amount{read.minor_units}, *code};
    return {};
}

std::string read_typed(const attribute_rule& rule, std::string_view text, typed_value& out,
                       std::vector<std::string>& allowed) {
    switch (rule.type) {
        case attribute_type::integer: {
            std::int64_t read = 0;
            if (!parse_integer(text, INT64_MIN, INT64_MAX, read)) return "has to be an integer";
            out.value = read;
            return {};
        }
        case attribute_type::amount:
            return read_amount(text, out);
        case attribute_type::boolean:
            if (text != "true" && text != "false") {
                allowed = {"true", "false"};
                return "has to be true or false";
            }
            out.value = text == "true";
            return {};
        case attribute_type::time: {
            const auto read = parse_timestamp(text);
            if (!read) return "has to be an RFC 3339 date-time";
            out.value = *read;
            return {};
        }
        case attribute_type::choice:
            if (std::find(rule.choices.begin(), rule.choices.end(), text) == rule.choices.end()) {
                allowed = rule.choices;
                return "there is no such choice";
            }
            break;
        case attribute_type::text:
            break;
    }
    if (text.size() > attribute_rule::indexed_text_size_max) {
        return "has to have at most " + std::to_string(attribute_rule::indexed_text_size_max) +
               " bytes";
    }
    out.value = std::string(text);
    return {};
}

// Bytes that no value of the index is beyond.
std::string last_value() {
    return std::string(index_entry::value_size_max, '\xff');
}

}  // namespace

const attribute_rule* attribute_filter::find(std::string_view name) const noexcept {
    const attribute_rule* const rule = model_.find(name);
    return rule && rule->indexed ? rule : nullptr;
}

std::string attribute_filter::take(const attribute_rule* rule) {
    if (rule_ && rule_ != rule) return "a list has a filter or an order by one attribute alone";
    rule_ = rule;
    return {};
}

std::string attribute_filter::read(std::string_view name, std::string_view value,
                                   std::vector<std::string>& allowed) {
    std::optional<std::string>* to = &equals_;
    std::string_view attribute = name.substr(prefix.size());
    if (attribute.ends_with(from_suffix)) {
        to = &from_;
        attribute.remove_suffix(from_suffix.size());
    } else if (attribute.ends_with(to_suffix)) {
        to = &to_;
        attribute.remove_suffix(to_suffix.size());
    }
    const attribute_rule* const rule = find(attribute);
    if (!rule) {
        const bool there = model_.find(attribute) != nullptr;
        return there ? "the attribute is not indexed" : std::string(no_such_parameter);
    }
    if (auto wrong = take(rule); !wrong.empty()) return wrong;
    if (*to) return std::string(given_twice);
    typed_value read;
    if (auto wrong = read_typed(*rule, value, read, allowed); !wrong.empty()) return wrong;
    *to = order_model::index_value(*rule, read.value, read.currency);
    return {};
}

std::string attribute_filter::sort_by(std::string_view name, std::vector<std::string>& allowed) {
    const attribute_rule* const rule = find(name.substr(prefix.size()));
    if (!rule) {
        for (const attribute_rule* const it : model_.attributes()) {
            if (it->indexed) allowed.push_back(std::string(prefix) + it->name);
        }
        return "there is no such sort";
    }
    sorts_ = true;
    return take(rule);
}

std::optional<bad_parameter> attribute_filter::judge(index_condition& out) const {
    const std::string named = std::string(prefix) + rule_->name;
    out.slot = rule_->slot;
    if (equals_) {
        if (from_ || to_) return bad_parameter{named, "goes without .from and .to"};
        out.from = out.to = *equals_;
        return std::nullopt;
    }
    out.from = from_.value_or("");
    out.to = to_.value_or(last_value());
    if (rule_->type != attribute_type::amount) return std::nullopt;
    // Amounts are sorted within their currency.
    const std::string& either = from_ ? out.from : out.to;
    const std::string currency = either.substr(0, currency_code::size);
    if (from_ && to_ && !out.to.starts_with(currency)) {
        return bad_parameter{named + std::string(to_suffix),
                             "has to be in the currency of " + named + std::string(from_suffix)};
    }
    if (from_ && !to_) out.to = currency + last_value().substr(currency_code::size);
    if (to_ && !from_) out.from = currency;
    return std::nullopt;
}

}  // namespace orderproc::server
