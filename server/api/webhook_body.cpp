#include "api/webhook_body.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace orderproc::server {

namespace {

namespace js = boost::json;

// Of the events that no machine has.
constexpr std::string_view common_events[] = {"create", "edit", "annotate", "delete", "redact"};

std::optional<timestamp> hook_time(std::string_view name, const js::value& value,
                                   std::vector<field_error>& errors) {
    if (const auto* text = value.if_string()) {
        if (const auto at = parse_timestamp(*text)) return *at;
    }
    errors.push_back(
        {pointer_to(name), "wrong_type", "must be a time such as 2026-06-15T14:23:11Z (RFC 3339)"});
    return std::nullopt;
}

// An integer as its text: users are either.
void read_bound(std::string_view name, const js::value& value, bool integers, std::size_t size_max,
                std::vector<field_error>& errors, std::optional<std::string>& to) {
    to.reset();
    if (value.is_null()) return;
    if (const auto* number = value.if_int64(); number && integers) {
        to = std::to_string(*number);
        return;
    }
    auto text = text_of(name, value, errors);
    if (text && text->size() > size_max) {
        errors.push_back({pointer_to(name), "too_large",
                          "must be at most " + std::to_string(size_max) + " bytes"});
    } else if (text) {
        to = std::move(text);
    }
}

void read_events(std::vector<std::string> all, const status_machine& machine, webhook_draft& to,
                 std::vector<field_error>& errors) {
    for (const std::string& it : all) {
        const bool common = std::find(std::begin(common_events), std::end(common_events), it) !=
                            std::end(common_events);
        if (common || machine.find(it)) continue;
        errors.push_back({"#/events", "not_a_choice", "there is no event \"" + it + "\""});
        return;
    }
    to.events = std::move(all);
}

void read_statuses_of(const std::vector<std::string>& all, const status_machine& machine,
                      webhook_draft& to, std::vector<field_error>& errors) {
    std::vector<order_status> out;
    for (const std::string& it : all) {
        const auto status = order_status::parse(it);
        const auto known = machine.statuses();
        if (!status || std::find(known.begin(), known.end(), *status) == known.end()) {
            errors.push_back({"#/statuses", "not_a_choice", "there is no status \"" + it + "\""});
            return;
        }
        out.push_back(*status);
    }
    to.statuses = std::move(out);
}

void read_content(const std::string& text, webhook_draft& to, std::vector<field_error>& errors) {
    for (const auto it : {webhook_content::full, webhook_content::reference}) {
        if (text != name_of(it)) continue;
        to.content = it;
        return;
    }
    if (text.empty()) {
        to.content = webhook_content::full;
    } else {
        errors.push_back({"#/content", "not_a_choice", "must be \"full\" or \"reference\""});
    }
}

bool read_member(std::string_view name, const js::value& value, const status_machine& machine,
                 webhook_draft& to, std::vector<field_error>& errors) {
    if (name == "url") {
        if (auto text = text_of(name, value, errors)) to.url = std::move(*text);
    } else if (name == "description") {
        if (auto text = text_of(name, value, errors)) to.description = std::move(*text);
    } else if (name == "events") {
        if (auto all = texts_of(name, value, webhook_endpoint::filters_max, errors)) {
            read_events(std::move(*all), machine, to, errors);
        }
    } else if (name == "statuses") {
        if (auto all = texts_of(name, value, webhook_endpoint::filters_max, errors))
            read_statuses_of(*all, machine, to, errors);
    } else if (name == "user_id") {
        read_bound(name, value, true, order_content::user_size_max, errors, to.scope.user);
    } else if (name == "tenant") {
        read_bound(name, value, false, order_content::tenant_size_max, errors, to.scope.tenant);
    } else if (name == "content") {
        if (auto text = text_of(name, value, errors)) read_content(*text, to, errors);
    } else {
        return false;
    }
    return true;
}

void put(std::string_view name, std::string_view value, std::string& out) {
    out.append(",\"").append(name).append("\":");
    append_json_string(value, out);
}

template <class Texts>
void put_list(std::string_view name, const Texts& all, std::string& out) {
    out.append(",\"").append(name).append("\":[");
    bool first = true;
    for (const auto& it : all) {
        if (!std::exchange(first, false)) out += ',';
        append_json_string(std::string_view(it), out);
    }
    out += ']';
}

}  // namespace

