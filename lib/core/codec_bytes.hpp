#ifndef ORDERPROC_LIB_CORE_CODEC_BYTES_HPP
#define ORDERPROC_LIB_CORE_CODEC_BYTES_HPP

// Numbers, texts, times and a checksum as the bytes that codec.cpp describes.

#include <orderproc/timestamp.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string_view>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline constexpr std::size_t varint_size_max = 10;
inline constexpr std::size_t checksum_size = 4;

// Tables for four bytes a step (Kounavis and Berry, "slicing").
inline constexpr auto crc_tables = [] {
    std::array<std::array<std::uint32_t, 256>, 4> tables{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        std::uint32_t crc = i;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0);
        tables[0][i] = crc;
    }
    for (std::size_t slice = 1; slice < 4; ++slice) {
        for (std::size_t i = 0; i < 256; ++i) {
            const std::uint32_t before = tables[slice - 1][i];
            tables[slice][i] = (before >> 8) ^ tables[0][before & 0xFF];
        }
    }
    return tables;
}();

inline std::uint32_t load_u32(const char* from) noexcept {
    std::uint32_t out = 0;
    for (int i = 3; i >= 0; --i) out = (out << 8) | static_cast<unsigned char>(from[i]);
    return out;
}

inline std::uint32_t crc32c(const char* at, std::size_t size) noexcept {
    std::uint32_t crc = 0xFFFFFFFF;
    for (; size >= 4; at += 4, size -= 4) {
        crc ^= load_u32(at);
        crc = crc_tables[3][crc & 0xFF] ^ crc_tables[2][(crc >> 8) & 0xFF] ^
              crc_tables[1][(crc >> 16) & 0xFF] ^ crc_tables[0][crc >> 24];
    }
    for (; size > 0; ++at, --size) {
        crc = (crc >> 8) ^ crc_tables[0][(crc ^ static_cast<unsigned char>(*at)) & 0xFF];
    }
    return ~crc;
}

constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

constexpr std::int64_t unzigzag(std::uint64_t value) noexcept {
    return static_cast<std::int64_t>((value >> 1) ^ (~(value & 1) + 1));
}

inline std::uint64_t ticks(timestamp value) noexcept {
    return static_cast<std::uint64_t>(value.time_since_epoch().count());
}

// Writes to memory that is known to suffice.
class byte_writer {
public:
    explicit byte_writer(char* at) noexcept : at_(at) {}
    char* at() const noexcept { return at_; }

    void byte(std::uint8_t value) noexcept { *at_++ = static_cast<char>(value); }
    void number(std::uint64_t value) noexcept {
        for (; value >= 0x80; value >>= 7) byte(static_cast<std::uint8_t>(value | 0x80));
        byte(static_cast<std::uint8_t>(value));
    }
    void signed_number(std::int64_t value) noexcept { number(zigzag(value)); }
    void bytes(const char* data, std::size_t size) noexcept {
        std::memcpy(at_, data, size);
        at_ += size;
    }
    void text(std::string_view value) noexcept {
        number(value.size());
        if (!value.empty()) bytes(value.data(), value.size());
    }
    // Unsigned, for the distance between far ends wraps around.
    void time(timestamp value, timestamp base) noexcept {
        signed_number(static_cast<std::int64_t>(ticks(value) - ticks(base)));
    }
    void time(const std::optional<timestamp>& value, timestamp base) noexcept {
        if (value) time(*value, base);
    }
    void checksum(std::uint32_t value) noexcept {
        for (int i = 0; i < 4; ++i) byte(static_cast<std::uint8_t>(value >> (8 * i)));
    }

private:
    char* at_;
};

// Reads until something is wrong; from then on it yields nothing and failed() is true.
class byte_reader {
public:
    explicit byte_reader(std::string_view bytes) noexcept
        : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

    bool failed() const noexcept { return failed_; }
    void fail() noexcept {
        failed_ = true;
        at_ = end_;
    }
    std::size_t left() const noexcept { return static_cast<std::size_t>(end_ - at_); }

    std::uint8_t byte() noexcept {
        if (at_ == end_) {
            fail();
            return 0;
        }
        return static_cast<std::uint8_t>(*at_++);
    }
    std::uint64_t number() noexcept {
        std::uint64_t out = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const std::uint8_t next = byte();
            if (shift == 63 && next > 1) break;  // more than 64 bits
            out |= std::uint64_t{next & 0x7FU} << shift;
            if (next >= 0x80) continue;
            if (next == 0 && shift > 0) break;  // not the shortest
            return out;
        }
        fail();
        return 0;
    }
    std::uint32_t number_32() noexcept {
        const std::uint64_t out = number();
        if (out <= std::numeric_limits<std::uint32_t>::max())
            return static_cast<std::uint32_t>(out);
        fail();
        return 0;
    }
    std::int64_t signed_number() noexcept { return unzigzag(number()); }
    // How many things follow that take a byte or more each.
    std::size_t count() noexcept {
        const std::uint64_t out = number();
        if (out <= left()) return static_cast<std::size_t>(out);
        fail();
        return 0;
    }
    std::string_view bytes(std::size_t size) noexcept {
        if (size > left()) {
            fail();
            return {};
        }
        const std::string_view out(at_, size);
        at_ += size;
        return out;
    }
    std::string_view text() noexcept { return bytes(count()); }
    timestamp time(timestamp base) noexcept {
        const auto distance = static_cast<std::uint64_t>(signed_number());
        return timestamp(timestamp::duration(static_cast<std::int64_t>(ticks(base) + distance)));
    }
    std::optional<timestamp> time_if(bool present, timestamp base) noexcept {
        if (!present) return std::nullopt;
        return time(base);
    }

private:
    const char* at_;
    const char* end_;
    bool failed_ = false;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
