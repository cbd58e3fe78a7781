// `orderproc order …`: orders of a server, over HTTP.

#include "api/uri.hpp"
#include "cli/order_client.hpp"
#include "cli/settings.hpp"
#include "cli/values.hpp"

#include <orderproc/json.hpp>
#include <orderproc/runtime.hpp>

#include <boost/json.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t page_max = 100;
constexpr std::size_t batch_max = 1000;

struct order_settings {
    std::string url = "http://127.0.0.1:8000";
    bool json = false;
    // Of create.
    std::int64_t user = 0;
    std::vector<std::string> items;
    std::string amount, currency, id, metadata, key, file;
    // Of those about one order.
    std::string order, at, timeout = "0";
    std::uint64_t if_version = 0;
    // Of list.
    std::vector<std::string> statuses;
    std::string from, until;
    std::size_t limit = 20;
    bool oldest_first = false;
    bool all_failed = false;
};

std::string encoded(std::string_view text) {
    std::string out;
    percent_encode(text, out);
    return out;
}

std::string random_key() {
    random_source& random = system_runtime().random;
    return "cli-" + std::to_string(random.next()) + "-" + std::to_string(random.next());
}

boost::json::object object_of(std::string_view text) {
    boost::system::error_code ec;
    auto parsed = boost::json::parse({text.data(), text.size()}, ec);
    return ec || !parsed.is_object() ? boost::json::object() : std::move(parsed.get_object());
}

class order_command {
public:
    order_command(const order_settings& with, http_url to) : with_(with), client_(std::move(to)) {}

    int create();
    int get();
    int list();
    int raise(const char* event);
    int history();
    int watch(milliseconds at_most);

private:
    int create_many(const std::string& text);
    int retry_all();
    int report(const result<fetch_response>& got, unsigned expected);
    int refuse(const fetch_response& got) const;
    void print_rows(const std::vector<std::string>& orders) const;
    result<std::vector<std::string>> fetch_orders(std::string filters, std::size_t most);
    result<fetch_response> post(const std::string& target, std::string body,
                                const std::string& key = {});
    int show_changes(std::uint64_t& seen);
    std::string target() const { return "/orders/" + encoded(with_.order); }

    const order_settings& with_;
    const order_client client_;
};

int order_command::refuse(const fetch_response& got) const {
    if (with_.json) {
        std::printf("%s\n", got.body.c_str());
        return 1;
    }
    return fail(problem_text(got));
}

// An order as the answer.
int order_command::report(const result<fetch_response>& got, unsigned expected) {
    if (!got) return fail(got.error().detail + ": is the server running?");
    if (got->status != expected) return refuse(*got);
    if (with_.json) {
        std::printf("%s\n", got->body.c_str());
    } else {
        print_rows({got->body});
    }
    return 0;
}

void order_command::print_rows(const std::vector<std::string>& orders) const {
    if (with_.json) {
        for (const std::string& it : orders) std::printf("%s\n", it.c_str());
        return;
    }
    std::vector<std::vector<std::string>> rows{order_headings()};
    for (const std::string& it : orders) rows.push_back(order_row(object_of(it)));
    std::fputs(make_table(rows).c_str(), stdout);
}

result<fetch_response> order_command::post(const std::string& target, std::string body,
                                           const std::string& key) {
    fetch_request what;
    what.method = "POST";
    what.target = target;
    what.body = std::move(body);
    what.fields = {{"Content-Type", "application/json"},
                   {"Idempotency-Key", key.empty() ? random_key() : key}};
    if (with_.if_version > 0) {
        what.fields.emplace_back("If-Match", "\"" + std::to_string(with_.if_version) + "\"");
    }
    return client_.ask(std::move(what));
}

int order_command::create() {
    if (!with_.file.empty()) {
        std::ifstream file;
        if (with_.file != "-") file.open(with_.file, std::ios::binary);
        std::istream& from = with_.file == "-" ? std::cin : file;
        if (!from) return fail(with_.file + " cannot be read");
        return create_many({std::istreambuf_iterator<char>(from), {}});
    }
    std::vector<std::string> ids;
    for (const std::string& it : with_.items) {
        if (auto ok = parse_item(it, ids); !ok) return fail(ok.error());
    }
    if (with_.user < 1 || ids.empty() || with_.amount.empty()) {
        return fail(
            {errc::invalid_argument, "an order needs --user, --item and --amount, or --file"});
    }
    std::string body = "{";
    if (!with_.id.empty()) {
        body += "\"order_id\":";
        append_json_string(with_.id, body);
        body += ",";
    }
    body += "\"user_id\":" + std::to_string(with_.user) + ",\"item_ids\":[";
    for (const std::string& it : ids) body += (body.back() == '[' ? "" : ",") + it;
    body += "],\"total_amount\":" + with_.amount;  // as typed: it is exact
    if (!with_.currency.empty()) {
        body += ",\"currency\":";
        append_json_string(with_.currency, body);
    }
    if (!with_.metadata.empty()) body += ",\"metadata\":" + with_.metadata;
    return report(post("/orders", body + "}", with_.key), 201);
}

