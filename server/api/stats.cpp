// The numbers of the present and of the last hour.

#include "api/api.hpp"
#include "api/json_writer.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/shared_facts.hpp"
#include "api/stats_history.hpp"
#include "api/text.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;

// Of rates, and of the part that is within the goal.
constexpr int decimals_of_rates = 3;
constexpr int decimals_of_parts = 4;

void seconds_or_null(const std::optional<milliseconds>& value, json_writer& to) {
    if (value) {
        to.seconds(*value);
    } else {
        to.null();
    }
}
void rate_or_null(const std::optional<double>& value, json_writer& to) {
    if (value) {
        to.decimal(*value, decimals_of_rates);
    } else {
        to.null();
    }
}
void number_or_null(const std::optional<std::uint64_t>& value, json_writer& to) {
    if (value) {
        to.number(*value);
    } else {
        to.null();
    }
}

// How long the first order of the status has been due; none: no order is.
struct first_due {
    std::optional<timestamp> at;
    std::optional<milliseconds> age;
};
first_due due_in(const statistics& counted, const order_status& status, timestamp now) {
    first_due out;
    for (const status_count& it : counted.orders) {
        if (it.status == status) out.at = it.oldest_due_at;
    }
    if (out.at && *out.at <= now) out.age = now - *out.at;
    return out;
}

void write_stages(const work_facts& facts, const status_machine& machine, timestamp now,
                  json_writer& to) {
    std::uint64_t waiting = 0;
    std::uint64_t in_work = 0;
    std::uint64_t failed = 0;
    std::optional<milliseconds> oldest;
    std::set<order_status> counted;  // stages may share the status of what failed
    to.name("stages").open('[');
    for (const work_stage& it : machine.stages()) {
        const std::uint64_t here = orders_in(facts.counted, it.waiting);
        const std::uint64_t working = orders_in(facts.counted, it.active);
        const first_due first = due_in(facts.counted, it.waiting, now);
        to.open('{').name("stage").text(it.active.view());
        to.name("waiting_status").text(it.waiting.view());
        to.name("failed_status").text(it.failed.view());
        to.name("waiting").number(here).name("in_work").number(working);
        to.name("oldest_due_at").time_or_null(first.at).name("oldest_age");
        seconds_or_null(first.age, to);
        to.name("paused").boolean(is_paused(facts.pauses, it)).close('}');
        waiting += here;
        in_work += working;
        if (first.age) oldest = std::max(*first.age, oldest.value_or(*first.age));
        if (counted.insert(it.failed).second) failed += orders_in(facts.counted, it.failed);
    }
    to.close(']').name("waiting").number(waiting).name("oldest_age");
    seconds_or_null(oldest, to);
    to.name("in_work").number(in_work).name("dead_letters").number(failed);
}

void write_workers(const work_facts& facts, const status_machine& machine, timestamp now,
                   json_writer& to) {
    constexpr std::array<std::string_view, 5> states{"working", "paused", "draining", "silent",
                                                     "gone"};
    std::array<std::uint64_t, states.size()> counts{};
    std::optional<std::uint64_t> capacity;
    for (const worker_record& it : facts.workers) {
        const worker_state state = state_of(it, now);
        const bool paused =
            state == worker_state::working && waits_for_resume(it, facts.pauses, machine);
        const std::string_view name = paused ? "paused" : name_of(state);
        const auto found = std::find(states.begin(), states.end(), name);
        if (found != states.end()) ++counts[static_cast<std::size_t>(found - states.begin())];
        if (state == worker_state::gone) continue;
        if (!capacity) capacity = 0;
        if (state != worker_state::silent) *capacity += it.capacity;
    }
    to.name("capacity");
    number_or_null(capacity, to);
    to.name("workers").open('{');
    for (std::size_t i = 0; i < states.size(); ++i) to.name(states[i]).number(counts[i]);
    to.close('}');
}

void write_flow(const stats_history::view& seen, json_writer& to) {
    to.name("completed_per_minute");
    rate_or_null(seen.completed_per_minute, to);
    to.name("created_to_done");
    if (!seen.created_to_done) {
        to.null();
        return;
    }
    const stats_history::flow& it = *seen.created_to_done;
    to.open('{').name("p50").seconds(it.p50).name("p95").seconds(it.p95);
    to.name("p99").seconds(it.p99);
    to.name("within_goal").decimal(it.within_goal, decimals_of_parts);
    to.name("goal").seconds(duration_counts::goal);
    to.name("sampled").number(it.sampled).name("of").number(it.of).close('}');
}

