#ifndef ORDERPROC_STAGES_ENGINE_KEYED_HASH_HPP
#define ORDERPROC_STAGES_ENGINE_KEYED_HASH_HPP

#include <orderproc/runtime.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

// SipHash-1-3 (Aumasson and Bernstein, "SipHash: a fast short-input PRF"): without the key nobody
// can choose texts that collide.
class keyed_hash {
public:
    explicit keyed_hash(random_source& random) : keyed_hash(random.next(), random.next()) {}
    keyed_hash(std::uint64_t key_0, std::uint64_t key_1) noexcept
        : start_{key_0 ^ 0x736f6d6570736575U, key_1 ^ 0x646f72616e646f6dU,
                 key_0 ^ 0x6c7967656e657261U, key_1 ^ 0x7465646279746573U} {}

    std::uint64_t operator()(std::string_view text) const noexcept {
        state it = start_;
        const char* at = text.data();
        std::size_t left = text.size();
        for (; left >= 8; at += 8, left -= 8) it.take(load(at, 8));
        it.take(load(at, left) | (std::uint64_t{text.size()} << 56));
        it.v2 ^= 0xff;
        for (int i = 0; i < 3; ++i) it.round();
        return it.v0 ^ it.v1 ^ it.v2 ^ it.v3;
    }

private:
    struct state {
        std::uint64_t v0, v1, v2, v3;

        void round() noexcept {
            v0 += v1;
            v2 += v3;
            v1 = std::rotl(v1, 13) ^ v0;
            v3 = std::rotl(v3, 16) ^ v2;
            v0 = std::rotl(v0, 32) + v3;
            v2 += v1;
            v1 = std::rotl(v1, 17) ^ v2;
            v3 = std::rotl(v3, 21) ^ v0;
            v2 = std::rotl(v2, 32);
        }
        void take(std::uint64_t word) noexcept {
            v3 ^= word;
            round();
            v0 ^= word;
        }
    };

    static std::uint64_t load(const char* from, std::size_t size) noexcept {
        std::uint64_t out = 0;
        for (std::size_t i = 0; i < size; ++i) {
            out |= std::uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
        }
        return out;
    }

    state start_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
