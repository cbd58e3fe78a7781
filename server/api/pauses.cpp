// Work that is paused.

#include "api/api.hpp"
#include "api/json_body.hpp"
#include "api/json_writer.hpp"
#include "api/problems.hpp"
#include "api/record_change.hpp"
#include "api/representation.hpp"

#include <orderproc/command.hpp>
#include <orderproc/pause.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// Names of principals are actors of the journal.
static_assert(command::actor_size_max <= work_pause::by_size_max, "whoever may pause work can");

using pause_list = std::vector<work_pause>;

void write_pauses(const pause_list& all, http::response& out) {
    out.add("Cache-Control", "no-store");
    json_writer to(out.body);
    to.open('{').name("items").open('[');
    for (const work_pause& it : all) {
        to.open('{').name("stage").text_or_null(it.stage ? it.stage->view() : std::string_view());
        to.name("since").time(it.since).name("by").text(it.by);
        to.name("reason").text(it.reason).close('}');
    }
    to.close(']').close('}');
}

struct pause_body {
    std::optional<order_status> stage;
    std::string reason;
};

body_faults read_pause_body(std::string_view body, const status_machine& machine, bool with_reason,
                            pause_body& to) {
    if (body.empty()) return {};
    const auto read = [&](std::string_view name, const boost::json::value& value, auto& errors) {
        if (name == "stage") {
            if (value.is_null()) return true;  // all work, as if nothing was said
            const auto text = text_of(name, value, errors);
            if (!text) return true;
            // A script's empty variable does not stand for all work.
            const auto stage = order_status::parse(*text);
            if (stage && machine.stage_active_in(*stage)) {
                to.stage = *stage;
            } else {
                errors.push_back({pointer_to(name), "not_a_choice",
                                  "must be the active status of a stage, such as PROCESSING"});
            }
        } else if (name == "reason" && with_reason) {
            to.reason = text_of(name, value, errors).value_or("");
            const bool control = std::any_of(to.reason.begin(), to.reason.end(), [](char c) {
                return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
            });
            if (to.reason.size() > work_pause::reason_size_max || control) {
                errors.push_back(
                    {pointer_to(name), "too_large", "must be one line of at most 200 bytes"});
            }
        } else {
            return false;
        }
        return true;
    };
    return read_members(body, read);
}

// For the audit record.
std::string about(const std::optional<order_status>& stage, const std::string& reason) {
    std::string out(stage ? stage->view() : "all work");
    return reason.empty() ? out : out + ", " + reason;
}

// What there will be once the records are written.
pause_list after(const pause_list& now, const std::vector<change_record>& changes,
                 const work_pause& made) {
    pause_list out;
    const auto ends = [&](const work_pause& it) {
        const std::string_view key = it.stage ? it.stage->view() : std::string_view("*");
        return std::any_of(changes.begin(), changes.end(), [&](const change_record& one) {
            return one.action == record_action::remove && one.key == key;
        });
    };
    std::copy_if(now.begin(), now.end(), std::back_inserter(out),
                 [&](const work_pause& it) { return !ends(it); });
    for (const change_record& one : changes) {
        if (one.action == record_action::create) out.push_back(made);
    }
    std::sort(out.begin(), out.end(),
              [](const work_pause& a, const work_pause& b) { return a.stage < b.stage; });
    return out;
}

}  // namespace

bool api::list_pauses(const call& it, http::response& out, pending& todo) {
    if (!expect_no_query(it.in, out)) return false;
    todo.read = read_then([](repository_reader& from) { return orderproc::list_pauses(from); },
                          [](const pause_list& all, const http::request&, http::response& to) {
                              write_pauses(all, to);
                          });
    return true;
}

bool api::change_pauses(const call& it, bool begins, http::response& out, pending& todo) {
    if (!expect_no_query(it.in, out) || !expect_json(it.in, true, out)) return false;
    pause_body body;
    const auto wrong = read_pause_body(it.in.body, engine_.machine(), begins, body);
    if (!wrong.none()) {
        write_faults(problems::invalid_request, wrong, it.in, out);
        return false;
    }
    const timestamp now = engine_.runtime().time.now();
    const work_pause made{body.stage, now, todo.by.name(), body.reason};
    const auto shown = std::make_shared<pause_list>();
    record_plan plan;
    plan.actor = todo.by.name();
    plan.action = begins ? "work.pause" : "work.resume";
    plan.about = about(body.stage, body.reason);
    plan.changes = [this, begins, made,
                    shown](repository_reader& from) -> result<std::vector<change_record>> {
        const auto there = orderproc::list_pauses(from);
        if (!there) return there.error();
        auto changes = begins ? orderproc::pause_work(from, made, engine_.machine())
                              : orderproc::resume_work(from, made.stage, engine_.machine());
        if (changes) *shown = after(*there, *changes, made);
        return changes;
    };
    plan.answer = [shown](const failure& refused, const http::request& in, http::response& to) {
        if (!refused.code) return write_pauses(*shown, to);
        http::write_problem(problems::everything_paused, {}, in, to);
    };
    todo.read = change_records(engine_, std::move(plan));
    return true;
}

bool api::pause_work(const call& it, http::response& out, pending& todo) {
    return change_pauses(it, true, out, todo);
}

bool api::resume_work(const call& it, http::response& out, pending& todo) {
    return change_pauses(it, false, out, todo);
}

}  // namespace orderproc::server
