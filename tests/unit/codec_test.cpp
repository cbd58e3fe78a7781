#include <orderproc/codec.hpp>

#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

using namespace orderproc;

namespace {

using number_limits = std::numeric_limits<std::int64_t>;

timestamp at(std::int64_t milliseconds) {
    return timestamp(std::chrono::milliseconds(milliseconds));
}

order fixed_order() {
    order out;
    out.number = 300;
    out.id = order_id::parse("ORD-A8F64D2E").value();
    out.user = "123";
    out.item_ids = {1001, 1002, 1003};
    out.total_amount = {14999, "USD"};
    out.metadata = R"({"a":1})";
    out.status = "PENDING";
    out.version = order_version{3};
    out.attempts = 2;
    out.next_attempt_at = at(1781533396326);
    out.last_error = "no route";
    out.created_at = at(1781533391326);
    out.updated_at = at(1781533392326);
    out.first_claimed_at = at(1781533391426);
    return out;
}

stored_order fixed_stored_order() {
    stored_order out;
    out.value = fixed_order();
    out.value.status = "PROCESSING";
    out.value.next_attempt_at.reset();
    out.lease = lease_token{7};
    out.leased = true;
    out.due_at = at(1781533421326);
    out.worker_id = "w1";
    out.expired_leases = 1;
    out.traceparent = "00-1";
    return out;
}

journal_entry fixed_entry() {
    journal_entry out;
    out.position = {5, 9};
    out.version = order_version{3};
    out.event = "release";
    out.from = order_status("PROCESSING");
    out.actor = "w1";
    out.reason = "no route";
    out.traceparent = "00-1";
    out.at = at(1781533392326);
    out.after = fixed_order();
    return out;
}

bool same(const journal_entry& a, const journal_entry& b) {
    return a.position == b.position && a.version == b.version && a.event == b.event &&
           a.from == b.from && a.actor == b.actor && a.reason == b.reason &&
           a.traceparent == b.traceparent && a.at == b.at && a.after == b.after;
}

template <class Value>
std::string encoded(const Value& value) {
    std::string out;
    encode(value, out);
    return out;
}

result<order> decoded(const order&, std::string_view bytes) {
    return decode_order(bytes);
}
result<stored_order> decoded(const stored_order&, std::string_view bytes) {
    return decode_stored_order(bytes);
}
result<journal_entry> decoded(const journal_entry& like, std::string_view bytes) {
    return decode_journal_entry(bytes, like.position);
}

std::string hex(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        out += "0123456789abcdef"[byte / 16];
        out += "0123456789abcdef"[byte % 16];
    }
    return out;
}

// CRC-32C bit by bit, after its definition in RFC 3720, appendix B.4.
std::string with_checksum(std::string bytes) {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const char c : bytes) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    }
    for (int i = 0; i < 4; ++i) bytes += static_cast<char>((~crc >> (8 * i)) & 0xFF);
    return bytes;
}

std::string without_checksum(const std::string& bytes) {
    return bytes.substr(0, bytes.size() - 4);
}

template <class Result>
bool is_corrupt(const Result& got) {
    return !got.has_value() && got.error().code == errc::corrupt && !got.error().detail.empty();
}

// Of all magnitudes, the ends included.
std::int64_t any_number(std::mt19937_64& random) {
    const auto out = static_cast<std::int64_t>(random()) >> (random() % 64);
    switch (random() % 16) {
        case 0:
            return number_limits::min();
        case 1:
            return number_limits::max();
        default:
            return out;
    }
}

std::string any_text(std::mt19937_64& random) {
    std::string out(random() % 4 == 0 ? random() % 300 : random() % 10, '\0');
    for (char& c : out) c = static_cast<char>(random());
    return out;
}

std::optional<timestamp> any_time(std::mt19937_64& random) {
    if (random() % 2 == 0) return std::nullopt;
    return at(any_number(random));
}

