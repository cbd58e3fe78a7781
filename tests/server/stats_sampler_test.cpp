// Samples of orders that really move, taken by the looks of the probe, and what GET /stats tells.

#include "observe/stats_sampler.hpp"

#include "api_fixture.hpp"
#include "observe/health.hpp"
#include "observe/storage_probe.hpp"

#include <orderproc/testing/fault_storage.hpp>

#include <boost/json.hpp>

#include <chrono>
#include <string>
#include <vector>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using orderproc::testing::fault;
using orderproc::testing::fault_call;
namespace js = boost::json;

namespace {

using std::chrono::seconds;

struct watched : api_fixture {
    watched() { served = &shown; }

    storage_probe_options probe_by_hand() {
        storage_probe_options out;
        out.thread = false;
        out.counted = [this](repository_reader& from, const statistics& counted) {
            sampler.look(from, counted);
        };
        return out;
    }
    // The next five seconds, and the look at their end.
    void step() {
        time.advance(seconds(5));
        probe.look();
    }
    js::object stats(const std::string& query = "") {
        const answer got = get("/stats" + query);
        BOOST_REQUIRE_EQUAL(got.status, 200);
        BOOST_TEST(got.find("Cache-Control").value_or("") == "no-store");
        return js::parse(got.body).as_object();
    }
    js::value newest(const char* series) {
        const js::object whole = stats();
        const js::array& all = whole.at("series").at(series).as_array();
        BOOST_REQUIRE_EQUAL(all.size(), stats_points);
        return all.back();
    }
    // A worker's last step of the first order that waits.
    void finish(const char* event, const order_status& to) {
        const claimed_order work = claim_one();
        transition_order move;
        move.to = to;
        move.settles = true;
        move.completes = to == order_status("COMPLETED");
        change last;
        last.order = std::string(work.value.id.view());
        last.event = event;
        last.from = orders.machine().find(event)->from;
        last.lease = work.lease;
        last.action = move;
        struct : completion {
            void complete(change_outcome& it) noexcept override { ec = it.ec; }
            error_code ec;
        } done;
        BOOST_REQUIRE(orders.submit(last, done).has_value());
        BOOST_REQUIRE(orders.run_once().has_value());
        BOOST_REQUIRE(!done.ec);
    }

