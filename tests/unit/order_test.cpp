#include <orderproc/order.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <ostream>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;

namespace {

constexpr std::uint64_t all_ones = std::numeric_limits<std::uint64_t>::max();

timestamp at(std::int64_t milliseconds) {
    return timestamp(std::chrono::milliseconds(milliseconds));
}

order valid_order() {
    order out;
    out.user = "123";
    out.item_ids = {1001, 1002, 1002};
    out.total_amount = {14999, "USD"};
    return out;
}

// Crockford's digits back to bits: the last `digits` of text.
std::uint64_t from_base32(std::string_view text) {
    std::uint64_t out = 0;
    for (const char c : text) {
        const auto digit = std::string_view("0123456789ABCDEFGHJKMNPQRSTVWXYZ").find(c);
        BOOST_REQUIRE(digit != std::string_view::npos);
        out = out * 32 + digit;
    }
    return out;
}

const std::vector<std::string> good_ids = {
    "A",
    "0",
    "z",
    "ORD-A8F64D2E",
    "a.b_c:d-e",
    "9-",
    "BATCH",
    "Status",
    "batch1",
    "status-",
    "1batch",
    std::string(64, 'x'),
    "A" + std::string(63, '-'),
};
// Ids that an order may have, but a new one not yet.
const std::vector<std::string> wide_ids = {
    "-a",
    "_a",
    ":a",
    "a b",
    "a/b",
    "a%2Fb",
    "a\\",
    "a~",
    "a@b",
    "a[",
    "a`",
    "a{",
    "\xc3\xa4",
    "a\xc3\xa4",
    "\xC2\xA0",
    "\xE2\x80\x8B\xE2\x80\xA7\xE2\x80\xAF",  // U+200B, U+2027, U+202F: beside those below
    "\xE2\x81\xA5\xE2\x81\xAA\xD8\x9B",
    "...",
    std::string(65, 'x'),
    std::string(128, 'x'),
    std::string(65, '/') + "abcde",  // 200 bytes percent-encoded
    "\xF0\x9D\x84\x9E",
};
const std::vector<std::string> bad_ids = {
    "",
    "batch",
    "status",
    ".",
    "..",
    " a",
    "a ",
    " ",
    "~a",
    "~",
    "a\n",
    "a\x7f",
    std::string("a\0", 2),
    "a\x80",         // no UTF-8
    "\xed\xa0\x80",  // a surrogate
    "a\xC2\x85",     // C1: U+0085
    "\xC2\x80",
    "\xD8\x9C"
    "a",  // U+061C and all else that changes the direction of text
    "\xE2\x80\x8E",
    "\xE2\x80\x8F",
    "\xE2\x80\xA8",  // U+2028, U+2029
    "\xE2\x80\xA9",
    "\xE2\x80\xAA",
    "\xE2\x80\xAE",
    "a\xE2\x81\xA6",
    "\xE2\x81\xA9",
    std::string(129, 'x'),
    std::string(65, '/') + "abcdef",  // 201 bytes percent-encoded
};

struct spoilt {
    std::string field;
    std::string detail;
    std::function<void(order&)> spoil;
};
std::ostream& operator<<(std::ostream& out, const spoilt& it) {
    return out << it.field << ": " << it.detail;
}

void with_line(order& it, order_line line, std::size_t times = 1) {
    it.item_ids.clear();
    it.lines.assign(times, std::move(line));
}

const std::vector<spoilt> spoilt_orders = {
    {"user", "user must have at most 64 bytes", [](order& it) { it.user.assign(65, 'x'); }},
    {"user", "user must be UTF-8 without control characters", [](order& it) { it.user = "a\n"; }},
    {"user", "user must be UTF-8 without control characters", [](order& it) { it.user = "\xff"; }},
    {"tenant", "tenant must have at most 64 bytes", [](order& it) { it.tenant.assign(65, 'x'); }},
    {"tenant", "tenant must be UTF-8 without control characters",
     [](order& it) { it.tenant = "a\x7f"; }},
    {"lines", "lines must not stand beside item_ids", [](order& it) { it.lines.resize(1); }},
    {"lines", "lines must have 1 to 1000 entries", [](order& it) { with_line(it, {}, 1001); }},
    {"lines", "lines[0].sku must not be empty", [](order& it) { with_line(it, {""}); }},
    {"lines", "lines[0].sku must have at most 64 bytes",
     [](order& it) { with_line(it, {std::string(65, 'x')}); }},
    {"lines", "lines[0].sku must be UTF-8 without control characters",
     [](order& it) { with_line(it, {"a\tb"}); }},
    {"lines", "lines[0].name must have at most 256 bytes",
     [](order& it) {
         with_line(it, {"A", 1, {}, std::string(257, 'x')});
     }},
    {"lines", "lines[0].quantity must be 1 to 1000000",
     [](order& it) {
         with_line(it, {"A", 0});
     }},
    {"lines", "lines[0].quantity must be 1 to 1000000",
     [](order& it) {
         with_line(it, {"A", 1'000'001});
     }},
    {"lines", "lines[0].unit_amount must be 0 to 9007199254740991 minor units",
     [](order& it) {
         with_line(it, {"A", 1, amount{-1}});
     }},
    {"attributes", "attributes must have at most 32 entries",
     [](order& it) { it.attributes.resize(33); }},
    {"attributes", "attributes[0].name must be [a-z][a-z0-9_]{0,31}",
     [](order& it) {
         it.attributes = {{"", true}};
     }},
    {"attributes", "attributes[0].name must be [a-z][a-z0-9_]{0,31}",
     [](order& it) {
         it.attributes = {{"_a", true}};
     }},
    {"attributes", "attributes[0].name must be [a-z][a-z0-9_]{0,31}",
     [](order& it) {
         it.attributes = {{std::string(33, 'a'), true}};
     }},
    {"attributes", "attributes must ascend by name, and b does not",
     [](order& it) {
         it.attributes = {{"b", true}, {"b", true}};
     }},
    {"attributes", "attributes.a must have at most 1024 bytes",
     [](order& it) {
         it.attributes = {{"a", std::string(1025, 'x')}};
     }},
    {"attributes", "attributes.a must be 0 to 9007199254740991 minor units",
     [](order& it) {
         it.attributes = {{"a", amount{money::minor_units_max + 1}}};
     }},
    {"annotations", "annotations must be a JSON object", [](order& it) { it.annotations = "[]"; }},
    {"annotations", "annotations must have at most 16384 bytes",
     [](order& it) { it.annotations = "{\"a\":\"" + std::string(16384, 'x') + "\"}"; }},
    {"item_ids", "item_ids must have 1 to 1000 entries", [](order& it) { it.item_ids.clear(); }},
    {"item_ids", "item_ids must have 1 to 1000 entries",
     [](order& it) { it.item_ids.assign(1001, 1); }},
    {"item_ids", "item_ids[0] must be 1 or more", [](order& it) { it.item_ids[0] = 0; }},
    {"item_ids", "item_ids[2] must be 1 or more", [](order& it) { it.item_ids[2] = -7; }},
    {"total_amount", "total_amount must be 0 to 9007199254740991 minor units",
     [](order& it) { it.total_amount.minor_units = -1; }},
    {"total_amount", "total_amount must be 0 to 9007199254740991 minor units",
     [](order& it) { it.total_amount.minor_units = money::minor_units_max + 1; }},
    {"currency", "currency of total_amount is not in ISO 4217",
     [](order& it) { it.total_amount.currency = "ABC"; }},
    {"currency", "currency of total_amount is not in ISO 4217",
     [](order& it) { it.total_amount.currency = {}; }},
    {"metadata", "metadata must have at most 16384 bytes",
     [](order& it) { it.metadata.assign(order::metadata_size_max + 1, ' '); }},
    {"metadata", "metadata must be a JSON object", [](order& it) { it.metadata.clear(); }},
    {"metadata", "metadata must be a JSON object", [](order& it) { it.metadata = "[]"; }},
    {"metadata", "metadata must be a JSON object", [](order& it) { it.metadata = "null"; }},
    {"metadata", "metadata must be a JSON object; at line 1, column 3: something follows the value",
     [](order& it) { it.metadata = R"({},"status":"COMPLETED","x":{})"; }},
    {"metadata", "metadata must be a JSON object; at line 1, column 7: a digit is missing",
     [](order& it) { it.metadata = R"({"a":-})"; }},
    {"metadata", "metadata must be a JSON object; at line 1, column 4: not UTF-8",
     [](order& it) { it.metadata = "{\"a\xff\":1}"; }},
    {"metadata",
     "metadata must be a JSON object; at line 1, column 4: a control character within a string",
     [](order& it) { it.metadata = std::string("{\"a\0\":1}", 8); }},
    {"metadata",
     "metadata must be a JSON object; at line 1, column 8: a name that its object has already",
     [](order& it) { it.metadata = R"({"a":1,"\u0061":2})"; }},
    {"metadata",
     "metadata, at byte 5, must be a number of at most 128 characters, with an exponent of at "
     "most three digits, that a double can hold: send others as a string",
     [](order& it) { it.metadata = R"({"a":1e400})"; }},
    {"metadata", "metadata, at byte 7, must not contain the character U+0000",
     [](order& it) { it.metadata = R"({"a":["\u0000"]})"; }},
    {"metadata", "metadata must be a JSON object; at line 1, column 156: nested too deep",
     [](order& it) {
         it.metadata.clear();
         for (int i = 0; i < 32; ++i) it.metadata.append(R"({"a":)");
         it.metadata.append("1").append(32, '}');
     }},
};

}  // namespace

