#include "items/file_items.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <utility>

namespace orderproc::server {

namespace {

// Tells one content of a file from the next without reading it.
struct file_mark {
    ino_t file = 0;
    off_t size = 0;
    timespec changed{};

    friend bool operator==(const file_mark& a, const file_mark& b) {
        return a.file == b.file && a.size == b.size && a.changed.tv_sec == b.changed.tv_sec &&
               a.changed.tv_nsec == b.changed.tv_nsec;
    }
};

result<file_mark> mark_of(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
        return failure{errc::unavailable, path + ": " + std::strerror(errno)};
    }
    return file_mark{found.st_ino, found.st_size, found.st_mtim};
}

result<std::vector<std::int64_t>> parse(const std::string& path, std::string_view text) {
    std::vector<std::int64_t> out;
    std::size_t line = 1;
    while (!text.empty()) {
        const char c = text.front();
        if (c == '#') {
            text.remove_prefix(std::min(text.find('\n'), text.size()));
            continue;
        }
        if (c == '\n') ++line;
        if (std::string_view(" \t\r\n,[]").find(c) != std::string_view::npos) {
            text.remove_prefix(1);
            continue;
        }
        std::int64_t id = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), id);
        const auto rest = text.substr(static_cast<std::size_t>(end - text.data()));
        const bool whole =
            rest.empty() || std::string_view(" \t\r\n,]#").find(rest[0]) != std::string_view::npos;
        if (ec != std::errc{} || id < 1 || !whole) {
            return failure{errc::invalid_argument, path + ", line " + std::to_string(line) +
                                                       ": expected item ids of 1 or more"};
        }
        out.push_back(id);
        text = rest;
    }
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

class file_items final : public item_checker {
public:
    file_items(std::string path, observer& watch) : path_(std::move(path)), watch_(watch) {}

    result<void> read() {
        // The mark first: what changes after it is read again.
        auto mark = mark_of(path_);
        if (!mark) return std::move(mark).error();
        std::ifstream file(path_, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        if (!file) return failure{errc::unavailable, path_ + " cannot be read"};
        mark_ = *mark;
        auto ids = parse(path_, text);
        if (!ids) return std::move(ids).error();
        known_ = std::move(*ids);
        return {};
    }

    result<void> check(std::span<const std::int64_t> ids,
                       std::vector<std::int64_t>& unknown) override {
        const auto mark = mark_of(path_);
        if (mark ? !(*mark == mark_) : !lost_) {
            if (auto again = read(); !again) watch_.trouble("items", again.error());
        }
        lost_ = !mark;
        std::set_difference(ids.begin(), ids.end(), known_.begin(), known_.end(),
                            std::back_inserter(unknown));
        return {};
    }

private:
    const std::string path_;
    observer& watch_;
    file_mark mark_;
    bool lost_ = false;  // and told so
    std::vector<std::int64_t> known_;
};

}  // namespace

result<std::unique_ptr<item_checker>> make_file_items(std::string path, observer& watch) {
    auto out = std::make_unique<file_items>(std::move(path), watch);
    if (auto ok = out->read(); !ok) return std::move(ok).error();
    return out;
}

}  // namespace orderproc::server
