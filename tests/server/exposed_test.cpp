// Numbers that are asked for at each scrape: of the process, its files, its load and its workers.

#include "api_fixture.hpp"
#include "observe/exposed_values.hpp"
#include "observe/facts_metrics.hpp"
#include "observe/observed_service.hpp"
#include "observe/process_metrics.hpp"
#include "observe/request_watch.hpp"
#include "observe/webhook_lag.hpp"

#include <orderproc/write_records.hpp>

#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace orderproc;
using namespace std::chrono_literals;
using namespace orderproc::server;
using namespace orderproc::server::testing;

namespace {

using families = std::vector<::prometheus::MetricFamily>;

std::string text_of(const families& all) {
    return ::prometheus::TextSerializer().Serialize(all);
}

// The value behind "name ", or none.
std::optional<double> value_in(const std::string& text, const std::string& name) {
    const std::size_t at = ("\n" + text).find("\n" + name + " ");
    if (at == text.npos) return std::nullopt;
    return std::stod(text.substr(at + name.size() + 1));
}

bool has(const std::string& text, const std::string& line) {
    const bool there = ("\n" + text).find("\n" + line + "\n") != std::string::npos;
    if (!there) BOOST_TEST_MESSAGE(text);
    return there;
}

struct temporary_folder {
    temporary_folder() {
        path = (std::filesystem::temp_directory_path() / "orderproc-files-XXXXXX").string();
        BOOST_REQUIRE(::mkdtemp(path.data()) != nullptr);
    }
    ~temporary_folder() { std::filesystem::remove_all(path); }
    void write(const std::string& name, std::size_t size) const {
        std::ofstream(path + "/" + name) << std::string(size, 'x');
    }
    std::string path;
};

}  // namespace

BOOST_AUTO_TEST_CASE(values_are_asked_for_when_they_are_collected) {
    double now = 1;
    exposed_values all;
    all.gauge("size", "A size", [&] { return now; });
    all.counter("ends_total", "Ends", [] { return 7.0; }, {"result", "good"});
    all.counter("ends_total", "Ends", [] { return 8.0; }, {"result", "bad"});
    now = 2;
    const std::string text = text_of(all.collect());
    BOOST_TEST(has(text, "# TYPE size gauge"));
    BOOST_TEST(has(text, "size 2"));
    BOOST_TEST(has(text, "# TYPE ends_total counter"));
    BOOST_TEST(has(text, "ends_total{result=\"good\"} 7"));
    BOOST_TEST(has(text, "ends_total{result=\"bad\"} 8"));
    BOOST_TEST(all.collect().size() == 2U);
}

BOOST_AUTO_TEST_CASE(the_process_is_measured) {
    const std::string before = text_of(process_metrics());
    const double now =
        std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    const auto started = value_in(before, "process_start_time_seconds");
    BOOST_REQUIRE(started.has_value());
    BOOST_TEST(*started > now - 86400);
    BOOST_TEST(*started < now + 60);
    BOOST_TEST(value_in(before, "process_resident_memory_bytes").value_or(0) > 100'000);
    BOOST_TEST(value_in(before, "process_cpu_seconds_total").has_value());
    rlimit most{};
    BOOST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &most) == 0);
    BOOST_TEST(value_in(before, "process_max_fds").value_or(0) ==
               static_cast<double>(most.rlim_cur));
    const std::ifstream one_more("/dev/null");
    const std::string after = text_of(process_metrics());
    BOOST_TEST(value_in(after, "process_open_fds").value_or(0) ==
               value_in(before, "process_open_fds").value_or(0) + 1);
}

BOOST_AUTO_TEST_CASE(files_of_a_storage_are_measured) {
    const temporary_folder in;
    in.write("orders.db", 5000);
    std::string text = text_of(storage_file_metrics("sqlite:" + in.path + "/orders.db"));
    BOOST_TEST(has(text, "orderproc_storage_bytes{file=\"data\"} 5000"));
    BOOST_TEST(has(text, "orderproc_storage_bytes{file=\"log\"} 0"));
    BOOST_TEST(value_in(text, "orderproc_storage_free_bytes").has_value());
    in.write("orders.db-wal", 700);
    text = text_of(storage_file_metrics("sqlite:" + in.path + "/orders.db"));
    BOOST_TEST(has(text, "orderproc_storage_bytes{file=\"log\"} 700"));
    BOOST_TEST(storage_file_metrics("sqlite:" + in.path + "/none.db").empty());
    BOOST_TEST(storage_file_metrics("postgresql://db.example/shop").empty());
    BOOST_TEST(storage_file_metrics("memory:").empty());
}

BOOST_AUTO_TEST_CASE(workers_are_counted_by_state) {
    orderproc::testing::manual_clock time;
    const timestamp now = time.now();
    stored_facts of;
    const auto add = [&](std::chrono::seconds ago, bool draining) {
        worker_record it;
        it.heard_at = now - ago;
        it.draining = draining;
        it.in_work = 3;
        it.capacity = 10;
        of.workers.push_back(it);
    };
    add(1s, false);
    add(2s, false);
    add(1s, true);
    add(31s, false);
    add(46s, false);
    of.pauses.emplace_back();
    of.paused_endpoints.emplace_back();
    const std::string text = text_of(facts_metrics(of, now));
    for (const char* line :
         {"orderproc_workers{state=\"working\"} 2", "orderproc_workers{state=\"draining\"} 1",
          "orderproc_workers{state=\"silent\"} 1", "orderproc_workers{state=\"gone\"} 1",
          "orderproc_in_work 9", "orderproc_capacity 20", "orderproc_pauses 1",
          "orderproc_webhooks_paused 1"}) {
        BOOST_TEST(has(text, line), line);
    }
    of.has_records = false;
    BOOST_TEST(facts_metrics(of, now).empty());
}

