// What is the memory broker's own; what every broker promises is in tests/conformance.

#include <orderproc/memory.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct topic_case {
    const char* pattern;
    const char* topic;
    bool matches;
};
std::ostream& operator<<(std::ostream& out, const topic_case& it) {
    return out << '"' << it.pattern << "\" \"" << it.topic << '"';
}

const topic_case topics[] = {
    {"a.b", "a.b", true},    {"a.b", "a", false},        {"a.b", "a.b.c", false},
    {"a.*", "a.b", true},    {"a.*", "a", false},        {"a.*", "a.", true},
    {"a.*", "a.b.c", false}, {"*.b", "a.b", true},       {"*", "", false},
    {"#", "", true},         {"#", "a.b.c", true},       {"a.#", "a", true},
    {"a.#", "a.b.c", true},  {"a.#", "b", false},        {"#.c", "a.b.c", true},
    {"#.c", "c.d", false},   {"a.#.z", "a.z", true},     {"a.#.z", "a.b.c.z", true},
    {"a.#.z", "a.b", false}, {"#.b.#", "a.b.b.c", true}, {"#.*", "", false},
    {"", "", true},          {"", "a", false},           {"a*", "ab", false},
};

message of(std::string topic, std::string id = "1") {
    message out;
    out.id = std::move(id);
    out.topic = std::move(topic);
    return out;
}

}  // namespace

BOOST_DATA_TEST_CASE(a_topic_matches, boost::unit_test::data::make(topics)) {
    const auto broker = make_memory_broker();
    publisher_params params;
    params.queues = {{"q", {sample.pattern}}};
    const auto publisher = broker->connect_publisher(params).value();
    message what = of(sample.topic);
    what.must_route = true;
    publisher->submit(what).value();
    std::vector<published> told;
    publisher->poll(seconds(0), told).value();
    BOOST_TEST(!told.at(0).ec == sample.matches);
}

BOOST_AUTO_TEST_CASE(a_full_queue_holds_publishers_up) {
    const auto broker = make_memory_broker(2);
    auto consumer = broker->connect_consumer({.queue = "q", .topics = {"#"}}).value();
    auto publisher = broker->connect_publisher({}).value();
    BOOST_TEST(publisher->submit(of("a")).has_value());
    BOOST_TEST(publisher->submit(of("b")).has_value());
    const auto refused = publisher->submit(of("c"));
    BOOST_REQUIRE(!refused);
    BOOST_TEST(refused.error().code == make_error_code(errc::overloaded));
    std::vector<delivery> taken;
    BOOST_TEST(consumer->receive(1, seconds(0), taken).has_value());
    BOOST_TEST(publisher->submit(of("c")).has_value());
}

BOOST_AUTO_TEST_CASE(a_waiting_consumer_wakes_for_a_message) {
    const auto broker = make_memory_broker();
    auto consumer = broker->connect_consumer({.queue = "q", .topics = {"#"}}).value();
    std::jthread other([&] { broker->connect_publisher({}).value()->submit(of("a")).value(); });
    std::vector<delivery> taken;
    BOOST_TEST(consumer->receive(1, std::chrono::hours(1), taken).has_value());
    BOOST_TEST(taken.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_consumer_that_can_take_it_is_woken_beside_one_that_cannot) {
    const auto broker = make_memory_broker();
    const consumer_params one{.queue = "q", .topics = {"#"}, .prefetch = 1};
    auto full = broker->connect_consumer(one).value();
    auto free = broker->connect_consumer(one).value();
    auto publisher = broker->connect_publisher({}).value();
    publisher->submit(of("a", "1")).value();
    std::vector<delivery> taken;
    full->receive(1, seconds(0), taken).value();
    std::jthread waits([&](const std::stop_token& stop) {
        std::vector<delivery> none;
        while (!stop.stop_requested()) full->receive(1, milliseconds(20), none).value();
    });
    std::jthread other([&] { publisher->submit(of("a", "2")).value(); });
    free->receive(1, std::chrono::hours(1), taken).value();
    BOOST_TEST(taken.at(1).body.id == "2");
}

// The poison queue is never emptied by the program itself, so it has to have a bound.
BOOST_AUTO_TEST_CASE(poison_does_not_fill_the_memory) {
    const auto broker = make_memory_broker(3);
    consumer_params params;
    params.queue = "q";
    params.topics = {"t"};
    const auto in = broker->connect_consumer(params).value();
    const auto out = broker->connect_publisher({}).value();
    for (int i = 1; i <= 5; ++i) {
        (void)out->submit(of("t", std::to_string(i))).value();
        std::vector<delivery> got;
        in->receive(1, seconds(0), got).value();
        const acknowledgement poison{got.at(0).tag, disposition::poison, "why not"};
        in->acknowledge({&poison, 1}).value();
    }
    params = {};
    params.queue = params.poison_queue;
    std::vector<delivery> kept;
    broker->connect_consumer(params).value()->receive(10, seconds(0), kept).value();
    BOOST_REQUIRE(kept.size() == 3U);
    BOOST_TEST(kept.front().body.id == "3");
}
