// What becomes of deliveries.

#include "testing/broker_kit.hpp"

#include <algorithm>
#include <set>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

std::vector<std::string> numbers(std::size_t first, std::size_t last) {
    std::vector<std::string> out;
    for (std::size_t i = first; i <= last; ++i) out.push_back(std::to_string(i));
    return out;
}

void consumers_share_a_queue(broker_bench& b) {
    const auto one = b.connect_consumer(b.params("q", {"t"}, 5));
    const auto two = b.connect_consumer(b.params("q", {"t"}, 5));
    const auto apart = b.connect_consumer(b.params("other", {"t"}));
    const auto out = b.connect_publisher();
    b.publish(*out, b.samples("t", 20));
    std::multiset<std::string> shared;
    const auto mine = b.take(*one, 5);  // the other one holds no more than its prefetch
    const auto theirs = b.take(*two, 5);
    for (const auto* half : {&mine, &theirs}) {
        for (const delivery& it : *half) shared.insert(it.body.id);
    }
    b.acknowledge(*one, mine);
    b.acknowledge(*two, theirs);
    while (shared.size() < 20) {
        for (const auto& it : {one.get(), two.get()}) {
            std::vector<delivery> taken;
            succeed("receive()", it->receive(5, milliseconds(10), taken));
            for (const delivery& got : taken) shared.insert(got.body.id);
            b.acknowledge(*it, taken);
        }
    }
    const std::set<std::string> distinct(shared.begin(), shared.end());
    expect_equal("messages of a shared queue", std::size_t{20}, distinct.size());
    expect_equal("what another queue got", numbers(1, 20), ids_of(b.take(*apart, 20)));
}

void acknowledged_is_gone(broker_bench& b) {
    const auto out = b.connect_publisher();
    {
        const auto in = b.connect_consumer(b.params("q", {"t"}));
        b.publish(*out, b.samples("t", 10));
        auto got = b.take(*in, 10);
        std::reverse(got.begin(), got.end());  // in any order, in parts
        b.acknowledge(*in, {got.begin(), got.begin() + 4});
        b.acknowledge(*in, {got.begin() + 4, got.end()});
    }
    const auto again = b.connect_consumer(b.params("q", {"t"}));
    b.expect_no_more(*again, *out, "t");
}

void unsettled_come_back(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto sent = b.samples("t", 10);
    {
        const auto in = b.connect_consumer(b.params("q", {"t"}));
        b.publish(*out, sent);
        const auto got = b.take(*in, 10);
        b.acknowledge(*in, {got[0], got[3]});
    }
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    const auto again = b.take(*in, 8);
    const std::vector<std::string> expected{"2", "3", "5", "6", "7", "8", "9", "10"};
    expect_equal("what comes back, under the ids it had", expected, ids_of(again));
    for (const delivery& it : again) {
        expect_same("what comes back", sent[std::stoul(it.body.id) - 1], it.body);
    }
    b.acknowledge(*in, again);
    b.expect_no_more(*in, *out, "t");
}

void waits_without_consumers(broker_bench& b) {
    const auto out = b.connect_publisher();
    b.connect_consumer(b.params("q", {"t"}));  // and goes
    b.publish(*out, b.samples("t", 100));
    const auto in = b.connect_consumer(b.params("q", {}));
    expect_equal("what waited", numbers(1, 100), ids_of(b.take(*in, 100)));
}

void limit_is_kept(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    b.publish(*out, b.samples("t", 10));
    std::vector<delivery> got;
    succeed("receive()", in->receive(0, milliseconds(20), got));
    expect(got.empty(), "receive(0) appends a delivery");
    while (got.empty()) succeed("receive()", in->receive(3, milliseconds(50), got));
    expect(got.size() <= 3, "receive(3) appends " + show(got.size()));
    const auto rest = b.take(*in, 10 - got.size());
    got.insert(got.end(), rest.begin(), rest.end());
    expect_equal("all of them", numbers(1, 10), ids_of(got));
    std::set<delivery_tag> tags;
    for (const delivery& it : got) tags.insert(it.tag);
    expect_equal("different tags", std::size_t{10}, tags.size());
}

void bytes_are_bounded(broker_bench& b) {
    const auto out = b.connect_publisher();
    consumer_params params = b.params("q", {"t"});
    params.receive_bytes_max = 1500;
    const auto in = b.connect_consumer(params);
    auto sent = b.samples("t", 4);
    for (message& it : sent) it.payload.assign(1000, 'x');
    b.publish(*out, sent);
    std::vector<delivery> got;
    while (got.size() < sent.size()) {
        std::vector<delivery> more;
        succeed("receive()", in->receive(10, milliseconds(50), more));
        expect(more.size() <= 2, "1,500 bytes at a time, and " + show(more.size()) +
                                     " messages of 1,000 come at once");
        got.insert(got.end(), more.begin(), more.end());
    }
    expect_equal("all of them", numbers(1, 4), ids_of(got));
    b.acknowledge(*in, got);
}

