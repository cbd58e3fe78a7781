#ifndef ORDERPROC_SERVER_OBSERVE_OUTPUT_HPP
#define ORDERPROC_SERVER_OBSERVE_OUTPUT_HPP

// Writing to a descriptor whose reader may have stopped reading, without waiting for it.

#include <chrono>
#include <cstddef>
#include <string_view>

namespace orderproc::server {

// A pipe, terminal, socket or file that was opened by somebody else. Other processes may use it,
// too, so it is not made non-blocking for all of them.
class output {
public:
    explicit output(int descriptor) noexcept;  // has to stay open
    ~output();
    output(const output&) = delete;
    output& operator=(const output&) = delete;

    // Writes the first lines, as many as one write takes as a whole, and returns the bytes that
    // were written. 0: there is no room now. Negative: nobody will ever read it.
    std::ptrdiff_t write_some(std::string_view lines) noexcept;

    // Waits for room, or until the other descriptor is readable (negative: there is none).
    // Negative time: for ever.
    void wait(std::chrono::milliseconds most, int other = -1) noexcept;

private:
    const int given_;
    int own_ = -1;  // the same pipe or terminal, opened again and non-blocking
    bool socket_ = false;
    bool may_block_ = false;  // so look for room first
};

// Writes all of the text if its reader takes it in time. False: not all was written.
bool write_within(std::chrono::milliseconds most, int descriptor, std::string_view text) noexcept;

}  // namespace orderproc::server

#endif