    orderproc::testing::fault_storage faulty{store};
    health state{time};
    engine writes{faulty, status_machine::standard(), runtime{time, random, state}, by_hand()};
    stats_history history;
    stats_sampler sampler{orders.machine(), time, history};
    storage_probe probe{faulty, writes, state, probe_by_hand()};
    api handlers_shown{orders, reads, [this] {
                           api_parts out;
                           out.history = &history;
                           out.broker = [this] { return state.connections(); };
                           out.feeds = [this] { return state.feeds(); };
                           out.storage = store.info();
                           out.instance = "process-1";
                           out.facts_shared_for = {};
                           return out;
                       }()};
    api_service shown{handlers_shown};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sampled_stats, watched)

BOOST_AUTO_TEST_CASE(what_happens_is_seen_in_the_next_point) {
    create("BEFORE");
    probe.look();
    BOOST_TEST(newest("created").is_null());
    for (const char* id : {"A", "B", "C", "D", "E"}) BOOST_REQUIRE(create(id).status == 201);
    step();
    BOOST_TEST(newest("created").to_number<double>() == 1);
    BOOST_TEST(newest("completed").to_number<double>() == 0);
    BOOST_TEST(newest("failed").to_number<double>() == 0);
    BOOST_TEST(newest("waiting").to_number<int>() == 6);
    BOOST_TEST(newest("p50").is_null());  // nothing was done

    time.advance(seconds(2));
    finish("complete", "COMPLETED");
    finish("fail", "FAILED");
    (void)claim_one();
    time.advance(seconds(3));
    probe.look();
    BOOST_TEST(newest("completed").to_number<double>() == 0.2);
    BOOST_TEST(newest("failed").to_number<double>() == 0.2);
    BOOST_TEST(newest("waiting").to_number<int>() == 3);
    BOOST_TEST(newest("in_work").to_number<int>() == 1);
    const double p50 = newest("p50").to_number<double>();
    BOOST_TEST((p50 > 6.5 && p50 < 7.5));  // BEFORE, from its creation
    const js::object whole = stats();
    const js::object& flow = whole.at("now").at("created_to_done").as_object();
    BOOST_TEST(flow.at("sampled").to_number<int>() == 1);
    BOOST_TEST(flow.at("of").to_number<int>() == 1);
    BOOST_TEST(flow.at("within_goal").to_number<double>() == 1);
}

BOOST_AUTO_TEST_CASE(a_look_samples_once_in_five_seconds_and_reads_a_bounded_part) {
    probe.look();
    for (int i = 0; i < 600; ++i) create("A" + std::to_string(i));
    const auto reads_of = [this](auto what) {
        const std::size_t before = faulty.calls(fault_call::read);
        what();
        return faulty.calls(fault_call::read) - before;
    };
    BOOST_TEST(reads_of([&] { probe.look(); }) == 1U);  // the count alone
    BOOST_TEST(reads_of([&] { step(); }) == 2 + stats_sampler::parts);
    BOOST_TEST(newest("created").to_number<double>() == 120);
    BOOST_TEST(newest("failed").to_number<double>() == 0);
    BOOST_TEST(reads_of([&] { step(); }) == 2U);  // nothing has happened
}

BOOST_AUTO_TEST_CASE(a_storage_that_cannot_be_read_leaves_a_gap) {
    probe.look();
    step();
    BOOST_TEST(newest("created").to_number<double>() == 0);
    faulty.next(fault_call::read, fault::unavailable);
    step();
    BOOST_TEST(newest("created").is_null());
    BOOST_TEST(newest("waiting").is_null());
    step();
    BOOST_TEST(newest("created").is_null());  // it is of ten seconds
    BOOST_TEST(newest("waiting").to_number<int>() == 0);
    step();
    BOOST_TEST(newest("created").to_number<double>() == 0);
}

BOOST_AUTO_TEST_CASE(without_the_storage_nothing_is_known_of_now) {
    store.now = moody_storage::mood::unavailable;
    BOOST_TEST(get("/stats").status == 503);
    store.now = moody_storage::mood::well;
    BOOST_TEST(get("/stats").status == 200);
}

BOOST_AUTO_TEST_CASE(what_is_there_now) {
    create("A");
    BOOST_REQUIRE(ask("POST", "/orders",
                      R"({"order_id":"L","user_id":1,"item_ids":[1],"total_amount":1,)"
                      R"("not_before":"2099-01-01T00:00:00Z"})")
                      .status == 201);
    time.advance(seconds(2));
    const js::object whole = stats();
    BOOST_TEST(whole.at("instance").as_string() == "process-1");
    BOOST_TEST(whole.at("span").as_string() == "15m");
    BOOST_TEST(whole.at("step").to_number<int>() == 5);
    BOOST_TEST(whole.at("at").as_string() == to_string(time.now()));
    BOOST_TEST(whole.at("storage").at("newest").as_string().ends_with("-2"));
    const js::object& now = whole.at("now").as_object();
    BOOST_TEST(now.at("orders_by_status").at("pending").to_number<int>() == 2);
    BOOST_TEST(now.at("orders_by_status").at("failed").to_number<int>() == 0);
    BOOST_TEST(now.at("waiting").to_number<int>() == 2);
    BOOST_TEST(now.at("oldest_age").to_number<double>() == 2);
    BOOST_TEST(now.at("dead_letters").to_number<int>() == 0);
    BOOST_TEST(now.at("capacity").is_null());
    BOOST_TEST(now.at("completed_per_minute").is_null());
    BOOST_TEST(now.at("created_to_done").is_null());
    BOOST_TEST(!now.at("paused").as_bool());
    const js::object& stage = now.at("stages").as_array().at(0).as_object();
    BOOST_TEST(stage.at("stage").as_string() == "PROCESSING");
    BOOST_TEST(stage.at("waiting").to_number<int>() == 2);
    finish("fail", "FAILED");
    BOOST_TEST(stats().at("now").at("dead_letters").to_number<int>() == 1);
    BOOST_TEST(stats().at("now").at("oldest_age").is_null());  // the other one waits for its time
}

BOOST_AUTO_TEST_CASE(two_spans_and_no_others) {
    BOOST_TEST(stats("?span=1h").at("step").to_number<int>() == 20);
    BOOST_TEST(stats("?span=15m").at("step").to_number<int>() == 5);
    for (const char* query : {"?span=6h", "?span=", "?span=15m&span=1h", "?x=1"}) {
        BOOST_TEST(get(std::string("/stats") + query).status == 400, query);
    }
    BOOST_TEST(get("/stats?span=6h").says("\"parameter\":\"span\""));
}

BOOST_AUTO_TEST_CASE(a_wall_clock_that_is_set_moves_from_and_no_point) {
    probe.look();
    create("A");
    step();
    const auto before = stats().at("series");
    time.step(std::chrono::hours(-5));
    const js::object whole = stats();
    BOOST_TEST((whole.at("series") == before));
    BOOST_TEST(whole.at("from").as_string() == to_string(time.now() - seconds(5) * 180));
    BOOST_TEST(whole.at("since").as_string() == to_string(time.now() - seconds(5)));
}

BOOST_AUTO_TEST_CASE(the_broker_and_the_feeds_as_this_process_sees_them) {
    BOOST_TEST(stats().at("broker").at("connections").as_array().empty());
    const failure away{errc::unavailable, "amqp://user:secret@host"};
    state.broker_changed({"rabbitmq", "relay", false, away});
    state.feed_measured({"relay", true, 3, seconds(2), feed_wait::connection, seconds(1)});
    time.advance(seconds(4));
    js::object whole = stats();
    const js::value& one = whole.at("broker").at("connections").as_array().at(0);
    BOOST_TEST(one.at("name").as_string() == "relay");
    BOOST_TEST(one.at("broker").as_string() == "rabbitmq");
    BOOST_TEST(!one.at("connected").as_bool());
    BOOST_TEST(!one.at("reason").as_string().empty());
    const js::value& feed = whole.at("feeds").as_array().at(0);
    BOOST_TEST(feed.at("cursor").as_string() == "relay");
    BOOST_TEST(feed.at("leading").as_bool());
    BOOST_TEST(feed.at("behind").to_number<int>() == 3);
    BOOST_TEST(feed.at("lag").to_number<double>() == 6);  // it has grown since
    BOOST_TEST(feed.at("waits_for").as_string() == "connection");
    state.broker_changed({"rabbitmq", "relay", true, away});
    whole = stats();
    BOOST_TEST(whole.at("broker").at("connections").as_array().at(0).at("reason").is_null());
    served = &service;  // a process without a broker, which has sampled nothing
    whole = stats();
    BOOST_TEST(whole.at("broker").is_null());
    BOOST_TEST(whole.at("feeds").as_array().empty());
    BOOST_TEST(whole.at("series").at("p99").as_array().size() == stats_points);
}

BOOST_AUTO_TEST_SUITE_END()