BOOST_DATA_TEST_CASE(order_ids, data::make(good_ids)) {
    const auto id = order_id::parse(sample);
    BOOST_TEST_REQUIRE(id.has_value());
    BOOST_TEST(id->view() == sample);
    BOOST_TEST(id->is_plain());
}

BOOST_DATA_TEST_CASE(wide_order_ids, data::make(wide_ids)) {
    const auto id = order_id::parse(sample);
    BOOST_TEST_REQUIRE(id.has_value());
    BOOST_TEST(id->view() == sample);
    BOOST_TEST(!id->is_plain());
}

BOOST_AUTO_TEST_CASE(no_order_id) {
    BOOST_TEST(order_id().empty());
    BOOST_TEST(!order_id().is_plain());
}

BOOST_DATA_TEST_CASE(no_order_ids, data::make(bad_ids)) {
    const auto id = order_id::parse(sample);
    BOOST_TEST_REQUIRE(!id.has_value());
    BOOST_TEST((id.error().code == errc::invalid_argument));
    BOOST_TEST(id.error().detail.empty());
}

BOOST_AUTO_TEST_CASE(every_byte_of_an_order_id) {
    const std::string first = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (int byte = 0; byte < 256; ++byte) {
        const char c = static_cast<char>(byte);
        const bool opens = first.find(c) != std::string::npos;
        const bool follows = opens || std::string_view("._:-").find(c) != std::string_view::npos;
        const auto plain = [](const std::string& text) {
            const auto id = order_id::parse(text);
            return id && id->is_plain();
        };
        BOOST_TEST(plain(std::string(1, c)) == opens, byte);
        BOOST_TEST(plain(std::string("a") + c) == follows, byte);
        const bool shown = byte > 0x20 && byte < 0x7F;
        BOOST_TEST(order_id::parse(std::string("a") + c).has_value() == shown, byte);
    }
}

