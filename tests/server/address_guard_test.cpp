// What others may make us call: the verdict on URLs and addresses, without a network.

#include "client/address_guard.hpp"

#include "address_registry.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;
using boost::asio::ip::make_address;
namespace data = boost::unit_test::data;

namespace {

// The slow table takes its time, and a sanitizer ten times that.
#ifdef ORDERPROC_TEST_SANITIZED
constexpr int addresses_compared = 300'000;
#else
constexpr int addresses_compared = 10'000'000;
#endif

bool passes(const std::string& url, const guard_policy& policy = {}) {
    const auto read = parse_guarded_url(url, policy);
    if (!read) BOOST_TEST((read.error().code == errc::invalid_argument), url);
    return read.has_value();
}

std::string hosts_url(const std::string& host) {
    return "https://" + host + "/hook";
}

// Row 29 of the attacks.
const std::vector<std::string> no_such_urls{
    "",
    "http://h.example/",
    "ftp://h.example/",
    "file:///etc/passwd",
    "gopher://h.example/",
    "//h.example/",
    "https:h.example",
    "https:/h.example",
    "https:///h.example",
    "https://",
    "https://user:pw@h.example/",
    "https://user@h.example/",
    "https://@h.example/",
    "https://h.example#f",
    "https://h.example/#f",
    "https://h.example\\@127.0.0.1/",
    "https://127.0.0.1\\@h.example/",
    "https://h.example/a\tb",
    "https://h.example\t/",
    "https://h.example/a\nb",
    "https://h.example/a\r\nX-Other: y",
    "https://h.example/a b",
    " https://h.example/",
    "https://h.example/\x01",
    std::string("https://h.example/\0", 19),
    "https://h.example%00/",
    "https://h.example%2f/",
    "https://h.example/\xc3\xbc",
    "https://h.example/" + std::string(2048, 'a'),
};

// Row 30: IPv4 in every notation that some resolver takes.
const std::vector<std::string> odd_v4{
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0177.0.0.1",
    "0177.1",
    "0x7f000001",
    "0x7f.1",
    "0X7F.1",
    "0x7f.0.0.0x1",
    "127.0.0.0x1",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "127.0.0.1..",
    "1.1.1.1..",
    "1.1.1",
    "1.1.1.1.1",
    "01.1.1.1",
    "1.1.1.01",
    "1.1.1.256",

    "a.b.1",
    "a.b.0x1",
    "a.b.1.",
    "\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1",
    "127\xe3\x80\x82"
    "0\xe3\x80\x82"
    "0\xe3\x80\x82"
    "1",
    "127.0.0.1%00",
    "+1.1.1.1",
    "-1.1.1.1",
};

// Row 31: IPv6, and IPv4 within it.
const std::vector<std::string> bad_v6{
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:7f00:1]",
    "[::ffff:0:7f00:1]",
    "[::127.0.0.1]",
    "[::8.8.8.8]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::808:808]",
    "[2002:7f00:1::]",
    "[2002:808:808::1]",
    "[2001:0:1::1]",
    "[2001::808:808]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[4000::1]",
    "[1fff::1]",
    "::1",
    "2606:4700::1",
    "[2606:4700::1",
    "[2606:4700::1]]",
    "[2606:4700::1%25eth0]",
    "[2606:4700:::1]",
    "[1.1.1.1]",
    "[]",
};

// Row 32: networks of machines like this one.
const std::vector<std::string> private_v4{
    "10.0.0.1",   "10.255.255.255",  "172.16.0.0",      "172.31.255.255", "192.168.0.1",
    "100.64.0.1", "100.127.255.255", "169.254.169.254", "224.0.0.1",      "239.255.255.255",
    "240.0.0.1",  "255.255.255.255", "192.0.0.9",       "192.0.2.1",      "192.88.99.1",
    "198.18.0.1", "198.19.255.255",  "198.51.100.1",    "203.0.113.1",    "127.255.255.255",
};

// Row 33.
const std::vector<std::string> bad_names{
    "localhost",
    "LOCALHOST",
    "localhost.",
    "a.localhost",
    "printer",
    "printer.",
    "x.local",
    "X.LOCAL",
    "x.local.",
    "metadata.google.internal",
    "a..example",
    ".example.org",
    "a.example..",
    "-a.example",
    "a-.example",
    "a_b.example",
    "*.example",
    "a,b.example",
    "b\xc3\xbc"
    "cher.example",
    "loc\xd0\xb0lhost",
    "\xef\xbd\x8c"
    "ocalhost.example",
    "h\xe2\x80\x8b.example",
    std::string(64, 'a') + ".example",
    std::string(200, 'a') + ".example",
    [] {
        std::string out;
        for (int i = 0; i < 80; ++i) out += "ab.";
        return out + "0123456789.example";  // 258
    }(),
};

