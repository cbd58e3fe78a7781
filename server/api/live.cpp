// The journal as it grows.

#include "api/api.hpp"
#include "api/event_stream.hpp"
#include "api/problems.hpp"
#include "api/query_values.hpp"
#include "api/representation.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// Where a client wants to go on, as its URL says.
struct stream_start {
    std::optional<std::string> after;
    std::optional<std::string> last_event_id;  // as EventSource polyfills send the field
};

constexpr std::string_view last_event_parameter = "lastEventId";

struct stream_query {
    feed_filter filter;
    stream_start from;
};

std::string read_order(std::string_view value, stream_query& out) {
    if (!out.filter.orders.empty()) return std::string(given_twice);
    auto id = order_id::parse(value);
    if (!id) return "is no order id";
    out.filter.orders.push_back(std::move(*id));
    return {};
}

std::vector<std::string> parameters_of(const order_model& model) {
    std::vector<std::string> out = scope_parameters(model);
    for (const std::string_view it : {std::string_view("order_id"), std::string_view("status"),
                                      std::string_view("after"), last_event_parameter}) {
        out.emplace_back(it);
    }
    return out;
}

// What is wrong with it, if anything; none: it is another parameter.
std::optional<std::string> read_start(const query_parameter& it, stream_start& out) {
    const bool again = it.name == last_event_parameter;
    if (!again && it.name != "after") return std::nullopt;
    std::optional<std::string>& to = again ? out.last_event_id : out.after;
    if (to) return std::string(given_twice);
    to = it.value;
    return std::string();
}

// What is wrong with one, if anything; and what it may be, where that is a list.
std::string read_one(const query_parameter& it, const engine& of, stream_query& out,
                     std::vector<std::string>& allowed) {
    if (it.name == "order_id") return read_order(it.value, out);
    auto scope = read_scope(it.name, it.value, of.model(), out.filter.scope);
    if (scope) return std::move(*scope);
    if (it.name == "status") {
        return read_statuses(it.value, of.machine(), out.filter.statuses, allowed);
    }
    if (auto wrong = read_start(it, out.from)) return std::move(*wrong);
    allowed = parameters_of(of.model());
    return std::string(no_such_parameter);
}

// The query of one order's stream. False: answered.
bool read_start(const http::request& in, stream_start& to, http::response& out) {
    static constexpr std::string_view known[] = {"after", last_event_parameter};
    const auto parameters = parse_query(in.query);
    if (!parameters) {
        http::write_problem(problems::bad_request, "the query is malformed", in, out);
        return false;
    }
    for (const query_parameter& it : *parameters) {
        const auto wrong = read_start(it, to);
        if (wrong && wrong->empty()) continue;
        if (wrong) {
            write_bad_parameter(it.name, *wrong, in, out);
        } else {
            write_bad_parameter(it.name, no_such_parameter, in, out, known);
        }
        return false;
    }
    return true;
}

// False: answered.
bool read_query(const http::request& in, const engine& of, stream_query& to, http::response& out) {
    const auto parameters = parse_query(in.query);
    if (!parameters) {
        http::write_problem(problems::bad_request, "the query is malformed", in, out);
        return false;
    }
    for (const query_parameter& it : *parameters) {
        std::vector<std::string> allowed;
        if (auto wrong = read_one(it, of, to, allowed); !wrong.empty()) {
            write_bad_parameter({it.name, std::move(wrong), std::move(allowed)}, in, out);
            return false;
        }
    }
    return true;
}

// Where the client wants to go on. What it has seen last is stronger than after, which stays the
// same when it comes again; the field is stronger than the parameter. False: answered.
bool read_position(const http::request& in, const stream_start& from,
                   std::optional<feed_position>& to, http::response& out) {
    std::string_view name = "Last-Event-ID";
    std::string_view value = in.find(name);
    if (value.empty() && from.last_event_id && !from.last_event_id->empty()) {
        name = last_event_parameter;
        value = *from.last_event_id;
    } else if (value.empty() && from.after) {
        name = "after";
        value = *from.after;
    } else if (value.empty()) {
        return true;
    }
    to = parse_feed_position(value);
    if (to) return true;
    write_bad_parameter(name, not_a_position, in, out);
    return false;
}

