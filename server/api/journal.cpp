// The journal in pages, for programs that come now and then.

#include "api/api.hpp"
#include "api/problems.hpp"
#include "api/query_values.hpp"
#include "api/representation.hpp"

#include <orderproc/cloud_event.hpp>
#include <orderproc/feed.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace orderproc::server {

namespace {

// With a filter: entries that are read at once, and that are looked at for one answer at most.
constexpr std::size_t step_size = 500;
constexpr std::size_t entries_max = 2000;
// Of an answer, about: it ends with the entry that goes beyond it.
constexpr std::size_t bytes_max = std::size_t{4} * 1024 * 1024;

std::vector<std::string> parameters_of(const order_model& model) {
    std::vector<std::string> out = scope_parameters(model);
    for (const char* it : {"after", "limit", "status"}) out.emplace_back(it);
    return out;
}

struct journal_query {
    feed_position after;
    std::size_t limit = journal_limit_default;
    feed_filter filter;
};

// What is wrong with one, if anything; allowed: what it may be, where that is a list.
std::string read_one(const query_parameter& it, const engine& of, journal_query& out,
                     std::vector<std::string>& allowed) {
    if (it.name == "after") {
        const auto at = parse_feed_position(it.value);
        if (!at) return std::string(not_a_position);
        out.after = *at;
        return {};
    }
    if (it.name == "limit") return read_limit(it.value, journal_entries_max, out.limit);
    auto scope = read_scope(it.name, it.value, of.model(), out.filter.scope);
    if (scope) return std::move(*scope);
    if (it.name == "status") {
        return read_statuses(it.value, of.machine(), out.filter.statuses, allowed);
    }
    allowed = parameters_of(of.model());
    return std::string(no_such_parameter);
}

std::optional<bad_parameter> read_query(const std::vector<query_parameter>& parameters,
                                        const engine& of, journal_query& out) {
    for (const query_parameter& it : parameters) {
        std::vector<std::string> allowed;
        std::string wrong = read_one(it, of, out, allowed);
        const auto named = std::count_if(parameters.begin(), parameters.end(),
                                         [&](const auto& other) { return other.name == it.name; });
        if (wrong.empty() && named > 1 && it.name != "status") wrong = given_twice;
        if (!wrong.empty()) return bad_parameter{it.name, std::move(wrong), std::move(allowed)};
    }
    normalize(out.filter.statuses);
    return std::nullopt;
}

struct journal_page {
    std::vector<journal_entry> entries;
    feed_position next;    // what is at or before it need not be asked for again
    feed_position newest;  // of the journal
    bool reset = false;
};

// About what its JSON takes.
std::size_t size_of(const journal_entry& it) {
    constexpr std::size_t fields = 512;
    constexpr std::size_t item = 8;
    constexpr std::size_t line = 128;
    std::size_t attributes = 0;
    for (const order_attribute& one : it.after.attributes) {
        const auto* text = std::get_if<std::string>(&one.value);
        attributes += 2 * order_attribute::name_size_max + (text ? text->size() : 0);
    }
    return fields + it.reason.size() + it.after.metadata.size() + it.after.annotations.size() +
           item * it.after.item_ids.size() + line * it.after.lines.size() + attributes;
}

result<journal_page> read_journal(repository_reader& from, const journal_query& query) {
    const bool all = matches_everything(query.filter);
    journal_page out;
    out.next = query.after;
    std::size_t bytes = 0;
    std::size_t looked = 0;
    while (out.entries.size() < query.limit && looked < entries_max && bytes < bytes_max) {
        const std::size_t step = all ? query.limit : std::min(step_size, entries_max - looked);
        auto page = from.read_feed({out.next, step});
        if (!page) return std::move(page).error();
        out.newest = page->newest;
        const bool from_start = out.next.offset == 0;
        out.reset = page->reset && !from_start;
        if (page->reset || from_start) out.next = page->oldest;
        if (page->reset && from_start) continue;  // who asks for the beginning gets what is kept
        for (journal_entry& it : page->entries) {
            out.next = it.position;
            if (matches(query.filter, it)) {
                bytes += size_of(it);
                out.entries.push_back(std::move(it));
            }
            if (out.entries.size() == query.limit || bytes >= bytes_max) break;
        }
        looked += page->entries.size();
        if (page->entries.size() < step) break;
    }
    return out;
}

void write_journal(const journal_page& page, const std::vector<query_parameter>& parameters,
                   std::string_view source, const order_model& model, http::response& out) {
    const bool more = page.next.offset < page.newest.offset;
    const std::string next = to_string(page.next);
    add_order_fields(page.newest, out);
    if (more) out.add("Link", next_link(parameters, "after", next));
    out.body.append(R"({"items":[)");
    for (const journal_entry& one : page.entries) {
        if (&one != page.entries.data()) out.body.append(1, ',');
        append_cloud_event(one, out.body, source, model);
    }
    out.body.append(R"(],"next":")").append(next);
    out.body.append(R"(","more":)").append(more ? "true" : "false");
    out.body.append(R"(,"reset":)").append(page.reset ? "true}" : "false}");
}

}  // namespace

bool api::get_journal(const call& it, http::response& out, pending& todo) {
    auto parameters = parse_query(it.in.query);
    if (!parameters) {
        http::write_problem(problems::bad_request, "the query is malformed", it.in, out);
        return false;
    }
    journal_query query;
    if (const auto bad = read_query(*parameters, engine_, query)) {
        write_bad_parameter(*bad, it.in, out);
        return false;
    }
    if (!narrow(todo.by, query.filter.scope)) {
        write_bad_parameter("user_id", not_the_callers, it.in, out);
        return false;
    }
    todo.read = read_then(
        [query = std::move(query), bound = todo.by.bound()](repository_reader& from) {
            auto page = read_journal(from, query);
            if (!page || !bound) return page;
            for (journal_entry& one : page->entries) conceal(one);
            return page;
        },
        [this, given = std::move(*parameters)](const journal_page& page, const http::request&,
                                               http::response& to) {
            write_journal(page, given, parts_.event_source, engine_.model(), to);
        });
    return true;
}

}  // namespace orderproc::server
