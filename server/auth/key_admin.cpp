#include "auth/key_admin.hpp"

#include "auth/key_use.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace orderproc::server::auth {

namespace {

constexpr std::size_t keys_page = 500;
constexpr std::size_t removed_max = 100;  // with one change

std::string describe_key(const api_key& it) {
    std::string out = it.name + " " + it.id + ", " + to_string(it.scopes);
    if (it.user) out += ", user " + *it.user;
    if (it.tenant) out += ", tenant " + *it.tenant;
    for (const std::string& one : it.networks) out += ", from " + one;
    if (it.expires_at) out += ", until " + orderproc::to_string(*it.expires_at);
    return out;
}

}  // namespace

key_admin::key_admin(repository& over, runtime with, key_admin_options options)
    : over_(over),
      with_(with),
      options_(std::move(options)),
      writer_("keys-" + random_text(key_id_size)) {}

result<std::vector<key_admin::stored_key>> key_admin::read_all() {
    std::vector<stored_key> out;
    std::string after;
    for (bool more = true; more;) {
        const auto page = over_.list_records({key_collection, {}, after, keys_page});
        if (!page) return page.error();
        for (const record& it : page->records) {
            auto key = decode_key(it.key, it.value);
            if (!key) return std::move(key).error();
            out.push_back({std::move(*key), it.version});
        }
        more = page->more && !page->records.empty();
        if (more) after = page->records.back().key;
    }
    return out;
}

result<key_admin::stored_key> key_admin::read_one(std::string_view id) {
    const failure absent{errc::not_found, "there is no key \"" + std::string(id) +
                                              "\": orderproc keys list shows which there are"};
    if (id.empty() || id.size() > record_key_size_max) return absent;
    const auto found = over_.find_record({key_collection, id});
    if (!found) return found.error();
    if (!*found) return absent;
    auto key = decode_key((*found)->key, (*found)->value);
    if (!key) return std::move(key).error();
    return stored_key{std::move(*key), (*found)->version};
}

result<void> key_admin::room_for_another(const std::vector<stored_key>& all) const {
    const timestamp now = with_.time.now();
    const auto living = std::count_if(all.begin(), all.end(),
                                      [&](const stored_key& it) { return !it.key.ended(now); });
    if (static_cast<std::size_t>(living) < options_.keys_max) return {};
    return failure{errc::overloaded,
                   "there are " + std::to_string(living) + " keys, and there may be no more"};
}

key_admin::made_key key_admin::fresh(api_key wanted, std::string_view environment) const {
    made_key out;
    out.text = make_key(environment);
    const key_text parts = parse_key(out.text).value();
    wanted.id = parts.id;
    wanted.secret = digest_of(parts.secret);
    wanted.created_at = with_.time.now();
    wanted.created_by = options_.actor;
    wanted.revoked_at.reset();
    out.key = std::move(wanted);
    return out;
}

result<key_admin::made_key> key_admin::create(api_key wanted, std::string_view environment) {
    if (auto ok = validate(wanted); !ok) return std::move(ok).error();
    if (!is_key_environment(environment)) {
        return failure{errc::invalid_argument,
                       "the environment has 1 to 12 lower-case letters or digits, such as live"};
    }
    const auto all = read_all();
    if (!all) return all.error();
    const bool taken = std::any_of(
        all->begin(), all->end(), [&](const stored_key& it) { return it.key.name == wanted.name; });
    if (taken) {
        return failure{errc::invalid_argument, "there is, or was, a key with the name \"" +
                                                   wanted.name +
                                                   "\": rotate it, or choose another name"};
    }
    if (auto ok = room_for_another(*all); !ok) return std::move(ok).error();
    if (wanted.expires_at && *wanted.expires_at <= with_.time.now()) {
        return failure{errc::invalid_argument, "the key would end before it begins"};
    }
    made_key made = fresh(std::move(wanted), environment);
    const auto done = commit({create_record(made.key)}, "key.create", describe_key(made.key));
    if (!done) return done.error();
    return made;
}

result<std::vector<api_key>> key_admin::list() {
    auto all = read_all();
    if (!all) return std::move(all).error();
    std::vector<api_key> out;
    for (stored_key& it : *all) out.push_back(std::move(it.key));
    std::sort(out.begin(), out.end(), [](const api_key& a, const api_key& b) {
        return std::tie(a.name, a.created_at, a.id) < std::tie(b.name, b.created_at, b.id);
    });
    return out;
}

result<std::map<std::string, timestamp>> key_admin::uses() {
    return list_uses(over_);
}

result<api_key> key_admin::revoke(std::string_view id) {
    auto found = read_one(id);
    if (!found) return std::move(found).error();
    if (found->key.revoked_at) return std::move(found->key);
    found->key.revoked_at = with_.time.now();
    const auto done = commit({replace_record(*found)}, "key.revoke", describe_key(found->key));
    if (!done) return done.error();
    return std::move(found->key);
}

