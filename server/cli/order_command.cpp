#include "cli/order_command.hpp"

#include "cli/settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t page_max = 100;
constexpr std::size_t history_page = 1000;

}  // namespace

void print_line(std::string_view text) {
    std::printf("%.*s\n", static_cast<int>(text.size()), text.data());
}

std::optional<int> order_command::trouble_with(const result<fetch_response>& got,
                                               unsigned expected) const {
    if (!got) {
        return fail(got.error().detail +
                    "\nIs the server running? `orderproc serve` starts one; --url names another");
    }
    if (got->status == expected) return std::nullopt;
    if (!with_.json) return fail(problem_text(got->status, got->body));
    print_line(got->body);
    return 1;
}

int order_command::show_order(const result<fetch_response>& got, unsigned expected) const {
    if (const auto code = trouble_with(got, expected)) return *code;
    if (with_.json) {
        print_line(got->body);
    } else {
        std::fputs(make_table({order_headings(), order_row(got->body)}).c_str(), stdout);
    }
    return 0;
}

int order_command::get() {
    return show_order(client_.get(with_.order, with_.at), 200);
}

std::optional<int> order_command::each_order(const std::string& filters, std::size_t most,
                                             const order_sink& sink) {
    std::string cursor;
    for (std::size_t seen = 0; most == 0 || seen < most;) {
        const std::size_t limit = most == 0 ? page_max : std::min(page_max, most - seen);
        const auto got = client_.page(filters + cursor, limit);
        if (const auto code = trouble_with(got, 200)) return code;
        const answer_items page = items_of(got->body);
        for (const std::string_view it : page.items) sink(it);
        seen += page.items.size();
        if (page.next_cursor.empty()) break;
        cursor = "&cursor=" + url_encoded(page.next_cursor);
    }
    return std::nullopt;
}

int order_command::list() {
    std::string filters;
    for (const std::string& it : with_.statuses) filters += "&status=" + url_encoded(it);
    if (with_.user > 0) filters += "&user_id=" + std::to_string(with_.user);
    if (!with_.from.empty()) filters += "&created_from=" + url_encoded(with_.from);
    if (!with_.until.empty()) filters += "&created_until=" + url_encoded(with_.until);
    if (with_.oldest_first) filters += "&sort=created_at";

    std::vector<table_row> rows{order_headings()};
    progress_line line(!with_.json);  // lines that come show that it goes on
    const auto code = each_order(filters, with_.limit, [&](std::string_view order) {
        if (with_.json) return print_line(order);
        rows.push_back(order_row(order));
        if (rows.size() % page_max == 0) line.show(std::to_string(rows.size()) + " orders");
    });
    line.clear();
    if (code) return *code;
    if (!with_.json) std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

int order_command::raise(const char* event) {
    if (with_.all_failed) return retry_all();
    if (with_.order.empty()) {
        return fail({errc::invalid_argument, "name the order, or --all-failed for all of them"});
    }
    return show_order(client_.raise(with_.order, event, with_.if_version), 200);
}

int order_command::retry_all() {
    std::vector<std::string> ids;  // first all of them: a retry takes it out of the list
    const auto code = each_order("&status=FAILED&sort=created_at", 0, [&](std::string_view order) {
        ids.push_back(order_row(order)[0]);
    });
    if (code) return *code;
    tally all;
    progress_line line;
    for (const std::string& id : ids) {
        const auto got = client_.raise(id, "retry", 0);
        if (got && got->status == 200) {
            ++all.done;
            if (with_.json) print_line(got->body);
        } else if (!got) {
            line.clear();
            return *trouble_with(got, 200);
        } else {  // somebody else was quicker
            ++all.refused;
            line.clear();
            fail(id + ": " + problem_text(got->status, got->body));
        }
        line.show(std::to_string(all.done + all.refused) + " of " + std::to_string(ids.size()));
    }
    line.clear();
    if (!with_.json) std::printf("%zu orders retried, %zu refused\n", all.done, all.refused);
    return all.refused == 0 ? 0 : 1;
}

// All that happened to it, oldest first.
std::optional<int> order_command::each_change(const order_sink& sink) {
    std::uint64_t seen = 0;
    for (bool more = true; more;) {
        const auto got = client_.history(with_.order, seen);
        if (const auto code = trouble_with(got, 200)) return code;
        const answer_items page = items_of(got->body);
        for (const std::string_view it : page.items) {
            const std::string version = history_row(it)[1];
            std::from_chars(version.data(), version.data() + version.size(), seen);
            sink(it);
        }
        more = page.items.size() >= history_page;
    }
    return std::nullopt;
}

int order_command::history() {
    std::vector<table_row> rows{history_headings()};
    const auto code = each_change([&](std::string_view entry) {
        if (with_.json) return print_line(entry);
        rows.push_back(history_row(entry));
    });
    if (code) return *code;
    if (!with_.json) std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

}  // namespace orderproc::server
