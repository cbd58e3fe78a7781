// `orderproc webhooks …`: the endpoints of a server that are told of changes, over HTTP.

#include "cli/order_client.hpp"
#include "cli/order_command.hpp"
#include "cli/order_text.hpp"
#include "cli/refusal.hpp"
#include "cli/server_command.hpp"
#include "cli/settings.hpp"
#include "text/duration.hpp"
#include "text/terminal_text.hpp"

#include <boost/json.hpp>

#include <cstdio>
#include <memory>
#include <utility>

namespace orderproc::server {

namespace {

namespace js = boost::json;

struct webhook_command_settings {
    server_settings server;
    std::string id;
    // Of create.
    std::string to, description, user, tenant, content, since;
    std::vector<std::string> events, statuses;
    std::string overlap = "24h";  // of rotate
    std::string order, after;     // of attempts
    bool failed = false;
    std::size_t limit = 100;
    std::string attempt, until;  // of replay, which has since as well
};

struct webhook_run {
    const webhook_command_settings& with;
    const server_command& by;

    result<fetch_response> ask(std::string method, std::string target,
                               const js::object* body = nullptr) const {
        return by.ask(std::move(method), std::move(target), body);
    }
    std::string path(const char* what = "") const {
        return "/webhooks/" + url_encoded(with.id) + what;
    }
    // The exit code, if the answer is not what was asked for.
    std::optional<int> refused(const result<fetch_response>& got, unsigned expected) const {
        return by.refused(got, expected);
    }
};

using webhook_action = int (*)(const webhook_run&);

std::string member(const js::object& of, std::string_view name) {
    const auto* const it = of.if_contains(name);
    if (!it) return "-";
    if (const auto* text = it->if_string()) return printable(std::string_view(*text));
    if (const auto* list = it->if_array()) {
        std::string out;
        for (const js::value& one : *list) {
            if (!out.empty()) out += ',';
            if (const auto* text = one.if_string()) out += printable(std::string_view(*text));
        }
        return out.empty() ? "all" : out;
    }
    return js::serialize(*it);
}

// The items of an answer as a table, or one a line.
int show_items(const webhook_run& by, const result<fetch_response>& got,
               const std::vector<const char*>& columns, table_row headings) {
    if (const auto code = by.refused(got, 200)) return *code;
    boost::system::error_code ec;
    const js::value whole = js::parse(got->body, ec);
    const auto* const root = ec ? nullptr : whole.if_object();
    const auto* const items = root ? root->if_contains("items") : nullptr;
    if (!items || !items->is_array()) return fail("the server did not answer with a list");
    std::vector<table_row> rows{std::move(headings)};
    for (const js::value& it : items->get_array()) {
        if (!it.is_object()) continue;
        if (by.by.json()) {
            print_json(js::serialize(it));
            continue;
        }
        table_row row;
        for (const char* const name : columns) row.push_back(member(it.get_object(), name));
        rows.push_back(std::move(row));
    }
    if (!by.by.json()) std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

// The secret alone on standard output, so that it can be piped; all else is for people.
int show_secret(const webhook_run& by, const result<fetch_response>& got, unsigned expected) {
    if (const auto code = by.refused(got, expected)) return *code;
    if (by.by.json()) {
        print_json(got->body);
        return 0;
    }
    boost::system::error_code ec;
    const js::value whole = js::parse(got->body, ec);
    const auto* const it = ec ? nullptr : whole.if_object();
    if (!it) return fail("the server did not answer with an endpoint");
    std::fprintf(stderr, "endpoint %s: its secret is shown this once\n", member(*it, "id").c_str());
    std::printf("%s\n", member(*it, "secret").c_str());
    return 0;
}

int show_done(const webhook_run& by, const result<fetch_response>& got, unsigned expected,
              const char* what) {
    if (const auto code = by.refused(got, expected)) return *code;
    if (by.by.json() && !got->body.empty()) {
        print_json(got->body);
    } else {
        std::printf("endpoint %s %s\n", printable(by.with.id).c_str(), what);
    }
    return 0;
}

int create_webhook_of(const webhook_run& by) {
    const webhook_command_settings& with = by.with;
    js::object body{{"url", with.to}};
    const auto put = [&](const char* name, const std::string& value) {
        if (!value.empty()) body[name] = value;
    };
    put("description", with.description);
    put("user_id", with.user);
    put("tenant", with.tenant);
    put("content", with.content);
    put("since", with.since);
    if (!with.events.empty()) body["events"] = js::array(with.events.begin(), with.events.end());
    if (!with.statuses.empty()) {
        body["statuses"] = js::array(with.statuses.begin(), with.statuses.end());
    }
    return show_secret(by, by.ask("POST", "/webhooks", &body), 201);
}

int rotate_webhook_of(const webhook_run& by) {
    const auto overlap = of_option("--overlap", parse_duration(by.with.overlap));
    if (!overlap) return fail(overlap.error());
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*overlap);
    const js::object body{{"overlap_seconds", seconds.count()}};
    return show_secret(by, by.ask("POST", by.path("/rotate"), &body), 200);
}

int replay_webhook_of(const webhook_run& by) {
    js::object body;
    if (!by.with.attempt.empty()) body["attempt"] = by.with.attempt;
    if (!by.with.since.empty()) body["since"] = by.with.since;
    if (!by.with.until.empty()) body["until"] = by.with.until;
    return show_done(by, by.ask("POST", by.path("/replay"), &body), 202, "is sent it again");
}

int list_attempts_of(const webhook_run& by) {
    std::string query = "?limit=" + std::to_string(by.with.limit);
    if (by.with.failed) query += "&status=failed";
    if (!by.with.order.empty()) query += "&order_id=" + url_encoded(by.with.order);
    if (!by.with.after.empty()) query += "&after=" + url_encoded(by.with.after);
    return show_items(
        by, by.ask("GET", by.path("/attempts") + query),
        {"id", "at", "order_id", "version", "number", "result", "status", "error", "next_at"},
        {"ID", "AT", "ORDER", "VERSION", "ATTEMPT", "RESULT", "STATUS", "ERROR", "NEXT"});
}

int run_webhooks(const webhook_command_settings& with, webhook_action what) {
    return with_server(with.server, [&](const server_command& by) { return what({with, by}); });
}

class webhook_options {
public:
    explicit webhook_options(command_line to)
        : run_(to.run),
          webhooks_(*to.app.add_subcommand("webhooks", "Endpoints that a server tells of changes")),
          with_(std::make_shared<webhook_command_settings>()) {
        webhooks_.require_subcommand(1);
        webhooks_.fallthrough();
        with_->server.add_to(webhooks_);
    }

