// Logs, metrics and health: what operators see.

#include "api/negotiation.hpp"
#include "api_fixture.hpp"
#include "observe/health.hpp"
#include "observe/log_lines.hpp"
#include "observe/openmetrics.hpp"
#include "observe/request_watch.hpp"

#include <orderproc/prometheus.hpp>

#include <boost/json.hpp>

#include <fcntl.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <thread>
#include <utility>

using namespace orderproc;
using namespace std::chrono_literals;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

constexpr timestamp day_one{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};

std::string line(log_format as, std::string_view text) {
    const std::array<log_field, 3> fields{{{"reason", text}, {"n", std::int64_t{7}}, {"ok", true}}};
    std::string out;
    append_log_line(as, day_one, {log_level::warning, "lease_lost", fields}, out);
    return out;
}

struct watched : api_fixture {
    watched() { served = &service_shown; }
    std::string exposition(bool openmetrics = false) {
        const auto counted = direct.use([](repository_reader& from) { return from.count(); });
        return exposition_of(openmetrics, counted ? &*counted : nullptr);
    }
    std::string exposition_of(bool openmetrics, const statistics* stored) {
        auto all = registry.Collect();
        if (stored) {
            for (auto& it : to_metrics(*stored, orders.machine(), time.now())) {
                all.push_back(std::move(it));
            }
        }
        return openmetrics ? to_openmetrics(all) : prometheus::TextSerializer().Serialize(all);
    }
    api_parts shown() {
        api_parts out;
        out.exposition = [this](bool openmetrics, const stored_facts* stored) {
            return exposition_of(openmetrics, stored ? &stored->counted : nullptr);
        };
        out.unhealthy = [this] { return state.unhealthy(); };
        out.unready = [this] { return state.unready(); };
        out.degraded = [this] { return state.degraded(); };
        return out;
    }
    bool has(std::string_view wanted) {
        const std::string text = exposition();
        const bool there = text.find(wanted) != std::string::npos;
        if (!there) BOOST_TEST_MESSAGE(text);
        return there;
    }

