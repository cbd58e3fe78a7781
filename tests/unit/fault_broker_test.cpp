// A broker that misbehaves: each fault does what it says, and a careful owner loses nothing.

#include <orderproc/memory.hpp>
#include <orderproc/testing/fault_broker.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace orderproc;
using orderproc::testing::broker_faults;
using orderproc::testing::fault_broker;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds now{0};

message sample(std::size_t n) {
    message out;
    out.id = std::to_string(n);
    out.topic = "t";
    return out;
}

publisher_params to_queue(std::size_t window = 50) {
    publisher_params out;
    out.window = window;
    out.queues = {{"q", {"t"}}};
    return out;
}

consumer_params from_queue() {
    consumer_params out;
    out.queue = "q";
    return out;
}

// Connects until it can, and sends until everything was reported well.
void publish_all(broker& to, std::size_t count) {
    std::deque<std::size_t> left;
    for (std::size_t n = 1; n <= count; ++n) left.push_back(n);
    std::map<publish_tag, std::size_t> under_way;
    while (!left.empty() || !under_way.empty()) {
        auto out = to.connect_publisher(to_queue());
        if (!out) continue;
        for (const auto& [tag, n] : under_way) left.push_back(n);
        under_way.clear();
        for (bool alive = true; alive && (!left.empty() || !under_way.empty());) {
            while (!left.empty()) {
                const auto tag = (*out)->submit(sample(left.front()));
                if (!tag) break;
                BOOST_REQUIRE(under_way.emplace(*tag, left.front()).second);
                left.pop_front();
            }
            std::vector<published> told;
            alive = (*out)->poll(now, told).has_value();
            for (const published& it : told) {
                const auto found = under_way.find(it.tag);
                BOOST_REQUIRE(found != under_way.end());
                if (it.ec) left.push_back(found->second);
                under_way.erase(found);
            }
        }
    }
}

// How often each id came, until the queue is empty.
std::map<std::string, int> consume_all(broker& from) {
    std::map<std::string, int> out;
    for (bool more = true; more;) {
        auto in = from.connect_consumer(from_queue());
        if (!in) continue;
        for (bool alive = true; alive && more;) {
            std::vector<delivery> got;
            alive = (*in)->receive(10, now, got).has_value();
            more = !alive || !got.empty();
            std::vector<acknowledgement> settled;
            for (const delivery& it : got) {
                ++out[it.body.id];
                settled.push_back({it.tag, disposition::ack, {}});
            }
            alive = alive && (*in)->acknowledge(settled).has_value();
            more = more || !alive;
        }
    }
    return out;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_careful_owner_loses_nothing) {
    std::vector<std::uint64_t> made;
    for (const std::uint64_t seed : {7U, 7U, 8U}) {
        const auto memory = make_memory_broker();
        memory->connect_publisher(to_queue()).value();
        fault_broker faulty(*memory, {seed, 100, 10, 10, 20, 20});
        publish_all(faulty, 2000);
        const auto seen = consume_all(faulty);
        BOOST_TEST(seen.size() == 2000U);
        BOOST_TEST(faulty.faults_made() > 50U);
        made.push_back(faulty.faults_made());
    }
    BOOST_TEST(made[0] == made[1]);
    BOOST_TEST(made[0] != made[2]);
}

BOOST_AUTO_TEST_CASE(a_lost_confirm_is_a_message_that_arrived) {
    const auto memory = make_memory_broker();
    broker_faults faults;
    faults.lost_confirms = 1000;
    fault_broker faulty(*memory, faults);
    auto out = faulty.connect_publisher(to_queue()).value();
    BOOST_TEST(out->submit(sample(1)).has_value());
    std::vector<published> told;
    BOOST_TEST(!out->poll(now, told));
    BOOST_TEST(told.empty());
    BOOST_TEST(!out->submit(sample(2)));
    BOOST_TEST(consume_all(*memory).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_refused_message_did_not_arrive_and_a_duplicate_did_twice) {
    const auto memory = make_memory_broker();
    broker_faults refuses;
    refuses.refused = 1000;
    fault_broker refusing(*memory, refuses);
    auto out = refusing.connect_publisher(to_queue()).value();
    const auto tag = out->submit(sample(1)).value();
    std::vector<published> told;
    BOOST_TEST(out->poll(now, told).has_value());
    BOOST_TEST((told.at(0).tag == tag));
    BOOST_TEST(told.at(0).ec == make_error_code(errc::unavailable));
    BOOST_TEST(consume_all(*memory).empty());

    broker_faults doubles;
    doubles.duplicates = 1000;
    fault_broker doubling(*memory, doubles);
    out = doubling.connect_publisher(to_queue()).value();
    out->submit(sample(2)).value();
    told.clear();
    out->poll(now, told).value();
    BOOST_TEST(told.size() == 1U);
    BOOST_TEST(consume_all(*memory)["2"] == 2);
}

BOOST_AUTO_TEST_CASE(cut_away_held_up_and_healed) {
    const auto memory = make_memory_broker();
    broker_faults faults;
    faults.lost_connections = 1000;
    fault_broker faulty(*memory, faults);
    auto out = faulty.connect_publisher(to_queue()).value();
    BOOST_TEST(!out->submit(sample(1)));
    faulty.heal();
    out = faulty.connect_publisher(to_queue()).value();
    auto in = faulty.connect_consumer(from_queue()).value();
    BOOST_TEST(out->submit(sample(1)).has_value());

    faulty.hold_up(true);
    BOOST_TEST(out->submit(sample(2)).error().code == make_error_code(errc::overloaded));
    faulty.hold_up(false);
    BOOST_TEST(out->submit(sample(2)).has_value());

    std::vector<delivery> got;
    in->receive(1, now, got).value();
    faulty.cut();
    BOOST_TEST(!out->submit(sample(3)));
    BOOST_TEST(!in->receive(1, now, got));
    in = faulty.connect_consumer(from_queue()).value();
    got.clear();
    in->receive(9, now, got).value();
    BOOST_TEST(got.size() == 2U);  // the unsettled one came back
    faulty.set_away(true);
    BOOST_TEST(!faulty.connect_publisher(to_queue()));
    BOOST_TEST(!in->acknowledge({}));
    faulty.set_away(false);
    BOOST_TEST(faulty.connect_publisher(to_queue()).has_value());
}
