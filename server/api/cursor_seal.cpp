#include "api/cursor_seal.hpp"

#include <orderproc/idempotency.hpp>

#include <algorithm>
#include <string>

namespace orderproc::server {

namespace {

constexpr std::size_t tag_size = sizeof(digest);

// Parts of which none can be taken for the beginning of the next one.
void add_part(std::string_view part, std::string& to) {
    for (int shift = 24; shift >= 0; shift -= 8) {
        to.push_back(static_cast<char>(part.size() >> shift & 0xff));
    }
    to.append(part);
}

std::string pseudorandom(std::string_view secret, std::string_view purpose, std::string_view first,
                         std::string_view second) {
    std::string text;
    for (const std::string_view part : {secret, purpose, first, second}) add_part(part, text);
    const digest made = digest_of(text);
    return {reinterpret_cast<const char*>(made.data()), made.size()};
}

}  // namespace

std::string cursor_seal::tag_of(std::string_view context, std::string_view padded) const {
    return pseudorandom(secret_, "tag", context, padded);
}

std::string cursor_seal::masked(std::string_view tag, std::string_view text) const {
    std::string out(text);
    for (std::size_t at = 0; at < out.size(); at += tag_size) {
        const std::string mask = pseudorandom(secret_, "mask", tag, std::to_string(at));
        for (std::size_t i = 0; i < std::min(mask.size(), out.size() - at); ++i) {
            out[at + i] = static_cast<char>(out[at + i] ^ mask[i]);
        }
    }
    return out;
}

std::string cursor_seal::seal(std::string_view context, std::string_view content,
                              std::size_t size) const {
    std::string padded(1, static_cast<char>(content.size()));
    padded.append(content).resize(1 + size, '\0');
    const std::string tag = tag_of(context, padded);
    return tag + masked(tag, padded);
}

std::optional<std::string> cursor_seal::open(std::string_view context,
                                             std::string_view sealed) const {
    if (sealed.size() <= tag_size) return std::nullopt;
    const std::string_view tag = sealed.substr(0, tag_size);
    const std::string padded = masked(tag, sealed.substr(tag_size));
    const std::string expected = tag_of(context, padded);
    unsigned differs = 0;  // in a time that does not depend on where
    for (std::size_t i = 0; i < tag_size; ++i) {
        differs |= static_cast<unsigned char>(tag[i] ^ expected[i]);
    }
    const auto size = static_cast<unsigned char>(padded.front());
    if (differs != 0 || size >= padded.size()) return std::nullopt;
    return padded.substr(1, size);
}

}  // namespace orderproc::server
