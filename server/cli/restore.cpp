// `orderproc restore`: puts a backup in place so that nothing that was paid happens twice.

#include "cli/operator_name.hpp"
#include "cli/order_command.hpp"
#include "cli/progress.hpp"
#include "cli/redaction_log.hpp"
#include "cli/restored.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "text/terminal_text.hpp"

#include <orderproc/sqlite.hpp>
#include <orderproc/verify.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

namespace js = boost::json;

struct restore_settings {
    storage_settings storage;
    std::string from, redaction_log, as;
    bool no_redactions = false, check = false, json = false;
};

void show_unfinished(const restore_settings& with, const order& it) {
    const std::string id(it.id.view()), status(it.status.view()), at = to_string(it.updated_at);
    if (with.json) {
        print_json(js::serialize(js::object{
            {"order_id", id}, {"status", status}, {"attempts", it.attempts}, {"updated_at", at}}));
        return;
    }
    std::printf("unfinished: %s, %s since %s, %u attempts\n", printable(id).c_str(), status.c_str(),
                at.c_str(), static_cast<unsigned>(it.attempts));
}

// Lists what was unfinished; the number, or none and a word on standard error.
std::optional<std::uint64_t> list_unfinished(storage& of, const shop_model& shop,
                                             const restore_settings& with) {
    auto reader = of.connect_reader();
    if (!reader) {
        fail(reader.error());
        return std::nullopt;
    }
    const auto count = each_unfinished(**reader, shop.statuses,
                                       [&](const order& it) { show_unfinished(with, it); });
    if (count) return *count;
    fail(count.error());
    return std::nullopt;
}

