// What needs a person.

#include "api/api.hpp"
#include "api/checks.hpp"
#include "api/json_writer.hpp"
#include "api/representation.hpp"
#include "api/shared_facts.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

constexpr std::size_t findings_max = 50;

void write_finding(const check& of, const finding& it, json_writer& to) {
    to.open('{').name("code").text(of.code).name("severity").text(name_of(of.severity));
    to.name("subject").text(of.subject).name("text").text(it.text);
    to.name("since").time_or_null(it.since).name("count");
    if (it.count) {
        to.number(*it.count);
    } else {
        to.null();
    }
    to.name("about").open('{').name("kind").text(of.kind);
    if (of.name_is == "reason") {
        to.name(of.name_is).text(it.name);  // of orders that failed without one it is empty
    } else if (!of.name_is.empty()) {
        to.name(of.name_is).text_or_null(it.name);
    }
    to.close('}').close('}');
}

std::string_view state_text(const check& of, bool known, bool found) {
    if (!known) return "unknown";
    return found ? name_of(of.severity) : "ok";
}

// What the process knows is told also while the storage cannot be read.
class findings_read final : public facts_read {
public:
    findings_read(engine& of, shared_facts& from,
                  std::function<std::vector<health_reason>()> process,
                  std::optional<std::chrono::milliseconds> retained)
        : facts_read(from), engine_(of), process_(std::move(process)), retained_(retained) {}

    void answer(const http::request&, http::response& out) override {
        const auto reasons = process_();
        const timestamp now = engine_.runtime().time.now();
        const check_input in{reasons, facts(), engine_.machine(), now, retained_};
        out.add("Cache-Control", "no-store");
        json_writer to(out.body);
        to.open('{').name("at").time(facts() ? facts()->read_at : now).name("findings").open('[');
        std::string states;
        json_writer checks(states);
        checks.open('[');
        std::size_t shown = 0;
        for (const check& one : all_checks()) {
            const bool known = !one.needs_storage || in.stored;
            const auto found = known ? one.look(one, in) : std::vector<finding>();
            for (const finding& each : found) {
                if (shown++ < findings_max) write_finding(one, each, to);
            }
            checks.open('{').name("code").text(one.code).name("subject").text(one.subject);
            checks.name("state").text(state_text(one, known, !found.empty())).close('}');
        }
        checks.close(']');
        to.close(']').name("checks").raw(states).close('}');
    }

private:
    engine& engine_;
    const std::function<std::vector<health_reason>()> process_;
    const std::optional<std::chrono::milliseconds> retained_;
};

// The storage is known not to answer: nobody waits for it.
bool is_out_of_reach(const std::vector<health_reason>& known) {
    return std::any_of(known.begin(), known.end(), [](const health_reason& it) {
        return it.code == health_codes::storage_hangs ||
               it.code == health_codes::storage_unreadable;
    });
}

}  // namespace

std::vector<health_reason> api::process_reasons() const {
    std::vector<health_reason> out;
    for (const auto* source : {&parts_.unhealthy, &parts_.unready, &parts_.degraded}) {
        if (!*source) continue;
        for (health_reason& it : (*source)()) {
            const bool there = std::any_of(out.begin(), out.end(), [&](const health_reason& one) {
                return one.code == it.code && one.text == it.text;
            });
            if (!there) out.push_back(std::move(it));
        }
    }
    return out;
}

bool api::get_findings(const call& it, http::response& out, pending& todo) {
    if (!expect_no_query(it.in, out)) return false;
    auto found = std::make_unique<findings_read>(
        engine_, facts_, [this] { return process_reasons(); }, parts_.retained);
    if (is_out_of_reach(process_reasons())) {
        found->answer(it.in, out);
        return false;
    }
    todo.read = std::move(found);
    todo.read_may_fail = true;
    return true;
}

}  // namespace orderproc::server
