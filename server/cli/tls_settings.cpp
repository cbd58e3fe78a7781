#include "cli/tls_settings.hpp"

#include "cli/refusal.hpp"

#ifdef ORDERPROC_WITH_TLS
#include "tls/tls_listener.hpp"
#endif

#include <array>
#include <string_view>
#include <utility>

namespace orderproc::server {

void tls_settings::add_to(CLI::App& command) {
#ifdef ORDERPROC_WITH_TLS
    add_setting(command, "tls-certificate", certificate,
                "PEM file of the certificate, and of those between it and the root; empty: no TLS");
    add_setting(command, "tls-key", key,
                "PEM file of its key, which others must not be able to read");
    add_setting(command, "tls-key-password-file", password_file,
                "A file whose first line is the key's passphrase");
    add_setting(command, "tls-client-ca", client_ca,
                "PEM file: clients need a certificate of one of these, beside a key");
    add_setting(
        command, "hsts", hsts,
        "Seconds for which browsers are to use HTTPS alone (RFC 6797); 0: they are not told")
        ->check(CLI::Range(0, 63'072'000));
#endif
    add_setting(command, "http-from-proxy", http_from_proxies,
                "Address or range of proxies that may speak plain HTTP, and nobody else; may be "
                "repeated")
        ->delimiter(',')
        ->allow_extra_args(false);
}

result<http::carriers> tls_settings::carriers_over(http::stream_maker* secure) const {
    http::carriers out{secure};
    for (const std::string& it : http_from_proxies) {
        const auto range = of_option("--http-from-proxy", http::address_range::parse(it));
        if (!range) return range.error();
        out.plain_from.push_back(*range);
    }
    if (hsts > 0 && !secure) {
        return failure{errc::invalid_argument, "--hsts needs --tls-certificate and --tls-key"};
    }
    if (hsts > 0) {
        out.secure_fields = "Strict-Transport-Security: max-age=" + std::to_string(hsts) + "\r\n";
    }
    return out;
}

#ifdef ORDERPROC_WITH_TLS

namespace {

void tell_reload(const log_sink& log, const failure* why) {
    const std::string_view text = why ? std::string_view(why->detail) : std::string_view();
    const std::array<log_field, 1> fields{{{"text", text}}};
    try {
        if (why) {
            log({log_level::error, "certificate_not_taken", fields});
        } else {
            log({log_level::info, "certificate_taken", {}});
        }
    } catch (...) {  // there is nobody left to tell
    }
}

}  // namespace

result<std::unique_ptr<http::stream_maker>> tls_settings::open(
    log_sink log, std::function<void(bool taken)> told) const {
    if (certificate.empty() && key.empty() && client_ca.empty()) {
        return std::unique_ptr<http::stream_maker>();
    }
    if (certificate.empty() || key.empty()) {
        return failure{errc::invalid_argument, "TLS needs both --tls-certificate and --tls-key"};
    }
    tls::listener_options options;
    options.reloaded = [log = std::move(log), told = std::move(told)](const failure* why) {
        tell_reload(log, why);
        told(!why);
    };
    auto made = tls::listener::open({certificate, key, password_file, client_ca}, options);
    if (!made) return std::move(made).error();
    return std::unique_ptr<http::stream_maker>(std::move(*made));
}

#else

result<std::unique_ptr<http::stream_maker>> tls_settings::open(
    log_sink, std::function<void(bool taken)>) const {
    return std::unique_ptr<http::stream_maker>();
}

#endif

}  // namespace orderproc::server
