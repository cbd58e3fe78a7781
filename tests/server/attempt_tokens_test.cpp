// What an endpoint answers by: only what was made counts, and only for its order.

#include "attempts/attempt_tokens.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

using namespace orderproc;
using namespace orderproc::server;

namespace {

const std::string secret(43, 's');
const attempt_reference sample{"ORD-1", lease_token{17}, "PACKING", 3};

}  // namespace

BOOST_AUTO_TEST_CASE(a_token_names_its_attempt) {
    const attempt_tokens tokens(secret);
    const std::string made = tokens.make(sample);
    BOOST_TEST(made.starts_with("17.3.PACKING."));
    BOOST_TEST(made.size() == 13U + 32U);
    BOOST_TEST(std::all_of(made.begin(), made.end(), [](char c) {
        return c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
               std::string_view("PACKING").find(c) != std::string_view::npos;
    }));
    BOOST_TEST((tokens.read("ORD-1", made) == sample));
    // Another process with the same secret.
    BOOST_TEST((attempt_tokens(secret).read("ORD-1", made) == sample));
    const attempt_reference odd{std::string("a.b/\0c", 6), lease_token{UINT64_MAX}, "A",
                                UINT32_MAX};
    BOOST_TEST((tokens.read(odd.order, tokens.make(odd)) == odd));
}

BOOST_AUTO_TEST_CASE(nothing_else_is_one) {
    const attempt_tokens tokens(secret);
    const std::string made = tokens.make(sample);
    BOOST_TEST(!tokens.read("ORD-2", made));
    BOOST_TEST(!attempt_tokens(std::string(43, 't')).read("ORD-1", made));
    for (std::size_t i = 0; i < made.size(); ++i) {
        std::string changed = made;
        changed[i] = changed[i] == '1' ? '2' : '1';
        BOOST_TEST(!tokens.read("ORD-1", changed), changed);
        BOOST_TEST(!tokens.read("ORD-1", made.substr(0, i)), i);
    }
    for (const std::string& it :
         {std::string(), std::string("."), std::string("17.3.PACKING"), made + "0", "0" + made,
          made + ".", std::string("18.3.PACKING.") + std::string(32, '0')}) {
        BOOST_TEST(!tokens.read("ORD-1", it), it);
    }
    // What is signed is split in one way only.
    const attempt_reference joined{"1\0ORD", lease_token{17}, "PACKING", 3};
    BOOST_TEST(tokens.make(joined).substr(13) != made.substr(13));
}