BOOST_AUTO_TEST_CASE(the_latest_endpoint_counts_as_long_as_it_is_measured) {
    orderproc::testing::manual_clock time;
    webhook_lag lag(time);
    BOOST_TEST((lag.longest() == 0ms));
    lag.feed_measured({"webhook.wh_1", true, 5, 3s});
    lag.feed_measured({"webhook.wh_2", true, 5, 8s});
    lag.feed_measured({"relay", true, 5, 90s});
    BOOST_TEST((lag.longest() == 8s));
    time.advance(9s);
    lag.feed_measured({"webhook.wh_1", true, 5, 4s});
    BOOST_TEST((lag.longest() == 8s));
    time.advance(1s);
    BOOST_TEST((lag.longest() == 4s));
    lag.feed_measured({"webhook.wh_1", true, 0, 0s});
    BOOST_TEST((lag.longest() == 0ms));
}

namespace {

// Answers when it is told to.
struct patient_service final : http::service {
    struct patient final : http::session {
        explicit patient(patient_service& of) : of_(of) {}
        bool admit(http::request&, http::response& out) noexcept override {
            out.status = of_.status;
            return of_.admits;
        }
        http::step begin(const http::request&, http::response&) noexcept override {
            return http::step::waiting;
        }
        http::step resume(const http::request&, http::response&) noexcept override {
            return http::step::answered;
        }
        patient_service& of_;
    };
    std::unique_ptr<http::session> open(http::exchange&) override {
        return std::make_unique<patient>(*this);
    }
    bool admits = true;
    unsigned status = 200;
};

struct under_load {
    struct : http::exchange {
        void ready() noexcept override {}
    } by;
    std::unique_ptr<http::session> open() { return observed.open(by); }
    // As the transport does when it refuses what the service has admitted, or has not.
    void refuse(http::session& to, unsigned status) {
        http::request asked;
        http::response refusal;
        if (to.admit(asked, refusal)) refusal.status = status;
        to.refused(asked, refusal);
    }
    std::string shed() { return text_of(registry.Collect()); }

    ::prometheus::Registry registry;
    request_metrics metrics{registry};
    patient_service inner;
    observed_service observed{inner, {&metrics}};
    http::request in;
    http::response out;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(connections_and_requests_in_flight_are_counted, under_load) {
    auto first = open();
    auto second = open();
    auto third = open();
    BOOST_TEST(observed.connections() == 3U);
    BOOST_TEST(observed.in_flight() == 0U);
    first->begin(in, out);
    second->begin(in, out);
    third->begin(in, out);
    BOOST_TEST(observed.in_flight() == 3U);
    first->resume(in, out);
    BOOST_TEST(observed.in_flight() == 2U);
    first->begin(in, out);  // the connection's next request
    first->resume(in, out);
    second->abandon();  // its client has gone
    BOOST_TEST(observed.in_flight() == 1U);
    second.reset();
    third.reset();  // in the middle of a request
    BOOST_TEST(observed.in_flight() == 0U);
    BOOST_TEST(observed.connections() == 1U);
}

BOOST_FIXTURE_TEST_CASE(what_is_too_much_is_counted_by_its_reason, under_load) {
    const std::string name = "orderproc_requests_shed_total{reason=";
    const auto is = open();
    BOOST_TEST(has(shed(), name + "\"overloaded\"} 0"));
    refuse(*is, 503);
    refuse(*is, 503);
    refuse(*is, 429);
    refuse(*is, 400);
    observed.turned_away(out);
    BOOST_TEST(has(shed(), name + "\"overloaded\"} 2"));
    BOOST_TEST(has(shed(), name + "\"rate_limited\"} 1"));
    BOOST_TEST(has(shed(), name + "\"connections\"} 1"));
    // The service's own refusals say nothing of load: the keys cannot be read, say.
    inner.admits = false;
    inner.status = 503;
    refuse(*is, 200);
    inner.status = 429;
    refuse(*is, 200);
    BOOST_TEST(has(shed(), name + "\"overloaded\"} 2"));
    BOOST_TEST(has(shed(), name + "\"rate_limited\"} 1"));
    // And later ones of the same connection are the transport's again.
    inner.admits = true;
    refuse(*is, 503);
    BOOST_TEST(has(shed(), name + "\"overloaded\"} 3"));
}

BOOST_FIXTURE_TEST_CASE(a_scrape_reads_the_records_of_workers, api_fixture) {
    std::optional<stored_facts> seen;
    api_parts parts;
    parts.exposition = [&seen](bool, const stored_facts* stored) {
        if (stored) seen = *stored;
        return std::string("x 1\n");
    };
    api shown(orders, reads, parts);
    api_service shown_service(shown);
    served = &shown_service;
    worker_record worker;
    worker.name = "w";
    worker.heard_at = time.now();
    bool written = false;
    write_records(orders, {to_record(worker, 0)},
                  [&written](const result<void>& it) { written = bool(it); });
    BOOST_REQUIRE(orders.run_once().has_value());
    BOOST_REQUIRE(written);
    BOOST_TEST(get("/metrics", {{"Accept", "text/plain"}}).status == 200);
    BOOST_REQUIRE(seen.has_value());
    BOOST_REQUIRE(seen->workers.size() == 1U);
    BOOST_TEST(seen->workers[0].name == "w");
}
