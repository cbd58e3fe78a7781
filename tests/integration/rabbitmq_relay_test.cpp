// The relay and a real RabbitMQ: entries that cannot be published stop nobody.

#include "rabbitmq_node.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/rabbitmq.hpp>
#include <orderproc/relay.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

using texts = std::vector<std::string>;

class reports final : public observer {
public:
    void entry_given_up(const given_up_report& it) noexcept override {
        const std::lock_guard lock(mutex_);
        given_up_.push_back(std::string(it.order) + " " + std::string(name_of(it.action)));
    }
    texts given_up() {
        const std::lock_guard lock(mutex_);
        return given_up_;
    }

private:
    std::mutex mutex_;
    texts given_up_;
};

struct shop {
    shop() {
        rabbitmq_options options;
        options.url = node.url();
        options.timeout = seconds(60);
        post = open_rabbitmq(std::move(options)).value();
    }
    void create(const std::string& id) {
        order_draft it;
        it.id = order_id::parse(id).value();
        it.user = "1";
        it.item_ids = {7};
        it.total_amount = {100, "USD"};
        BOOST_REQUIRE(!front.execute({submit_order{std::move(it)}, {}, {}, {}, "", ""}).ec);
    }
    std::unique_ptr<consumer> subscribe(const std::string& queue, const std::string& topic) {
        consumer_params params;
        params.queue = queue;
        if (!topic.empty()) params.topics = {topic};
        params.poison_queue = "orderproc.poison";
        return post->connect_consumer(params).value();
    }
    // Waits until count messages have come, for as long as it may take a busy machine.
    std::vector<delivery> take(consumer& from, std::size_t count) {
        std::vector<delivery> out;
        const auto give_up = std::chrono::steady_clock::now() + minutes(5);
        while (out.size() < count) {
            BOOST_REQUIRE(std::chrono::steady_clock::now() < give_up);
            from.receive(count - out.size(), milliseconds(100), out).value();
        }
        return out;
    }
    static texts keys_of(const std::vector<delivery>& all) {
        texts out;
        for (const delivery& it : all) out.push_back(it.body.key);
        return out;
    }

    rabbitmq_node node;
    std::unique_ptr<broker> post;
    reports watch;
    std::unique_ptr<storage> orders = make_memory_storage();
    engine front{*orders, status_machine::standard(), system_runtime(watch)};
    reader journal{*orders};
};

const std::string& header_of(const message& it, std::string_view name) {
    const auto found = std::find_if(it.headers.begin(), it.headers.end(),
                                    [&](const auto& one) { return one.first == name; });
    if (found == it.headers.end()) throw std::runtime_error("no such header");
    return found->second;
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(what_cannot_be_published_is_in_the_poison_queue, shop) {
    const auto events = subscribe("events", "order.#");
    relay_options options;
    options.format = [](const journal_entry& entry, message& to) {
        const auto id = entry.after.id.view();
        if (id == "UNFIT") throw std::runtime_error("no such field");
        write_cloud_event(entry, to);
        // More than AMQP's frames hold.
        if (id == "LONG") to.headers.emplace_back("x-long", std::string(200'000, 'x'));
    };
    relay it(front, journal, *post, options);
    BOOST_REQUIRE(it.start());
    for (const char* id : {"A", "UNFIT", "B", "LONG", "C"}) create(id);
    BOOST_TEST(keys_of(take(*events, 3)) == (texts{"A", "B", "C"}),
               boost::test_tools::per_element());
    const auto aside = subscribe("orderproc.poison", "");
    const auto found = take(*aside, 2);
    BOOST_TEST(keys_of(found) == (texts{"UNFIT", "LONG"}), boost::test_tools::per_element());
    BOOST_TEST(found[0].body.id == "1-2");
    BOOST_TEST(header_of(found[0].body, poison_topic_header) == "order.create");
    BOOST_TEST(header_of(found[0].body, poison_reason_header).find("no such field") !=
               std::string::npos);
    it.stop(seconds(60));
    BOOST_TEST(watch.given_up() == (texts{"UNFIT park", "LONG park"}),
               boost::test_tools::per_element());
}

// A queue that is full and says so refuses what the exchange routes to it.
BOOST_FIXTURE_TEST_CASE(what_a_full_queue_refuses_stops_nobody_for_good, shop) {
    node.tell(
        "ctl set_policy full ^full$ '{\"max-length\":1,\"overflow\":\"reject-publish\"}' "
        "--apply-to queues");
    const auto others = subscribe("others", "order.cancel");
    {
        // Until it refuses: quorum queues are not exact about their length.
        publisher_params params;
        params.queues = {{"full", {"order.create"}}};
        const auto filler = post->connect_publisher(params).value();
        message it;
        it.topic = "order.create";
        std::vector<published> told;
        const auto give_up = std::chrono::steady_clock::now() + minutes(5);
        while (told.empty() || !told.back().ec) {
            BOOST_REQUIRE(std::chrono::steady_clock::now() < give_up);
            (void)filler->submit(it).value();
            filler->poll(seconds(1), told).value();
        }
    }
    relay_options options;
    options.format = write_cloud_event;
    options.refused_for = milliseconds(0);
    relay it(front, journal, *post, options);
    BOOST_REQUIRE(it.start());
    create("A");
    BOOST_REQUIRE(!front.execute({raise_event{"A", "cancel", ""}, {}, {}, {}, "client", ""}).ec);
    BOOST_TEST(take(*others, 1).front().body.key == "A");
    const auto aside = subscribe("orderproc.poison", "");
    const auto found = take(*aside, 1);
    BOOST_TEST(found.front().body.id == "1-1");
    BOOST_TEST(found.front().body.content_type == cloud_event_media_type);
    BOOST_TEST(found.front().body.payload.find(R"("id":"1-1")") != std::string::npos);
    it.stop(seconds(60));
    BOOST_TEST(watch.given_up() == (texts{"A park"}), boost::test_tools::per_element());
}
