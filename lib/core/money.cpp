#include <orderproc/money.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <stdexcept>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::uint32_t key_of(std::string_view code) noexcept {
    std::uint32_t key = 0;
    for (const char c : code) key = (key << 8) | static_cast<unsigned char>(c);
    return key;
}

struct entry {
    std::uint32_t key;
    std::uint8_t decimals;

    consteval entry(const char (&code)[4], std::uint8_t count)
        : key(key_of({code, 3})), decimals(count) {}
};

// ISO 4217, list one, of January 2026. Not here: codes without minor units (metals, XDR, XSU,
// XUA, bond units, XTS, XXX), in which nobody pays. A code that ISO withdraws later stays, since
// orders in it are stored; what it had withdrawn before (ANG, BGN, CUC, HRK, SLL, ZWL…) is out.
constexpr entry currencies[] = {
    {"AED", 2}, {"AFN", 2}, {"ALL", 2}, {"AMD", 2}, {"AOA", 2}, {"ARS", 2}, {"AUD", 2}, {"AWG", 2},
    {"AZN", 2}, {"BAM", 2}, {"BBD", 2}, {"BDT", 2}, {"BHD", 3}, {"BIF", 0}, {"BMD", 2}, {"BND", 2},
    {"BOB", 2}, {"BOV", 2}, {"BRL", 2}, {"BSD", 2}, {"BTN", 2}, {"BWP", 2}, {"BYN", 2}, {"BZD", 2},
    {"CAD", 2}, {"CDF", 2}, {"CHE", 2}, {"CHF", 2}, {"CHW", 2}, {"CLF", 4}, {"CLP", 0}, {"CNY", 2},
    {"COP", 2}, {"COU", 2}, {"CRC", 2}, {"CUP", 2}, {"CVE", 2}, {"CZK", 2}, {"DJF", 0}, {"DKK", 2},
    {"DOP", 2}, {"DZD", 2}, {"EGP", 2}, {"ERN", 2}, {"ETB", 2}, {"EUR", 2}, {"FJD", 2}, {"FKP", 2},
    {"GBP", 2}, {"GEL", 2}, {"GHS", 2}, {"GIP", 2}, {"GMD", 2}, {"GNF", 0}, {"GTQ", 2}, {"GYD", 2},
    {"HKD", 2}, {"HNL", 2}, {"HTG", 2}, {"HUF", 2}, {"IDR", 2}, {"ILS", 2}, {"INR", 2}, {"IQD", 3},
    {"IRR", 2}, {"ISK", 0}, {"JMD", 2}, {"JOD", 3}, {"JPY", 0}, {"KES", 2}, {"KGS", 2}, {"KHR", 2},
    {"KMF", 0}, {"KPW", 2}, {"KRW", 0}, {"KWD", 3}, {"KYD", 2}, {"KZT", 2}, {"LAK", 2}, {"LBP", 2},
    {"LKR", 2}, {"LRD", 2}, {"LSL", 2}, {"LYD", 3}, {"MAD", 2}, {"MDL", 2}, {"MGA", 2}, {"MKD", 2},
    {"MMK", 2}, {"MNT", 2}, {"MOP", 2}, {"MRU", 2}, {"MUR", 2}, {"MVR", 2}, {"MWK", 2}, {"MXN", 2},
    {"MXV", 2}, {"MYR", 2}, {"MZN", 2}, {"NAD", 2}, {"NGN", 2}, {"NIO", 2}, {"NOK", 2}, {"NPR", 2},
    {"NZD", 2}, {"OMR", 3}, {"PAB", 2}, {"PEN", 2}, {"PGK", 2}, {"PHP", 2}, {"PKR", 2}, {"PLN", 2},
    {"PYG", 0}, {"QAR", 2}, {"RON", 2}, {"RSD", 2}, {"RUB", 2}, {"RWF", 0}, {"SAR", 2}, {"SBD", 2},
    {"SCR", 2}, {"SDG", 2}, {"SEK", 2}, {"SGD", 2}, {"SHP", 2}, {"SLE", 2}, {"SOS", 2}, {"SRD", 2},
    {"SSP", 2}, {"STN", 2}, {"SVC", 2}, {"SYP", 2}, {"SZL", 2}, {"THB", 2}, {"TJS", 2}, {"TMT", 2},
    {"TND", 3}, {"TOP", 2}, {"TRY", 2}, {"TTD", 2}, {"TWD", 2}, {"TZS", 2}, {"UAH", 2}, {"UGX", 0},
    {"USD", 2}, {"USN", 2}, {"UYI", 0}, {"UYU", 2}, {"UYW", 4}, {"UZS", 2}, {"VED", 2}, {"VES", 2},
    {"VND", 0}, {"VUV", 0}, {"WST", 2}, {"XAD", 2}, {"XAF", 0}, {"XCD", 2}, {"XCG", 2}, {"XOF", 0},
    {"XPF", 0}, {"YER", 2}, {"ZAR", 2}, {"ZMW", 2}, {"ZWG", 2},
};

static_assert(std::adjacent_find(std::begin(currencies), std::end(currencies),
                                 [](const entry& a, const entry& b) { return a.key >= b.key; }) ==
                  std::end(currencies),
              "sorted, each once");

