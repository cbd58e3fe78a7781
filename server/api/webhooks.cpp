// Webhook endpoints: who is told of changes.

#include "api/api.hpp"
#include "api/json_body.hpp"
#include "api/problems.hpp"
#include "api/query_values.hpp"
#include "api/representation.hpp"
#include "api/text.hpp"
#include "api/webhook_desk.hpp"
#include "auth/audit.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

namespace {

constexpr const char* webhooks_off =
    "serve was started without --secrets-key-file, so there are no webhooks";

bool is_of(const caller& by, const webhook_endpoint& it) {
    return !by.bound() || it.owner == by.scope();
}

// Somebody else's endpoint is as if it was not there.
result<webhook_endpoint> find_of(repository_reader& from, const std::string& id, const caller& by) {
    auto found = find_webhook(from, id);
    if (found && !is_of(by, *found)) return failure{errc::not_found};
    return found;
}

// For the audit records: a query may hold a secret.
std::string about(const webhook_endpoint& it) {
    return it.id + " " + it.url.substr(0, it.url.find('?'));
}

// Looks at what there is, writes what follows from it, and answers.
class webhook_call final : public pending_read {
public:
    using planner = std::function<result<webhook_change>(repository_reader&)>;
    using writer = std::function<void(const webhook_change&, http::response&)>;

    webhook_call(webhook_desk& desk, engine& to, std::string actor, std::string action,
                 planner plan, writer write)
        : desk_(desk),
          engine_(to),
          actor_(std::move(actor)),
          action_(std::move(action)),
          plan_(std::move(plan)),
          write_(std::move(write)) {}

    result<void> read(repository_reader& from) override {
        auto planned = plan_(from);
        if (planned) {
            planned_ = std::move(*planned);
            return {};
        }
        refused_ = planned.error();
        const auto& code = refused_.code;
        const bool told =
            code == errc::not_found || code == errc::invalid_argument || code == errc::overloaded;
        return told ? result<void>() : result<void>(refused_);
    }

    // The change, and once it is made, its audit record: a change that is refused leaves none.
    bool follow(std::function<void(result<void>)> done) override {
        if (refused_.code) return false;
        about_ = about(planned_.endpoint);
        auto record = auth::to_record({engine_.runtime().time.now(), actor_, action_, about_});
        write_records(
            engine_, planned_.records,
            [this, record = std::move(record), done = std::move(done)](result<void> written) {
                if (!written) return done(written);
                if (desk_.changed) desk_.changed();
                note(record, done);
            });
        return true;
    }

    void answer(const http::request& in, http::response& out) override {
        if (refused_.code == errc::not_found) {
            http::write_problem(problems::not_found, refused_.detail, in, out);
        } else if (refused_.code == errc::overloaded) {
            http::write_problem(problems::webhook_limit, refused_.detail, in, out);
        } else if (refused_.code) {
            http::write_problem(problems::invalid_webhook, refused_.detail, in, out);
        } else {
            out.add("Cache-Control", "no-store");
            write_(planned_, out);
        }
    }

private:
    // The change is acknowledged in any case: nobody could ask for a new secret a second time.
    void note(const change_record& record, const std::function<void(result<void>)>& done) noexcept {
        try {
            write_records(engine_, {record}, [this, done](const result<void>& noted) {
                if (!noted) tell_unnoted(noted.error());
                end(done);
            });
            return;
        } catch (const std::bad_alloc&) {
            tell_unnoted(errc::unavailable);
        }
        end(done);
    }

    void tell_unnoted(failure why) noexcept {
        try {
            why.detail = action_ + " by " + actor_ + " of " + about_ +
                         ": the audit record is not written: " + why.message();
        } catch (const std::bad_alloc&) {  // it is told with fewer words
        }
        engine_.runtime().observer.error("webhooks.audit", why);
    }

