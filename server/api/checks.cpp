#include "api/checks.hpp"

#ifdef ORDERPROC_WITH_WEBHOOKS
#include <orderproc/webhook_store.hpp>
#endif

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t findings_of_a_check = 10;
constexpr std::chrono::hours recently(1);
// Clocks of hosts that differ by less are as good as equal.
constexpr std::chrono::seconds clocks_differ_by(2);
// What is younger is never purged, and cursors may be behind by less without harm.
constexpr std::chrono::hours passed_within(72);
constexpr std::size_t cursors_looked_at = 20;
// How long the first order that is due may wait while somebody works.
constexpr std::chrono::seconds queue_age_max(60);

std::string count_text(std::uint64_t count, const char* one, const char* many) {
    return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string age_text(std::chrono::milliseconds age) {
    return count_text(
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(age).count()),
        "second", "seconds");
}

// What health knows.
std::vector<finding> look_at_process(const check& self, const check_input& in) {
    std::vector<finding> out;
    for (const health_reason& it : in.process) {
        if (it.code == self.code) out.push_back({it.text});
    }
    return out;
}

std::vector<finding> look_for_pauses(const check&, const check_input& in) {
    std::vector<finding> out;
    for (const work_pause& it : in.stored->pauses) {
        finding one;
        one.text = it.stage ? "Stage " + std::string(it.stage->view()) + " is paused"
                            : std::string("All work is paused");
        if (!it.by.empty()) one.text += " by " + it.by;
        if (!it.reason.empty()) one.text += ": " + it.reason;
        one.text += ". Nobody takes orders until somebody resumes it.";
        one.since = it.since;
        if (it.stage) one.name = it.stage->view();
        out.push_back(std::move(one));
    }
    return out;
}

bool works(const worker_record& it, const work_stage& stage, timestamp now) {
    const worker_state state = state_of(it, now);
    if (state != worker_state::working) return false;
    return std::find(it.stages.begin(), it.stages.end(), stage.active) != it.stages.end();
}

// A stage with orders that are due: they wait for work, or the leases of those in work have ended.
struct due_stage {
    const work_stage& stage;
    const status_count& due;  // the status with the order that has been due longest
    bool worked_on = false;

    bool in_work() const { return due.status == stage.active; }
};

const status_count* longest_due(const work_stage& stage, const check_input& in) {
    const status_count* out = nullptr;
    for (const status_count& it : in.stored->counted.orders) {
        if (it.status != stage.waiting && it.status != stage.active) continue;
        if (!it.oldest_due_at || *it.oldest_due_at > in.now) continue;
        if (!out || *it.oldest_due_at < *out->oldest_due_at) out = &it;
    }
    return out;
}

std::vector<due_stage> due_stages(const check_input& in) {
    std::vector<due_stage> out;
    for (const work_stage& stage : in.machine.stages()) {
        if (is_paused(in.stored->pauses, stage)) continue;  // which is a finding of its own
        const status_count* const due = longest_due(stage, in);
        if (!due) continue;
        const auto& all = in.stored->workers;
        const bool worked_on = std::any_of(all.begin(), all.end(), [&](const auto& worker) {
            return works(worker, stage, in.now);
        });
        out.push_back({stage, *due, worked_on});
    }
    return out;
}

