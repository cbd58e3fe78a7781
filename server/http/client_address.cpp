#include "http/client_address.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

namespace orderproc::server::http {

namespace asio = boost::asio;

namespace {

constexpr std::size_t text_max = 64;  // of an address with a port

std::string_view trimmed(std::string_view text) noexcept {
    const std::size_t first = text.find_first_not_of(" \t");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

std::optional<asio::ip::address> read_address(std::string_view text) noexcept {
    std::array<char, text_max + 1> terminated{};
    if (text.size() > text_max || text.find('\0') != text.npos) return std::nullopt;
    text.copy(terminated.data(), text.size());
    boost::system::error_code ec;
    const auto out = asio::ip::make_address(terminated.data(), ec);
    return ec ? std::nullopt : std::optional(out);
}

// As proxies write it: 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1]:80.
std::optional<address_bytes> read_hop(std::string_view text) noexcept {
    if (text.starts_with('[')) {
        const std::size_t end = text.find(']');
        if (end == text.npos) return std::nullopt;
        text = text.substr(1, end - 1);
    } else if (const auto colon = text.find(':');
               colon != text.npos && text.find(':', colon + 1) == text.npos) {
        text = text.substr(0, colon);
    }
    const auto found = read_address(text);
    return found ? std::optional(bytes_of(*found)) : std::nullopt;
}

}  // namespace

address_bytes bytes_of(const asio::ip::address& it) noexcept {
    if (it.is_v6()) return it.to_v6().to_bytes();
    return asio::ip::make_address_v6(asio::ip::v4_mapped, it.to_v4()).to_bytes();
}

address_bytes client_network(const address_bytes& it) noexcept {
    static const address_bytes mapped = bytes_of(asio::ip::address_v4());
    address_bytes out = it;
    const bool v4 = std::equal(it.begin(), it.begin() + 12, mapped.begin());
    if (!v4) std::fill(out.begin() + 8, out.end(), static_cast<unsigned char>(0));
    return out;
}

result<address_range> address_range::parse(std::string_view text) {
    const failure bad{errc::invalid_argument,
                      "\"" + std::string(text) + "\" is no range such as 10.0.0.0/8 or fd00::/8"};
    const std::size_t slash = text.find('/');
    const auto address = read_address(text.substr(0, slash));
    if (!address) return bad;
    address_range out;
    out.first_ = bytes_of(*address);
    if (slash == text.npos) return out;
    const std::size_t most = address->is_v4() ? 32 : 128;
    const std::string_view length = text.substr(slash + 1);
    std::size_t bits = 0;
    const auto [end, ec] = std::from_chars(length.data(), length.data() + length.size(), bits);
    if (ec != std::errc() || end != length.data() + length.size() || bits > most) return bad;
    out.bits_ = 128 - most + bits;
    return out;
}

bool address_range::contains(const address_bytes& it) const noexcept {
    const std::size_t whole = bits_ / 8;
    if (!std::equal(it.begin(), it.begin() + whole, first_.begin())) return false;
    const unsigned rest = bits_ % 8;
    return rest == 0 || (it[whole] ^ first_[whole]) >> (8 - rest) == 0;
}

bool contains(const address_ranges& any, const address_bytes& it) noexcept {
    return std::any_of(any.begin(), any.end(),
                       [&](const address_range& range) { return range.contains(it); });
}

address_bytes client_of(const request& in, const address_bytes& peer,
                        const address_ranges& trusted) noexcept {
    address_bytes out = peer;
    if (!contains(trusted, peer)) return out;
    for (auto it = in.fields.rbegin(); it != in.fields.rend(); ++it) {
        if (!equal_ignoring_case(it->name, "X-Forwarded-For")) continue;
        std::string_view list = it->value;
        while (true) {
            const std::size_t comma = list.rfind(',');
            const auto hop = read_hop(trimmed(comma == list.npos ? list : list.substr(comma + 1)));
            if (!hop) return out;
            out = *hop;
            if (!contains(trusted, out)) return out;
            if (comma == list.npos) break;
            list = list.substr(0, comma);
        }
    }
    return out;
}

}  // namespace orderproc::server::http
