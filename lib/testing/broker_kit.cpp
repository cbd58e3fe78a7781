#include "testing/broker_kit.hpp"

#include <algorithm>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

using std::chrono::steady_clock;

namespace {

constexpr milliseconds a_moment{50};

std::string show_tag(publish_tag tag) {
    return std::to_string(static_cast<std::uint64_t>(tag));
}

}  // namespace

std::vector<std::string> ids_of(const std::vector<delivery>& deliveries) {
    std::vector<std::string> out;
    for (const delivery& it : deliveries) out.push_back(it.body.id);
    return out;
}

void expect_same(std::string_view what, const message& expected, const message& found) {
    const std::string where = std::string(what) + ", ";
    expect_equal(where + "id", expected.id, found.id);
    expect_equal(where + "topic", expected.topic, found.topic);
    expect_equal(where + "key", expected.key, found.key);
    expect_equal(where + "content type", expected.content_type, found.content_type);
    expect_equal(where + "headers", expected.headers.size(), found.headers.size());
    for (std::size_t i = 0; i < expected.headers.size(); ++i) {
        expect_equal(where + "name of a header", expected.headers[i].first, found.headers[i].first);
        expect_equal(where + "header " + expected.headers[i].first, expected.headers[i].second,
                     found.headers[i].second);
    }
    expect_equal(where + "size of the payload", expected.payload.size(), found.payload.size());
    const auto at =
        std::mismatch(expected.payload.begin(), expected.payload.end(), found.payload.begin());
    expect(at.first == expected.payload.end(),
           where + "payload differs at byte " + show(at.first - expected.payload.begin()));
}

broker_bench::broker_bench(broker_harness& harness, std::string_view case_name)
    : harness_(harness),
      base_(harness.prefix() + "." + std::string(case_name)),
      broker_(harness.open()) {
    expect(broker_ != nullptr, "the harness opened no broker");
}

std::unique_ptr<publisher> broker_bench::connect_publisher(std::size_t window,
                                                           std::vector<queue_declaration> queues) {
    publisher_params with;
    with.window = window;
    with.queues = std::move(queues);
    return value("connect_publisher()", broker_->connect_publisher(with));
}

consumer_params broker_bench::params(std::string_view queue, std::vector<std::string> topics,
                                     std::size_t prefetch) const {
    consumer_params out;
    out.queue = name(queue);
    for (const std::string& it : topics) out.topics.push_back(name(it));
    out.prefetch = prefetch;
    out.poison_queue = name("poison");
    return out;
}

std::unique_ptr<consumer> broker_bench::connect_consumer(const consumer_params& with) {
    return value("connect_consumer()", broker_->connect_consumer(with));
}

message broker_bench::sample(std::string_view topic, std::size_t n) const {
    message out;
    out.id = std::to_string(n);
    out.topic = name(topic);
    out.key = "key-" + std::to_string(n % 3);
    out.content_type = "text/plain";
    out.headers = {{"traceparent", "00-" + std::to_string(n)}};
    out.payload = "payload of " + out.id;
    return out;
}

std::vector<message> broker_bench::samples(std::string_view topic, std::size_t count) const {
    std::vector<message> out;
    for (std::size_t i = 1; i <= count; ++i) out.push_back(sample(topic, i));
    return out;
}

bool broker_bench::in_time(steady_clock::time_point since) const {
    return steady_clock::now() - since < harness_.timeout();
}

namespace {

void add(const std::vector<published>& told, reports& out) {
    for (const published& it : told) {
        expect(out.emplace(it.tag, it.ec).second, "tag " + show_tag(it.tag) + " is reported twice");
    }
}

}  // namespace

void broker_bench::submit(publisher& to, const std::vector<message>& what, reports& out,
                          std::vector<publish_tag>& tags) {
    const auto begun = steady_clock::now();
    for (const message& it : what) {
        for (;;) {
            const auto tag = to.submit(it);
            if (tag) {
                tags.push_back(*tag);
                break;
            }
            if (tag.error().code != make_error_code(errc::overloaded)) {
                fail("submit() failed: " + tag.error().message());
            }
            expect(in_time(begun), "submit() is overloaded for ever");
            std::vector<published> told;
            succeed("poll()", to.poll(a_moment, told));
            add(told, out);
        }
    }
}

