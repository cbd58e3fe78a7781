// What the consumer of the RabbitMQ adapter keeps in memory, however long one delivery is not
// settled.

#include "scripted_amqp.hpp"

#include <orderproc/rabbitmq.hpp>

#include <boost/test/unit_test.hpp>

#include <malloc.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using namespace shop_test;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr milliseconds timeout = seconds(60);  // far above what is needed

class conversation {
public:
    conversation(scripted_amqp::script says, consumer_params params) : server_({std::move(says)}) {
        rabbitmq_options options;
        options.url = server_.url();
        options.timeout = timeout;
        broker_ = open_rabbitmq(std::move(options)).value();
        params.queue = "q";
        params.topics = {"t"};
        in = broker_->connect_consumer(params).value();
    }

    std::vector<delivery> receive(std::size_t limit) {
        std::vector<delivery> out;
        in->receive(limit, timeout, out).value();
        return out;
    }
    void acknowledge(const std::vector<delivery>& what) {
        std::vector<acknowledgement> done;
        for (const delivery& it : what) done.push_back({it.tag, disposition::ack, {}});
        in->acknowledge(done).value();
    }
    void finish() {
        in.reset();
        server_.finish();
    }

    std::unique_ptr<consumer> in;

private:
    scripted_amqp server_;
    std::unique_ptr<broker> broker_;
};

// Of this thread's arena. Sanitizers have allocators of their own, which say nothing here.
std::size_t bytes_in_use() {
    return mallinfo2().uordblks;
}

}  // namespace

BOOST_AUTO_TEST_CASE(settled_deliveries_behind_one_that_is_not_are_forgotten) {
    constexpr std::uint64_t count = 20'000;
    conversation with(
        [](amqp_peer& peer) {
            peer.open_consumer();
            peer.deliver(1, "first");
            for (std::uint64_t tag = 2; tag <= count; ++tag) {
                peer.deliver(tag, "another");
                peer.hear(basic_ack);
            }
            peer.hear(basic_ack);
            peer.hear_end();
        },
        {});
    const auto first = with.receive(1);
    BOOST_REQUIRE(first.size() == 1U);
    const auto settle_one = [&] {
        const auto got = with.receive(1);
        BOOST_REQUIRE(got.size() == 1U);
        with.acknowledge(got);
    };
    for (std::uint64_t tag = 2; tag <= 1000; ++tag) settle_one();
    const std::size_t before = bytes_in_use();
    for (std::uint64_t tag = 1001; tag <= count; ++tag) settle_one();
    const std::size_t after = bytes_in_use();
    // 19,000 deliveries of more than 100 bytes each were settled meanwhile.
    BOOST_TEST(after < before + 200'000U);
    with.acknowledge(first);
    with.finish();
}

BOOST_AUTO_TEST_CASE(payloads_are_kept_no_longer_than_is_wanted) {
    constexpr std::uint64_t count = 1000;
    const std::string payload(10'000, 'x');
    consumer_params params;
    params.prefetch = count;
    params.keep_payloads = false;
    conversation with(
        [&](amqp_peer& peer) {
            peer.open_consumer();
            for (std::uint64_t tag = 1; tag <= count; ++tag) peer.deliver(tag, payload);
            peer.hear_end();
        },
        params);
    std::size_t taken = 0;
    while (taken < count) {
        for (const delivery& it : with.receive(10)) {
            BOOST_TEST_REQUIRE(it.body.payload == payload);
            ++taken;
        }
    }
    std::vector<delivery> none;
    with.in->receive(0, milliseconds(0), none).value();
    BOOST_TEST(bytes_in_use() < 5'000'000U);  // of 10 MB
    with.finish();
}

BOOST_AUTO_TEST_CASE(one_call_hands_out_a_bounded_number_of_bytes) {
    consumer_params params;
    params.receive_bytes_max = 15'000;
    conversation with(
        [](amqp_peer& peer) {
            peer.open_consumer();
            for (std::uint64_t tag = 1; tag <= 5; ++tag) {
                peer.deliver(tag, std::string(10'000, 'x'));
            }
            peer.hear_end();
        },
        params);
    std::vector<std::size_t> sizes;
    for (std::size_t taken = 0; taken < 5; taken += sizes.back()) {
        sizes.push_back(with.receive(100).size());
        BOOST_REQUIRE(sizes.back() > 0U);
        BOOST_TEST(sizes.back() <= 2U);
    }
    with.finish();
}