// The orders of an array, of lines, or the one that the text is.
std::vector<std::string> orders_of(const std::string& text) {
    std::vector<std::string> out;
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first != text.npos && text[first] == '[') {
        const json_array split = split_json_array(text, std::numeric_limits<std::size_t>::max());
        if (split.syntax.line == 0) out.assign(split.items.begin(), split.items.end());
        return out;
    }
    const std::string_view body = first == text.npos ? std::string_view() : std::string_view(text);
    boost::system::error_code ec;
    boost::json::parse({body.data(), body.size()}, ec);
    if (!ec) return {text};
    for (std::size_t at = 0; at < body.size();) {
        const std::size_t end = std::min(body.find('\n', at), body.size());
        const std::string_view line = body.substr(at, end - at);
        if (line.find_first_not_of(" \t\r") != line.npos) out.emplace_back(line);
        at = end + 1;
    }
    return out;
}

int order_command::create_many(const std::string& text) {
    const std::vector<std::string> orders = orders_of(text);
    if (orders.empty()) return fail({errc::invalid_argument, "there are no orders in it"});
    const bool person = isatty(STDERR_FILENO) != 0;
    const std::string key = with_.key.empty() ? random_key() : with_.key;
    std::size_t created = 0;
    std::size_t refused = 0;
    for (std::size_t at = 0; at < orders.size(); at += batch_max) {
        std::string body;
        for (std::size_t i = at; i < std::min(at + batch_max, orders.size()); ++i) {
            body.append(orders[i]).append(1, '\n');
        }
        fetch_request what;
        what.method = "POST";
        what.target = "/orders/batch";
        what.body = std::move(body);
        what.fields = {{"Content-Type", "application/x-ndjson"},
                       {"Idempotency-Key", key + "-" + std::to_string(at)}};
        const auto got = client_.ask(std::move(what));
        if (!got) return fail(got.error().detail + ": is the server running?");
        if (got->status != 200) return refuse(*got);
        if (with_.json) std::printf("%s\n", got->body.c_str());
        const auto answer = object_of(got->body);
        std::size_t line = at;
        for (const auto& it : answer.at("items").as_array()) {
            ++line;
            if (it.at("status").as_int64() == 201) {
                ++created;
                continue;
            }
            ++refused;
            fetch_response one;
            one.status = static_cast<unsigned>(it.at("status").as_int64());
            one.body = boost::json::serialize(it.at("problem"));
            if (person) std::fputc('\r', stderr);
            std::fprintf(stderr, "order %zu: %s\n", line, problem_text(one).c_str());
        }
        if (person) std::fprintf(stderr, "\r%zu of %zu ", line, orders.size());
    }
    if (person) std::fputc('\r', stderr);
    if (!with_.json) std::printf("%zu created, %zu refused\n", created, refused);
    return refused == 0 ? 0 : 1;
}

int order_command::get() {
    fetch_request what;
    what.target = target();
    if (!with_.at.empty()) what.target += "?at=" + encoded(with_.at);
    return report(client_.ask(std::move(what)), 200);
}

// So many of the list that the filters give, page by page; 0: all.
result<std::vector<std::string>> order_command::fetch_orders(std::string filters,
                                                             std::size_t most) {
    std::vector<std::string> out;
    const bool person = isatty(STDERR_FILENO) != 0 && isatty(STDOUT_FILENO) == 0;
    for (std::string cursor;;) {
        const std::size_t left = most == 0 ? page_max : std::min(page_max, most - out.size());
        fetch_request what;
        what.target = "/orders?limit=" + std::to_string(left) + filters + cursor;
        const auto got = client_.ask(std::move(what));
        if (!got) return failure{got.error().code, got.error().detail + ": is the server running?"};
        if (got->status != 200) return failure{errc::unavailable, problem_text(*got)};
        // The orders as they are: {"items":[…],"next_cursor":…}.
        const std::size_t begin = got->body.find('[');
        const std::size_t end = got->body.rfind(']');
        const std::string_view array = std::string_view(got->body).substr(begin, end - begin + 1);
        for (const std::string_view it : split_json_array(array, page_max).items) {
            out.emplace_back(it);
        }
        const auto rest = object_of("{" + got->body.substr(end + 2));
        const auto* next = rest.if_contains("next_cursor");
        if (!next || !next->is_string() || (most > 0 && out.size() >= most)) return out;
        cursor = "&cursor=" + encoded({next->get_string().data(), next->get_string().size()});
        if (person) std::fprintf(stderr, "\r%zu orders ", out.size());
    }
}

