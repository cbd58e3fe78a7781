#include "auth/token_table.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace orderproc::server::auth {

namespace {

token_digest digest_of_token(std::string_view token) {
    token_digest out;
    if (EVP_Digest(token.data(), token.size(), out.data(), nullptr, EVP_sha256(), nullptr) != 1) {
        throw std::bad_alloc();
    }
    return out;
}

// No name of a principal has a space in it. Empty: the name.
std::string key_owner_of(const std::string& name, const jwt_identity& it) {
    if (it.user) return name + " user " + *it.user;
    return it.tenant ? name + " tenant " + *it.tenant : std::string();
}

}  // namespace

std::size_t token_table::digest_hash::operator()(const token_digest& it) const noexcept {
    std::size_t out;
    std::memcpy(&out, it.data(), sizeof out);
    return out;
}

token_table::token_table(std::vector<trusted_issuer> issuers, runtime with)
    : issuers_(std::move(issuers)), with_(with) {}

std::size_t token_table::kept() const {
    const std::lock_guard lock(mutex_);
    return kept_.size();
}

bool token_table::still_counts(const entry& it) const {
    const jwk_set_ptr keys = it.issuer->keys->current();
    return keys && keys->version == it.keys && with_.time.now() < it.expires_at &&
           with_.time.monotonic() - it.verified_at < verified_for;
}

principal_ptr token_table::recall(std::string_view token) {
    if (token.size() > jwt_size_max) return nullptr;
    const token_digest digest = digest_of_token(token);
    entry found;
    {
        const std::lock_guard lock(mutex_);
        const auto at = by_token_.find(digest);
        if (at == by_token_.end()) return nullptr;
        kept_.splice(kept_.begin(), kept_, at->second);
        found = *at->second;
    }
    if (still_counts(found)) return std::move(found.who);
    principal_ptr out = judge(token, digest).who;
    if (!out) forget(digest);
    return out;
}

token_verdict token_table::judge(std::string_view token) {
    if (token.size() > jwt_size_max) {
        token_verdict out;
        out.reason = name_of(jwt_fault::malformed);
        return out;
    }
    return judge(token, digest_of_token(token));
}

token_verdict token_table::judge(std::string_view token, const token_digest& digest) {
    token_verdict out;
    out.reason = name_of(jwt_fault::malformed);
    const auto parsed = parse_jwt(token);
    if (!parsed) return out;
    const auto by = std::find_if(issuers_.begin(), issuers_.end(), [&](const trusted_issuer& it) {
        return it.who.issuer == parsed->issuer();
    });
    out.reason = name_of(jwt_fault::issuer);
    if (by == issuers_.end()) return out;
    out.issuer = by->who.name;
    const jwk_set_ptr keys = by->keys->current();
    out.reason = name_of(jwt_fault::key);
    if (!keys) {
        by->keys->ask_again();
        out.unknowable = true;
        return out;
    }
    jwt_identity found;
    const jwt_fault fault = verify_jwt(*parsed, by->who, *keys, with_.time.now(), found);
    if (fault == jwt_fault::key) out.unknowable = by->keys->ask_again();
    out.reason = name_of(fault);
    if (fault != jwt_fault::none) return out;
    ++verified_;
    auto over = [&time = with_.time, until = found.expires_at,
                 key = found.key](principal::use what) {
        const auto doubt = what == principal::use::request ? jwt_skew : decltype(jwt_skew)::zero();
        return key->retired() || time.now() >= until + doubt;
    };
    std::string name = principal_name(by->who.name, found.subject);
    std::string key_owner = key_owner_of(name, found);
    out.who =
        std::make_shared<principal>(std::move(name), found.scopes, std::move(found.user),
                                    std::move(found.tenant), std::move(over), std::move(key_owner));
    out.who->expires(found.expires_at);
    keep({digest, &*by, keys->version, with_.time.monotonic(), found.expires_at, out.who});
    return out;
}

void token_table::keep(entry what) {
    const std::lock_guard lock(mutex_);
    const auto known = by_token_.find(what.token);
    if (known != by_token_.end()) {
        *known->second = std::move(what);
        return;
    }
    kept_.push_front(std::move(what));
    by_token_.emplace(kept_.front().token, kept_.begin());
    if (kept_.size() <= tokens_max) return;
    by_token_.erase(kept_.back().token);
    kept_.pop_back();
}

void token_table::forget(const token_digest& token) {
    const std::lock_guard lock(mutex_);
    const auto known = by_token_.find(token);
    if (known == by_token_.end()) return;
    kept_.erase(known->second);
    by_token_.erase(known);
}

}  // namespace orderproc::server::auth
