// Server-sent events: the text of the live feed, without sockets or threads.

#include "api/event_stream.hpp"
#include "api_fixture.hpp"

#include <orderproc/cloud_event.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

using state = http::body_source::state;

// What a connection does, by hand.
class connection final : public http::stream_exchange {
public:
    connection(live_feed& feed, feed_request what, std::optional<feed_position> from)
        : source_(feed, std::move(what), from, auth::anonymous()) {
        source_.start(*this);
    }
    void wake() noexcept override { ++wakes; }
    std::string take(std::size_t most_pieces = 60) {
        std::vector<http::piece> got;
        std::string out;
        now = source_.take(got, 1 << 16, most_pieces);
        for (const http::piece& it : got) out += it.bytes;
        pieces = got.size();
        return out;
    }

    int wakes = 0;
    std::size_t pieces = 0;
    state now = state::open;

private:
    event_stream source_;
};

struct fixture : api_fixture {
    static live_feed_options feed_by_hand() {
        live_feed_options out = event_feed("/shop");
        out.threads = 0;
        return out;
    }
    void run() {
        while (feed.run_once()) {
        }
    }

    reader feed_reads{store, 1};
    live_feed feed{orders, feed_reads, feed_by_hand()};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(event_feed_text, fixture)

BOOST_AUTO_TEST_CASE(a_stream_from_now_on_says_where_it_begins) {
    create("A-1");
    const feed_position end{1, 1};
    connection all(feed, {{}, end, false}, end);
    BOOST_TEST(all.take() == "retry: 3000\nid: 1-1\n\n");
    run();
    create("A-2");
    create("A-3");
    run();
    BOOST_TEST(all.wakes == 1);
    const std::string text = all.take();
    BOOST_TEST(
        text.starts_with("id: 1-2\ndata: {\"specversion\":\"1.0\",\"id\":\"1-2\","
                         "\"source\":\"/shop\","));
    BOOST_TEST(text.find("}}\n\nid: 1-3\ndata: {") != text.npos);
    BOOST_TEST(text.ends_with("}}\n\n"));
    BOOST_TEST(text.find("event: ") == text.npos);
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2 * 3);
    BOOST_TEST(all.pieces == 1U);  // one text of the page
    BOOST_TEST((all.now == state::open));
}

BOOST_AUTO_TEST_CASE(an_event_is_one_line_whatever_was_sent) {
    connection all(feed, {{}, feed_position{}, false}, std::nullopt);
    ask("POST", "/orders",
        "{\"order_id\":\"A-1\",\"user_id\":1,\"item_ids\":[1],\"total_amount\":1,\n"
        "\"metadata\":{\r\n \"note\":\"a\\nb\",\n\n\"id\": \"7\"}}");
    run();
    const std::string text = all.take();
    BOOST_TEST(text.starts_with("retry: 3000\n\nid: 1-1\n"));
    BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2 + 3);
    BOOST_TEST(std::count(text.begin(), text.end(), '\r') == 0);
}

BOOST_AUTO_TEST_CASE(a_reset_is_an_event_of_its_own) {
    create("A-1");
    connection lost(feed, {{}, feed_position{7, 3}, false}, std::nullopt);
    run();
    BOOST_TEST(lost.take(1) == "retry: 3000\n\n");
    BOOST_TEST(lost.take().starts_with(
        "event: reset\nid: 1-0\ndata: {\"position\":\"1-0\"}\n\nid: 1-1\ndata: {"));
}

BOOST_AUTO_TEST_CASE(a_stream_ends_as_its_subscription_does) {
    create("A-1");
    raise("A-1", "cancel");
    connection one(feed, {{.orders = {order_id::parse("A-1").value()}}, feed_position{}, true},
                   std::nullopt);
    run();
    BOOST_TEST(one.take().find("\"event\":\"cancel\"") != std::string::npos);
    BOOST_TEST((one.now == state::ended));
    live_feed_options narrow = feed_by_hand();
    narrow.buffer_max = 1;
    live_feed small(orders, feed_reads, narrow);
    connection slow(small, {{}, feed_position{1, 2}, false}, std::nullopt);
    while (small.run_once()) {
    }
    create("A-2");
    while (small.run_once()) {
    }
    create("A-3");
    while (small.run_once()) {
    }
    (void)slow.take();
    BOOST_TEST((slow.now == state::failed));
}

BOOST_AUTO_TEST_SUITE_END()
