#include "client/http_url.hpp"

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <ostream>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
namespace data = boost::unit_test::data;

namespace {

struct url_row {
    std::string text;
    std::string authority;  // as Host has it; empty: refused
    std::string path = "/";
};
std::ostream& operator<<(std::ostream& out, const url_row& it) {
    return out << it.text;
}

const std::vector<url_row> urls{
    {"http://shop.example:8080/a/b?c=d", "shop.example:8080", "/a/b?c=d"},
    {"http://h", "h"},
    {"HTTP://h", "h"},
    {"http://h/", "h"},
    {"http://h?a=b", "h", "/?a=b"},
    {"http://h:80/", "h"},
    {"http://h:/", "h"},
    {"http://h:65535", "h:65535"},
    {"http://127.0.0.1:8000", "127.0.0.1:8000"},
    {"http://[::1]:81", "[::1]:81"},
    {"http://[::1]", "[::1]"},
    {"http://[2001:db8::7]/x", "[2001:db8::7]", "/x"},
    {"http://h/@a:b", "h", "/@a:b"},
    {"", ""},
    {"h", ""},
    {"//h/", ""},
    {"https://h/", "h"},
    {"HTTPS://h", "h"},
    {"https://h:443/x", "h", "/x"},
    {"https://h:80", "h:80"},
    {"http://h:443", "h:443"},
    {"https://[::1]:8443", "[::1]:8443"},
    {"https:/h/", ""},
    {"https:h/", ""},
    {"httpss://h/", ""},
    {"https://", ""},
    {"ftp://h/", ""},
    {"http:/h/", ""},
    {"http://", ""},
    {"http:///x", ""},
    {"http://:80/", ""},
    {"http://h:0/", ""},
    {"http://h:65536/", ""},
    {"http://h:8x/", ""},
    {"http://h:-8/", ""},
    {"http://h:+8/", ""},
    {"http://h:8:9/", ""},
    {"http://h/#f", ""},
    {"http://h#f", ""},
    {"http://h/a b", ""},
    {"http://h/a\r\nX: y", ""},
    {"http://h/\xc3\xbc", ""},
    {"http://h/<a>", ""},
    {"http://h\\x/", ""},
    {"http://h%41/", ""},
    {"http://h,i/", ""},
    {"http://[::1", ""},
    {"http://[::1]80", ""},
    {"http://[::1]x80", ""},
    {"http://[h]/", ""},
    {"http://[]/", ""},
    {"http://[fe80::1%25eth0]/", ""},
    {"http://::1/", ""},
};

const std::vector<std::string> with_secrets{
    "http://user:SECRET@h/",     "http://user:SECRET@h:8x/",
    "http://SECRET@h/",          "http://user:SEC/RET-SECRET@h/",
    "http://user:SECRET@h/a b",  "http:/user:SECRET@h/",
    "https://user:SECRET@h/",    "user:SECRET@h",
    "http://user:SECRET\x1b@h/", "http://h:8x/?token=SECRET",
    "ftp://h/?token=SECRET",     "https://h/#SECRET",
};

}  // namespace

BOOST_DATA_TEST_CASE(urls_are_read_strictly, data::make(urls), it) {
    const auto url = parse_http_url(it.text);
    BOOST_TEST_REQUIRE(url.has_value() == !it.authority.empty());
    if (!url) {
        BOOST_TEST((url.error().code == errc::invalid_argument));
        BOOST_TEST(url.error().detail.find("http://host:8000/path") != std::string::npos);
        return;
    }
    BOOST_TEST(url->authority() == it.authority);
    BOOST_TEST(url->path == it.path);
    BOOST_TEST(url->secure == (it.text[4] == 's' || it.text[4] == 'S'));
}

BOOST_DATA_TEST_CASE(a_refusal_repeats_no_secret, data::make(with_secrets), text) {
    const auto refused = parse_http_url(text);
    BOOST_TEST_REQUIRE(!refused.has_value());
    BOOST_TEST(refused.error().detail.find("SECRET") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_refusal_says_what_is_wrong_with_which_url) {
    BOOST_TEST(parse_http_url("ftp://shop/x?a").error().detail ==
               "\"ftp://shop/x\" is not a URL such as http://host:8000/path: only http:// and "
               "https:// are supported");
    BOOST_TEST(parse_http_url("http://u:p@shop").error().detail ==
               "this is not a URL such as http://host:8000/path: a user name or password in a URL "
               "is not supported");
}

BOOST_AUTO_TEST_CASE(this_machine_is_known_by_its_addresses) {
    for (const char* text : {"http://127.0.0.1", "http://127.9.9.9:80", "http://[::1]",
                             "https://localhost", "http://LocalHost"}) {
        BOOST_TEST(parse_http_url(text)->on_this_machine(), text);
    }
    for (const char* text : {"http://127.example", "http://127.0.0.1.example", "http://128.0.0.1",
                             "http://127.1", "http://[::2]", "http://localhost.example",
                             "http://0.0.0.0", "http://[::ffff:127.0.0.1]"}) {
        BOOST_TEST(!parse_http_url(text)->on_this_machine(), text);
    }
}

BOOST_AUTO_TEST_CASE(what_is_shown_of_a_url_has_no_query) {
    BOOST_TEST(parse_http_url("http://h:81/a?token=b").value().shown() == "h:81/a");
}