// Of --redaction-log, each order once.
result<std::vector<std::string>> redacted_since(const restore_settings& with) {
    std::vector<std::string> out;
    if (with.no_redactions || with.check) return out;
    const auto all = read_redaction_log(with.redaction_log);
    if (!all) return all.error();
    for (const logged_redaction& it : *all) out.push_back(it.order);
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

void report_restore(const restore_settings& with, const restore_tally& done,
                    std::uint64_t unfinished) {
    const redaction_tally& redacted = done.redactions;
    if (with.json) {
        js::array open;
        for (const std::string& it : redacted.open) open.emplace_back(it);
        print_json(js::serialize(js::object{{"unfinished", unfinished},
                                            {"redacted", redacted.redacted},
                                            {"not_redacted", std::move(open)},
                                            {"keys_disabled", done.keys},
                                            {"webhooks_paused", done.webhooks}}));
        return;
    }
    for (const std::string& it : redacted.open) {
        std::printf(
            "not redacted: %s was redacted, but is unfinished here: redact it when it is "
            "settled\n",
            printable(it).c_str());
    }
    std::printf(
        "restored: %llu orders redacted again; %zu keys disabled (orderproc keys enable); "
        "%zu webhook endpoints paused (orderproc webhooks resume)\n",
        static_cast<unsigned long long>(redacted.redacted), done.keys, done.webhooks);
    std::printf(
        "%llu orders are unfinished here, and may have been finished since. All work is "
        "paused: cancel those that were, then run orderproc resume.\n",
        static_cast<unsigned long long>(unfinished));
}

// Makes a storage safe that is as it was at some time, and lists what was unfinished then.
int settle(storage& of, const restore_settings& with, const std::string& actor,
           const std::vector<std::string>& redacted, const std::function<result<void>()>& finish) {
    const auto shop = load_model(of);
    if (!shop) return fail(shop.error());
    const std::string source = with.from.empty() ? "a backup of the database" : with.from;
    const auto done = make_restored_safe(of, *shop, {actor, source, redacted});
    if (!done) return fail(done.error());
    const auto unfinished = list_unfinished(of, *shop, with);
    if (!unfinished) return 1;
    if (auto ended = finish(); !ended) return fail(ended.error());
    report_restore(with, *done, *unfinished);
    return 0;
}

int check_copy(storage& of, const restore_settings& with) {
    const auto shop = load_model(of);
    if (!shop) return fail(shop.error());
    auto reader = of.connect_reader();
    if (!reader) return fail(reader.error());
    progress_line line(!with.json);
    const auto checked = verify(**reader, shop->statuses, [&line](const verify_report& so_far) {
        line.show(std::to_string(so_far.entries) + " journal entries");
    });
    line.clear();
    if (!checked) return fail(checked.error());
    if (checked->difference) {
        return fail("the backup is damaged: " + *checked->difference);
    }
    const auto unfinished = list_unfinished(of, *shop, with);
    if (!unfinished) return 1;
    const auto page = (*reader)->read_feed({});
    if (!page) return fail(page.error());
    if (with.json) {
        print_json(js::serialize(js::object{{"orders", checked->orders},
                                            {"entries", checked->entries},
                                            {"position", to_string(page->newest)},
                                            {"unfinished", *unfinished}}));
        return 0;
    }
    std::printf("ok: %llu orders, %llu of them unfinished; the journal ends at entry %llu\n",
                static_cast<unsigned long long>(checked->orders),
                static_cast<unsigned long long>(*unfinished),
                static_cast<unsigned long long>(page->newest.offset));
    return 0;
}

// PostgreSQL has put its database back by its own tools.
int restore_database(const restore_settings& with, const std::string& actor,
                     const std::vector<std::string>& redacted) {
    if (!with.from.empty()) {
        return fail({errc::invalid_argument,
                     "PostgreSQL restores its backups itself, by pg_restore or a base backup: do "
                     "that first, and leave the name out"});
    }
    auto orders = with.storage.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    const int code = with.check
                         ? check_copy(**orders, with)
                         : settle(**orders, with, actor, redacted, [] { return result<void>(); });
    return close_storage(**orders, code);
}

int restore_file(const restore_settings& with, const std::string& actor,
                 const std::vector<std::string>& redacted) {
    if (with.from.empty()) return fail({errc::invalid_argument, "give the name of the backup"});
    const auto to = with.storage.sqlite();
    if (!to) return fail(to.error());
    (void)disable_sqlite_memory_statistics();
    if (with.check) {
        const auto copy = open_sqlite_backup(with.from);
        return copy ? check_copy(**copy, with) : fail(copy.error());
    }
    const auto restored = sqlite_restore::begin(with.from, *to);
    if (!restored) return fail(restored.error());
    return settle((*restored)->copy(), with, actor, redacted,
                  [&restored] { return (*restored)->finish(); });
}

int restore(const restore_settings& with) {
    const bool chosen = with.no_redactions != !with.redaction_log.empty();
    if (!with.check && !chosen) {
        return fail({errc::invalid_argument,
                     "give either --redaction-log, the file of what was redacted since the backup, "
                     "or --no-redactions if nothing was"});
    }
    const auto actor = operator_name(with.as);
    if (!actor) return fail(actor.error());
    const auto redacted = redacted_since(with);
    if (!redacted) return fail(redacted.error());
    const auto at = with.storage.resolve();
    if (!at) return fail(at.error());
    return is_postgres(*at) ? restore_database(with, *actor, *redacted)
                            : restore_file(with, *actor, *redacted);
}

}  // namespace

void add_restore(command_line to) {
    auto* command =
        to.app.add_subcommand("restore", "Puts a backup in place, with all work paused");
    const auto with = std::make_shared<restore_settings>();
    with->storage.add_to(*command);
    command->add_option("from", with->from, "Name of the backup of an SQLite file");
    add_setting(*command, "redaction-log", with->redaction_log,
                "A file of what was redacted since the backup, which is redacted again");
    add_setting(*command, "no-redactions", with->no_redactions,
                "Nothing was redacted since the backup");
    add_setting(*command, "check", with->check,
                "Verifies the backup and lists what was unfinished; changes nothing");
    add_setting(*command, "as", with->as,
                "Who you are, if several people share the user that you are logged in as");
    add_setting(*command, "json", with->json, "For programs: one unfinished order a line");
    command->callback([&run = to.run, with] { run = [with] { return restore(*with); }; });
}

}  // namespace orderproc::server
