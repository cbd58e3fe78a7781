#include "webhooks/records.hpp"

#include <orderproc/webhook_store.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::size_t endpoint_letters = 16;
constexpr std::size_t task_letters = 12;
constexpr std::size_t tasks_max = 10;
constexpr std::size_t secrets_max = 2;

failure no_such_endpoint(std::string_view id) {
    return {errc::not_found, "there is no webhook endpoint \"" + std::string(id) + "\""};
}

result<std::vector<webhook_endpoint>> read_all(repository_reader& from) {
    std::vector<webhook_endpoint> out;
    failure bad;
    const auto done =
        detail::for_records(from, detail::webhook_collection, {}, [&](const record& it) {
            auto one = detail::decode_endpoint(it);
            if (!one) bad = one.error();
            if (one) out.push_back(std::move(*one));
            return !bad.code;
        });
    if (!done) return done.error();
    if (bad.code) return bad;
    return out;
}

webhook_change replaced(webhook_endpoint it) {
    webhook_change out;
    out.records.push_back(
        detail::replace_of(detail::webhook_collection, it.id, it.version, detail::encode(it)));
    out.endpoint = std::move(it);
    return out;
}

void describe_in(webhook_endpoint& to, webhook_draft from) {
    to.url = std::move(from.url);
    to.description = std::move(from.description);
    to.events = std::move(from.events);
    to.statuses = std::move(from.statuses);
    to.scope = std::move(from.scope);
    to.content = from.content;
}

result<feed_position> newest_position(repository_reader& from) {
    const auto page = from.read_feed({{}, 0});
    if (!page) return page.error();
    return page->newest;
}

// Somebody confined may not take the place of everybody else.
result<void> judge_room(const std::vector<webhook_endpoint>& all, const order_scope& owner) {
    if (all.size() >= webhook_endpoint::all_max) {
        return failure{errc::overloaded, "there are " + std::to_string(all.size()) +
                                             " webhook endpoints, and there may be no more"};
    }
    if (owner.everybody()) return {};
    const auto of_owner = static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const webhook_endpoint& it) { return it.owner == owner; }));
    if (of_owner < webhook_endpoint::of_owner_max) return {};
    return failure{errc::overloaded, "you have " + std::to_string(of_owner) +
                                         " webhook endpoints, and may have no more"};
}

// The endpoint's new secret in front of the others.
result<std::string> add_secret(webhook_endpoint& to, const webhook_keys& keys) {
    const auto made = webhook_secret::make();
    if (!made) return made.error();
    auto sealed = keys.seal(*made, to.id);
    if (!sealed) return sealed.error();
    to.secrets.insert(to.secrets.begin(), {std::move(*sealed)});
    return made->text();
}

result<webhook_change> with_task(repository_reader& from, std::string_view id,
                                 const detail::task_record& what) {
    auto found = find_webhook(from, id);
    if (!found) return std::move(found).error();
    std::size_t waiting = 0;
    const auto counted = detail::for_records(from, detail::tasks_collection, detail::prefix_of(id),
                                             [&](const record&) { return ++waiting < tasks_max; });
    if (!counted) return counted.error();
    if (waiting >= tasks_max) {
        return failure{errc::overloaded,
                       "10 tests and replays wait for the endpoint; try again later"};
    }
    webhook_change out;
    out.endpoint = std::move(*found);
    out.task = detail::random_letters(task_letters);
    if (out.task.empty()) return failure{errc::unavailable, "there are no random numbers"};
    out.records.push_back(detail::create_of(
        detail::tasks_collection, detail::prefix_of(id) + out.task, detail::encode(what)));
    return out;
}

}  // namespace

result<std::vector<webhook_endpoint>> list_webhooks(repository_reader& from) {
    auto all = read_all(from);
    if (!all) return all;
    std::erase_if(*all,
                  [](const webhook_endpoint& it) { return it.state == webhook_state::removed; });
    std::sort(all->begin(), all->end(), [](const auto& a, const auto& b) {
        return std::tie(a.created_at, a.id) < std::tie(b.created_at, b.id);
    });
    return all;
}

