// What the RabbitMQ adapter makes of a broker that does not let it in.

#include "scripted_amqp.hpp"

#include <orderproc/rabbitmq.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

using namespace orderproc;
using namespace shop_test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::unique_ptr<broker> open(std::string url, milliseconds timeout = seconds(60)) {
    rabbitmq_options out;
    out.url = std::move(url);
    out.timeout = timeout;
    return open_rabbitmq(std::move(out)).value();
}

failure refusal(broker& by) {
    auto made = by.connect_publisher({});
    BOOST_REQUIRE(!made);
    return std::move(made).error();
}

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

struct silence {
    const char* name;
    std::function<void(amqp_peer&)> before;
};
std::ostream& operator<<(std::ostream& out, const silence& it) {
    return out << it.name;
}
const silence silences[] = {
    {"from the beginning", [](amqp_peer& peer) { peer.hear_greeting(); }},
    {"after a part of a frame",
     [](amqp_peer& peer) {
         peer.hear_greeting();
         peer.send(std::string_view("\x01\x00\x00\x00", 4));
     }},
    {"after the first frame",
     [](amqp_peer& peer) {
         peer.hear_greeting();
         peer.say(connection_start,
                  amqp_bytes().u8(0).u8(9).u32(0).long_text("PLAIN").long_text("en_US"));
     }},
    {"once logged in", [](amqp_peer& peer) { peer.log_in(); }},
};

}  // namespace

BOOST_DATA_TEST_CASE(a_silent_broker_is_unavailable, boost::unit_test::data::make(silences)) {
    scripted_amqp server({[&](amqp_peer& peer) {
        sample.before(peer);
        peer.hear_end();
    }});
    const auto broker = open(server.url(), milliseconds(200));
    BOOST_TEST((refusal(*broker).code == errc::unavailable));
    server.finish();
}

BOOST_AUTO_TEST_CASE(behind_a_silent_host_the_next_is_tried) {
    scripted_amqp silent({[](amqp_peer& peer) {
        peer.hear_greeting();
        peer.hear_end();
    }});
    scripted_amqp talks({[](amqp_peer& peer) {
        peer.open();
        peer.hear_end();
    }});
    const std::string next = talks.url().substr(std::string_view("amqp://").size());
    const auto broker = open(silent.url() + "," + next, milliseconds(500));
    BOOST_TEST(broker->connect_publisher({}).has_value());
    silent.finish();
    talks.finish();
}

BOOST_AUTO_TEST_CASE(one_that_hangs_up_is_tried_again_by_whoever_wants) {
    scripted_amqp server({[](amqp_peer&) {},
                          [](amqp_peer& peer) {
                              peer.log_in();
                              peer.close(connection_close, 530, "NOT_ALLOWED - not today");
                              peer.hear_end();
                          },
                          [](amqp_peer& peer) {
                              peer.open();
                              peer.hear_end();
                          }});
    const auto broker = open(server.url());
    BOOST_TEST((refusal(*broker).code == errc::unavailable));
    const failure second = refusal(*broker);
    BOOST_TEST((second.code == errc::unavailable));
    BOOST_TEST(contains(second.message(), "NOT_ALLOWED - not today"));
    BOOST_TEST(broker->connect_publisher({}).has_value());
    server.finish();
}

// It is left without one, soon.
BOOST_AUTO_TEST_CASE(a_good_bye_needs_no_answer) {
    scripted_amqp server({[](amqp_peer& peer) {
        peer.open();
        peer.hear(connection_close);
        peer.hear_end();
    }});
    const auto broker = open(server.url());
    broker->connect_publisher({}).value().reset();
    server.finish();
}
