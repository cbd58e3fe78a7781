#include "cli/jwt_settings.hpp"

#include "cli/refusal.hpp"

#ifdef ORDERPROC_WITH_JWT
#include "auth/jwk_source.hpp"
#include "auth/jwt_issuer.hpp"
#include "auth/token_table.hpp"
#include "client/guarded_client.hpp"
#endif
#ifdef ORDERPROC_WITH_TLS
#include "tls/tls_client.hpp"
#endif

#include <array>
#include <memory>
#include <string_view>
#include <utility>

namespace orderproc::server {

#ifdef ORDERPROC_WITH_JWT

void jwt_settings::add_to(CLI::App& command) {
    add_setting(command, "jwt-issuer", issuer,
                "Take JSON Web Tokens of this issuer (iss): https://id.example; empty: none");
    add_setting(command, "jwt-audience", audience, "What their aud has to contain");
    add_setting(command, "jwt-keys", keys, "The issuer's JWK Set: file:/PATH or https://HOST/PATH");
    add_setting(command, "jwt-ca", ca,
                "PEM file: of whom the certificates of their servers have to be; empty: whom the "
                "system trusts");
    add_setting(command, "jwt-allow-private", allow_private,
                "A JWK Set may come from an address that is not public");
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

// What makes sense of an issuer alone. Were it passed over, tokens would be bound to nobody.
bool has_more(const jwt_settings& it) {
    const jwt_settings none;
    return !it.audience.empty() || !it.keys.empty() || !it.name.empty() || !it.user_claim.empty() ||
           !it.tenant_claim.empty() || it.allow_private || it.algorithms != none.algorithms ||
           it.scope_claim != none.scope_claim;
}

result<std::vector<auth::jwt_issuer>> issuers_of(const jwt_settings& from) {
    std::vector<auth::jwt_issuer> out;
    if (!from.issuers_file.empty()) {
        if (!from.issuer.empty() || has_more(from)) {
            return failure{errc::invalid_argument,
                           "--jwt-issuers stands in the place of the other options of an issuer: "
                           "leave them out, and say it in the file"};
        }
        auto text = auth::read_file({"file:" + from.issuers_file, issuers_size_max, {}});
        if (!text) return failure{errc::invalid_argument, "--jwt-issuers: " + text.error().detail};
        auto read =
            of_option("--jwt-issuers: " + from.issuers_file, auth::parse_jwt_issuers(*text));
        if (!read) return read;
        out = std::move(*read);
    } else if (!from.issuer.empty()) {
        out.push_back({from.issuer, from.name, from.audience, from.keys, from.algorithms,
                       from.scope_claim, from.user_claim, from.tenant_claim, from.allow_private});
    } else if (has_more(from)) {
        return failure{errc::invalid_argument, "tokens need --jwt-issuer"};
    }
    if (auto ok = auth::complete(out); !ok) return std::move(ok).error();
    return out;
}

bool is_file(const auth::jwt_issuer& it) {
    return it.keys.starts_with("file:");
}

failure of_issuer(const auth::jwt_issuer& it, const failure& why) {
    return {errc::invalid_argument, "issuer \"" + it.issuer + "\": " + why.detail};
}

std::string text_of(const host_addresses& all) {
    std::string out;
    for (const auto& it : all) out += (out.empty() ? "" : ", ") + it.to_string();
    return out.empty() ? "nothing" : out;
}

// What the operator's own option names: any port, and with allow_private any address.
guard_policy policy_for(const http_url& keys, bool allow_private) {
    guard_policy out;
    out.ports = {keys.port};
    if (!allow_private) return out;
    out.local_names = true;
    for (const char* all : {"0.0.0.0/0", "::/0"}) {
        if (auto range = http::address_range::parse(all)) out.networks.push_back(*range);
    }
    return out;
}

// Reads sets over https, with a connection for each.
result<auth::text_reader> https_reader(const auth::jwt_issuer& from, const std::string& ca) {
#ifdef ORDERPROC_WITH_TLS
    auto url = parse_http_url(from.keys);
    if (!url) return std::move(url).error();
    const guard_policy policy = policy_for(*url, from.allow_private);
    if (auto strict = parse_guarded_url(from.keys, policy); !strict && !from.allow_private) {
        return failure{errc::invalid_argument,
                       from.keys + ": " + strict.error().detail + " without --jwt-allow-private"};
    }
    auto made = tls::make_client({ca, {}, {}, "--jwt-"});
    if (!made) return std::move(made).error();
    const std::shared_ptr<http::client_stream_maker> secure = std::move(*made);
    return auth::text_reader([policy, secure](const auth::text_request& what,
                                              std::stop_token stop) -> result<std::string> {
        guarded_means by;
        by.secure = secure.get();
        std::string found;
        by.refused = [&found](const std::string& host, const host_addresses& all) {
            found = ": " + host + " is " + text_of(all);
        };
        auto text =
            guarded_get(what.location, policy, {what.size_max, what.timeout}, by, std::move(stop));
        if (text) return text;
        return failure{errc::unavailable, what.location + ": " + text.error().detail + found};
    });
#else
    (void)ca;
    return failure{errc::invalid_argument, from.keys + ": " + https_needs_tls};
#endif
}

result<auth::text_reader> reader_for(const auth::jwt_issuer& from, const std::string& ca) {
    if (!is_file(from)) return https_reader(from, ca);
    return auth::text_reader([](const auth::text_request& what, const std::stop_token&) {
        return auth::read_file(what);
    });
}

}  // namespace

result<std::unique_ptr<auth::token_verifier>> jwt_settings::open(runtime with,
                                                                 const log_sink& log) const {
    auto issuers = issuers_of(*this);
    if (!issuers) return std::move(issuers).error();
    if (issuers->empty()) return std::unique_ptr<auth::token_verifier>();
    std::vector<auth::token_table::trusted_issuer> trusted;
    for (auth::jwt_issuer& it : *issuers) {
        auto reader = reader_for(it, ca);
        if (!reader) return of_issuer(it, reader.error());
        auth::jwk_source_options options;
        options.read = std::move(*reader);
        options.told = [log, issuer = it.name](const failure* why) { tell_keys(log, issuer, why); };
        auto source = std::make_unique<auth::jwk_source>(it.keys, std::move(options), with);
        auto read = source->start();
        // A server may come later; a file that is not there is a mistake.
        if (!read && is_file(it)) return of_issuer(it, read.error());
        trusted.push_back({std::move(it), std::move(source)});
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
