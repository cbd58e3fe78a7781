#include "schema.hpp"

#include "statement.hpp"

#include <sqlite3.h>

#include <cstdint>
#include <string>

namespace orderproc::detail::sqlite {

namespace {

constexpr std::int64_t application_id = 0x6f726470;  // "ordp", sqlite.org/fileformat.html

// Times are milliseconds since 1970. What changes often comes before what may be long. An
// index ends with the rowid, here the number, so none names it.
//
// Users come in random order. One index of all of them costs a page an order to write, the more
// orders the colder; cut into generations of 32,768 orders only the latest is written to, and
// what a user's list pays for it is one look into each.
constexpr const char* tables = R"sql(
CREATE TABLE orders(
    number INTEGER PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE,
    user_id INTEGER NOT NULL,
    status TEXT NOT NULL,
    version INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    currency TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    next_attempt_at INTEGER,
    first_claimed_at INTEGER,
    settled_at INTEGER,
    lease INTEGER NOT NULL,
    leased INTEGER NOT NULL,
    due_at INTEGER,
    lapses INTEGER NOT NULL,
    worker_id TEXT NOT NULL,
    last_error TEXT NOT NULL,
    item_ids TEXT NOT NULL,
    metadata TEXT NOT NULL
) STRICT;
CREATE INDEX orders_by_status ON orders(status);
CREATE INDEX orders_by_user ON orders(number >> 15, user_id);
CREATE INDEX orders_by_due_at ON orders(status, due_at) WHERE due_at IS NOT NULL;

CREATE TABLE journal(
    position INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    event TEXT NOT NULL,
    from_status TEXT,
    status TEXT NOT NULL,
    actor TEXT NOT NULL,
    reason TEXT NOT NULL,
    traceparent TEXT NOT NULL,
    at INTEGER NOT NULL,
    snapshot BLOB NOT NULL,
    UNIQUE(number, version)
) STRICT;

CREATE TABLE tombstones(
    order_id TEXT PRIMARY KEY,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency(
    key BLOB PRIMARY KEY,
    body BLOB NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors(
    name TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    position INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE writers(
    writer TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE counts(
    status TEXT PRIMARY KEY,
    orders INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE totals(
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    last_number INTEGER NOT NULL,
    last_position INTEGER NOT NULL,
    last_write_at INTEGER NOT NULL,
    removed INTEGER NOT NULL,
    completed INTEGER NOT NULL,
    processing_ms INTEGER NOT NULL
) STRICT;
)sql";

// Not 0, and a positive number to SQL.
std::int64_t make_epoch() {
    std::uint64_t random = 0;
    while ((random >> 1) == 0) sqlite3_randomness(sizeof random, &random);
    return static_cast<std::int64_t>(random >> 1);
}

void create(connection& db) {
    db.make_durable();  // the mode is part of the file and cannot change in a transaction
    statement begin(db, "BEGIN IMMEDIATE");
    statement commit(db, "COMMIT");
    statement totals(db, "INSERT INTO totals VALUES(1, ?1, 0, 0, 0, 0, 0, 0)");
    transaction all(db, begin);
    db.execute(tables);
    totals.run(make_epoch());
    db.execute(("PRAGMA application_id=" + std::to_string(application_id)).c_str());
    db.execute(("PRAGMA user_version=" + std::to_string(schema_version)).c_str());
    if (auto done = all.commit(commit); !done) {
        db.fail(errc::unavailable, std::move(done).error().detail);
    }
}

}  // namespace

result<void> ensure_schema(connection& db) {
    const auto application = db.query_integer("PRAGMA application_id");
    const auto version = db.query_integer("PRAGMA user_version");
    const auto objects = db.query_integer("SELECT count(*) FROM sqlite_schema");
    if (auto read = db.finish(); !read) return read;
    if (application == 0 && version == 0 && objects == 0) {
        create(db);
        return db.finish();
    }
    if (application != application_id) {
        return failure{errc::schema_mismatch, "not an orderproc file: application_id is " +
                                                  std::to_string(application) + ", not " +
                                                  std::to_string(application_id)};
    }
    if (version != schema_version) {
        return failure{errc::schema_mismatch, "schema version " + std::to_string(version) +
                                                  ", but this library has version " +
                                                  std::to_string(schema_version)};
    }
    db.make_durable();
    return db.finish();
}

}  // namespace orderproc::detail::sqlite
