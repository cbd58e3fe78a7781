// Memory runs out at each allocation of a sender: every event still gets through, in order per
// order, and nothing is stuck.

#include "failing_allocator.hpp"

#include <orderproc/engine.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/manual_clock.hpp>
#include <orderproc/webhooks.hpp>

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

using namespace orderproc;
using namespace shop_test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t versions_max = 4;

// Takes no memory of its own. The first attempt of each event of order B is refused.
class forgetful_receiver final : public webhook_client {
public:
    void deliver(webhook_request what, std::stop_token,
                 std::function<void(webhook_response)> done) override {
        const char order = what.body[what.body.find(R"("subject":")") + 11];
        constexpr std::string_view mark = R"("version":)";
        std::size_t version = 0;
        const char* const at = what.body.data() + what.body.find(mark) + mark.size();
        std::from_chars(at, what.body.data() + what.body.size(), version);
        auto& seen = came.at(static_cast<std::size_t>(order - 'A'));
        const bool refused = order == 'B' && tried.at(version)++ == 0;
        if (!refused && version == seen + 1) seen = version;
        if (!refused && version > seen) in_order = false;
        done({refused ? 500U : 204U});
    }
    std::array<std::size_t, 2> came{};  // up to which version, of A and of B
    std::array<int, versions_max> tried{};
    bool in_order = true;
};

class silent_observer final : public observer {
public:
    void error(std::string_view, const failure&) noexcept override {}
};

struct small_room {
    small_room() {
        options.threads = 0;
        options.owner = "a";
        options.keys = webhook_keys::none();
        options.retries = {10ms, 10ms, 10ms, 10ms, 10ms};
        sender.emplace(front, reads, post, options);
        BOOST_REQUIRE(sender->start());
        endpoint = make();
        for (int i = 0; i < 10; ++i) turn();
    }
    std::string make() {
        auto made = reads.use([&](repository_reader& from) {
            return create_webhook(from, {{"https://example.test/"}, {}, {}, "test", time.now()},
                                  options.keys);
        });
        write_records(front, made->records, [](const result<void>&) {});
        (void)front.run_once();
        sender->look_again();
        return made->endpoint.id;
    }
    void turn() {
        (void)front.run_once();
        (void)sender->run_once();
        time.advance(20ms);
    }
    std::size_t parked() {
        return reads
            .use([](repository_reader& from) {
                return from.list_records({"webhook_parked", {}, {}, 10});
            })
            .value()
            .records.size();
    }
    std::uint64_t stands() {
        return reads
            .use([&](repository_reader& from) { return from.find_cursor("webhook." + endpoint); })
            .value()
            .value_or(feed_position{})
            .offset;
    }

    testing::manual_clock time;
    testing::seeded_random random;
    silent_observer watch;
    std::unique_ptr<storage> orders = make_memory_storage();
    engine_options by_hand{.threads = 0, .resolve_attempts = 3};
    engine front{*orders, status_machine::standard(), {time, random, watch}, by_hand};
    reader reads{*orders};
    forgetful_receiver post;
    webhook_sender_options options;
    std::optional<webhook_sender> sender;
    std::string endpoint;
};

}  // namespace

BOOST_AUTO_TEST_CASE(webhooks_lose_nothing_when_memory_runs_out) {
    at_each_allocation([](std::size_t after, std::size_t for_so_many) {
        small_room it;
        for (const char* id : {"A", "B"}) {
            BOOST_REQUIRE(!it.front.execute(testing::order_builder{}.id(id).submit()).ec);
        }
        BOOST_REQUIRE(!it.front.execute({raise_event{"B", "cancel", ""}, {}, {}, {}, "x", ""}).ec);
        memory_runs_out now(after, for_so_many);
        for (int i = 0; i < 12; ++i) it.turn();
        const bool happened = now.end();
        for (int i = 0; i < 400; ++i) it.turn();
        BOOST_TEST_CONTEXT("allocation " << after << ", " << for_so_many << " times") {
            BOOST_TEST(it.post.came[0] == 1U);
            BOOST_TEST(it.post.came[1] == 2U);
            BOOST_TEST(it.post.in_order);
            BOOST_TEST(it.parked() == 0U);
            BOOST_TEST(it.stands() == 3U);
        }
        return happened;
    });
}
