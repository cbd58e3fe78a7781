#include "json_fields.hpp"

#include "core/integer_text.hpp"
#include "core/order_rules.hpp"

#include <orderproc/money.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::string_view whole_body = "#";
constexpr std::string_view item_ids_pointer = "#/item_ids";
constexpr std::string_view total_amount_pointer = "#/total_amount";
constexpr std::string_view currency_pointer = "#/currency";
constexpr std::string_view metadata_pointer = "#/metadata";

constexpr order_field create_table[] = {
    {"order_id", false, &order_judge::order_id}, {"user_id", true, &order_judge::user_id},
    {"item_ids", true, &order_judge::item_ids},  {"total_amount", true, &order_judge::total_amount},
    {"currency", false, &order_judge::currency}, {"metadata", false, &order_judge::metadata},
};

// What an order shows beside the fields of create_table.
constexpr std::string_view server_fields[] = {
    "id",         "status",     "version",    "attempts", "next_attempt_at",
    "last_error", "created_at", "updated_at",
};

std::string_view with_article(json_kind kind) noexcept {
    switch (kind) {
        case json_kind::none:
            return "nothing";
        case json_kind::null:
            return "null";
        case json_kind::boolean:
            return "a boolean";
        case json_kind::number:
            return "a number";
        case json_kind::string:
            return "a string";
        case json_kind::array:
            return "an array";
        case json_kind::object:
            return "an object";
    }
    return "nothing";
}

enum class integer_verdict : std::uint8_t { ok, fractional, out_of_range };

std::int64_t saturated_exponent(std::string_view digits) noexcept {
    // Beyond every text's number of digits, and ten times as much still fits.
    constexpr std::int64_t limit = 100'000'000'000'000'000;
    const bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t out = 0;
    for (const char c : digits) out = std::min(out * 10 + (c - '0'), limit);
    return negative ? -out : out;
}

// A JSON number by its value: 5, 5.0, 50e-1 and 0.5e1 are the same integer.
integer_verdict parse_positive_by_value(std::string_view number, std::int64_t& out) noexcept {
    constexpr std::int64_t digits_max = 19;  // of 2^63 - 1; 10^19 - 1 still fits into 64 bits
    const bool negative = number.starts_with('-');
    if (negative) number.remove_prefix(1);
    const std::size_t e = number.find_first_of("eE");
    const std::string_view mantissa = number.substr(0, e);
    std::int64_t exponent =
        e == std::string_view::npos ? 0 : saturated_exponent(number.substr(e + 1));

    // The value is significant * 10^exponent, without zeros at significant's end.
    std::uint64_t significant = 0;
    std::int64_t digits = 0;
    std::int64_t zeros = 0;
    bool fraction = false;
    for (const char c : mantissa) {
        if (c == '.') {
            fraction = true;
            continue;
        }
        if (fraction) --exponent;
        if (c == '0') {
            zeros += digits != 0;
            continue;
        }
        digits += zeros + 1;
        if (digits <= digits_max) {
            for (; zeros > 0; --zeros) significant *= 10;
            significant = significant * 10 + static_cast<std::uint64_t>(c - '0');
        }
        zeros = 0;
    }
    if (digits == 0) return integer_verdict::out_of_range;
    exponent += zeros;
    if (exponent < 0) return integer_verdict::fractional;
    if (negative || digits + exponent > digits_max) return integer_verdict::out_of_range;
    for (; exponent > 0; --exponent) significant *= 10;
    if (significant > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        return integer_verdict::out_of_range;
    }
    out = static_cast<std::int64_t>(significant);
    return integer_verdict::ok;
}

// An integer from 1 to 2^63 - 1.
integer_verdict parse_positive(std::string_view number, std::int64_t& out) noexcept {
    std::int64_t value = 0;
    const char* const end = number.data() + number.size();
    const auto [at, ec] = std::from_chars(number.data(), end, value);
    if (ec != std::errc{} || at != end) return parse_positive_by_value(number, out);
    if (value < 1) return integer_verdict::out_of_range;
    out = value;
    return integer_verdict::ok;
}

// An amount as it should be sent, for people.
std::string amount_example(std::string_view code, int decimals) {
    money example;
    example.currency = currency_code::parse(code).value();
    example.minor_units = 15;
    for (int i = 0; i < decimals; ++i) example.minor_units *= 10;
    if (decimals > 0) --example.minor_units;
    return to_string(example);
}