attribute_value any_value(std::mt19937_64& random) {
    switch (random() % 5) {
        case 0:
            return any_text(random);
        case 1:
            return any_number(random);
        case 2:
            return random() % 2 == 0;
        case 3:
            return at(any_number(random));
        default:
            return amount{any_number(random)};
    }
}

// What most orders do not have.
void add_extra(std::mt19937_64& random, order_content& out) {
    if (random() % 2 == 0) out.user = any_text(random);
    if (random() % 2 == 0) out.tenant = any_text(random);
    out.lines.resize(random() % 4);
    for (order_line& it : out.lines) {
        it = {any_text(random), any_number(random), {}, any_text(random)};
        if (random() % 2 == 0) it.unit_amount = amount{any_number(random)};
    }
    out.attributes.resize(random() % 4);
    for (order_attribute& it : out.attributes) it = {any_text(random), any_value(random)};
    if (random() % 2 == 0) out.annotations = any_text(random);
}

order any_order(std::mt19937_64& random) {
    order out;
    out.number = any_number(random);
    if (random() % 4 != 0) out.id = order_id::make(at(any_number(random)), random(), random());
    if (random() % 2 == 0) {
        const std::int64_t user = any_number(random);
        if (user > 0) out.user = std::to_string(user);
    } else {
        add_extra(random, out);
    }
    out.item_ids.resize(random() % 40);
    for (std::int64_t& id : out.item_ids) id = any_number(random);
    out.total_amount.minor_units = any_number(random);
    std::string letters;
    for (std::size_t i = 0; i < currency_code::size; ++i) {
        letters += static_cast<char>('A' + random() % 26);
    }
    if (random() % 4 != 0) out.total_amount.currency = currency_code::parse(letters).value();
    out.metadata = any_text(random);
    const std::array<order_status, 4> statuses{order_status(), "PENDING", "A",
                                               "ABCDEFGHIJKLMNOPQRSTUVW"};
    out.status = statuses[random() % statuses.size()];
    out.version = order_version{random()};
    out.attempts = static_cast<std::uint32_t>(random());
    out.next_attempt_at = any_time(random);
    out.last_error = any_text(random);
    out.created_at = at(any_number(random));
    out.updated_at = at(any_number(random));
    out.first_claimed_at = any_time(random);
    out.settled_at = any_time(random);
    return out;
}

stored_order any_stored_order(std::mt19937_64& random) {
    stored_order out;
    out.value = any_order(random);
    out.lease = lease_token{random()};
    out.leased = random() % 2 == 0;
    out.due_at = any_time(random);
    out.worker_id = any_text(random);
    out.expired_leases = static_cast<std::uint32_t>(random());
    if (random() % 2 == 0) out.span = std::chrono::milliseconds(any_number(random));
    return out;
}

journal_entry any_entry(std::mt19937_64& random) {
    journal_entry out;
    out.position = {random(), random()};
    out.after = any_order(random);
    out.version = out.after.version;
    out.event = any_text(random);
    if (random() % 2 == 0) out.from = order_status("PENDING");
    out.actor = any_text(random);
    out.reason = any_text(random);
    out.traceparent = any_text(random);
    out.at = at(any_number(random));
    return out;
}

// Whatever is accepted must be what encode() would have written.
template <class Value>
bool accepts_only_its_own(const Value& like, const std::string& bytes) {
    const auto got = decoded(like, bytes);
    return got.has_value() ? encoded(*got) == bytes : is_corrupt(got);
}

}  // namespace