const std::vector<std::string> good{
    "h.example",
    "H.Example",
    "h.example.",
    "a-b.c.example",
    "xn--bcher-kva.example",
    "1a.example",
    "1.2.3.4a.example",
    "127.0.0.1.example",
    "localhost.example",
    "local.example",
    "1.1.1.1",
    "1.1.1.1.",
    "172.32.0.1",
    "172.15.255.255",
    "100.128.0.1",
    "100.63.255.255",
    "11.0.0.1",
    "9.255.255.255",
    "223.255.255.255",
    "192.0.1.1",
    "[2606:4700::1111]",
    "[64:ff9b::808:808]",
    "[::ffff:8.8.8.8]",
    "[2620:4f:8000::1]",
    "[2001:4860:4860::8888]",
    std::string(63, 'a') + ".example",
};

}  // namespace

BOOST_DATA_TEST_CASE(urls_of_other_kinds_are_refused, data::make(no_such_urls), url) {
    BOOST_TEST(!passes(url));
}

BOOST_DATA_TEST_CASE(an_address_in_an_odd_notation_is_refused,
                     data::make(odd_v4) + data::make(bad_v6), host) {
    BOOST_TEST(!passes(hosts_url(host)));
}

BOOST_DATA_TEST_CASE(private_and_special_addresses_are_refused, data::make(private_v4), host) {
    const auto read = parse_guarded_url(hosts_url(host), {});
    BOOST_TEST_REQUIRE(!read.has_value());
    BOOST_TEST(read.error().detail == address_not_allowed);
    BOOST_TEST(!is_public(make_address(host)));
    BOOST_TEST(!is_public(make_address("::ffff:" + host)));
    BOOST_TEST(!is_public(make_address("64:ff9b::" + host)));
}

BOOST_DATA_TEST_CASE(local_and_malformed_names_are_refused, data::make(bad_names), host) {
    BOOST_TEST(!passes(hosts_url(host)));
}

BOOST_DATA_TEST_CASE(public_names_and_addresses_pass, data::make(good), host) {
    const auto read = parse_guarded_url(hosts_url(host), {});
    BOOST_TEST_REQUIRE(read.has_value());
    BOOST_TEST(!read->host.ends_with('.'));
    BOOST_TEST(std::none_of(read->host.begin(), read->host.end(),
                            [](char c) { return c >= 'A' && c <= 'Z'; }));
    BOOST_TEST(read->port == 443U);
    BOOST_TEST(read->path == "/hook");
}

// Row 37.
BOOST_AUTO_TEST_CASE(ports_are_those_of_the_policy) {
    for (const char* port :
         {"22", "25", "80", "6379", "8000", "8443", "0", "65536", "443x", "-443"}) {
        BOOST_TEST(!passes("https://h.example:" + std::string(port)), port);
    }
    BOOST_TEST(passes("https://h.example:443/"));
    guard_policy policy;
    policy.ports = {8443};
    BOOST_TEST(passes("https://h.example:8443/", policy));
    BOOST_TEST(passes("https://h.example/", policy));
    BOOST_TEST(!passes("https://h.example:8444/", policy));
    BOOST_TEST(!passes("http://h.example:8443/", policy));
}

BOOST_AUTO_TEST_CASE(a_policy_widens_one_thing_at_a_time) {
    guard_policy plain;
    plain.plain_http = true;
    BOOST_TEST(passes("http://h.example/", plain));
    BOOST_TEST(!passes("http://h.example:443/", plain));
    BOOST_TEST(!passes("https://h.example:80/", plain));
    BOOST_TEST(!passes("http://127.0.0.1/", plain));
    BOOST_TEST(!passes("ftp://h.example/", plain));
    guard_policy inside;
    inside.networks = {http::address_range::parse("10.1.0.0/16").value()};
    BOOST_TEST(passes("https://10.1.2.3/", inside));
    BOOST_TEST(passes("https://[::ffff:10.1.2.3]/", inside));
    BOOST_TEST(passes("https://[64:ff9b::10.1.2.3]/", inside));
    BOOST_TEST(!passes("https://10.2.0.1/", inside));
    BOOST_TEST(!passes("https://167837699/", inside));  // 10.1.0.3, in an odd notation
    BOOST_TEST(!passes("https://printer/", inside));
    guard_policy named;
    named.local_names = true;
    for (const char* host : {"printer", "localhost", "x.local", "id.internal", "h.example"}) {
        BOOST_TEST(passes(hosts_url(host), named), host);
    }
    for (const char* host : {"127.0.0.1", "127.1", "2130706433", "0x7f000001", "a_b", "-a", "0"}) {
        BOOST_TEST(!passes(hosts_url(host), named), host);
    }
}

