#ifndef ORDERPROC_MONEY_HPP
#define ORDERPROC_MONEY_HPP

// Amounts of money: integer minor units and a currency, never a double.

#include <orderproc/error.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

// An ISO 4217 alphabetic code: "USD". A literal is checked when it is compiled.
class currency_code {
public:
    static constexpr std::size_t size = 3;

    constexpr currency_code() = default;  // no currency: empty; no order is valid with it
    consteval currency_code(const char* text) : currency_code(checked(std::string_view(text))) {}
    // errc::invalid_argument unless the text is three letters A to Z. Whether there is such a
    // currency is what currency_decimals() says.
    static result<currency_code> parse(std::string_view text) {
        if (!valid(text)) return errc::invalid_argument;
        return currency_code(text, 0);
    }

    constexpr std::string_view view() const noexcept {
        return {text_.data(), text_[0] == '\0' ? 0 : size};
    }
    friend constexpr bool operator==(const currency_code&, const currency_code&) = default;

private:
    static constexpr bool valid(std::string_view text) noexcept {
        if (text.size() != size) return false;
        for (const char c : text) {
            if (c < 'A' || c > 'Z') return false;
        }
        return true;
    }
    static consteval currency_code checked(std::string_view text) {
        if (!valid(text)) throw "a currency is three letters A to Z";
        return currency_code(text, 0);
    }
    constexpr currency_code(std::string_view text, int) noexcept
        : text_{text[0], text[1], text[2]} {}

    std::array<char, size> text_{};
};

// 149.99 USD is {14999, "USD"}; 150 JPY is {150, "JPY"}. There is no default currency.
struct money {
    // What an IEEE double still holds exactly, so that JSON readers of any make agree.
    static constexpr std::int64_t minor_units_max = (std::int64_t{1} << 53) - 1;

    std::int64_t minor_units = 0;
    currency_code currency;

    friend bool operator==(const money&, const money&) = default;
};

// Minor units whose currency is said elsewhere.
struct amount {
    std::int64_t minor_units = 0;

    friend bool operator==(const amount&, const amount&) = default;
};

// How many decimals ISO 4217 gives the currency (USD 2, JPY 0, KWD 3), or gave one that it has
// withdrawn (HRK 2, ITL 0). None if there is no such currency. Case matters.
ORDERPROC_EXPORT std::optional<int> currency_decimals(std::string_view code) noexcept;

enum class amount_error : std::uint8_t {
    none,
    not_a_number,       // not a JSON number (RFC 8259, section 6)
    negative,           // -0 is 0
    too_many_decimals,  // by value: 149.990 has two, and so has 149.99000000000001
    too_large,          // above money::minor_units_max
    unknown_currency,
};

// Reads the text of a JSON number by value: 149.990 and 1.4999e2 are 149.99, 1e400 is too large.
// What is less than a millionth of the minor unit away from an amount is that amount: programs
// that calculate with binary floating point write 149.99 as 149.99000000000001 and 0.3 as
// 0.30000000000000004. From a millionth on (149.99000001) it has too many decimals: nothing else
// is rounded. The text is compared digit by digit, without floating point. Takes time linear in
// the text, whatever the exponent, and no memory. On error out is left alone.
ORDERPROC_EXPORT amount_error parse_amount(std::string_view number, std::string_view currency,
                                           money& out) noexcept;

// The number with exactly the currency's decimals: "149.90", "150", "0.005".
// REQUIRES: a known currency, minor_units >= 0.
ORDERPROC_EXPORT void append_amount(const money& value, std::string& out);
ORDERPROC_EXPORT std::string to_string(const money& value);

}  // namespace v1
}  // namespace orderproc

#endif
