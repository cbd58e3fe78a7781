#include "continuity.hpp"

#include "epochs.hpp"
#include "files.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

constexpr std::size_t log_header_size = 32;
constexpr off_t salts_at = 16;

// Changes with each start of the machine; 0: not known.
std::uint64_t this_boot() noexcept {
    const descriptor file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
    std::array<char, 64> text{};
    if (!file || ::read(file.get(), text.data(), text.size()) < 32) return 0;
    std::uint64_t out = 0xcbf29ce484222325;  // FNV-1a
    for (const char c : text) out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    return out;
}

// Whether this process has the file open already. Then it must not be opened beside SQLite's
// locks (files.hpp), and need not: SQLite has looked at its log before.
bool is_open_here(const file_id& wanted) {
    std::error_code ec;
    for (const auto& it : std::filesystem::directory_iterator("/proc/self/fd", ec)) {
        const auto target = std::filesystem::read_symlink(it.path(), ec);
        if (!ec && look_at(target.string()).id == wanted) return true;
    }
    return static_cast<bool>(ec);
}

// How far the journal goes in the file alone. None: it cannot be told.
std::optional<std::uint64_t> position_without_log(const std::string& path, const file_id& id) {
    if (is_open_here(id)) return std::nullopt;
    sqlite3* handle = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::optional<std::uint64_t> out;
    constexpr int how = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(immutable_uri(path).c_str(), &handle, how, nullptr) == SQLITE_OK &&
        sqlite3_prepare_v2(handle, "SELECT last_position FROM totals", -1, &statement, nullptr) ==
            SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        out = static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0));
    }
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return out;
}

enum class sameness { same, other, unclear };

// The file's times are exact as long as the machine was not started again: after a power cut
// they may be older than what was written.
sameness compare(const std::string& path, const file_facts& now, const file_mark& left) {
    if (now.id != left.file) return sameness::other;
    const bool times_count = left.copying == 0 && left.boot != 0 && left.boot == this_boot();
    if (times_count && now.modified_ns == left.modified_ns) return sameness::same;
    const auto position = position_without_log(path, now.id);
    if (position && *position < left.position) return sameness::other;
    return times_count ? sameness::unclear : sameness::same;
}

// Where the log goes that is not the file's. It may hold orders that nothing else has.
std::string name_aside(const std::string& log, std::uint64_t salts) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(salts));
    return log + "-stale-" + text.data();
}

result<void> set_aside(const std::string& path, std::uint64_t salts,
                       std::vector<std::string>& remarks) {
    const std::string log = log_of(path);
    const std::string aside = name_aside(log, salts);
    if (::rename(log.c_str(), aside.c_str()) != 0 ||
        (::unlink(index_of_log(path).c_str()) != 0 && errno != ENOENT)) {
        return failure{errc::unavailable, log + " belongs to a file that is no longer there, and " +
                                              "cannot be moved away: " + std::strerror(errno)};
    }
    remarks.push_back(path + " was replaced while its log was not empty. The log belongs to the " +
                      "file that was there before, and is now " + aside + ".");
    return {};
}

// From the header of the log (sqlite.org/fileformat2.html#walformat); 0: there is none.
std::uint64_t salts_of_log(const std::string& path) {
    const descriptor log(::open(log_of(path).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    std::uint64_t out = 0;
    if (!log || ::pread(log.get(), &out, sizeof out, salts_at) != sizeof out) return 0;
    return out;
}

void mark_copying(write_lock& lock) noexcept {
    auto mark = lock.file();
    if (!mark) return;
    mark->copying = 1;
    lock.set(*mark);
}

// As the file is now. copied: the log was copied into it to its end.
void mark_file(connection& db, write_lock& lock, const std::string& path, bool copied) {
    const auto left = lock.file();
    const file_facts facts = look_at(path);
    file_mark out;
    out.file = facts.id;
    out.modified_ns = facts.modified_ns;
    out.log_salts = salts_of_log(path);
    out.boot = this_boot();
    if (left && left->file == facts.id) out.position = left->position;
    if (copied) {
        if (const auto newest = newest_position(db)) out.position = newest->offset;
    }
    lock.set(out);
}

failure unclear_log(const std::string& path) {
    return {errc::unavailable,
            path + " was changed by another program since orderproc wrote " + log_of(path) +
                ". If the file was restored from a copy, remove " + log_of(path) + " and " +
                index_of_log(path) + ". If it was not, remove " + lock_of(path) + "."};
}

}  // namespace

result<bool> part_from_stale_log(const std::string& path, const write_lock& lock,
                                 std::vector<std::string>& remarks) {
    const auto left = lock.file();
    if (!left) return true;
    const file_facts log = look_at(log_of(path));
    const sameness is = compare(path, look_at(path), *left);
    if (is == sameness::same) return false;
    const std::uint64_t salts = log.size < log_header_size ? 0 : salts_of_log(path);
    // No log, or one that came with the file.
    if (salts == 0 || salts != left->log_salts) return true;
    if (is == sameness::unclear) return unclear_log(path);
    if (auto done = set_aside(path, salts, remarks); !done) return done.error();
    return true;
}

result<void> continue_journal(connection& db, write_lock& lock, const std::string& path,
                              origin from, std::vector<std::string>& remarks) {
    const auto left = lock.journal();
    const auto found = newest_position(db);
    if (!found) return found.error();
    journal_mark now{found->epoch, found->offset};
    const bool same_epoch = left && left->epoch == now.epoch;
    const bool less = same_epoch && left->position > now.position;
    if (from == origin::other_file || (from == origin::left_so && (!same_epoch || less))) {
        const auto epoch = begin_epoch(db);
        if (!epoch) return epoch.error();
        now.epoch = *epoch;
        std::string why = path + " is not the file that was left here";
        if (less) {
            why += ": its journal ends at entry " + std::to_string(now.position) + " and had " +
                   std::to_string(left->position);
        }
        if (left) {
            remarks.push_back(why +
                              ". A new epoch of the journal begins: a reader that had seen "
                              "more of it is told to start anew.");
        }
    }
    lock.set(now);
    mark_file(db, lock, path, false);
    return {};
}

void copy_log(connection& db, write_lock& lock, const std::string& path) {
    mark_copying(lock);
    const bool all = db.checkpoint();
    mark_file(db, lock, path, all);
}

bool empty_log(connection& db, write_lock& lock, const std::string& path,
               std::chrono::milliseconds wait) {
    mark_copying(lock);
    const bool all = db.checkpoint_and_truncate(wait);
    if (db.ok()) mark_file(db, lock, path, all);
    return all;
}

void mark_log(write_lock& lock, std::uint64_t salts) noexcept {
    auto mark = lock.file();
    if (!mark || mark->log_salts == salts) return;
    mark->log_salts = salts;
    lock.set(*mark);
}

void begin_write(write_lock& lock) noexcept {
    mark_copying(lock);
}

void end_write(connection& db, write_lock& lock, const std::string& path) {
    mark_file(db, lock, path, false);
    if (const auto newest = newest_position(db)) {
        lock.set(journal_mark{newest->epoch, newest->offset});
    }
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
