// How fast the adapter publishes, beside rabbitmq-c with nothing around it, in the same run: the
// same quorum queue, equal messages, a window of 1,000, every message confirmed.
//
//   rabbitmq_benchmark [URL [MESSAGES [ROUNDS [PAYLOAD_BYTES]]]]
//
// Without a URL it starts a RabbitMQ of its own, and exits with 77 where there is none.

#include "../integration/rabbitmq_node.hpp"

#include <orderproc/rabbitmq.hpp>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;

namespace {

constexpr std::size_t window = 1000;
constexpr const char* exchange_name = "benchmark";
constexpr const char* topic = "benchmark.message";

struct settings {
    std::string url;
    std::uint64_t messages = 20'000;
    std::uint64_t rounds = 3;
    std::size_t payload = 600;
};

message sample(const settings& with) {
    message out;
    out.id = "1-123456";
    out.topic = topic;
    out.key = "ORD-A8F64D2E";
    out.content_type = "application/cloudevents+json";
    out.headers = {{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
    out.payload = std::string(with.payload, 'x');
    return out;
}

publisher_params params() {
    publisher_params out;
    out.window = window;
    out.queues = {{"benchmark", {"#"}, 10'000}};
    return out;
}

void by_adapter(broker& to, const settings& with) {
    const auto out = to.connect_publisher(params()).value();
    const message what = sample(with);
    std::vector<published> told;
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    while (confirmed < with.messages) {
        while (sent < with.messages && out->submit(what)) ++sent;
        told.clear();
        out->poll(std::chrono::seconds(1), told).value();
        for (const published& it : told) {
            if (it.ec) throw std::runtime_error("refused");
        }
        confirmed += told.size();
    }
}

void check(bool ok) {
    if (!ok) throw std::runtime_error("rabbitmq-c failed");
}

amqp_bytes_t bytes(const std::string& of) {
    return {of.size(), const_cast<char*>(of.data())};
}

// The loop that one writes by hand: publish while the window has room, else wait for an ack.
void bare(std::uint16_t port, const settings& with) {
    const std::unique_ptr<amqp_connection_state_t_, decltype(&amqp_destroy_connection)> owner(
        amqp_new_connection(), &amqp_destroy_connection);
    amqp_connection_state_t state = owner.get();
    amqp_socket_t* socket = amqp_tcp_socket_new(state);
    check(amqp_socket_open(socket, "127.0.0.1", port) == AMQP_STATUS_OK);
    check(amqp_login(state, "/", 0, 131072, 15, AMQP_SASL_METHOD_PLAIN, "guest", "guest")
              .reply_type == AMQP_RESPONSE_NORMAL);
    check(amqp_channel_open(state, 1) != nullptr && amqp_confirm_select(state, 1) != nullptr);

    const message what = sample(with);
    amqp_table_entry_t header{};
    header.key = bytes(what.headers[0].first);
    header.value.kind = AMQP_FIELD_KIND_UTF8;
    header.value.value.bytes = bytes(what.headers[0].second);
    amqp_basic_properties_t properties{};
    properties._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                        AMQP_BASIC_CORRELATION_ID_FLAG | AMQP_BASIC_MESSAGE_ID_FLAG |
                        AMQP_BASIC_HEADERS_FLAG;
    properties.content_type = bytes(what.content_type);
    properties.delivery_mode = 2;
    properties.correlation_id = bytes(what.key);
    properties.message_id = bytes(what.id);
    properties.headers = {1, &header};
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    while (confirmed < with.messages) {
        while (sent < with.messages && sent - confirmed < window) {
            check(amqp_basic_publish(state, 1, amqp_cstring_bytes(exchange_name), bytes(what.topic),
                                     0, 0, &properties, bytes(what.payload)) == AMQP_STATUS_OK);
            ++sent;
        }
        amqp_frame_t frame;
        check(amqp_simple_wait_frame(state, &frame) == AMQP_STATUS_OK);
        check(frame.payload.method.id == AMQP_BASIC_ACK_METHOD);
        const auto* const ack = static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
        confirmed = ack->multiple ? ack->delivery_tag : confirmed + 1;
        amqp_maybe_release_buffers(state);
    }
    amqp_connection_close(state, 200);
}

template <class Run>
double rate(const settings& with, Run run) {
    const auto begun = std::chrono::steady_clock::now();
    run();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    return static_cast<double>(with.messages) / took.count();
}

double median(std::vector<double> of) {
    std::sort(of.begin(), of.end());
    return of[of.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    settings with;
    if (argc > 1) with.url = argv[1];
    if (argc > 2) with.messages = std::strtoull(argv[2], nullptr, 10);
    if (argc > 3) with.rounds = std::strtoull(argv[3], nullptr, 10);
    if (argc > 4) with.payload = std::strtoull(argv[4], nullptr, 10);
    if (with.messages == 0 || with.rounds == 0) return 2;
    std::optional<rabbitmq_node> node;
    if (with.url.empty()) with.url = node.emplace().url();
    const std::size_t colon = with.url.rfind(':');
    const auto port =
        static_cast<std::uint16_t>(std::strtoul(with.url.c_str() + colon + 1, nullptr, 10));

    rabbitmq_options options;
    options.url = with.url;
    options.exchange = exchange_name;
    const auto broker = open_rabbitmq(options).value();
    by_adapter(*broker, with);  // declares, and warms up
    std::vector<double> ratios;
    std::printf("%12s %12s %8s\n", "adapter/s", "bare/s", "ratio");
    for (std::uint64_t i = 0; i < with.rounds; ++i) {
        const double ours = rate(with, [&] { by_adapter(*broker, with); });
        const double theirs = rate(with, [&] { bare(port, with); });
        ratios.push_back(ours / theirs);
        std::printf("%12.0f %12.0f %8.2f\n", ours, theirs, ratios.back());
        std::fflush(stdout);
    }
    std::printf("median of the ratios: %.2f\n", median(ratios));
    return 0;
}
