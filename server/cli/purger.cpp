#include "cli/purger.hpp"

#include "auth/audit.hpp"
#include "text/terminal_text.hpp"

#include <orderproc/dead_letters.hpp>
#include <orderproc/write_records.hpp>

#include <algorithm>
#include <exception>
#include <future>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

class purge_step final : public purge_completion {
public:
    void complete(const purge_outcome& outcome) noexcept override {
        try {
            done_.set_value(outcome);
        } catch (const std::exception&) {
            purge_outcome lost;
            lost.ec = errc::unavailable;
            done_.set_value(std::move(lost));
        }
    }
    purge_outcome wait() { return done_.get_future().get(); }

private:
    std::promise<purge_outcome> done_;
};

}  // namespace

std::chrono::milliseconds purge_age_min() {
    return engine_options().keys_kept;
}

purger::purger(storage& of, engine& by, std::string actor)
    : storage_(of), engine_(by), actor_(std::move(actor)) {}

result<purge_preview> purger::look_on(repository_reader& from, const purge_wish& what,
                                      const feed_position& after) const {
    const std::vector<order_status> failed = failed_statuses(engine_.machine());
    preview_purge_params params;
    params.what.before = what.before;
    params.what.limit = step;
    params.now = engine_.runtime().time.now();
    params.forget_before = params.now - purge_age_min();
    params.after = after;
    if (!what.failed_too) params.kept = failed;
    return preview_purge(from, params);
}

result<purge_outcome> purger::take(const purge_preview& next) {
    purge_orders what;
    what.before = next.before;
    what.limit = std::min<std::uint64_t>(next.entries, purge_limit_max);
    purge_step done;
    if (auto sent = engine_.submit(what, done); !sent) return std::move(sent).error();
    purge_outcome out = done.wait();
    if (out.ec) return failure{out.ec, "the purge could not be written"};
    return out;
}

result<void> purger::note(const purge_wish& what, const std::string& outcome) {
    const auth::audit_entry entry{engine_.runtime().time.now(), actor_, "orders.purge",
                                  "orders settled before " + to_string(what.before) +
                                      (what.failed_too ? ", also dead letters: " : ": ") + outcome};
    std::promise<result<void>> done;
    write_records(engine_, {auth::to_record(entry)},
                  [&done](result<void> written) { done.set_value(std::move(written)); });
    return done.get_future().get();
}

result<purge_tally> purger::run(const purge_wish& what,
                                const std::function<bool(const purge_tally&)>& go_on) {
    auto reader = storage_.connect_reader();
    if (!reader) return std::move(reader).error();
    purge_tally out;
    feed_position floor;
    bool begun = false;
    while (true) {
        auto next = look_on(**reader, what, {});
        if (!next) return std::move(next).error();
        out.end = std::move(*next);
        if (out.end.entries == 0) break;
        if (!begun) {
            if (auto noted = note(what, "begins"); !noted) return std::move(noted).error();
        }
        begun = true;
        const auto taken = take(out.end);
        if (!taken) return taken.error();
        out.orders += taken->orders;
        out.entries += taken->entries;
        if (taken->floor == floor || !go_on(out)) break;  // a cursor was set back meanwhile
        floor = taken->floor;
    }
    if (!begun) return out;
    const std::string outcome = std::to_string(out.orders) + " orders with " +
                                std::to_string(out.entries) + " journal entries went";
    if (auto noted = note(what, outcome); !noted) return std::move(noted).error();
    return out;
}

result<purge_tally> purger::look(const purge_wish& what,
                                 const std::function<bool(const purge_tally&)>& go_on) {
    auto reader = storage_.connect_reader();
    if (!reader) return std::move(reader).error();
    purge_tally out;
    feed_position after;
    do {
        auto next = look_on(**reader, what, after);
        if (!next) return std::move(next).error();
        out.orders += next->orders;
        after = next->last;
        out.end = std::move(*next);
    } while (out.end.more && go_on(out));
    return out;
}

std::string held_text(const purge_preview& end) {
    if (!end.held_since) return {};
    const std::string since = to_string(*end.held_since);
    if (end.kept) {
        return "order " + printable(end.kept->id.view()) + ", which is " +
               std::string(end.kept->status.view()) + " since " + since;
    }
    return "cursor " + printable(end.held_by) + ", which has not passed what was written at " +
           since;
}

}  // namespace orderproc::server
