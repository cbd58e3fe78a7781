#ifndef ORDERPROC_STORAGE_SQLITE_FILES_HPP
#define ORDERPROC_STORAGE_SQLITE_FILES_HPP

// The files of one database by name: which ones they are, and whether they still are.

#include <orderproc/error.hpp>

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <ctime>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// Closes a file when it goes.
class descriptor {
public:
    descriptor() = default;
    explicit descriptor(int number) noexcept : number_(number) {}
    descriptor(descriptor&& other) noexcept;
    descriptor& operator=(descriptor&&) = delete;
    ~descriptor();
    int get() const noexcept { return number_; }
    explicit operator bool() const noexcept { return number_ >= 0; }

private:
    int number_ = -1;
};

// A file of its own, whatever its name: an inode number is given again soon after a file is
// removed, the time of its birth is not. All zero: there is no such file.
struct file_id {
    std::uint64_t inode = 0;
    std::int64_t born_ns = 0;  // 0 where the file system does not say
    friend bool operator==(const file_id&, const file_id&) = default;
};

struct file_facts {
    file_id id;
    std::int64_t modified_ns = 0;
    std::uint64_t size = 0;
    bool is_link = false;  // the name is a symbolic link, of which the rest tells
};

// All zero when there is no such file. Never opens it: closing any descriptor of a database
// would take away the locks that SQLite holds on it in this process (fcntl(2)).
file_facts look_at(const std::string& path) noexcept;

// The absolute path of the database, without links: SQLite and we name what lies beside it alike.
// errc::unavailable if its folder is not there or the name is a link to nothing.
result<std::string> resolve(const std::string& path);

inline std::string log_of(const std::string& path) {
    return path + "-wal";
}
inline std::string index_of_log(const std::string& path) {
    return path + "-shm";
}
inline std::string lock_of(const std::string& path) {
    return path + "-lock";
}
// Of SQLite's, while a file that has no log is changed. One that is left is rolled back into
// whatever has the file's name then.
inline std::string rollback_of(const std::string& path) {
    return path + "-journal";
}
// All of these. REQUIRES: nobody has the file open.
void remove_beside(const std::string& path) noexcept;

// For SQLite: the file as it is, without a log or locks. Nobody may write to it meanwhile.
std::string immutable_uri(const std::string& path);

// A file that is in use is not the one any more that has its name.
failure replaced(const std::string& name);

// Makes an empty file with this mode, whatever the umask, unless the name is taken. True: made.
result<bool> make_file(const std::string& path, mode_t mode);

// Watches over the files of a database that is open: once one of them was removed, or its name
// leads to another file, what is written would be lost, or would come to lie in two places.
//
// A look costs one system call as long as nothing in the folder changed.
class file_guard {
public:
    // REQUIRES: all four files are there and in use.
    explicit file_guard(const std::string& path);

    // errc::unavailable: they are not the files any more that they were at first.
    result<void> check();
    const file_id& database() const noexcept { return ids_[0]; }

private:
    result<void> look();

    std::string folder_;
    std::array<std::string, 4> names_;  // the database first
    std::array<file_id, 4> ids_;
    ino_t folder_id_ = 0;
    std::timespec changed_{};  // the folder, as of the latest look
    bool settled_ = false;     // no change since can have left that time as it was
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