    void end(const std::function<void(result<void>)>& done) noexcept {
        const bool removes = planned_.endpoint.state == webhook_state::removed;
        if (!removes || !desk_.silence) return done({});
        try {
            desk_.silence(planned_.endpoint.id, done);
        } catch (const std::bad_alloc&) {  // it copies before it begins: done was not called
            done(result<void>(errc::unavailable));
        }
    }

    webhook_desk& desk_;
    engine& engine_;
    const std::string actor_, action_;
    std::string about_;
    const planner plan_;
    const writer write_;
    webhook_change planned_;
    failure refused_;
};

void write_endpoint(const webhook_change& it, http::response& out) {
    write_webhook(it.endpoint, it.secret, out.body);
}

void write_task(const webhook_change& it, http::response& out) {
    out.status = 202;
    out.body.append(R"({"id":)");
    append_json_string(it.task, out.body);
    out.body.append(1, '}');
}

}  // namespace

bool api::has_webhooks(const http::request& in, http::response& out) {
    if (parts_.webhooks) return true;
    http::write_problem(problems::not_supported, webhooks_off, in, out);
    return false;
}

template <class Plan, class Write>
bool api::change_webhook(const char* action, Plan plan, Write write, pending& todo) {
    todo.read = std::make_unique<webhook_call>(*parts_.webhooks, engine_, todo.by.name(), action,
                                               std::move(plan), std::move(write));
    return true;
}

// Of one endpoint, which the caller may manage.
template <class Plan, class Write>
bool api::change_one_webhook(const call& it, const char* action, Plan plan, Write write,
                             http::response& out, pending& todo) {
    if (!has_webhooks(it.in, out) || !expect_no_query(it.in, out)) return false;
    return change_webhook(
        action,
        [id = std::string(it.parameter), by = todo.by,
         plan = std::move(plan)](repository_reader& from) -> result<webhook_change> {
            auto found = find_of(from, id, by);
            if (!found) return std::move(found).error();
            return plan(from, *found);
        },
        std::move(write), todo);
}

bool api::create_endpoint(const call& it, http::response& out, pending& todo) {
    if (!has_webhooks(it.in, out) || !expect_no_query(it.in, out) ||
        !expect_json(it.in, false, out)) {
        return false;
    }
    create_webhook_params what;
    body_faults wrong = read_webhook(it.in.body, engine_.machine(), parts_.webhooks->admits,
                                     what.draft, &what.since);
    if (wrong.none() && !narrow(todo.by, what.draft.scope)) {
        wrong.errors.push_back({"#/user_id", "not_allowed", std::string(not_the_callers)});
    }
    if (!wrong.none()) {
        write_faults(problems::invalid_webhook, wrong, it.in, out);
        return false;
    }
    what.owner = todo.by.scope();
    what.created_by = todo.by.name();
    what.now = engine_.runtime().time.now();
    return change_webhook(
        "webhook.create",
        [what = std::move(what), &keys = parts_.webhooks->keys](repository_reader& from) {
            return create_webhook(from, what, keys);
        },
        [](const webhook_change& made, http::response& to) {
            to.status = 201;
            to.add("Location", "webhooks/" + made.endpoint.id);
            write_endpoint(made, to);
        },
        todo);
}

bool api::list_endpoints(const call& it, http::response& out, pending& todo) {
    if (!has_webhooks(it.in, out) || !expect_no_query(it.in, out)) return false;
    todo.read = read_then([](repository_reader& from) { return list_webhooks(from); },
                          [by = todo.by](const std::vector<webhook_endpoint>& all,
                                         const http::request&, http::response& to) {
                              to.add("Cache-Control", "no-store");
                              to.body.append(R"({"items":[)");
                              for (const webhook_endpoint& one : all) {
                                  if (!is_of(by, one)) continue;
                                  if (to.body.back() != '[') to.body.append(1, ',');
                                  write_webhook(one, {}, to.body);
                              }
                              to.body.append("]}");
                          });
    return true;
}

