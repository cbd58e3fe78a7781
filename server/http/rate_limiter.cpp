#include "http/rate_limiter.hpp"

#include <algorithm>
#include <bit>

namespace orderproc::server::http {

namespace {

constexpr std::int64_t second = 1'000'000'000;

std::int64_t interval_of(const rate& it) noexcept {
    return std::max<std::int64_t>(static_cast<std::int64_t>(1e9 / it.per_second), 1);
}

std::uint32_t seconds_of(std::int64_t nanoseconds) noexcept {  // rounded up
    return static_cast<std::uint32_t>((std::max<std::int64_t>(nanoseconds, 0) + second - 1) /
                                      second);
}

std::string policy_of(const rate& it) {
    const std::int64_t window = interval_of(it) * it.burst;
    return "\"default\";q=" + std::to_string(it.burst) +
           ";w=" + std::to_string(std::max(seconds_of(window), 1U));
}

std::int64_t nanoseconds_of(rate_limiter::clock::time_point at) noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

std::uint64_t mix(std::uint64_t z) noexcept {  // SplitMix64's
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

// Every byte goes through the mixer behind the seed. Never 0.
std::uint64_t hash_of(std::string_view text, std::uint64_t seed) noexcept {
    constexpr std::uint64_t step = 0x9e3779b97f4a7c15U;
    std::uint64_t state = mix(seed + step * (text.size() + 1));
    for (const char c : text) state = mix(state + step * (static_cast<unsigned char>(c) + 1U));
    return state != 0 ? state : 1;
}

}  // namespace

rate_limiter::rate_limiter(const rate& most, std::uint64_t seed, std::size_t clients_max)
    : interval_(interval_of(most)),
      depth_(interval_ * most.burst),
      seed_(seed),
      policy_(policy_of(most)),
      buckets_(std::bit_ceil(std::max(clients_max, ways))) {}

// The client's, or the one that it takes over: the fullest of those that could be its.
rate_limiter::bucket& rate_limiter::find(std::uint64_t client) noexcept {
    bucket* const first = &buckets_[(client & (buckets_.size() / ways - 1)) * ways];
    bucket* fullest = first;
    for (bucket* it = first; it != first + ways; ++it) {
        if (it->client == client) return *it;
        if (it->client == 0) {
            fullest = it;
            break;  // places are taken in order
        }
        if (it->full_at < fullest->full_at) fullest = it;
    }
    *fullest = {client, INT64_MIN};
    return *fullest;
}

rate_verdict rate_limiter::take(std::string_view client, clock::time_point now) noexcept {
    const std::int64_t at = nanoseconds_of(now);
    const std::uint64_t hash = hash_of(client, seed_);
    rate_verdict out;
    const std::lock_guard lock(mutex_);
    bucket& its = find(hash);
    std::int64_t owed = std::max(its.full_at, at) - at;
    out.admitted = owed + interval_ <= depth_;
    if (out.admitted) {
        owed += interval_;
        its.full_at = at + owed;
    } else {
        out.retry_after_s = std::max(seconds_of(owed + interval_ - depth_), 1U);
    }
    out.client = hash;
    tell(owed, out);
    return out;
}

bool rate_limiter::has_token(std::string_view client, clock::time_point now) noexcept {
    const std::int64_t at = nanoseconds_of(now);
    const std::uint64_t hash = hash_of(client, seed_);
    const std::lock_guard lock(mutex_);
    return std::max(find(hash).full_at, at) - at + interval_ <= depth_;
}

void rate_limiter::tell(std::int64_t owed, rate_verdict& out) const noexcept {
    out.remaining =
        static_cast<std::uint32_t>(std::max<std::int64_t>(depth_ - owed, 0) / interval_);
    out.full_after_s = seconds_of(owed);
}

rate_verdict rate_limiter::charge(std::uint64_t client, std::uint32_t tokens,
                                  clock::time_point now) noexcept {
    const std::int64_t at = nanoseconds_of(now);
    rate_verdict out;
    out.client = client;
    const std::lock_guard lock(mutex_);
    bucket& its = find(client);
    its.full_at = std::max(its.full_at, at) + interval_ * tokens;
    tell(its.full_at - at, out);
    return out;
}

}  // namespace orderproc::server::http
