#include "cli/redaction_log.hpp"

#include <boost/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

namespace orderproc::server {

namespace {

namespace js = boost::json;

// How each line begins, and what no line is longer than.
constexpr std::string_view line_begin = R"({"order_id":")";
constexpr off_t line_max = 4096;

class file_lock {
public:
    explicit file_lock(int file) noexcept : file_(file) {
        do {
            held_ = ::flock(file, LOCK_EX) == 0;
        } while (!held_ && errno == EINTR);
    }
    ~file_lock() {
        if (held_) ::flock(file_, LOCK_UN);
    }
    file_lock(const file_lock&) = delete;
    file_lock& operator=(const file_lock&) = delete;
    bool held() const noexcept { return held_; }

private:
    const int file_;
    bool held_ = false;
};

// Where the last whole line ends. -1: errno says why it cannot be told.
off_t end_of_lines(int file) {
    for (off_t end = ::lseek(file, 0, SEEK_END); end != 0; --end) {
        char last = 0;
        if (end < 0 || ::pread(file, &last, 1, end - 1) != 1) return -1;
        if (last == '\n') return end;
    }
    return 0;
}

bool write_at_end(int file, std::string_view text) {
    while (!text.empty()) {
        const ssize_t done = ::write(file, text.data(), text.size());
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(done));
    }
    return true;
}

bool sync_folder_of(const std::string& path) {
    std::filesystem::path folder = std::filesystem::path(path).parent_path();
    if (folder.empty()) folder = ".";
    const int opened = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened < 0) return false;
    const bool done = ::fsync(opened) == 0;
    const int why = errno;
    ::close(opened);
    errno = why;
    return done;
}

result<logged_redaction> read_logged(std::string_view line) {
    boost::system::error_code ec;
    const js::value whole = js::parse(line, ec);
    const auto* const from = ec ? nullptr : whole.if_object();
    const auto text_of = [from](std::string_view name) {
        const auto* const it = from->if_contains(name);
        const auto* const text = it ? it->if_string() : nullptr;
        return text ? std::string(*text) : std::string();
    };
    if (!from) return errc::corrupt;
    logged_redaction out;
    out.order = text_of("order_id");
    out.by = text_of("by");
    const auto at = parse_timestamp(text_of("at"));
    if (out.order.empty() || !at) return errc::corrupt;
    out.at = *at;
    return out;
}

// An append removes what is behind the last line, which must not be the end of some other file.
// Without any line there may be the part of one, of an append that was killed.
bool is_redaction_log(int file) {
    struct stat found {};
    if (::fstat(file, &found) != 0 || !S_ISREG(found.st_mode)) return false;
    std::string begin(static_cast<std::size_t>(std::min(found.st_size, line_max)), '\0');
    const ssize_t size = ::pread(file, begin.data(), begin.size(), 0);
    if (size < 0) return false;
    begin.resize(static_cast<std::size_t>(size));
    const std::size_t end = begin.find('\n');
    if (end != begin.npos) return read_logged(begin.substr(0, end)).has_value();
    return begin.starts_with(line_begin) || line_begin.starts_with(begin);
}

}  // namespace

failure redaction_log::cannot(const char* what) const {
    return {errc::unavailable,
            "the redaction log " + path_ + " cannot be " + what + ": " + std::strerror(errno)};
}

result<redaction_log> redaction_log::open(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        return failure{errc::invalid_argument,
                       "--redaction-log: " + path + ": " + std::strerror(errno)};
    }
    redaction_log out(file, path);
    if (!is_redaction_log(file)) {
        return failure{errc::invalid_argument,
                       "--redaction-log: " + path + " is another kind of file: name a new one"};
    }
    // Made durable once: an append syncs the file alone.
    if (!sync_folder_of(path)) return out.cannot("made durable");
    return out;
}

redaction_log::redaction_log(redaction_log&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)) {}

redaction_log::~redaction_log() {
    if (file_ >= 0) ::close(file_);
}

result<void> redaction_log::append(const logged_redaction& it) {
    js::object line{{"order_id", it.order}, {"at", to_string(it.at)}};
    if (!it.by.empty()) line["by"] = it.by;
    const file_lock lock(file_);
    if (!lock.held()) return cannot("locked");
    // What an append that failed, or was killed, has left behind is no line.
    const off_t end = end_of_lines(file_);
    if (end < 0 || ::ftruncate(file_, end) != 0) return cannot("written to");
    if (!write_at_end(file_, js::serialize(line) + '\n')) return cannot("written to");
    if (::fsync(file_) != 0) return cannot("made durable");
    return {};
}

result<std::vector<logged_redaction>> read_redaction_log(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        return failure{errc::invalid_argument,
                       "--redaction-log: " + path + ": " + std::strerror(errno)};
    }
    std::vector<logged_redaction> out;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line) && !in.eof(); ++number) {
        auto it = read_logged(line);
        if (!it) {
            return failure{errc::corrupt, "the redaction log " + path + ", line " +
                                              std::to_string(number) + ", is damaged"};
        }
        out.push_back(std::move(*it));
    }
    if (in.bad()) {
        return failure{errc::unavailable, "the redaction log " + path + " cannot be read"};
    }
    return out;
}

}  // namespace orderproc::server
