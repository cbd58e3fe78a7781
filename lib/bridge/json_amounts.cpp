// Amounts of an order, which its currency decides on.

#include "json_fields.hpp"

#include <orderproc/money.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::string_view total_amount_pointer = "#/total_amount";
constexpr std::string_view currency_pointer = "#/currency";
constexpr std::string_view with_currency = "is missing, and has to come with currency";

// An amount as it should be sent, for people.
std::string amount_example(std::string_view code, int decimals) {
    money example;
    example.currency = currency_code::parse(code).value();
    example.minor_units = 15;
    for (int i = 0; i < decimals; ++i) example.minor_units *= 10;
    if (decimals > 0) --example.minor_units;
    return to_string(example);
}

}  // namespace

void order_judge::total_amount() {
    amount_seen_ = true;
    amount_index_ = out_.errors.size();
    amounts_before_ = open_.size();
    if (from_.next() == json_kind::string) {
        amount_text_ = from_.string();
        amount_ = amount_text_;
        if (!from_.failed() && amount_.empty()) amount_ = " ";  // which is no number
    } else if (expect(json_kind::number, total_amount_pointer)) {
        amount_ = from_.number();
    }
}

void order_judge::leave_open(open_amount&& it, std::string_view pointer) {
    it.index = out_.errors.size();
    if (from_.next() == json_kind::string) {
        it.owned = from_.string();
        if (it.owned.empty()) it.owned = " ";  // which is no number
    } else if (expect(json_kind::number, pointer)) {
        it.text = from_.number();
    } else {
        return;
    }
    open_.push_back(std::move(it));
}

void order_judge::currency() {
    if (!is_left_out()) patched_currency();
}

void order_judge::patched_currency() {
    currency_seen_ = true;
    currency_known_ = false;
    if (!expect(json_kind::string, currency_pointer)) return;
    const std::string_view text = from_.string();
    if (from_.failed()) return;
    std::array<char, currency_code::size> upper{};
    if (text.size() == upper.size()) {
        std::transform(text.begin(), text.end(), upper.begin(), [](char c) {
            return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        });
    }
    const auto code = currency_code::parse({upper.data(), upper.size()});
    currency_known_ = code && currency_decimals(code->view()).has_value();
    if (currency_known_) {
        out_.value.total_amount.currency = *code;
    } else {
        add(currency_pointer, "unknown_currency", "must be an ISO 4217 code of three letters");
    }
}

// Into out, unless it is wrong or no currency is known.
bool order_judge::judge_amount(std::string_view text, std::string_view pointer, std::size_t index,
                               money& out) {
    // Without a currency only what no currency would take is an error: yen have no decimals.
    const std::string_view code =
        currency_known_ ? out_.value.total_amount.currency.view() : std::string_view("JPY");
    money read;
    const amount_error error = parse_amount(text, code, read);
    const auto refuse = [&](std::string_view error_code, std::string_view detail) {
        add_at(index, pointer, error_code, detail);
        return false;
    };
    switch (error) {
        case amount_error::none:
            if (currency_known_) out = read;
            return currency_known_;
        case amount_error::negative:
            return refuse("negative", "must be 0 or more");
        case amount_error::too_large:
            return refuse("too_large", "must be below 2^53 of the currency's smallest unit");
        case amount_error::too_many_decimals: {
            if (!currency_known_) return false;
            const int decimals = *currency_decimals(code);
            return refuse("too_many_decimals", "must have at most " + std::to_string(decimals) +
                                                   " decimals in " + std::string(code) + ", as " +
                                                   amount_example(code, decimals) +
                                                   " has: round it before you send it");
        }
        case amount_error::not_a_number:
        case amount_error::unknown_currency:
            break;
    }
    return refuse("wrong_type", "must be an amount, as a number (149.99) or a string (\"149.99\")");
}

// In the order of the text. Each error stands behind those that were noted since, which the
// indexes do not count.
void order_judge::judge_amounts() {
    const std::size_t before = noted_;
    for (std::size_t i = 0;; ++i) {
        if (i == amounts_before_ && !amount_.empty()) {
            const std::size_t index = amount_index_ + noted_ - before;
            (void)judge_amount(amount_, total_amount_pointer, index, out_.value.total_amount);
        }
        if (i == open_.size()) break;
        const open_amount& it = open_[i];
        const std::size_t index = it.index + noted_ - before;
        money read;
        const std::string_view text = it.owned.empty() ? it.text : std::string_view(it.owned);
        path_ = it.rule ? "#/attributes/" + it.rule->name
                        : "#/lines/" + std::to_string(it.line) + "/unit_amount";
        if (!judge_amount(text, path_, index, read)) continue;
        if (it.rule) {
            put_attribute(*it.rule, amount{read.minor_units}, index);
        } else {
            out_.value.lines[it.line].unit_amount = amount{read.minor_units};
        }
    }
}

// Of a patch: amounts that stay mean nothing in another currency.
void order_judge::expect_amounts_with_currency() {
    if (!currency_seen_) return;
    if (!amount_seen_) add(total_amount_pointer, "required", with_currency);
    if (!current_ || out_.value.total_amount.currency == current_->total_amount.currency) return;
    const auto has_price = [](const order_line& it) { return it.unit_amount.has_value(); };
    const auto& lines = current_->lines;
    if (!lines_seen_ && std::any_of(lines.begin(), lines.end(), has_price)) {
        add("#/lines", "required", with_currency);
    }
    for (const order_attribute& it : current_->attributes) {
        if (!std::holds_alternative<amount>(it.value)) continue;
        const auto named = [&](const attribute_rule* rule) { return rule->name == it.name; };
        if (std::any_of(named_.begin(), named_.end(), named)) continue;
        add("#/attributes/" + it.name, "required", with_currency);
    }
}

// Whether the amounts are what the total rule says. Without an order that an edit depends on, and
// once something else is wrong, nobody can tell.
void order_judge::judge_sum() {
    if (!model_.rules().total || !out_.errors.empty() || !knows_all()) return;
    const auto has_price = [](const order_line& it) { return it.unit_amount.has_value(); };
    const auto& lines = out_.value.lines;
    if (!std::all_of(lines.begin(), lines.end(), has_price)) return;  // older than the rule
    if (auto breach = check_total(model_.rules(), out_.value)) {
        add(total_amount_pointer, breach->code, breach->detail);
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
