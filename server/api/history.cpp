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

// Has read(repository&) come after a look at the feed's newest position: who goes on from there
// misses nothing of what came after the rows.
template <class Read>
auto behind_position(feed_position& at, Read read) {
    return [&at, read](repository& from) -> decltype(read(from)) {
        feed_params bounds_only;
        bounds_only.limit = 0;
        auto page = from.read_feed(bounds_only);
        if (!page) return std::move(page).error();
        at = page->newest;
        return read(from);
    };
}

void append_text_or_null(std::string_view text, std::string& out) {
    if (text.empty()) {
        out.append("null");
    } else {
        append_json_string(text, out);
    }
}

void append_entry(const journal_entry& it, std::string& out) {
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
    append_json(it.after, out);
    out.append(1, '}');
}

bool read_version(std::string_view text, order_version& out) noexcept {
    std::uint64_t value = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
    out = order_version{value};
    return ec == std::errc() && end == text.data() + text.size() &&
           value <= static_cast<std::uint64_t>(INT64_MAX);
}

using entry_or_none = std::optional<journal_entry>;

// The first entry behind a version.
result<entry_or_none> entry_after(repository& from, std::string_view id, std::uint64_t version) {
    history_params params;
    params.order = id;
    params.after = order_version{version};
    params.limit = 1;
    auto found = from.history(params);
    if (!found) return std::move(found).error();
    return found->empty() ? entry_or_none() : entry_or_none(std::move(found->front()));
}

// The last entry that is not later than a time. Versions have no gaps and their times never run
// backwards, so that a long history is searched in steps that double, then halve.
result<entry_or_none> entry_at(repository& from, std::string_view id, timestamp at) {
    entry_or_none best;
    std::uint64_t low = 0;  // the version of best
    std::uint64_t step = 1;
    bool growing = true;
    while (step > 0) {
        auto probe = entry_after(from, id, low + step - 1);
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

}  // namespace

bool api::get_history(const call& it, http::response& out, pending&) {
    std::string id;
    std::optional<std::string> after;
    if (!read_order_id(it, id, out) || !read_parameter(it.in, "after", after, out)) return false;
    history_params params;
    params.order = id;
    params.limit = history_entries_max + 1;
    if (after && !read_version(*after, params.after)) {
        write_bad_parameter("after", "has to be a version", it.in, out);
        return false;
    }
    bool known = true;
    feed_position position;
    auto read = reader_.use(behind_position(position, [&](repository& from) {
        auto entries = from.history(params);
        if (entries && entries->empty() && after) {
            const auto first = entry_after(from, id, 0);
            if (!first) return decltype(entries)(first.error());
            known = first->has_value();
        } else if (entries) {
            known = !entries->empty();
        }
        return entries;
    }));
    if (!read) {
        fail(read.error(), it.in, out);
        return false;
    }
    if (!known) {
        http::write_problem(problems::not_found, {}, it.in, out);
        return false;
    }
    if (read->size() > history_entries_max) {
        read->pop_back();
        const auto last = static_cast<std::uint64_t>(read->back().version);
        out.add("Link", "<?after=" + std::to_string(last) + ">; rel=\"next\"");
    }
    add_order_fields(position, out);
    out.body.append(R"({"items":[)");
    for (const journal_entry& one : *read) {
        if (&one != read->data()) out.body.append(1, ',');
        append_entry(one, out.body);
    }
    out.body.append("]}");
    return false;
}

// Without a tag: those are for what is now.
void api::get_order_at(const call& it, std::string_view id, std::string_view time,
                       http::response& out) {
    const auto at = parse_timestamp(time);
    if (!at) {
        return write_bad_parameter("at", "has to be an RFC 3339 date-time", it.in, out);
    }
    feed_position position;
    const auto found = reader_.use(
        behind_position(position, [&](repository& from) { return entry_at(from, id, *at); }));
    if (!found) {
        fail(found.error(), it.in, out);
    } else if (!*found || (*found)->event == "delete") {
        http::write_problem(problems::not_found, "it was not there at that time", it.in, out);
    } else {
        add_order_fields(position, out);
        append_json((*found)->after, out.body);
    }
}

}  // namespace orderproc::server
