// A service that follows orders: it keeps the latest status of each, from events that may come
// twice or, after a repeat, out of order. An event whose version is not above the last one seen of
// its order is ignored, and that is all it takes.
//
//   12_order_events amqp://…     follows a server that runs with --broker amqp://…
//   12_order_events              makes some events itself, in this process, repeats among them

#include <orderproc/cloud_event.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/queue.hpp>
#ifdef EXAMPLE_WITH_RABBITMQ
#include <orderproc/rabbitmq.hpp>
#endif

#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

using namespace orderproc;
namespace json = boost::json;

namespace {

struct followed {
    std::int64_t version = 0;
    std::string status;
};

class follower {
public:
    // Why it is of no use; nothing if it is.
    std::string take(const message& what) {
        if (what.content_type != cloud_event_media_type) return "not a CloudEvent";
        boost::system::error_code ec;
        const json::value event = json::parse(what.payload, ec);
        if (ec || !event.is_object() || !event.as_object().contains("data")) return "malformed";
        const json::value& data = event.at("data");
        const auto* const id =
            data.is_object() ? data.as_object().if_contains("order_id") : nullptr;
        const auto* const version =
            data.is_object() ? data.as_object().if_contains("version") : nullptr;
        if (!id || !id->is_string() || !version || !version->is_int64()) return "not of an order";
        const json::value* const to = data.as_object().if_contains("to");

        followed& it = orders[std::string(id->as_string())];
        if (version->as_int64() <= it.version) {
            ++ignored;
            return {};
        }
        it.version = version->as_int64();
        it.status = to && to->is_string() ? std::string(to->as_string()) : "(deleted)";
        std::printf("%s is %s\n", id->as_string().c_str(), it.status.c_str());
        return {};
    }

    std::map<std::string, followed> orders;
    std::size_t ignored = 0;
};

// A queue of this service's own: what happens while it is away waits there.
consumer_params own_queue() {
    consumer_params out;
    out.queue = "example-12";
    out.topics = {"order.*"};
    out.poison_queue = "example-12-poison";
    return out;
}

// Stops after so many events.
void follow(broker& from, follower& to, std::size_t events) {
    std::unique_ptr<consumer> connection;
    while (events > 0) {
        if (!connection) {
            auto made = from.connect_consumer(own_queue());
            if (!made) {
                std::fprintf(stderr, "%s\n", made.error().message().c_str());
                std::this_thread::sleep_for(std::chrono::seconds(1));
                continue;
            }
            connection = std::move(*made);
        }
        std::vector<delivery> got;
        auto done = connection->receive(events, std::chrono::milliseconds(500), got);
        std::vector<acknowledgement> settled;
        for (const delivery& it : got) {
            std::string useless = to.take(it.body);
            const auto how = useless.empty() ? disposition::ack : disposition::poison;
            settled.push_back({it.tag, how, std::move(useless)});
        }
        events -= got.size();
        if (done) done = connection->acknowledge(settled);
        if (!done) connection.reset();
    }
}

message event_of(const char* id, const char* event, order_status to, std::uint64_t version) {
    journal_entry entry;
    entry.position = {1, version};
    entry.event = event;
    entry.version = order_version{version};
    entry.after.id = order_id::parse(id).value();
    entry.after.status = to;
    entry.after.total_amount = {100, "USD"};
    message out;
    out.id = to_string(entry.position);
    out.topic = "order." + entry.event;
    out.key = id;
    out.content_type = cloud_event_media_type;
    append_cloud_event(entry, out.payload);
    return out;
}

}  // namespace

int main(int argc, char** argv) {
    follower all;
#ifdef EXAMPLE_WITH_RABBITMQ
    if (argc > 1 && std::string(argv[1]).starts_with("amqp")) {
        rabbitmq_options options;
        options.url = argv[1];
        const auto broker = open_rabbitmq(options).value();
        follow(*broker, all, argc > 2 ? std::stoul(argv[2]) : static_cast<std::size_t>(-1));
        return 0;
    }
#endif
    const auto broker = make_memory_broker();
    publisher_params params;
    params.queues = {{own_queue().queue, own_queue().topics}};  // or nobody would get them
    const auto out = broker->connect_publisher(params).value();
    message foreign;
    foreign.topic = "order.create";
    foreign.payload = "hello";
    const message created = event_of("ORD-1", "create", order_status("PENDING"), 1);
    const message cancelled = event_of("ORD-1", "cancel", order_status("CANCELLED"), 2);
    for (const message& it : {created, cancelled, created, foreign, cancelled}) {
        out->submit(it).value();
    }
    follow(*broker, all, 5);
    std::printf("%zu repeats ignored\n", all.ignored);
    return all.orders.at("ORD-1").status == "CANCELLED" && all.ignored == 2 ? 0 : 1;
}
