#include "auth/audit.hpp"
#include "cli/operator_name.hpp"
#include "cli/progress.hpp"
#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"
#include "cli/stored_model.hpp"

#include <orderproc/redact.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

struct redact_settings {
    storage_settings storage;
    std::string order;
    std::string user;
    std::string tenant;
    std::string as;
};

// How long to wait for readers of the log, which may hold what was taken out.
constexpr std::chrono::seconds log_timeout(5);
constexpr std::chrono::milliseconds log_poll(100);

// Redacts orders by writes of its own, beside a server that is running. Both must outlive it.
class redactor {
public:
    redactor(repository& orders, const shop_model& shop, std::string actor, bool audited)
        : orders_(orders), shop_(shop), actor_(std::move(actor)), audited_(audited) {
        name_ = "redact-" + std::to_string(with_.random.next());
    }

    result<change_outcome> redact(command what) {
        what.actor = actor_;
        auto change = lower(std::move(what), shop_.statuses, with_, shop_.orders);
        if (!change) return std::move(change).error();
        change_outcome out;
        write_params params;
        params.now = with_.time.now();
        params.writer = name_;
        params.sequence = ++sequence_;
        params.changes = {&*change, 1};
        params.guard = guard_of(shop_);
        write_results results;
        results.changes = {&out, 1};
        auto done = orders_.write(params, results);
        if (!done) return std::move(done).error();
        if (out.ec || !audited_) return out;
        if (auto noted = note(out.after.value()); !noted) return std::move(noted).error();
        return out;
    }

    const order_model& model() const noexcept { return shop_.orders; }

private:
    // An order that was redacted, in the audit trail.
    result<void> note(const order& it) {
        const change_record what =
            auth::to_record({with_.time.now(), actor_, "order.redact",
                             std::string(it.id.view()) + ", version " +
                                 std::to_string(static_cast<std::uint64_t>(it.version))});
        record_outcome out;
        write_params params;
        params.now = with_.time.now();
        params.writer = name_;
        params.sequence = ++sequence_;
        params.records = {&what, 1};
        write_results results;
        results.records = {&out, 1};
        if (auto done = orders_.write(params, results); !done) return done;
        if (out.ec) return failure{out.ec, "the audit record could not be written"};
        return {};
    }

    repository& orders_;
    const shop_model& shop_;
    const std::string actor_;
    const bool audited_;
    runtime with_ = system_runtime();
    std::string name_;
    std::uint64_t sequence_ = 0;
};

int redact_one(redactor& by, const redact_settings& settings) {
    command what;
    what.what = redact_personal{settings.order};
    const auto out = by.redact(std::move(what));
    if (!out) return fail(out.error());
    if (out->ec == errc::transition_rejected) {
        return fail("order " + settings.order + " is not settled, and is left as it is");
    }
    if (out->ec) return fail("order " + settings.order + ": " + out->ec.message());
    std::printf("redacted: 1 order\n");
    return 0;
}

int redact_user(redactor& by, repository& orders, const redact_settings& settings) {
    order_scope whose;
    whose.user = settings.user;
    if (!settings.tenant.empty()) whose.tenant = settings.tenant;
    progress_line line;
    const auto show = [&](const redact_report& so_far) {
        line.show(std::to_string(so_far.redacted) + " orders redacted");
    };
    const auto report = redact_orders(
        orders, by.model(), whose, [&](command what) { return by.redact(std::move(what)); }, show);
    line.clear();
    if (!report) return fail(report.error());
    std::printf("redacted: %llu orders; %llu had nothing left to be taken out\n",
                static_cast<unsigned long long>(report->redacted),
                static_cast<unsigned long long>(report->before));
    if (report->open == 0) return 0;
    return fail(std::to_string(report->open) +
                " orders are not settled, and are left as they are: come again when they are");
}

// What was taken out may still be in the storage's log, which readers keep from being emptied.
int empty_log(repository& orders, int code) {
    const auto end = std::chrono::steady_clock::now() + log_timeout;
    while (true) {
        const auto more = orders.tidy();
        if (!more) return fail(more.error());
        if (!*more) return code;
        if (std::chrono::steady_clock::now() > end) break;
        std::this_thread::sleep_for(log_poll);
    }
    fail(
        "what was taken out is still in the log, which another program reads: the server empties "
        "it when that has ended, or the last program that stops does");
    return code == 0 ? 1 : code;
}

int redact_in(storage& orders, const redact_settings& settings) {
    const auto can = require(orders.info(), {capability::redaction}, "orderproc redact");
    if (!can) return fail(can.error());
    const auto shop = load_model(orders);
    if (!shop) return fail(shop.error());
    auto actor = operator_name(settings.as);
    if (!actor) return fail(actor.error());
    auto writer = orders.connect_writer();
    if (!writer) return fail(writer.error());
    redactor by(**writer, *shop, std::move(*actor),
                orders.info().capabilities.has(capability::records));
    const int code =
        settings.order.empty() ? redact_user(by, **writer, settings) : redact_one(by, settings);
    return empty_log(**writer, code);
}

int redact(const redact_settings& settings) {
    if (settings.order.empty() == settings.user.empty()) {
        return fail({errc::invalid_argument, "give one of --order and --user"});
    }
    auto orders = settings.storage.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    const int code = redact_in(**orders, settings);
    return close_storage(**orders, code);
}

}  // namespace

void add_redact(command_line to) {
    auto* command = to.app.add_subcommand(
        "redact", "Takes what is personal out of one order, or of all orders of a user");
    const auto settings = std::make_shared<redact_settings>();
    settings->storage.add_to(*command);
    add_setting(*command, "order", settings->order, "Id of the order, which may be deleted");
    add_setting(*command, "user", settings->user, "All settled and deleted orders of this user");
    add_setting(*command, "as", settings->as,
                "Who you are, if several people share the user that you are logged in as");
    add_setting(*command, "tenant", settings->tenant, "Of --user: only those of this tenant");
    command->callback(
        [&run = to.run, settings] { run = [settings] { return redact(*settings); }; });
}

}  // namespace orderproc::server
