#include "cli/outgoing_settings.hpp"

#include "cli/refusal.hpp"

#ifdef ORDERPROC_WITH_TLS
#include "tls/tls_client.hpp"
#endif

#include <algorithm>
#include <utility>

namespace orderproc::server {

#ifdef ORDERPROC_WITH_TLS

void outgoing_settings::add_tls_to(CLI::App& command) {
    add_setting(command, "http-ca", ca,
                "PEM file of who vouches for https:// servers; empty: whom this machine trusts");
    add_setting(command, "http-certificate", certificate,
                "PEM file of a certificate for https:// servers that ask for one");
    add_setting(command, "http-key", key,
                "PEM file of its key, which others must not be able to read");
}

result<void> outgoing_calls::load() {
    auto made = tls::make_client({with_.ca, with_.certificate, with_.key});
    if (!made) return std::move(made).error();
    secure_ = std::move(*made);
    return {};
}

#else

void outgoing_settings::add_tls_to(CLI::App&) {}

result<void> outgoing_calls::load() {
    return failure{errc::invalid_argument, https_needs_tls};
}

#endif

void outgoing_settings::add_to(CLI::App& command) {
    add_tls_to(command);
    add_setting(command, "http-credentials", credentials,
                "A file of lines such as: https://ship.example Authorization: Bearer …");
}

result<outgoing_calls> outgoing_calls::open(const outgoing_settings& with) {
    result<outgoing_calls> out;
    out->with_ = with;
    if (!with.credentials.empty()) {
        auto read = of_option("--http-credentials", outgoing_credentials::read(with.credentials));
        if (!read) return std::move(read).error();
        out->credentials_ = std::move(*read);
    }
    const bool named = !with.ca.empty() || !with.certificate.empty() || !with.key.empty();
    if (!named) return out;  // what the machine trusts is loaded when it is needed
    if (auto ok = out->load(); !ok) return std::move(ok).error();
    return out;
}

result<http::client_stream_maker*> outgoing_calls::carrier_to(const http_url& server) {
    if (!server.secure) return static_cast<http::client_stream_maker*>(nullptr);
    if (!secure_) {
        if (auto ok = load(); !ok) return std::move(ok).error();
    }
    return secure_.get();
}

result<http_client_options> outgoing_calls::options_for(const http_url& server) {
    const auto carrier = carrier_to(server);
    if (!carrier) return carrier.error();
    http_client_options out;
    out.secure = *carrier;
    if (server.secure || credential_for(server).empty()) return out;
    out.vet = [](const host_addresses& all) -> result<void> {
        const bool here =
            std::all_of(all.begin(), all.end(), [](const auto& it) { return it.is_loopback(); });
        if (here) return {};
        return failure{errc::unavailable,
                       "the name leads to another machine, and plain http:// does not carry a "
                       "credential there"};
    };
    return out;
}

}  // namespace orderproc::server