void write_now(const work_facts& facts, const stats_history::view& seen,
               const status_machine& machine, timestamp now, json_writer& to) {
    to.name("now").open('{').name("orders_by_status").open('{');
    for (const order_status& it : machine.statuses()) {
        to.name(lower_case(it.view())).number(orders_in(facts.counted, it));
    }
    to.close('}').name("created").number(facts.counted.created);
    to.name("completed").number(facts.counted.completed);
    write_stages(facts, machine, now, to);
    write_workers(facts, machine, now, to);
    write_flow(seen, to);
    to.name("paused").boolean(!facts.pauses.empty()).close('}');
}

void write_series(const stats_history::view& seen, json_writer& to) {
    using point = stats_history::point;
    const auto write = [&](std::string_view name, auto member, auto how) {
        to.name(name).open('[');
        for (const point& it : seen.points) how(it.*member, to);
        to.close(']');
    };
    to.name("series").open('{');
    write("created", &point::created, rate_or_null);
    write("completed", &point::completed, rate_or_null);
    write("failed", &point::failed, rate_or_null);
    write("waiting", &point::waiting, number_or_null);
    write("in_work", &point::in_work, number_or_null);
    write("p50", &point::p50, seconds_or_null);
    write("p95", &point::p95, seconds_or_null);
    write("p99", &point::p99, seconds_or_null);
    to.close('}');
}

void write_broker(const api_parts& parts, json_writer& to) {
    to.name("broker");
    if (!parts.broker) {
        to.null();
    } else {
        to.open('{').name("connections").open('[');
        for (const broker_connection& it : parts.broker()) {
            to.open('{').name("name").text(it.name).name("broker").text(it.broker);
            to.name("connected").boolean(it.connected);
            to.name("reason").text_or_null(it.reason).close('}');
        }
        to.close(']').close('}');
    }
    to.name("feeds").open('[');
    for (const feed_progress& it : parts.feeds ? parts.feeds() : std::vector<feed_progress>()) {
        to.open('{').name("cursor").text(it.cursor).name("leading").boolean(it.leading);
        to.name("behind").number(it.behind).name("lag").seconds(it.lag);
        to.name("waits_for").text(name_of(it.waits_for)).name("waited").seconds(it.waited);
        to.close('}');
    }
    to.close(']');
}

struct process_facts {
    engine& orders;
    const api_parts& parts;
    const std::string& instance;
    std::size_t span;  // of stats_spans
};

class stats_read final : public shared_source_read<work_facts> {
public:
    stats_read(shared_work& from, const process_facts& of) : shared_source_read(from), of_(of) {}

    void answer(const http::request&, http::response& out) override {
        clock& time = of_.orders.runtime().time;
        const timestamp now = time.now();
        const auto instant = time.monotonic();
        const auto seen = of_.parts.history ? of_.parts.history->look(of_.span, instant)
                                            : stats_history().look(of_.span, instant);
        // Of a point of monotonic time, by the clock as it is set now.
        const auto wall = [&](clock::instant at) { return now - (instant - at); };
        const stats_span& span = stats_spans[of_.span];
        out.add("Cache-Control", "no-store");
        json_writer to(out.body);
        to.open('{').name("instance").text(of_.instance).name("version").text(ORDERPROC_VERSION);
        to.name("at").time(now);
        write_now(*facts(), seen, of_.orders.machine(), now, to);
        to.name("span").text(span.name).name("step").seconds(span.step);
        to.name("from").time(wall(seen.from));
        to.name("since").time(seen.since ? wall(*seen.since) : now);
        write_series(seen, to);
        write_broker(of_.parts, to);
        to.name("storage").open('{').name("name").text(of_.parts.storage.name);
        to.name("durable").boolean(of_.parts.storage.durable);
        to.name("newest").text(to_string(facts()->newest)).close('}').close('}');
    }

private:
    const process_facts of_;
};

}  // namespace

bool api::get_stats(const call& it, http::response& out, pending& todo) {
    constexpr std::array<std::string_view, 1> names{"span"};
    std::array<std::optional<std::string>, 1> given;
    if (!read_parameters(it.in, names, given, out)) return false;
    std::size_t span = 0;
    if (given[0]) {
        while (span < stats_spans.size() && stats_spans[span].name != *given[0]) ++span;
    }
    if (span == stats_spans.size()) {
        constexpr std::array known{stats_spans[0].name, stats_spans[1].name};
        write_bad_parameter("span", "has to be 15m or 1h", it.in, out, known);
        return false;
    }
    todo.read =
        std::make_unique<stats_read>(work_, process_facts{engine_, parts_, instance_, span});
    return true;
}

}  // namespace orderproc::server