// Without a position to continue after, the stream begins at the end of the journal.
void begin_stream(live_feed& feed, feed_request what, const feed_position& newest, const caller& by,
                  http::response& out) {
    out.content_type = "text/event-stream";
    add_order_fields(newest, out);
    out.add("X-Accel-Buffering", "no");  // proxies would hold events back
    const std::optional<feed_position> from = what.after ? std::nullopt : std::optional(newest);
    if (!what.after) what.after = newest;
    out.stream = std::make_unique<event_stream>(feed, std::move(what), from, by.who);
}

struct begun_order {
    feed_position newest;
    std::vector<journal_entry> entries;  // of its history, from the beginning
};

result<begun_order> read_begun(repository_reader& from, const std::string& id,
                               const order_scope& scope) {
    const auto newest = newest_position(from);
    if (!newest) return newest.error();
    history_params params;
    params.order = id;
    params.limit = history_entries_max;
    params.scope = scope;
    auto entries = from.history(params);
    if (!entries) return std::move(entries).error();
    return begun_order{*newest, std::move(*entries)};
}

// Has the client seen the last entry that there will ever be?
bool is_over(const begun_order& it, const feed_position& seen, const status_machine& machine) {
    const journal_entry& last = it.entries.back();
    const bool over = last.event == "delete" || machine.is_settled(last.after.status);
    return over && it.entries.size() < history_entries_max && seen == last.position;
}

}  // namespace

bool api::stream_events(const call& it, http::response& out, pending& todo) {
    stream_query query;
    std::optional<feed_position> after;
    live_feed* const feed = todo.by.bound() ? parts_.bound_feed : parts_.feed;
    if (!feed) {
        http::write_problem(problems::not_found, {}, it.in, out);
        return false;
    }
    if (!read_query(it.in, engine_, query, out) || !read_position(it.in, query.from, after, out)) {
        return false;
    }
    if (!narrow(todo.by, query.filter.scope)) {
        write_bad_parameter("user_id", not_the_callers, it.in, out);
        return false;
    }
    todo.read = read_then(
        &newest_position,
        [feed, by = todo.by, filter = std::move(query.filter), after](
            const feed_position& newest, const http::request&, http::response& to) mutable {
            begin_stream(*feed, {std::move(filter), after, false}, newest, by, to);
        });
    return true;
}

bool api::stream_order_events(const call& it, http::response& out, pending& todo) {
    std::string id;
    stream_start given;
    std::optional<feed_position> after;
    live_feed* const feed = todo.by.bound() ? parts_.bound_feed : parts_.feed;
    if (!feed) {
        http::write_problem(problems::not_found, {}, it.in, out);
        return false;
    }
    if (!read_order_id(it, id, out) || !read_start(it.in, given, out) ||
        !read_position(it.in, given, after, out)) {
        return false;
    }
    todo.read =
        read_then([id, scope = todo.by.scope()](
                      repository_reader& from) { return read_begun(from, id, scope); },
                  [this, feed, after, by = todo.by](const begun_order& found,
                                                    const http::request& in, http::response& to) {
                      if (found.entries.empty()) {
                          http::write_problem(problems::not_found, {}, in, to);
                      } else if (after && is_over(found, *after, engine_.machine())) {
                          to.status = 204;  // an EventSource would else come for ever
                          add_order_fields(found.newest, to);
                      } else {
                          feed_request what;
                          what.filter.orders.push_back(found.entries.front().after.id);
                          what.filter.scope = by.scope();
                          what.until_settled = true;
                          what.after = after.value_or(feed_position{});
                          begin_stream(*feed, std::move(what), found.newest, by, to);
                      }
                  });
    return true;
}

}  // namespace orderproc::server