bool api::get_endpoint(const call& it, http::response& out, pending& todo) {
    if (!has_webhooks(it.in, out) || !expect_no_query(it.in, out)) return false;
    using found = std::optional<webhook_endpoint>;
    todo.read = read_then(
        [id = std::string(it.parameter), by = todo.by](repository_reader& from) -> result<found> {
            auto one = find_of(from, id, by);
            if (one) return found(std::move(*one));
            if (one.error().code == errc::not_found) return found();
            return std::move(one).error();
        },
        [](const found& one, const http::request& in, http::response& to) {
            if (!one) return http::write_problem(problems::not_found, {}, in, to);
            to.add("Cache-Control", "no-store");
            write_webhook(*one, {}, to.body);
        });
    return true;
}

bool api::patch_endpoint(const call& it, http::response& out, pending& todo) {
    if (!has_webhooks(it.in, out) || !expect_no_query(it.in, out)) return false;
    if (!is_declared(it.in, "application/merge-patch+json") && !expect_json(it.in, false, out)) {
        return false;
    }
    // Judged once more when it is known what is left as it is.
    webhook_draft sent;
    sent.url = "https://unchanged.invalid/";
    const auto wrong = read_webhook(it.in.body, engine_.machine(), {}, sent, nullptr);
    if (!wrong.none()) {
        write_faults(problems::invalid_webhook, wrong, it.in, out);
        return false;
    }
    return change_one_webhook(
        it, "webhook.edit",
        [this, body = std::string(it.in.body)](
            repository_reader& from, const webhook_endpoint& now) -> result<webhook_change> {
            webhook_draft draft{now.url,      now.description, now.events,
                                now.statuses, now.scope,       now.content};
            const auto faults =
                read_webhook(body, engine_.machine(), parts_.webhooks->admits, draft, nullptr);
            if (!faults.none()) {
                return failure{errc::invalid_argument, faults.errors.empty()
                                                           ? faults.syntax
                                                           : faults.errors.front().pointer + " " +
                                                                 faults.errors.front().detail};
            }
            order_scope within = now.owner;
            const bool narrower =
                (!within.user || draft.scope.user.value_or(*within.user) == *within.user) &&
                (!within.tenant || draft.scope.tenant.value_or(*within.tenant) == *within.tenant);
            if (!narrower) {
                return failure{errc::invalid_argument,
                               "user_id and tenant: " + std::string(not_the_callers)};
            }
            if (within.user) draft.scope.user = within.user;
            if (within.tenant) draft.scope.tenant = within.tenant;
            return edit_webhook(from, now.id, std::move(draft));
        },
        write_endpoint, out, todo);
}

bool api::delete_endpoint(const call& it, http::response& out, pending& todo) {
    return change_one_webhook(
        it, "webhook.delete",
        [](repository_reader& from, const webhook_endpoint& now) {
            return remove_webhook(from, now.id);
        },
        [](const webhook_change&, http::response& to) { to.status = 204; }, out, todo);
}

bool api::test_endpoint(const call& it, http::response& out, pending& todo) {
    return change_one_webhook(
        it, "webhook.test",
        [this](repository_reader& from, const webhook_endpoint& now) {
            return test_webhook(from, now.id, engine_.runtime().time.now());
        },
        write_task, out, todo);
}

bool api::rotate_endpoint(const call& it, http::response& out, pending& todo) {
    rotation_body how;
    if (!expect_json(it.in, true, out)) return false;
    const auto wrong = read_rotation(it.in.body, how);
    if (!wrong.none()) {
        write_faults(problems::invalid_webhook, wrong, it.in, out);
        return false;
    }
    return change_one_webhook(
        it, "webhook.rotate",
        [this, how](repository_reader& from, const webhook_endpoint& now) {
            return rotate_webhook(from, now.id, parts_.webhooks->keys, engine_.runtime().time.now(),
                                  how.overlap);
        },
        write_endpoint, out, todo);
}

