// What an order was.

#include "api/api.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/json.hpp>

#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

void append_text_or_null(std::string_view text, std::string& out) {
    if (text.empty()) {
        out.append("null");
    } else {
        append_json_string(text, out);
    }
}

void append_entry(const journal_entry& it, const order_model& model, std::string& out) {
    out.append(R"({"position":")").append(to_string(it.position));
    out.append(R"(","version":)").append(std::to_string(static_cast<std::uint64_t>(it.version)));
    out.append(R"(,"event":)");
    append_json_string(it.event, out);
    out.append(R"(,"from":)");
    append_text_or_null(it.from ? it.from->view() : std::string_view(), out);
    out.append(R"(,"to":)");
    append_text_or_null(it.after.status.view(), out);
    out.append(R"(,"actor":)");
    append_text_or_null(it.actor, out);
    out.append(R"(,"reason":)");
    append_text_or_null(it.reason, out);
    out.append(R"(,"at":")").append(to_string(it.at)).append(R"(","order":)");
    append_json(it.after, out, model);
    out.append(1, '}');
}

bool read_version(std::string_view text, order_version& out) noexcept {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    out = order_version{value};
    return ec == std::errc() && end == text.data() + text.size() &&
           value <= static_cast<std::uint64_t>(INT64_MAX);
}

// Whose history is read, and for whom.
struct asked_history {
    std::string id;
    caller by;
};

// What the caller gets to see of it.
result<std::vector<journal_entry>> read_entries(repository_reader& from, const caller& by,
                                                const history_params& params) {
    auto found = from.history(params);
    if (!found || !by.bound()) return found;
    for (journal_entry& it : *found) conceal(it);
    return found;
}

using entry_or_none = std::optional<journal_entry>;

// The first entry behind a version.
result<entry_or_none> entry_after(repository_reader& from, const asked_history& of,
                                  std::uint64_t version) {
    history_params params;
    params.order = of.id;
    params.scope = of.by.scope();
    params.after = order_version{version};
    params.limit = 1;
    auto found = read_entries(from, of.by, params);
    if (!found) return std::move(found).error();
    return found->empty() ? entry_or_none() : entry_or_none(std::move(found->front()));
}

struct history_page {
    feed_position at;
    bool known = true;  // there is, or was, such an order
    std::vector<journal_entry> entries;
};

result<history_page> read_history(repository_reader& from, const asked_history& of,
                                  std::optional<order_version> after) {
    const auto at = newest_position(from);
    if (!at) return at.error();
    history_params params;
    params.order = of.id;
    params.scope = of.by.scope();
    params.after = after.value_or(params.after);
    params.limit = history_entries_max + 1;
    auto entries = read_entries(from, of.by, params);
    if (!entries) return std::move(entries).error();
    bool known = !entries->empty();
    if (!known && after) {
        const auto first = entry_after(from, of, 0);
        if (!first) return first.error();
        known = first->has_value();
    }
    return history_page{*at, known, std::move(*entries)};
}

void write_history(history_page& page, const order_model& model, const http::request& in,
                   http::response& out) {
    if (!page.known) return http::write_problem(problems::not_found, {}, in, out);
    if (page.entries.size() > history_entries_max) {
        page.entries.pop_back();
        const auto last = static_cast<std::uint64_t>(page.entries.back().version);
        out.add("Link", "<?after=" + std::to_string(last) + ">; rel=\"next\"");
    }
    add_order_fields(page.at, out);
    out.body.append(R"({"items":[)");
    for (const journal_entry& one : page.entries) {
        if (&one != page.entries.data()) out.body.append(1, ',');
        append_entry(one, model, out.body);
    }
    out.body.append("]}");
}

// The last entry that is not later than a time. Versions have no gaps and their times never run
// backwards, so that a long history is searched in steps that double, then halve.
result<entry_or_none> entry_at(repository_reader& from, const asked_history& of, timestamp at) {
    entry_or_none best;
    std::uint64_t low = 0;  // the version of best
    std::uint64_t step = 1;
    bool growing = true;
    while (step > 0) {
        auto probe = entry_after(from, of, low + step - 1);
        if (!probe) return std::move(probe).error();
        const bool early = *probe && (*probe)->at <= at;
        if (early) {
            best = std::move(*probe);
            low = static_cast<std::uint64_t>(best->version);
        }
        growing = growing && early;
        step = growing ? step * 2 : step / 2;
    }
    return best;
}

struct past_order {
    feed_position at;
    entry_or_none last;
};

result<past_order> read_past(repository_reader& from, const asked_history& of, timestamp time) {
    const auto at = newest_position(from);
    if (!at) return at.error();
    auto last = entry_at(from, of, time);
    if (!last) return std::move(last).error();
    return past_order{*at, std::move(*last)};
}

void write_past(const past_order& it, const order_model& model, const http::request& in,
                http::response& out) {
    if (!it.last || it.last->event == "delete") {
        return http::write_problem(problems::not_found, "it was not there at that time", in, out);
    }
    add_order_fields(it.at, out);
    append_json(it.last->after, out.body, model);
}

}  // namespace

bool api::get_history(const call& it, http::response& out, pending& todo) {
    std::string id;
    std::optional<std::string> after;
    if (!read_order_id(it, id, out) || !read_parameter(it.in, "after", after, out)) return false;
    std::optional<order_version> version;
    if (after && !read_version(*after, version.emplace())) {
        write_bad_parameter("after", "has to be a version", it.in, out);
        return false;
    }
    asked_history of{std::move(id), todo.by};
    todo.read = read_then([of = std::move(of), version](
                              repository_reader& from) { return read_history(from, of, version); },
                          [this](history_page& page, const http::request& in, http::response& to) {
                              write_history(page, engine_.model(), in, to);
                          });
    return true;
}

// Without a tag: those are for what is now.
bool api::get_order_at(const call& it, std::string id, std::string_view time, http::response& out,
                       pending& todo) {
    const auto at = parse_timestamp(time);
    if (!at) {
        write_bad_parameter("at", "has to be an RFC 3339 date-time", it.in, out);
        return false;
    }
    asked_history of{std::move(id), todo.by};
    todo.read = read_then(
        [of = std::move(of), at = *at](repository_reader& from) { return read_past(from, of, at); },
        [this](const past_order& found, const http::request& in, http::response& to) {
            write_past(found, engine_.model(), in, to);
        });
    return true;
}

}  // namespace orderproc::server
