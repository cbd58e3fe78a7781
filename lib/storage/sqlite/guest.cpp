#include "connection.hpp"
#include "schema.hpp"
#include "write_lock.hpp"
#include "writer.hpp"

#include <orderproc/sqlite.hpp>

#include <sqlite3.h>

#include <chrono>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

class ORDERPROC_HIDDEN sqlite_guest::impl {
public:
    impl(sqlite3* host, const sqlite_options& options,
         std::unique_ptr<detail::sqlite::write_lock> by)
        : timeout(options.lock_timeout),
          lock(std::move(by)),
          db(detail::sqlite::connection::borrow(host, options.path)),
          writes(*db) {}

    const std::chrono::milliseconds timeout;
    const std::unique_ptr<detail::sqlite::write_lock> lock;
    const std::unique_ptr<detail::sqlite::connection> db;
    detail::sqlite::writer writes;
    bool in_turn = false;
};

sqlite_guest::sqlite_guest(std::unique_ptr<impl> it) noexcept : impl_(std::move(it)) {}

sqlite_guest::~sqlite_guest() = default;

result<std::unique_ptr<sqlite_guest>> sqlite_guest::open(sqlite3* host,
                                                         const sqlite_options& options) {
    auto lock = detail::sqlite::write_lock::open(options.path + "-lock");
    if (!lock) return std::move(lock).error();
    auto made = std::make_unique<impl>(host, options, std::move(*lock));
    if (auto known = detail::sqlite::expect_schema(*made->db); !known) {
        return std::move(known).error();
    }
    return std::unique_ptr<sqlite_guest>(new sqlite_guest(std::move(made)));
}

result<sqlite_guest::turn> sqlite_guest::take_turn() {
    if (impl_->in_turn) return failure{errc::invalid_argument, "a turn within a turn"};
    if (auto got = impl_->lock->acquire(impl_->timeout); !got) return std::move(got).error();
    impl_->in_turn = true;
    return turn(*this);
}

// Whether the host committed anything is not for us to know: who watches has a look.
sqlite_guest::turn::~turn() {
    if (!of_) return;
    of_->impl_->in_turn = false;
    of_->impl_->lock->touch();
    of_->impl_->lock->release();
}

result<change_outcome> sqlite_guest::apply(const change& what, timestamp now) {
    if (!impl_->in_turn) return failure{errc::invalid_argument, "it is not your turn"};
    if (sqlite3_get_autocommit(impl_->db->handle()) != 0) {
        return failure{errc::invalid_argument, "no transaction is open"};
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
