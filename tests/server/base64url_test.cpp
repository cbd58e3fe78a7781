#include "http/base64url.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace orderproc::server::http;

BOOST_AUTO_TEST_SUITE(base64url)

// RFC 4648, 10.
BOOST_AUTO_TEST_CASE(what_is_written_is_read_again) {
    const std::pair<const char*, const char*> rows[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"}};
    for (const auto& [bytes, text] : rows) {
        BOOST_TEST(to_base64url(bytes) == text);
        BOOST_TEST(from_base64url(text).value_or("none") == bytes);
    }
    std::string all;
    for (int i = 0; i < 256; ++i) {
        all.push_back(static_cast<char>(i));
        BOOST_TEST((from_base64url(to_base64url(all)) == all));
    }
}

BOOST_AUTO_TEST_CASE(no_two_texts_are_the_same_bytes) {
    for (const char* bad : {"Z", "Zm9vY", "Zg==", "Zg=", "Zh", "Zm9", "Zm 9v", "Zm9v\n", " Zm9v",
                            "+_8", "-/8", "Zm.9", "Z\xc3\xa4"}) {
        BOOST_TEST(!from_base64url(bad).has_value(), bad);
    }
    BOOST_TEST(!from_base64url(std::string("Zm9\0", 4)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
