#include "auth/authenticator.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

namespace orderproc::server::auth {

namespace {

bool is_loopback(const http::address_bytes& it) noexcept {
    static constexpr http::address_bytes v6{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    static constexpr std::array<unsigned char, 13> v4{0, 0, 0, 0,    0,    0,  0,
                                                      0, 0, 0, 0xff, 0xff, 127};
    return it == v6 || std::equal(v4.begin(), v4.end(), it.begin());
}

bool starts_with_ignoring_case(std::string_view text, std::string_view begin) noexcept {
    return text.size() >= begin.size() &&
           http::equal_ignoring_case(text.substr(0, begin.size()), begin);
}

// Somebody passed the request on, and so the peer is not who asks.
bool was_forwarded(const http::request& in) noexcept {
    return std::any_of(in.fields.begin(), in.fields.end(), [](const http::field& it) {
        // Most names are told apart by how they begin.
        const char first = it.name.empty() ? '\0' : it.name.front();
        if (first != 'F' && first != 'f' && first != 'X' && first != 'x') return false;
        return http::equal_ignoring_case(it.name, "Forwarded") ||
               starts_with_ignoring_case(it.name, "X-Forwarded-");
    });
}

// Something like a JSON Web Token, whose header begins with {" in base64url.
bool has_token(std::string_view query) noexcept {
    constexpr std::size_t size_min = 40;  // of header and claims that say anything
    constexpr std::string_view alphabet =
        "0123456789-_.ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    std::size_t at = 0;
    while ((at = query.find("eyJ", at)) != query.npos) {
        const std::string_view rest = query.substr(at);
        const std::string_view text = rest.substr(0, rest.find_first_not_of(alphabet));
        if (text.size() >= size_min && text.find('.') != text.rfind('.')) return true;
        at += text.size();  // what begins within it is shorter
    }
    return false;
}

std::string_view text_of(const http::address_bytes& it) noexcept {
    return {reinterpret_cast<const char*>(it.data()), it.size()};
}

authenticator::verdict unavailable() {
    authenticator::verdict out{nobody()};
    out.refusal = &problems::credentials_unavailable;
    out.retry_after = 1;
    return out;
}

}  // namespace

bool has_credential(std::string_view query) noexcept {
    static constexpr std::array<std::string_view, 5> names{"key", "api_key", "apikey",
                                                           "access_token", "token"};
    if (has_key(query) || has_token(query)) return true;
    while (!query.empty()) {
        const std::string_view one = query.substr(0, query.find('&'));
        const std::string_view name = one.substr(0, one.find('='));
        const bool named = std::any_of(names.begin(), names.end(), [&](std::string_view it) {
            return http::equal_ignoring_case(it, name);
        });
        if (named) return true;
        query.remove_prefix(std::min(one.size() + 1, query.size()));
    }
    return false;
}

authenticator::authenticator(const key_table* keys, authenticator_options options,
                             std::uint64_t seed)
    : keys_(keys), options_(std::move(options)), failures_(failures, seed) {}

bool authenticator::keys_exist() const noexcept {
    return keys_ && keys_->any();
}

bool authenticator::may_be_anonymous(const http::request& in) const noexcept {
    if (keys_exist() || options_.tokens) return false;
    if (options_.everybody_may) return true;
    return is_loopback(in.peer) && !http::contains(options_.trusted_proxies, in.peer) &&
           !was_forwarded(in);
}

authenticator::verdict authenticator::judge(const http::request& in) noexcept {
    verdict out = judge_credential(in);
    if (out.refusal == &problems::credentials_unavailable) return out;
    auto& total = out.invalid                        ? judged_.refused
                  : in.find("Authorization").empty() ? judged_.none
                                                     : judged_.accepted;
    total.fetch_add(1, std::memory_order_relaxed);
    return out;
}

authenticator::verdict authenticator::judge_credential(const http::request& in) noexcept {
    std::string_view sent;
    std::size_t count = 0;
    for (const http::field& it : in.fields) {
        if (!http::equal_ignoring_case(it.name, "Authorization")) continue;
        sent = it.value;
        ++count;
    }
    // Where nobody had a key, nobody can have lost one.
    if (keys_ && (count > 0 || keys_->any()) && keys_->stale()) {
        return unavailable();
    }
    if (count == 0) {
        if (!may_be_anonymous(in)) return {nobody()};
        return {keys_ ? keys_->keyless() : anonymous()};
    }
    if (count > 1) return refuse(in, {"two_fields"});
    constexpr std::string_view scheme = "Bearer ";
    if (!starts_with_ignoring_case(sent, scheme)) return refuse(in, {"scheme"});
    return judge_bearer(in, sent.substr(scheme.size()));
}

authenticator::verdict authenticator::judge_bearer(const http::request& in,
                                                   std::string_view token) noexcept {
    try {
        if (options_.tokens && !token.starts_with(key_prefix)) return judge_token(in, token);
        if (!keys_) return refuse(in, {"no_keys"});
        const auto from = http::client_of(in, in.peer, options_.trusted_proxies);
        key_verdict found = keys_->find(token, from);
        if (found.who) return {std::move(found.who)};
        return refuse(in, {name_of(found.fault), found.id});
    } catch (const std::exception&) {  // out of memory
        return unavailable();
    }
}

authenticator::verdict authenticator::judge_token(const http::request& in, std::string_view token) {
    if (auto known = options_.tokens->recall(token)) return {std::move(known)};
    const http::address_bytes client = network_of(in);
    if (!failures_.has_token(text_of(client), http::rate_limiter::clock::now())) {
        return refuse(in, {"failures"});
    }
    token_verdict found = options_.tokens->judge(token);
    if (found.who) return {std::move(found.who)};
    verdict out = refuse(in, {found.reason, {}, found.issuer});
    return found.unknowable && out.refusal == &problems::unauthenticated ? unavailable() : out;
}

http::address_bytes authenticator::network_of(const http::request& in) const noexcept {
    return http::client_network(http::client_of(in, in.peer, options_.trusted_proxies));
}

authenticator::verdict authenticator::refuse(const http::request& in,
                                             refused_credential what) noexcept {
    verdict out{nobody()};
    out.invalid = true;
    const http::address_bytes client = network_of(in);
    const auto rate = failures_.take(text_of(client), http::rate_limiter::clock::now());
    if (!rate.admitted) {
        out.refusal = &http::problems::rate_limited;
        out.retry_after = rate.retry_after_s;
    } else if (options_.refused) {
        what.request_id = in.id;
        options_.refused(what);
    }
    return out;
}

}  // namespace orderproc::server::auth
