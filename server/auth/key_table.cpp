#include "auth/key_table.hpp"

#include "text/secret_text.hpp"

#include <algorithm>
#include <utility>

namespace orderproc::server::auth {

namespace {

constexpr std::size_t page_size = 500;
constexpr clock::instant never = clock::instant::min();

bool same_rights(const api_key& a, const api_key& b) noexcept {
    return a.name == b.name && a.scopes == b.scopes && a.user == b.user && a.tenant == b.tenant;
}

}  // namespace

std::string_view name_of(key_fault it) noexcept {
    switch (it) {
        case key_fault::none:
            return "none";
        case key_fault::malformed:
            return "malformed";
        case key_fault::unknown:
            return "unknown";
        case key_fault::wrong_secret:
            return "wrong_secret";
        case key_fault::ended:
            return "ended";
        case key_fault::network:
            return "network";
    }
    return {};
}

key_table::key_table(runtime with)
    : with_(with),
      keyless_(make_keyless()),
      entries_(std::make_shared<const entries>()),
      refreshed_at_(never) {}

principal_ptr key_table::make_keyless() {
    return std::make_shared<principal>("", scopes_without_key);
}

principal_ptr key_table::keyless() const {
    const std::lock_guard lock(mutex_);
    return keyless_;
}

std::shared_ptr<const key_table::entries> key_table::current() const {
    const std::lock_guard lock(mutex_);
    return entries_;
}

result<void> key_table::refresh(repository_reader& from) {
    const auto before = current();
    auto made = std::make_shared<entries>();
    std::string after;
    for (bool more = true; more;) {
        auto page = from.list_records({key_collection, {}, after, page_size});
        if (!page) return std::move(page).error();
        for (const record& it : page->records) {
            const auto known = before->find(it.key);
            const entry* old = known == before->end() ? nullptr : known->second.get();
            const bool same = old && old->version == it.version;
            made->emplace(it.key, same ? known->second : read_entry(it, old));
        }
        more = page->more && !page->records.empty();
        if (more) after = page->records.back().key;
    }
    const timestamp now = with_.time.now();
    for (const auto& [id, old] : *before) {
        const auto found = made->find(id);
        const bool replaced = found == made->end() || found->second->who != old->who;
        if (replaced && old->who) old->who->end();
    }
    for (const auto& [id, it] : *made) {
        if (it->who && it->key.ended(now)) it->who->end();
    }
    const std::lock_guard lock(mutex_);
    if (!made->empty()) {
        keyless_->end();
    } else if (keyless_->ended()) {  // an older storage is in the place of the one with keys
        keyless_ = make_keyless();
    }
    any_ = !made->empty();
    entries_ = std::move(made);
    refreshed_at_ = with_.time.monotonic();
    return {};
}

std::shared_ptr<const key_table::entry> key_table::read_entry(const record& from,
                                                              const entry* before) {
    auto out = std::make_shared<entry>();
    out->version = from.version;
    if (before) out->used = before->used.load(std::memory_order_relaxed);
    auto key = decode_key(from.key, from.value);
    if (!key) {
        with_.observer.error("auth.keys", key.error());
        return out;
    }
    out->readable = true;
    for (const std::string& it : key->networks) {
        out->networks.push_back(http::address_range::parse(it).value());
    }
    // A rotation only changes when the old key ends: streams of it go on until then.
    const bool goes_on =
        before && before->who && !before->who->ended() && same_rights(before->key, *key);
    out->who = goes_on ? before->who
                       : std::make_shared<principal>("key:" + key->name, key->scopes, key->user,
                                                     key->tenant);
    out->who->expires(key->expires_at);
    out->key = std::move(*key);
    return out;
}

bool key_table::stale() const noexcept {
    const clock::instant refreshed_at = refreshed_at_;
    return refreshed_at == never || with_.time.monotonic() - refreshed_at > stale_after;
}

bool key_table::any() const noexcept {
    return any_;
}

bool key_table::usable() const {
    const timestamp now = with_.time.now();
    const auto all = current();
    return std::any_of(all->begin(), all->end(), [&](const auto& it) {
        return it.second->readable && !it.second->key.ended(now);
    });
}

key_verdict key_table::find(std::string_view text, const http::address_bytes& from,
                            key_steps* steps) const {
    static const entry unknown;
    key_steps ignored;
    key_steps& count = steps ? *steps : ignored;
    const auto parsed = parse_key(text);
    const auto all = current();
    const auto found = parsed ? all->find(parsed->id) : all->end();
    const entry& it = found == all->end() ? unknown : *found->second;
    // Each of these is done for every text: how long it takes tells nobody what is wrong with it.
    const digest sent = digest_of(parsed ? parsed->secret : text);
    ++count.digests;
    const bool fits = equal_in_constant_time(sent, it.key.secret);
    ++count.comparisons;

    key_verdict out;
    if (parsed) out.id = parsed->id;
    if (!parsed) {
        out.fault = key_fault::malformed;
    } else if (!it.readable) {
        out.fault = key_fault::unknown;
    } else if (!fits) {
        out.fault = key_fault::wrong_secret;
    } else if (it.key.ended(with_.time.now())) {
        out.fault = key_fault::ended;
    } else if (!it.networks.empty() && !http::contains(it.networks, from)) {
        out.fault = key_fault::network;
    } else {
        out.who = it.who;
        const auto now = std::chrono::floor<std::chrono::minutes>(with_.time.now());
        const std::int64_t minute = now.time_since_epoch().count();
        // Most requests only read it: it changes once a minute.
        if (it.used.load(std::memory_order_relaxed) != minute) {
            it.used.store(minute, std::memory_order_relaxed);
        }
    }
    return out;
}

std::vector<use_of_key> key_table::take_uses() {
    std::vector<use_of_key> out;
    const auto all = current();
    for (const auto& [id, it] : *all) {
        const std::int64_t minute = it->used.exchange(0, std::memory_order_relaxed);
        if (minute != 0) out.push_back({id, timestamp(std::chrono::minutes(minute))});
    }
    return out;
}

}  // namespace orderproc::server::auth