    void add_create() {
        CLI::App& it =
            add("create", "Makes an endpoint, and shows its secret once", create_webhook_of);
        it.add_option("to", with_->to, "Its URL")->required();
        it.add_option("--description", with_->description, "For people");
        add_list(it, "--event", with_->events, "Of which it is told, such as create; all if none");
        add_list(it, "--status", with_->statuses, "Only of moves to this status");
        it.add_option("--user", with_->user, "Only of this user's orders");
        it.add_option("--tenant", with_->tenant, "Only of this tenant's orders");
        it.add_option("--content", with_->content,
                      "full, or reference: ids, statuses and versions alone");
        it.add_option("--since", with_->since, "Also of what happened since this time (RFC 3339)");
    }
    void add_others() {
        add("list", "All endpoints, without their secrets", [](const webhook_run& by) {
            return show_items(
                by, by.ask("GET", "/webhooks"),
                {"id", "state", "url", "events", "content", "description", "paused_because"},
                {"ID", "STATE", "URL", "EVENTS", "CONTENT", "DESCRIPTION", "WHY"});
        });
        add_one("test", "Sends an event that tells of no order", [](const webhook_run& by) {
            return show_done(by, by.ask("POST", by.path("/test")), 202,
                             "is sent a test: attempts show what came of it");
        });
        CLI::App& rotate =
            add_one("rotate", "Makes another secret, and shows it once", rotate_webhook_of);
        rotate.add_option("--overlap", with_->overlap, "How long the old secret signs as well")
            ->capture_default_str();
        add_one("pause", "Stops sending; events wait", [](const webhook_run& by) {
            return show_done(by, by.ask("POST", by.path("/pause")), 200, "is paused");
        });
        add_one("resume", "Goes on sending, and tries at once what had failed",
                [](const webhook_run& by) {
                    return show_done(by, by.ask("POST", by.path("/resume")), 200, "is active");
                });
        add_one("delete", "Removes an endpoint: nothing is sent to it any more",
                [](const webhook_run& by) {
                    return show_done(by, by.ask("DELETE", by.path()), 204, "is removed");
                });
        CLI::App& attempts = add_one("attempts",
                                     "What was tried: all that failed, and the last "
                                     "that succeeded",
                                     list_attempts_of);
        attempts.add_flag("--failed", with_->failed, "Only those that failed");
        attempts.add_option("--order", with_->order, "Only of this order");
        attempts.add_option("--after", with_->after, "Only behind this attempt");
        attempts.add_option("--limit", with_->limit, "So many")->capture_default_str();
        CLI::App& replay = add_one("replay", "Sends again: one attempt's event, or all of a time",
                                   replay_webhook_of);
        replay.add_option("--attempt", with_->attempt, "Its id, as attempts shows it");
        replay.add_option("--since", with_->since, "From this time (RFC 3339)");
        replay.add_option("--until", with_->until, "Before this time");
    }

private:
    CLI::App& add(const char* name, const char* help, webhook_action what) {
        auto* out = webhooks_.add_subcommand(name, help);
        out->fallthrough();
        out->callback([&run_at_last = run_, with = with_, what] {
            run_at_last = [with, what] { return run_webhooks(*with, what); };
        });
        return *out;
    }
    CLI::App& add_one(const char* name, const char* help, webhook_action what) {
        CLI::App& out = add(name, help, what);
        out.add_option("id", with_->id, "The endpoint's id, as list shows it")->required();
        return out;
    }
    static void add_list(CLI::App& to, const char* name, std::vector<std::string>& values,
                         const std::string& help) {
        to.add_option(name, values, help + "; repeat it for more")
            ->delimiter(',')
            ->allow_extra_args(false);
    }

    std::function<int()>& run_;
    CLI::App& webhooks_;
    const std::shared_ptr<webhook_command_settings> with_;
};

}  // namespace

void add_webhooks(command_line to) {
    webhook_options all(to);
    all.add_create();
    all.add_others();
}

}  // namespace orderproc::server
