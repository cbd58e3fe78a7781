#include "schema.hpp"

#include "epochs.hpp"
#include "statement.hpp"

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

constexpr std::int64_t application_id = 0x6f726470;  // "ordp", sqlite.org/fileformat.html

// Version 1.
//
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

// Version 2. Keys are forgotten by age, which their ids follow.
constexpr const char* ages_and_traces = R"sql(
ALTER TABLE orders ADD COLUMN traceparent TEXT NOT NULL DEFAULT '';

CREATE TABLE keys(
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    body BLOB NOT NULL,
    number INTEGER NOT NULL,
    version INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO keys(key, body, number, version, at)
    SELECT key, body, number, version, at FROM idempotency ORDER BY at;
DROP TABLE idempotency;

ALTER TABLE writers ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
)sql";

// Version 3. What was written before has the one epoch that there was.
constexpr const char* chain_of_epochs = R"sql(
CREATE TABLE epochs(
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL UNIQUE,
    first INTEGER NOT NULL
) STRICT;
INSERT INTO epochs(epoch, first) SELECT epoch, 1 FROM totals;
)sql";

// Version 4. What waits for its next attempt is taken to back off if the time fits one.
constexpr const char* spans = R"sql(
ALTER TABLE orders ADD COLUMN span INTEGER NOT NULL DEFAULT 0;
UPDATE orders SET span=next_attempt_at-updated_at
    WHERE due_at IS NOT NULL AND attempts>0 AND next_attempt_at-updated_at BETWEEN 1 AND 4320000;
)sql";

// Version 5. NULL for most orders: see codec_extra.hpp. The column user_id is order_row.hpp's
// user_key() from here on.
constexpr const char* contents = R"sql(
ALTER TABLE orders ADD COLUMN extra BLOB;
)sql";

// Version 6. The collection and the key are bytes, so that they sort as such.
constexpr const char* records = R"sql(
CREATE TABLE records(
    id INTEGER PRIMARY KEY,
    collection BLOB NOT NULL,
    key BLOB NOT NULL,
    version INTEGER NOT NULL,
    due_at INTEGER,
    value BLOB NOT NULL,
    UNIQUE(collection, key)
) STRICT;
CREATE INDEX records_by_due_at ON records(collection, due_at, key) WHERE due_at IS NOT NULL;
ALTER TABLE totals ADD COLUMN last_record INTEGER NOT NULL DEFAULT 0;
)sql";

// Version 7. Where a cursor stood when nobody noted it, it counts as moved then.
constexpr const char* floor = R"sql(
ALTER TABLE totals ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;
ALTER TABLE cursors ADD COLUMN moved_at INTEGER NOT NULL DEFAULT 0;
UPDATE cursors SET moved_at=(SELECT last_write_at FROM totals);
)sql";

// Version 8. An index entry is a value by which an order is found; what an order has stands in its
// column extra as well, behind what codec_extra.hpp has there. The values of most attributes come
// in random order; those of few choices are written where their latest order is.
constexpr const char* index_entries = R"sql(
CREATE TABLE index_entries(
    slot INTEGER NOT NULL,
    value BLOB NOT NULL,
    owner INTEGER NOT NULL,
    PRIMARY KEY(slot, value, owner)
) STRICT, WITHOUT ROWID;
ALTER TABLE records ADD COLUMN order_id TEXT;
CREATE INDEX records_by_order ON records(order_id) WHERE order_id IS NOT NULL;
)sql";

struct step {
    const char* what;
    const char* sql;
};
// A new file goes through all of them, so that there is one description of the schema.
constexpr std::array steps{
    step{"orders, journal, idempotency keys, cursors, counts", tables},
    step{"the age of idempotency keys and writers, the trace of orders", ages_and_traces},
    step{"the epochs of the journal", chain_of_epochs},
    step{"the length of leases and back-offs", spans},
    step{"users who are no integers, lines, attributes", contents},
    step{"records", records},
    step{"the floor of the feed, the age of cursors", floor},
    step{"values by which orders are found, records about an order", index_entries},
};
static_assert(steps.size() == schema_version);

struct found_schema {
    std::int64_t version = 0;
    bool empty = false;  // nothing there yet
};

result<found_schema> look(connection& db) {
    const auto application = db.query_integer("PRAGMA application_id");
    const auto version = db.query_integer("PRAGMA user_version");
    const auto objects = db.query_integer("SELECT count(*) FROM sqlite_schema");
    if (auto read = db.finish(); !read) return std::move(read).error();
    const bool empty = application == 0 && version == 0 && objects == 0;
    if (!empty && application != application_id) {
        return failure{errc::schema_mismatch, "not an orderproc file: application_id is " +
                                                  std::to_string(application) + ", not " +
                                                  std::to_string(application_id)};
    }
    return found_schema{version, empty};
}

failure mismatch(std::int64_t version) {
    const std::string is = "schema version " + std::to_string(version);
    const std::string ours = std::to_string(schema_version);
    return {errc::schema_mismatch,
            version < schema_version
                ? is + " is older than this library's " + ours + ": migrate it first"
                : is + " is newer than this library's " + ours + ": update orderproc"};
}

// All steps after the version, in one transaction.
void apply_steps(connection& db, std::int64_t version, bool keep) {
    statement begin(db, "BEGIN IMMEDIATE");
    statement commit(db, "COMMIT");
    statement totals(db,
                     "INSERT INTO totals(id, epoch, last_number, last_position, last_write_at, "
                     "removed, completed, processing_ms) VALUES(1, ?1, 0, 0, 0, 0, 0, 0)");
    statement chain(db, "INSERT INTO epochs(epoch, first) VALUES(?1, 1)");
    transaction all(db, begin);
    for (auto i = static_cast<std::size_t>(version); i < steps.size(); ++i) {
        db.execute(steps[i].sql);
    }
    if (version == 0) {
        const std::uint64_t epoch = make_epoch();
        totals.run(epoch);
        chain.run(epoch);
    }
    db.execute(("PRAGMA application_id=" + std::to_string(application_id)).c_str());
    db.execute(("PRAGMA user_version=" + std::to_string(schema_version)).c_str());
    if (!keep) return;
    if (auto done = all.commit(commit); !done) {
        db.fail(errc::unavailable, std::move(done).error().detail);
    }
}

}  // namespace

result<void> ensure_schema(connection& db) {
    const auto found = look(db);
    if (!found) return found.error();
    if (!found->empty && found->version != schema_version) return mismatch(found->version);
    db.make_durable();  // the mode is part of the file and cannot change in a transaction
    if (found->empty) apply_steps(db, 0, true);
    return db.finish();
}

result<void> expect_schema(connection& db) {
    const auto found = look(db);
    if (!found) return found.error();
    if (found->empty || found->version != schema_version) return mismatch(found->version);
    return {};
}

result<sqlite_migration> migrate_schema(connection& db, bool dry_run) {
    const auto found = look(db);
    if (!found) return found.error();
    if (found->version > schema_version) return mismatch(found->version);
    if (found->empty) return failure{errc::not_found, "there are no orders in it"};
    sqlite_migration out;
    out.from = static_cast<int>(found->version);
    out.to = schema_version;
    for (auto i = static_cast<std::size_t>(found->version); i < steps.size(); ++i) {
        out.steps.emplace_back(steps[i].what);
    }
    if (out.steps.empty()) return out;
    db.make_durable();
    apply_steps(db, found->version, !dry_run);
    if (auto done = db.finish(); !done) return std::move(done).error();
    return out;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
