#include "cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace orderproc::server {

progress_line::progress_line(bool wanted) : visible_(wanted && isatty(STDERR_FILENO) != 0) {}

void progress_line::show(std::string_view text) {
    if (!visible_) return;
    std::string line = "\r";
    line.append(text);
    line.append(width_ - std::min(width_, text.size()), ' ');  // over what was longer
    std::fputs(line.c_str(), stderr);
    width_ = text.size();
}

void progress_line::clear() {
    if (width_ == 0) return;
    std::fputs(("\r" + std::string(width_, ' ') + "\r").c_str(), stderr);
    width_ = 0;
}

}  // namespace orderproc::server
