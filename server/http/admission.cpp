#include "http/admission.hpp"

#include <string>
#include <utility>

namespace orderproc::server::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t small_body = 16 * 1024;
constexpr std::uint32_t overload_passes_s = 1;

// Counts up unless that would be too many.
bool take(std::atomic<std::size_t>& of, std::size_t amount, std::size_t most) noexcept {
    if (of.fetch_add(amount, std::memory_order_relaxed) + amount <= most) return true;
    of.fetch_sub(amount, std::memory_order_relaxed);
    return false;
}

}  // namespace

void admission::ticket::close(response& out) {
    if (policy_) {
        out.add("RateLimit-Policy", *policy_);
        out.fields.append("RateLimit: \"default\";r=").append(std::to_string(rate_.remaining));
        out.fields.append(";t=").append(std::to_string(rate_.full_after_s)).append("\r\n");
        policy_ = nullptr;
    }
    if (retry_after_s_ != 0) out.add("Retry-After", std::to_string(retry_after_s_));
    retry_after_s_ = 0;
    release();
}

void admission::ticket::release() noexcept {
    if (!of_) return;
    of_->in_flight_.fetch_sub(1, std::memory_order_relaxed);
    if (body_size_ != 0) of_->bodies_size_.fetch_sub(body_size_, std::memory_order_relaxed);
    of_ = nullptr;
    body_size_ = 0;
}

admission::admission(admission_options options, std::uint64_t seed) : options_(std::move(options)) {
    if (options_.limit) limiter_ = std::make_unique<rate_limiter>(*options_.limit, seed);
    if (options_.sites) guard_.emplace(*options_.sites);
}

admission::refusal admission::admit(const request& in, const asio::ip::address& peer,
                                    std::size_t body_size, ticket& to) noexcept {
    if (limiter_ && !within_rate(in, peer, to)) return {&problems::rate_limited};
    if (guard_) {
        const site_refusal found = guard_->judge(in, trusts(peer));
        if (found.kind) return {found.kind, found.detail};
    }
    to.retry_after_s_ = overload_passes_s;  // if it is refused
    if (options_.overloaded && options_.overloaded(in)) return {&problems::overloaded};
    if (!take(in_flight_, 1, options_.requests_in_flight_max)) return {&problems::overloaded};
    if (body_size <= small_body) {
        body_size = 0;
    } else if (!take(bodies_size_, body_size, options_.bodies_size_max)) {
        in_flight_.fetch_sub(1, std::memory_order_relaxed);
        return {&problems::overloaded};
    }
    to.retry_after_s_ = 0;
    to.body_size_ = body_size;
    to.of_ = this;
    return {};
}

bool admission::within_rate(const request& in, const asio::ip::address& peer, ticket& to) noexcept {
    if (options_.unlimited && options_.unlimited(in)) return true;
    const address_bytes client =
        client_network(client_of(in, bytes_of(peer), options_.trusted_proxies));
    std::string_view key;
    if (options_.principal) key = options_.principal(in);
    if (key.empty()) key = {reinterpret_cast<const char*>(client.data()), client.size()};
    to.rate_ = limiter_->take(key, rate_limiter::clock::now());
    to.policy_ = &limiter_->policy();
    to.retry_after_s_ = to.rate_.retry_after_s;
    return to.rate_.admitted;
}

}  // namespace orderproc::server::http
