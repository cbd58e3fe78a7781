// Answers to attempts whose work goes on elsewhere.

#include "api/api.hpp"
#include "api/problems.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"

#include <orderproc/attempt.hpp>
#include <orderproc/json.hpp>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace orderproc::server {

// A token that was not made here is as good as one of an attempt that is over: it is submitted as a
// lease that no order ever has, so that the answer is the same, and so is the work.
bool api::answer_attempt(const call& it, http::response& out, pending& todo) {
    if (!is_declared(it.in, "application/json")) {
        http::write_problem(problems::unsupported_media_type, "it has to be application/json",
                            it.in, out);
        return false;
    }
    std::string id;
    if (!expect_no_query(it.in, out) || !read_order_id(it, id, out)) return false;
    parsed_answer parsed = parse_answer(it.in.body);
    if (!expect_valid(parsed.syntax, parsed.errors, it.in, out)) return false;
    const auto stages = engine_.machine().stages();
    if (!parts_.attempts || stages.empty()) {
        fail(failure{errc::not_supported}, it.in, out);
        return false;
    }
    std::optional<attempt_reference> of = parts_.attempts->read(id, it.second);
    if (!of) of = attempt_reference{std::move(id), lease_token{0}, stages.front().active, 1};
    auto made = orderproc::answer_attempt(*of, std::move(parsed.value), engine_.machine(),
                                          parts_.retry, engine_.runtime());
    if (!made) {
        const std::array<field_error, 1> wrong{
            {{"#/advance/event", "unknown_event", made.error().detail}}};
        write_validation(wrong, it.in, out);
        return false;
    }
    todo.made = std::make_unique<change>(std::move(*made));
    todo.finish = &api::finish_answer;
    return true;
}

bool api::finish_answer(const http::request& in, change_outcome& outcome, pending&,
                        http::response& out) {
    if (outcome.ec == errc::not_found) {
        http::write_problem(problems::not_found, {}, in, out);
    } else if (outcome.ec == errc::lease_lost) {
        http::write_problem(problems::attempt_over,
                            "it was answered before, its time has passed, or it was never begun",
                            in, out);
    } else if (outcome.ec) {
        fail_change(outcome, in, out);
    } else {
        write_order(outcome.after.value(), engine_.model(), out);
    }
    return false;
}

}  // namespace orderproc::server
