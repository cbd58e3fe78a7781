#include "attempts/attempt_tokens.hpp"

#include "text/secret_text.hpp"

#include <orderproc/idempotency.hpp>

#include <charconv>
#include <cstdint>
#include <system_error>

namespace orderproc::server {

namespace {

// The text up to a dot, which is taken away with it; nullopt: there is no dot.
std::optional<std::string_view> cut(std::string_view& from) noexcept {
    const std::size_t dot = from.find('.');
    if (dot == from.npos) return std::nullopt;
    const std::string_view out = from.substr(0, dot);
    from.remove_prefix(dot + 1);
    return out;
}

template <class Integer>
bool read_number(std::string_view text, Integer& out) noexcept {
    const char* const end = text.data() + text.size();
    const auto [at, ec] = std::from_chars(text.data(), end, out);
    return ec == std::errc() && at == end;
}

}  // namespace

// An attempt has no NUL in it, so the text is split in one way only.
std::string attempt_tokens::signature_of(std::string_view order, std::string_view attempt) const {
    std::string text(attempt);
    text.append(1, '\0').append(order);
    return hex_of(keyed_digest_of(secret_, text));
}

std::string attempt_tokens::make(const attempt_reference& of) const {
    std::string out = std::to_string(static_cast<std::uint64_t>(of.lease));
    out.append(1, '.').append(std::to_string(of.number));
    out.append(1, '.').append(of.stage.view());
    const std::string signature = signature_of(of.order, out);
    return out.append(1, '.').append(signature);
}

std::optional<attempt_reference> attempt_tokens::read(std::string_view order,
                                                      std::string_view text) const {
    const std::size_t last = text.rfind('.');
    if (last == text.npos) return std::nullopt;
    std::string_view attempt = text.substr(0, last);
    if (!equal_in_constant_time(text.substr(last + 1), signature_of(order, attempt)))
        return std::nullopt;
    const auto lease_text = cut(attempt);
    const auto number_text = lease_text ? cut(attempt) : std::nullopt;
    const auto stage = order_status::parse(attempt);
    attempt_reference out;
    std::uint64_t lease = 0;
    if (!number_text || !stage || !read_number(*lease_text, lease) ||
        !read_number(*number_text, out.number)) {
        return std::nullopt;
    }
    out.order = order;
    out.lease = lease_token{lease};
    out.stage = *stage;
    return out;
}

}  // namespace orderproc::server
