#include "cli/order_command.hpp"

#include "cli/settings.hpp"
#include "text/terminal_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <set>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t page_max = 100;
constexpr std::size_t history_page = 1000;

// By which lists are filtered.
std::string attribute_parameter(const std::string& name) {
    return "attribute." + url_encoded(name);
}

// An event by which clients have an order tried again that has failed in a stage.
struct retry_event {
    order_status failed;
    std::string event;
};

std::vector<retry_event> retries_of(const status_machine& machine) {
    std::vector<retry_event> out;
    for (const work_stage& stage : machine.stages()) {
        for (const transition& it : machine.transitions()) {
            const bool leads = it.open_to_clients && it.to == stage.waiting;
            if (!leads ||
                std::find(it.from.begin(), it.from.end(), stage.failed) == it.from.end()) {
                continue;
            }
            out.push_back({stage.failed, std::string(it.event)});
            break;
        }
    }
    return out;
}

struct failed_order {
    std::string id;
    std::string event;
};

}  // namespace

std::optional<int> order_command::load_model() {
    if (model_) return std::nullopt;
    const auto got = client_.model();
    model_is_hidden_ = got && got->status == 403;
    const bool has_none = model_is_hidden_ || (got && got->status == 404);
    if (!has_none) {
        if (const auto code = exit_code_for(got, 200)) return code;
    }
    auto read = shop_model_of(has_none ? "{}" : got->body);
    if (!read) {
        return fail("this program cannot read the server's model:\n" +
                    printable(read.error().detail));
    }
    model_ = std::move(*read);
    return std::nullopt;
}

const order_model& order_command::columns() {
    return load_model() ? order_model::standard() : model_->orders;
}

int order_command::show_order(const result<fetch_response>& got, unsigned expected) {
    if (const auto code = exit_code_for(got, expected)) return *code;
    if (with_.json) {
        print_json(got->body);
    } else {
        const order_model& shown = columns();
        std::fputs(make_table({order_headings(shown), order_row(got->body, shown)}).c_str(),
                   stdout);
    }
    return 0;
}

int order_command::get() {
    return show_order(client_.get(with_.order, with_.at), 200);
}

std::optional<int> order_command::each_order(const std::string& filters, std::size_t most,
                                             const order_sink& sink) {
    std::string cursor;
    std::set<std::string> followed;
    for (std::size_t seen = 0; most == 0 || seen < most;) {
        const std::size_t limit = most == 0 ? page_max : std::min(page_max, most - seen);
        const auto got = client_.page(filters + cursor, limit);
        if (const auto code = exit_code_for(got, 200)) return code;
        answer_items page = items_of(got->body);
        if (!page.valid) return fail("the server did not answer with a page of orders");
        page.items.resize(std::min(page.items.size(), limit));
        for (const std::string_view it : page.items) sink(it);
        seen += page.items.size();
        if (page.next_cursor.empty()) break;
        // A page may be empty, and the next one have orders; a cursor that came before leads
        // nowhere.
        if (!followed.insert(page.next_cursor).second) {
            return fail("the server's list has no end: its next page was shown before");
        }
        cursor = "&cursor=" + url_encoded(page.next_cursor);
    }
    return std::nullopt;
}

int order_command::list() {
    std::string filters;
    for (const std::string& it : with_.statuses) filters += "&status=" + url_encoded(it);
    if (!with_.user.empty()) filters += "&user_id=" + url_encoded(with_.user);
    if (!with_.tenant.empty()) filters += "&tenant=" + url_encoded(with_.tenant);
    for (const std::string& it : with_.attributes) {
        const std::size_t end = it.find('=');
        if (end == it.npos) {
            return fail({errc::invalid_argument, "--attribute: \"" + it + "\" is not NAME=VALUE"});
        }
        filters +=
            "&" + attribute_parameter(it.substr(0, end)) + "=" + url_encoded(it.substr(end + 1));
    }
    if (!with_.from.empty()) filters += "&created_from=" + url_encoded(with_.from);
    if (!with_.until.empty()) filters += "&created_until=" + url_encoded(with_.until);
    if (with_.oldest_first) filters += "&sort=created_at";

    std::vector<table_row> rows;
    const auto begin = [&] {
        if (rows.empty()) rows.push_back(order_headings(columns()));
    };
    progress_line line(!with_.json);  // lines that come show that it goes on
    const auto code = each_order(filters, with_.limit, [&](std::string_view order) {
        if (with_.json) return print_json(order);
        begin();
        rows.push_back(order_row(order, columns()));
        if (rows.size() % page_max == 0) line.show(std::to_string(rows.size()) + " orders");
    });
    line.clear();
    if (code) return *code;
    if (with_.json) return 0;
    begin();
    std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

int order_command::raise(const char* event) {
    if (with_.all_failed) return retry_all();
    if (with_.order.empty()) {
        return fail({errc::invalid_argument, "name the order, or --all-failed for all of them"});
    }
    return show_order(client_.raise(with_.order, event, with_.if_version), 200);
}

int order_command::raise_any() {
    return show_order(client_.transition(with_.order, with_.event, with_.reason, with_.if_version),
                      200);
}

int order_command::retry_all() {
    if (const auto code = load_model()) return *code;
    std::vector<failed_order> failed;  // first all of them: a retry takes it out of the list
    for (const retry_event& it : retries_of(model_->statuses)) {
        const auto code =
            each_order("&status=" + std::string(it.failed.view()) + "&sort=created_at", 0,
                       [&](std::string_view order) {
                           failed.push_back({order_id_of(order), it.event});
                       });
        if (code) return *code;
    }
    const auto nameless = std::find_if(failed.begin(), failed.end(),
                                       [](const failed_order& it) { return it.id.empty(); });
    if (nameless != failed.end()) return fail("the server listed an order without its order_id");
    tally all;
    progress_line line;
    for (const failed_order& it : failed) {
        const auto got = client_.transition(it.id, it.event, {}, 0);
        if (got && got->status == 200) {
            ++all.done;
            if (with_.json) print_json(got->body);
        } else if (!got) {
            line.clear();
            return *exit_code_for(got, 200);
        } else {  // somebody else was quicker
            ++all.refused;
            line.clear();
            fail(printable(it.id) + ": " + problem_text(got->status, got->body));
        }
        line.show(std::to_string(all.done + all.refused) + " of " + std::to_string(failed.size()));
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
        if (const auto code = exit_code_for(got, 200)) return code;
        const answer_items page = items_of(got->body);
        if (!page.valid) return fail("the server did not answer with a history");
        const std::uint64_t before = seen;
        for (const std::string_view it : page.items) {
            const std::string version = history_row(it)[1];
            std::from_chars(version.data(), version.data() + version.size(), seen);
            sink(it);
        }
        more = page.items.size() >= history_page;
        if (more && seen <= before) return fail("the server's history does not go on");
    }
    return std::nullopt;
}

int order_command::history() {
    std::vector<table_row> rows{history_headings()};
    const auto code = each_change([&](std::string_view entry) {
        if (with_.json) return print_json(entry);
        rows.push_back(history_row(entry));
    });
    if (code) return *code;
    if (!with_.json) std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

}  // namespace orderproc::server
