#ifndef ORDERPROC_TESTING_BROKER_KIT_HPP
#define ORDERPROC_TESTING_BROKER_KIT_HPP

// What the broker cases are written with.

#include "testing/kit.hpp"

#include <orderproc/testing/broker_cases.hpp>

#include <chrono>
#include <cstddef>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

std::vector<std::string> ids_of(const std::vector<delivery>& deliveries);
void expect_same(std::string_view what, const message& expected, const message& found);

inline void succeed(std::string_view what, const result<void>& outcome) {
    if (!outcome) fail(std::string(what) + " failed: " + outcome.error().message());
}

// What a publisher said of each message: its tag once, or nothing yet.
using reports = std::map<publish_tag, error_code>;

// One case's broker. Names of queues and topics are the case's own.
class broker_bench {
public:
    broker_bench(broker_harness& harness, std::string_view case_name);

    broker_harness& harness() { return harness_; }
    broker& at() { return *broker_; }
    std::string name(std::string_view of) const { return base_ + "." + std::string(of); }

    std::unique_ptr<publisher> connect_publisher(std::size_t window = 1000,
                                                 std::vector<queue_declaration> queues = {});
    // queue and topics without the case's part.
    consumer_params params(std::string_view queue, std::vector<std::string> topics,
                           std::size_t prefetch = 256) const;
    std::unique_ptr<consumer> connect_consumer(const consumer_params& params);

    // id n of a few keys; topic without the case's part.
    message sample(std::string_view topic, std::size_t n) const;
    std::vector<message> samples(std::string_view topic, std::size_t count) const;

    // Submits all, polling when it has to; those that were not reported before count as well.
    void submit(publisher& to, const std::vector<message>& what, reports& out,
                std::vector<publish_tag>& tags);
    // Until so many are reported, each once.
    void poll_until(publisher& from, std::size_t count, reports& out);
    // Submits and waits for the reports, which must be good.
    void publish(publisher& to, const std::vector<message>& what);

    // Exactly so many, waiting for them.
    std::vector<delivery> take(consumer& from, std::size_t count);
    void acknowledge(consumer& at, const std::vector<delivery>& what,
                     disposition how = disposition::ack, std::string reason = {});
    // What comes next is a message sent now: nothing was left before it. Acknowledges it.
    void expect_no_more(consumer& from, publisher& by, std::string_view topic);
    // Until the connection says that it is lost.
    void expect_lost(publisher& it, reports& out);
    void expect_lost(consumer& it);

private:
    bool in_time(std::chrono::steady_clock::time_point since) const;

    broker_harness& harness_;
    std::string base_;
    std::unique_ptr<broker> broker_;
};

// A case as its file writes it down.
struct broker_entry {
    const char* name;
    const char* promise;
    void (*body)(broker_bench& b);
};
void run(const broker_entry& what, broker_harness& harness);

template <const auto& Entries>
std::vector<broker_case> broker_cases_of() {
    return []<std::size_t... I>(std::index_sequence<I...>) {
        return std::vector<broker_case>{
            {Entries[I].name, Entries[I].promise,
             [](broker_harness& harness) { run(Entries[I], harness); }}...};
    }
    (std::make_index_sequence<std::size(Entries)>{});
}

std::vector<broker_case> publishing_cases();
std::vector<broker_case> consuming_cases();
std::vector<broker_case> connection_cases();

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc

#endif