// If these change, what is stored can no longer be read: add a format instead.
BOOST_AUTO_TEST_CASE(the_format_does_not_drift) {
    BOOST_TEST(hex(encoded(fixed_order())) ==
               "0107d8040c4f52442d4138463634443245f60103d20fd40fd60faeea01555344077b2261223a317d"
               "0750454e44494e470302086e6f20726f757465bce7d1bad967d00f904ec8015d2055d5");
    BOOST_TEST(hex(encoded(fixed_stored_order())) ==
               "8135d8040c4f52442d4138463634443245f60103d20fd40fd60faeea01555344077b2261223a317d"
               "0a50524f43455353494e470302086e6f20726f757465bce7d1bad967d00fc80107e0d40302773101"
               "0430302d31abb63a0a");
    order rich = fixed_order();
    rich.user = "u-123";
    rich.item_ids.clear();
    rich.lines = {{"TEA", 2, amount{499}, "Tee"}, {"CUP"}};
    rich.tenant = "north";
    rich.attributes = {{"fee", amount{5}},
                       {"gift", true},
                       {"note", "x"},
                       {"rank", std::int64_t{-3}},
                       {"wanted_at", timestamp(std::chrono::milliseconds(1'000'000))}};
    rich.annotations = R"({"a":1})";
    BOOST_TEST(hex(encoded(rich)) ==
               "0187d8040c4f52442d41384636344432450000aeea01555344077b2261223a317d0750454e44494e"
               "470302086e6f20726f757465bce7d1bad967d00f904ec80105752d313233056e6f72746802035445"
               "41040354656501e607034355500200000503666565040a04676966740201046e6f74650001780472"
               "616e6b01050977616e7465645f61740380897a077b2261223a317d8be88919");
    order smallest;
    smallest.total_amount.currency = "USD";
    BOOST_TEST(hex(encoded(smallest)) == "010000000000555344027b7d0001000000007198a644");
    BOOST_TEST(hex(encoded(order())) == "010000000000000000027b7d0001000000004534bc41");
    BOOST_TEST(hex(encoded(fixed_entry())) ==
               "4147d8040c4f52442d4138463634443245f60103d20fd40fd60faeea01555344077b2261223a317d"
               "0750454e44494e470302086e6f20726f757465bce7d1bad967d00f904ec8010772656c656173650a50"
               "524f43455353494e47027731086e6f20726f7574650430302d31d00f869fb4a8");
}

BOOST_AUTO_TEST_CASE(index_entries_come_back) {
    stored_order it = fixed_stored_order();
    const std::string without = encoded(it);
    it.index = {{3, false, "a"}, {3, true, std::string("\0\xff", 2)}, {131, true, "north"}};
    const std::string bytes = encoded(it);
    const auto back = decode_stored_order(bytes);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST((*back == it));
    BOOST_TEST(bytes.size() > without.size());
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        BOOST_TEST((decode_stored_order(bytes.substr(0, size)).error().code == errc::corrupt));
    }
    std::swap(it.index[0], it.index[1]);  // they ascend
    BOOST_TEST((decode_stored_order(encoded(it)).error().code == errc::corrupt));
    BOOST_TEST((decode_order(bytes).error().code == errc::corrupt));
}

BOOST_AUTO_TEST_CASE(the_checksum_is_crc_32c) {
    for (const std::string& bytes : {encoded(fixed_order()), encoded(fixed_stored_order())}) {
        BOOST_TEST(hex(with_checksum(without_checksum(bytes))) == hex(bytes));
    }
    BOOST_TEST(hex(with_checksum("123456789")) == "313233343536373839839206e3");
}

BOOST_AUTO_TEST_CASE(encoding_appends) {
    std::string out = "before";
    encode(fixed_order(), out);
    BOOST_TEST(out == "before" + encoded(fixed_order()));
}

BOOST_AUTO_TEST_CASE(fixed_orders_come_back) {
    BOOST_TEST((decode_order(encoded(fixed_order())).value() == fixed_order()));
    BOOST_TEST((decode_order(encoded(order())).value() == order()));
    BOOST_TEST(
        (decode_stored_order(encoded(fixed_stored_order())).value() == fixed_stored_order()));
    BOOST_TEST((decode_stored_order(encoded(stored_order())).value() == stored_order()));
    BOOST_TEST(same(decoded(fixed_entry(), encoded(fixed_entry())).value(), fixed_entry()));
}

