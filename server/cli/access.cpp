#include "cli/access.hpp"

#include "cli/observation.hpp"
#include "cli/storage_secret.hpp"

#include <array>
#include <utility>

namespace orderproc::server {

result<std::unique_ptr<access_control>> access_control::start(
    storage& of, const exposure_settings& exposed, const tls_settings& tls,
    const jwt_settings& tokens, http::address_ranges trusted_proxies, observation& shown) {
    const runtime with = system_runtime(shown.watch());
    const log_sink log = shown.sink();
    std::unique_ptr<access_control> out(new access_control(with));
    auto secure = tls.open(log, [&shown](bool taken) { shown.count_certificate(taken); });
    if (!secure) return std::move(secure).error();
    out->secure_ = std::move(*secure);
    auto over = tls.carriers_over(out->secure_.get());
    if (!over) return std::move(over).error();
    out->over_ = std::move(*over);
    const bool keeps_records = of.info().capabilities.has(capability::records);
    if (keeps_records) {
        auto watching = auth::key_watch::start(of, out->table_, with.observer);
        if (!watching) return std::move(watching).error();
        out->watch_ = std::move(*watching);
    }
    auto secret = load_storage_secret(of, "attempts");
    if (!secret) return std::move(secret).error();
    if (!secret->empty()) out->attempts_ = std::make_unique<attempt_tokens>(std::move(*secret));
    auto verifier = tokens.open(with, log);
    if (!verifier) return std::move(verifier).error();
    out->tokens_ = std::move(*verifier);
    auth::authenticator_options options;
    options.tokens = out->tokens_.get();
    options.trusted_proxies = std::move(trusted_proxies);
    options.everybody_may = exposed.insecure_no_auth;
    options.refused = [log](const auth::refused_credential& it) {
        const std::array<log_field, 4> fields{{{"reason", it.reason},
                                               {"key", it.key_id},
                                               {"issuer", it.issuer},
                                               {"request_id", it.request_id}}};
        try {
            log({log_level::info, "credential_refused", fields});
        } catch (...) {  // there is nobody left to tell
        }
    };
    out->judge_.emplace(keeps_records ? &out->table_ : nullptr, std::move(options),
                        with.random.next());
    return out;
}

}  // namespace orderproc::server