int order_command::list() {
    std::string filters;
    for (const std::string& it : with_.statuses) filters += "&status=" + encoded(it);
    if (with_.user > 0) filters += "&user_id=" + std::to_string(with_.user);
    if (!with_.from.empty()) filters += "&created_from=" + encoded(with_.from);
    if (!with_.until.empty()) filters += "&created_until=" + encoded(with_.until);
    if (with_.oldest_first) filters += "&sort=created_at";
    const auto orders = fetch_orders(std::move(filters), with_.limit);
    if (!orders) return fail(orders.error().detail);
    print_rows(*orders);
    return 0;
}

int order_command::raise(const char* event) {
    if (with_.all_failed) return retry_all();
    if (with_.order.empty()) return fail({errc::invalid_argument, "which order?"});
    return report(post(target() + "/" + event, {}), 200);
}

int order_command::retry_all() {
    const auto orders = fetch_orders("&status=FAILED&sort=created_at", 0);
    if (!orders) return fail(orders.error().detail);
    std::size_t done = 0;
    std::size_t refused = 0;
    for (const std::string& it : *orders) {
        const auto order = object_of(it);
        const std::string id(order.at("order_id").as_string());
        const auto got = post("/orders/" + encoded(id) + "/retry", {});
        if (!got) return fail(got.error().detail);
        if (got->status == 200) {
            ++done;
        } else {
            ++refused;  // somebody else was quicker
            std::fprintf(stderr, "%s: %s\n", id.c_str(), problem_text(*got).c_str());
        }
    }
    std::printf("%zu orders are tried again, %zu refused\n", done, refused);
    return refused == 0 ? 0 : 1;
}

std::string text_at(const boost::json::object& of, std::string_view name) {
    const auto* found = of.if_contains(name);
    if (!found || found->is_null()) return "-";
    if (!found->is_string()) return boost::json::serialize(*found);
    return printable({found->get_string().data(), found->get_string().size()});
}

std::vector<std::string> history_row(const boost::json::object& it) {
    return {text_at(it, "at"), text_at(it, "version"), text_at(it, "event"), text_at(it, "from"),
            text_at(it, "to"), text_at(it, "actor"),   text_at(it, "reason")};
}

int order_command::history() {
    fetch_request what;
    what.target = target() + "/history";
    const auto got = client_.ask(std::move(what));
    if (!got) return fail(got.error().detail + ": is the server running?");
    if (got->status != 200) return refuse(*got);
    if (with_.json) {
        std::printf("%s\n", got->body.c_str());
        return 0;
    }
    std::vector<std::vector<std::string>> rows{
        {"AT", "VERSION", "EVENT", "FROM", "TO", "ACTOR", "REASON"}};
    const auto answer = object_of(got->body);
    for (const auto& it : answer.at("items").as_array())
        rows.push_back(history_row(it.as_object()));
    std::fputs(make_table(rows).c_str(), stdout);
    return 0;
}

// Prints what came after the version seen. The answer: the exit code once it is settled, else -1.
int order_command::show_changes(std::uint64_t& seen) {
    fetch_request what;
    what.target = target() + "/history";
    const auto got = client_.ask(std::move(what));
    if (!got) return fail(got.error().detail + ": is the server running?");
    if (got->status != 200) return refuse(*got);
    std::string last_status, last_event;
    const auto answer = object_of(got->body);
    for (const auto& item : answer.at("items").as_array()) {
        const auto& it = item.as_object();
        last_status = text_at(it, "to");
        last_event = text_at(it, "event");
        const auto version = it.at("version").to_number<std::uint64_t>();
        if (version <= seen) continue;
        seen = version;
        if (with_.json) {
            std::printf("%s\n", boost::json::serialize(item).c_str());
        } else {
            const auto row = history_row(it);
            std::printf("%s  %s  %s → %s%s\n", row[0].c_str(), row[2].c_str(), row[3].c_str(),
                        row[4].c_str(),
                        row[6] == "-" || row[6].empty() ? "" : ("  " + row[6]).c_str());
        }
        std::fflush(stdout);
    }
    if (last_event == "delete" || last_status == "CANCELLED" || last_status == "FAILED") return 1;
    return last_status == "COMPLETED" ? 0 : -1;
}

int order_command::watch(milliseconds at_most) {
    const auto begun = std::chrono::steady_clock::now();
    std::uint64_t seen = 0;
    for (milliseconds pause{100};;
         pause = std::min<milliseconds>(pause * 3 / 2, milliseconds(1000))) {
        const std::uint64_t before = seen;
        const int code = show_changes(seen);
        if (code >= 0) return code;
        if (seen != before) pause = milliseconds(100);
        if (at_most.count() > 0 && std::chrono::steady_clock::now() - begun >= at_most) {
            return fail("it is not settled after " + with_.timeout);
        }
        std::this_thread::sleep_for(pause);
    }
}