// Row 34: one address decides about all.
BOOST_AUTO_TEST_CASE(all_addresses_have_to_pass) {
    const address open = make_address("1.1.1.1"), open_v6 = make_address("2606:4700::1");
    const address inside = make_address("10.0.0.1"), inside_v6 = make_address("fd00::1");
    const guard_policy none;
    BOOST_TEST(admits(none, {open}, {}));
    BOOST_TEST(admits(none, {open, open_v6}, {}));
    BOOST_TEST(!admits(none, {open, inside}, {}));
    BOOST_TEST(!admits(none, {inside, open}, {}));
    BOOST_TEST(!admits(none, {open, inside_v6}, {}));
    BOOST_TEST(!admits(none, {open, make_address("::ffff:10.0.0.1")}, {}));
    BOOST_TEST(!admits(none, {}, {}));
    BOOST_TEST(admits(none, host_addresses(32, open), {}));
    BOOST_TEST(!admits(none, host_addresses(33, open), {}));
    BOOST_TEST(!admits(none, host_addresses(1000, open), {}));
}

// Row 32: what is bound to a public address of ours trusts this machine all the same.
BOOST_AUTO_TEST_CASE(this_machines_own_addresses_do_not_pass) {
    const address own = make_address("1.1.1.1"), own_v6 = make_address("2606:4700::1");
    guard_policy policy;
    BOOST_TEST(!admits(policy, {own}, {own}));
    BOOST_TEST(!admits(policy, {make_address("::ffff:1.1.1.1")}, {own}));
    BOOST_TEST(!admits(policy, {make_address("64:ff9b::1.1.1.1")}, {own_v6, own}));
    BOOST_TEST(!admits(policy, {own_v6}, {own, own_v6}));
    BOOST_TEST(admits(policy, {make_address("1.1.1.2")}, {own, own_v6}));
    policy.networks = {http::address_range::parse("1.1.1.1").value()};
    BOOST_TEST(admits(policy, {own}, {own}));
}

namespace {

class random_addresses {
public:
    address next() {
        switch (random_() % 4) {
            case 0:
                return address_v4(static_cast<std::uint32_t>(random_()));
            case 1:
                return near_an_entry(registry_v4(), 32);
            case 2:
                return near_an_entry(registry_v6(), 128);
            default:
                return any_v6();
        }
    }

private:
    // Random, of the global block, or with an IPv4 address in it.
    address any_v6() {
        address_v6::bytes_type bytes{};
        for (auto& it : bytes) it = static_cast<unsigned char>(random_());
        const auto kind = random_() % 4;
        if (kind == 0) bytes[0] = static_cast<unsigned char>(0x20 | (bytes[0] & 0x1f));
        if (kind == 1) std::fill_n(bytes.begin(), 10, static_cast<unsigned char>(0));
        if (kind == 1) bytes[10] = bytes[11] = 0xff;
        if (kind == 2) {
            bytes = boost::asio::ip::make_address_v6("64:ff9b::").to_bytes();
            for (std::size_t i = 12; i < 16; ++i) bytes[i] = static_cast<unsigned char>(random_());
        }
        return address_v6(bytes);
    }

    // The first or the last address of an entry, or one within it, and perhaps the next or the one
    // before: where a prefix that is a bit too long or too short shows.
    address near_an_entry(const std::vector<registry_entry>& all, unsigned size) {
        const registry_entry& it = all[random_() % all.size()];
        address_bits bits = bits_of(make_address(it.first));
        const auto kind = random_() % 3;
        for (unsigned i = it.bits; i < size; ++i) {
            bits[i] = kind == 0 ? 0 : kind == 1 ? 1 : static_cast<unsigned char>(random_() & 1U);
        }
        const auto step = random_() % 3;
        if (step > 0) add(bits, step == 1);
        std::array<unsigned char, 16> bytes{};
        for (unsigned i = 0; i < size; ++i) bytes[i / 8] |= bits[i] << (7 - i % 8);
        if (size == 128) return address_v6(bytes);
        return address_v4({bytes[0], bytes[1], bytes[2], bytes[3]});
    }

    // One more, or one less, modulo all of them.
    static void add(address_bits& to, bool more) {
        for (auto it = to.rbegin(); it != to.rend(); ++it) {
            *it ^= 1U;
            if ((*it == 1) == more) return;
        }
    }

    std::mt19937_64 random_{20260101};
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_verdict_is_that_of_the_registries) {
    const address_registry slow;
    random_addresses random;
    int global = 0;
    for (int i = 0; i < addresses_compared; ++i) {
        const address it = random.next();
        const bool expected = slow.is_public(it);
        global += expected ? 1 : 0;
        if (is_public(it) != expected) BOOST_FAIL(it.to_string());
    }
    BOOST_TEST(global > addresses_compared / 10);
    BOOST_TEST(global < addresses_compared * 9 / 10);
}