// The path to what stands at a place in a value, behind the path to the value itself. To the
// object that has it if it is a name.
std::string pointer_into(std::string pointer, std::string_view value, const char* where) {
    for (bool deeper = true; deeper;) {
        deeper = false;
        json_reader from(value, json_reader::depth_max);
        const json_kind kind = from.next();
        if (kind != json_kind::object && kind != json_kind::array) break;
        from.open();
        std::string_view name;
        for (std::size_t i = 0; kind == json_kind::object ? from.next_name(name) : from.next_item();
             ++i) {
            std::string step =
                kind == json_kind::object ? pointer_to(name).substr(1) : "/" + std::to_string(i);
            (void)from.next();
            const std::string_view member = from.raw();
            if (where < member.data() || where >= member.data() + member.size()) continue;
            pointer += step;
            value = member;
            deeper = true;
            break;
        }
    }
    return pointer;
}

}  // namespace

syntax_error syntax_of(const json_reader& from) {
    if (!from.failed()) return {};
    const json_fault fault = from.fault();
    return {fault.line, fault.column, fault.detail};
}

std::string pointer_to(std::string_view name) {
    constexpr std::string_view allowed = "-._~!$&'()*+,;=:@/?";
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out = "#/";
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                   allowed.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out;
}

std::span<const order_field> create_fields() noexcept {
    return create_table;
}

bool same_positive(std::string_view left, std::string_view right) noexcept {
    std::int64_t a = 0;
    std::int64_t b = 0;
    return parse_positive(left, a) == integer_verdict::ok &&
           parse_positive(right, b) == integer_verdict::ok && a == b;
}

order_judge::order_judge(json_reader& from, parsed_order& out, const order* current, bool patch)
    : from_(from), out_(out), current_(current) {
    out_.value.total_amount.currency = default_currency;
    if (!patch) return;
    currency_known_ = current != nullptr;
    if (current) static_cast<order_content&>(out_.value) = *current;
}

void order_judge::read(std::span<const order_field> fields) {
    if (!expect(json_kind::object, whole_body)) return;
    std::uint32_t seen = 0;
    from_.open();
    for (std::string_view name; from_.next_name(name);) {
        const auto it = std::find_if(fields.begin(), fields.end(),
                                     [&](const order_field& field) { return field.name == name; });
        if (it == fields.end()) {
            unknown(name);
            from_.skip();
        } else {
            const std::uint32_t bit = std::uint32_t{1} << (it - fields.begin());
            if ((seen & bit) != 0) return from_.refuse_name();
            seen |= bit;
            field_ = &*it;
            (this->*it->judge)();
        }
    }
    if (from_.failed()) return;
    judge_amount();
    missing(fields, seen);
}

void order_judge::add_at(std::size_t index, std::string_view pointer, std::string_view code,
                         std::string_view detail) {
    auto& errors = out_.errors;
    if (index >= parsed_order::errors_max) return;
    if (errors.size() == parsed_order::errors_max) errors.pop_back();
    errors.insert(errors.begin() + static_cast<std::ptrdiff_t>(index),
                  {std::string(pointer), std::string(code), std::string(detail)});
}

void order_judge::add(std::string_view pointer, std::string_view code, std::string_view detail) {
    add_at(out_.errors.size(), pointer, code, detail);
}

// Whether the value that comes next is of that kind; if not, it is skipped.
bool order_judge::expect(json_kind wanted, std::string_view pointer) {
    const json_kind found = from_.next();
    if (found == wanted) return true;
    if (found != json_kind::none) {
        std::string detail("must be ");
        detail.append(with_article(wanted)).append(", not ").append(with_article(found));
        add(pointer, "wrong_type", detail);
        from_.skip();
    }
    return false;
}

bool order_judge::integer(std::int64_t& out, std::string_view pointer) {
    if (!expect(json_kind::number, pointer)) return false;
    const std::string_view number = from_.number();
    if (from_.failed()) return false;
    switch (parse_positive(number, out)) {
        case integer_verdict::ok:
            return true;
        case integer_verdict::fractional:
            add(pointer, "not_an_integer", "must be an integer");
            return false;
        case integer_verdict::out_of_range:
            break;
    }
    add(pointer, "out_of_range", "must be from 1 to 9223372036854775807");
    return false;
}

// Whether the value that comes next is null, as programs send it for a field that is not set.
bool order_judge::is_left_out() {
    if (from_.next() != json_kind::null) return false;
    from_.skip();
    return true;
}

// Whether metadata was an array, which is read then. PHP writes an object without members as [];
// any other array is an error.
bool order_judge::was_array() {
    if (from_.next() != json_kind::array) return false;
    from_.open();
    bool empty = true;
    for (; from_.next_item(); from_.skip()) empty = false;
    if (!empty) add(metadata_pointer, "wrong_type", "must be an object, not an array");
    return true;
}