    prometheus::Registry registry;
    prometheus_observer metrics{registry, status_machine::standard()};
    health state{time};
    request_metrics requests{registry};
    api handlers_shown{orders, reads, shown()};
    api_service inner{handlers_shown};
    observed_service service_shown{inner, {&requests}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_is_one_line_whatever_it_holds) {
    for (const char* text :
         {"plain", "two words", "a\nb", "\"quoted\"", "\x1b[31mred", "a=b", ""}) {
        const std::string json = line(log_format::json, text);
        BOOST_TEST(std::count(json.begin(), json.end(), '\n') == 1);
        const auto parsed = boost::json::parse(json);
        BOOST_TEST(parsed.at("reason").as_string() == text);
        BOOST_TEST(parsed.at("n").as_int64() == 7);
        BOOST_TEST(parsed.at("ok").as_bool());
        BOOST_TEST(parsed.at("level").as_string() == "warning");
        BOOST_TEST(parsed.at("time").as_string() == "2026-06-15T00:00:00.000Z");
        const std::string plain = line(log_format::text, text);
        BOOST_TEST(std::count(plain.begin(), plain.end(), '\n') == 1);
        BOOST_TEST(plain.find('\x1b') == std::string::npos);
    }
    BOOST_TEST(line(log_format::text, "plain") ==
               "2026-06-15T00:00:00.000Z warning lease_lost reason=plain n=7 ok=true\n");
    BOOST_TEST(line(log_format::text, "two words").find("reason=\"two words\"") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(nothing_is_written_that_a_terminal_obeys) {
    const std::pair<const char*, const char*> shown[] = {{"\x7f", "\\u007f"},
                                                         {"\xc2\x9b"
                                                          "2J",
                                                          "\\u009b2J"},
                                                         {"\xc2\x80", "\\u0080"},
                                                         {"\xe2\x80\xa8", "\\u2028"},
                                                         {"\xe2\x80\xae", "\\u202e"},
                                                         {"\xe2\x81\xa6", "\\u2066"},
                                                         {"\x1b[2J", "\\u001b[2J"},
                                                         {"\xc2\xa0", "\xc2\xa0"},
                                                         {"\xe2\x82\xac", "\xe2\x82\xac"}};
    for (const auto& [text, quoted] : shown) {
        for (const auto as : {log_format::text, log_format::json}) {
            BOOST_TEST(line(as, text).find("\"" + std::string(quoted) + "\"") != std::string::npos,
                       quoted);
        }
    }
}

namespace {

// A pipe that is read when the test says so.
struct slow_reader {
    slow_reader() {
        BOOST_REQUIRE_EQUAL(::pipe2(ends, O_CLOEXEC), 0);
        ::fcntl(ends[1], F_SETPIPE_SZ, 4096);
    }
    ~slow_reader() {
        ::close(ends[0]);
        if (ends[1] >= 0) ::close(ends[1]);
    }
    std::string read_all() {  // once nobody can write any more
        ::close(std::exchange(ends[1], -1));
        std::string out;
        std::array<char, 4096> part;
        for (ssize_t n; (n = ::read(ends[0], part.data(), part.size())) > 0;) {
            out.append(part.data(), static_cast<std::size_t>(n));
        }
        return out;
    }
    int ends[2];
};

std::int64_t dropped_in(const std::string& text) {
    const std::string name = "log_lines_dropped lines=";
    std::int64_t out = 0;
    for (auto at = text.find(name); at != text.npos; at = text.find(name, at + 1)) {
        out += std::stoll(text.substr(at + name.size()));
    }
    return out;
}

}  // namespace

// Before: with nobody to read the log every worker stood still for good.
BOOST_AUTO_TEST_CASE(logging_never_waits_for_the_reader_of_the_log) {
    slow_reader pipe;
    constexpr int lines = 20'000;
    std::string text;
    std::thread reader;
    {
        line_log log(log_format::text, pipe.ends[1], {.waiting_max = 64 * 1024, .end_timeout = 1h});
        const log_sink sink = log.sink();
        for (std::int64_t i = 0; i < lines; ++i) {  // nobody reads: this would never end
            const std::array<log_field, 1> fields{{{"n", i}}};
            sink({log_level::info, "counted", fields});
        }
        // From here on somebody does, and the rest comes out.
        reader = std::thread([&] {
            std::array<char, 4096> part;
            for (ssize_t n; (n = ::read(pipe.ends[0], part.data(), part.size())) > 0;) {
                text.append(part.data(), static_cast<std::size_t>(n));
            }
        });
    }
    ::close(std::exchange(pipe.ends[1], -1));
    reader.join();
    const auto written = std::count(text.begin(), text.end(), '\n');
    BOOST_TEST(text.find(" info counted n=0\n") != std::string::npos);
    BOOST_TEST(dropped_in(text) > 0);
    // Each line is there whole, or counted.
    std::int64_t counted = 0;
    for (auto at = text.find(" info counted n="); at != text.npos;
         at = text.find(" info counted n=", at + 1)) {
        ++counted;
    }
    BOOST_TEST(counted + dropped_in(text) == lines);
    BOOST_TEST(written > counted);
}

BOOST_AUTO_TEST_CASE(the_end_does_not_wait_for_a_reader_that_takes_nothing) {
    slow_reader pipe;
    {
        line_log log(log_format::text, pipe.ends[1],
                     {.waiting_max = 64 * 1024, .end_timeout = 0ms});
        const log_sink sink = log.sink();
        for (int i = 0; i < 2'000; ++i) sink({log_level::info, "counted", {}});
    }  // for ever, if it waited
    // What the pipe took is whole lines.
    const std::string text = pipe.read_all();
    BOOST_TEST(!text.empty());
    BOOST_TEST(text.ends_with("\n"));
}

BOOST_AUTO_TEST_CASE(what_waits_is_written_before_the_end) {
    for (const bool file : {false, true}) {
        slow_reader pipe;
        std::FILE* const kept = std::tmpfile();
        const int to = file ? ::fileno(kept) : pipe.ends[1];
        {
            line_log log(log_format::json, to);
            const log_sink sink = log.sink();
            sink({log_level::info, "first", {}});
            sink({log_level::error, "second", {}});
        }
        std::string text;
        if (file) {
            std::rewind(kept);
            for (int c; (c = std::fgetc(kept)) != EOF;) text.push_back(static_cast<char>(c));
        } else {
            text = pipe.read_all();
        }
        std::fclose(kept);
        BOOST_TEST(text.find("\"event\":\"first\"") < text.find("\"event\":\"second\""));
        BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 2);
    }
}

BOOST_AUTO_TEST_CASE(a_message_is_given_up_when_nobody_reads) {
    slow_reader pipe;
    const std::string much(100'000, 'x');
    BOOST_TEST(!write_within(0ms, pipe.ends[1], much));
    BOOST_TEST(write_within(0ms, pipe.ends[1], ""));
    int pair[2];
    BOOST_REQUIRE_EQUAL(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    BOOST_TEST(!write_within(0ms, pair[0], std::string(10'000'000, 'x')));
    ::close(pair[1]);
    BOOST_TEST(!write_within(1h, pair[0], much));  // nobody ever will
    ::close(pair[0]);
    BOOST_TEST(::fcntl(pipe.ends[1], F_GETFL) == O_WRONLY);  // others may use it, too
}

BOOST_AUTO_TEST_CASE(accept_is_understood) {
    BOOST_TEST(quality_of("", "application/json") == 1000U);
    BOOST_TEST(quality_of("text/*;q=0.3, text/plain;q=0.7", "text/plain") == 700U);
    BOOST_TEST(quality_of("text/plain;q=0.7,text/*;q=0.3", "text/html") == 300U);
    BOOST_TEST(quality_of("*/*;q=0.1", "text/html") == 100U);
    BOOST_TEST(quality_of("text/plain;q=2", "text/plain") == 0U);
    BOOST_TEST(quality_of("text/plain;q=1.000", "text/plain") == 1000U);
    BOOST_TEST(quality_of("text/plain;q=x", "text/plain") == 0U);
    BOOST_TEST(quality_of("text/plain ; version=0.0.4 ; Q=0.125", "text/plain") == 125U);
    // As Prometheus 2 and 3 ask.
    BOOST_TEST(
        prefers_prometheus("application/openmetrics-text;version=1.0.0;q=0.5,"
                           "application/openmetrics-text;version=0.0.1;q=0.4,"
                           "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
    BOOST_TEST(
        prefers_openmetrics("application/openmetrics-text;version=1.0.0;q=0.5,"
                            "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"));
    BOOST_TEST(!prefers_openmetrics("text/plain,application/openmetrics-text;q=0.5"));
    BOOST_TEST(!prefers_openmetrics("text/plain"));
    BOOST_TEST(prefers_prometheus("text/plain"));
    for (const char* json : {"", "*/*", "application/json", "application/json, text/plain;q=0.9",
                             "text/html,*/*;q=0.8", "text/plain;q=0"}) {
        BOOST_TEST(!prefers_prometheus(json), json);
    }
}

BOOST_FIXTURE_TEST_CASE(metrics_are_json_or_text, watched) {
    const answer json = get("/metrics");
    BOOST_TEST(json.body.find("total_orders_processed") != std::string::npos);
    const answer text = get("/metrics", {{"Accept", "text/plain"}});
    BOOST_TEST(text.status == 200);
    BOOST_TEST(text.head.find("text/plain; version=0.0.4") != std::string::npos);
    BOOST_TEST(text.body.find("# TYPE orderproc_orders gauge") != std::string::npos);
    BOOST_TEST(text.body.find("orderproc_orders{status=\"PENDING\"} 0") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(metrics_are_openmetrics_when_they_are_asked_for, watched) {
    metrics.lease_lost("A");
    metrics.batch_written({1, 0, std::chrono::milliseconds(3), {}});
    const answer got = get("/metrics", {{"Accept", "application/openmetrics-text"}});
    BOOST_TEST(got.head.find("application/openmetrics-text; version=1.0.0") != std::string::npos);
    for (const char* wanted :
         {"# TYPE orderproc_lease_lost counter\n", "\norderproc_lease_lost_total 1.0\n",
          "# TYPE orderproc_orders gauge\n", "\norderproc_orders{status=\"PENDING\"} 0.0\n",
          "# TYPE orderproc_commit_batch_size histogram\n",
          "\norderproc_commit_batch_size_bucket{le=\"1.0\"} 1\n",
          "\norderproc_commit_batch_size_bucket{le=\"+Inf\"} 1\n",
          "\norderproc_commit_batch_size_count 1\n", "\norderproc_commit_batch_size_sum 1.0\n",
          "\norderproc_transitions_total{event=\"create\"} 0.0\n"}) {
        BOOST_TEST(got.body.find(wanted) != std::string::npos, wanted);
    }
    BOOST_TEST(got.body.ends_with("\n# EOF\n"));
    BOOST_TEST(got.body.find("_total counter") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(labels_of_openmetrics_are_escaped) {
    prometheus::MetricFamily family{"f", "a \"b\"\nc", prometheus::MetricType::Gauge, {}};
    family.metric.emplace_back().label.push_back({"l", "q\"b\\n\n"});
    family.metric.back().gauge.value = 0.25;
    BOOST_TEST(to_openmetrics({family}) ==
               "# TYPE f gauge\n# HELP f a \\\"b\\\"\\nc\nf{l=\"q\\\"b\\\\n\\n\"} 0.25\n# EOF\n");
}

BOOST_FIXTURE_TEST_CASE(what_is_stored_is_counted_at_each_scrape, watched) {
    create("A");
    create("B");
    time.advance(std::chrono::seconds(90));
    BOOST_TEST(has("orderproc_orders{status=\"PENDING\"} 2"));
    BOOST_TEST(has("orderproc_queue_depth{status=\"PENDING\"} 2"));
    BOOST_TEST(has("orderproc_queue_oldest_age_seconds{status=\"PENDING\"} 90"));
    BOOST_TEST(has("orderproc_orders_created_total 2"));
    (void)claim_one();
    BOOST_TEST(has("orderproc_queue_depth{status=\"PENDING\"} 1"));
    BOOST_TEST(has("orderproc_orders{status=\"PROCESSING\"} 1"));
    store.now = moody_storage::mood::unavailable;
    reader broken(store);
    BOOST_TEST(make_storage_metrics(broken, orders.machine(), time)->Collect().empty());
}

BOOST_FIXTURE_TEST_CASE(a_storage_that_cannot_be_read_takes_no_other_metrics_away, watched) {
    metrics.lease_lost("A");
    store.now = moody_storage::mood::unavailable;
    const answer got = get("/metrics", {{"Accept", "text/plain"}});
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.says("orderproc_lease_lost_total 1"));
    BOOST_TEST(!got.says("orderproc_orders{"));
}

BOOST_FIXTURE_TEST_CASE(what_happens_is_counted, watched) {
    order after;
    after.created_at = day_one - std::chrono::seconds(40);
    after.first_claimed_at = day_one;
    after.updated_at = day_one + std::chrono::seconds(2);
    metrics.transition_committed({after, "create", ""});
    metrics.transition_committed({after, "complete", "", true});
    metrics.transition_committed({after, "fail", ""});
    metrics.transition_committed({after, "nobody knows it", ""});
    metrics.orders_claimed({orders.machine().stages()[0], 5, 2, 1, {}});
    metrics.key_used(key_use::replayed);
    attempt_report attempt;
    attempt.outcome = attempt_outcome::timed_out;
    attempt.stage = "PROCESSING";
    attempt.duration = std::chrono::seconds(7);
    metrics.attempt_finished(attempt);
    attempt.stage = "no stage of this machine";
    metrics.attempt_finished(attempt);
    metrics.lease_lost("A");
    metrics.batch_written({60, 4, std::chrono::milliseconds(3), {}});
    for (const char* wanted :
         {"orderproc_transitions_total{event=\"create\"} 1",
          "orderproc_transitions_total{event=\"complete\"} 1",
          "orderproc_transitions_total{event=\"start\"} 5",
          "orderproc_transitions_total{event=\"release\"} 2",
          "orderproc_transitions_total{event=\"fail\"} 2",
          "orderproc_orders_failed_total 2",
          "orderproc_lease_expired_total 3",
          "orderproc_transitions_total{event=\"cancel\"} 0",
          "orderproc_idempotency_total{result=\"replayed\"} 1",
          "orderproc_attempts_total{outcome=\"timed_out\"} 2",
          "orderproc_lease_lost_total 1",
          "orderproc_attempt_seconds_sum{outcome=\"timed_out\",stage=\"PROCESSING\"} 7",
          "orderproc_attempt_seconds_count{outcome=\"advanced\",stage=\"PROCESSING\"} 0",
          "orderproc_created_to_done_seconds_sum 42",
          "orderproc_created_to_done_seconds_count 1",
          "orderproc_completion_seconds_sum 2",
          "orderproc_completion_seconds_count 1",
          "orderproc_commit_batch_size_sum 64",
          "orderproc_commit_seconds_bucket{le=\"0.005\"} 1",
          "orderproc_commit_seconds_bucket{le=\"0.0025\"} 0"}) {
        BOOST_TEST(has(wanted), wanted);
    }
}

BOOST_FIXTURE_TEST_CASE(without_a_broker_nothing_is_said_of_one, watched) {
    for (const char* name : {"orderproc_broker_connected{", "orderproc_feed_lag_seconds{",
                             "orderproc_feed_given_up_total{", "orderproc_wake_ups_total{"}) {
        BOOST_TEST(exposition().find(name) == std::string::npos, name);
    }
}

BOOST_FIXTURE_TEST_CASE(each_connection_to_a_broker_is_there_or_not, watched) {
    metrics.broker_changed({"b", "relay", true, {}});
    metrics.broker_changed({"b", "wake_ups", true, {}});
    BOOST_TEST(has("orderproc_broker_connected{connection=\"relay\"} 1"));
    metrics.broker_changed({"b", "relay", false, {errc::unavailable, "away"}});
    BOOST_TEST(has("orderproc_broker_connected{connection=\"relay\"} 0"));
    BOOST_TEST(has("orderproc_broker_connected{connection=\"wake_ups\"} 1"));
    metrics.broker_changed({"b", "relay", true, {}});
    BOOST_TEST(has("orderproc_broker_connected{connection=\"relay\"} 1"));
}

BOOST_FIXTURE_TEST_CASE(entries_that_cannot_be_published_are_counted, watched) {
    const failure why(errc::invalid_argument, "no such field");
    metrics.entry_given_up({"relay", 1, 2, "A", "create", unpublishable::park, why});
    metrics.entry_given_up({"relay", 1, 3, "A", "cancel", unpublishable::park, why});
    metrics.entry_given_up({"relay", 1, 4, "B", "create", unpublishable::skip, why});
    BOOST_TEST(has("orderproc_feed_given_up_total{action=\"park\",cursor=\"relay\"} 2"));
    BOOST_TEST(has("orderproc_feed_given_up_total{action=\"skip\",cursor=\"relay\"} 1"));
}

BOOST_FIXTURE_TEST_CASE(a_feed_lags_in_seconds, watched) {
    metrics.feed_measured({"relay", true, 3, std::chrono::milliseconds(1500)});
    metrics.feed_measured({"hooks", false, 9, std::chrono::minutes(2)});
    BOOST_TEST(has("orderproc_feed_lag_seconds{cursor=\"relay\"} 1.5"));
    BOOST_TEST(has("orderproc_feed_lag_seconds{cursor=\"hooks\"} 120"));
    metrics.feed_measured({"relay", true, 0, {}});
    BOOST_TEST(has("orderproc_feed_lag_seconds{cursor=\"relay\"} 0"));
}

BOOST_FIXTURE_TEST_CASE(errors_are_counted_by_where_they_happened, watched) {
    metrics.error("webhooks.paused", {errc::unavailable, "wh_1"});
    metrics.error("webhooks.paused", {errc::unavailable, "wh_2"});
    metrics.error("engine.write", {errc::unavailable, "disk"});
    BOOST_TEST(has("orderproc_errors_total{where=\"webhooks.paused\"} 2"));
    BOOST_TEST(has("orderproc_errors_total{where=\"engine.write\"} 1"));
}

BOOST_FIXTURE_TEST_CASE(messages_to_the_worker_are_counted_by_what_became_of_them, watched) {
    const work_stage& stage = orders.machine().stages()[0];
    metrics.orders_hinted({stage, 5, 3});
    metrics.orders_hinted({stage, 4, 4});
    metrics.orders_hinted({stage, 1, 2});  // never below zero
    metrics.message_refused("m-1", "no order");
    BOOST_TEST(has("orderproc_wake_ups_total{result=\"claimed\"} 9"));
    BOOST_TEST(has("orderproc_wake_ups_total{result=\"stale\"} 2"));
    BOOST_TEST(has("orderproc_wake_ups_total{result=\"poison\"} 1"));
}

BOOST_FIXTURE_TEST_CASE(requests_are_counted_by_route_and_not_by_path, watched) {
    for (int i = 0; i < 3; ++i) (void)get("/orders/X-" + std::to_string(i));
    (void)get("/nowhere/1");
    (void)get("/nowhere/2");
    (void)ask("BREW", "/orders");
    (void)create("A");
    const std::string name = "http_server_request_duration_seconds_count";
    const auto row = [&](const char* method, const char* route, int status, int count) {
        return has(name + "{http_request_method=\"" + method + "\",http_response_status_code=\"" +
                   std::to_string(status) + "\",http_route=\"" + route + "\"} " +
                   std::to_string(count)) ||
               has(name + "{http_request_method=\"" + method + "\",http_route=\"" + route +
                   "\",http_response_status_code=\"" + std::to_string(status) + "\"} " +
                   std::to_string(count));
    };
    BOOST_TEST(row("GET", "/orders/{order_id}", 404, 3));
    BOOST_TEST(row("GET", "", 404, 2));
    BOOST_TEST(row("_OTHER", "", 405, 1));
    BOOST_TEST(row("POST", "/orders", 201, 1));
}

BOOST_FIXTURE_TEST_CASE(a_broker_that_is_away_degrades, watched) {
    const failure away{errc::unavailable, "b:5672: no login"};
    BOOST_TEST(state.degraded().empty());
    state.broker_changed({"amqp://b:5672", "relay", false, away});
    state.broker_changed({"amqp://b:5672", "wake_ups", true, {}});
    BOOST_REQUIRE(state.degraded().size() == 1U);
    BOOST_TEST(state.degraded()[0].code == "broker_away");
    BOOST_TEST(state.degraded()[0].text ==
               "relay: no connection to amqp://b:5672: " + away.message());
    BOOST_TEST(state.unready().empty());
    const auto got = get("/readyz");
    BOOST_TEST(got.status == 200);
    BOOST_TEST(got.body.find("\"degraded\"") != std::string::npos);
    BOOST_TEST(got.body.find("relay: no connection") != std::string::npos);
    state.broker_changed({"amqp://b:5672", "relay", true, {}});
    BOOST_TEST(state.degraded().empty());
    BOOST_TEST(get("/readyz").body.find("\"ready\"") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(operations_can_be_served_alone, watched) {
    api_parts parts = shown();
    parts.operations_only = true;
    api alone(orders, reads, parts);
    api_service service_alone(alone);
    served = &service_alone;
    documented = false;
    for (const char* path : {"/metrics", "/healthz", "/readyz"}) {
        BOOST_TEST(get(path).status == 200, path);
    }
    BOOST_TEST(get("/orders").status == 404);
    BOOST_TEST(create("A").status == 404);
    BOOST_TEST(ask("POST", "/metrics").status == 405);
}
