// Why an order is not done.

#include "api/api.hpp"
#include "api/json_writer.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/shared_facts.hpp"

#include <orderproc/dead_letters.hpp>
#include <orderproc/explain.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace orderproc::server {

namespace {

void write_attempts(const explanation& it, json_writer& to) {
    to.name("attempts").open('[');
    for (const explained_attempt& one : it.attempts) {
        to.open('{').name("n").number(one.number).name("worker").text_or_null(one.worker);
        to.name("from").time(one.from).name("until").time_or_null(one.until);
        to.name("outcome").text(one.outcome).name("reason").text(one.reason).close('}');
    }
    to.close(']');
}

void write_explanation(const order_facts& of, const explanation& it, std::string& out) {
    json_writer to(out);
    to.open('{').name("order_id").text(of.id);
    to.name("status").text_or_null(of.value ? of.value->status.view() : std::string_view());
    to.name("state").text(name_of(it.state)).name("summary").text(it.sentences.front());
    to.name("sentences").open('[');
    for (const std::string& one : it.sentences) to.text(one);
    to.close(']').name("waits_for");
    if (it.waits_for == order_wait::nothing) {
        to.null();
    } else {
        to.text(name_of(it.waits_for));
    }
    to.name("since").time_or_null(it.since).name("next_at").time_or_null(it.next_at);
    to.name("similar");
    if (of.similar) {
        to.number(*of.similar);
    } else {
        to.null();
    }
    to.name("reason");
    if (it.state == order_state::dead) {
        to.text(reason_group(of.value->last_error));
    } else {
        to.null();
    }
    write_attempts(it, to);
    to.name("can").open('[');
    for (const std::string& one : it.can) to.text(one);
    to.close(']').close('}');
}

class explain_read final : public facts_read {
public:
    explain_read(engine& of, shared_facts& from, std::string id)
        : facts_read(from), engine_(of), id_(std::move(id)) {}

    void answer(const http::request& in, http::response& out) override {
        count_similar();
        const auto why = explain(of_, engine_.machine(), engine_.runtime().time.now());
        if (why.state == order_state::unknown) {
            return http::write_problem(problems::not_found, why.sentences.front(), in, out);
        }
        out.fields.append(order_fields);
        write_explanation(of_, why, out.body);
    }

private:
    result<bool> read_before(repository_reader& from) override {
        auto read = read_order_facts(from, id_, engine_.machine(), engine_.runtime().time.now(), 0);
        if (!read) return std::move(read).error();
        of_ = std::move(*read);
        if (!of_.value) return false;
        const auto failed = failed_statuses(engine_.machine());
        return std::find(failed.begin(), failed.end(), of_.value->status) != failed.end();
    }

    // From what all share: nobody reads thousands of orders for one.
    void count_similar() {
        if (!facts()) return;
        const std::string reason = reason_group(of_.value->last_error);
        of_.similar = 0;
        of_.similar_more = !facts()->dead.complete;
        for (const dead_letter_group& it : facts()->dead.groups) {
            if (it.reason == reason && it.orders > 0) of_.similar = it.orders - 1;
        }
    }

    engine& engine_;
    const std::string id_;
    order_facts of_;
};

}  // namespace

bool api::explain_order(const call& it, http::response& out, pending& todo) {
    std::string id;
    if (!expect_no_query(it.in, out) || !read_order_id(it, id, out)) return false;
    todo.read = std::make_unique<explain_read>(engine_, facts_, std::move(id));
    return true;
}

}  // namespace orderproc::server
