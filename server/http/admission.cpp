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
    if (limiter_) {
        if (out.cost > 1 && rate_.admitted) {
            rate_ = limiter_->charge(rate_.client, out.cost - 1, rate_limiter::clock::now());
        }
        out.add("RateLimit-Policy", limiter_->policy());
        out.fields.append("RateLimit: \"default\";r=").append(std::to_string(rate_.remaining));
        out.fields.append(";t=").append(std::to_string(rate_.full_after_s)).append("\r\n");
        limiter_ = nullptr;
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
    if (options_.bound_limit) {
        bound_limiter_ = std::make_unique<rate_limiter>(*options_.bound_limit, seed);
    }
    if (options_.sites) guard_.emplace(*options_.sites);
}

admission::refusal admission::judge(const request& in,
                                    const asio::ip::address& peer) const noexcept {
    if (!guard_) return {};
    const site_refusal found = guard_->judge(in, trusts(peer));
    return {found.kind, found.detail};
}

admission::refusal admission::limit(const request& in, const asio::ip::address& peer,
                                    ticket& to) noexcept {
    rate_limiter* const limiter = in.bound ? bound_limiter_.get() : limiter_.get();
    if (limiter && !within_rate(in, peer, *limiter, to)) return {&problems::rate_limited};
    return {};
}

admission::refusal admission::admit(const request& in, std::size_t body_size, ticket& to) noexcept {
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

bool admission::within_rate(const request& in, const asio::ip::address& peer, rate_limiter& by,
                            ticket& to) noexcept {
    if (options_.unlimited && options_.unlimited(in)) return true;
    const address_bytes client =
        client_network(client_of(in, bytes_of(peer), options_.trusted_proxies));
    std::string_view key = in.principal;
    if (key.empty()) key = {reinterpret_cast<const char*>(client.data()), client.size()};
    to.rate_ = by.take(key, rate_limiter::clock::now());
    to.limiter_ = &by;
    to.retry_after_s_ = to.rate_.retry_after_s;
    return to.rate_.admitted;
}

}  // namespace orderproc::server::http