result<webhook_endpoint> find_webhook(repository_reader& from, std::string_view id) {
    if (id.empty() || id.size() > record_key_size_max) return no_such_endpoint(id);
    const auto found = from.find_record({detail::webhook_collection, id});
    if (!found) return found.error();
    if (!*found) return no_such_endpoint(id);
    auto out = detail::decode_endpoint(**found);
    if (out && out->state == webhook_state::removed) return no_such_endpoint(id);
    return out;
}

result<bool> webhook_is_gone(repository_reader& from, std::string_view id) {
    const auto found = from.find_record({detail::webhook_collection, id});
    if (!found) return found.error();
    return !found->has_value();
}

result<webhook_change> create_webhook(repository_reader& from, const create_webhook_params& params,
                                      const webhook_keys& keys) {
    const auto all = list_webhooks(from);
    if (!all) return all.error();
    if (auto room = judge_room(*all, params.owner); !room) return std::move(room).error();
    webhook_change out;
    webhook_endpoint& it = out.endpoint;
    describe_in(it, params.draft);
    if (auto ok = validate(it); !ok) return std::move(ok).error();
    const std::string letters = detail::random_letters(endpoint_letters);
    if (letters.empty()) return failure{errc::unavailable, "there are no random numbers"};
    it.id = "wh_" + letters;
    it.owner = params.owner;
    it.created_at = params.now;
    it.created_by = params.created_by;
    const auto begins = params.since ? from.find_position(*params.since) : newest_position(from);
    if (!begins) return begins.error();
    it.begins = *begins;
    auto secret = add_secret(it, keys);
    if (!secret) return std::move(secret).error();
    out.secret = std::move(*secret);
    it.version = 1;
    out.records.push_back(detail::create_of(detail::webhook_collection, it.id, detail::encode(it)));
    return out;
}

result<webhook_change> edit_webhook(repository_reader& from, std::string_view id,
                                    webhook_draft draft) {
    auto found = find_webhook(from, id);
    if (!found) return std::move(found).error();
    describe_in(*found, std::move(draft));
    if (auto ok = validate(*found); !ok) return std::move(ok).error();
    return replaced(std::move(*found));
}

result<webhook_change> rotate_webhook(repository_reader& from, std::string_view id,
                                      const webhook_keys& keys, timestamp now,
                                      std::chrono::milliseconds overlap) {
    auto found = find_webhook(from, id);
    if (!found) return std::move(found).error();
    auto secret = add_secret(*found, keys);
    if (!secret) return std::move(secret).error();
    found->secrets.resize(std::min(found->secrets.size(), secrets_max));
    if (found->secrets.size() > 1) found->secrets[1].ends_at = now + overlap;
    webhook_change out = replaced(std::move(*found));
    out.secret = std::move(*secret);
    return out;
}

result<webhook_change> pause_webhook(repository_reader& from, std::string_view id) {
    auto found = find_webhook(from, id);
    if (!found) return std::move(found).error();
    found->state = webhook_state::paused;
    found->paused_why.clear();
    return replaced(std::move(*found));
}

result<webhook_change> resume_webhook(repository_reader& from, std::string_view id, timestamp now) {
    auto found = find_webhook(from, id);
    if (!found) return std::move(found).error();
    found->state = webhook_state::active;
    found->paused_why.clear();
    found->resumed_at = now;
    return replaced(std::move(*found));
}

// Its secrets go at once.
result<webhook_change> remove_webhook(repository_reader& from, std::string_view id) {
    auto found = find_webhook(from, id);
    if (!found) return std::move(found).error();
    found->state = webhook_state::removed;
    found->secrets.clear();
    return replaced(std::move(*found));
}