bool api::pause_endpoint(const call& it, http::response& out, pending& todo) {
    return change_one_webhook(
        it, "webhook.pause",
        [](repository_reader& from, const webhook_endpoint& now) {
            return pause_webhook(from, now.id);
        },
        write_endpoint, out, todo);
}

bool api::resume_endpoint(const call& it, http::response& out, pending& todo) {
    return change_one_webhook(
        it, "webhook.resume",
        [this](repository_reader& from, const webhook_endpoint& now) {
            return resume_webhook(from, now.id, engine_.runtime().time.now());
        },
        write_endpoint, out, todo);
}

bool api::replay_endpoint(const call& it, http::response& out, pending& todo) {
    replay_body what;
    if (!expect_json(it.in, false, out)) return false;
    const auto wrong = read_replay(it.in.body, what);
    if (!wrong.none()) {
        write_faults(problems::invalid_webhook, wrong, it.in, out);
        return false;
    }
    return change_one_webhook(
        it, "webhook.replay",
        [this, what](repository_reader& from, const webhook_endpoint& now) {
            const timestamp at = engine_.runtime().time.now();
            if (!what.attempt.empty()) {
                return replay_webhook_attempt(from, now.id, what.attempt, at);
            }
            return replay_webhook(from, now.id, *what.since, *what.until, at);
        },
        write_task, out, todo);
}

namespace {

struct attempts_query {
    bool failed_only = false;
    std::string order, after;
    std::size_t limit = webhook_attempts_default;
};

// What is wrong with one parameter, if anything.
std::string read_attempts_parameter(const query_parameter& it, attempts_query& to) {
    if (it.name == "status") {
        to.failed_only = it.value == "failed";
        return to.failed_only ? std::string() : "has to be failed, or left out";
    }
    if (it.name == "limit") return read_limit(it.value, webhook_attempts_max, to.limit);
    if (it.name == "order_id") {
        to.order = it.value;
    } else if (it.name == "after") {
        to.after = it.value;
    } else {
        return std::string(no_such_parameter);
    }
    return it.value.size() > order_id::size_max ? "is too long" : std::string();
}

}  // namespace

bool api::list_attempts(const call& it, http::response& out, pending& todo) {
    if (!has_webhooks(it.in, out)) return false;
    const auto parameters = parse_query(it.in.query);
    attempts_query query;
    for (const query_parameter& one : parameters.value_or(std::vector<query_parameter>())) {
        if (auto wrong = read_attempts_parameter(one, query); !wrong.empty()) {
            write_bad_parameter(one.name, wrong, it.in, out);
            return false;
        }
    }
    if (!parameters) {
        http::write_problem(problems::bad_request, "the query is malformed", it.in, out);
        return false;
    }
    using found = std::optional<webhook_attempt_page>;
    todo.read = read_then(
        [id = std::string(it.parameter), by = todo.by,
         query = std::move(query)](repository_reader& from) -> result<found> {
            const auto one = find_of(from, id, by);
            if (!one && one.error().code == errc::not_found) return found();
            if (!one) return one.error();
            auto page = list_webhook_attempts(
                from, {id, query.failed_only, query.order, query.after, query.limit});
            if (!page) return std::move(page).error();
            return found(std::move(*page));
        },
        [](const found& page, const http::request& in, http::response& to) {
            if (!page) return http::write_problem(problems::not_found, {}, in, to);
            to.add("Cache-Control", "no-store");
            to.body.append(R"({"items":[)");
            for (const webhook_attempt& one : page->attempts) {
                if (to.body.back() != '[') to.body.append(1, ',');
                write_attempt(one, to.body);
            }
            to.body.append("]");
            if (page->more) {
                to.body.append(R"(,"next":)");
                append_json_string(page->attempts.back().id, to.body);
            }
            to.body.append("}");
        });
    return true;
}

}  // namespace orderproc::server
