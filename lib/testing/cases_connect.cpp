// Connections that idle, break, and are made anew.

#include "testing/broker_kit.hpp"

#include <set>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

void idle_stays_alive(broker_bench& b) {
    const milliseconds idle = b.harness().idle_time();
    if (idle <= milliseconds(0)) throw case_skipped("the harness knows no idle time");
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    const auto until = std::chrono::steady_clock::now() + idle;
    while (std::chrono::steady_clock::now() < until) {
        std::vector<published> told;
        succeed("poll() of an idle connection", out->poll(milliseconds(100), told));
        std::vector<delivery> got;
        succeed("receive() of an idle connection", in->receive(1, milliseconds(100), got));
        expect(told.empty() && got.empty(), "something came from nothing");
    }
    const auto sent = b.samples("t", 3);
    b.publish(*out, sent);
    b.acknowledge(*in, b.take(*in, 3));
}

void lost_connection_loses_nothing(broker_bench& b) {
    const consumer_params params = b.params("q", {"t"}, 1000);
    auto in = b.connect_consumer(params);
    auto out = b.connect_publisher(1000);
    const auto first = b.samples("t", 400);
    b.publish(*out, first);
    b.take(*in, 100);  // unsettled

    std::vector<message> second;
    for (std::size_t n = 401; n <= 900; ++n) second.push_back(b.sample("t", n));
    reports told;
    std::vector<publish_tag> tags;
    b.submit(*out, second, told, tags);
    if (!b.harness().cut_connections()) throw case_skipped("the harness cannot cut connections");
    b.expect_lost(*out, told);
    b.expect_lost(*in);

    out = b.connect_publisher(1000);
    std::vector<message> again;
    for (std::size_t i = 0; i < second.size(); ++i) {
        const auto it = told.find(tags[i]);
        if (it == told.end()) {
            again.push_back(second[i]);
        } else {
            expect_equal("a report before the loss", error_code{}, it->second);
        }
    }
    b.publish(*out, again);

    in.reset();
    in = b.connect_consumer(params);
    std::set<std::string> seen;
    std::map<std::string, std::size_t> last;
    while (seen.size() < 900) {
        const auto next = b.take(*in, 1);
        b.acknowledge(*in, next);
        const message& it = next.front().body;
        const std::size_t n = std::stoul(it.id);
        expect(n >= 1 && n <= 900, "a message that nobody sent: " + it.id);
        expect_same("a message", b.sample("t", n), it);
        if (!seen.insert(it.id).second) continue;  // a repeat
        std::size_t& before = last[it.key];
        expect(n > before,
               "of key " + it.key + ", first seen, " + show(n) + " after " + show(before));
        before = n;
    }
}

void wiped_broker_is_mended(broker_bench& b) {
    const consumer_params params = b.params("q", {"t"});
    const std::vector<queue_declaration> queues{{params.queue, params.topics, 0}};
    auto out = b.connect_publisher(100, queues);
    auto in = b.connect_consumer(params);
    b.publish(*out, b.samples("t", 10));
    if (!b.harness().wipe()) throw case_skipped("the harness cannot wipe the broker");
    reports told;
    b.expect_lost(*out, told);
    b.expect_lost(*in);

    out = b.connect_publisher(100, queues);
    message sent = b.sample("t", 11);
    sent.must_route = true;
    b.publish(*out, {sent});
    in.reset();
    in = b.connect_consumer(params);
    const auto got = b.take(*in, 1);
    expect_same("the first after it was wiped", sent, got.front().body);
}

void mismatch_is_told(broker_bench& b) {
    consumer_params params = b.params("q", {"t"});
    params.length_max = 100;
    const auto in = b.connect_consumer(params);
    const auto expect_mismatch = [&](const failure& why) {
        expect_equal("the error", make_error_code(errc::schema_mismatch), why.code);
        expect(why.detail.find(params.queue) != std::string::npos &&
                   why.detail.find("x-max-length") != std::string::npos,
               "the text does not name the queue and the argument: " + why.detail);
    };
    consumer_params other = params;
    other.length_max = 200;
    const auto refused = b.at().connect_consumer(other);
    expect(!refused, "a queue is declared with another limit than it has");
    expect_mismatch(refused.error());
    publisher_params publish;
    publish.queues = {{params.queue, params.topics, 0}};
    const auto also = b.at().connect_publisher(publish);
    expect(!also, "a publisher declares a queue with another limit than it has");
    expect_mismatch(also.error());

    const auto out = b.connect_publisher();
    b.expect_no_more(*in, *out, "t");  // the queue works as it did
    b.connect_consumer(params);
}

void nonsense_is_refused(broker_bench& b) {
    consumer_params params = b.params("q", {"t"}, 0);
    std::vector<consumer_params> wrong(3, params);
    wrong[1].prefetch = 70'000;
    wrong[2].prefetch = 10;
    wrong[2].queue.clear();
    for (const consumer_params& it : wrong) {
        const auto refused = b.at().connect_consumer(it);
        expect(!refused, "a consumer with nonsense for parameters connects");
        expect_equal("connect_consumer()", make_error_code(errc::invalid_argument),
                     refused.error().code);
    }
    publisher_params none;
    none.window = 0;
    const auto refused = b.at().connect_publisher(none);
    expect(!refused, "a publisher without a window connects");
    expect_equal("connect_publisher()", make_error_code(errc::invalid_argument),
                 refused.error().code);
}

constexpr broker_entry entries[] = {
    {"an_idle_connection_stays", "A connection that is served stays, however silent.",
     idle_stays_alive},
    {"a_lost_connection_loses_nothing",
     "What was not reported and is submitted again, and what was not settled, arrives.",
     lost_connection_loses_nothing},
    {"a_wiped_broker_is_mended", "Connecting again declares everything anew.",
     wiped_broker_is_mended},
    {"a_mismatch_is_told", "A queue that is there and different is named, and left alone.",
     mismatch_is_told},
    {"nonsense_is_refused", "Parameters that cannot be are refused.", nonsense_is_refused},
};

}  // namespace

std::vector<broker_case> connection_cases() {
    return broker_cases_of<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
