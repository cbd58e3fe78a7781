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

// ISO 4217, list one, of January 2026, and what ISO has withdrawn (list three), for shops that
// import old orders: with the decimals that it had. Not here: codes without minor units (metals,
// XDR, XSU, XUA, bond units, XFO, XFU, XRE, XTS, XXX), in which nobody pays.
constexpr entry currencies[] = {
    {"ADP", 0}, {"AED", 2}, {"AFA", 2}, {"AFN", 2}, {"ALK", 2}, {"ALL", 2}, {"AMD", 2}, {"ANG", 2},
    {"AOA", 2}, {"AOK", 2}, {"AON", 2}, {"AOR", 2}, {"ARA", 2}, {"ARP", 2}, {"ARS", 2}, {"ARY", 2},
    {"ATS", 2}, {"AUD", 2}, {"AWG", 2}, {"AYM", 2}, {"AZM", 2}, {"AZN", 2}, {"BAD", 2}, {"BAM", 2},
    {"BBD", 2}, {"BDT", 2}, {"BEC", 0}, {"BEF", 0}, {"BEL", 0}, {"BGJ", 2}, {"BGK", 2}, {"BGL", 2},
    {"BGN", 2}, {"BHD", 3}, {"BIF", 0}, {"BMD", 2}, {"BND", 2}, {"BOB", 2}, {"BOP", 2}, {"BOV", 2},
    {"BRB", 2}, {"BRC", 2}, {"BRE", 2}, {"BRL", 2}, {"BRN", 2}, {"BRR", 2}, {"BSD", 2}, {"BTN", 2},
    {"BUK", 2}, {"BWP", 2}, {"BYB", 0}, {"BYN", 2}, {"BYR", 0}, {"BZD", 2}, {"CAD", 2}, {"CDF", 2},
    {"CHC", 2}, {"CHE", 2}, {"CHF", 2}, {"CHW", 2}, {"CLF", 4}, {"CLP", 0}, {"CNX", 2}, {"CNY", 2},
    {"COP", 2}, {"COU", 2}, {"CRC", 2}, {"CSD", 2}, {"CSJ", 2}, {"CSK", 2}, {"CUC", 2}, {"CUP", 2},
    {"CVE", 2}, {"CYP", 2}, {"CZK", 2}, {"DDM", 2}, {"DEM", 2}, {"DJF", 0}, {"DKK", 2}, {"DOP", 2},
    {"DZD", 2}, {"ECS", 2}, {"ECV", 2}, {"EEK", 2}, {"EGP", 2}, {"ERN", 2}, {"ESA", 0}, {"ESB", 0},
    {"ESP", 0}, {"ETB", 2}, {"EUR", 2}, {"FIM", 2}, {"FJD", 2}, {"FKP", 2}, {"FRF", 2}, {"GBP", 2},
    {"GEK", 2}, {"GEL", 2}, {"GHC", 2}, {"GHP", 2}, {"GHS", 2}, {"GIP", 2}, {"GMD", 2}, {"GNE", 2},
    {"GNF", 0}, {"GNS", 2}, {"GQE", 2}, {"GRD", 0}, {"GTQ", 2}, {"GWE", 2}, {"GWP", 2}, {"GYD", 2},
    {"HKD", 2}, {"HNL", 2}, {"HRD", 2}, {"HRK", 2}, {"HTG", 2}, {"HUF", 2}, {"IDR", 2}, {"IEP", 2},
    {"ILP", 2}, {"ILR", 2}, {"ILS", 2}, {"INR", 2}, {"IQD", 3}, {"IRR", 2}, {"ISJ", 2}, {"ISK", 0},
    {"ITL", 0}, {"JMD", 2}, {"JOD", 3}, {"JPY", 0}, {"KES", 2}, {"KGS", 2}, {"KHR", 2}, {"KMF", 0},
    {"KPW", 2}, {"KRW", 0}, {"KWD", 3}, {"KYD", 2}, {"KZT", 2}, {"LAJ", 2}, {"LAK", 2}, {"LBP", 2},
    {"LKR", 2}, {"LRD", 2}, {"LSL", 2}, {"LSM", 2}, {"LTL", 2}, {"LTT", 2}, {"LUC", 0}, {"LUF", 0},
    {"LUL", 0}, {"LVL", 2}, {"LVR", 2}, {"LYD", 3}, {"MAD", 2}, {"MDL", 2}, {"MGA", 2}, {"MGF", 0},
    {"MKD", 2}, {"MLF", 2}, {"MMK", 2}, {"MNT", 2}, {"MOP", 2}, {"MRO", 2}, {"MRU", 2}, {"MTL", 2},
    {"MTP", 2}, {"MUR", 2}, {"MVQ", 2}, {"MVR", 2}, {"MWK", 2}, {"MXN", 2}, {"MXP", 2}, {"MXV", 2},
    {"MYR", 2}, {"MZE", 2}, {"MZM", 2}, {"MZN", 2}, {"NAD", 2}, {"NGN", 2}, {"NIC", 2}, {"NIO", 2},
    {"NLG", 2}, {"NOK", 2}, {"NPR", 2}, {"NZD", 2}, {"OMR", 3}, {"PAB", 2}, {"PEH", 2}, {"PEI", 2},
    {"PEN", 2}, {"PES", 2}, {"PGK", 2}, {"PHP", 2}, {"PKR", 2}, {"PLN", 2}, {"PLZ", 2}, {"PTE", 0},
    {"PYG", 0}, {"QAR", 2}, {"RHD", 2}, {"ROK", 2}, {"ROL", 2}, {"RON", 2}, {"RSD", 2}, {"RUB", 2},
    {"RUR", 2}, {"RWF", 0}, {"SAR", 2}, {"SBD", 2}, {"SCR", 2}, {"SDD", 2}, {"SDG", 2}, {"SDP", 2},
    {"SEK", 2}, {"SGD", 2}, {"SHP", 2}, {"SIT", 2}, {"SKK", 2}, {"SLE", 2}, {"SLL", 2}, {"SOS", 2},
    {"SRD", 2}, {"SRG", 2}, {"SSP", 2}, {"STD", 2}, {"STN", 2}, {"SUR", 2}, {"SVC", 2}, {"SYP", 2},
    {"SZL", 2}, {"THB", 2}, {"TJR", 2}, {"TJS", 2}, {"TMM", 2}, {"TMT", 2}, {"TND", 3}, {"TOP", 2},
    {"TPE", 0}, {"TRL", 0}, {"TRY", 2}, {"TTD", 2}, {"TWD", 2}, {"TZS", 2}, {"UAH", 2}, {"UAK", 2},
    {"UGS", 2}, {"UGW", 2}, {"UGX", 0}, {"USD", 2}, {"USN", 2}, {"USS", 2}, {"UYI", 0}, {"UYN", 2},
    {"UYP", 2}, {"UYU", 2}, {"UYW", 4}, {"UZS", 2}, {"VEB", 2}, {"VED", 2}, {"VEF", 2}, {"VES", 2},
    {"VNC", 2}, {"VND", 0}, {"VUV", 0}, {"WST", 2}, {"XAD", 2}, {"XAF", 0}, {"XCD", 2}, {"XCG", 2},
    {"XEU", 2}, {"XOF", 0}, {"XPF", 0}, {"YDD", 3}, {"YER", 2}, {"YUD", 2}, {"YUM", 2}, {"YUN", 2},
    {"ZAL", 2}, {"ZAR", 2}, {"ZMK", 2}, {"ZMW", 2}, {"ZRN", 2}, {"ZRZ", 2}, {"ZWC", 2}, {"ZWD", 2},
    {"ZWG", 2}, {"ZWL", 2}, {"ZWN", 2}, {"ZWR", 2},
};

