// Signatures of Standard Webhooks: the specification's vector, and what a receiver refuses.

#include <orderproc/webhook_signature.hpp>

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace orderproc;

namespace {

// The vector of the specification's reference implementations.
constexpr std::string_view known_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view known_id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::string_view known_body = R"({"test": 2432232314})";
constexpr std::string_view known_signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const timestamp known_time{std::chrono::seconds(1'614'265'330)};

struct known_message {
    webhook_secret secret = webhook_secret::parse(known_secret).value();
    std::string id{known_id}, seconds = "1614265330", signature{known_signature}, body{known_body};
    timestamp now = known_time;

    bool accepted() const { return verify_webhook(secret, {id, seconds, signature}, body, now); }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(a_webhook_signature)

BOOST_AUTO_TEST_CASE(is_that_of_the_specification) {
    const auto secret = webhook_secret::parse(known_secret).value();
    BOOST_TEST(webhook_signature(secret, known_id, known_time, known_body).value() ==
               known_signature);
    BOOST_TEST(webhook_timestamp(known_time) == "1614265330");
    BOOST_TEST(webhook_timestamp(known_time + std::chrono::milliseconds(999)) == "1614265330");
    BOOST_TEST(known_message{}.accepted());
}

BOOST_AUTO_TEST_CASE(has_one_part_for_each_secret) {
    const std::vector<webhook_secret> both{webhook_secret::make().value(),
                                           webhook_secret::parse(known_secret).value()};
    const std::string made = webhook_signature(both, known_id, known_time, known_body).value();
    const auto old = webhook_signature(both[0], known_id, known_time, known_body).value();
    BOOST_TEST(made == old + " " + std::string(known_signature));
    known_message it;
    it.signature = made;
    BOOST_TEST(it.accepted());
    it.secret = both[0];
    BOOST_TEST(it.accepted());
    it.secret = webhook_secret::make().value();
    BOOST_TEST(!it.accepted());
    BOOST_TEST((webhook_signature({}, "1", known_time, "").error().code == errc::invalid_argument));
}

BOOST_AUTO_TEST_CASE(is_refused_if_anything_was_changed) {
    const auto changed = [](auto change) {
        known_message it;
        change(it);
        return !it.accepted();
    };
    BOOST_TEST(changed([](auto& it) { it.body += ' '; }));
    BOOST_TEST(changed([](auto& it) { it.id += 'x'; }));
    BOOST_TEST(changed([](auto& it) { it.seconds = "1614265331"; }));
    BOOST_TEST(changed([](auto& it) { it.seconds = "1614265330 "; }));
    BOOST_TEST(changed([](auto& it) { it.seconds = ""; }));
    BOOST_TEST(changed([](auto& it) { it.signature = ""; }));
    BOOST_TEST(changed([](auto& it) { it.signature.pop_back(); }));
    BOOST_TEST(changed([](auto& it) { it.signature[1] = '2'; }));
    BOOST_TEST(changed([](auto& it) { it.signature = it.signature.substr(3); }));
    BOOST_TEST(!changed([](auto& it) { it.signature = "v1a,xyz " + it.signature + " v1,"; }));
}

BOOST_AUTO_TEST_CASE(is_good_for_five_minutes_either_way) {
    const auto at = [](std::chrono::seconds away) {
        known_message it;
        it.now += away;
        return it.accepted();
    };
    BOOST_TEST(at(std::chrono::seconds(300)));
    BOOST_TEST(at(std::chrono::seconds(-300)));
    BOOST_TEST(!at(std::chrono::seconds(301)));
    BOOST_TEST(!at(std::chrono::seconds(-301)));
    known_message it;
    it.seconds = "9223372036854775808";
    BOOST_TEST(!it.accepted());
}

BOOST_AUTO_TEST_CASE(comes_from_a_secret_that_is_written_in_one_way) {
    const auto made = webhook_secret::make().value();
    BOOST_TEST(made.text().size() == webhook_secret_prefix.size() + 44);
    BOOST_TEST((webhook_secret::parse(made.text()).value() == made));
    BOOST_TEST((webhook_secret::make().value() != made));
    BOOST_TEST(webhook_secret::parse(known_secret).value().bytes().size() == 24U);
    for (const std::string_view bad :
         {"", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS_",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==", "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n\n\n\n",
          // bits behind the last byte
          "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwAB=="}) {
        const auto parsed = webhook_secret::parse(bad);
        BOOST_TEST_CONTEXT(bad) {
            BOOST_REQUIRE(!parsed);
            BOOST_TEST((parsed.error().code == errc::invalid_argument));
            BOOST_TEST(parsed.error().detail.find("MfKQ") == std::string::npos);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
