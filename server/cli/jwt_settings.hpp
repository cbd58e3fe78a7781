#ifndef ORDERPROC_SERVER_CLI_JWT_SETTINGS_HPP
#define ORDERPROC_SERVER_CLI_JWT_SETTINGS_HPP

// Whose JSON Web Tokens `serve` and `work` take as credentials.

#include "auth/token_verifier.hpp"
#include "cli/settings.hpp"

#include <orderproc/log.hpp>
#include <orderproc/runtime.hpp>

#include <memory>
#include <string>
#include <vector>

namespace orderproc::server {

struct jwt_settings {
    std::string issuer, name, audience, keys;
    std::vector<std::string> algorithms{"ES256", "EdDSA", "RS256"};
    std::string scope_claim = "scope", user_claim, tenant_claim;
    std::string issuers_file;
    std::string ca;
    bool allow_private = false;

    // None if this build takes no tokens.
    void add_to(CLI::App& command);
    // None: there is no issuer. Reads the keys, and goes on to read them when their files change
    // and every ten minutes from servers, which is told to the log. A server that does not answer
    // is asked again later; it delays this by five seconds. errc::invalid_argument: options are
    // missing or make no sense, or a file has no keys. The runtime outlives it.
    result<std::unique_ptr<auth::token_verifier>> open(runtime with, const log_sink& log) const;
};

}  // namespace orderproc::server

#endif
