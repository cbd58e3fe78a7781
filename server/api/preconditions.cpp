#include "api/preconditions.hpp"

#include "api/text.hpp"

#include <orderproc/idempotency.hpp>

#include <charconv>
#include <cstdint>
#include <system_error>

namespace orderproc::server {

namespace {

constexpr std::string_view if_match_name = "If-Match";

// Calls meet(tag) with each member of the lists in the fields of that name until it says true.
template <class Meet>
bool any_tag(const http::request& in, std::string_view name, Meet&& meet) {
    for (const http::field& it : in.fields) {
        if (!http::equal_ignoring_case(it.name, name)) continue;
        std::string_view list = it.value;
        while (!list.empty()) {
            const std::size_t comma = list.find(',');  // our tags have none
            if (meet(trim(list.substr(0, comma)))) return true;
            list.remove_prefix(comma == list.npos ? list.size() : comma + 1);
        }
    }
    return false;
}

// 0: the tag is not one of ours.
order_version version_of(std::string_view tag) noexcept {
    std::uint64_t value = 0;
    if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"') return order_version{0};
    const auto [end, ec] = std::from_chars(tag.data() + 1, tag.data() + tag.size() - 1, value);
    if (ec != std::errc() || etag(order_version{value}).view() != tag) return order_version{0};
    return order_version{value};
}

}  // namespace

std::string tag_of(std::string_view document) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\"";
    for (const auto byte : digest_of(document)) {
        const auto bits = static_cast<unsigned char>(byte);
        out.append({digits[bits >> 4], digits[bits & 15]});
    }
    return out += '"';
}

etag::etag(order_version version) noexcept {
    text_[0] = '"';
    char* end = std::to_chars(text_.data() + 1, text_.data() + text_.size() - 1,
                              static_cast<std::uint64_t>(version))
                    .ptr;
    *end++ = '"';
    size_ = static_cast<std::size_t>(end - text_.data());
}

bool if_none_match_names(const http::request& in, std::string_view ours) noexcept {
    const auto opaque = [](std::string_view tag) {
        return tag.starts_with("W/") ? tag.substr(2) : tag;
    };
    return any_tag(in, "If-None-Match",
                   [&](std::string_view tag) { return tag == "*" || opaque(tag) == opaque(ours); });
}

bool if_none_match_names(const http::request& in, order_version version) noexcept {
    return if_none_match_names(in, etag(version).view());
}

bool if_match::names_versions() const noexcept {
    bool there = false;
    for (const http::field& it : in_.fields) {
        there = there || http::equal_ignoring_case(it.name, if_match_name);
    }
    return there && !any_tag(in_, if_match_name, [](std::string_view tag) { return tag == "*"; });
}

bool if_match::admits(order_version version) const noexcept {
    if (!names_versions()) return true;
    const etag ours(version);
    return any_tag(in_, if_match_name, [&](std::string_view tag) { return tag == ours.view(); });
}

bool if_match::has_weak_tag() const noexcept {
    return any_tag(in_, if_match_name, [](std::string_view tag) { return tag.starts_with("W/"); });
}

order_version if_match::first() const noexcept {
    order_version out{0};
    any_tag(in_, if_match_name, [&](std::string_view tag) {
        out = version_of(tag);
        return out != order_version{0};
    });
    return out;
}

}  // namespace orderproc::server
