#include "api/api.hpp"
#include "api/checks.hpp"
#include "api/json_writer.hpp"
#include "api/negotiation.hpp"
#include "api/problems.hpp"
#include "api/text.hpp"
#include "api/work_facts.hpp"

#include <orderproc/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

namespace {

using reasons = std::vector<health_reason>;

reasons reasons_of(const std::function<reasons()>& source) {
    return source ? source() : reasons();
}

// Each code once, for everybody; the reasons are for those who may read them.
void write_state(std::string_view state, const reasons& why, const caller& to,
                 http::response& out) {
    out.add("Cache-Control", "no-store");
    out.body.append(R"({"status":")").append(state).append(1, '"');
    if (why.empty()) {
        out.body.append(1, '}');
        return;
    }
    std::vector<std::string_view> codes;
    for (const health_reason& it : why) {
        if (std::find(codes.begin(), codes.end(), it.code) == codes.end()) codes.push_back(it.code);
    }
    append_words("codes", codes, out.body);
    if (to.may(auth::scope::read)) {
        std::vector<std::string_view> texts;
        for (const health_reason& it : why) texts.emplace_back(it.text);
        append_words("reasons", texts, out.body);
    }
    out.body.append(1, '}');
}

void write_unfit(const reasons& why, const caller& to, http::response& out) {
    out.status = 503;
    write_state("unavailable", why, to, out);
}

void write_counts(const statistics& counted, const status_machine& machine, http::response& out) {
    const auto average = counted.completed == 0 ? std::chrono::milliseconds(0)
                                                : counted.processing_time /
                                                      static_cast<std::int64_t>(counted.completed);
    out.add("Cache-Control", "no-store");
    out.body.append(R"({"total_orders_processed":)").append(std::to_string(counted.completed));
    out.body.append(R"(,"average_processing_time":)");
    append_seconds(average, out.body);
    out.body.append(R"(,"orders_by_status":{)");
    for (const order_status& status : machine.statuses()) {
        if (out.body.back() != '{') out.body.append(1, ',');
        out.body.append(1, '"')
            .append(lower_case(status.view()))
            .append("\":")
            .append(std::to_string(orders_in(counted, status)));
    }
    out.body.append(R"(},"total_orders_created":)");
    out.body.append(std::to_string(counted.created)).append(1, '}');
}

// Scrapers want the other metrics, too, when the storage cannot be read.
class exposition_read final : public pending_read {
public:
    exposition_read(engine& of, const api_parts& parts) : engine_(of), parts_(parts) {}

    result<void> read(repository_reader& from) override {
        auto found = read_stored_facts(from, engine_.machine(), engine_.runtime().time.now(),
                                       [] { return true; });
        if (!found) return std::move(found).error();
        stored_ = std::move(*found);
        return {};
    }
    void answer(const http::request& in, http::response& out) override {
        out.add("Vary", "Accept");
        out.add("Cache-Control", "no-store");
        const bool wanted = prefers_openmetrics(in.find("Accept"));
        out.content_type = wanted ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                  : "text/plain; version=0.0.4; charset=utf-8";
        out.body = parts_.exposition(wanted, stored_ ? &*stored_ : nullptr);
    }

private:
    engine& engine_;
    const api_parts& parts_;
    std::optional<stored_facts> stored_;
};

}  // namespace

bool api::get_metrics(const call& it, http::response&, pending& todo) {
    if (parts_.exposition && prefers_prometheus(it.in.find("Accept"))) {
        todo.read = std::make_unique<exposition_read>(engine_, parts_);
        todo.read_may_fail = true;
        return true;
    }
    todo.read =
        read_then([](repository_reader& from) { return from.count(); },
                  [this](const statistics& counted, const http::request&, http::response& out) {
                      if (parts_.exposition) out.add("Vary", "Accept");
                      write_counts(counted, engine_.machine(), out);
                  });
    return true;
}

bool api::get_health(const call&, http::response& out, pending& todo) {
    const auto why = reasons_of(parts_.unhealthy);
    if (why.empty()) {
        write_state("ok", why, todo.by, out);
    } else {
        write_unfit(why, todo.by, out);
    }
    return false;
}

bool api::get_readiness(const call&, http::response& out, pending& todo) {
    reasons unready;
    reasons degraded;
    for (const auto* source : {&parts_.unready, &parts_.degraded}) {
        for (health_reason& it : reasons_of(*source)) {
            const check* row = find_check(it.code);
            const bool only = row && row->effect == readiness_effect::degraded;
            (only ? degraded : unready).push_back(std::move(it));
        }
    }
    if (!unready.empty()) {
        write_unfit(unready, todo.by, out);
        return false;
    }
    write_state(degraded.empty() ? "ready" : "degraded", degraded, todo.by, out);
    return false;
}

}  // namespace orderproc::server
