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

constexpr int tries_max = 10;  // to read a file that changes, at the start

// Tells one content of a file from the next without reading it, if some time lies between them.
struct file_mark {
    dev_t device = 0;
    ino_t file = 0;
    off_t size = 0;
    std::chrono::sys_time<std::chrono::nanoseconds> written{};

    friend bool operator==(const file_mark&, const file_mark&) = default;
};

result<file_mark> mark_of(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) {
        return failure{errc::unavailable, path + ": " + std::strerror(errno)};
    }
    const std::chrono::sys_time<std::chrono::nanoseconds> written(
        std::chrono::seconds(found.st_mtim.tv_sec) +
        std::chrono::nanoseconds(found.st_mtim.tv_nsec));
    return file_mark{found.st_dev, found.st_ino, found.st_size, written};
}

failure being_written(const std::string& path) {
    return {errc::unavailable, path + " is being written"};
}

result<std::vector<std::string>> parse(const std::string& path, std::string_view text) {
    std::vector<std::string> out;
    std::size_t line = 1;
    int open = 0;  // brackets
    const auto malformed = [&](const char* expected) {
        return failure{errc::invalid_argument,
                       path + ", line " + std::to_string(line) + ": expected " + expected};
    };
    while (!text.empty()) {
        const char c = text.front();
        if (c == '#') {
            text.remove_prefix(std::min(text.find('\n'), text.size()));
            continue;
        }
        if (c == '\n') ++line;
        if (c == '[') ++open;
        if (c == ']' && --open < 0) return malformed("an opening bracket first");
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
            return malformed("item ids of 1 or more");
        }
        out.push_back(std::to_string(id));
        text = rest;
    }
    if (open > 0) return malformed("a closing bracket: the list is cut off");
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

class file_items final : public item_checker {
public:
    file_items(std::string path, observer& watch, clock& time)
        : path_(std::move(path)), watch_(watch), time_(time) {}

    // As it is now. A list that has not rested is believed, for there is none before it, and read
    // again once it has.
    result<void> start() {
        for (int tried = 0; tried < tries_max; ++tried) {
            const auto mark = mark_of(path_);
            if (!mark) return mark.error();
            const auto whole = read(*mark);
            if (!whole) return whole.error();
            if (!*whole) continue;
            read_early_ = !has_rested(*mark);
            return {};
        }
        return being_written(path_);
    }

    result<void> check(std::span<const std::string_view> skus,
                       std::vector<std::size_t>& unknown) override {
        const bool current = refresh();
        const std::size_t before = unknown.size();
        for (std::size_t i = 0; i < skus.size(); ++i) {
            if (!std::binary_search(known_.begin(), known_.end(), skus[i])) unknown.push_back(i);
        }
        if (current || unknown.size() == before) return {};
        unknown.resize(before);  // the new list may have them
        return being_written(path_);
    }

private:
    // False: there is a newer list, which may not be whole yet.
    bool refresh() {
        const auto mark = mark_of(path_);
        if (!mark && !lost_) watch_.error("items", mark.error());
        lost_ = !mark;
        if (!mark || (*mark == mark_ && !read_early_)) return true;
        if (!has_rested(*mark)) return *mark == mark_;
        const auto whole = read(*mark);
        if (whole && !*whole) return false;
        read_early_ = false;
        if (!whole) watch_.error("items", whole.error());
        return true;
    }

    // False: it changed meanwhile, so what was read may be half of a list.
    result<bool> read(const file_mark& mark) {
        std::ifstream file(path_, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        if (const auto after = mark_of(path_); !after || !(*after == mark)) return false;
        mark_ = mark;
        if (!file) return failure{errc::unavailable, path_ + " cannot be read"};
        auto ids = parse(path_, text);
        if (!ids) return std::move(ids).error();
        known_ = std::move(*ids);
        return true;
    }

    // By its own time or, as the file may be on a machine with another clock, by how long we have
    // seen it as it is.
    bool has_rested(const file_mark& mark) {
        const auto now = time_.monotonic();
        if (!(mark == seen_)) {
            seen_ = mark;
            seen_at_ = now;
        }
        return time_.now() - mark.written >= items_rest || now - seen_at_ >= items_rest;
    }

    const std::string path_;
    observer& watch_;
    clock& time_;
    file_mark mark_;           // of what was read last, malformed or not
    bool read_early_ = false;  // and had not rested
    bool lost_ = false;        // and reported
    file_mark seen_;
    clock::instant seen_at_{};
    std::vector<std::string> known_;  // ascending
};

}  // namespace

result<std::unique_ptr<item_checker>> make_file_items(std::string path, observer& watch,
                                                      clock& time) {
    auto out = std::make_unique<file_items>(std::move(path), watch, time);
    if (auto ok = out->start(); !ok) return std::move(ok).error();
    return out;
}

}  // namespace orderproc::server