int run(const order_settings& with, int (*what)(order_command&)) {
    auto to = parse_http_url(with.url);
    if (!to) return fail(to.error());
    order_command command(with, std::move(*to));
    return what(command);
}

using settings_pointer = std::shared_ptr<order_settings>;

// A subcommand of `order`, with what it runs.
CLI::App* add(CLI::App& to, std::function<int()>& run_at_last, const settings_pointer& with,
              const char* name, const char* help, int (*what)(order_command&)) {
    auto* out = to.add_subcommand(name, help);
    out->fallthrough();
    out->callback(
        [&run_at_last, with, what] { run_at_last = [with, what] { return run(*with, what); }; });
    return out;
}

void add_create(CLI::App& to, std::function<int()>& run, const settings_pointer& with) {
    auto* create = add(to, run, with, "create", "Makes an order, or those of a file",
                       [](order_command& it) { return it.create(); });
    create->add_option("--user", with->user, "Whose it is");
    create->add_option("--item", with->items, "1001, or 1001x3 for three; repeat it for more");
    create->add_option("--amount", with->amount, "149.99: kept exactly as typed");
    create->add_option("--currency", with->currency, "ISO 4217; USD if left out");
    create->add_option("--id", with->id, "Made by the server if left out");
    create->add_option("--metadata", with->metadata, "A JSON object");
    create->add_option("--file", with->file,
                       "JSON of one order, an array, or a line each; - is standard input");
    create->add_option("--idempotency-key", with->key,
                       "The same key makes the same order once; random if left out");
}

void add_list(CLI::App& to, std::function<int()>& run, const settings_pointer& with) {
    auto* list = add(to, run, with, "list", "Orders, the newest first; as JSON one a line",
                     [](order_command& it) { return it.list(); });
    list->add_option("--status", with->statuses, "PENDING, …; repeat it for more");
    list->add_option("--user", with->user, "This user's");
    list->add_option("--from", with->from, "Created at this time or later");
    list->add_option("--until", with->until, "Created before this time");
    list->add_option("--limit", with->limit, "So many; 0: all")->capture_default_str();
    list->add_flag("--oldest-first", with->oldest_first);
}

}  // namespace

void add_order(command_line to) {
    auto* order = to.app.add_subcommand("order", "Makes, finds and moves orders of a server");
    const auto with = std::make_shared<order_settings>();
    order->require_subcommand(1);
    order->fallthrough();
    add_setting(*order, "url", with->url, "Of the server");
    add_setting(*order, "json", with->json, "The server's own answers, for programs");
    add_create(*order, to.run, with);
    auto* get =
        add(*order, to.run, with, "get", "One order", [](order_command& it) { return it.get(); });
    get->add_option("order", with->order, "Its order_id")->required();
    get->add_option("--at", with->at, "As it was at this time (RFC 3339)");
    add_list(*order, to.run, with);
    auto* cancel = add(*order, to.run, with, "cancel", "Cancels an order that still waits",
                       [](order_command& it) { return it.raise("cancel"); });
    cancel->add_option("order", with->order, "Its order_id")->required();
    cancel->add_option("--if-version", with->if_version, "Only if it is at this version");
    auto* retry = add(*order, to.run, with, "retry", "Tries a failed order again",
                      [](order_command& it) { return it.raise("retry"); });
    retry->add_option("order", with->order, "Its order_id");
    retry->add_option("--if-version", with->if_version, "Only if it is at this version");
    retry->add_flag("--all-failed", with->all_failed, "All that are FAILED now");
    auto* history = add(*order, to.run, with, "history", "What happened to an order",
                        [](order_command& it) { return it.history(); });
    history->add_option("order", with->order, "Its order_id")->required();
    auto* watch = to.app.get_subcommand("order")->add_subcommand(
        "watch", "Shows an order's changes until it is settled; exit code 0 if it was COMPLETED");
    watch->fallthrough();
    watch->add_option("order", with->order, "Its order_id")->required();
    watch->add_option("--timeout", with->timeout, "Give up after this; 0: never")
        ->capture_default_str();
    watch->callback([&run_at_last = to.run, with] {
        run_at_last = [with] {
            const auto at_most = parse_duration(with->timeout);
            auto url = parse_http_url(with->url);
            if (!at_most) return fail(at_most.error());
            if (!url) return fail(url.error());
            return order_command(*with, std::move(*url)).watch(*at_most);
        };
    });
}

}  // namespace orderproc::server
