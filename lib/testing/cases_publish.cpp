// What becomes of messages on their way to the queues.

#include "testing/broker_kit.hpp"

#include <algorithm>
#include <set>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

message awkward(broker_bench& b) {
    message out = b.sample("t", 1);
    out.id = "id \"1\" \xc3\xa4";
    out.key = std::string(255, 'k');
    out.content_type = "application/cloudevents+json; charset=utf-8";
    out.headers = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                   {"empty", ""},
                   {"bytes", std::string("\0\n\xff", 3)},
                   {"long", std::string(30'000, 'h')}};
    out.payload.clear();
    for (int i = 0; i < 300'000; ++i) out.payload += static_cast<char>(i * 7 % 256);
    return out;
}

void bytes_survive(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    message empty;
    empty.topic = b.name("t");
    message routed = b.sample("t", 2);
    routed.must_route = true;
    const std::vector<message> sent{awkward(b), empty, routed};
    b.publish(*out, sent);
    const auto got = b.take(*in, sent.size());
    for (std::size_t i = 0; i < sent.size(); ++i) {
        expect_same("message " + show(i), sent[i], got[i].body);
    }
}

void too_long_is_refused(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    const std::string longer(256, 'x');
    std::vector<message> refused(7, b.sample("t", 1));
    refused[0].id = longer;
    refused[1].topic = longer;
    refused[2].key = longer;
    refused[3].content_type = longer;
    refused[4].headers = {{longer, "1"}};
    refused[5].headers = {{"a", std::string(40'000, 'x')}, {"b", std::string(40'000, 'x')}};
    refused[6].headers.assign(10'000, {"h", ""});
    for (const message& it : refused) {
        const auto tag = out->submit(it);
        expect(!tag, "a message longer than it may be is taken");
        expect_equal("submit()", make_error_code(errc::invalid_argument), tag.error().code);
    }
    b.expect_no_more(*in, *out, "t");  // and it did no harm
}

void every_message_is_reported_once(broker_bench& b) {
    const auto out = b.connect_publisher(1000);
    const auto in = b.connect_consumer(b.params("q", {"t"}, 1000));
    const auto sent = b.samples("t", 3000);
    reports told;
    std::vector<publish_tag> tags;
    b.submit(*out, sent, told, tags);
    for (std::size_t i = 0; i < tags.size(); ++i) {
        expect_equal("a tag: they ascend from 1", std::uint64_t{i + 1},
                     static_cast<std::uint64_t>(tags[i]));
    }
    b.poll_until(*out, sent.size(), told);
    for (const publish_tag tag : tags) {
        const auto it = told.find(tag);
        expect(it != told.end(), "a tag that submit() gave is never reported");
        expect_equal("a report", error_code{}, it->second);
    }
    std::vector<published> more;
    succeed("poll()", out->poll(milliseconds(50), more));
    expect(more.empty(), "poll() reports what was never submitted");
}

void full_window_refuses(broker_bench& b) {
    constexpr std::size_t window = 20;
    const auto out = b.connect_publisher(window);
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    std::vector<publish_tag> tags;
    reports told;
    b.submit(*out, b.samples("t", window), told, tags);
    expect(told.empty(), "the window holds fewer than it should");
    const auto beyond = out->submit(b.sample("t", 99));
    expect(!beyond, "a full window takes one more");
    expect_equal("submit() beyond the window", make_error_code(errc::overloaded),
                 beyond.error().code);
    b.poll_until(*out, window, told);
    b.submit(*out, {b.sample("t", window + 1)}, told, tags);
    b.poll_until(*out, window + 1, told);
    std::vector<std::string> expected;
    for (std::size_t i = 1; i <= window + 1; ++i) expected.push_back(std::to_string(i));
    expect_equal("what arrived", expected, ids_of(b.take(*in, window + 1)));
}

void keys_keep_their_order(broker_bench& b) {
    const auto out = b.connect_publisher(100);
    const auto in = b.connect_consumer(b.params("q", {"t.*"}, 500));
    std::vector<message> sent;
    for (std::size_t i = 1; i <= 500; ++i) {
        sent.push_back(b.sample(i % 2 == 0 ? "t.even" : "t.odd", i));
    }
    b.publish(*out, sent);
    std::map<std::string, std::size_t> last;
    for (const delivery& it : b.take(*in, sent.size())) {
        const std::size_t n = std::stoul(it.body.id);
        std::size_t& before = last[it.body.key];
        expect(n > before,
               "of key " + it.body.key + ", " + show(n) + " came after " + show(before));
        before = n;
    }
}

struct topic_row {
    const char* pattern;
    std::vector<const char*> takes;
};

void topics_are_matched(broker_bench& b) {
    const std::vector<const char*> topics{"a", "a.b", "a.b.c", "a.c", "b", "a.b.b"};
    const topic_row rows[] = {{"a", {"a"}},
                              {"a.*", {"a.b", "a.c"}},
                              {"a.#", {"a", "a.b", "a.b.c", "a.c", "a.b.b"}},
                              {"*.b", {"a.b"}},
                              {"#.b", {"a.b", "b", "a.b.b"}},
                              {"a.#.c", {"a.b.c", "a.c"}},
                              {"#", {"a", "a.b", "a.b.c", "a.c", "b", "a.b.b"}}};
    std::vector<std::unique_ptr<consumer>> in;
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        in.push_back(b.connect_consumer(b.params("q" + show(i), {rows[i].pattern, "last"})));
    }
    const auto out = b.connect_publisher();
    std::vector<message> sent;
    for (const char* topic : topics) {
        sent.push_back(b.sample(topic, 1));
        sent.back().id = topic;
    }
    b.publish(*out, sent);
    message last = b.sample("last", 1);
    last.id = "last";
    b.publish(*out, {last});
    for (std::size_t i = 0; i < std::size(rows); ++i) {
        std::vector<std::string> expected(rows[i].takes.begin(), rows[i].takes.end());
        expected.emplace_back("last");
        expect_equal(std::string("what ") + rows[i].pattern + " takes", expected,
                     ids_of(b.take(*in[i], expected.size())));
    }
}

void unroutable_is_reported(broker_bench& b) {
    const auto out = b.connect_publisher();
    const auto in = b.connect_consumer(b.params("q", {"t"}));
    std::vector<message> sent = b.samples("t", 40);
    std::set<std::size_t> lost;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        sent[i].must_route = i % 2 == 0;
        sent[i].id = "same";  // the same message may be under way twice
        if (i % 3 == 0) {
            sent[i].topic = b.name("nowhere");
            if (sent[i].must_route) lost.insert(i);
        }
    }
    reports told;
    std::vector<publish_tag> tags;
    b.submit(*out, sent, told, tags);
    b.poll_until(*out, sent.size(), told);
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const error_code expected =
            lost.contains(i) ? make_error_code(errc::not_found) : error_code{};
        expect_equal(
            "report of message " + show(i) + (sent[i].must_route ? ", which must be routed" : ""),
            expected, told.at(tags[i]));
    }
    const auto routed = std::count_if(sent.begin(), sent.end(),
                                      [&](const message& it) { return it.topic == b.name("t"); });
    b.acknowledge(*in, b.take(*in, static_cast<std::size_t>(routed)));
    b.expect_no_more(*in, *out, "t");
}

void publishers_declare_queues(broker_bench& b) {
    const consumer_params params = b.params("q", {"t"});
    const auto out = b.connect_publisher(10, {{params.queue, params.topics, 0}});
    message sent = b.sample("t", 1);
    sent.must_route = true;
    b.publish(*out, {sent});  // nobody consumes yet
    const auto in = b.connect_consumer(params);
    expect_same("the message", sent, b.take(*in, 1).front().body);
}

void oldest_are_dropped(broker_bench& b) {
    consumer_params params = b.params("q", {"t"}, 1);
    params.length_max = 10;
    const auto out = b.connect_publisher(100, {{params.queue, params.topics, params.length_max}});
    b.publish(*out, b.samples("t", 30));
    const auto in = b.connect_consumer(params);
    std::vector<std::string> found;
    while (found.empty() || found.back() != "30") {
        const auto next = b.take(*in, 1);
        found.push_back(next.front().body.id);
        b.acknowledge(*in, next);
    }
    expect(found.size() <= 11, "a queue of 10 holds " + show(found.size()));
    expect(found.size() >= 10, "a queue of 10 holds only " + show(found.size()));
    expect_equal("the oldest that is left", std::to_string(31 - found.size()), found.front());
}

constexpr broker_entry entries[] = {
    {"bytes_survive", "Every field of a message arrives byte for byte.", bytes_survive},
    {"too_long_is_refused", "What is longer than a message may be is refused, and does no harm.",
     too_long_is_refused},
    {"every_message_is_reported_once", "Every submit() has a tag, reported exactly once.",
     every_message_is_reported_once},
    {"a_full_window_refuses", "A window takes what it holds, and refuses what is beyond.",
     full_window_refuses},
    {"keys_keep_their_order", "Messages of one key arrive in the order of submit().",
     keys_keep_their_order},
    {"topics_are_matched", "Queues get what matches their topics, each message once.",
     topics_are_matched},
    {"unroutable_is_reported",
     "A message that must be routed and is not is reported, and only that.",
     unroutable_is_reported},
    {"publishers_declare_queues", "Queues that a publisher declares keep what comes before anyone.",
     publishers_declare_queues},
    {"the_oldest_are_dropped", "A queue with a limit drops the oldest beyond it.",
     oldest_are_dropped},
};

}  // namespace

std::vector<broker_case> publishing_cases() {
    return broker_cases_of<entries>();
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
