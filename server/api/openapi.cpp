#include "api/openapi.hpp"

#include "api/batch.hpp"
#include "api/checks.hpp"
#include "api/cors.hpp"
#include "api/health_reason.hpp"
#include "api/idempotency.hpp"
#include "api/list_query.hpp"
#include "api/openapi_orders.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"
#include "api/routes.hpp"
#include "api/text.hpp"
#include "api/webhook_body.hpp"
#include "docs/pages.hpp"
#include "http/options.hpp"

#include <orderproc/json.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

namespace json = boost::json;

constexpr std::string_view methods[] = {"get", "put", "post", "delete", "patch", "options"};

// What any answer may have: the limits' and the origins' come in front of all handlers.
constexpr std::string_view fields_of_all[] = {"X-Request-Id",
                                              "X-Content-Type-Options",
                                              "RateLimit",
                                              "RateLimit-Policy",
                                              "Access-Control-Allow-Origin",
                                              "Access-Control-Expose-Headers",
                                              "Vary"};

[[noreturn]] void misfit(std::string_view what) {
    throw std::logic_error("docs/openapi.json: " + std::string(what));
}

json::object reference(std::string_view kind, std::string_view name) {
    return {{"$ref", "#/components/" + std::string(kind) + "/" + std::string(name)}};
}

const http::problem_kind* find_problem(std::string_view code) noexcept {
    for (const http::problem_kind* it : all_problems()) {
        if (it->code == code) return it;
    }
    return nullptr;
}

// "256 KiB", or in bytes what is no whole number of these.
std::string size_text(std::size_t bytes) {
    constexpr std::size_t kib = 1024;
    if (bytes >= kib * kib && bytes % (kib * kib) == 0) {
        return std::to_string(bytes / kib / kib) + " MiB";
    }
    if (bytes >= kib && bytes % kib == 0) return std::to_string(bytes / kib) + " KiB";
    return std::to_string(bytes) + " bytes";
}

// What an answer to an attempt may raise, and nothing.
json::array work_events(const status_machine& machine) {
    json::array out;
    for (const work_stage& stage : machine.stages()) {
        for (const std::string_view it : machine.ways_out(stage)) {
            if (std::find(out.begin(), out.end(), json::value(it)) == out.end()) {
                out.emplace_back(it);
            }
        }
    }
    out.emplace_back(nullptr);
    return out;
}

