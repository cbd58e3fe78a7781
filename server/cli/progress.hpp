#ifndef ORDERPROC_SERVER_CLI_PROGRESS_HPP
#define ORDERPROC_SERVER_CLI_PROGRESS_HPP

#include <cstddef>
#include <string_view>

namespace orderproc::server {

// A line on standard error that is written over. Only for people: nothing is written unless
// that is a terminal.
class progress_line {
public:
    explicit progress_line(bool wanted = true);
    ~progress_line() { clear(); }
    progress_line(const progress_line&) = delete;
    progress_line& operator=(const progress_line&) = delete;

    void show(std::string_view text);
    void clear();  // before anything else is written

private:
    const bool visible_;
    std::size_t width_ = 0;
};

}  // namespace orderproc::server

#endif
