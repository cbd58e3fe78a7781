// `orderproc pause`, `resume`, `explain`, `dead list` and `dead retry`: what an operator asks of a
// server.

#include "cli/order_command.hpp"
#include "cli/order_text.hpp"
#include "cli/server_command.hpp"
#include "cli/settings.hpp"
#include "text/terminal_text.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

namespace js = boost::json;

constexpr std::chrono::milliseconds progress_interval(500);

struct operate_settings {
    server_settings server;
    std::string stage, reason, order;
    bool by_reason = false;  // --reason was given, which may be empty
    std::size_t limit = 100;
    std::vector<std::string> orders;  // to be retried
    std::size_t retried_max = 10'000;
    bool dry_run = false;
};

using operate_action = int (*)(const server_command&, const operate_settings&);

// The object that the answer is; none: it is something else.
std::optional<js::object> object_of(const result<fetch_response>& got) {
    boost::system::error_code ec;
    const js::value whole = js::parse(got->body, ec);
    const auto* const out = ec ? nullptr : whole.if_object();
    return out ? std::optional(*out) : std::nullopt;
}

std::string text_in(const js::object& of, std::string_view name) {
    const auto* const it = of.if_contains(name);
    if (!it || it->is_null()) return "-";
    if (const auto* text = it->if_string()) {
        return text->empty() ? "-" : printable(std::string_view(*text));
    }
    return js::serialize(*it);
}

const js::array* list_in(const js::object& of, std::string_view name) {
    const auto* const it = of.if_contains(name);
    return it ? it->if_array() : nullptr;
}

int show_pauses(const server_command& by, const result<fetch_response>& got) {
    if (const auto code = by.refused(got, 200)) return *code;
    if (by.json()) {
        print_json(got->body);
        return 0;
    }
    const auto whole = object_of(got);
    const js::array* const items = whole ? list_in(*whole, "items") : nullptr;
    if (!items) return fail("the server did not answer with a list");
    if (items->empty()) {
        std::printf("nothing is paused\n");
        return 0;
    }
    for (const js::value& it : *items) {
        const auto* const one = it.if_object();
        if (!one) continue;
        const std::string stage = text_in(*one, "stage");
        const std::string reason = text_in(*one, "reason");
        std::printf("%s is paused since %s by %s%s\n",
                    stage == "-" ? "all work" : ("stage " + stage).c_str(),
                    text_in(*one, "since").c_str(), text_in(*one, "by").c_str(),
                    reason == "-" ? "" : (": " + reason).c_str());
    }
    return 0;
}

int pause_of_work(const server_command& by, const operate_settings& with) {
    js::object body;
    if (!with.stage.empty()) body["stage"] = with.stage;
    if (!with.reason.empty()) body["reason"] = with.reason;
    return show_pauses(by, by.ask("POST", "/pause", &body));
}

int resume_of_work(const server_command& by, const operate_settings& with) {
    js::object body;
    if (!with.stage.empty()) body["stage"] = with.stage;
    return show_pauses(by, by.ask("POST", "/resume", &body));
}