// What a string of the template may name.
json::object make_values(const status_machine& machine, const http::request_limits& limits) {
    json::array statuses;
    json::object counts;
    for (const order_status& it : machine.statuses()) {
        statuses.emplace_back(it.view());
        counts.emplace(lower_case(it.view()), json::object{{"type", "integer"}, {"minimum", 0}});
    }
    json::array client_events;
    std::string event_scopes;
    json::array events(engine_events.begin(), engine_events.end());
    for (const transition& it : machine.transitions()) {
        events.emplace_back(it.event);
        if (!it.open_to_clients) continue;
        client_events.emplace_back(it.event);
        event_scopes.append(event_scopes.empty() ? "`" : ", `").append(it.event);
        event_scopes.append("` needs `").append(it.scope).append("`");
    }
    const auto stages = machine.stages();
    const std::string_view stage = stages.empty() ? "WORKING" : stages.front().active.view();
    json::array codes;
    for (const http::problem_kind* it : all_problems()) codes.emplace_back(it->code);
    json::array health;
    for (const std::string_view it : health_codes::all) health.emplace_back(it);
    json::array checks;
    for (const check& it : all_checks()) checks.emplace_back(it.code);
    json::array scopes;
    for (const auth::scope it : auth::scopes_in(auth::all_scopes)) {
        scopes.emplace_back(auth::to_string(it));
    }
    json::array count_names;
    for (const auto& it : counts) count_names.emplace_back(it.key());
    return {
        {"version", ORDERPROC_VERSION},
        {"statuses", std::move(statuses)},
        {"status_counts", std::move(counts)},
        {"status_count_names", std::move(count_names)},
        {"client_events", std::move(client_events)},
        {"event_scopes", event_scopes},
        {"work_events", work_events(machine)},
        {"example_stage", stage},
        {"events", std::move(events)},
        {"problem_codes", std::move(codes)},
        {"health_codes", std::move(health)},
        {"checks", std::move(checks)},
        {"scopes", std::move(scopes)},
        {"cors_allowed_fields", cors_allowed_fields},
        {"cors_exposed_fields", cors_exposed_fields},
        {"cors_preflight_seconds", cors_preflight_seconds},
        {"items_max", order::items_max},
        {"metadata_size_max", order::metadata_size_max},
        {"errors_max", parsed_order::errors_max},
        {"attempt_seconds_max", parsed_answer::seconds_max},
        {"reason_size_max", parsed_transition::reason_size_max},
        {"batch_items_max", batch::items_max},
        {"limit_max", list_query::limit_max},
        {"limit_default", list_query::limit_default},
        {"total_max", list_query::total_max},
        {"order_id_size_max", order_id::size_max},
        {"journal_entries_max", journal_entries_max},
        {"journal_limit_default", journal_limit_default},
        {"history_entries_max", history_entries_max},
        {"workers_limit_max", workers_limit_max},
        {"workers_limit_default", workers_limit_default},
        {"webhook_attempts_max", webhook_attempts_max},
        {"webhook_attempts_default", webhook_attempts_default},
        {"idempotency_key_size_max", idempotency_key_size_max},
        {"body_size_max", size_text(limits.body_size_max)},
        {"batch_size_max", size_text(limits.large_body_size_max)},
        {"header_size_max", size_text(limits.header_size_max)},
        {"fields_max", limits.fields_max},
        {"target_size_max", size_text(limits.target_size_max)},
    };
}

class openapi_maker {
public:
    openapi_maker(const status_machine& machine, const order_model& model,
                  const http::request_limits& limits)
        : machine_(machine),
          root_(json::parse(unpack(find_page("")->gzipped)).as_object()),
          values_(make_values(machine, limits)) {
        for (auto& it : order_values(machine, model)) {
            values_.emplace(it.key(), std::move(it.value()));
        }
        auto& schemas = components().at("schemas").as_object();
        for (auto& it : order_schemas(model)) schemas.emplace(it.key(), std::move(it.value()));
    }

    std::string make() {
        groups_ = take(root_, "x-problem-groups").as_object();
        add_examples(take(root_, "x-problems").as_object());
        for (auto& path : root_.at("paths").as_object()) {
            auto& item = path.value().as_object();
            item.emplace("options", make_options(path.key()));
            const json::value of_all = take(item, "parameters");
            for (const std::string_view method : methods) {
                auto* operation = item.if_contains(method);
                if (!operation) continue;
                add_access(method, path.key(), operation->as_object());
                finish(operation->as_object(), of_all.as_array());
            }
        }
        for (auto& it : components().at("responses").as_object()) add_fields(it.value());
        json::value whole = std::move(root_);
        fill(whole);
        return json::serialize(whole);
    }

private:
    json::object& components() { return root_.at("components").as_object(); }

    static json::value take(json::object& from, std::string_view name) {
        auto* found = from.if_contains(name);
        if (!found) misfit(std::string(name) + " is missing");
        json::value out = std::move(*found);
        from.stable_erase(from.find(name));
        return out;
    }

