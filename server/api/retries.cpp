// Retrying dead letters in bulk, and what became of it.

#include "api/api.hpp"
#include "api/bulk_retry.hpp"
#include "api/json_body.hpp"
#include "api/json_writer.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"

#include <orderproc/dead_letters.hpp>

#include <boost/json.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

constexpr std::size_t retried_max = 10'000;
constexpr std::size_t named_max = 1000;
// Dead letters that are looked at for those of a group, and with one page.
constexpr std::size_t looked_at_max = 10'000;
constexpr std::size_t looked_at_once = 500;
constexpr std::size_t orders_of_a_page = 100;

struct retry_body {
    std::optional<std::string> reason;
    std::optional<std::vector<std::string>> ids;
    bool dry_run = false;
    std::size_t limit = retried_max;
};

void read_retry_limit(const boost::json::value& value, retry_body& to,
                      std::vector<field_error>& errors) {
    const auto* const number = value.if_int64();
    if (!number) {
        errors.push_back({pointer_to("limit"), "not_an_integer", "must be an integer"});
    } else if (*number < 1 || *number > static_cast<std::int64_t>(retried_max)) {
        errors.push_back({pointer_to("limit"), "out_of_range", "must be from 1 to 10000"});
    } else {
        to.limit = static_cast<std::size_t>(*number);
    }
}

body_faults read_retry_body(std::string_view body, retry_body& to) {
    const auto read = [&](std::string_view name, const boost::json::value& value, auto& errors) {
        if (value.is_null()) {  // as if it was left out
            return name == "reason" || name == "order_ids" || name == "dry_run" || name == "limit";
        }
        if (name == "reason") {
            to.reason = text_of(name, value, errors);
        } else if (name == "order_ids") {
            to.ids = texts_of(name, value, named_max, errors);
        } else if (name == "dry_run") {
            if (!value.is_bool()) {
                errors.push_back({pointer_to(name), "wrong_type", "must be true or false"});
            }
            to.dry_run = value.is_bool() && value.get_bool();
        } else if (name == "limit") {
            read_retry_limit(value, to, errors);
        } else {
            return false;
        }
        return true;
    };
    body_faults out = read_members(body, read);
    if (!out.none()) return out;
    if (!to.reason && !to.ids) {
        out.errors.push_back({pointer_to("reason"), "required", "or order_ids must be given"});
    } else if (to.reason && to.ids) {
        out.errors.push_back(
            {pointer_to("order_ids"), "not_allowed", "must not be given beside reason"});
    } else if (to.ids && to.ids->empty()) {
        out.errors.push_back({pointer_to("order_ids"), "too_few_items", "must name an order"});
    }
    return out;
}

// The event that brings an order of the status back to work, if the caller may raise it.
const transition* find_retry(const status_machine& machine, const caller& by, order_status from) {
    for (const transition& it : machine.transitions()) {
        const auto needed = auth::find_scope(it.scope);
        if (!it.open_to_clients || !needed || !by.may(*needed)) continue;
        if (!machine.stage_waiting_in(it.to)) continue;
        if (std::find(it.from.begin(), it.from.end(), from) != it.from.end()) return &it;
    }
    return nullptr;
}

void write_operation(const bulk_retry& it, http::response& out) {
    const auto now = it.look();
    out.add("Cache-Control", "no-store");
    json_writer to(out.body);
    to.open('{').name("id").text(it.id()).name("kind").text("dead_letters.retry");
    to.name("state").text(name_of(now.now)).name("actor").text(it.plan().actor);
    to.name("started_at").time(now.started_at).name("finished_at").time_or_null(now.finished_at);
    to.name("reason");
    if (it.plan().reason) {
        to.text(*it.plan().reason);
    } else {
        to.null();
    }
    to.name("total").number(now.total).name("done").number(now.done).name("refused").open('[');
    for (const bulk_retry::refusal& one : now.refused) {
        to.open('{').name("order_id").text(one.order).name("code").text(one.code).close('}');
    }
    to.close(']').name("refused_count").number(now.refused_count);
    to.name("error").text_or_null(now.error).close('}');
}

// Looks at the orders, and then says what would be retried, or begins to do it.
class retry_read final : public pending_read {
public:
    retry_read(engine& of, bulk_retries& to, retry_body asked, caller by)
        : engine_(of), retries_(to), asked_(std::move(asked)), by_(std::move(by)) {
        plan_.actor = by_.name();
        plan_.reason = asked_.reason;
    }

    result<void> read(repository_reader& from) override {
        return asked_.ids ? read_named(from) : read_group(from);
    }

