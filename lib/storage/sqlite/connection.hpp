#ifndef ORDERPROC_STORAGE_SQLITE_CONNECTION_HPP
#define ORDERPROC_STORAGE_SQLITE_CONNECTION_HPP

// One sqlite3 handle, set up the way this adapter needs it.

#include <orderproc/error.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

struct sqlite3;

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

class gathering_vfs;

// What the log may keep of the disk once nobody needs it.
inline constexpr std::int64_t log_size_max = std::int64_t{64} * 1024 * 1024;

// The first failure sticks: until finish() takes it out, statements do nothing and find no
// rows. So the code in between reads straight on, and the call fails as a whole.
class connection {
public:
    // alter: the schema, in transactions of any size. write: orders, by gathering_vfs. copy: reads
    // a file that nobody writes to and that has no log, without making anything beside it.
    enum class access : std::uint8_t { alter, write, read, copy };
    struct settings {
        access how = access::read;
        std::chrono::milliseconds busy_timeout{0};
        std::size_t cache_kib = 0;
    };

    // Does not look into the file yet, so that a foreign one can be told and is left alone.
    static result<std::unique_ptr<connection>> open(const std::string& path, const settings& with);
    // Somebody else's handle, used as it is and left open.
    static std::unique_ptr<connection> borrow(sqlite3* handle, std::string path);
    ~connection();
    connection(const connection&) = delete;
    connection& operator=(const connection&) = delete;

    // WAL, synchronous=FULL, read back: errc::not_supported if one of them did not take.
    void make_durable();

    bool ok() const noexcept { return !failed_; }
    // Without memory for its text a failure is its code alone.
    void fail(int sqlite_code) noexcept;
    void fail(errc code, std::string text);
    int sqlite_code() const noexcept { return sqlite_code_; }  // of the latest failure, or 0
    result<void> finish();

    void execute(const char* sql);
    std::int64_t query_integer(const char* sql);
    std::string query_text(const char* sql);

    // Pages in the log after the latest commit of this connection.
    std::size_t log_pages() const noexcept { return log_pages_; }
    // Of the log that this connection began anew, once: a writer's.
    std::optional<std::uint64_t> take_new_salts() noexcept;
    // Copies what it can from the log to the file without waiting for anybody. True: all of it.
    bool checkpoint();
    // Copies everything and empties the log. Waits for readers; false if they do not go away.
    bool checkpoint_and_truncate(std::chrono::milliseconds wait);

    sqlite3* handle() const noexcept { return handle_; }

private:
    connection() = default;
    static int committed(void* self, sqlite3*, const char*, int pages) noexcept;

    std::unique_ptr<gathering_vfs> vfs_;  // of a writer; outlives the handle
    sqlite3* handle_ = nullptr;
    bool borrowed_ = false;
    std::string path_;
    std::chrono::milliseconds busy_timeout_{0};
    std::size_t log_pages_ = 0;
    bool failed_ = false;
    int sqlite_code_ = 0;
    failure failure_;
};

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc

#endif
