// The RabbitMQ adapter when the broker dies, freezes, runs short of memory, or is not who it says.

#include "rabbitmq_node.hpp"

#include <orderproc/rabbitmq.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

rabbitmq_node& node() {
    static rabbitmq_node it(true);
    return it;
}

rabbitmq_options options(std::string url = node().url()) {
    rabbitmq_options out;
    out.url = std::move(url);
    out.heartbeat = seconds(1);
    out.timeout = seconds(60);
    return out;
}

std::unique_ptr<broker> open(rabbitmq_options with = options()) {
    return std::move(open_rabbitmq(std::move(with))).value();
}

message sample(const std::string& topic, std::size_t n, std::size_t size = 100) {
    message out;
    out.id = std::to_string(n);
    out.topic = topic;
    out.payload = std::string(size, 'x');
    out.must_route = true;
    return out;
}

// Until done() or long past any reasonable time.
void eventually(const char* what, const std::function<bool()>& done) {
    const auto give_up = std::chrono::steady_clock::now() + minutes(5);
    while (!done()) {
        if (std::chrono::steady_clock::now() > give_up) throw std::runtime_error(what);
    }
}

bool is(const error_code& ec, errc value) {
    return ec == make_error_code(value);
}

// Submits it again and again over new connections until everything is confirmed.
class stubborn_publisher {
public:
    stubborn_publisher(broker& to, publisher_params with) : to_(to), with_(std::move(with)) {}

    void send(const std::vector<message>& what, const std::function<void()>& between) {
        std::deque<const message*> left;
        for (const message& it : what) left.push_back(&it);
        std::map<publish_tag, const message*> under_way;
        eventually("not everything is confirmed", [&] {
            if (!connect(under_way, left)) return false;
            while (!left.empty()) {
                const auto tag = connection_->submit(*left.front());
                if (!tag) break;
                under_way[*tag] = left.front();
                left.pop_front();
            }
            if (under_way.size() >= with_.window) between();
            std::vector<published> told;
            const bool alive = connection_->poll(milliseconds(20), told).has_value();
            for (const published& it : told) {
                if (it.ec) {
                    left.push_back(under_way.at(it.tag));
                } else {
                    ++confirmed;
                }
                under_way.erase(it.tag);
            }
            if (!alive) {
                connection_.reset();
                ++lost;
            }
            return left.empty() && under_way.empty();
        });
    }

    std::size_t lost = 0;
    std::size_t confirmed = 0;

private:
    using in_flight = std::map<publish_tag, const message*>;

    // What was under way on a lost connection is sent again, in its order, before the rest.
    bool connect(in_flight& under_way, std::deque<const message*>& left) {
        if (connection_) return true;
        auto made = to_.connect_publisher(with_);
        if (!made) return false;
        connection_ = std::move(*made);
        std::vector<const message*> again;
        for (const auto& [tag, it] : under_way) again.push_back(it);
        left.insert(left.begin(), again.begin(), again.end());
        under_way.clear();
        return true;
    }

    broker& to_;
    publisher_params with_;
    std::unique_ptr<publisher> connection_;
};

void expect_all(broker& from, const consumer_params& params, std::size_t count) {
    const auto in = from.connect_consumer(params).value();
    std::set<std::string> seen;
    eventually("not everything arrived", [&] {
        std::vector<delivery> got;
        in->receive(500, milliseconds(50), got).value();
        std::vector<acknowledgement> done;
        for (const delivery& it : got) {
            seen.insert(it.body.id);
            done.push_back({it.tag, disposition::ack, {}});
        }
        in->acknowledge(done).value();
        return seen.size() == count;
    });
    BOOST_TEST(seen.size() == count);
}