    void answer(const http::request& in, http::response& out) override {
        if (asked_.dry_run) return write_dry_run(out);
        const auto begun = retries_.start(std::move(plan_));
        if (!begun) return http::write_problem(problems::overloaded, begun_too_many, in, out);
        out.status = 202;
        out.add("Location", "../operations/" + (*begun)->id());
        write_operation(**begun, out);
    }

private:
    static constexpr std::string_view begun_too_many = "eight of them are running: wait for one";
    struct left_out {
        std::string order;
        std::string_view code;
    };

    bool add(const order& it) {
        const transition* const by_event = find_retry(engine_.machine(), by_, it.status);
        if (!by_event) return false;
        const timestamp at = it.settled_at.value_or(it.updated_at);
        if (plan_.orders.empty() || at < first_at_) first_at_ = at;
        if (plan_.orders.empty() || at > last_at_) last_at_ = at;
        plan_.orders.push_back(
            {std::string(it.id.view()), it.version, std::string(by_event->event)});
        return true;
    }

    result<void> read_named(repository_reader& from) {
        auto loaded = from.load({*asked_.ids, {}});
        if (!loaded) return std::move(loaded).error();
        const auto failed = failed_statuses(engine_.machine());
        for (std::size_t i = 0; i < asked_.ids->size(); ++i) {
            const auto& it = loaded->orders[i];
            const bool dead =
                it && std::find(failed.begin(), failed.end(), it->status) != failed.end();
            if (dead && plan_.orders.size() == asked_.limit) {
                more_ = true;
            } else if (!dead || !add(*it)) {
                left_out_.push_back({(*asked_.ids)[i], it ? "not_failed" : "not_found"});
            }
        }
        return {};
    }

    result<void> read_group(repository_reader& from) {
        list_dead_letters_params what;
        what.reason = *asked_.reason;
        for (std::size_t looked = 0; looked < looked_at_max; looked += looked_at_once) {
            what.limit = std::min(orders_of_a_page, asked_.limit - plan_.orders.size());
            what.rows_max = looked_at_once;
            auto page = list_dead_letters(from, engine_.machine(), what);
            if (!page) return std::move(page).error();
            for (const order& it : page->orders) (void)add(it);
            more_ = page->next.has_value();
            if (!more_ || plan_.orders.size() == asked_.limit) break;
            what.after = std::move(page->next);
        }
        return {};
    }

    void write_dry_run(http::response& out) const {
        const bool any = !plan_.orders.empty();
        out.add("Cache-Control", "no-store");
        json_writer to(out.body);
        to.open('{').name("dry_run").boolean(true).name("orders").number(plan_.orders.size());
        to.name("first_at").time_or_null(any ? std::optional(first_at_) : std::nullopt);
        to.name("last_at").time_or_null(any ? std::optional(last_at_) : std::nullopt);
        to.name("left_out").open('[');
        for (const left_out& it : left_out_) {
            to.open('{').name("order_id").text(it.order).name("code").text(it.code).close('}');
        }
        to.close(']').name("more").boolean(more_).close('}');
    }

    engine& engine_;
    bulk_retries& retries_;
    const retry_body asked_;
    const caller by_;
    bulk_retry_plan plan_;
    std::vector<left_out> left_out_;
    timestamp first_at_{}, last_at_{};
    bool more_ = false;
};

}  // namespace

bool api::retry_dead_letters(const call& it, http::response& out, pending& todo) {
    if (!expect_no_query(it.in, out) || !expect_json(it.in, false, out)) return false;
    retry_body asked;
    const auto wrong = read_retry_body(it.in.body, asked);
    if (!wrong.none()) {
        write_faults(problems::invalid_request, wrong, it.in, out);
        return false;
    }
    todo.read = std::make_unique<retry_read>(engine_, retries_, std::move(asked), todo.by);
    return true;
}

bool api::show_operation(const call& it, bool stop, http::response& out) {
    if (!expect_no_query(it.in, out)) return false;
    const auto found = retries_.find(it.parameter);
    if (!found) {
        http::write_problem(problems::not_found, "this process has no such operation", it.in, out);
        return false;
    }
    if (stop) found->stop();
    // Whoever saw the end looks at the dead letters next.
    if (found->look().finished_at) facts_.expire();
    write_operation(*found, out);
    return false;
}

bool api::get_operation(const call& it, http::response& out, pending&) {
    return show_operation(it, false, out);
}

bool api::stop_operation(const call& it, http::response& out, pending&) {
    return show_operation(it, true, out);
}

}  // namespace orderproc::server
