#include "cli/jwt_settings.hpp"

#include "cli/refusal.hpp"

#ifdef ORDERPROC_WITH_JWT
#include "auth/jwk_source.hpp"
#include "auth/jwt_issuer.hpp"
#include "auth/token_table.hpp"
#endif

#include <array>
#include <string_view>
#include <utility>

namespace orderproc::server {

#ifdef ORDERPROC_WITH_JWT

void jwt_settings::add_to(CLI::App& command) {
    add_setting(command, "jwt-issuer", issuer,
                "Take JSON Web Tokens of this issuer (iss): https://id.example; empty: none");
    add_setting(command, "jwt-audience", audience, "What their aud has to contain");
    add_setting(command, "jwt-keys", keys, "The issuer's JWK Set: file:/PATH");
    add_setting(command, "jwt-name", name,
                "What the journal calls the issuer; empty: the host of its URL");
    add_setting(command, "jwt-algorithms", algorithms, "How its tokens may be signed")
        ->delimiter(',')
        ->allow_extra_args(false);
    add_setting(command, "jwt-scope-claim", scope_claim, "The claim that has the scopes");
    add_setting(command, "jwt-user-claim", user_claim,
                "The claim of the user to whom a token is bound; empty: it is bound to none");
    add_setting(command, "jwt-tenant-claim", tenant_claim, "The same of a tenant");
    add_setting(command, "jwt-issuers", issuers_file,
                "A JSON file of several issuers, in the place of the other options");
}

namespace {

constexpr std::size_t issuers_size_max = 256 * 1024;

void tell_keys(const log_sink& log, const std::string& issuer, const failure* why) {
    const std::string_view text = why ? std::string_view(why->detail) : std::string_view();
    const std::array<log_field, 2> fields{{{"issuer", issuer}, {"text", text}}};
    try {
        if (why) {
            log({log_level::warning, "token_keys_not_taken", fields});
        } else {
            log({log_level::info, "token_keys_taken", {fields.data(), 1}});
        }
    } catch (...) {  // there is nobody left to tell
    }
}

result<std::vector<auth::jwt_issuer>> issuers_of(const jwt_settings& from) {
    std::vector<auth::jwt_issuer> out;
    if (!from.issuers_file.empty()) {
        if (!from.issuer.empty()) {
            return failure{errc::invalid_argument,
                           "--jwt-issuers stands in the place of --jwt-issuer: leave one of them "
                           "out"};
        }
        auto text = auth::read_file({"file:" + from.issuers_file, issuers_size_max, {}, false});
        if (!text) return failure{errc::invalid_argument, "--jwt-issuers: " + text.error().detail};
        auto read =
            of_option("--jwt-issuers: " + from.issuers_file, auth::parse_jwt_issuers(*text));
        if (!read) return read;
        out = std::move(*read);
    } else if (!from.issuer.empty()) {
        out.push_back({from.issuer, from.name, from.audience, from.keys, from.algorithms,
                       from.scope_claim, from.user_claim, from.tenant_claim});
    } else if (!from.audience.empty() || !from.keys.empty()) {
        return failure{errc::invalid_argument, "tokens need --jwt-issuer"};
    }
    if (auto ok = auth::complete(out); !ok) return std::move(ok).error();
    for (const auth::jwt_issuer& it : out) {
        if (it.keys.starts_with("file:")) continue;
        return failure{errc::invalid_argument, "issuer \"" + it.issuer +
                                                   "\": keys are read from files alone: save \"" +
                                                   it.keys + "\" as one"};
    }
    return out;
}

}  // namespace

result<std::unique_ptr<auth::token_verifier>> jwt_settings::open(runtime with,
                                                                 const log_sink& log) const {
    auto issuers = issuers_of(*this);
    if (!issuers) return std::move(issuers).error();
    if (issuers->empty()) return std::unique_ptr<auth::token_verifier>();
    std::vector<auth::token_table::trusted_issuer> trusted;
    for (auth::jwt_issuer& it : *issuers) {
        auth::jwk_source_options options;
        options.read = [](const auth::text_request& what, const std::stop_token&) {
            return auth::read_file(what);
        };
        options.told = [log, issuer = it.name](const failure* why) { tell_keys(log, issuer, why); };
        auto keys =
            std::make_unique<auth::jwk_source>(it.keys, it.allow_private, std::move(options), with);
        auto read = keys->start();
        if (!read) {
            return failure{errc::invalid_argument,
                           "issuer \"" + it.issuer + "\": " + read.error().detail};
        }
        trusted.push_back({std::move(it), std::move(keys)});
    }
    return std::unique_ptr<auth::token_verifier>(
        std::make_unique<auth::token_table>(std::move(trusted), with));
}

#else

void jwt_settings::add_to(CLI::App&) {}

result<std::unique_ptr<auth::token_verifier>> jwt_settings::open(runtime, const log_sink&) const {
    return std::unique_ptr<auth::token_verifier>();
}

#endif

}  // namespace orderproc::server
