// How fast the relay publishes a journal, and the adapter alone, beside rabbitmq-c with nothing
// around it, in the same run: the same quorum queue, messages of the same size, a window of 1,000,
// every message confirmed. The relay finds the journal full, as after an outage of the broker.
//
//   rabbitmq_benchmark [URL [MESSAGES [ROUNDS]]]
//
// Without a URL it starts a RabbitMQ of its own, and exits with 77 where there is none.

#include "../integration/rabbitmq_node.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/engine.hpp>
#include <orderproc/rabbitmq.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/relay.hpp>
#include <orderproc/sqlite.hpp>

#include <amqp.h>
#include <amqp_framing.h>
#include <amqp_tcp_socket.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;

namespace {

constexpr std::size_t window = 1000;
constexpr const char* exchange_name = "benchmark";
constexpr const char* traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

struct settings {
    std::string url;
    std::uint64_t messages = 20'000;
    std::uint64_t rounds = 3;
    message sample;
};

// An SQLite file with so many orders, and nothing of their events published.
class journal final : private observer {
public:
    explicit journal(std::uint64_t entries) : entries_(entries) {
        std::deque<caller> callers;
        {
            const std::lock_guard lock(mutex_);
            for (int i = 0; i < 256; ++i) callers.emplace_back(*this);
        }
        for (caller& it : callers) it.next();
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return idle_ == callers.size(); });
    }
    ~journal() {
        front_.stop();
        std::filesystem::remove_all(folder_);
    }
    journal(const journal&) = delete;
    journal& operator=(const journal&) = delete;

    message first() {
        const auto page = entries_of_.use([](repository_reader& from) {
            return from.read_feed({{}, 1});
        });
        message out;
        out.topic = "order.create";
        out.key = page.value().entries.at(0).after.id.view();
        out.headers = {{"traceparent", traceparent}};
        write_cloud_event(page.value().entries.at(0), out);
        return out;
    }

    // From its beginning to its end.
    void publish(broker& to, const publisher_params& how) {
        relay_options options;
        options.format = write_cloud_event;
        options.cursor = "round " + std::to_string(++rounds_);
        options.window = how.window;
        options.queues = how.queues;
        options.max_publish_lag =
            std::chrono::milliseconds(0);  // as if it had found all of it late
        relay it(front_, entries_of_, to, options);
        it.start().value();
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return published_ == options.cursor; });
    }

private:
    // Creates one order after the other.
    class caller final : public completion {
    public:
        explicit caller(journal& of) : of_(of) {}
        void next() {
            submit_order made;
            made.value.user = "123";
            made.value.item_ids = {1001, 1002, 1003};
            made.value.total_amount = {14999, "USD"};
            if (!of_.take()) return;
            of_.front_.submit({std::move(made), {}, {}, {}, "", traceparent}, *this).value();
        }
        void complete(change_outcome& outcome) noexcept override {
            if (outcome.ec) std::abort();
            next();
        }

    private:
        journal& of_;
    };

    bool take() {
        const std::lock_guard lock(mutex_);
        if (made_ < entries_) return ++made_;
        ++idle_;
        changed_.notify_all();
        return false;
    }
    void feed_measured(const feed_report& it) noexcept override {
        if (!it.leading || it.behind > 0) return;
        const std::lock_guard lock(mutex_);
        published_ = it.cursor;
        changed_.notify_all();
    }
    static std::string new_folder() {
        std::string out = (std::filesystem::temp_directory_path() / "orderproc-XXXXXX").string();
        if (!mkdtemp(out.data())) throw std::runtime_error("no folder");
        return out;
    }

    const std::uint64_t entries_;
    const std::string folder_ = new_folder();
    const std::unique_ptr<storage> orders_ = open_sqlite({folder_ + "/orders.db"}).value();
    engine front_{*orders_, status_machine::standard(), system_runtime(*this)};
    reader entries_of_{*orders_};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint64_t made_ = 0;
    std::size_t idle_ = 0;
    std::string published_;
    std::uint64_t rounds_ = 0;
};

publisher_params params() {
    publisher_params out;
    out.window = window;
    out.queues = {{"benchmark", {"#"}, 10'000}};
    return out;
}

void by_adapter(broker& to, const settings& with) {
    const auto out = to.connect_publisher(params()).value();
    std::vector<published> told;
    std::uint64_t sent = 0;
    std::uint64_t confirmed = 0;
    while (confirmed < with.messages) {
        while (sent < with.messages && out->submit(with.sample)) ++sent;
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

    const message& what = with.sample;
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
    journal orders(with.messages);
    with.sample = orders.first();
    by_adapter(*broker, with);  // declares, and warms up
    std::vector<double> adapters;
    std::vector<double> relays;
    std::printf("%12s %12s %12s\n", "relay/s", "adapter/s", "bare/s");
    for (std::uint64_t i = 0; i < with.rounds; ++i) {
        const double relay = rate(with, [&] { orders.publish(*broker, params()); });
        const double adapter = rate(with, [&] { by_adapter(*broker, with); });
        const double rabbitmq_c = rate(with, [&] { bare(port, with); });
        relays.push_back(relay / rabbitmq_c);
        adapters.push_back(adapter / rabbitmq_c);
        std::printf("%12.0f %12.0f %12.0f\n", relay, adapter, rabbitmq_c);
        std::fflush(stdout);
    }
    std::printf("beside bare, median: relay %.2f, adapter %.2f; %zu bytes each\n", median(relays),
                median(adapters), with.sample.payload.size());
    return 0;
}
