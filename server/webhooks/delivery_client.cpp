#include "webhooks/delivery_client.hpp"

#include <utility>

namespace orderproc::server {

namespace {

constexpr std::chrono::minutes idle_after(1);
constexpr const char* no_answer = "there was no answer";

webhook_response to_response(const result<fetch_response>& got) {
    webhook_response out;
    if (got) {
        out.status = got->status;
        out.retry_after = got->retry_after();
        out.body = got->body;
        return out;
    }
    // Whether a name resolves, a port is open or a certificate is right is nobody else's business.
    const bool refused = got.error().detail.ends_with(address_not_allowed);
    out.error = refused ? address_not_allowed : no_answer;
    return out;
}

}  // namespace

delivery_client::delivery_client(delivery_options options, observer& tell)
    : options_(std::move(options)), tell_(tell) {}

delivery_client::~delivery_client() = default;

result<void> delivery_client::admits_url(std::string_view url) const {
    auto parsed = parse_guarded_url(url, options_.policy);
    if (!parsed) return std::move(parsed).error();
    if (parsed->secure && !options_.by.secure) {
        return failure{errc::invalid_argument, https_needs_tls};
    }
    return {};
}

void delivery_client::forget_idle(std::chrono::steady_clock::time_point now) {
    std::erase_if(peers_, [&](const auto& it) { return now - it.second.used > idle_after; });
}

// The URL is judged anew each time: what is allowed may have changed since it was given.
result<delivery_client::peer*> delivery_client::peer_for(const webhook_request& what) {
    auto at = parse_guarded_url(what.url, options_.policy);
    if (!at) return std::move(at).error();
    const auto now = std::chrono::steady_clock::now();
    peer& it = peers_[what.endpoint];
    if (!it.client || it.url != what.url) {
        http_client_options how;
        how.timeout = options_.timeout;
        how.body_max = delivery_body_max;
        how.find = options_.by.find;
        how.secure = options_.by.secure;
        how.on = on_;
        how.vet = [this, host = at->host](const host_addresses& all) {
            return judge(options_.policy, options_.by, host, all);
        };
        it.url = what.url;
        it.at = *at;
        it.client = std::make_unique<http_client>(*at, std::move(how));
    }
    it.used = now;
    forget_idle(now);
    return &it;
}

void delivery_client::deliver(webhook_request what, std::stop_token stop,
                              std::function<void(webhook_response)> done) {
    const std::lock_guard lock(mutex_);
    auto to = peer_for(what);
    if (!to) {
        webhook_response out;
        out.error = address_not_allowed;
        count(out);
        return done(std::move(out));
    }
    fetch_request request;
    request.method = "POST";
    request.target = (*to)->at.path;
    request.body = std::move(what.body);
    request.repeatable = true;  // receivers know what they have seen by its webhook-id
    request.status_suffices = true;
    for (auto& it : what.fields) {
        if (it.first != "user-agent") request.fields.push_back(std::move(it));
    }
    (*to)->client->fetch(
        std::move(request), std::move(stop),
        [this, endpoint = what.endpoint, done = std::move(done)](result<fetch_response> got) {
            if (!got && got.error().code != errc::stopped) {
                tell_.error("webhooks.delivery",
                            {got.error().code, "endpoint " + endpoint + ": " + got.error().detail});
            }
            auto answer = to_response(got);
            count(answer);
            done(std::move(answer));
        });
}

void delivery_client::count(const webhook_response& it) noexcept {
    auto& total = it.status == 0         ? attempts_.unanswered
                  : it.status / 100 == 2 ? attempts_.delivered
                                         : attempts_.refused;
    total.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace orderproc::server
