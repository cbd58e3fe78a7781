// What the publisher of the RabbitMQ adapter makes of what a broker may say, in orders that a real
// one seldom or never comes to.

#include "scripted_amqp.hpp"

#include <orderproc/rabbitmq.hpp>

#include <boost/test/data/monomorphic.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <semaphore>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace shop_test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds long_enough = seconds(60);  // far above what is needed

std::unique_ptr<broker> open(const scripted_amqp& server, milliseconds timeout = long_enough) {
    rabbitmq_options out;
    out.url = server.url();
    out.timeout = timeout;
    return open_rabbitmq(std::move(out)).value();
}

message sample(std::uint64_t n, std::string topic = "a.b", bool must_route = false) {
    message out;
    out.id = std::to_string(n);
    out.topic = std::move(topic);
    out.payload = "payload";
    out.must_route = must_route;
    return out;
}

// One connection of a script, and a publisher at its other end.
class conversation {
public:
    explicit conversation(scripted_amqp::script says, std::size_t window = 100)
        : server_({std::move(says)}), broker_(open(server_)) {
        publisher_params params;
        params.window = window;
        out = broker_->connect_publisher(params).value();
    }

    void submit(std::uint64_t first, std::uint64_t last) {
        for (; first <= last; ++first) {
            BOOST_TEST(static_cast<std::uint64_t>(out->submit(sample(first)).value()) == first);
        }
    }

    // The next so many reports: "1 2- 3?" is a confirm, a refusal, and one that no queue took.
    std::string told(std::size_t count) {
        std::vector<published> all;
        while (all.size() < count) {
            const std::size_t before = all.size();
            out->poll(long_enough, all).value();
            BOOST_REQUIRE(all.size() > before);
        }
        std::string text;
        for (const published& it : all) {
            if (!text.empty()) text += ' ';
            text += std::to_string(static_cast<std::uint64_t>(it.tag));
            if (it.ec == errc::unavailable) text += '-';
            if (it.ec == errc::not_found) text += '?';
        }
        return text;
    }

    error_code refusal(const message& what) {
        const auto tag = out->submit(what);
        return tag ? error_code() : tag.error().code;
    }

    // Nothing more is reported, and the connection is of no use any more.
    std::string failure_of_all() {
        std::vector<published> none;
        const auto first = out->poll(long_enough, none);
        BOOST_REQUIRE(!first);
        BOOST_TEST((first.error().code == errc::unavailable));
        const auto again = out->poll(long_enough, none);
        BOOST_REQUIRE(!again);
        BOOST_TEST(again.error().message() == first.error().message());
        BOOST_TEST((refusal(sample(1)) == errc::unavailable));
        BOOST_TEST(none.empty());
        return first.error().message();
    }

    void finish() {
        out.reset();
        server_.finish();
    }

    std::unique_ptr<publisher> out;

private:
    scripted_amqp server_;
    std::unique_ptr<broker> broker_;
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != text.npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(acks_come_in_any_order_and_count_once) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(5);
        for (const std::uint64_t tag : {3, 1, 1, 5, 3, 4, 2, 2}) peer.ack(tag);
        peer.hear_published(1);
        peer.ack(1);
        peer.ack(6);
        peer.hear_end();
    });
    with.submit(1, 5);
    BOOST_TEST(with.told(5) == "3 1 5 4 2");
    with.submit(6, 6);
    BOOST_TEST(with.told(1) == "6");
    with.finish();
}

BOOST_AUTO_TEST_CASE(one_ack_may_be_for_many) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(9);
        peer.ack(3);
        peer.ack(5, true);
        peer.ack(2, true);  // all of them are told already
        peer.ack(8);
        peer.ack(7, true);
        peer.ack(9, true);
        peer.hear_end();
    });
    with.submit(1, 9);
    BOOST_TEST(with.told(9) == "3 1 2 4 5 8 6 7 9");
    with.finish();
}

BOOST_AUTO_TEST_CASE(what_the_broker_refuses_is_unavailable) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(6);
        peer.nack(5);
        peer.ack(3);
        peer.nack(4, true);
        peer.ack(4, true);  // no second thoughts
        peer.ack(6);
        peer.hear_published(1);
        peer.ack(7);
        peer.hear_end();
    });
    with.submit(1, 6);
    BOOST_TEST(with.told(6) == "5- 3 1- 2- 4- 6");
    with.submit(7, 7);
    BOOST_TEST(with.told(1) == "7");
    with.finish();
}

BOOST_AUTO_TEST_CASE(a_window_opens_with_its_reports) {
    conversation with(
        [](amqp_peer& peer) {
            peer.open();
            peer.hear_published(3);
            peer.ack(3);
            peer.nack(1);
            peer.hear_published(2);
            peer.ack(5, true);
            peer.hear_end();
        },
        3);
    with.submit(1, 3);
    BOOST_TEST((with.refusal(sample(4)) == errc::overloaded));
    BOOST_TEST(with.told(2) == "3 1-");
    with.submit(4, 5);
    BOOST_TEST((with.refusal(sample(6)) == errc::overloaded));
    BOOST_TEST(with.told(3) == "2 4 5");
    with.finish();
}