body_faults read_webhook(std::string_view body, const status_machine& machine,
                         const url_judge& admits, webhook_draft& to,
                         std::optional<timestamp>* since) {
    auto out = read_members(body, [&](std::string_view name, const js::value& value, auto& errors) {
        if (since && name == "since") {
            *since = hook_time(name, value, errors);
            return true;
        }
        return read_member(name, value, machine, to, errors);
    });
    if (!out.none()) return out;
    webhook_endpoint whole;
    whole.url = to.url;
    whole.description = to.description;
    whole.events = to.events;
    whole.statuses = to.statuses;
    auto ok = validate(whole);
    if (ok && admits) ok = admits(to.url);
    if (!ok) {
        const std::string& why = ok.error().detail;
        const std::size_t colon = why.starts_with("description:") ? why.find(':') : why.npos;
        const bool of_url = colon == why.npos;
        out.errors.push_back({of_url ? "#/url" : pointer_to(why.substr(0, colon)), "not_allowed",
                              of_url ? why : why.substr(colon + 2)});
    }
    return out;
}

body_faults read_rotation(std::string_view body, rotation_body& to) {
    if (body.empty()) return {};
    return read_members(body, [&](std::string_view name, const js::value& value, auto& errors) {
        if (name != "overlap_seconds") return false;
        const auto most = std::chrono::seconds(webhook_overlap_max).count();
        const auto* const number = value.if_int64();
        if (number && *number >= 0 && *number <= most) {
            to.overlap = std::chrono::seconds(*number);
        } else {
            errors.push_back({pointer_to(name), "out_of_range",
                              "must be an integer from 0 to " + std::to_string(most)});
        }
        return true;
    });
}

body_faults read_replay(std::string_view body, replay_body& to) {
    auto out = read_members(body, [&](std::string_view name, const js::value& value, auto& errors) {
        if (name == "attempt") {
            to.attempt = text_of(name, value, errors).value_or("");
        } else if (name == "since") {
            to.since = hook_time(name, value, errors);
        } else if (name == "until") {
            to.until = hook_time(name, value, errors);
        } else {
            return false;
        }
        return true;
    });
    if (!out.none()) return out;
    const bool span = to.since && to.until;
    if (to.attempt.empty() == !span || (!to.attempt.empty() && (to.since || to.until))) {
        out.errors.push_back({"#", "required", "must have attempt, or since and until"});
    } else if (span && *to.since >= *to.until) {
        out.errors.push_back({"#/until", "out_of_range", "must be after since"});
    }
    return out;
}

void write_webhook(const webhook_endpoint& it, std::string_view secret, std::string& out) {
    out += R"({"id":)";
    append_json_string(it.id, out);
    put("url", it.url, out);
    put("description", it.description, out);
    put_list("events", it.events, out);
    std::vector<std::string_view> statuses;
    for (const order_status& one : it.statuses) statuses.push_back(one.view());
    put_list("statuses", statuses, out);
    if (it.scope.user) put("user_id", *it.scope.user, out);
    if (it.scope.tenant) put("tenant", *it.scope.tenant, out);
    put("content", name_of(it.content), out);
    put("state", name_of(it.state), out);
    if (!it.paused_why.empty()) put("paused_because", it.paused_why, out);
    put("created_at", to_string(it.created_at), out);
    put("created_by", it.created_by, out);
    if (!secret.empty()) put("secret", secret, out);
    out += '}';
}

void write_attempt(const webhook_attempt& it, std::string& out) {
    out += R"({"id":)";
    append_json_string(it.id, out);
    put("webhook_id", it.event, out);
    if (!it.order.empty()) {
        put("order_id", it.order, out);
        out.append(R"(,"version":)").append(std::to_string(static_cast<std::uint64_t>(it.version)));
    }
    put("at", to_string(it.began_at), out);
    out.append(R"(,"duration_ms":)").append(std::to_string(it.took.count()));
    out.append(R"(,"number":)").append(std::to_string(it.number));
    put("result", it.succeeded() ? "delivered" : "failed", out);
    if (it.status != 0) out.append(R"(,"status":)").append(std::to_string(it.status));
    if (!it.error.empty()) put("error", it.error, out);
    if (!it.answer.empty()) put("answer", it.answer, out);
    if (it.next_at) put("next_at", to_string(*it.next_at), out);
    out += '}';
}

}  // namespace orderproc::server
