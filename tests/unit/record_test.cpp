// What a record may be.

#include <orderproc/record.hpp>

#include <boost/test/unit_test.hpp>

using namespace orderproc;

namespace {

failure refusal(const change_record& what) {
    const auto ok = validate(what);
    return ok ? failure() : ok.error();
}

change_record sample() {
    return {record_action::create, "keys", "a", 0, "v", {}};
}

}  // namespace

BOOST_AUTO_TEST_CASE(sizes_have_limits) {
    change_record it = sample();
    it.collection.assign(record_collection_size_max, '\xff');
    it.key.assign(record_key_size_max, '\0');
    it.value.assign(record_value_size_max, 'v');
    BOOST_TEST(validate(it).has_value());
    it.value += 'v';
    BOOST_TEST((refusal(it).code == errc::invalid_argument));
    BOOST_TEST(refusal(it).detail == "the value of a record: 0 to 65536 bytes, not 65537");
    it = sample();
    it.key.assign(record_key_size_max + 1, 'k');
    BOOST_TEST(refusal(it).detail == "the key of a record: 1 to 128 bytes, not 129");
    it = sample();
    it.collection.clear();
    BOOST_TEST(refusal(it).detail == "the collection of a record: 1 to 32 bytes, not 0");
    it = sample();
    it.value.clear();
    BOOST_TEST(validate(it).has_value());
}
