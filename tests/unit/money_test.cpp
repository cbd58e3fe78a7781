#include <orderproc/money.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;

namespace {

currency_code code(std::string_view text) {
    return currency_code::parse(text).value();
}

amount_error judge(std::string_view number, std::string_view currency) {
    money out;
    return parse_amount(number, currency, out);
}

struct good_amount {
    std::string number;
    std::string currency;
    std::int64_t minor_units;
};
std::ostream& operator<<(std::ostream& out, const good_amount& it) {
    return out << it.number << ' ' << it.currency;
}

const std::vector<good_amount> good_amounts = {
    {"149.99", "USD", 14999},
    {"149.990", "USD", 14999},
    {"149.9900000000000000000000000000", "USD", 14999},
    {"1.4999e2", "USD", 14999},
    {"1.4999E+2", "USD", 14999},
    {"1.4999e+0002", "USD", 14999},
    {"14999e-2", "USD", 14999},
    {"14999000000e-8", "USD", 14999},
    {"0.0000014999e8", "USD", 14999},
    {"150", "USD", 15000},
    {"150.0", "USD", 15000},
    {"0.1", "USD", 10},
    {"0.01", "USD", 1},
    {"0.010", "USD", 1},
    {"1e-2", "USD", 1},
    {"100e-4", "USD", 1},
    {"150", "JPY", 150},
    {"150.0", "JPY", 150},
    {"1.5e1", "JPY", 15},
    {"1500e-1", "JPY", 150},
    {"0.001", "KWD", 1},
    {"0.005", "KWD", 5},
    {"1.234", "BHD", 1234},
    {"0.0001", "CLF", 1},
    {"12.3456", "UYW", 123456},
    {"0", "USD", 0},
    {"-0", "USD", 0},
    {"-0.0", "USD", 0},
    {"-0.000e-7", "USD", 0},
    {"0e400", "USD", 0},
    {"0.00000", "JPY", 0},
    {"0e999999999999", "USD", 0},
    {"0e-999999999999999999999999999999", "USD", 0},
    {"-0E+99999999999999999999999999999", "USD", 0},
    {"9007199254740991", "JPY", 9007199254740991},
    {"90071992547409.91", "USD", 9007199254740991},
    {"9007199254740.991", "KWD", 9007199254740991},
    {"900719925474.0991", "CLF", 9007199254740991},
    {"0.9007199254740991e16", "JPY", 9007199254740991},
    {"9007199254740991000e-3", "JPY", 9007199254740991},
    {"9e15", "JPY", 9000000000000000},
    {"9e13", "USD", 9000000000000000},
    // Less than a millionth of the minor unit away: what binary floating point makes of amounts.
    {"149.99000000000001", "USD", 14999},
    {"149.990000000000001", "USD", 14999},
    {"149.98999999999998", "USD", 14999},
    {"0.30000000000000004", "USD", 30},
    {"0.009999999999999787", "USD", 1},
    {"1.0049999999999999", "KWD", 1005},
    {"99.99999999999999", "USD", 10000},
    {"1.4999000000000001e2", "USD", 14999},
    {"14998999999999999e-14", "USD", 14999},
    {"149.99999999999997", "JPY", 150},
    {"150.00000099999999", "JPY", 150},
    {"149.999999000000001", "JPY", 150},
    {"0.99999999", "JPY", 1},
    {"9007199254740990.9999999", "JPY", 9007199254740991},
    {"1.2340000000000002", "KWD", 1234},
    {"0.00000000999999999", "USD", 0},
    {"1E-400", "USD", 0},
    {"1e-99999999999999999999999999", "USD", 0},
    {"1e-9223372036854775808", "USD", 0},
    {"1e-9999999999999999999", "USD", 0},
    {"-1e-17", "USD", 0},
    {"-1e-400", "USD", 0},
    {"100", "HRK", 10000},
    {"193627", "ITL", 193627},
};

struct bad_amount {
    std::string number;
    std::string currency;
    amount_error error;
};
std::ostream& operator<<(std::ostream& out, const bad_amount& it) {
    return out << it.number << ' ' << it.currency;
}

const std::vector<bad_amount> bad_amounts = {
    // A millionth of the minor unit, or more.
    {"149.99000001", "USD", amount_error::too_many_decimals},
    {"149.98999999", "USD", amount_error::too_many_decimals},
    {"149.99000001000000000000", "USD", amount_error::too_many_decimals},
    {"149.989999990000000000000", "USD", amount_error::too_many_decimals},
    {"149.990001", "USD", amount_error::too_many_decimals},
    {"149.991", "USD", amount_error::too_many_decimals},
    {"150.000001", "JPY", amount_error::too_many_decimals},
    {"149.999999", "JPY", amount_error::too_many_decimals},
    {"149.9999989999999", "JPY", amount_error::too_many_decimals},
    {"0.000001", "JPY", amount_error::too_many_decimals},
    {"0.999999", "JPY", amount_error::too_many_decimals},
    {"1e-8", "USD", amount_error::too_many_decimals},
    {"1.234000001", "KWD", amount_error::too_many_decimals},
    {"9007199254740991.9999999", "JPY", amount_error::too_large},
    {"-1e-8", "USD", amount_error::negative},
    {"-0.0099999999999", "USD", amount_error::negative},
    {"149.999", "USD", amount_error::too_many_decimals},
    {"0.001", "USD", amount_error::too_many_decimals},
    {"1e-3", "USD", amount_error::too_many_decimals},
    {"0.0001", "KWD", amount_error::too_many_decimals},
    {"0.00001", "CLF", amount_error::too_many_decimals},
    {"0.5", "JPY", amount_error::too_many_decimals},
    {"15e-1", "JPY", amount_error::too_many_decimals},
    {"90071992547409.911", "USD", amount_error::too_many_decimals},
    {"9007199254740992", "JPY", amount_error::too_large},
    {"90071992547409.92", "USD", amount_error::too_large},
    {"9007199254740.992", "KWD", amount_error::too_large},
    {"9007199254740993", "JPY", amount_error::too_large},
    {"9999999999999999", "JPY", amount_error::too_large},
    {"10000000000000000", "JPY", amount_error::too_large},
    {"9223372036854775808", "JPY", amount_error::too_large},
    {"18446744073709551617", "JPY", amount_error::too_large},  // 1 modulo 2^64
    {"1e16", "JPY", amount_error::too_large},
    {"1e14", "USD", amount_error::too_large},
    {"1e400", "USD", amount_error::too_large},
    {"1e99999999999999999999999999", "USD", amount_error::too_large},
    {"1e18446744073709551617", "USD", amount_error::too_large},
    {"1e9999999999999999999", "USD", amount_error::too_large},
    {"-1", "USD", amount_error::negative},
    {"-0.01", "USD", amount_error::negative},
    {"-1e400", "USD", amount_error::negative},
    {"1", "XAU", amount_error::unknown_currency},
    {"1", "usd", amount_error::unknown_currency},
    {"1", "", amount_error::unknown_currency},
    {"0", "ABC", amount_error::unknown_currency},
};

const std::vector<std::string> not_numbers = {
    "",    "-",    "+",     "+1",    "--1",   "01",  "00",       "-01",   "1.",   ".5",
    "-.5", "1.e5", "1e",    "1E",    "1e+",   "1e-", "1e1.5",    "1e1e1", "1..2", "1.2.3",
    " 1",  "1 ",   "1\n",   "0x10",  "1_000", "1,5", "Infinity", "NaN",   "null", "\"1\"",
    "1f",  "١",    "1e+-1", "1e-+1", "0.-1",  "e5",  "00.5",     "-e1",   "1e 5", "- 1",
};

}  // namespace