result<webhook_change> test_webhook(repository_reader& from, std::string_view id, timestamp now) {
    detail::task_record what;
    what.test = true;
    what.at = now;
    return with_task(from, id, what);
}

result<webhook_change> replay_webhook(repository_reader& from, std::string_view id, timestamp since,
                                      timestamp until, timestamp now) {
    const auto begin = from.find_position(since);
    if (!begin) return begin.error();
    const auto end = from.find_position(until);
    if (!end) return end.error();
    detail::task_record what;
    what.after = *begin;
    what.until = std::max(begin->offset, end->offset);
    what.at = now;
    return with_task(from, id, what);
}

result<webhook_change> replay_webhook_attempt(repository_reader& from, std::string_view id,
                                              std::string_view attempt, timestamp now) {
    if (auto there = find_webhook(from, id); !there) return std::move(there).error();
    const failure absent{errc::not_found, "there is no attempt \"" + std::string(attempt) + "\""};
    const std::string key = detail::prefix_of(id) + std::string(attempt);
    if (key.size() > record_key_size_max) return absent;
    std::optional<webhook_attempt> found;
    const auto failed = from.find_record({detail::attempts_collection, key});
    if (!failed) return failed.error();
    if (*failed) found = detail::decode_attempt((*failed)->value);
    if (!found) {
        const auto sent = from.find_record({detail::sent_collection, id});
        if (!sent) return sent.error();
        if (!*sent) return absent;
        for (webhook_attempt& it : detail::decode_lines((*sent)->value)) {
            if (it.id == attempt) found = std::move(it);
        }
    }
    if (!found) return absent;
    if (found->at.offset == 0) {
        return failure{errc::invalid_argument, "the attempt was a test: make another test"};
    }
    detail::task_record what;
    what.after = {found->at.epoch, found->at.offset - 1};
    what.until = found->at.offset;
    what.at = now;
    return with_task(from, id, what);
}

result<webhook_attempt_page> list_webhook_attempts(repository_reader& from,
                                                   const list_webhook_attempts_params& params) {
    webhook_attempt_page out;
    const auto wanted = [&](const webhook_attempt& it) {
        return it.id > params.after && (params.order.empty() || it.order == params.order);
    };
    const std::string prefix = detail::prefix_of(params.endpoint);
    const auto done = detail::for_records(
        from, detail::attempts_collection, prefix,
        [&](const record& it) {
            auto one = detail::decode_attempt(it.value);
            if (one && wanted(*one)) out.attempts.push_back(std::move(*one));
            return out.attempts.size() <= params.limit;
        },
        params.after.empty() ? std::string() : prefix + std::string(params.after));
    if (!done) return done.error();
    if (!params.failed_only) {
        const auto sent = from.find_record({detail::sent_collection, params.endpoint});
        if (!sent) return sent.error();
        if (*sent) {
            for (webhook_attempt& it : detail::decode_lines((*sent)->value)) {
                if (wanted(it)) out.attempts.push_back(std::move(it));
            }
        }
    }
    std::sort(out.attempts.begin(), out.attempts.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    out.more = out.attempts.size() > params.limit;
    if (out.more) out.attempts.resize(params.limit);
    return out;
}

result<std::vector<change_record>> reseal_webhooks(repository_reader& from,
                                                   const webhook_keys& keys) {
    auto all = read_all(from);
    if (!all) return std::move(all).error();
    std::vector<change_record> out;
    for (webhook_endpoint& it : *all) {
        bool changed = false;
        for (auto& secret : it.secrets) {
            const auto opened = keys.open(secret.text, it.id);
            if (!opened) return opened.error();
            if (keys.seals_alike(secret.text)) continue;
            auto sealed = keys.seal(*opened, it.id);
            if (!sealed) return std::move(sealed).error();
            secret.text = std::move(*sealed);
            changed = true;
        }
        if (changed) out.push_back(std::move(replaced(std::move(it)).records.front()));
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