    // A sample of each problem, as the server writes it.
    void add_examples(const json::object& described) {
        auto& examples = components().at("examples").as_object();
        for (const http::problem_kind* it : all_problems()) {
            const auto* about = described.if_contains(it->code);
            if (!about) misfit("no advice about the problem " + std::string(it->code));
            json::object value{{"type", "urn:orderproc:problem:" + std::string(it->code)},
                               {"title", it->title},
                               {"status", it->status}};
            value.emplace("instance", "/orders");
            value.emplace("code", it->code);
            value.emplace("request_id", "6f1c9a52e7d04b-1");
            for (const auto& member : about->at("with").as_object()) {
                value.insert_or_assign(member.key(), member.value());
            }
            const auto& what_to_do = about->at("do").as_string();
            advice_[it->code] = std::string(it->title) + ". " + std::string(what_to_do);
            examples[it->code] = {
                {"summary", it->title}, {"description", what_to_do}, {"value", std::move(value)}};
        }
        for (const auto& it : described) {
            if (!find_problem(it.key())) misfit("no such problem: " + std::string(it.key()));
        }
    }

    // What the server answers for every path that it has.
    static json::object make_options(std::string_view path) {
        std::string name = "options";
        for (const char c : path) {
            const bool letter = c >= 'a' && c <= 'z';
            if (letter) {
                name.append(1, c);
            } else if (name.back() != '_') {
                name.append(1, '_');
            }
        }
        if (name.back() == '_') name.pop_back();
        json::array parameters;
        for (const char* it :
             {"Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"}) {
            parameters.push_back(reference("parameters", it));
        }
        return {{"operationId", name},
                {"tags", {"Preflights"}},
                {"summary", "The methods of " + std::string(path)},
                {"parameters", std::move(parameters)},
                {"responses", {{"204", reference("responses", "Methods")}}},
                {"x-problems", json::array()}};
    }

    // Where the event decides: what the events of this machine need, or the one that the path
    // names.
    auth::scope_set scopes_of(const route& it) const {
        if (!it.needs.by_event) return it.needs.any_of;
        const std::string_view last = it.pattern.substr(it.pattern.rfind('/') + 1);
        const bool any = it.name == "raise_transition" || !machine_.find(last);
        auth::scope_set out;
        for (const transition& event : machine_.transitions()) {
            if (!event.open_to_clients || (!any && event.event != last)) continue;
            if (const auto needed = auth::find_scope(event.scope)) out.add(*needed);
        }
        return out;
    }

    // What the table of routes says of who may ask. A credential is optional: while there is no
    // key, requests from the server's machine need none.
    void add_access(std::string_view method, std::string_view path, json::object& operation) {
        json::array security;
        for (const route& it : routes()) {
            if (lower_case(it.method) != method || it.pattern != path || it.needs.open()) continue;
            security.push_back(json::object());
            for (const auth::scope one : auth::scopes_in(scopes_of(it))) {
                for (const char* scheme : {"key", "token"}) {
                    security.push_back(json::object{{scheme, {auth::to_string(one)}}});
                }
            }
            auto& codes = operation.at("x-problems").as_array();
            for (const auto* kind : {&problems::unauthenticated, &problems::forbidden,
                                     &problems::credentials_unavailable}) {
                codes.emplace_back(kind->code);
            }
        }
        operation["security"] = std::move(security);
    }

    void add_codes(const json::array& names, std::map<unsigned, json::array>& by_status) {
        for (const json::value& it : names) {
            if (const auto* group = groups_.if_contains(it.as_string())) {
                add_codes(group->as_array(), by_status);
                continue;
            }
            const http::problem_kind* kind = find_problem(it.as_string());
            if (!kind) misfit("no such problem: " + std::string(it.as_string()));
            by_status[kind->status].push_back(it);
        }
    }

    // parameters: of all operations of the path. Swagger UI does not find them there for OPTIONS.
    void finish(json::object& operation, const json::array& parameters) {
        json::array all;
        const auto add = [&](const json::array& some) {
            for (const json::value& it : some) {
                const auto* name = it.if_string();
                const json::array one{name ? named(name->subview(1)) : it};
                for (const json::value& each : name ? one[0].as_array() : one) all.push_back(each);
            }
        };
        if (const auto* own = operation.if_contains("parameters")) add(own->as_array());
        add(parameters);
        operation["parameters"] = std::move(all);
        std::map<unsigned, json::array> by_status;
        add_codes(take(operation, "x-problems").as_array(), by_status);
        auto& responses = operation.at("responses").as_object();
        for (auto& it : responses) {
            if (!it.value().as_object().contains("$ref")) add_fields(it.value());
        }
        for (const auto& [status, codes] : by_status) {
            json::value response = make_response(codes, status);
            add_fields(response);
            responses.emplace(std::to_string(status), std::move(response));
        }
        responses.emplace("default", reference("responses", "Problem"));
    }