void broker_bench::poll_until(publisher& from, std::size_t count, reports& out) {
    const auto begun = steady_clock::now();
    while (out.size() < count) {
        expect(in_time(begun),
               "only " + show(out.size()) + " of " + show(count) + " messages are reported");
        std::vector<published> told;
        succeed("poll()", from.poll(a_moment, told));
        add(told, out);
    }
}

void broker_bench::publish(publisher& to, const std::vector<message>& what) {
    reports told;
    std::vector<publish_tag> tags;
    submit(to, what, told, tags);
    poll_until(to, what.size(), told);
    for (const publish_tag tag : tags) {
        const auto it = told.find(tag);
        expect(it != told.end(), "tag " + show_tag(tag) + " is not reported");
        expect_equal("report of tag " + show_tag(tag), error_code{}, it->second);
    }
}

std::vector<delivery> broker_bench::take(consumer& from, std::size_t count) {
    std::vector<delivery> out;
    const auto begun = steady_clock::now();
    while (out.size() < count) {
        expect(in_time(begun), "only " + show(out.size()) + " of " + show(count) +
                                   " messages came: " + show(ids_of(out)));
        const std::size_t before = out.size();
        succeed("receive()", from.receive(count - before, a_moment, out));
        expect(out.size() <= count, "receive() appends more than its limit");
    }
    return out;
}

void broker_bench::acknowledge(consumer& at, const std::vector<delivery>& what, disposition how,
                               std::string reason) {
    std::vector<acknowledgement> all;
    for (const delivery& it : what) all.push_back({it.tag, how, reason});
    succeed("acknowledge()", at.acknowledge(all));
}

void broker_bench::expect_no_more(consumer& from, publisher& by, std::string_view topic) {
    message last = sample(topic, 0);
    last.id = "the last";
    publish(by, {last});
    const auto next = take(from, 1);
    expect_equal("what comes when nothing should be left", std::vector<std::string>{"the last"},
                 ids_of(next));
    acknowledge(from, next);
}

void broker_bench::expect_lost(publisher& it, reports& out) {
    const auto begun = steady_clock::now();
    for (;;) {
        std::vector<published> told;
        const auto done = it.poll(a_moment, told);
        add(told, out);
        if (!done) {
            expect_equal("poll() on a lost connection", make_error_code(errc::unavailable),
                         done.error().code);
            break;
        }
        expect(in_time(begun), "poll() does not notice that the connection is lost");
    }
    const auto after = it.submit(sample("lost", 1));
    expect(!after && after.error().code == make_error_code(errc::unavailable),
           "submit() on a connection that was lost is not errc::unavailable");
}

void broker_bench::expect_lost(consumer& it) {
    const auto begun = steady_clock::now();
    for (;;) {
        std::vector<delivery> taken;
        const auto done = it.receive(0, a_moment, taken);
        if (!done) {
            expect_equal("receive() on a lost connection", make_error_code(errc::unavailable),
                         done.error().code);
            return;
        }
        expect(in_time(begun), "receive() does not notice that the connection is lost");
    }
}

void run(const broker_entry& what, broker_harness& harness) {
    try {
        broker_bench b(harness, what.name);
        what.body(b);
    } catch (const broken& e) {
        throw case_failed(std::string(what.promise) + "\n  " + e.what + "\n  (case " + what.name +
                          ")");
    }
}

}  // namespace kit

std::span<const broker_case> broker_cases() {
    static const std::vector<broker_case> all = [] {
        std::vector<broker_case> out;
        for (const auto& part :
             {kit::publishing_cases(), kit::consuming_cases(), kit::connection_cases()}) {
            out.insert(out.end(), part.begin(), part.end());
        }
        return out;
    }();
    return all;
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc
