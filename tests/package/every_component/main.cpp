// A stranger's program that needs all there is: an order through Boost.Asio, the live feed, the
// conformance kit over an adapter, and metrics where they are to be had.

#include <orderproc/asio.hpp>
#include <orderproc/feed.hpp>
#include <orderproc/json.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/sqlite.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/testing/storage_cases.hpp>
#ifdef SHOP_HAS_METRICS
#include <orderproc/prometheus.hpp>

#include <prometheus/registry.h>
#endif

#include <boost/asio/use_future.hpp>

#include <cstdio>
#include <memory>
#include <vector>

using namespace orderproc;

namespace {

class harness final : public testing::storage_harness {
public:
    std::unique_ptr<storage> open() override { return make_memory_storage(); }
};

class nobody_waits final : public feed_listener {
public:
    void ready() noexcept override {}
};

// As a test framework would run them.
int failed_cases() {
    int failed = 0;
    for (const testing::storage_case& it : testing::storage_cases().first(10)) {
        harness with;
        try {
            it.run(with);
        } catch (const testing::case_skipped&) {
        } catch (const testing::case_failed& why) {
            std::fprintf(stderr, "%s: %s\n", it.name.c_str(), why.what());
            ++failed;
        }
    }
    return failed;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2 || failed_cases() > 0) return 1;
    const auto orders = open_sqlite({.path = argv[1]}).value();
    testing::manual_clock time;
    testing::seeded_random random;
    observer nobody;
    observer* watch = &nobody;
#ifdef SHOP_HAS_METRICS
    prometheus::Registry registry;
    prometheus_observer metrics(registry, status_machine::standard());
    watch = &metrics;
#endif
    engine writes(*orders, status_machine::standard(), {time, random, *watch});

    reader reads(*orders, 1);
    live_feed feed(writes, reads, {.threads = 0});
    nobody_waits listener;
    const auto events = feed.subscribe({.after = feed_position{}}, listener).value();

    submit_order submit;
    submit.value.user = "123";
    submit.value.item_ids = {1001};
    submit.value.total_amount = {100, "USD"};
    const change_outcome made =
        async_submit(writes, {.what = std::move(submit)}, boost::asio::use_future).get();
    if (made.ec) return std::fprintf(stderr, "%s\n", made.ec.message().c_str()), 1;
    std::printf("%s\n", to_json(*made.after).c_str());
    while (feed.run_once()) {
    }
    std::vector<feed_part> parts;
    (void)events->take(parts, 1 << 20, 10);
    if (parts.empty() || parts.back().entries.back().event != "create") return 1;
#ifdef SHOP_HAS_METRICS
    if (registry.Collect().empty()) return 1;
#endif
    return 0;
}
