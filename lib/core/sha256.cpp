#include "core/sha256.hpp"

#include <bit>
#include <cstdint>
#include <cstring>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::size_t block_size = 64;
constexpr std::size_t length_size = 8;

using state = std::array<std::uint32_t, 8>;

// Section 5.3.3.
constexpr state initial{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

// Section 4.2.2.
constexpr std::array<std::uint32_t, 64> constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

std::uint32_t word_at(const unsigned char* at) noexcept {
    return (std::uint32_t{at[0]} << 24) | (std::uint32_t{at[1]} << 16) |
           (std::uint32_t{at[2]} << 8) | std::uint32_t{at[3]};
}

// Section 6.2.2.
void add_block(state& to, const unsigned char* block) noexcept {
    std::array<std::uint32_t, 64> w;
    for (std::size_t t = 0; t < 16; ++t) w[t] = word_at(block + 4 * t);
    for (std::size_t t = 16; t < w.size(); ++t) {
        const std::uint32_t s0 =
            std::rotr(w[t - 15], 7) ^ std::rotr(w[t - 15], 18) ^ (w[t - 15] >> 3);
        const std::uint32_t s1 =
            std::rotr(w[t - 2], 17) ^ std::rotr(w[t - 2], 19) ^ (w[t - 2] >> 10);
        w[t] = s1 + w[t - 7] + s0 + w[t - 16];
    }
    auto [a, b, c, d, e, f, g, h] = to;
    for (std::size_t t = 0; t < w.size(); ++t) {
        const std::uint32_t s1 = std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25);
        const std::uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[t] + w[t];
        const std::uint32_t s0 = std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22);
        const std::uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    const state sums{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += sums[i];
}

}  // namespace

std::array<std::byte, 32> sha256(std::string_view text) noexcept {
    state now = initial;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    std::size_t done = 0;
    for (; text.size() - done >= block_size; done += block_size) add_block(now, bytes + done);

    // Section 5.1.1: a one, zeros, and the length in bits.
    std::array<unsigned char, 2 * block_size> last{};
    const std::size_t rest = text.size() - done;
    if (rest > 0) std::memcpy(last.data(), bytes + done, rest);
    last[rest] = 0x80;
    const std::size_t size = rest + 1 + length_size <= block_size ? block_size : 2 * block_size;
    const std::uint64_t bits = std::uint64_t{text.size()} * 8;
    for (std::size_t i = 0; i < length_size; ++i) {
        last[size - 1 - i] = static_cast<unsigned char>(bits >> (8 * i));
    }
    for (std::size_t at = 0; at < size; at += block_size) add_block(now, last.data() + at);

    std::array<std::byte, 32> out;
    for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = std::byte(now[i / 4] >> (24 - 8 * (i % 4)));
    }
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