constexpr int minor_digits_max = 16;                            // of money::minor_units_max
constexpr std::int64_t exponent_max = 100'000'000'000'000'000;  // beyond any text's length

constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// The parts of a JSON number.
struct decimal {
    bool negative = false;
    std::string_view whole;
    std::string_view fraction;
    std::int64_t exponent = 0;  // at most exponent_max either way
};

std::string_view take_digits(std::string_view& text) noexcept {
    std::size_t size = 0;
    while (size < text.size() && is_digit(text[size])) ++size;
    const std::string_view digits = text.substr(0, size);
    text.remove_prefix(size);
    return digits;
}

bool take(std::string_view& text, char c) noexcept {
    if (text.empty() || text.front() != c) return false;
    text.remove_prefix(1);
    return true;
}

bool split(std::string_view text, decimal& out) noexcept {
    out.negative = take(text, '-');
    out.whole = take_digits(text);
    if (out.whole.empty() || (out.whole.size() > 1 && out.whole[0] == '0')) return false;
    if (take(text, '.')) {
        out.fraction = take_digits(text);
        if (out.fraction.empty()) return false;
    }
    if (take(text, 'e') || take(text, 'E')) {
        const bool down = take(text, '-');
        if (!down) take(text, '+');
        const std::string_view digits = take_digits(text);
        if (digits.empty()) return false;
        for (const char c : digits) {
            out.exponent = std::min(out.exponent * 10 + (c - '0'), exponent_max);
            if (out.exponent == exponent_max) break;
        }
        if (down) out.exponent = -out.exponent;
    }
    return text.empty();
}

// The whole and the fraction as one row of digits.
struct digit_row {
    const decimal& of;

    std::size_t size() const noexcept { return of.whole.size() + of.fraction.size(); }
    char operator[](std::size_t i) const noexcept {
        return i < of.whole.size() ? of.whole[i] : of.fraction[i - of.whole.size()];
    }
};

amount_error scale(const decimal& number, int decimals, std::int64_t& out) noexcept {
    const digit_row digits{number};
    std::size_t first = 0;
    while (first < digits.size() && digits[first] == '0') ++first;
    if (first == digits.size()) {
        out = 0;
        return amount_error::none;
    }
    std::size_t last = digits.size() - 1;
    while (digits[last] == '0') --last;

    // The power of ten at which a digit stands, counted in minor units.
    const auto power = [&](std::size_t i) {
        return number.exponent + decimals + static_cast<std::int64_t>(number.whole.size()) - 1 -
               static_cast<std::int64_t>(i);
    };
    if (number.negative) return amount_error::negative;
    if (power(last) < 0) return amount_error::too_many_decimals;
    if (power(first) >= minor_digits_max) return amount_error::too_large;
    std::int64_t units = 0;
    for (std::size_t i = first; i <= last; ++i) units = units * 10 + (digits[i] - '0');
    for (std::int64_t i = power(last); i > 0; --i) units *= 10;
    if (units > money::minor_units_max) return amount_error::too_large;
    out = units;
    return amount_error::none;
}

}  // namespace

std::optional<int> currency_decimals(std::string_view code) noexcept {
    if (code.size() != std::tuple_size_v<currency_code>) return std::nullopt;
    const std::uint32_t key = key_of(code);
    if (key == key_of("USD")) return 2;  // the default, and by far the most frequent
    const auto* found =
        std::lower_bound(std::begin(currencies), std::end(currencies), key,
                         [](const entry& e, std::uint32_t wanted) { return e.key < wanted; });
    if (found == std::end(currencies) || found->key != key) return std::nullopt;
    return found->decimals;
}

amount_error parse_amount(std::string_view number, std::string_view currency, money& out) noexcept {
    decimal parts;
    if (!split(number, parts)) return amount_error::not_a_number;
    const auto decimals = currency_decimals(currency);
    if (!decimals) return amount_error::unknown_currency;
    std::int64_t units = 0;
    const amount_error error = scale(parts, *decimals, units);
    if (error != amount_error::none) return error;
    out.minor_units = units;
    std::copy(currency.begin(), currency.end(), out.currency.begin());
    return amount_error::none;
}

void append_amount(const money& value, std::string& out) {
    const auto decimals = currency_decimals({value.currency.data(), value.currency.size()});
    // A caller's bug, but a made-up amount would be worse than an exception.
    if (!decimals || value.minor_units < 0) throw std::invalid_argument("append_amount");
    std::array<char, 24> text;
    char* const end = text.data() + text.size();
    char* at = end;
    auto rest = static_cast<std::uint64_t>(value.minor_units);
    const auto put_digit = [&] {
        *--at = static_cast<char>('0' + rest % 10);
        rest /= 10;
    };
    if (*decimals > 0) {
        for (int i = 0; i < *decimals; ++i) put_digit();
        *--at = '.';
    }
    do {
        put_digit();
    } while (rest > 0);
    out.append(at, end);
}

std::string to_string(const money& value) {
    std::string out;
    append_amount(value, out);
    return out;
}

}  // namespace v1
}  // namespace orderproc
