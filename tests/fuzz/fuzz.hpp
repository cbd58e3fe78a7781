#ifndef ORDERPROC_TESTS_FUZZ_FUZZ_HPP
#define ORDERPROC_TESTS_FUZZ_FUZZ_HPP

// What the fuzzers share. A property that does not hold ends the process, which is how
// libFuzzer is told.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace orderproc::fuzz {

inline void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "this does not hold: %s\n", what);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Takes the text up to the mark off, and the mark.
inline std::string_view next_part(std::string_view& text, std::string_view mark) {
    const std::size_t end = text.find(mark);
    const std::string_view out = text.substr(0, end);
    text.remove_prefix(end == text.npos ? text.size() : end + mark.size());
    return out;
}

}  // namespace orderproc::fuzz

#define ORDERPROC_EXPECT(...) ::orderproc::fuzz::expect((__VA_ARGS__), #__VA_ARGS__)

#endif