result<std::size_t> key_admin::disable_all() {
    auto all = read_all();
    if (!all) return std::move(all).error();
    const timestamp now = with_.time.now();
    std::size_t out = 0;
    for (stored_key& it : *all) {
        if (it.key.ended(now)) continue;
        it.key.disabled_at = now;
        const auto done = commit({replace_record(it)}, "key.disable", describe_key(it.key));
        if (!done) return done.error();
        ++out;
    }
    return out;
}

result<api_key> key_admin::enable(std::string_view id) {
    auto found = read_one(id);
    if (!found) return std::move(found).error();
    if (found->key.revoked_at) {
        return failure{errc::invalid_argument,
                       "key " + found->key.id + " was revoked: create another"};
    }
    if (!found->key.disabled_at) return std::move(found->key);
    found->key.disabled_at.reset();
    const auto done = commit({replace_record(*found)}, "key.enable", describe_key(found->key));
    if (!done) return done.error();
    return std::move(found->key);
}

result<key_admin::made_key> key_admin::rotate(std::string_view id,
                                              std::chrono::milliseconds overlap,
                                              std::string_view environment) {
    auto old = read_one(id);
    if (!old) return std::move(old).error();
    if (old->key.revoked_at) {
        return failure{errc::invalid_argument,
                       "key " + old->key.id + " was revoked: create another"};
    }
    if (old->key.disabled_at) {
        return failure{errc::invalid_argument, "key " + old->key.id + " is disabled: enable it"};
    }
    const auto all = read_all();
    if (!all) return all.error();
    if (auto ok = room_for_another(*all); !ok) return std::move(ok).error();
    const timestamp now = with_.time.now();
    api_key wanted = old->key;
    wanted.rotated_from = old->key.id;
    if (wanted.expires_at) wanted.expires_at = now + (*wanted.expires_at - wanted.created_at);
    made_key made = fresh(std::move(wanted), environment);
    const timestamp until = now + overlap;
    if (!old->key.expires_at || *old->key.expires_at > until) old->key.expires_at = until;
    const auto done = commit({create_record(made.key), replace_record(*old)}, "key.rotate",
                             describe_key(made.key) + "; " + old->key.id + " ends at " +
                                 orderproc::to_string(*old->key.expires_at));
    if (!done) return done.error();
    return made;
}

change_record key_admin::create_record(const api_key& it) const {
    change_record out;
    out.action = record_action::create;
    out.collection = key_collection;
    out.key = it.id;
    out.value = encode(it);
    if (const auto end = it.ends_at()) out.due_at = *end + audit_kept;
    return out;
}

change_record key_admin::replace_record(const stored_key& it) const {
    change_record out = create_record(it.key);
    out.action = record_action::replace;
    out.version = it.version;
    return out;
}

// The changes come first; the audit record, and what is removed for its age, behind them.
result<void> key_admin::commit(std::vector<change_record> changes, std::string action,
                               std::string about) {
    const std::size_t own = changes.size();
    const timestamp now = with_.time.now();
    changes.push_back(to_record({now, options_.actor, std::move(action), std::move(about)}));
    for (const std::string_view from : {audit_collection, key_collection, key_use_collection}) {
        auto old = expired_records(over_, from, now, removed_max);
        if (!old) return std::move(old).error();
        changes.insert(changes.end(), old->begin(), old->end());
    }
    const auto outcomes = write(changes);
    if (!outcomes) return outcomes.error();
    const bool refused = std::any_of(outcomes->begin(), outcomes->begin() + own,
                                     [](const record_outcome& it) { return bool(it.ec); });
    if (!refused) return {};
    if (auto ok = take_back(changes, *outcomes); !ok) return ok;
    return failure{errc::unavailable,
                   "somebody else changed the key meanwhile: look, and try again"};
}

// Of a change that was refused in part, nothing stays.
result<void> key_admin::take_back(const std::vector<change_record>& changes,
                                  const std::vector<record_outcome>& outcomes) {
    std::vector<change_record> back;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        if (outcomes[i].ec || changes[i].action != record_action::create) continue;
        back.push_back(
            removal_of(changes[i].collection, changes[i].key, outcomes[i].present.value().version));
    }
    const auto done = write(back);
    if (!done) return done.error();
    return {};
}

result<std::vector<record_outcome>> key_admin::write(const std::vector<change_record>& changes) {
    std::vector<record_outcome> outcomes(changes.size());
    write_params params;
    params.now = with_.time.now();
    params.writer = writer_;
    params.sequence = ++sequence_;
    params.records = changes;
    write_results results;
    results.records = outcomes;
    if (auto done = over_.write(params, results); !done) return std::move(done).error();
    return outcomes;
}

}  // namespace orderproc::server::auth
