#include "connection.hpp"

#include "files.hpp"
#include "log_file.hpp"
#include "statement.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <limits>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

// SQLite takes a disk that cannot be read for a file that is malformed, and forgets why.
// REQUIRES: errno was 0 before the call.
bool is_disk_failure() noexcept {
    return errno == EIO || errno == ENXIO || errno == ERANGE;
}

errc meaning_of(int code) noexcept {
    switch (code & 0xff) {
        case SQLITE_CORRUPT:
            return is_disk_failure() ? errc::unavailable : errc::corrupt;
        case SQLITE_NOTADB:
            return errc::schema_mismatch;
        case SQLITE_CONSTRAINT:  // of ours, which no statement expects, or a trigger of the user's
            return code == SQLITE_CONSTRAINT_TRIGGER ? errc::unavailable : errc::corrupt;
        default:
            return errc::unavailable;
    }
}

int to_int(std::int64_t value) {
    return static_cast<int>(std::clamp<std::int64_t>(value, 0, std::numeric_limits<int>::max()));
}

}  // namespace

result<std::unique_ptr<connection>> connection::open(const std::string& path,
                                                     const settings& with) {
    std::unique_ptr<connection> out(new connection);
    out->path_ = path;
    out->busy_timeout_ = with.busy_timeout;
    // Readers too open for writing: in WAL the first one to come has to make the shared memory.
    const bool reads = with.how == access::read || with.how == access::copy;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    flags |=
        with.how == access::copy ? SQLITE_OPEN_READONLY | SQLITE_OPEN_URI : SQLITE_OPEN_READWRITE;
    const std::string name = with.how == access::copy ? immutable_uri(path) : path;
    if (!reads) {
        out->vfs_ = std::make_unique<gathering_vfs>(with.how == access::write);
    }
    const char* const vfs = out->vfs_ ? out->vfs_->name() : nullptr;
    if (const int code = sqlite3_open_v2(name.c_str(), &out->handle_, flags, vfs)) {
        out->fail(code);
        return std::move(out->finish()).error();
    }
    sqlite3_busy_timeout(out->handle_, to_int(with.busy_timeout.count()));
    // Only a writer that holds the write lock may checkpoint: up to 3.51.2 two connections that
    // write or checkpoint at once can corrupt the file (sqlite.org/wal.html#walresetbug).
    sqlite3_db_config(out->handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    sqlite3_db_config(out->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_wal_hook(out->handle_, &connection::committed, out.get());  // no auto-checkpoint
    out->execute(("PRAGMA cache_size=-" + std::to_string(with.cache_kib)).c_str());
    if (reads) out->execute("PRAGMA query_only=1");
    // What is deleted is overwritten, for what a redaction takes out must be gone.
    if (!reads) out->execute("PRAGMA secure_delete=1");
    if (with.how == access::write) {
        out->execute("PRAGMA cache_spill=0");
        // A log that a long reader made larger is cut to this when it begins anew.
        out->execute(("PRAGMA journal_size_limit=" + std::to_string(log_size_max)).c_str());
    }
    if (auto done = out->finish(); !done) return std::move(done).error();
    return out;
}

std::unique_ptr<connection> connection::borrow(sqlite3* handle, std::string path) {
    std::unique_ptr<connection> out(new connection);
    out->handle_ = handle;
    out->path_ = std::move(path);
    out->borrowed_ = true;
    return out;
}

connection::~connection() {
    if (!borrowed_) sqlite3_close(handle_);
}

int connection::committed(void* self, sqlite3*, const char*, int pages) noexcept {
    static_cast<connection*>(self)->log_pages_ = static_cast<std::size_t>(pages);
    return SQLITE_OK;
}

void connection::make_durable() {
    const std::string mode = query_text("PRAGMA journal_mode=WAL");
    if (ok() && mode != "wal") fail(errc::not_supported, path_ + " cannot use WAL");
    execute("PRAGMA synchronous=FULL");
    if (query_integer("PRAGMA synchronous") != 2 && ok()) {
        fail(errc::not_supported, "this SQLite ignores synchronous=FULL");
    }
}

void connection::fail(int sqlite_code) noexcept {
    if (failed_) return;
    if (borrowed_) {  // it may be set to tell the primary code only
        const int extended = sqlite3_extended_errcode(handle_);
        if ((extended & 0xff) == sqlite_code) sqlite_code = extended;
    }
    const errc meaning = meaning_of(sqlite_code);
    failed_ = true;
    sqlite_code_ = sqlite_code;
    failure_ = failure(meaning);
    try {
        std::string text = path_ + ": ";
        if (meaning == errc::unavailable && (sqlite_code & 0xff) == SQLITE_CORRUPT) {
            text += "the disk cannot be read: ";
        }
        text += handle_ ? sqlite3_errmsg(handle_) : sqlite3_errstr(sqlite_code);
        text += " (" + std::to_string(sqlite_code) + ")";
        failure_.detail = std::move(text);
    } catch (const std::exception&) {  // see above
    }
}

void connection::fail(errc code, std::string text) {
    if (failed_) return;
    failed_ = true;
    sqlite_code_ = 0;
    failure_ = failure(code, std::move(text));
}

result<void> connection::finish() {
    if (!failed_) return {};
    failed_ = false;
    return std::move(failure_);
}

void connection::execute(const char* sql) {
    if (failed_) return;
    errno = 0;
    if (const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr)) fail(code);
}

std::int64_t connection::query_integer(const char* sql) {
    statement once(*this, sql);
    auto found = once.query();
    return found.next() ? found.integer(0) : 0;
}

std::string connection::query_text(const char* sql) {
    statement once(*this, sql);
    auto found = once.query();
    return found.next() ? std::string(found.text(0)) : std::string();
}

bool connection::checkpoint() {
    if (failed_) return false;
    int pages = 0;
    int copied = 0;
    const int code =
        sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_PASSIVE, &pages, &copied);
    if (code != SQLITE_OK && code != SQLITE_BUSY) fail(code);
    return code == SQLITE_OK && copied == pages;
}

std::optional<std::uint64_t> connection::take_new_salts() noexcept {
    return vfs_ ? vfs_->take_new_salts() : std::nullopt;
}

bool connection::checkpoint_and_truncate(std::chrono::milliseconds wait) {
    if (failed_) return false;
    sqlite3_busy_timeout(handle_, to_int(wait.count()));
    const int code =
        sqlite3_wal_checkpoint_v2(handle_, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
    if (code != SQLITE_OK && code != SQLITE_BUSY) fail(code);
    sqlite3_busy_timeout(handle_, to_int(busy_timeout_.count()));
    if (code != SQLITE_OK) return false;
    // SQLite leaves the truncation to the kernel. Until it is durable, a power cut could bring
    // back a log of which only a part had ever reached the disk.
    const int log = ::open((path_ + "-wal").c_str(), O_RDWR | O_CLOEXEC);
    const bool synced = log >= 0 && ::fsync(log) == 0;
    if (log >= 0) ::close(log);
    if (!synced) fail(errc::unavailable, path_ + "-wal cannot be synced");
    return synced;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
