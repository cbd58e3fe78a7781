#include "log_file.hpp"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

// SQLite's own VFS takes no more at a time (seekAndWriteFd() masks the size).
constexpr std::size_t gathered_max = 0x1ffff;

using own_part = gathering_vfs::own_part;

own_part& own(const sqlite3_vfs* ours) noexcept {
    return *static_cast<own_part*>(ours->pAppData);
}

// sqlite.org/fileformat2.html#walformat: written when the log begins, and then alone.
constexpr std::size_t header_size = 32;
constexpr std::size_t salts_at = 16;

// The file of the base VFS lies behind it, in the same memory.
struct log_file {
    sqlite3_file methods;  // what SQLite sees
    own_part* of = nullptr;
    std::vector<char> gathered;
    sqlite3_int64 begin = 0;  // of what was gathered

    sqlite3_file* inner() noexcept {
        return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(this) + size());
    }
    static constexpr std::size_t size() noexcept {
        constexpr std::size_t unit = alignof(std::max_align_t);
        return (sizeof(log_file) + unit - 1) / unit * unit;
    }

    // What cannot be written is given up: the commit fails, and the next one writes anew.
    int flush() noexcept {
        if (gathered.empty()) return SQLITE_OK;
        const int code = inner()->pMethods->xWrite(inner(), gathered.data(),
                                                   static_cast<int>(gathered.size()), begin);
        gathered.clear();
        return code;
    }

    int write(const void* bytes, std::size_t count, sqlite3_int64 at) noexcept {
        if (at == 0 && count == header_size) {
            std::uint64_t salts = 0;
            std::memcpy(&salts, static_cast<const char*>(bytes) + salts_at, sizeof salts);
            of->new_salts = salts;
        }
        const bool follows = at == begin + static_cast<sqlite3_int64>(gathered.size());
        if (!follows || gathered.size() + count > gathered_max) {
            if (const int code = flush()) return code;
        }
        if (gathered.empty()) begin = at;
        try {
            gathered.reserve(gathered_max);
            const char* const from = static_cast<const char*>(bytes);
            gathered.insert(gathered.end(), from, from + count);
        } catch (const std::bad_alloc&) {
            gathered.clear();
            return SQLITE_IOERR_NOMEM;
        }
        return SQLITE_OK;
    }
};

log_file& log_of(sqlite3_file* file) noexcept {
    return *reinterpret_cast<log_file*>(file);
}

// Hands a call on to the file behind, once that has all that was written.
template <auto Method, class... Args>
int handed_on(sqlite3_file* file, Args... args) {
    log_file& log = log_of(file);
    if (const int code = log.flush()) return code;
    return (log.inner()->pMethods->*Method)(log.inner(), args...);
}

// The same for a question that does not touch what is in it.
template <auto Method>
int answered(sqlite3_file* file) {
    sqlite3_file* const inner = log_of(file).inner();
    return (inner->pMethods->*Method)(inner);
}

int close(sqlite3_file* file) {
    log_file& log = log_of(file);
    const int code = log.inner()->pMethods->xClose(log.inner());
    log.~log_file();
    return code;
}

int write(sqlite3_file* file, const void* bytes, int count, sqlite3_int64 at) {
    return log_of(file).write(bytes, static_cast<std::size_t>(count), at);
}

using io = sqlite3_io_methods;

constexpr io log_methods{
    .iVersion = 1,
    .xClose = close,
    .xRead = handed_on<&io::xRead, void*, int, sqlite3_int64>,
    .xWrite = write,
    .xTruncate = handed_on<&io::xTruncate, sqlite3_int64>,
    .xSync = handed_on<&io::xSync, int>,
    .xFileSize = handed_on<&io::xFileSize, sqlite3_int64*>,
    .xLock = handed_on<&io::xLock, int>,
    .xUnlock = handed_on<&io::xUnlock, int>,
    .xCheckReservedLock = handed_on<&io::xCheckReservedLock, int*>,
    .xFileControl = handed_on<&io::xFileControl, int, void*>,
    .xSectorSize = answered<&io::xSectorSize>,
    .xDeviceCharacteristics = answered<&io::xDeviceCharacteristics>,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* base_of(const sqlite3_vfs* ours) noexcept {
    return own(ours).base;
}

template <auto Method>
struct to_base;
template <class Result, class... Args, Result (*sqlite3_vfs::*Method)(sqlite3_vfs*, Args...)>
struct to_base<Method> {
    static Result call(sqlite3_vfs* ours, Args... args) {
        sqlite3_vfs* const base = base_of(ours);
        return (base->*Method)(base, args...);
    }
};

int open(sqlite3_vfs* ours, const char* name, sqlite3_file* file, int flags, int* flags_out) {
    sqlite3_vfs* const base = base_of(ours);
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0) {
        const int opened = base->xOpen(base, name, file, flags, flags_out);
        if (opened == SQLITE_OK) own(ours).database.take_over(file);
        return opened;
    }
    if ((flags & SQLITE_OPEN_WAL) == 0 || !own(ours).gathers_log) {
        return base->xOpen(base, name, file, flags, flags_out);
    }
    auto* const log = new (file) log_file{};
    log->of = &own(ours);
    log->inner()->pMethods = nullptr;
    const int code = base->xOpen(base, name, log->inner(), flags, flags_out);
    if (code == SQLITE_OK) {
        log->methods.pMethods = &log_methods;
        return code;
    }
    if (log->inner()->pMethods) log->inner()->pMethods->xClose(log->inner());
    log->~log_file();
    file->pMethods = nullptr;  // nothing to close
    return code;
}

sqlite3_vfs make_vfs(own_part& part, const char* name) noexcept {
    using vfs = sqlite3_vfs;
    const vfs& base = *part.base;
    vfs ours{};
    ours.iVersion = 2;
    ours.szOsFile = static_cast<int>(log_file::size()) + base.szOsFile;
    ours.mxPathname = base.mxPathname;
    ours.zName = name;
    ours.pAppData = &part;
    ours.xOpen = open;
    ours.xDelete = to_base<&vfs::xDelete>::call;
    ours.xAccess = to_base<&vfs::xAccess>::call;
    ours.xFullPathname = to_base<&vfs::xFullPathname>::call;
    ours.xDlOpen = to_base<&vfs::xDlOpen>::call;
    ours.xDlError = to_base<&vfs::xDlError>::call;
    ours.xDlSym = [](vfs* it, void* library, const char* symbol) {
        return base_of(it)->xDlSym(base_of(it), library, symbol);
    };
    ours.xDlClose = to_base<&vfs::xDlClose>::call;
    ours.xRandomness = to_base<&vfs::xRandomness>::call;
    ours.xSleep = to_base<&vfs::xSleep>::call;
    ours.xCurrentTime = to_base<&vfs::xCurrentTime>::call;
    ours.xGetLastError = to_base<&vfs::xGetLastError>::call;
    ours.xCurrentTimeInt64 = to_base<&vfs::xCurrentTimeInt64>::call;
    return ours;
}

}  // namespace

gathering_vfs::gathering_vfs(bool gathers_log) {
    part_.gathers_log = gathers_log;
    sqlite3_vfs* const base = sqlite3_vfs_find(nullptr);
    if (!base || base->iVersion < 2) return;
    // Names are found by their text, so each needs its own.
    name_ = "orderproc-" + std::to_string(reinterpret_cast<std::uintptr_t>(this));
    part_.base = base;
    vfs_ = make_vfs(part_, name_.c_str());
    if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) vfs_.zName = nullptr;
}

gathering_vfs::~gathering_vfs() {
    if (vfs_.zName) sqlite3_vfs_unregister(&vfs_);
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
