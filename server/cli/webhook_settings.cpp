#include "cli/webhook_settings.hpp"

#ifdef ORDERPROC_WITH_WEBHOOKS

#include "cli/observation.hpp"
#include "cli/refusal.hpp"
#include "text/secret_file.hpp"

#ifdef ORDERPROC_WITH_TLS
#include "tls/tls_client.hpp"
#endif

#include <atomic>
#include <cstdint>
#include <future>
#include <utility>

namespace orderproc::server {

namespace {

constexpr std::size_t keys_size_max = std::size_t{64} * 1024;

result<std::unique_ptr<http::client_stream_maker>> open_carrier(const std::string& ca) {
#ifdef ORDERPROC_WITH_TLS
    return tls::make_client({ca, {}, {}, "--webhook-"});
#else
    if (!ca.empty())
        return failure{errc::invalid_argument, std::string("--webhook-ca: ") + https_needs_tls};
    return std::unique_ptr<http::client_stream_maker>();
#endif
}

void show_attempts(const delivery_client& of, exposed_values& in) {
    const auto add = [&](const char* result, const std::atomic<std::uint64_t>& total) {
        in.counter("orderproc_webhook_attempts_total",
                   "Attempts to deliver a webhook by what came of them",
                   [&total] { return static_cast<double>(total.load()); }, {"result", result});
    };
    add("delivered", of.attempts().delivered);
    add("refused", of.attempts().refused);
    add("unanswered", of.attempts().unanswered);
}

constexpr int reseal_tries = 3;

// What is stored with an older key, with the first one.
result<void> reseal_once(reader& reads, engine& to, const webhook_keys& keys) {
    const auto changes =
        reads.use([&](repository_reader& from) { return reseal_webhooks(from, keys); });
    if (!changes) {
        const failure& why = changes.error();
        const bool of_keys = why.code == errc::not_found || why.code == errc::corrupt;
        return of_keys ? failure{errc::invalid_argument, why.detail} : why;
    }
    const auto written = std::make_shared<std::promise<result<void>>>();
    auto answer = written->get_future();
    write_records(to, *changes, [written](result<void> it) { written->set_value(std::move(it)); });
    return answer.get();
}

// Another server that starts may do the same at the same time, or a sender pause an endpoint.
result<void> reseal(reader& reads, engine& to, const webhook_keys& keys) {
    auto done = reseal_once(reads, to, keys);
    for (int i = 1; i < reseal_tries && !done && done.error().code == errc::version_conflict; ++i) {
        done = reseal_once(reads, to, keys);
    }
    return done;
}

}  // namespace

void webhook_settings::add_to(CLI::App& command) {
    add_setting(command, "secrets-key-file", keys_file,
                "A file of keys that webhook secrets are encrypted with, one a line in base64: the "
                "first encrypts, all decrypt; empty: no webhooks");
    add_setting(command, "insecure-secrets", insecure_secrets,
                "Send webhooks without such a file: whoever reads the storage reads their secrets");
    add_setting(command, "webhook-allow", allow,
                "Addresses that are not public and may have webhook endpoints, such as "
                "10.1.0.0/16; may be repeated")
        ->delimiter(',')
        ->allow_extra_args(false);
    add_setting(command, "webhook-allow-http", allow_http,
                "Webhook endpoints may have http:// URLs");
    add_setting(command, "webhook-ports", ports,
                "Ports that webhook endpoints may have besides 443, such as 8443; may be repeated")
        ->delimiter(',')
        ->allow_extra_args(false);
    add_setting(command, "webhook-ca", ca,
                "PEM file: of whom the certificates of webhook endpoints have to be; empty: whom "
                "the system trusts");
}

result<webhook_keys> webhook_settings::keys() const {
    if (keys_file.empty()) return webhook_keys::none();
    const auto text = of_option("--secrets-key-file", read_secret_file(keys_file, keys_size_max));
    if (!text) return text.error();
    return of_option("--secrets-key-file", webhook_keys::parse(*text));
}

result<guard_policy> webhook_settings::policy() const {
    guard_policy out;
    for (const std::string& it : allow) {
        const auto range = of_option("--webhook-allow", http::address_range::parse(it));
        if (!range) return range.error();
        out.networks.push_back(*range);
    }
    out.ports = ports;
    out.plain_http = allow_http;
    return out;
}

result<std::unique_ptr<running_webhooks>> running_webhooks::start(storage& of, engine& orders,
                                                                  const webhook_settings& settings,
                                                                  const std::string& event_source,
                                                                  observation& shown) {
    observer& tell = shown.watch();
    if (!of.info().capabilities.has(capability::records)) {
        if (!settings.wanted()) return std::unique_ptr<running_webhooks>();
        return require(of.info(), {capability::records}, "--secrets-key-file").error();
    }
    auto keys = settings.keys();
    if (!keys) return keys.error();
    auto policy = settings.policy();
    if (!policy) return policy.error();
    std::unique_ptr<running_webhooks> out(new running_webhooks(of, orders));
    if (auto ok = of_option("--secrets-key-file", reseal(out->desk_reads_, orders, *keys)); !ok) {
        return std::move(ok).error();
    }
    if (!settings.wanted()) return std::unique_ptr<running_webhooks>();
    auto carrier = open_carrier(settings.ca);
    if (!carrier) return carrier.error();
    out->secure_ = std::move(*carrier);
    delivery_options how;
    how.policy = std::move(*policy);
    how.by.secure = out->secure_.get();
    how.by.refused = [&tell](const std::string& host, const host_addresses& all) {
        std::string text = "webhooks: " + host + " is not allowed: it resolves to";
        for (const auto& it : all) text += " " + it.to_string();
        tell.error("webhooks.guard", {errc::invalid_argument, std::move(text)});
    };
    out->client_.emplace(std::move(how), tell);
    show_attempts(*out->client_, shown.values());
    shown.show_webhook_lag();
    webhook_sender_options send;
    send.keys = *keys;
    send.source = event_source;
    out->sender_.emplace(orders, out->reads_, *out->client_, std::move(send));
    if (auto ok = out->sender_->start(); !ok) return std::move(ok).error();
    running_webhooks* const it = out.get();
    it->desk_.keys = std::move(*keys);
    it->desk_.admits = [it](std::string_view url) { return it->client_->admits_url(url); };
    it->desk_.changed = [it] { it->sender_->look_again(); };
    it->desk_.silence = [it](std::string id, std::function<void(result<void>)> done) {
        it->removals_.wait_for(std::move(id), std::move(done));
    };
    return out;
}

}  // namespace orderproc::server

#else

namespace orderproc::server {

void webhook_settings::add_to(CLI::App&) {}

result<std::unique_ptr<running_webhooks>> running_webhooks::start(storage&, engine&,
                                                                  const webhook_settings&,
                                                                  const std::string&,
                                                                  observation&) {
    return std::unique_ptr<running_webhooks>();
}

}  // namespace orderproc::server

#endif
