#include "queue/rabbitmq/consumer.hpp"
#include "queue/rabbitmq/publisher.hpp"
#include "queue/rabbitmq/url.hpp"

#include <orderproc/rabbitmq.hpp>

#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using namespace detail::rabbitmq;

constexpr std::size_t name_max = 255;
constexpr std::size_t prefetch_max = 65535;
constexpr std::size_t poison_window = 100;

class rabbitmq_broker final : public broker {
public:
    rabbitmq_broker(address where, rabbitmq_options with)
        : where_(std::move(where)), with_(std::move(with)) {}

    broker_info info() const override { return {show(where_)}; }
    result<std::unique_ptr<publisher>> connect_publisher(const publisher_params& params) override;
    result<std::unique_ptr<consumer>> connect_consumer(const consumer_params& params) override;

private:
    result<std::unique_ptr<connection>> connect(const std::vector<queue_declaration>& queues) const;
    result<std::unique_ptr<publisher>> connect_poison(const std::string& queue) const;

    const address where_;
    const rabbitmq_options with_;
};

bool is_name(const std::string& it) {
    return !it.empty() && it.size() <= name_max;
}

result<std::unique_ptr<connection>> rabbitmq_broker::connect(
    const std::vector<queue_declaration>& queues) const {
    for (const queue_declaration& it : queues) {
        if (!is_name(it.name)) return failure(errc::invalid_argument, "name of a queue");
        for (const std::string& topic : it.topics) {
            if (topic.size() > name_max) return failure(errc::invalid_argument, "topic of a queue");
        }
    }
    auto made = connection::open(where_, with_);
    if (!made) return made;
    auto done = (*made)->declare_exchange(with_.exchange);
    for (const queue_declaration& it : queues) {
        if (done) done = (*made)->declare_queue(it, with_.exchange);
    }
    if (!done) return std::move(done).error();
    return made;
}

result<std::unique_ptr<publisher>> rabbitmq_broker::connect_publisher(
    const publisher_params& params) {
    if (params.window == 0) return failure(errc::invalid_argument, "window");
    auto made = connect(params.queues);
    if (!made) return std::move(made).error();
    if (auto done = (*made)->select_confirms(); !done) return std::move(done).error();
    return std::make_unique<confirmed_publisher>(std::move(*made), with_.exchange, params.window);
}

result<std::unique_ptr<publisher>> rabbitmq_broker::connect_poison(const std::string& queue) const {
    auto made = connect({{queue, {}, 0}});
    if (!made) return std::move(made).error();
    if (auto done = (*made)->select_confirms(); !done) return std::move(done).error();
    return std::make_unique<confirmed_publisher>(std::move(*made), std::string(), poison_window,
                                                 poison_headers_max);
}

result<std::unique_ptr<consumer>> rabbitmq_broker::connect_consumer(const consumer_params& params) {
    if (params.prefetch == 0 || params.prefetch > prefetch_max) {
        return failure(errc::invalid_argument, "prefetch");
    }
    if (params.receive_bytes_max == 0) {
        return failure(errc::invalid_argument, "receive_bytes_max");
    }
    std::vector<queue_declaration> queues{{params.queue, params.topics, params.length_max}};
    if (params.poison_queue != params.queue) queues.push_back({params.poison_queue, {}, 0});
    auto made = connect(queues);
    if (!made) return std::move(made).error();
    auto done = (*made)->consume(params.queue, static_cast<std::uint16_t>(params.prefetch));
    if (!done) return std::move(done).error();
    return std::make_unique<acknowledging_consumer>(
        std::move(*made), params, with_.timeout,
        [this, queue = params.poison_queue] { return connect_poison(queue); });
}

}  // namespace

result<std::unique_ptr<broker>> open_rabbitmq(rabbitmq_options options) {
    auto where = parse_url(options.url);
    options.url.clear();
    if (!where) return std::move(where).error();
    if (!is_name(options.exchange)) return failure(errc::invalid_argument, "exchange");
    if (options.heartbeat < std::chrono::seconds(1) ||
        options.heartbeat > std::chrono::seconds(1000)) {
        return failure(errc::invalid_argument, "heartbeat");
    }
    if (options.timeout < milliseconds(1) || options.timeout > std::chrono::hours(1)) {
        return failure(errc::invalid_argument, "timeout");
    }
    return std::make_unique<rabbitmq_broker>(std::move(*where), std::move(options));
}

}  // namespace v1
}  // namespace orderproc