int explain_order_of(const server_command& by, const operate_settings& with) {
    const auto got = by.ask("GET", "/orders/" + url_encoded(with.order) + "/explain");
    if (const auto code = by.refused(got, 200)) return *code;
    if (by.json()) {
        print_json(got->body);
        return 0;
    }
    const auto whole = object_of(got);
    const js::array* const sentences = whole ? list_in(*whole, "sentences") : nullptr;
    if (!sentences) return fail("the server did not explain it");
    for (const js::value& it : *sentences) {
        if (const auto* text = it.if_string()) {
            std::printf("%s\n", printable(std::string_view(*text)).c_str());
        }
    }
    const js::array* const attempts = list_in(*whole, "attempts");
    if (!attempts || attempts->empty()) return 0;
    std::vector<table_row> rows{{"ATTEMPT", "WORKER", "FROM", "UNTIL", "OUTCOME", "REASON"}};
    for (const js::value& it : *attempts) {
        const auto* const one = it.if_object();
        if (!one) continue;
        table_row row;
        for (const char* const name : {"n", "worker", "from", "until", "outcome", "reason"}) {
            row.push_back(text_in(*one, name));
        }
        rows.push_back(std::move(row));
    }
    std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

int show_groups(const server_command& by, const result<fetch_response>& got) {
    if (const auto code = by.refused(got, 200)) return *code;
    if (by.json()) {
        print_json(got->body);
        return 0;
    }
    const auto whole = object_of(got);
    const js::array* const groups = whole ? list_in(*whole, "groups") : nullptr;
    if (!groups) return fail("the server did not answer with groups");
    if (groups->empty()) {
        std::printf("there are no dead letters\n");
        return 0;
    }
    std::vector<table_row> rows{{"ORDERS", "LAST HOUR", "FIRST", "LAST", "REASON"}};
    for (const js::value& it : *groups) {
        const auto* const one = it.if_object();
        if (!one) continue;
        table_row row;
        for (const char* const name : {"orders", "last_hour", "first_at", "last_at", "reason"}) {
            row.push_back(text_in(*one, name));
        }
        rows.push_back(std::move(row));
    }
    std::fputs(make_table(rows).c_str(), stdout);
    const auto* const complete = whole->if_contains("complete");
    if (complete && complete->is_bool() && !complete->get_bool()) {
        std::printf("of the newest %s of %s dead letters\n", text_in(*whole, "looked_at").c_str(),
                    text_in(*whole, "orders").c_str());
    }
    return 0;
}

// The ids of a group's orders, one a line, so that they can be piped.
int show_orders_of_group(const server_command& by, const operate_settings& with) {
    std::string cursor;
    std::size_t shown = 0;
    do {
        std::string target = "/dead-letters?limit=100&reason=" + url_encoded(with.reason);
        if (!cursor.empty()) target += "&cursor=" + url_encoded(cursor);
        const auto got = by.ask("GET", target);
        if (const auto code = by.refused(got, 200)) return *code;
        const auto whole = object_of(got);
        const js::array* const items = whole ? list_in(*whole, "items") : nullptr;
        if (!items) return fail("the server did not answer with a list");
        for (const js::value& it : *items) {
            const auto* const one = it.if_object();
            if (!one || shown++ >= with.limit) continue;
            if (by.json()) {
                print_json(js::serialize(*one));
            } else {
                std::printf("%s\n", text_in(*one, "order_id").c_str());
            }
        }
        cursor = text_in(*whole, "next_cursor");
    } while (cursor != "-" && shown < with.limit);
    return 0;
}

int list_dead_letters_of(const server_command& by, const operate_settings& with) {
    if (with.by_reason) return show_orders_of_group(by, with);
    return show_groups(by, by.ask("GET", "/dead-letters"));
}

int show_dry_run(const server_command& by, const result<fetch_response>& got) {
    if (const auto code = by.refused(got, 200)) return *code;
    if (by.json()) {
        print_json(got->body);
        return 0;
    }
    const auto whole = object_of(got);
    if (!whole) return fail("the server did not say what it would retry");
    std::printf("%s orders would be retried, which failed from %s to %s\n",
                text_in(*whole, "orders").c_str(), text_in(*whole, "first_at").c_str(),
                text_in(*whole, "last_at").c_str());
    if (text_in(*whole, "more") == "true") std::printf("there may be more beyond the limit\n");
    const js::array* const left_out = list_in(*whole, "left_out");
    for (std::size_t i = 0; left_out && i < left_out->size(); ++i) {
        const auto* const one = (*left_out)[i].if_object();
        if (!one) continue;
        std::printf("left out: %s, %s\n", text_in(*one, "order_id").c_str(),
                    text_in(*one, "code").c_str());
    }
    return 0;
}

// 0 if all were retried.
int show_retried(const server_command& by, const result<fetch_response>& got,
                 const js::object& whole) {
    if (by.json()) {
        print_json(got->body);
    } else {
        std::printf("%s of %s orders were retried, %s were refused\n",
                    text_in(whole, "done").c_str(), text_in(whole, "total").c_str(),
                    text_in(whole, "refused_count").c_str());
        const js::array* const refused = list_in(whole, "refused");
        for (std::size_t i = 0; refused && i < refused->size(); ++i) {
            const auto* const one = (*refused)[i].if_object();
            if (!one) continue;
            std::printf("refused: %s, %s\n", text_in(*one, "order_id").c_str(),
                        text_in(*one, "code").c_str());
        }
    }
    const std::string state = text_in(whole, "state");
    if (state == "failed") return fail(text_in(whole, "error"));
    return state == "done" && text_in(whole, "refused_count") == "0" ? 0 : 1;
}

// It goes on at the server when this command is interrupted.
int follow_retry(const server_command& by, result<fetch_response> got, unsigned expected) {
    for (;; expected = 200) {
        if (const auto code = by.refused(got, expected)) return *code;
        const auto whole = object_of(got);
        if (!whole) return fail("the server did not say how far it is");
        if (text_in(*whole, "state") != "running") return show_retried(by, got, *whole);
        std::this_thread::sleep_for(progress_interval);
        got = by.ask("GET", "/operations/" + url_encoded(text_in(*whole, "id")));
    }
}

int retry_dead_letters_of(const server_command& by, const operate_settings& with) {
    if (with.by_reason == !with.orders.empty()) {
        return fail({errc::invalid_argument, "either --reason or --order has to be given"});
    }
    js::object body;
    if (with.by_reason) {
        body["reason"] = with.reason;
    } else {
        body["order_ids"] = js::value_from(with.orders);
    }
    body["limit"] = with.retried_max;
    if (with.dry_run) body["dry_run"] = true;
    auto got = by.ask("POST", "/dead-letters/retry", &body);
    return with.dry_run ? show_dry_run(by, got) : follow_retry(by, std::move(got), 202);
}

CLI::App& add_operation(command_line to, CLI::App& parent, const char* name, const char* help,
                        const std::shared_ptr<operate_settings>& with, operate_action what) {
    auto* command = parent.add_subcommand(name, help);
    command->callback([&run = to.run, with, what] {
        run = [with, what] {
            return with_server(with->server,
                               [&](const server_command& by) { return what(by, *with); });
        };
    });
    return *command;
}

// One that is not below another: it has the options of the server itself.
CLI::App& add_operation(command_line to, const char* name, const char* help,
                        const std::shared_ptr<operate_settings>& with, operate_action what) {
    CLI::App& out = add_operation(to, to.app, name, help, with, what);
    with->server.add_to(out);
    return out;
}

// The options of the server are those of `dead`.
void add_dead_retry(command_line to, CLI::App& dead,
                    const std::shared_ptr<operate_settings>& with) {
    CLI::App& command =
        add_operation(to, dead, "retry", "Retries them in bulk", with, retry_dead_letters_of);
    command.fallthrough();
    command.add_option_function<std::string>(
        "--reason",
        [with](const std::string& text) {
            with->reason = text;
            with->by_reason = true;
        },
        "The orders with this reason, as list shows it");
    command.add_option("--order", with->orders, "An order's id; repeat it for more")
        ->allow_extra_args(false);
    command.add_option("--limit", with->retried_max, "So many orders at most")
        ->capture_default_str();
    command.add_flag("--dry-run", with->dry_run, "Says what it would retry");
}

}  // namespace

