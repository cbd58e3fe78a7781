#include "core/sha256.hpp"

#include <orderproc/idempotency.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace data = boost::unit_test::data;
using namespace orderproc;

namespace {

template <class Bytes>
std::string hex(const Bytes& bytes) {
    std::string out;
    for (const std::byte it : bytes) {
        out += "0123456789abcdef"[std::to_integer<unsigned>(it) >> 4];
        out += "0123456789abcdef"[std::to_integer<unsigned>(it) & 15];
    }
    return out;
}

struct vector_case {
    std::string text;
    std::string_view expected;
};
std::ostream& operator<<(std::ostream& out, const vector_case& it) {
    return out << it.text.size() << " bytes";
}

// csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values, and the vectors of
// the Secure Hash Algorithm Validation System.
const std::vector<vector_case> vectors{
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnop"
     "qr"
     "smnopqrstnopqrstu",
     "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
    {"\xbd", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
    {"\xc9\x8c\x8e\x55", "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504"},
    {std::string(55, '\0'), "02779466cdec163811d078815c633f21901413081449002f24aa3e80f0b88ef7"},
    {std::string(56, '\0'), "d4817aa5497628e7c77e6b606107042bbba3130888c5f47a375e6179be789fbb"},
    {std::string(57, '\0'), "65a16cb7861335d5ace3c60718b5052e44660726da4cd13bb745381b235a1785"},
    {std::string(64, '\0'), "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b"},
    {std::string(1000, '\0'), "541b3e9daa09b20bf85fa273e5cbd3e80185aa4ec298e765db87742b70138a53"},
    {std::string(1000, 'A'), "c2e686823489ced2017f6059b8b239318b6364f6dcd835d0a519105a1eadd6e4"},
    {std::string(1'000'000, '\0'),
     "d29751f2649b32ff572b5e0a9f541ea660a50f94ff0beedfb0b692b924cc8025"},
    {std::string(1'000'000, 'a'),
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(idempotency_keys)

BOOST_DATA_TEST_CASE(the_digest_is_sha_256, data::make(vectors), it) {
    BOOST_TEST(hex(detail::sha256(it.text)) == it.expected);
    BOOST_TEST(hex(digest_of(it.text)) == it.expected.substr(0, 32));
}

// Another version would take stored keys for new ones.
BOOST_AUTO_TEST_CASE(the_form_is_stable) {
    const auto made = make_idempotency({"alice", "PUT", "replace_order", "ORD-1"}, "key", "{}");
    const std::string_view scope("alice\0PUT\0replace_order\0ORD-1\0key\0", 34);
    BOOST_TEST(hex(made.key) == hex(digest_of(scope)));
    BOOST_TEST(hex(made.body) == hex(digest_of("{}")));
}

// RFC 4231, sections 4.2, 4.3, 4.6 and 4.7.
BOOST_AUTO_TEST_CASE(keyed_digests_are_hmac_sha_256) {
    BOOST_TEST(hex(keyed_digest_of(std::string(20, '\x0b'), "Hi There")) ==
               "b0344c61d8db38535ca8afceaf0bf12b");
    BOOST_TEST(hex(keyed_digest_of("Jefe", "what do ya want for nothing?")) ==
               "5bdcc146bf60754e6a042426089575c7");
    BOOST_TEST(hex(keyed_digest_of(std::string(20, '\x0c'), "Test With Truncation")) ==
               "a3b6167473100ee06e0c796c2955552b");
    BOOST_TEST(hex(keyed_digest_of(std::string(131, '\xaa'),
                                   "Test Using Larger Than Block-Size Key - Hash Key First")) ==
               "60e431591ee0b67f0d8a26aacbf5b77f");
}

BOOST_AUTO_TEST_CASE(every_part_counts) {
    const idempotency_scope base{"a", "POST", "create_order", "A-1"};
    std::set<std::string> keys;
    for (const idempotency_scope& scope :
         {base, idempotency_scope{"b", "POST", "create_order", "A-1"},
          idempotency_scope{"a", "PUT", "create_order", "A-1"},
          idempotency_scope{"a", "POST", "retry_order", "A-1"},
          idempotency_scope{"a", "POST", "create_order", "A-2"},
          idempotency_scope{"aPOST", "", "create_order", "A-1"}}) {
        keys.insert(hex(make_idempotency(scope, "k", "").key));
    }
    keys.insert(hex(make_idempotency(base, "l", "").key));
    BOOST_TEST(keys.size() == 7U);
    BOOST_TEST((make_idempotency(base, "k", "1").key == make_idempotency(base, "k", "2").key));
    BOOST_TEST((make_idempotency(base, "k", "1").body != make_idempotency(base, "k", "2").body));
}

BOOST_AUTO_TEST_SUITE_END()
