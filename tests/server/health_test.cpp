// Health and readiness: by the storage as it is, and without waiting for it.

#include "observe/health.hpp"

#include "api_fixture.hpp"
#include "observe/storage_probe.hpp"

#include <orderproc/testing/fault_storage.hpp>

#include <condition_variable>
#include <mutex>
#include <thread>

using namespace orderproc;
using namespace orderproc::server;
using namespace orderproc::server::testing;
using orderproc::testing::fault;
using orderproc::testing::fault_call;

namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct probed : api_fixture {
    probed() { served = &service_shown; }

    static storage_probe_options probe_by_hand() {
        storage_probe_options out;
        out.thread = false;
        return out;
    }
    // One look, and the commit that it asked for.
    void look() {
        probe.look();
        (void)writes.run_once();
    }
    void write_fails(errc why) {
        faulty.next(fault_call::write, fault::unavailable, failure{why});
        (void)writes.execute({raise_event{"nobody", "cancel", ""}, {}, {}, {}, "", ""});
    }

    orderproc::testing::fault_storage faulty{store};
    health state{time};
    runtime with{time, random, state};
    engine writes{faulty, status_machine::standard(), with, by_hand()};
    storage_probe probe{faulty, writes, state, probe_by_hand()};
    api handlers_shown{orders, reads, [this] {
                           api_parts out;
                           out.unhealthy = [this] { return state.unhealthy(); };
                           out.unready = [this] { return state.unready(); };
                           out.degraded = [this] { return state.degraded(); };
                           return out;
                       }()};
    api_service service_shown{handlers_shown};
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(health_and_readiness, probed)

BOOST_AUTO_TEST_CASE(a_storage_that_can_be_read_is_healthy) {
    BOOST_TEST(get("/healthz").body == R"({"status":"ok"})");  // before the first look
    look();
    BOOST_TEST(get("/healthz").body == R"({"status":"ok"})");
    BOOST_TEST(get("/readyz").body == R"({"status":"ready"})");
}

BOOST_AUTO_TEST_CASE(answers_come_without_asking_the_storage) {
    look();
    const std::size_t before = faulty.calls(fault_call::connect) + faulty.calls(fault_call::read);
    for (int i = 0; i < 5; ++i) {
        BOOST_TEST(get("/healthz").status == 200);
        BOOST_TEST(get("/readyz").status == 200);
    }
    BOOST_TEST(faulty.calls(fault_call::connect) + faulty.calls(fault_call::read) == before);
}

BOOST_AUTO_TEST_CASE(a_storage_that_cannot_be_read_is_neither_healthy_nor_ready) {
    look();
    store.now = moody_storage::mood::unavailable;
    look();
    for (const char* path : {"/healthz", "/readyz"}) {
        const answer got = get(path);
        BOOST_TEST(got.status == 503, path);
        BOOST_TEST(got.says(R"({"status":"unavailable","codes":["storage_unreadable"],"reasons":[)"
                             R"("storage: cannot be read: )"));
        BOOST_TEST(!got.says("secret"), path);
    }
    store.now = moody_storage::mood::throws;
    look();
    BOOST_TEST(get("/healthz").status == 503);
    store.now = moody_storage::mood::well;
    look();
    BOOST_TEST(get("/healthz").status == 200);
    BOOST_TEST(get("/readyz").status == 200);
}

// An open connection may answer from its cache for as long as nobody writes.
BOOST_AUTO_TEST_CASE(each_look_opens_a_connection) {
    look();
    const std::size_t before = faulty.calls(fault_call::connect);
    look();
    look();
    BOOST_TEST(faulty.calls(fault_call::connect) == before + 2);
    BOOST_TEST(faulty.open_max() == 2U);  // a look needs no more descriptors than the one before
}

BOOST_AUTO_TEST_CASE(a_read_that_hangs_is_told_after_a_while) {
    std::mutex mutex;
    std::condition_variable changed;
    bool inside = false, go_on = false;
    faulty.on_call([&](const orderproc::testing::fault_site& at) {
        if (at.call != fault_call::read) return;
        std::unique_lock lock(mutex);
        inside = true;
        changed.notify_all();
        changed.wait(lock, [&] { return go_on; });
    });
    std::jthread looks([&] { probe.look(); });
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return inside; });
    }
    time.advance(seconds(5));
    BOOST_TEST(get("/healthz").status == 200);
    time.advance(seconds(1));
    BOOST_TEST(get("/healthz").status == 503);
    BOOST_TEST(get("/healthz").says("a read has been waiting for 6 s"));
    BOOST_TEST(get("/readyz").status == 503);
    {
        const std::lock_guard lock(mutex);
        go_on = true;
        changed.notify_all();
    }
    looks.join();
    BOOST_TEST(get("/healthz").status == 200);
    BOOST_TEST(get("/readyz").status == 200);
}