void add_operate(command_line to) {
    const char* const stage_help = "The active status of a stage, such as PROCESSING; else all";
    // An unset variable of a script does not stand for all work.
    const CLI::Validator not_empty(
        [](const std::string& text) {
            return text.empty() ? std::string("is empty: leave it out for all work")
                                : std::string();
        },
        "");
    const auto pause = std::make_shared<operate_settings>();
    CLI::App& pauses =
        add_operation(to, "pause", "Stops workers from taking orders", pause, pause_of_work);
    pauses.add_option("stage", pause->stage, stage_help)->check(not_empty);
    pauses.add_option("--reason", pause->reason, "For people: one line of at most 200 bytes");
    const auto resume = std::make_shared<operate_settings>();
    CLI::App& resumes =
        add_operation(to, "resume", "Lets workers take orders again", resume, resume_of_work);
    resumes.add_option("stage", resume->stage, stage_help)->check(not_empty);
    const auto why = std::make_shared<operate_settings>();
    CLI::App& explains =
        add_operation(to, "explain", "Says why an order is not done", why, explain_order_of);
    explains.add_option("order", why->order, "Its id")->required();
    auto* dead = to.app.add_subcommand("dead", "Orders that failed, by reason");
    dead->require_subcommand(1);
    dead->fallthrough();
    const auto list = std::make_shared<operate_settings>();
    list->server.add_to(*dead);
    CLI::App& lists = add_operation(to, *dead, "list", "Their reasons, or the orders of one", list,
                                    list_dead_letters_of);
    lists.fallthrough();
    lists.add_option_function<std::string>(
        "--reason",
        [list](const std::string& text) {
            list->reason = text;
            list->by_reason = true;
        },
        "The ids of the orders with this reason, as list shows it");
    lists.add_option("--limit", list->limit, "Of --reason: so many orders")->capture_default_str();
    add_dead_retry(to, *dead, list);
}

}  // namespace orderproc::server
