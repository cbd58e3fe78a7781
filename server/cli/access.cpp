#include "cli/access.hpp"

#include "cli/observation.hpp"
#include "cli/storage_secret.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <utility>

namespace orderproc::server {

namespace {

void show_judged(const auth::authenticator::totals& of, exposed_values& in) {
    const auto add = [&](const char* result, const std::atomic<std::uint64_t>& total) {
        in.counter("orderproc_auth_total", "Requests by whether they had a credential that counts",
                   [&total] { return static_cast<double>(total.load()); }, {"result", result});
    };
    add("accepted", of.accepted);
    add("refused", of.refused);
    add("none", of.none);
}

void show_tls(const http::stream_maker& of, exposed_values& in) {
    using std::chrono::duration;
    in.gauge("orderproc_tls_certificate_expiry_timestamp_seconds",
             "When the server's certificate ends, in seconds since 1970",
             [&of] { return duration<double>(of.ends_at().time_since_epoch()).count(); });
    const auto add = [&](const char* result, std::uint64_t http::stream_maker::totals::*total) {
        in.counter("orderproc_tls_handshakes_total", "TLS handshakes of clients by how they ended",
                   [&of, total] { return static_cast<double>(of.handshakes().*total); },
                   {"result", result});
    };
    add("done", &http::stream_maker::totals::done);
    add("failed", &http::stream_maker::totals::failed);
}

}  // namespace

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
    show_judged(out->judge_->judged(), shown.values());
    if (out->secure_) show_tls(*out->secure_, shown.values());
    return out;
}

}  // namespace orderproc::server
