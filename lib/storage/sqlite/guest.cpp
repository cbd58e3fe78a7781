#include "connection.hpp"
#include "continuity.hpp"
#include "files.hpp"
#include "schema.hpp"
#include "write_lock.hpp"
#include "writer.hpp"

#include <orderproc/sqlite.hpp>

#include <sqlite3.h>

#include <chrono>
#include <exception>
#include <string>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {

class ORDERPROC_HIDDEN sqlite_guest::impl {
public:
    impl(sqlite3* host, std::string at, std::chrono::milliseconds lock_timeout,
         std::unique_ptr<detail::sqlite::write_lock> by)
        : path(std::move(at)),
          timeout(lock_timeout),
          lock(std::move(by)),
          db(detail::sqlite::connection::borrow(host, path)),
          writes(*db) {}

    const std::string path;
    const std::chrono::milliseconds timeout;
    const std::unique_ptr<detail::sqlite::write_lock> lock;
    const std::unique_ptr<detail::sqlite::connection> db;
    detail::sqlite::writer writes;
    bool locked = false;
};

sqlite_guest::sqlite_guest(std::unique_ptr<impl> it) noexcept : impl_(std::move(it)) {}

sqlite_guest::~sqlite_guest() = default;

result<std::unique_ptr<sqlite_guest>> sqlite_guest::open(sqlite3* host,
                                                         const sqlite_options& options) {
    const auto borrowed = detail::sqlite::connection::borrow(host, options.path);
    if (auto known = detail::sqlite::expect_schema(*borrowed); !known) {
        return std::move(known).error();
    }
    auto path = detail::sqlite::resolve(options.path);
    if (!path) return std::move(path).error();
    auto lock = detail::sqlite::write_lock::open(detail::sqlite::lock_of(*path));
    if (!lock) return std::move(lock).error();
    (*lock)->join();
    return std::unique_ptr<sqlite_guest>(new sqlite_guest(
        std::make_unique<impl>(host, std::move(*path), options.lock_timeout, std::move(*lock))));
}

result<sqlite_guest::lock_guard> sqlite_guest::lock() {
    if (impl_->locked) return failure{errc::invalid_argument, "lock() within lock()"};
    if (auto got = impl_->lock->acquire(impl_->timeout); !got) return std::move(got).error();
    impl_->locked = true;
    detail::sqlite::begin_write(*impl_->lock);
    return lock_guard(*this);
}

// Whether the host committed anything is not known here: those who watch have a look.
sqlite_guest::lock_guard::~lock_guard() {
    if (!of_) return;
    impl& it = *of_->impl_;
    it.locked = false;
    try {
        detail::sqlite::end_write(*it.db, *it.lock, it.path);
    } catch (const std::exception&) {  // without memory the mark stays that says: do not compare
    }
    it.lock->release();
}

result<change_outcome> sqlite_guest::apply(const change& what, timestamp now) {
    if (!impl_->locked)
        return failure{errc::invalid_argument, "the write lock is not held: call lock() first"};
    if (sqlite3_get_autocommit(impl_->db->handle()) != 0) {
        return failure{errc::invalid_argument, "no transaction is open"};
    }
    if (auto ok = validate(what); !ok) return std::move(ok).error();
    if (std::holds_alternative<redact_order>(what.action)) {  // see PRAGMA secure_delete
        return failure{errc::not_supported, "a redaction needs a connection of the library's own"};
    }
    change_outcome out;
    write_params params;
    params.now = now;
    params.writer = "guest";
    params.changes = {&what, 1};
    write_results results;
    results.changes = {&out, 1};
    if (auto done = impl_->writes.write_within(params, results); !done) {
        return std::move(done).error();
    }
    return out;
}

}  // namespace v1
}  // namespace orderproc