BOOST_AUTO_TEST_CASE(large_orders_come_back) {
    order it = fixed_order();
    it.item_ids.assign(order::items_max, number_limits::max());
    it.metadata.assign(order::metadata_size_max, 'x');
    it.last_error.assign(100'000, 'e');
    BOOST_TEST((decode_order(encoded(it)).value() == it));
}

BOOST_AUTO_TEST_CASE(random_orders_come_back) {
    std::mt19937_64 random(20260615);
    for (int i = 0; i < 5'000; ++i) {
        const order one = any_order(random);
        BOOST_TEST_REQUIRE((decode_order(encoded(one)).value() == one));
        const stored_order two = any_stored_order(random);
        BOOST_TEST_REQUIRE((decode_stored_order(encoded(two)).value() == two));
        const journal_entry three = any_entry(random);
        BOOST_TEST_REQUIRE(same(decoded(three, encoded(three)).value(), three));
    }
}

BOOST_AUTO_TEST_CASE(each_kind_is_only_itself) {
    BOOST_TEST(is_corrupt(decode_stored_order(encoded(fixed_order()))));
    BOOST_TEST(is_corrupt(decode_order(encoded(fixed_stored_order()))));
    BOOST_TEST(is_corrupt(decode_order(encoded(fixed_entry()))));
    BOOST_TEST(is_corrupt(decoded(fixed_entry(), encoded(fixed_order()))));
    BOOST_TEST(is_corrupt(decoded(fixed_entry(), encoded(fixed_stored_order()))));
}

BOOST_AUTO_TEST_CASE(later_formats_are_not_guessed) {
    for (int format = 0; format < 256; ++format) {
        std::string bytes = without_checksum(encoded(fixed_order()));
        bytes[0] = static_cast<char>(format);
        BOOST_TEST(decode_order(with_checksum(bytes)).has_value() == (format == 0x01));
        bytes = without_checksum(encoded(fixed_stored_order()));
        bytes[0] = static_cast<char>(format);
        BOOST_TEST(decode_stored_order(with_checksum(bytes)).has_value() == (format == 0x81));
    }
}

// The bytes are on the heap and of just that size, so that a sanitizer sees reads beyond them.
BOOST_AUTO_TEST_CASE(cut_off_anywhere_is_corrupt) {
    const auto cut_everywhere = [](const auto& value) {
        const std::string bytes = encoded(value);
        for (std::size_t size = 0; size < bytes.size(); ++size) {
            const std::vector<char> cut(bytes.begin(),
                                        bytes.begin() + static_cast<std::ptrdiff_t>(size));
            BOOST_TEST(is_corrupt(decoded(value, {cut.data(), cut.size()})), size);
            const std::string sealed = with_checksum(bytes.substr(0, size));
            if (size == bytes.size() - 4) continue;  // this is the whole
            const std::vector<char> copy(sealed.begin(), sealed.end());
            BOOST_TEST(is_corrupt(decoded(value, {copy.data(), copy.size()})), size);
        }
        BOOST_TEST(is_corrupt(decoded(value, bytes + '\0')));
        BOOST_TEST(is_corrupt(decoded(value, with_checksum(without_checksum(bytes) + '\0'))));
    };
    cut_everywhere(fixed_order());
    cut_everywhere(fixed_stored_order());
    cut_everywhere(fixed_entry());
    BOOST_TEST(is_corrupt(decode_order({})));
}

BOOST_AUTO_TEST_CASE(every_flipped_bit_is_noticed) {
    std::string bytes = encoded(fixed_stored_order());
    for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
        bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
        BOOST_TEST(is_corrupt(decode_stored_order(bytes)), i);
        bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ (1 << (i % 8)));
    }
    BOOST_TEST(decode_stored_order(bytes).has_value());
}