    json::value make_response(const json::array& codes, unsigned status) {
        std::string description;
        json::object examples;
        for (const json::value& it : codes) {
            const std::string_view code = it.as_string();
            if (!description.empty()) description.append("\n\n");
            description.append(1, '`').append(code).append("`: ");
            description.append(advice_.at(code));
            examples.emplace(code, reference("examples", code));
        }
        json::object out{
            {"description", description},
            {"content",
             {{"application/problem+json",
               {{"schema", reference("schemas", "Problem")}, {"examples", std::move(examples)}}}}}};
        const bool encoded =
            std::find(codes.begin(), codes.end(), "unsupported_media_type") != codes.end();
        if (encoded)
            out["headers"] = {{"Accept-Encoding", reference("headers", "Accept-Encoding")}};
        if (status == 401) {
            out["headers"] = {{"WWW-Authenticate", reference("headers", "WWW-Authenticate")}};
        }
        if (status == 503) out["headers"] = {{"Retry-After", reference("headers", "Retry-After")}};
        return out;
    }

    static void add_fields(json::value& response) {
        auto& it = response.as_object();
        if (!it.contains("headers")) it["headers"].emplace_object();
        for (const std::string_view name : fields_of_all) {
            it["headers"].as_object().emplace(name, reference("headers", name));
        }
    }

    void fill(json::value& it) {
        if (auto* object = it.if_object()) {
            for (auto& member : *object) {
                if (member.key() != "$ref") fill(member.value());
            }
        } else if (auto* array = it.if_array()) {
            for (json::value& one : *array) fill(one);
        } else if (const auto* text = it.if_string()) {
            it = filled(*text);
        }
    }

    const json::value& named(std::string_view name) const {
        const auto* found = values_.if_contains(name);
        if (!found) misfit("nothing is named $" + std::string(name));
        return *found;
    }

    json::value filled(std::string_view text) const {
        if (text.size() > 1 && text[0] == '$' && text[1] != '{') return named(text.substr(1));
        std::string out;
        for (;;) {
            const std::size_t open = text.find("${");
            out.append(text.substr(0, open));
            if (open == text.npos) return json::string(out);
            const std::size_t close = text.find('}', open);
            if (close == text.npos) misfit("${ without }");
            out.append(spelt(named(text.substr(open + 2, close - open - 2))));
            text.remove_prefix(close + 1);
        }
    }

    static std::string spelt(const json::value& it) {
        if (const auto* text = it.if_string()) return std::string(*text);
        const auto* array = it.if_array();
        if (!array) return json::serialize(it);
        std::string out;
        for (const json::value& one : *array) {
            if (!out.empty()) out.append(", ");
            out.append(spelt(one));
        }
        return out;
    }

    const status_machine& machine_;
    json::object root_;
    json::object values_;
    json::object groups_;
    std::map<std::string_view, std::string> advice_;
};

}  // namespace

std::string make_openapi(const status_machine& machine, const order_model& model,
                         const http::request_limits& limits) {
    return openapi_maker(machine, model, limits).make();
}

std::shared_ptr<const openapi_document::content> openapi_document::get() {
    const order_model& model = of_.model();
    const std::lock_guard lock(mutex_);
    if (model_ != &model) {
        auto made = std::make_shared<content>();
        made->text = make_openapi(of_.machine(), model, limits_);
        made->etag = tag_of(made->text);
        content_ = std::move(made);
        model_ = &model;
    }
    return content_;
}

}  // namespace orderproc::server