BOOST_DATA_TEST_CASE(amounts_are_read_by_value, data::make(good_amounts)) {
    money out;
    BOOST_TEST_REQUIRE((parse_amount(sample.number, sample.currency, out) == amount_error::none));
    BOOST_TEST(out.minor_units == sample.minor_units);
    BOOST_TEST((out.currency == code(sample.currency)));
}

BOOST_DATA_TEST_CASE(amounts_are_never_rounded, data::make(bad_amounts)) {
    money out{77, code("EUR")};
    const amount_error error = parse_amount(sample.number, sample.currency, out);
    BOOST_TEST(static_cast<int>(error) == static_cast<int>(sample.error));
    BOOST_TEST((out == money{77, code("EUR")}), "left alone");
}

BOOST_DATA_TEST_CASE(only_json_numbers_are_numbers, data::make(not_numbers)) {
    BOOST_TEST((judge(sample, "USD") == amount_error::not_a_number));
    BOOST_TEST((judge(sample, "???") == amount_error::not_a_number));
}

BOOST_AUTO_TEST_CASE(a_nul_ends_no_number) {
    BOOST_TEST((judge(std::string_view("1\0", 2), "USD") == amount_error::not_a_number));
}

BOOST_AUTO_TEST_CASE(long_texts) {
    const std::string zeros(100'000, '0');
    const std::string nines(100'000, '9');
    money out;
    BOOST_TEST((judge(nines, "USD") == amount_error::too_large));
    BOOST_TEST((judge("0.555" + nines, "USD") == amount_error::too_many_decimals));
    BOOST_TEST((judge("1.0000" + zeros + "1", "USD") == amount_error::none));
    BOOST_TEST((parse_amount("0." + nines, "USD", out) == amount_error::none));
    BOOST_TEST(out.minor_units == 100);
    BOOST_TEST((judge("0." + zeros, "USD") == amount_error::none));
    BOOST_TEST((judge("1e" + nines, "USD") == amount_error::too_large));
    BOOST_TEST((parse_amount("12.34" + zeros, "USD", out) == amount_error::none));
    BOOST_TEST(out.minor_units == 1234);
    BOOST_TEST((parse_amount("56" + zeros + "e-100000", "USD", out) == amount_error::none));
    BOOST_TEST(out.minor_units == 5600);
    BOOST_TEST((parse_amount("0." + zeros + "78e100002", "USD", out) == amount_error::none));
    BOOST_TEST(out.minor_units == 7800);
    BOOST_TEST((parse_amount("9e" + zeros + "1", "USD", out) == amount_error::none));
    BOOST_TEST(out.minor_units == 9000);
}

BOOST_AUTO_TEST_CASE(amounts_have_exactly_the_decimals_of_their_currency) {
    BOOST_TEST(to_string({14990, code("USD")}) == "149.90");
    BOOST_TEST(to_string({0, code("USD")}) == "0.00");
    BOOST_TEST(to_string({7, code("USD")}) == "0.07");
    BOOST_TEST(to_string({100, code("USD")}) == "1.00");
    BOOST_TEST(to_string({150, code("JPY")}) == "150");
    BOOST_TEST(to_string({0, code("JPY")}) == "0");
    BOOST_TEST(to_string({5, code("KWD")}) == "0.005");
    BOOST_TEST(to_string({123456, code("CLF")}) == "12.3456");
    BOOST_TEST(to_string({money::minor_units_max, code("EUR")}) == "90071992547409.91");
    BOOST_TEST(to_string({money::minor_units_max, code("VND")}) == "9007199254740991");
    std::string out = "total ";
    append_amount({150, code("JPY")}, out);
    BOOST_TEST(out == "total 150");
}

BOOST_AUTO_TEST_CASE(what_is_no_amount_is_not_printed) {
    std::string out;
    BOOST_CHECK_THROW(append_amount({-1, code("USD")}, out), std::invalid_argument);
    BOOST_CHECK_THROW(append_amount({1, code("XXX")}, out), std::invalid_argument);
    BOOST_TEST(out.empty());
}

// The decimal text is put together here with nothing but integers and strings.
BOOST_AUTO_TEST_CASE(random_amounts_make_the_round_trip) {
    const std::vector<std::string> by_decimals[] = {
        {"JPY", "KRW"}, {}, {"USD", "EUR"}, {"KWD", "TND"}, {"CLF", "UYW"}};
    std::mt19937_64 random(20260615);
    for (int i = 0; i < 200'000; ++i) {
        const std::size_t decimals = std::vector<std::size_t>{0, 2, 3, 4}[random() % 4];
        const auto units =
            static_cast<std::int64_t>(random() & money::minor_units_max) >> (random() % 53);
        std::string digits = std::to_string(units);
        if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
        std::string expected = digits;
        if (decimals > 0) expected.insert(expected.size() - decimals, ".");

        const std::string& currency = by_decimals[decimals][random() % 2];
        const money value{units, code(currency)};
        const std::string printed = to_string(value);
        // As the digits with the point anywhere, zeros after them and an exponent to match.
        const std::size_t zeros = random() % 30;
        const std::string padded = std::to_string(units) + std::string(zeros, '0');
        const std::size_t point = 1 + random() % padded.size();
        std::string scattered = padded.substr(0, point);
        if (point < padded.size()) scattered += "." + padded.substr(point);
        if (units == 0) scattered = "0";
        const auto exponent = static_cast<long long>(padded.size() - point) -
                              static_cast<long long>(zeros + decimals);
        scattered += (random() % 2 == 0 ? "e" : "E") + std::to_string(exponent);

        money back;
        money again;
        if (printed != expected || parse_amount(printed, currency, back) != amount_error::none ||
            parse_amount(scattered, currency, again) != amount_error::none || back != value ||
            again != value) {
            BOOST_FAIL(units << ' ' << currency << ": " << printed << ", " << scattered);
        }
        // One digit more is one too many.
        const std::string finer = expected + (decimals == 0 ? ".1" : "1");
        if (judge(finer, currency) != amount_error::too_many_decimals) BOOST_FAIL(finer);
    }
}

BOOST_AUTO_TEST_CASE(decimals_of_iso_4217) {
    const std::vector<std::string> exceptional[] = {
        {"ADP", "BEC", "BEF", "BEL", "BIF", "BYB", "BYR", "CLP", "DJF", "ESA", "ESB", "ESP",
         "GNF", "GRD", "ISK", "ITL", "JPY", "KMF", "KRW", "LUC", "LUF", "LUL", "MGF", "PTE",
         "PYG", "RWF", "TPE", "TRL", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"},
        {},
        {},
        {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND", "YDD"},
        {"CLF", "UYW"}};
    int counts[5] = {};
    std::string text = "AAA";
    for (text[0] = 'A'; text[0] <= 'Z'; ++text[0]) {
        for (text[1] = 'A'; text[1] <= 'Z'; ++text[1]) {
            for (text[2] = 'A'; text[2] <= 'Z'; ++text[2]) {
                if (const auto decimals = currency_decimals(text)) ++counts[*decimals];
            }
        }
    }
    for (const int decimals : {0, 3, 4}) {
        for (const std::string& it : exceptional[decimals]) {
            BOOST_TEST((currency_decimals(it) == decimals), it);
        }
        BOOST_TEST(counts[decimals] == static_cast<int>(exceptional[decimals].size()));
    }
    BOOST_TEST(counts[1] == 0);
    BOOST_TEST(counts[2] == 247);
    for (const char* it : {"AED", "CHF", "CNY", "EUR", "GBP", "INR", "USD", "XAD", "XCG", "ZWG"}) {
        BOOST_TEST((currency_decimals(it) == 2), it);
    }
}

BOOST_AUTO_TEST_CASE(withdrawn_currencies) {
    for (const char* it : {"ANG", "BGN", "CUC", "DEM", "FRF", "HRK", "LTL", "SLL", "VEF", "ZWL"}) {
        BOOST_TEST((currency_decimals(it) == 2), it);
    }
}

BOOST_AUTO_TEST_CASE(no_currencies) {
    for (const char* it : {"XAU", "XAG", "XDR", "XTS", "XXX", "XFO", "XRE", "BTC", "usd", "Usd", "",
                           "US", "USDT", "AAA", "ZZZ", "\x7f\x80\xff"}) {
        BOOST_TEST(!currency_decimals(it), it);
    }
    BOOST_TEST(!currency_decimals(std::string_view("US\0", 3)));
}
