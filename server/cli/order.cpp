// `orderproc order …`: orders of a server, over HTTP. Its options.

#include "cli/order_command.hpp"
#include "cli/refusal.hpp"
#include "cli/server_access.hpp"
#include "cli/settings.hpp"

#include <memory>
#include <utility>

namespace orderproc::server {

namespace {

using settings_pointer = std::shared_ptr<order_settings>;
using action = int (*)(order_command&);

int run(const order_settings& with, action what) {
    auto to = server_access::open(with.url, with.outgoing, with.credential);
    if (!to) return fail(to.error());
    order_command command(with, std::move(to->url), std::move(to->token), to->carrier);
    return what(command);
}

// The subcommands of `order`.
class order_options {
public:
    explicit order_options(command_line to)
        : run_(to.run),
          order_(*to.app.add_subcommand("order", "Makes, finds and moves orders of a server")),
          with_(std::make_shared<order_settings>()) {
        order_.require_subcommand(1);
        order_.fallthrough();
        with_->add_to(order_);
    }

    void add_create();
    void add_list();
    void add_one();
    void add_events();

private:
    CLI::App& add(const char* name, const char* help, action what) {
        auto* out = order_.add_subcommand(name, help);
        out->fallthrough();
        out->callback([&run_at_last = run_, with = with_, what] {
            run_at_last = [with, what] { return run(*with, what); };
        });
        return *out;
    }
    CLI::Option* add_order_to(CLI::App& to) {
        return to.add_option("order", with_->order, "Its order_id");
    }
    CLI::Option* add_version_to(CLI::App& to) {
        return to.add_option("--if-version", with_->if_version, "Only if it is at this version");
    }
    void add_user_to(CLI::App& to, const char* help) {
        to.add_option("--user", with_->user, help);
        to.add_option("--tenant", with_->tenant, "Whose shop it is, if the server has tenants");
    }

    std::function<int()>& run_;
    CLI::App& order_;
    const settings_pointer with_;
};

void order_options::add_create() {
    CLI::App& it = add("create", "Makes an order, or those of a file",
                       [](order_command& by) { return by.create(); });
    add_user_to(it, "Whose it is");
    it.add_option("--item", with_->items, "1001, or 1001x3 for three; repeat it for more");
    it.add_option("--line", with_->lines,
                  "SKU[=QUANTITY][@UNIT_AMOUNT], where orders have lines; repeat it for more");
    it.add_option("--amount", with_->amount, "Such as 149.99; kept exactly as typed");
    it.add_option("--currency", with_->currency, "ISO 4217; USD if left out");
    it.add_option("--id", with_->id, "Made by the server if left out");
    it.add_option("--metadata", with_->metadata, "A JSON object");
    it.add_option("--attribute", with_->attributes, "NAME=VALUE; repeat it for more");
    it.add_option("--annotations", with_->annotations, "A JSON object");
    it.add_option("--not-before", with_->not_before, "No work on it before this time (RFC 3339)");
    auto* file =
        it.add_option("--file", with_->file,
                      "JSON of an order, an array, or an order a line; - is standard input");
    it.add_option("--idempotency-key", with_->key,
                  "The same key makes the same orders once; random if left out");
    for (const char* other :
         {"--user", "--tenant", "--item", "--line", "--amount", "--currency", "--id", "--metadata",
          "--attribute", "--annotations", "--not-before"}) {
        file->excludes(other);
    }
}

void order_options::add_list() {
    CLI::App& it =
        add("list", "Orders, the newest first", [](order_command& by) { return by.list(); });
    it.add_option("--status", with_->statuses, "PENDING, say; repeat it for more");
    add_user_to(it, "This user's");
    it.add_option("--attribute", with_->attributes,
                  "With this value of an indexed attribute, as in create");
    it.add_option("--from", with_->from, "Created at this time (RFC 3339) or later");
    it.add_option("--until", with_->until, "Created before this time");
    it.add_option("--limit", with_->limit, "So many; 0: all")->capture_default_str();
    it.add_flag("--oldest-first", with_->oldest_first, "The other way round");
}

void order_options::add_one() {
    CLI::App& get = add("get", "One order", [](order_command& by) { return by.get(); });
    add_order_to(get)->required();
    get.add_option("--at", with_->at, "As it was at this time (RFC 3339)");
    CLI::App& history =
        add("history", "What happened to an order", [](order_command& by) { return by.history(); });
    add_order_to(history)->required();
    CLI::App& watch =
        add("watch",
            "Shows an order's changes until it is settled; exit code 0: its work was completed",
            [](order_command& by) { return by.watch(); });
    add_order_to(watch)->required();
    watch.add_option("--timeout", with_->timeout, "Such as 30s; 0: never")->capture_default_str();
}

void order_options::add_events() {
    CLI::App& raise = add("raise", "Raises an event that the server's model has for clients",
                          [](order_command& by) { return by.raise_any(); });
    add_order_to(raise)->required();
    raise.add_option("event", with_->event, "Such as cancel")->required();
    raise.add_option("--reason", with_->reason, "For the order's history");
    add_version_to(raise);
    CLI::App& cancel = add("cancel", "Cancels an order that still waits",
                           [](order_command& by) { return by.raise("cancel"); });
    add_order_to(cancel)->required();
    add_version_to(cancel);
    CLI::App& retry = add("retry", "Tries a failed order again",
                          [](order_command& by) { return by.raise("retry"); });
    auto* order = add_order_to(retry);
    auto* version = add_version_to(retry);
    retry
        .add_flag("--all-failed", with_->all_failed,
                  "All that have failed by now, in whatever stage")
        ->excludes(order)
        ->excludes(version);
}

}  // namespace

void add_order(command_line to) {
    order_options all(to);
    all.add_create();
    all.add_one();
    all.add_list();
    all.add_events();
}

}  // namespace orderproc::server
