#include "http/client_address.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server::http;

namespace {

address_bytes address(const char* text) {
    return bytes_of(boost::asio::ip::make_address(text));
}

bool in_range(const char* range, const char* it) {
    return address_range::parse(range).value().contains(address(it));
}

struct fixture {
    address_ranges trusted{address_range::parse("10.0.0.0/8").value(),
                           address_range::parse("fd00::/8").value()};

    bool is(const char* expected, const char* peer, std::vector<std::string> forwarded) {
        std::vector<field> fields{{"Host", "a"}};
        for (const std::string& it : forwarded) {
            fields.push_back({"x-forwarded-for", it});
            fields.push_back({"X-Other", "192.0.2.99"});
        }
        request in;
        in.fields = fields;
        return client_of(in, address(peer), trusted) == address(expected);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(client_address, fixture)

BOOST_AUTO_TEST_CASE(ranges) {
    BOOST_TEST(in_range("10.0.0.0/8", "10.255.0.1"));
    BOOST_TEST(!in_range("10.0.0.0/8", "11.0.0.1"));
    BOOST_TEST(in_range("10.0.0.0/8", "::ffff:10.0.0.1"));
    BOOST_TEST(in_range("192.0.2.128/25", "192.0.2.255"));
    BOOST_TEST(!in_range("192.0.2.128/25", "192.0.2.127"));
    BOOST_TEST(in_range("192.0.2.1", "192.0.2.1"));
    BOOST_TEST(!in_range("192.0.2.1", "192.0.2.0"));
    BOOST_TEST(in_range("0.0.0.0/0", "1.2.3.4"));
    BOOST_TEST(!in_range("0.0.0.0/0", "2001:db8::1"));
    BOOST_TEST(in_range("::/0", "1.2.3.4"));
    BOOST_TEST(in_range("fd00::/8", "fdff::1"));
    BOOST_TEST(!in_range("fd00::/8", "fc00::1"));
    BOOST_TEST(in_range("2001:db8::1/128", "2001:db8::1"));
    for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                             "10.0.0/8", "::/129", "localhost", "10.0.0.0/8/8", " 10.0.0.1"}) {
        BOOST_TEST((!address_range::parse(text) &&
                    address_range::parse(text).error().code == errc::invalid_argument),
                   text);
    }
}

BOOST_AUTO_TEST_CASE(an_ipv6_network_is_one_client) {
    const auto same = [](const char* a, const char* b) {
        return client_network(address(a)) == client_network(address(b));
    };
    BOOST_TEST(same("2001:db8::1", "2001:db8::ffff:2"));
    BOOST_TEST(!same("2001:db8::1", "2001:db8:0:1::1"));
    BOOST_TEST(!same("192.0.2.1", "192.0.2.2"));
    BOOST_TEST(same("192.0.2.1", "::ffff:192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(who_is_no_proxy_cannot_speak_for_others) {
    BOOST_TEST(is("192.0.2.1", "192.0.2.1", {}));
    BOOST_TEST(is("192.0.2.1", "192.0.2.1", {"198.51.100.1"}));
    BOOST_TEST(is("192.0.2.1", "192.0.2.1", {"10.0.0.1, 10.0.0.2"}));
}

BOOST_AUTO_TEST_CASE(the_rightmost_that_no_proxy_of_ours_is) {
    BOOST_TEST(is("192.0.2.1", "10.0.0.1", {"192.0.2.1"}));
    BOOST_TEST(is("192.0.2.1", "10.0.0.1", {"198.51.100.1, 192.0.2.1"}));
    BOOST_TEST(is("192.0.2.1", "10.0.0.1", {"198.51.100.1 ,\t192.0.2.1 , 10.9.9.9"}));
    BOOST_TEST(is("192.0.2.1", "10.0.0.1", {"198.51.100.1", "192.0.2.1", "10.9.9.9"}));
    BOOST_TEST(is("192.0.2.1", "::ffff:10.0.0.1", {"192.0.2.1"}));
    BOOST_TEST(is("2001:db8::1", "fd00::1", {"2001:db8::1"}));
    BOOST_TEST(is("2001:db8::1", "fd00::1", {"[2001:db8::1]:443"}));
    BOOST_TEST(is("2001:db8::1", "fd00::1", {"[2001:db8::1]"}));
    BOOST_TEST(is("192.0.2.1", "fd00::1", {"192.0.2.1:443"}));
}

BOOST_AUTO_TEST_CASE(where_it_ends_or_makes_no_sense_the_last_proxy_is_the_client) {
    BOOST_TEST(is("10.0.0.1", "10.0.0.1", {}));
    BOOST_TEST(is("10.0.0.1", "10.0.0.1", {""}));
    BOOST_TEST(is("10.0.0.2", "10.0.0.1", {"10.0.0.2"}));
    BOOST_TEST(is("10.0.0.2", "10.0.0.1", {"192.0.2.1, unknown, 10.0.0.2"}));
    for (const char* text : {"unknown", "_hidden", "192.0.2.1, ", "192.0.2", "[", "[]", "[::1", ":",
                             "192.0.2.1 192.0.2.2", "<script>"}) {
        BOOST_TEST(is("10.0.0.1", "10.0.0.1", {text}), text);
    }
    BOOST_TEST(is("10.0.0.1", "10.0.0.1", {std::string(1000, '1')}));
    BOOST_TEST(is("10.0.0.1", "10.0.0.1", {std::string("192.0.2.1\0", 10)}));
}

BOOST_AUTO_TEST_SUITE_END()