std::vector<finding> look_for_workers(const check&, const check_input& in) {
    std::vector<finding> out;
    if (!in.stored->has_records) return out;
    for (const due_stage& it : due_stages(in)) {
        if (it.worked_on) continue;
        const std::string status(it.due.status.view());
        finding one;
        one.text = it.in_work() ? "The leases of orders in " + status + " have ended"
                                : "Orders wait in " + status;
        one.text += ", and no worker of stage " + std::string(it.stage.active.view()) +
                    " is heard. Start one with `orderproc work`, or look why it stopped.";
        one.since = it.due.oldest_due_at;
        one.count = it.due.orders;
        one.name = it.stage.active.view();
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<finding> look_for_old_orders(const check&, const check_input& in) {
    std::vector<finding> out;
    for (const due_stage& it : due_stages(in)) {
        const auto age = in.now - *it.due.oldest_due_at;
        if (age <= queue_age_max || (in.stored->has_records && !it.worked_on)) continue;
        const std::string status(it.due.status.view());
        finding one;
        one.text = it.in_work()
                       ? "A lease in " + status + " ended " + age_text(age) +
                             " ago, and no worker has taken the order over"
                       : "The first order in " + status + " has been due for " + age_text(age);
        one.text += ": the workers do not keep up.";
        one.since = it.due.oldest_due_at;
        one.count = it.due.orders;
        one.name = it.stage.active.view();
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<finding> look_for_silent_workers(const check&, const check_input& in) {
    std::vector<finding> out;
    for (const worker_record& it : in.stored->workers) {
        const worker_state state = state_of(it, in.now);
        if (state != worker_state::silent && state != worker_state::gone) continue;
        if (it.heard_at > in.now) continue;  // its clock is wrong, which is a finding of its own
        if (out.size() == findings_of_a_check) break;
        finding one;
        one.text = "Worker " + it.name + " was last heard " + age_text(in.now - it.heard_at) +
                   " ago, with " + count_text(it.in_work, "order", "orders") +
                   " in work: others get them when their leases end.";
        one.since = it.heard_at;
        one.count = it.in_work;
        one.name = it.name;
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<finding> look_at_clocks(const check&, const check_input& in) {
    std::vector<finding> out;
    for (const worker_record& it : in.stored->workers) {
        // What was written since the facts were read is not among them.
        const auto ahead = it.heard_at - in.stored->read_at;
        if (ahead <= clocks_differ_by) continue;
        if (out.size() == findings_of_a_check) break;
        finding one;
        one.text = "The clock of worker " + it.name +
                   (it.host.empty() ? std::string() : " on " + it.host) +
                   " is ahead of this one by " + age_text(ahead) +
                   ": synchronize the clocks of all hosts.";
        one.name = it.name;
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<finding> look_at_versions(const check&, const check_input& in) {
    std::set<std::string> versions;
    for (const worker_record& it : in.stored->workers) {
        if (state_of(it, in.now) == worker_state::working) versions.insert(it.program);
    }
    if (versions.size() < 2) return {};
    finding one;
    one.text = "Workers run different versions:";
    for (const std::string& it : versions) {
        one.text += (it == *versions.begin() ? " " : ", ") + (it.empty() ? "unknown" : it);
    }
    one.text += '.';
    one.count = versions.size();
    return {one};
}

std::vector<finding> look_for_dead_letters(const check&, const check_input& in) {
    std::vector<finding> out;
    for (const dead_letter_group& it : in.stored->dead.groups) {
        if (out.size() == findings_of_a_check) break;
        finding one;
        if (!in.stored->dead.complete) one.text = "At least ";
        one.text += count_text(it.orders, "order has failed", "orders have failed");
        one.text += it.reason.empty() ? " without a reason" : " with: " + it.reason;
        one.text += it.recent == 0 ? ", none of them in the last hour."
                                   : ", " + std::to_string(it.recent) + " in the last hour.";
        one.since = it.first_at;
        one.count = it.orders;
        one.name = it.reason;
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<finding> look_for_paused_endpoints(const check&, const check_input& in) {
    std::vector<finding> out;
    for (const auto& it : in.stored->paused_endpoints) {
        if (out.size() == findings_of_a_check) break;
        finding one;
        one.text = "Webhook endpoint " + it.id + " at " + it.host +
                   " is paused. It gets nothing until somebody resumes it.";
        one.name = it.id;
        out.push_back(std::move(one));
    }
    return out;
}

std::vector<finding> look_for_purge_holders(const check&, const check_input& in) {
    std::vector<finding> out;
    for (const purge_holder& it : in.stored->purge_holders) {
        if (out.size() == findings_of_a_check) break;
        finding one;
        one.text = "Cursor " + it.name + " has not passed " +
                   count_text(it.behind, "entry", "entries") +
                   " of the journal: purges stop there until it does, or has not moved for a week. "
                   "Start the program that follows the journal by it.";
        one.since = it.waiting_since;
        one.count = it.behind;
        one.name = it.name;
        out.push_back(std::move(one));
    }
    if (!in.retained) return out;  // dead letters may stay as long as anybody likes
    std::optional<timestamp> failed_since;
    for (const dead_letter_group& it : in.stored->dead.groups) {
        if (it.first_at >= in.now - *in.retained) continue;
        if (!failed_since || it.first_at < *failed_since) failed_since = it.first_at;
    }
    if (failed_since) {
        finding one;
        one.text =
            "A dead letter is older than orders are kept (--retain): purges stop there until "
            "somebody retries or deletes it, or runs orderproc purge --failed.";
        one.since = failed_since;
        out.push_back(std::move(one));
    }
    return out;
}

constexpr check of_process(std::string_view code, std::string_view subject, std::string_view kind,
                           readiness_effect effect) {
    const bool passes = code == health_codes::stopping;
    return {code,
            subject,
            kind,
            "",
            passes ? finding_severity::warning : finding_severity::problem,
            effect,
            false,
            look_at_process};
}
constexpr check of_storage(std::string_view code, std::string_view subject, std::string_view kind,
                           std::string_view name_is, finding_severity severity,
                           std::vector<finding> (*look)(const check&, const check_input&)) {
    return {code, subject, kind, name_is, severity, readiness_effect::none, true, look};
}

constexpr check checks_table[] = {
    of_process(health_codes::storage_unreadable, "storage", "storage", readiness_effect::unready),
    of_process(health_codes::storage_hangs, "storage", "storage", readiness_effect::unready),
    of_process(health_codes::storage_unwritable, "storage", "storage", readiness_effect::unready),
    of_process(health_codes::storage_write_hangs, "storage", "storage", readiness_effect::unready),
    of_process(health_codes::broker_away, "broker", "broker", readiness_effect::degraded),
    of_process(health_codes::feed_late, "feed", "feed", readiness_effect::degraded),
    of_storage("no_workers", "workers", "workers", "stage", finding_severity::problem,
               look_for_workers),
    of_storage("dead_letters", "dead letters", "dead_letters", "reason", finding_severity::problem,
               look_for_dead_letters),
    of_process(health_codes::stopping, "server", "process", readiness_effect::unready),
    of_storage("paused", "pauses", "pause", "stage", finding_severity::warning, look_for_pauses),
    of_storage("queue_stuck", "queue", "queue", "stage", finding_severity::warning,
               look_for_old_orders),
    of_storage("worker_silent", "workers", "worker", "name", finding_severity::warning,
               look_for_silent_workers),
    of_storage("clocks_differ", "workers", "worker", "name", finding_severity::warning,
               look_at_clocks),
    of_storage("versions_differ", "workers", "workers", "", finding_severity::warning,
               look_at_versions),
    of_storage("webhook_paused", "webhooks", "webhook", "id", finding_severity::warning,
               look_for_paused_endpoints),
    of_storage("purge_held", "purges", "purge", "cursor", finding_severity::warning,
               look_for_purge_holders),
};

#ifdef ORDERPROC_WITH_WEBHOOKS
// "https://example.org:8443", of an address with a path and a query, which may be secrets.
std::string host_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == url.npos) return "?";
    std::string_view host = url.substr(scheme + 3);
    host = host.substr(0, host.find_first_of("/?#"));
    if (const std::size_t user = host.rfind('@'); user != host.npos) host.remove_prefix(user + 1);
    return std::string(url.substr(0, scheme + 3)).append(host);
}

result<void> read_endpoints(repository_reader& from, stored_facts& out) {
    const auto all = list_webhooks(from);
    if (!all) return all.error();
    for (const webhook_endpoint& it : *all) {
        if (it.state != webhook_state::paused) continue;
        out.paused_endpoints.push_back({it.id, host_of(it.url)});
    }
    return {};
}
#endif

}  // namespace

std::string_view name_of(finding_severity value) noexcept {
    return value == finding_severity::problem ? "problem" : "warning";
}

std::span<const check> all_checks() noexcept {
    return checks_table;
}

const check* find_check(std::string_view code) noexcept {
    for (const check& it : checks_table) {
        if (it.code == code) return &it;
    }
    return nullptr;
}

result<stored_facts> read_stored_facts(repository_reader& from, const status_machine& machine,
                                       timestamp now, const std::function<bool()>& enough) {
    stored_facts out;
    auto work = read_work_facts(from, now);
    if (!work) return std::move(work).error();
    static_cast<work_facts&>(out) = std::move(*work);
#ifdef ORDERPROC_WITH_WEBHOOKS
    if (out.has_records) {
        if (auto ok = read_endpoints(from, out); !ok) return std::move(ok).error();
    }
#endif
    group_dead_letters_params what;
    what.recent_from = now - recently;
    what.enough = enough;
    auto holders = list_purge_holders(from, now - passed_within, cursors_looked_at);
    if (holders) {
        out.purge_holders = std::move(*holders);
    } else if (holders.error().code != errc::not_supported) {
        return std::move(holders).error();
    }
    auto dead = group_dead_letters(from, machine, what);
    if (!dead) return std::move(dead).error();
    out.dead = std::move(*dead);
    return out;
}

}  // namespace orderproc::server