void prefetch_bounds(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}, 3));
    b.publish(*out, b.samples("t", 10));
    const auto held = b.take(*in, 3);
    std::vector<delivery> more;
    succeed("receive()", in->receive(10, milliseconds(100), more));
    expect(more.empty(), "a prefetch of 3 and 3 unsettled, yet another comes");
    b.acknowledge(*in, {held[1]});
    more = b.take(*in, 1);
    expect_equal("the next", std::string("4"), more.front().body.id);
    succeed("receive()", in->receive(10, milliseconds(100), more));
    expect_equal("unsettled beside the two", std::size_t{1}, more.size());
    b.acknowledge(*in, {held[0], held[2]});
    b.acknowledge(*in, more);
    for (std::size_t n = 5; n <= 10; ++n) {
        const auto next = b.take(*in, 1);
        expect_equal("the next", std::to_string(n), next.front().body.id);
        b.acknowledge(*in, next);
    }
}

void requeued_come_again(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    const auto sent = b.samples("t", 6);
    b.publish(*out, sent);
    const auto got = b.take(*in, 6);
    const std::vector<acknowledgement> mixed{{got[0].tag, disposition::ack, {}},
                                             {got[1].tag, disposition::requeue, {}},
                                             {got[2].tag, disposition::ack, {}},
                                             {got[4].tag, disposition::requeue, {}}};
    succeed("acknowledge()", in->acknowledge(mixed));
    auto again = b.take(*in, 2);
    std::sort(again.begin(), again.end(),
              [](const delivery& x, const delivery& y) { return x.body.id < y.body.id; });
    expect_same("requeued", sent[1], again[0].body);
    expect_same("requeued", sent[4], again[1].body);
    b.acknowledge(*in, again);
    b.acknowledge(*in, {got[3], got[5]});
    b.expect_no_more(*in, *out, "t");
}

void poison_is_put_aside(broker_bench& b) {
    const auto out = b.connect_publisher();
    const consumer_params params = b.params("q", {"t"});
    const auto in = b.connect_consumer(params);
    const auto sent = b.samples("t", 4);
    b.publish(*out, sent);
    const auto got = b.take(*in, 4);
    const std::vector<acknowledgement> mixed{
        {got[0].tag, disposition::poison, "not an order"},
        {got[1].tag, disposition::ack, {}},
        {got[2].tag, disposition::poison, "no \"id\" \xc3\xa4"},
        {got[3].tag, disposition::ack, {}}};
    succeed("acknowledge()", in->acknowledge(mixed));
    b.expect_no_more(*in, *out, "t");

    consumer_params aside;
    aside.queue = params.poison_queue;
    aside.poison_queue = params.poison_queue;
    const auto people = b.connect_consumer(aside);
    const auto found = b.take(*people, 2);
    for (std::size_t i = 0; i < 2; ++i) {
        message expected = sent[i * 2];
        expected.headers.emplace_back(poison_topic_header, expected.topic);
        expected.headers.emplace_back(poison_reason_header, mixed[i * 2].reason);
        expected.topic = found[i].body.topic;  // the broker's affair
        expect_same("in the poison queue", expected, found[i].body);
    }
}

void settled_once(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    b.publish(*out, b.samples("t", 3));
    const auto got = b.take(*in, 3);
    b.acknowledge(*in, {got[0]});
    const delivery_tag never{static_cast<std::uint64_t>(got[2].tag) + 1000};
    const std::vector<std::vector<acknowledgement>> wrong{
        {{got[1].tag, disposition::ack, {}}, {got[0].tag, disposition::ack, {}}},
        {{got[1].tag, disposition::ack, {}}, {got[1].tag, disposition::requeue, {}}},
        {{never, disposition::ack, {}}},
        {{delivery_tag{0}, disposition::ack, {}}},
    };
    for (const auto& it : wrong) {
        const auto done = in->acknowledge(it);
        expect(!done, "acknowledge() takes a tag that is not to be acknowledged");
        expect_equal("acknowledge()", make_error_code(errc::invalid_argument), done.error().code);
    }
    b.acknowledge(*in, {got[1], got[2]});  // none of the refused counted
    b.expect_no_more(*in, *out, "t");
}

constexpr broker_entry entries[] = {
    {"consumers_share_a_queue", "A message goes to one consumer of each queue.",
     consumers_share_a_queue},
    {"acknowledged_is_gone", "What was acknowledged does not come again.", acknowledged_is_gone},
    {"unsettled_come_back", "What a consumer did not settle comes again, unchanged.",
     unsettled_come_back},
    {"messages_wait_without_consumers", "A queue keeps messages while nobody consumes.",
     waits_without_consumers},
    {"a_limit_is_kept", "receive() appends at most its limit and loses nothing.", limit_is_kept},
    {"bytes_are_bounded", "receive() appends no more once it has appended receive_bytes_max.",
     bytes_are_bounded},
    {"prefetch_bounds", "No more than prefetch are unsettled at a time.", prefetch_bounds},
    {"requeued_come_again", "What was requeued comes again, and only that.", requeued_come_again},
    {"poison_is_put_aside", "Poison is kept with its reason and does not come again.",
     poison_is_put_aside},
    {"each_is_settled_once", "A tag that is not to be settled is refused with all beside it.",
     settled_once},
};

}  // namespace

std::vector<broker_case> consuming_cases() {
    return broker_cases_of<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