BOOST_AUTO_TEST_CASE(a_failed_write_ages_out) {
    write_fails(errc::unavailable);
    const answer got = get("/readyz");
    BOOST_TEST(got.status == 503);
    BOOST_TEST(got.says("storage: could not be written: "));
    BOOST_TEST(get("/healthz").status == 200);
    time.advance(milliseconds(9999));
    BOOST_TEST(get("/readyz").status == 503);
    time.advance(milliseconds(1));
    BOOST_TEST(get("/readyz").status == 200);  // nobody has written since: clients may try
}

BOOST_AUTO_TEST_CASE(a_disk_that_has_room_again_makes_it_ready_without_any_client) {
    write_fails(errc::unavailable);
    for (int second = 0; second < 60; ++second) {  // full for a minute
        faulty.next(fault_call::write, fault::unavailable);
        look();
        time.advance(seconds(1));
        BOOST_REQUIRE(get("/readyz").status == 503);
    }
    look();
    BOOST_TEST(get("/readyz").status == 200);
}

BOOST_AUTO_TEST_CASE(nothing_is_written_while_writes_succeed) {
    look();
    look();
    BOOST_TEST(faulty.calls(fault_call::write) == 0U);
    write_fails(errc::corrupt);
    const std::size_t failed = faulty.calls(fault_call::write);
    look();
    BOOST_TEST(faulty.calls(fault_call::write) == failed + 1);
    look();
    BOOST_TEST(faulty.calls(fault_call::write) == failed + 1);
}

BOOST_AUTO_TEST_CASE(a_probing_write_shows_nowhere_and_holds_nothing) {
    create("A");
    for (int i = 0; i < 3; ++i) {
        write_fails(errc::unavailable);
        look();
        BOOST_TEST(get("/readyz").status == 200);
    }
    BOOST_TEST(get("/orders").find("Feed-Position")->ends_with("-1"));
    const auto at =
        direct.use([](repository_reader& from) { return from.find_cursor("readiness"); });
    BOOST_TEST(at.value().value().offset == 0U);
}

BOOST_AUTO_TEST_CASE(one_probing_write_at_a_time_and_it_may_hang) {
    write_fails(errc::unavailable);
    probe.look();
    probe.look();
    BOOST_TEST(writes.queued() == 1U);
    time.advance(seconds(11));  // the failure has aged out, but that write has not come back
    const answer got = get("/readyz");
    BOOST_TEST(got.status == 503);
    BOOST_TEST(got.says("a write has been waiting for 11 s"));
    (void)writes.run_once();
    BOOST_TEST(get("/readyz").status == 200);
}

BOOST_AUTO_TEST_CASE(refusals_say_nothing_about_the_storage) {
    state.batch_written({1, 0, {}, make_error_code(errc::invalid_argument)});
    BOOST_TEST(get("/readyz").status == 200);
    for (const errc it : {errc::unavailable, errc::outcome_unknown, errc::corrupt,
                          errc::schema_mismatch, errc::not_supported}) {
        state.batch_written({1, 0, {}, make_error_code(it)});
        BOOST_TEST(get("/readyz").status == 503);
        state.batch_written({1, 0, {}, {}});
        BOOST_TEST(get("/readyz").status == 200);
    }
}

BOOST_AUTO_TEST_CASE(a_server_that_goes_down_is_healthy_and_not_ready) {
    state.stopping();
    const answer got = get("/readyz");
    BOOST_TEST(got.status == 503);
    BOOST_TEST(got.says("shutting down"));
    BOOST_TEST(get("/healthz").status == 200);
}

BOOST_AUTO_TEST_CASE(a_feed_that_lags_degrades) {
    state.feed_measured({"relay", true, 12, seconds(30)});
    BOOST_TEST(get("/readyz").says(R"("status":"ready")"));
    state.feed_measured({"relay", true, 12, seconds(75), feed_wait::confirms, seconds(70)});
    const answer got = get("/readyz");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.says(R"("status":"degraded")"));
    BOOST_TEST(
        got.says("relay: the feed lags by 75 s: the broker has confirmed nothing for 70 s (12 "
                 "entries)"));
    time.advance(seconds(10));  // nothing was measured since
    BOOST_TEST(get("/readyz").says("lags by 85 s: the broker has confirmed nothing for 80 s"));
    state.feed_measured({"relay", true, 0, milliseconds(0)});
    time.advance(seconds(100));
    BOOST_TEST(get("/readyz").says(R"("status":"ready")"));
}

BOOST_AUTO_TEST_CASE(the_thread_of_a_probe_looks_by_itself) {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t looks = 0;
    faulty.on_call([&](const orderproc::testing::fault_site& at) {
        if (at.call != fault_call::read) return;
        const std::lock_guard lock(mutex);
        ++looks;
        changed.notify_all();
    });
    storage_probe_options options;
    options.interval = milliseconds(1);
    storage_probe by_itself(faulty, writes, state, options);
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return looks >= 3; });
}

BOOST_AUTO_TEST_SUITE_END()
