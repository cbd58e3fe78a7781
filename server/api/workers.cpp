// Who works, as workers say themselves.

#include "api/api.hpp"
#include "api/json_writer.hpp"
#include "api/problems.hpp"
#include "api/query_values.hpp"
#include "api/representation.hpp"
#include "api/work_facts.hpp"

#include <orderproc/pause.hpp>
#include <orderproc/worker_record.hpp>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

struct worker_list {
    worker_page page;
    std::vector<work_pause> pauses;
};

void write_worker(const worker_record& it, std::string_view state, json_writer& to) {
    to.open('{').name("name").text(it.name).name("host").text(it.host);
    to.name("pid").number(it.process).name("version").text(it.program);
    to.name("state").text(state).name("stages").open('[');
    for (const order_status& one : it.stages) to.text(one.view());
    to.close(']').name("started_at").time(it.started_at).name("heard_at").time(it.heard_at);
    to.name("in_work").number(it.in_work).name("capacity").number(it.capacity);
    to.name("claimed").number(it.claimed).name("advanced").number(it.advanced);
    to.name("retried").number(it.retried).name("failed").number(it.failed);
    to.name("lease_lost").number(it.lease_lost).name("done_last_minute");
    if (it.advanced_last_minute) {
        to.number(*it.advanced_last_minute);
    } else {
        to.null();
    }
    to.close('}');
}

}  // namespace

bool api::list_workers(const call& it, http::response& out, pending& todo) {
    constexpr std::array<std::string_view, 2> names{"after", "limit"};
    std::array<std::optional<std::string>, 2> given;
    if (!read_parameters(it.in, names, given, out)) return false;
    std::size_t limit = workers_limit_default;
    if (given[1]) {
        const std::string wrong = read_limit(*given[1], workers_limit_max, limit);
        if (!wrong.empty()) {
            write_bad_parameter("limit", wrong, it.in, out);
            return false;
        }
    }
    std::string after = given[0].value_or("");
    if (after.size() > record_key_size_max) {
        write_bad_parameter("after", "has to be the name of a worker", it.in, out);
        return false;
    }
    todo.read = read_then(
        [after = std::move(after), limit](repository_reader& from) -> result<worker_list> {
            auto page = orderproc::list_workers(from, after, limit);
            if (!page) return std::move(page).error();
            auto pauses = orderproc::list_pauses(from);
            if (!pauses) return std::move(pauses).error();
            return worker_list{std::move(*page), std::move(*pauses)};
        },
        [this](const worker_list& found, const http::request&, http::response& answer) {
            const timestamp now = engine_.runtime().time.now();
            answer.add("Cache-Control", "no-store");
            json_writer to(answer.body);
            to.open('{').name("at").time(now).name("items").open('[');
            for (const worker_record& one : found.page.workers) {
                const worker_state state = state_of(one, now);
                const bool paused = state == worker_state::working &&
                                    waits_for_resume(one, found.pauses, engine_.machine());
                write_worker(one, paused ? "paused" : name_of(state), to);
            }
            to.close(']').name("next").text_or_null(found.page.next).close('}');
        });
    return true;
}

}  // namespace orderproc::server
