#ifndef ORDERPROC_SERVER_AUTH_PRINCIPAL_HPP
#define ORDERPROC_SERVER_AUTH_PRINCIPAL_HPP

// Who asks, once that was proved.

#include "auth/scope.hpp"

#include <orderproc/timestamp.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace orderproc::server::auth {

// Immutable but for its end, and shared by all requests and streams of one credential. Safe to use
// from any thread.
class principal {
public:
    // While clocks are in doubt about the end of a credential, it does for a request, but no longer
    // for a stream.
    enum class use : std::uint8_t { request, stream };
    // Of a credential that ends by itself: it has. Called from any thread, must not throw.
    using end_of_credential = std::function<bool(use)>;

    // key_owner: see there; empty: the name.
    principal(std::string name, scope_set scopes, std::optional<std::string> user = {},
              std::optional<std::string> tenant = {}, end_of_credential over = {},
              std::string key_owner = {})
        : name_(std::move(name)),
          scopes_(scopes),
          user_(std::move(user)),
          tenant_(std::move(tenant)),
          over_(std::move(over)),
          key_owner_(std::move(key_owner)) {}
    principal(const principal&) = delete;
    principal& operator=(const principal&) = delete;

    // "key:web-shop", "jwt:id.example:alice": the journal's actor, and what limits belong to. It
    // stays the same when the key is rotated, and for each token of a subject. Empty: nobody in
    // particular.
    const std::string& name() const noexcept { return name_; }
    // What idempotency keys belong to: the name, and for a token also whom it is bound to, since
    // the next token of the same subject may be bound to somebody else.
    const std::string& key_owner() const noexcept {
        return key_owner_.empty() ? name_ : key_owner_;
    }
    const scope_set& scopes() const noexcept { return scopes_; }
    bool may(scope what) const noexcept { return scopes_.has(what); }

    // Whose orders it is confined to; none: anybody's.
    const std::optional<std::string>& user() const noexcept { return user_; }
    const std::optional<std::string>& tenant() const noexcept { return tenant_; }
    bool bound() const noexcept { return user_ || tenant_; }

    // The credential no longer counts: streams of it end.
    bool ended(use what = use::request) const noexcept {
        return ended_.load(std::memory_order_relaxed) || (over_ && over_(what));
    }
    void end() const noexcept { ended_.store(true, std::memory_order_relaxed); }

    // When the credential ends by itself, as far as is known: one may be revoked before.
    std::optional<timestamp> expires_at() const noexcept {
        const timestamp at = expires_at_.load(std::memory_order_relaxed);
        return at == timestamp::max() ? std::nullopt : std::optional(at);
    }
    void expires(std::optional<timestamp> at) const noexcept {
        expires_at_.store(at.value_or(timestamp::max()), std::memory_order_relaxed);
    }

private:
    const std::string name_;
    const scope_set scopes_;
    const std::optional<std::string> user_;
    const std::optional<std::string> tenant_;
    const end_of_credential over_;
    const std::string key_owner_;
    mutable std::atomic<bool> ended_{false};
    mutable std::atomic<timestamp> expires_at_{timestamp::max()};
};

using principal_ptr = std::shared_ptr<const principal>;

// Somebody without a credential where none is asked for.
principal_ptr anonymous();
// Somebody where nobody is asked, since there is no authentication at all: everything.
principal_ptr unasked();
// Somebody who may do nothing: a credential is asked for, and there is none that counts.
principal_ptr nobody();

}  // namespace orderproc::server::auth

#endif
