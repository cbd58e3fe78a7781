#include "cli/restored.hpp"

#include "auth/audit.hpp"
#include "auth/key_admin.hpp"
#include "cli/record_write.hpp"
#include "cli/rotate_epoch.hpp"

#include <orderproc/pause.hpp>
#include <orderproc/runtime.hpp>
#ifdef ORDERPROC_WITH_WEBHOOKS
#include <orderproc/webhook_store.hpp>
#endif

#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

constexpr std::size_t unfinished_page = 500;
constexpr const char* restore_name = "orderproc restore";

result<void> pause_all(storage& of, const shop_model& shop, const restore_wish& what) {
    auto reader = of.connect_reader();
    if (!reader) return std::move(reader).error();
    const work_pause all{{}, system_runtime().time.now(), what.actor, "restored from a backup"};
    auto changes = pause_work(**reader, all, shop.statuses);
    if (!changes) return std::move(changes).error();
    if (changes->empty()) return {};
    return write_records(of, *changes, {});
}

result<redaction_tally> redact_again(storage& of, const shop_model& shop,
                                     const restore_wish& what) {
    if (what.redacted.empty()) return redaction_tally();
    auto writer = of.connect_writer();
    if (!writer) return std::move(writer).error();
    auto done = redactor(**writer, shop, what.actor, true, nullptr).redact(what.redacted);
    if (!done) return done;
    const auto emptied = empty_log_of(**writer);
    if (!emptied) return emptied.error();
    return done;
}

result<std::size_t> disable_keys(storage& of, const restore_wish& what) {
    auto writer = of.connect_writer();
    if (!writer) return std::move(writer).error();
    return auth::key_admin(**writer, system_runtime(), {what.actor}).disable_all();
}

#ifdef ORDERPROC_WITH_WEBHOOKS
result<std::size_t> pause_endpoints(storage& of) {
    auto reader = of.connect_reader();
    if (!reader) return std::move(reader).error();
    const auto all = list_webhooks(**reader);
    if (!all) return all.error();
    std::size_t out = 0;
    for (const webhook_endpoint& it : *all) {
        if (it.state != webhook_state::active) continue;
        const auto paused = pause_webhook(**reader, it.id);
        if (!paused) return paused.error();
        if (auto done = write_records(of, paused->records, {}); !done) {
            return std::move(done).error();
        }
        ++out;
    }
    return out;
}
#else
result<std::size_t> pause_endpoints(storage&) {
    return std::size_t{0};
}
#endif

result<void> note_restore(storage& of, const restore_wish& what, const restore_tally& done) {
    const std::string about =
        "from " + what.source + "; " + std::to_string(done.redactions.redacted) +
        " orders redacted again, " + std::to_string(done.keys) + " keys disabled, " +
        std::to_string(done.webhooks) + " webhook endpoints paused";
    const change_record it =
        auth::to_record({system_runtime().time.now(), what.actor, "storage.restore", about});
    return write_records(of, {&it, 1}, {});
}

}  // namespace

result<restore_tally> make_restored_safe(storage& of, const shop_model& shop,
                                         const restore_wish& what) {
    const auto can = require(
        of.info(), {capability::records, capability::epochs, capability::redaction}, restore_name);
    if (!can) return can.error();
    restore_tally out;
    // Nothing is done twice from here on, also if the rest fails.
    if (auto done = pause_all(of, shop, what); !done) return std::move(done).error();
    auto redactions = redact_again(of, shop, what);
    if (!redactions) return std::move(redactions).error();
    out.redactions = std::move(*redactions);
    const auto keys = disable_keys(of, what);
    if (!keys) return keys.error();
    out.keys = *keys;
    const auto endpoints = pause_endpoints(of);
    if (!endpoints) return endpoints.error();
    out.webhooks = *endpoints;
    if (const auto epoch = begin_new_epoch(of, restore_name); !epoch) return epoch.error();
    if (auto noted = note_restore(of, what, out); !noted) return std::move(noted).error();
    return out;
}

result<std::uint64_t> each_unfinished(repository_reader& from, const status_machine& machine,
                                      const std::function<void(const order&)>& show) {
    std::vector<order_status> open;
    for (const order_status& it : machine.statuses()) {
        if (!machine.is_settled(it)) open.push_back(it);
    }
    list_params params;
    params.statuses = open;
    params.descending = false;
    params.limit = unfinished_page;
    std::uint64_t out = 0;
    do {
        auto page = from.list(params);
        if (!page) return std::move(page).error();
        for (const order& it : page->orders) show(it);
        out += page->orders.size();
        params.after = std::move(page->next);
    } while (params.after);
    return out;
}

}  // namespace orderproc::server
