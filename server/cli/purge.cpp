// `orderproc purge`: deletes orders that have been settled for long.

#include "cli/operator_name.hpp"
#include "cli/order_command.hpp"
#include "cli/progress.hpp"
#include "cli/purger.hpp"
#include "cli/refusal.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"
#include "text/duration.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

namespace js = boost::json;

// Between two steps, in which orders are written.
constexpr std::chrono::milliseconds purge_pause(20);

struct purge_settings {
    storage_settings storage;
    std::string older_than, as;
    bool failed_too = false, dry_run = false, json = false;
};

void print_purged_json(const purge_settings& with, const purge_wish& what,
                       const purge_tally& done) {
    js::object out{{"orders", done.orders}, {"entries", nullptr}};
    if (!with.dry_run) out["entries"] = done.entries;
    out["before"] = to_string(what.before);
    out["dry_run"] = with.dry_run;
    out["held_by_cursor"] = nullptr;
    out["held_by_order"] = nullptr;
    out["held_since"] = nullptr;
    if (!done.end.held_by.empty()) out["held_by_cursor"] = done.end.held_by;
    if (done.end.kept) out["held_by_order"] = std::string(done.end.kept->id.view());
    if (done.end.held_since) out["held_since"] = to_string(*done.end.held_since);
    print_json(js::serialize(out));
}

void print_purged(const purge_settings& with, const purge_wish& what, const purge_tally& done) {
    if (with.json) return print_purged_json(with, what, done);
    const auto orders = static_cast<unsigned long long>(done.orders);
    const char* const noun = done.orders == 1 ? "order" : "orders";
    if (with.dry_run) {
        std::printf("%llu %s would be purged, settled before %s\n", orders, noun,
                    to_string(what.before).c_str());
    } else {
        std::printf("purged: %llu %s with %llu journal entries, settled before %s\n", orders, noun,
                    static_cast<unsigned long long>(done.entries), to_string(what.before).c_str());
    }
    const std::string held = held_text(done.end);
    if (!held.empty()) std::printf("held back by %s\n", held.c_str());
    if (done.end.kept) {
        std::printf("Retry it, or delete it; --failed purges such orders as well.\n");
    }
}

int purge_in(storage& orders, const purge_settings& with, std::chrono::milliseconds age,
             const std::string& actor) {
    const auto can =
        require(orders.info(), {capability::purge, capability::records}, "orderproc purge");
    if (!can) return fail(can.error());
    const auto shop = load_model(orders);
    if (!shop) return fail(shop.error());
    engine_options how;
    how.stored_model = record_of(*shop);
    engine writes(orders, shop->statuses, shop->orders, system_runtime(), how);
    const purge_wish what{writes.runtime().time.now() - age, with.failed_too};
    purger by(orders, writes, actor);
    progress_line line(!with.json);
    const auto show = [&](const purge_tally& so_far) {
        line.show(std::to_string(so_far.orders) + " orders");
        return true;
    };
    const auto done = with.dry_run ? by.look(what, show) : by.run(what, [&](const auto& so_far) {
        std::this_thread::sleep_for(purge_pause);
        return show(so_far);
    });
    line.clear();
    if (!done) return fail(done.error());
    print_purged(with, what, *done);
    return 0;
}

int purge(const purge_settings& with) {
    const auto age = of_option("--older-than", parse_duration(with.older_than));
    if (!age) return fail(age.error());
    if (*age < purge_age_min()) {
        return fail({errc::invalid_argument,
                     "--older-than: at least 72h, for which idempotency keys are kept"});
    }
    const auto actor = operator_name(with.as);
    if (!actor) return fail(actor.error());
    auto orders = with.storage.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    const int code = purge_in(**orders, with, *age, *actor);
    return close_storage(**orders, code);
}

}  // namespace

void add_purge(command_line to) {
    auto* command = to.app.add_subcommand(
        "purge", "Deletes orders that have been settled for long, with their history");
    const auto with = std::make_shared<purge_settings>();
    with->storage.add_to(*command);
    add_setting(*command, "older-than", with->older_than,
                "How long ago their latest change has to be, such as 90d; at least 72h")
        ->required();
    add_setting(*command, "failed", with->failed_too,
                "Also orders that failed, which hold a purge back otherwise");
    add_setting(*command, "dry-run", with->dry_run, "Says what it would purge");
    add_setting(*command, "as", with->as,
                "Who you are, if several people share the user that you are logged in as");
    add_setting(*command, "json", with->json, "For programs");
    command->callback([&run = to.run, with] { run = [with] { return purge(*with); }; });
}

}  // namespace orderproc::server