static_assert(std::adjacent_find(std::begin(currencies), std::end(currencies),
                                 [](const entry& a, const entry& b) { return a.key >= b.key; }) ==
                  std::end(currencies),
              "sorted, each once");

constexpr int minor_digits_max = 16;  // of money::minor_units_max
constexpr int noise_digits = 6;       // a millionth of the minor unit: from there on it is noise
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

enum class part_verdict : std::uint8_t { down, up, none };

// Which whole number is nearer than 10^-noise_digits to a number whose digits behind the point
// digit_at(0), digit_at(1)… returns, there being count of them.
template <class DigitAt>
part_verdict nearest_whole(std::int64_t count, DigitAt digit_at) noexcept {
    bool zeros = true;
    bool nines = true;
    for (std::int64_t i = 0; i < noise_digits; ++i) {
        const char digit = i < count ? digit_at(i) : '0';
        zeros = zeros && digit == '0';
        nines = nines && digit == '9';
    }
    if (zeros) return part_verdict::down;
    // The distance is below the bound, not at it, if anything follows the nines. The last digit
    // of all is not 0.
    return nines && count > noise_digits ? part_verdict::up : part_verdict::none;
}

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
    // The digits of less than a minor unit: the i-th of them stands at the power -1 - i.
    const std::int64_t count = std::max<std::int64_t>(-power(last), 0);
    const auto digit_at = [&](std::int64_t i) {
        const std::int64_t before = power(first) + 1 + i;  // digits from the first one to this
        return before < 0 ? '0' : digits[first + static_cast<std::size_t>(before)];
    };
    const part_verdict part = nearest_whole(count, digit_at);
    const bool rounds_to_zero = part == part_verdict::down && power(first) < 0;
    if (number.negative && !rounds_to_zero) return amount_error::negative;
    if (part == part_verdict::none) return amount_error::too_many_decimals;
    if (power(first) >= minor_digits_max) return amount_error::too_large;
    std::int64_t units = 0;
    for (std::size_t i = first; i <= last && power(i) >= 0; ++i) {
        units = units * 10 + (digits[i] - '0');
    }
    for (std::int64_t i = power(last); i > 0; --i) units *= 10;
    if (part == part_verdict::up) ++units;
    if (units > money::minor_units_max) return amount_error::too_large;
    out = units;
    return amount_error::none;
}

}  // namespace

std::optional<int> currency_decimals(std::string_view code) noexcept {
    if (code.size() != currency_code::size) return std::nullopt;
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
    out.currency = currency_code::parse(currency).value();
    return amount_error::none;
}

void append_amount(const money& value, std::string& out) {
    const auto decimals = currency_decimals(value.currency.view());
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
