#include "api/api.hpp"
#include "api/negotiation.hpp"
#include "api/problems.hpp"

#include <orderproc/json.hpp>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

namespace {

constexpr std::string_view unavailable = "unavailable";

// Seconds with as many decimals as milliseconds have, without zeros behind.
void append_seconds(std::chrono::milliseconds value, std::string& out) {
    out.append(std::to_string(value.count() / 1000));
    std::string decimals = std::to_string(value.count() % 1000);
    decimals.insert(0, 3 - decimals.size(), '0');
    decimals.erase(decimals.find_last_not_of('0') + 1);
    if (!decimals.empty()) out.append(1, '.').append(decimals);
}

void append_lower(std::string_view text, std::string& out) {
    for (const char c : text) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c | 32) : c);
}

void write_state(std::string_view state, const std::vector<std::string>& reasons,
                 http::response& out) {
    out.add("Cache-Control", "no-store");
    out.body.append(R"({"status":")").append(state).append(1, '"');
    if (reasons.empty()) {
        out.body.append(1, '}');
        return;
    }
    out.body.append(R"(,"reasons":[)");
    for (const std::string& it : reasons) {
        if (&it != reasons.data()) out.body.append(1, ',');
        append_json_string(it, out.body);
    }
    out.body.append("]}");
}

}  // namespace

bool api::get_metrics(const call& it, http::response& out, pending&) {
    if (parts_.exposition) {
        out.add("Vary", "Accept");
        if (prefers_prometheus(it.in.find("Accept"))) {
            out.add("Cache-Control", "no-store");
            const bool openmetrics = prefers_openmetrics(it.in.find("Accept"));
            out.content_type = openmetrics
                                   ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                                   : "text/plain; version=0.0.4; charset=utf-8";
            out.body = parts_.exposition(openmetrics);
            return false;
        }
    }
    const auto counted = reader_.use([](repository& from) { return from.count(); });
    if (!counted) {
        fail(counted.error(), it.in, out);
        return false;
    }
    const auto average =
        counted->completed == 0
            ? std::chrono::milliseconds(0)
            : counted->processing_time / static_cast<std::int64_t>(counted->completed);
    out.add("Cache-Control", "no-store");
    out.body.append(R"({"total_orders_processed":)").append(std::to_string(counted->completed));
    out.body.append(R"(,"average_processing_time":)");
    append_seconds(average, out.body);
    out.body.append(R"(,"orders_by_status":{)");
    for (const order_status& status : engine_.machine().statuses()) {
        const auto found =
            std::find_if(counted->orders.begin(), counted->orders.end(),
                         [&](const status_count& row) { return row.status == status; });
        if (out.body.back() != '{') out.body.append(1, ',');
        out.body.append(1, '"');
        append_lower(status.view(), out.body);
        out.body.append("\":").append(
            std::to_string(found == counted->orders.end() ? 0 : found->orders));
    }
    out.body.append("}}");
    return false;
}

bool api::get_health(const call&, http::response& out, pending&) {
    const auto counted = reader_.use([](repository& from) { return from.count(); });
    std::vector<std::string> reasons;
    if (!counted) reasons.push_back("storage: " + counted.error().code.message());
    if (!reasons.empty()) out.status = 503;
    write_state(reasons.empty() ? "ok" : unavailable, reasons, out);
    return false;
}

bool api::get_readiness(const call& it, http::response& out, pending& todo) {
    if (!parts_.unready) return get_health(it, out, todo);
    const auto reasons = parts_.unready();
    if (!reasons.empty()) {
        out.status = 503;
        write_state(unavailable, reasons, out);
        return false;
    }
    const auto degraded = parts_.degraded ? parts_.degraded() : std::vector<std::string>();
    write_state(degraded.empty() ? "ready" : "degraded", degraded, out);
    return false;
}

}  // namespace orderproc::server