BOOST_AUTO_TEST_CASE(a_return_is_of_the_message_that_it_carries) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(4);
        peer.ack(4);
        peer.give_back("b", "2", std::string(2500, 'x'));
        peer.ack(1);
        peer.ack(2);
        peer.give_back("a", "3", "");
        peer.ack(3);
        peer.hear_published(4);
        peer.give_back("a", "5", "x");
        peer.give_back("a", "6", "x");
        peer.give_back("a", "8", "x");  // it did not have to be routed
        peer.ack(8, true);
        peer.hear_end();
    });
    for (const auto& it : {sample(1, "a", true), sample(2, "b", true), sample(3, "a", true),
                           sample(4, "b", false)}) {
        with.out->submit(it).value();
    }
    BOOST_TEST(with.told(4) == "4 1 2? 3?");
    for (const auto& it : {sample(5, "a", true), sample(6, "a", true), sample(6, "b", true),
                           sample(8, "a", false)}) {
        with.out->submit(it).value();
    }
    BOOST_TEST(with.told(4) == "5? 6? 7 8");
    with.finish();
}

BOOST_AUTO_TEST_CASE(returns_of_equal_messages_keep_their_order) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(4);
        peer.give_back("a", "1", "x");
        peer.give_back("a", "1", "x");
        peer.ack(3);
        peer.ack(2, true);
        peer.give_back("a", "1", "x");
        peer.nack(4);  // it counts that the broker does not have it
        peer.hear_end();
    });
    for (int i = 0; i < 4; ++i) with.out->submit(sample(1, "a", true)).value();
    BOOST_TEST(with.told(4) == "3 1? 2? 4-");
    with.finish();
}

BOOST_AUTO_TEST_CASE(a_closed_channel_voids_what_is_under_way) {
    conversation with(
        [](amqp_peer& peer) {
            peer.open();
            peer.hear_published(3);
            peer.ack(2);
            peer.close(channel_close, 404, "NOT_FOUND - no exchange");
            peer.hear_end();
        },
        3);
    with.submit(1, 3);
    BOOST_TEST((with.refusal(sample(4)) == errc::overloaded));
    BOOST_TEST(with.told(1) == "2");
    BOOST_TEST(contains(with.failure_of_all(), "NOT_FOUND - no exchange"));
    with.finish();
}

BOOST_AUTO_TEST_CASE(a_closed_connection_is_acknowledged_and_voids_what_is_under_way) {
    conversation with(
        [](amqp_peer& peer) {
            peer.open();
            peer.hear_published(3);
            peer.nack(1);
            peer.close(connection_close, 320, "CONNECTION_FORCED - for 'guest'");
            peer.hear(connection_close_ok);
            peer.hear_end();
        },
        3);
    with.submit(1, 3);
    BOOST_TEST((with.refusal(sample(4)) == errc::overloaded));
    BOOST_TEST(with.told(1) == "1-");
    const std::string why = with.failure_of_all();
    BOOST_TEST(contains(why, "CONNECTION_FORCED"));
    BOOST_TEST(!contains(why, "'guest'"));
    with.finish();
}

namespace {

struct nonsense {
    const char* name;
    std::function<void(amqp_peer&)> say;
};
std::ostream& operator<<(std::ostream& out, const nonsense& it) {
    return out << it.name;
}
const nonsense nonsenses[] = {
    {"an ack of the next", [](amqp_peer& peer) { peer.ack(3); }},
    {"an ack up to the next", [](amqp_peer& peer) { peer.ack(3, true); }},
    {"an ack of the last there is", [](amqp_peer& peer) { peer.ack(UINT64_MAX); }},
    {"an ack up to the last there is", [](amqp_peer& peer) { peer.ack(UINT64_MAX, true); }},
    {"an ack of none", [](amqp_peer& peer) { peer.ack(0); }},
    {"an ack of all, with more on their way", [](amqp_peer& peer) { peer.ack(0, true); }},
    {"a nack of the next", [](amqp_peer& peer) { peer.nack(3); }},
    {"a nack of none", [](amqp_peer& peer) { peer.nack(0); }},
    {"a nack of all", [](amqp_peer& peer) { peer.nack(0, true); }},
    {"content of nothing", [](amqp_peer& peer) { peer.send(amqp_frame(body_frame, 1, "x")); }},
    {"a frame without its end",
     [](amqp_peer& peer) {
         std::string frame = amqp_peer::says(basic_ack, amqp_bytes().u64(2).u8(0));
         frame.back() = 'x';
         peer.send(frame);
     }},
    {"a method cut short", [](amqp_peer& peer) { peer.say(basic_ack, amqp_bytes().u32(0)); }},
};

}  // namespace

