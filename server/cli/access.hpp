#ifndef ORDERPROC_SERVER_CLI_ACCESS_HPP
#define ORDERPROC_SERVER_CLI_ACCESS_HPP

// Who may ask a running process, and over what: the keys of its storage, the issuers of tokens and
// the certificate, all kept up to date, and what attempts are answered by.

#include "attempts/attempt_tokens.hpp"
#include "auth/authenticator.hpp"
#include "auth/key_table.hpp"
#include "auth/key_watch.hpp"
#include "cli/exposure_settings.hpp"
#include "cli/jwt_settings.hpp"
#include "cli/tls_settings.hpp"
#include "http/stream_maker.hpp"

#include <orderproc/log.hpp>
#include <orderproc/repository.hpp>

#include <memory>
#include <optional>

namespace orderproc::server {

class observation;

class access_control {
public:
    // Reads the keys, those of the issuers and the certificate, and fails if that fails. A storage
    // without records has no keys. All outlive it.
    static result<std::unique_ptr<access_control>> start(
        storage& of, const exposure_settings& exposed, const tls_settings& tls,
        const jwt_settings& tokens, http::address_ranges trusted_proxies, observation& shown);

    auth::authenticator& judge() noexcept { return *judge_; }
    const http::carriers& over() const noexcept {
        return over_;
    }  // of the servers, which it outlives
    // None: the storage has no records.
    auth::key_table* keys() noexcept { return watch_ ? &table_ : nullptr; }
    // By which attempts are answered; none: the storage has no records.
    const attempt_tokens* attempts() const noexcept { return attempts_.get(); }
    // Somebody can prove who they are.
    bool has_keys() const { return table_.usable() || tokens_; }

private:
    explicit access_control(runtime with) : table_(with) {}
    auth::key_table table_;
    std::unique_ptr<auth::key_watch> watch_;
    std::unique_ptr<auth::token_verifier> tokens_;
    std::optional<auth::authenticator> judge_;
    std::unique_ptr<attempt_tokens> attempts_;
    std::unique_ptr<http::stream_maker> secure_;
    http::carriers over_;
};

}  // namespace orderproc::server

#endif
