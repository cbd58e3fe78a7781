#include "lifetime.hpp"

#include "continuity.hpp"
#include "schema.hpp"

#include <unistd.h>

#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

result<std::unique_ptr<connection>> open(const sqlite_options& options) {
    return connection::open(
        options.path, {connection::access::alter, options.lock_timeout, options.reader_cache_kib});
}

// SQLite follows links for what lies beside the database.
result<void> expect_no_links(const std::string& path) {
    for (const std::string& name : {log_of(path), index_of_log(path)}) {
        if (look_at(name).is_link) return failure{errc::unavailable, name + " is a link"};
    }
    return {};
}

struct arrival {
    bool alone = false;  // nobody else has the database open
    origin from = origin::left_so;
};

// All that has to be known before SQLite looks into the files.
result<arrival> arrive(const sqlite_options& options, write_lock& lock,
                       std::vector<std::string>& remarks) {
    if (auto none = expect_no_links(options.path); !none) return none.error();
    arrival out;
    out.alone = lock.join();
    const auto made = make_file(options.path, static_cast<mode_t>(options.file_mode));
    if (!made) return made.error();
    if (*made) out.from = origin::made_now;
    if (!out.alone) {
        const auto left = lock.file();
        if (left && left->file == look_at(options.path).id) return out;
        return failure{
            errc::unavailable,
            options.path + " was replaced while other processes use it: stop them first"};
    }
    if (*made) return out;
    const auto other = part_from_stale_log(options.path, lock, remarks);
    if (!other) return other.error();
    if (*other) out.from = origin::other_file;
    return out;
}

// Opens the database, has the schema seen to and the journal continued.
template <class Schema>
auto begin(const sqlite_options& options, write_lock& lock, std::vector<std::string>& remarks,
           const Schema& schema) -> decltype(schema(std::declval<connection&>(), true)) {
    const auto arrived = arrive(options, lock, remarks);
    if (!arrived) return arrived.error();
    auto db = open(options);
    if (!db) return std::move(db).error();
    auto ready = schema(**db, arrived->alone);
    if (!ready || !arrived->alone) return ready;
    // A dry run has left an older schema, without the chain of epochs.
    if (!expect_schema(**db)) return ready;
    auto continued = continue_journal(**db, lock, options.path, arrived->from, remarks);
    if (!continued) return std::move(continued).error();
    return ready;
}

// Under the lock, which is removed again if it was made for nothing.
template <class Body>
auto locked(const sqlite_options& options, const Body& body)
    -> decltype(body(std::declval<std::unique_ptr<write_lock>&>())) {
    const std::string name = lock_of(options.path);
    auto lock = write_lock::make(name, static_cast<mode_t>(options.file_mode));
    if (!lock) return std::move(lock).error();
    write_lock& held = **lock;
    if (auto got = held.acquire(options.lock_timeout); !got) return std::move(got).error();
    auto out = [&] {
        const write_guard guard(held);
        return body(*lock);
    }();
    if (!out && held.made()) ::unlink(name.c_str());
    return out;
}

}  // namespace

result<std::unique_ptr<write_lock>> enter(const sqlite_options& options,
                                          std::vector<std::string>& remarks) {
    return locked(options, [&](auto& lock) -> result<std::unique_ptr<write_lock>> {
        const auto ready =
            begin(options, *lock, remarks, [](connection& db, bool) { return ensure_schema(db); });
        if (!ready) return ready.error();
        return std::move(lock);
    });
}

result<void> leave(const sqlite_options& options, const file_id& database, write_lock& lock) {
    if (look_at(options.path).id != database) return replaced(options.path);
    auto db = open(options);
    if (!db) return std::move(db).error();
    (*db)->make_durable();
    const bool emptied = empty_log(**db, lock, options.path, options.lock_timeout);
    if (auto done = (*db)->finish(); !done) return done;
    if (emptied) return {};
    return failure{errc::unavailable, "another program reads " + options.path + ": what is in " +
                                          log_of(options.path) + " still belongs to it"};
}

result<sqlite_migration> migrate(const sqlite_options& options, bool dry_run) {
    std::vector<std::string> remarks;
    const auto schema = [&](connection& db, bool alone) -> result<sqlite_migration> {
        // There is nothing to do, so nobody is in the way.
        if (alone || expect_schema(db)) return migrate_schema(db, dry_run);
        return failure{errc::unavailable, "other processes use " + options.path + ": stop them"};
    };
    return locked(options, [&](auto& lock) { return begin(options, *lock, remarks, schema); });
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