BOOST_DATA_TEST_CASE(nonsense_ends_the_connection, boost::unit_test::data::make(nonsenses)) {
    conversation with([&](amqp_peer& peer) {
        peer.open();
        peer.hear_published(2);
        peer.ack(1);
        sample.say(peer);
        peer.hear_end();
    });
    with.submit(1, 2);
    BOOST_TEST(with.told(1) == "1");
    with.failure_of_all();
    with.finish();
}

BOOST_AUTO_TEST_CASE(a_frame_may_come_in_pieces) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(2);
        for (const char it : amqp_peer::says(basic_ack, amqp_bytes().u64(2).u8(1))) {
            peer.send({&it, 1});
        }
        peer.hear_end();
    });
    with.submit(1, 2);
    BOOST_TEST(with.told(2) == "1 2");
    with.finish();
}

BOOST_AUTO_TEST_CASE(dropped_in_the_middle_of_a_frame) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(3);
        const std::string second = amqp_peer::says(basic_ack, amqp_bytes().u64(3).u8(1));
        peer.send(amqp_peer::says(basic_ack, amqp_bytes().u64(1).u8(0)) + second.substr(0, 19));
    });
    with.submit(1, 3);
    BOOST_TEST(with.told(1) == "1");
    with.failure_of_all();
    with.finish();
}

BOOST_AUTO_TEST_CASE(an_alarm_holds_up_what_is_submitted_and_nothing_else) {
    std::binary_semaphore over{0};
    conversation with([&](amqp_peer& peer) {
        peer.open();
        peer.hear_published(2);
        peer.say(connection_blocked, amqp_bytes().short_text("low on memory"));
        peer.ack(1);
        over.acquire();
        peer.say(connection_unblocked);
        peer.hear_published(1);
        peer.ack(3, true);
        peer.hear_end();
    });
    with.submit(1, 2);
    BOOST_TEST(with.told(1) == "1");
    BOOST_TEST((with.refusal(sample(3)) == errc::overloaded));
    std::vector<published> none;
    BOOST_TEST(with.out->poll(milliseconds(0), none).has_value());
    BOOST_TEST(none.empty());
    over.release();
    with.out->poll(long_enough, none).value();  // ends with the alarm
    BOOST_TEST(none.empty());
    with.submit(3, 3);
    BOOST_TEST(with.told(2) == "2 3");
    with.finish();
}

// RabbitMQ tells it to whoever connects during an alarm, in between the answers.
BOOST_AUTO_TEST_CASE(an_alarm_may_be_there_before_the_first_message) {
    std::binary_semaphore over{0};
    conversation with([&](amqp_peer& peer) {
        peer.log_in();
        peer.say(connection_blocked, amqp_bytes().short_text("low on memory"));
        peer.say(confirm_select_ok);
        over.acquire();
        peer.say(connection_unblocked);
        peer.hear_published(1);
        peer.ack(1);
        peer.hear_end();
    });
    BOOST_TEST((with.refusal(sample(1)) == errc::overloaded));
    over.release();
    std::vector<published> none;
    with.out->poll(long_enough, none).value();
    with.submit(1, 1);
    BOOST_TEST(with.told(1) == "1");
    with.finish();
}

BOOST_AUTO_TEST_CASE(a_broker_may_want_small_frames) {
    constexpr std::uint32_t frame_max = 4096;
    conversation with([](amqp_peer& peer) {
        peer.open(frame_max);
        peer.hear(basic_publish);
        peer.hear(header_frame);
        for (std::size_t left = 10'000; left > 0; left -= peer.heard()) {
            peer.hear(body_frame);
            if (peer.heard() + 8 > frame_max) throw std::runtime_error("a frame is too large");
        }
        peer.ack(1);
        peer.hear_end();
    });
    message large = sample(1);
    large.headers = {{"h", std::string(frame_max, 'x')}};
    BOOST_TEST((with.refusal(large) == errc::invalid_argument));
    large.headers = {{"h", std::string(2000, 'x')}};
    large.payload = std::string(10'000, 'x');
    with.out->submit(large).value();
    BOOST_TEST(with.told(1) == "1");
    with.finish();
}

BOOST_AUTO_TEST_CASE(headers_that_no_frame_holds_are_refused_alone) {
    conversation with([](amqp_peer& peer) {
        peer.open();
        peer.hear_published(1);
        peer.ack(1);
        peer.hear_end();
    });
    message many = sample(1);
    many.headers.assign(20'000, {"h", ""});
    BOOST_TEST((with.refusal(many) == errc::invalid_argument));
    with.submit(1, 1);
    BOOST_TEST(with.told(1) == "1");
    with.finish();
}
