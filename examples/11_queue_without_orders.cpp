// The queue layer by itself: one thread publishes readings, another works on them. Without an
// argument the broker is in this process; with amqp://… as the argument it is RabbitMQ.

#include <orderproc/memory.hpp>
#include <orderproc/queue.hpp>
#ifdef EXAMPLE_WITH_RABBITMQ
#include <orderproc/rabbitmq.hpp>
#endif

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using namespace orderproc;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t readings = 1000;
const std::string queue_name = "example-11";

std::unique_ptr<broker> open(std::string_view url) {
#ifdef EXAMPLE_WITH_RABBITMQ
    if (url.starts_with("amqp")) {
        rabbitmq_options options;
        options.url = url;
        options.exchange = "example-11";
        return std::move(open_rabbitmq(options)).value();
    }
#endif
    return make_memory_broker();
}

// Sends one message after the other and forgets each when the broker has it for good. What is
// unknown when a connection breaks is sent again: consumers see it twice, under one id.
void publish(broker& to) {
    publisher_params params;
    params.window = 100;
    params.queues = {{queue_name, {"reading.*"}}};
    std::map<publish_tag, message> under_way;
    std::vector<message> left;
    for (std::size_t i = readings; i > 0; --i) {
        message it;
        it.id = std::to_string(i);
        it.topic = i % 2 == 0 ? "reading.temperature" : "reading.pressure";
        it.key = "sensor-" + std::to_string(i % 7);
        it.content_type = "text/plain";
        it.payload = "reading " + it.id;
        left.push_back(std::move(it));
    }
    std::unique_ptr<publisher> connection;
    while (!left.empty() || !under_way.empty()) {
        if (!connection) {
            auto made = to.connect_publisher(params);
            if (!made) {
                std::fprintf(stderr, "%s\n", made.error().message().c_str());
                std::this_thread::sleep_for(std::chrono::seconds(1));
                continue;
            }
            connection = std::move(*made);
            for (auto it = under_way.rbegin(); it != under_way.rend(); ++it) {
                left.push_back(std::move(it->second));
            }
            under_way.clear();
        }
        while (!left.empty()) {
            const auto tag = connection->submit(left.back());
            if (!tag) break;  // the window is full, or the connection broke: poll() tells
            under_way.emplace(*tag, std::move(left.back()));
            left.pop_back();
        }
        std::vector<published> told;
        const auto done = connection->poll(milliseconds(100), told);
        for (const published& it : told) {
            if (it.ec) left.push_back(under_way.at(it.tag));  // refused: again
            under_way.erase(it.tag);
        }
        if (!done) connection.reset();
    }
}

// Until every reading was seen. Returns how many came more than once.
std::size_t consume(broker& from) {
    consumer_params params;
    params.queue = queue_name;
    params.topics = {"reading.*"};
    std::set<std::string> seen;
    std::size_t repeats = 0;
    std::unique_ptr<consumer> connection;
    while (seen.size() < readings) {
        if (!connection) {
            auto made = from.connect_consumer(params);
            if (!made) {
                std::fprintf(stderr, "%s\n", made.error().message().c_str());
                std::this_thread::sleep_for(std::chrono::seconds(1));
                continue;
            }
            connection = std::move(*made);
        }
        std::vector<delivery> got;
        auto done = connection->receive(50, milliseconds(100), got);
        std::vector<acknowledgement> settled;
        for (const delivery& it : got) {
            if (it.body.payload.empty()) {  // not ours: for people to look at
                settled.push_back({it.tag, disposition::poison, "no reading in it"});
                continue;
            }
            if (!seen.insert(it.body.id).second) ++repeats;
            settled.push_back({it.tag, disposition::ack, {}});
        }
        if (done) done = connection->acknowledge(settled);
        if (!done) connection.reset();
    }
    return repeats;
}

}  // namespace

int main(int argc, char** argv) {
    const auto broker = open(argc > 1 ? argv[1] : "");
    std::thread publishes([&] { publish(*broker); });
    const std::size_t repeats = consume(*broker);
    publishes.join();
    std::printf("%zu readings over %s, %zu of them more than once\n", readings,
                broker->info().name.c_str(), repeats);
    return 0;
}