void order_judge::unknown(std::string_view name) {
    const bool ours = std::find(std::begin(server_fields), std::end(server_fields), name) !=
                      std::end(server_fields);
    add(pointer_to(name), "unknown_field",
        ours ? "is set by the server alone" : "is not a field of an order");
}

void order_judge::order_id() {
    constexpr std::string_view pointer = "#/order_id";
    if (is_left_out()) return;
    if (!expect(json_kind::string, pointer)) return;
    const std::string_view text = from_.string();
    if (from_.failed()) return;
    auto id = v1::order_id::parse(text);
    if (id && id->is_plain()) {
        out_.value.id = std::move(*id);
        return;
    }
    add(pointer, "invalid_order_id",
        "must be a letter or digit, then at most 63 more or any of . _ : -, and not \"batch\" or "
        "\"status\"");
}

void order_judge::user_id() {
    std::int64_t user = 0;
    if (integer(user, "#/user_id")) assign_integer(user, out_.value.user);
}

void order_judge::item_ids() {
    const std::size_t index = out_.errors.size();  // before those of the items
    if (!expect(json_kind::array, item_ids_pointer)) return;
    boost::container::small_vector<std::int64_t, 32> ids;
    std::string pointer;
    std::size_t count = 0;
    from_.open();
    for (; from_.next_item(); ++count) {
        if (count >= order::items_max) {
            from_.skip();
            continue;
        }
        pointer.assign(item_ids_pointer).append(1, '/').append(std::to_string(count));
        std::int64_t id = 0;
        if (integer(id, pointer)) ids.push_back(id);
    }
    out_.value.item_ids.assign(ids.begin(), ids.end());
    out_.value.lines.clear();  // which a patch may have found
    if (count == 0) add_at(index, item_ids_pointer, "too_few_items", "must have at least one item");
    if (count > order::items_max) {
        add_at(index, item_ids_pointer, "too_many_items",
               "must have at most " + std::to_string(order::items_max) + " items");
    }
}

void order_judge::total_amount() {
    amount_seen_ = true;
    amount_index_ = out_.errors.size();
    if (from_.next() == json_kind::string) {
        amount_text_ = from_.string();
        amount_ = amount_text_;
        if (!from_.failed() && amount_.empty()) amount_ = " ";  // which is no number
    } else if (expect(json_kind::number, total_amount_pointer)) {
        amount_ = from_.number();
    }
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

void order_judge::metadata() {
    if (is_left_out() || was_array()) return;
    if (!expect(json_kind::object, metadata_pointer)) return;
    keep_metadata(from_.keep(order::metadata_size_max));
}

void order_judge::keep_metadata(const kept_json& found) {
    switch (found.breach) {
        case json_breach::none:
            out_.value.metadata.assign(found.text);
            return;
        case json_breach::too_large:
            return add(metadata_pointer, "too_large", rule_of(found.breach));
        case json_breach::number:
            return add(pointer_into(std::string(metadata_pointer), found.text, found.where),
                       "unsupported_number", rule_of(found.breach));
        case json_breach::character:
            return add(pointer_into(std::string(metadata_pointer), found.text, found.where),
                       "unsupported_character", rule_of(found.breach));
    }
}

void order_judge::judge_amount() {
    if (amount_.empty()) return;
    money& out = out_.value.total_amount;
    // Without a currency only what no currency would take is an error: yen have no decimals.
    const std::string_view code = currency_known_ ? out.currency.view() : "JPY";
    money read;
    const amount_error error = parse_amount(amount_, code, read);
    const auto refuse = [&](std::string_view error_code, std::string_view detail) {
        add_at(amount_index_, total_amount_pointer, error_code, detail);
    };
    switch (error) {
        case amount_error::none:
            if (currency_known_) out = read;
            return;
        case amount_error::negative:
            return refuse("negative", "must be 0 or more");
        case amount_error::too_large:
            return refuse("too_large", "must be below 2^53 of the currency's smallest unit");
        case amount_error::too_many_decimals: {
            if (!currency_known_) return;
            const int decimals = *currency_decimals(code);
            return refuse("too_many_decimals", "must have at most " + std::to_string(decimals) +
                                                   " decimals in " + std::string(code) + ", as " +
                                                   amount_example(code, decimals) +
                                                   " has: round it before you send it");
        }
        case amount_error::not_a_number:
        case amount_error::unknown_currency:
            return refuse("wrong_type",
                          "must be an amount, as a number (149.99) or a string (\"149.99\")");
    }
}

void order_judge::missing(std::span<const order_field> fields, std::uint32_t seen) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (!fields[i].required || (seen >> i & 1) != 0) continue;
        add(pointer_to(fields[i].name), "required", "is missing");
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