// With the checksum made to fit, so that what is behind it gets the damage.
BOOST_AUTO_TEST_CASE(damage_behind_the_checksum_is_survived) {
    std::mt19937_64 random(20260615);
    for (int i = 0; i < 20'000; ++i) {
        const stored_order value = i % 2 == 0 ? fixed_stored_order() : any_stored_order(random);
        std::string bytes = without_checksum(encoded(value));
        for (auto flips = 1 + random() % 4; flips > 0; --flips) {
            bytes[random() % bytes.size()] = static_cast<char>(random());
        }
        BOOST_TEST_REQUIRE(accepts_only_its_own(value, with_checksum(bytes)));
        std::string plain = without_checksum(encoded(value.value));
        plain[random() % plain.size()] = static_cast<char>(random());
        BOOST_TEST_REQUIRE(accepts_only_its_own(value.value, with_checksum(plain)));
        const journal_entry entry = i % 2 == 0 ? fixed_entry() : any_entry(random);
        std::string told = without_checksum(encoded(entry));
        told[random() % told.size()] = static_cast<char>(random());
        BOOST_TEST_REQUIRE(accepts_only_its_own(entry, with_checksum(told)));
    }
    for (int i = 0; i < 20'000; ++i) {
        const std::string noise = "\x01" + any_text(random);
        BOOST_TEST_REQUIRE(accepts_only_its_own(order(), with_checksum(noise)));
        BOOST_TEST_REQUIRE(accepts_only_its_own(order(), noise));
    }
}

BOOST_AUTO_TEST_CASE(each_value_has_one_encoding) {
    const std::string bytes = without_checksum(encoded(order()));
    // Format, flags, number, user_id, count of items, amount: zeros from byte 1 to 5.
    const auto changed = [&](std::size_t at, std::string_view to) {
        return decode_order(with_checksum(std::string(bytes).replace(at, 1, to)));
    };
    BOOST_TEST(changed(2, std::string_view("\0", 1)).has_value());
    BOOST_TEST(is_corrupt(changed(2, std::string_view("\x80\0", 2))));
    BOOST_TEST(is_corrupt(changed(2, std::string_view("\x81\x80\0", 3))));
    BOOST_TEST(changed(2, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").value().number ==
               number_limits::min());
    BOOST_TEST(is_corrupt(changed(2, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")));
    BOOST_TEST(is_corrupt(changed(2, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01")));
    for (const char* flag : {"\x10", "\x20", "\x40", "\x80"}) {
        BOOST_TEST(is_corrupt(changed(1, flag)));
    }
}

// Were any of these sizes believed, memory would run out here.
BOOST_AUTO_TEST_CASE(hostile_sizes_are_not_believed) {
    const std::string bytes = without_checksum(encoded(order()));
    const std::string huge[] = {
        "\x7f",
        "\xff\xff\xff\xff\x0f",                      // 2^32 - 1
        "\xff\xff\xff\xff\xff\xff\xff\x7f",          // 2^56 - 1
        "\xff\xff\xff\xff\xff\xff\xff\xff\x7f",      // 2^63 - 1
        "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",  // 2^64 - 1
    };
    constexpr std::size_t items = 4;
    constexpr std::size_t metadata = 9;
    constexpr std::size_t status = 12;
    constexpr std::size_t last_error = 15;
    for (const std::string& size : huge) {
        for (const std::size_t at : {items, metadata, status, last_error}) {
            const std::string hostile = with_checksum(std::string(bytes).replace(at, 1, size));
            BOOST_TEST(is_corrupt(decode_order(hostile)), at);
        }
    }
}

BOOST_AUTO_TEST_CASE(names_are_checked) {
    const std::string bytes = without_checksum(encoded(fixed_order()));
    const auto with = [&](std::string_view from, std::string_view to) {
        std::string out = bytes;
        out.replace(out.find(from), from.size(), to);
        return decode_order(with_checksum(out));
    };
    BOOST_TEST(with("ORD-A8F64D2E", "ORD-A8F64D2F").value().id.view() == "ORD-A8F64D2F");
    BOOST_TEST(is_corrupt(with("ORD-A8F64D2E", "ORD\nA8F64D2E")));
    BOOST_TEST(with("PENDING", "WAITING").value().status.view() == "WAITING");
    BOOST_TEST(is_corrupt(with("PENDING", "pENDING")));
}