BOOST_AUTO_TEST_CASE(made_ids_are_ulids) {
    BOOST_TEST(order_id::make(at(0), 0, 0).view() == "ORD-00000000000000000000000000");
    // The time of the example in the ULID specification.
    BOOST_TEST(order_id::make(at(1469918176385), 0, 0).view().substr(0, 14) == "ORD-01ARYZ6S41");
    BOOST_TEST(order_id::make(at((std::int64_t{1} << 48) - 1), all_ones, all_ones).view() ==
               "ORD-7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
    BOOST_TEST(order_id::make(at(0), 0, 1).view() == "ORD-00000000000000000000000001");
    BOOST_TEST(order_id::make(at(0), 1, 0).view() == "ORD-0000000000000G000000000000");
}

BOOST_AUTO_TEST_CASE(times_that_a_ulid_cannot_hold_become_its_ends) {
    BOOST_TEST((order_id::make(at(-1), 1, 2) == order_id::make(at(0), 1, 2)));
    BOOST_TEST((order_id::make(timestamp::min(), 1, 2) == order_id::make(at(0), 1, 2)));
    BOOST_TEST((order_id::make(timestamp::max(), 1, 2) ==
                order_id::make(at((std::int64_t{1} << 48) - 1), 1, 2)));
}

BOOST_AUTO_TEST_CASE(made_ids_hold_their_parts_and_sort_by_time) {
    std::mt19937_64 random(20260615);
    std::set<std::string, std::less<>> seen;
    std::int64_t time = 1'781'533'391'326;
    std::string before;
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t high = random();
        const std::uint64_t low = random();
        time += 1 + static_cast<std::int64_t>(random() % 100'000);
        const order_id id = order_id::make(at(time), high, low);
        const std::string_view text = id.view();
        BOOST_TEST_REQUIRE(text.size() == 30U);
        BOOST_TEST_REQUIRE(order_id::parse(text).has_value());
        BOOST_TEST_REQUIRE(text.substr(0, 4) == "ORD-");
        BOOST_TEST_REQUIRE(from_base32(text.substr(4, 10)) == static_cast<std::uint64_t>(time));
        const std::uint64_t upper = from_base32(text.substr(14, 8));
        const std::uint64_t lower = from_base32(text.substr(22));
        BOOST_TEST_REQUIRE(((upper << 40) | lower) == low);
        BOOST_TEST_REQUIRE((upper >> 24) == (high & 0xFFFF));
        BOOST_TEST_REQUIRE(before < text);
        BOOST_TEST_REQUIRE(seen.insert(std::string(text)).second);
        before = text;
    }
}

BOOST_AUTO_TEST_CASE(statuses) {
    constexpr order_status pending = "PENDING";
    BOOST_TEST(pending.view() == "PENDING");
    BOOST_TEST((order_status::parse("PENDING").value() == pending));
    BOOST_TEST(order_status().view().empty());
    for (const char* good : {"A", "A1", "A_", "ON_HOLD_2", "ABCDEFGHIJKLMNOPQRSTUVW"}) {
        BOOST_TEST(order_status::parse(good).value().view() == good);
    }
    for (const char* bad : {"", "1A", "_A", "a", "Pending", "ON-HOLD", "ON HOLD", "A\n", "\xc3\x84",
                            "ABCDEFGHIJKLMNOPQRSTUVWX"}) {
        const auto status = order_status::parse(bad);
        BOOST_TEST_REQUIRE(!status.has_value(), bad);
        BOOST_TEST((status.error().code == errc::invalid_argument));
    }
}

BOOST_AUTO_TEST_CASE(orders_within_their_bounds) {
    order it = valid_order();
    BOOST_TEST(validate(it).has_value());
    it.user = "1";
    it.item_ids = {1};
    it.total_amount.minor_units = 0;
    BOOST_TEST(validate(it).has_value());
    it.user = "9223372036854775807";
    it.item_ids.assign(order::items_max, std::numeric_limits<std::int64_t>::max());
    it.total_amount = {money::minor_units_max, "JPY"};
    it.metadata = "{\"a\":\"" + std::string(order::metadata_size_max - 8, 'x') + "\"}";
    BOOST_TEST(it.metadata.size() == order::metadata_size_max);
    BOOST_TEST(validate(it).has_value());
    it.metadata = " { \"a\" : [ 1 , {} ] }\n";
    BOOST_TEST(validate(it).has_value());
    it.metadata.clear();  // as deep as an order may nest, one level of which is the order
    for (int i = 0; i < 31; ++i) it.metadata.append(R"({"a":)");
    it.metadata.append("1").append(31, '}');
    BOOST_TEST(validate(it).has_value());
}

BOOST_DATA_TEST_CASE(orders_out_of_their_bounds, data::make(spoilt_orders)) {
    order it = valid_order();
    sample.spoil(it);
    const auto verdict = validate(it);
    BOOST_TEST_REQUIRE(!verdict.has_value());
    BOOST_TEST((verdict.error().code == errc::invalid_argument));
    BOOST_TEST(verdict.error().detail == sample.detail);
    BOOST_TEST(verdict.error().detail.starts_with(sample.field));
}
