// Why a change of an order was not made.

#include "api/refusals.hpp"

#include "api/api.hpp"
#include "api/preconditions.hpp"
#include "api/problems.hpp"

#include <orderproc/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

// Others may be quicker, but not for ever: then the client hears of it.
constexpr unsigned conflicts_max = 4;

// The status, and what clients may do about it.
std::string members_about(const order& it, const status_machine& machine) {
    std::string out = R"("order_status":)";
    append_json_string(it.status.view(), out);
    auto events = machine.allowed(it.status);
    std::erase_if(events, [&](auto event) { return !machine.find(event)->open_to_clients; });
    append_words("allowed_events", events, out);
    return out;
}

}  // namespace

void write_taken(const change_outcome& why, const order_model& model, const http::request& to,
                 http::response& out) {
    std::string members;
    for (const attribute_rule* const rule : model.attributes()) {
        if (rule->slot == why.taken) members = R"("attribute":")" + rule->name + '"';
    }
    if (why.after) {
        members.append(members.empty() ? "" : ",").append(R"("order_id":)");
        append_json_string(why.after->id.view(), members);
    }
    http::write_problem(problems::attribute_taken, why.detail, to, out, members);
}

std::string version_text(const if_match& wanted, const std::optional<order>& it) {
    std::string out;
    if (it) {
        out = "the order is at version " + std::to_string(static_cast<std::uint64_t>(it->version));
    }
    if (wanted.has_weak_tag()) {
        out.append(out.empty() ? "" : "; ");
        out.append("If-Match has a weak tag (W/), which never matches: send the tag without W/");
    }
    return out;
}

std::optional<order_version> expected_version(const http::request& in, const pending& todo) {
    if (todo.current) return todo.current->version;
    const if_match wanted(in);
    return wanted.names_versions() ? std::optional(wanted.first()) : std::nullopt;
}

// rejected: what transition_rejected means for this request.
bool api::settle_refusal(const http::problem_kind& rejected, const http::request& in,
                         change_outcome& outcome, pending& todo, http::response& out) {
    if (outcome.ec == errc::not_found) {
        http::write_problem(problems::not_found, {}, in, out);
    } else if (outcome.ec == errc::transition_rejected && outcome.after) {
        const order& found = *outcome.after;
        std::string detail = "the order is " + std::string(found.status.view());
        const bool begun = &rejected == &problems::not_editable && found.first_claimed_at;
        if (begun) detail += ", and work on it has begun";
        http::write_problem(rejected, detail, in, out, members_about(found, engine_.machine()));
    } else if (outcome.ec == errc::transition_rejected) {
        http::write_problem(rejected, {}, in, out);
    } else if (outcome.ec == errc::version_conflict) {
        const if_match wanted(in);
        const bool admitted = outcome.after && wanted.admits(outcome.after->version);
        if (!admitted) {
            http::write_problem(problems::precondition_failed, version_text(wanted, outcome.after),
                                in, out);
        } else if (++todo.conflicts < conflicts_max) {
            todo.current = std::move(outcome.after);
            return true;
        } else {
            http::write_problem(problems::version_conflict, {}, in, out);
        }
    } else {
        fail_change(outcome, in, out);
    }
    return false;
}

}  // namespace orderproc::server
