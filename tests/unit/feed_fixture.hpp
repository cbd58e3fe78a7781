#ifndef ORDERPROC_TESTS_UNIT_FEED_FIXTURE_HPP
#define ORDERPROC_TESTS_UNIT_FEED_FIXTURE_HPP

// A live feed over orders in memory, run by hand, and subscribers that say what they got.

#include <orderproc/feed.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/fault_storage.hpp>
#include <orderproc/testing/manual_clock.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::tests {

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

// "create A-1, reset 1-0": what happened, to whom, and the parts that are no entries.
inline void append_words(const feed_part& it, std::string& out) {
    const auto word = [&out](std::string_view what, std::string_view whom) {
        if (!out.empty()) out += ", ";
        out.append(what).append(1, ' ').append(whom);
    };
    if (it.is == feed_part::kind::start) word("start", to_string(it.position));
    if (it.is == feed_part::kind::reset) word("reset", to_string(it.position));
    for (const journal_entry& entry : it.entries) word(entry.event, entry.after.id.view());
}

class subscriber final : public feed_listener {
public:
    void subscribe(live_feed& to, feed_request what) {
        subscription = to.subscribe(std::move(what), *this).value();
    }
    void ready() noexcept override {
        ++calls;
        if (then) then();
    }

    // All that waits.
    std::vector<feed_part> take(std::size_t bytes_max = no_limit) {
        std::vector<feed_part> out;
        state = subscription->take(out, bytes_max, no_limit);
        if (!out.empty()) at = out.back().position;
        return out;
    }
    std::string words() {
        std::string out;
        for (const feed_part& it : take()) append_words(it, out);
        return out;
    }

    int calls = 0;
    std::function<void()> then;
    feed_state state = feed_state::open;
    feed_position at;  // of the last part taken
    std::unique_ptr<feed_subscription> subscription;
};

struct counting_errors final : observer {
    void error(std::string_view where, const failure&) noexcept override {
        if (where == "live_feed") ++count;
    }
    int count = 0;
};

struct feed_place {
    static engine_options engine_by_hand() {
        engine_options out;
        out.threads = 0;
        return out;
    }
    static live_feed_options by_hand() {
        live_feed_options out;
        out.threads = 0;
        out.page_size = 4;
        out.step_size = 3;
        return out;
    }
    void create(std::string_view id, std::int64_t user = 1) {
        BOOST_REQUIRE(!orders.execute(testing::order_builder{}.id(id).user(user).submit()).ec);
    }
    void raise(std::string_view id, std::string_view event) {
        BOOST_REQUIRE(!orders.execute(testing::raise(id, event)).ec);
    }
    // Whatever is settled, though keys might still ask for it.
    void purge() {
        struct : purge_completion {
            void complete(const purge_outcome& it) noexcept override { ec = it.ec; }
            error_code ec;
        } done;
        time.advance(std::chrono::hours(73));
        BOOST_REQUIRE(orders.submit(purge_orders{timestamp::max()}, done).has_value());
        BOOST_REQUIRE(orders.run_once().has_value());
        BOOST_REQUIRE(!done.ec);
    }
    void erase(std::string_view id) { BOOST_REQUIRE(!orders.execute(testing::erase(id)).ec); }
    feed_position newest() {
        feed_params params;
        params.limit = 0;
        return direct.use([&](repository_reader& from) { return from.read_feed(params); })
            .value()
            .newest;
    }
    static void run(live_feed& feed) {
        while (feed.run_once()) {
        }
    }

    testing::manual_clock time;
    testing::seeded_random random;
    counting_errors errors;
    std::unique_ptr<storage> inner = make_memory_storage();
    testing::fault_storage store{*inner};
    engine orders{store, status_machine::standard(), {time, random, errors}, engine_by_hand()};
    reader direct{*inner};  // for what a test looks up itself
    reader feed_reads{store, 1};
};

}  // namespace orderproc::tests

#endif