std::string refusal(const rabbitmq_options& with, errc expected = errc::unavailable) {
    const auto made = open(with)->connect_publisher({});
    BOOST_REQUIRE(!made);
    BOOST_TEST(made.error().code == make_error_code(expected));
    return made.error().message();
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(killed_with_a_full_window_it_loses_nothing) {
    const auto broker = open();
    consumer_params in;
    in.queue = "killed";
    in.topics = {"killed"};
    publisher_params out;
    out.window = 1000;
    out.queues = {{in.queue, in.topics}};
    std::vector<message> sent;
    for (std::size_t i = 1; i <= 5000; ++i) sent.push_back(sample("killed", i));
    stubborn_publisher publishes(*broker, out);
    // A queue that was declared just before a kill may be gone, and half of it in the way of the
    // next one of its name: RabbitMQ's own flaw. So it is stopped in good order first, with all
    // that it knows on the disk.
    broker->connect_publisher(out).value();
    node().tell("ctl stop_app");
    node().tell("ctl start_app");
    bool killed = false;
    publishes.send(sent, [&] {
        if (std::exchange(killed, true)) return;
        node().tell("kill");
        node().tell("start");
    });
    BOOST_TEST(killed);
    BOOST_TEST(publishes.lost > 0U);
    BOOST_TEST(publishes.confirmed >= sent.size());
    expect_all(*broker, in, sent.size());
}

BOOST_AUTO_TEST_CASE(an_alarm_holds_publishers_up_and_no_longer) {
    const auto broker = open();
    consumer_params in;
    in.queue = "alarm";
    in.topics = {"alarm"};
    const auto consumer = broker->connect_consumer(in).value();
    publisher_params out;
    out.window = 1'000'000;
    const auto publisher = broker->connect_publisher(out).value();

    node().tell("ctl set_vm_memory_high_watermark 0.0000001");
    std::size_t sent = 0;
    std::size_t told = 0;
    std::vector<published> reports;
    const auto submit = [&] {
        const auto tag = publisher->submit(sample("alarm", sent + 1, 1000));
        if (!tag && !is(tag.error().code, errc::overloaded)) {
            throw std::runtime_error(tag.error().message());
        }
        sent += tag ? 1 : 0;
        return tag.has_value();
    };
    eventually("the alarm does not hold publishers up", [&] { return !submit(); });
    // It stays so, many heartbeats long if need be, and the connections with it.
    for (int i = 0; i < 30; ++i) {
        publisher->poll(milliseconds(100), reports).value();
        BOOST_TEST(!submit());
        std::vector<delivery> none;
        consumer->receive(0, milliseconds(0), none).value();
    }
    node().tell("ctl set_vm_memory_high_watermark 0.8");
    eventually("publishers stay held up after the alarm", [&] {
        publisher->poll(milliseconds(50), reports).value();
        return submit();
    });
    eventually("what waited behind the alarm is not confirmed", [&] {
        publisher->poll(milliseconds(50), reports).value();
        told = reports.size();
        return told == sent;
    });
    for (const published& it : reports) BOOST_REQUIRE(!it.ec);
}

BOOST_AUTO_TEST_CASE(a_frozen_broker_holds_nobody) {
    rabbitmq_options soon = options();
    soon.timeout = seconds(3);
    const auto broker = open(soon);
    consumer_params in;
    in.queue = "frozen";
    in.topics = {"frozen"};
    const auto consumer = broker->connect_consumer(in).value();
    const auto idle = broker->connect_publisher({}).value();
    const auto busy = broker->connect_publisher({}).value();

    node().tell("pause");
    // More than the sockets hold, so that it comes to a write that nobody takes.
    eventually("submit() goes on for ever", [&] {
        const auto tag = busy->submit(sample("frozen", 1, 4'000'000));
        if (tag) return false;
        if (is(tag.error().code, errc::unavailable)) return true;
        std::vector<published> none;
        return !busy->poll(milliseconds(100), none);
    });
    eventually("an idle publisher does not notice", [&] {
        std::vector<published> none;
        return !idle->poll(milliseconds(100), none);
    });
    eventually("a consumer does not notice", [&] {
        std::vector<delivery> none;
        return !consumer->receive(1, milliseconds(100), none);
    });
    const auto nobody = broker->connect_publisher({});
    BOOST_REQUIRE(!nobody);
    BOOST_TEST(nobody.error().code == make_error_code(errc::unavailable));
    node().tell("resume");
    eventually("nobody connects after it woke",
               [&] { return broker->connect_publisher({}).has_value(); });
}

BOOST_AUTO_TEST_CASE(a_consumer_is_told_that_its_queue_is_gone) {
    const auto broker = open();
    consumer_params in;
    in.queue = "deleted";
    const auto consumer = broker->connect_consumer(in).value();
    node().tell("ctl delete_queue deleted");
    error_code why;
    eventually("it waits for ever", [&] {
        std::vector<delivery> none;
        const auto done = consumer->receive(1, milliseconds(100), none);
        if (!done) why = done.error().code;
        return !done;
    });
    BOOST_TEST(why == make_error_code(errc::unavailable));
    BOOST_TEST(broker->connect_consumer(in).has_value());
}

BOOST_AUTO_TEST_CASE(an_exchange_of_another_kind_is_named) {
    rabbitmq_options with = options();
    with.exchange = "amq.direct";
    const std::string text = refusal(with, errc::schema_mismatch);
    BOOST_TEST_CONTEXT(text) {
        BOOST_TEST(contains(text, "amq.direct"));
        BOOST_TEST(contains(text, "'type'"));
    }
}

BOOST_AUTO_TEST_CASE(hosts_are_tried_in_turn) {
    const std::string port = std::to_string(node().port());
    // Nothing listens at port 1.
    BOOST_TEST(
        open(options("amqp://127.0.0.1:1,127.0.0.1:" + port))->connect_publisher({}).has_value());
    const std::string text = refusal(options("amqp://127.0.0.1:1"));
    BOOST_TEST(contains(text, "127.0.0.1:1"));
}

BOOST_AUTO_TEST_CASE(credentials_are_not_told) {
    const std::string at = "@127.0.0.1:" + std::to_string(node().port());
    const std::string wrong = refusal(options("amqp://gudrun:s3cr3t" + at));
    const std::string vhost = refusal(options("amqp://guest:guest" + at + "/elsewhere"));
    for (const std::string& text : {wrong, vhost}) {
        BOOST_TEST_CONTEXT(text) {
            BOOST_TEST(!contains(text, "gudrun"));
            BOOST_TEST(!contains(text, "s3cr3t"));
            BOOST_TEST(!contains(text, "'guest'"));
        }
    }
    BOOST_TEST(contains(wrong, "ACCESS_REFUSED"));
    BOOST_TEST(contains(vhost, "elsewhere"));
}

BOOST_AUTO_TEST_CASE(tls_is_for_the_host_alone) {
    const std::string port = std::to_string(node().tls_port());
    rabbitmq_options with = options("amqps://localhost:" + port);
    with.ca_file = node().folder() + "/ca.pem";
    {
        const auto broker = open(with);
        const auto out = broker->connect_publisher({}).value();
        consumer_params in;
        in.queue = "tls";
        in.topics = {"tls"};
        const auto consumer = broker->connect_consumer(in).value();
        std::vector<published> told;
        std::size_t sent = 0;
        eventually("no confirm over TLS", [&] {
            while (sent < 20 && out->submit(sample("tls", sent + 1, 100'000))) ++sent;
            out->poll(milliseconds(50), told).value();
            return told.size() == 20;
        });
        std::vector<delivery> got;
        eventually("nothing arrives over TLS", [&] {
            consumer->receive(20, milliseconds(50), got).value();
            return got.size() == 20;
        });
        BOOST_TEST(got.back().body.payload == std::string(100'000, 'x'));
    }
    // The certificate's subject says 127.0.0.1, its names do not: that is no proof.
    rabbitmq_options wrong = with;
    wrong.url = "amqps://127.0.0.1:" + port;
    BOOST_TEST(contains(refusal(wrong), "certificate"));
    rabbitmq_options stranger = with;
    stranger.ca_file.clear();
    BOOST_TEST(contains(refusal(stranger), "certificate"));
    rabbitmq_options plain = with;
    plain.url = "amqps://localhost:" + std::to_string(node().port());
    plain.timeout = seconds(3);
    refusal(plain);
}
