#include "storage/postgres/schema.hpp"

#include "storage/postgres/epochs.hpp"
#include "storage/postgres/transaction.hpp"

#include <array>
#include <cstddef>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

// Version 1.
//
// Times are milliseconds since 1970. What a client or a host may choose freely is bytes, so that it
// sorts as such and no encoding can refuse it: `SET bytea_output TO escape` shows it as text.
//
// What clients send and what changes as an order is worked on are apart, so that a move writes a
// narrow row. Nothing is updated by every write: what the writes have come to is a row that each of
// them adds to `writes`, and the next one reads the latest.
constexpr const char* tables = R"sql(
CREATE TABLE schema_version(
    id bigint PRIMARY KEY CHECK (id = 1),
    version bigint NOT NULL,
    usable_from bigint NOT NULL
);
CREATE TABLE write_lock(
    id bigint PRIMARY KEY CHECK (id = 1)
);
CREATE TABLE epochs(
    id bigint PRIMARY KEY,
    epoch bigint NOT NULL UNIQUE,
    first bigint NOT NULL,
    timeline bigint NOT NULL,
    lost bigint NOT NULL
);
CREATE TABLE writes(
    id bigint PRIMARY KEY,
    stamp bigint NOT NULL,
    number bigint NOT NULL,
    position bigint NOT NULL,
    floor bigint NOT NULL,
    record_version bigint NOT NULL,
    completed bigint NOT NULL,
    processing_ms bigint NOT NULL,
    statuses text[] NOT NULL,
    orders bigint[] NOT NULL,
    due_from bigint[] NOT NULL,
    writer bytea NOT NULL,
    sequence bigint NOT NULL,
    at bigint NOT NULL
);
CREATE INDEX writes_by_writer ON writes(writer, id);

CREATE TABLE orders(
    number bigint PRIMARY KEY,
    order_id bytea NOT NULL UNIQUE,
    user_id bytea NOT NULL,
    tenant bytea NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    created_at bigint NOT NULL,
    item_ids bigint[] NOT NULL,
    metadata bytea NOT NULL,
    extra bytea,
    index_entries bytea
);
CREATE INDEX orders_by_user ON orders(user_id, number);

CREATE TABLE order_index(
    slot bigint NOT NULL,
    value bytea NOT NULL,
    number bigint NOT NULL,
    is_unique boolean NOT NULL,
    PRIMARY KEY (slot, value, number)
);
CREATE UNIQUE INDEX order_index_unique ON order_index(slot, value) WHERE is_unique;

CREATE TABLE work(
    number bigint PRIMARY KEY,
    status text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    attempts bigint NOT NULL,
    updated_at bigint NOT NULL,
    next_attempt_at bigint,
    first_claimed_at bigint,
    settled_at bigint,
    lease bigint NOT NULL,
    leased boolean NOT NULL,
    due_at bigint,
    span bigint NOT NULL,
    expired_leases bigint NOT NULL,
    worker_id bytea NOT NULL,
    last_error bytea NOT NULL,
    traceparent bytea NOT NULL
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX work_by_due_at ON work(status, due_at, number) WHERE due_at IS NOT NULL;
CREATE INDEX work_by_status ON work(status, number);

CREATE TABLE journal(
    position bigint PRIMARY KEY,
    number bigint NOT NULL,
    version bigint NOT NULL,
    event bytea NOT NULL,
    from_status text,
    status text NOT NULL,
    actor bytea NOT NULL,
    reason bytea NOT NULL,
    traceparent bytea NOT NULL,
    at bigint NOT NULL,
    snapshot bytea NOT NULL,
    UNIQUE (number, version)
);

CREATE TABLE tombstones(
    order_id bytea PRIMARY KEY,
    number bigint NOT NULL
);
CREATE INDEX tombstones_by_number ON tombstones(number);

CREATE TABLE keys(
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL UNIQUE,
    body bytea NOT NULL,
    number bigint NOT NULL,
    version bigint NOT NULL,
    at bigint NOT NULL
);

CREATE TABLE cursors(
    name bytea PRIMARY KEY,
    owner bytea NOT NULL,
    epoch bigint NOT NULL,
    position bigint NOT NULL,
    expires_at bigint NOT NULL,
    moved_at bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE records(
    collection bytea NOT NULL,
    key bytea NOT NULL,
    version bigint NOT NULL,
    due_at bigint,
    about bytea NOT NULL,
    value bytea NOT NULL,
    PRIMARY KEY (collection, key)
);
CREATE INDEX records_by_due_at ON records(collection, due_at, key) WHERE due_at IS NOT NULL;
CREATE INDEX records_by_order ON records(about) WHERE about <> '';

INSERT INTO schema_version VALUES (1, 0, 1);
INSERT INTO write_lock VALUES (1);
INSERT INTO writes VALUES (0, -9223372036854775808, 0, 0, 0, 0, 0, 0, '{}', '{}', '{}', '', 0, 0);
)sql";

struct step {
    const char* what;
    const char* sql;
    int usable_from;  // the oldest version of the library's schema that may go on using it
};
constexpr std::array steps{
    step{"orders, journal, idempotency keys, cursors, records", tables, 1},
#ifdef ORDERPROC_TEST_NEXT_SCHEMA
    step{"a column and an index of a test",
         "ALTER TABLE orders ADD COLUMN note bytea; CREATE INDEX orders_by_note ON orders(note); "
         "ALTER TABLE writes ADD COLUMN notes bigint NOT NULL DEFAULT 0",
         1},
#endif
};
static_assert(steps.size() == schema_version);

struct found_schema {
    std::int64_t version = 0;  // 0: there is none
    std::int64_t usable_from = 0;
    bool is_named = false;  // there is a schema of this name, if only an empty one
};

// Of the schema that is the first on the search path. To a user without the right to use it, it is
// as if it were not there.
result<found_schema> look(connection& db, const std::string& schema) {
    db.add(
        "SELECT to_regclass('schema_version') IS NOT NULL, (SELECT has_schema_privilege(oid, "
        "'USAGE') FROM pg_namespace WHERE nspname = $1::text), current_setting('server_encoding')",
        parameters::of(std::string_view(schema)));
    auto there = db.run();
    if (!there) return std::move(there).error();
    const rows& about = there->front();
    if (about.bytes(0, 2) != "UTF8") {
        return failure{errc::not_supported, "the encoding of this database is " +
                                                std::string(about.bytes(0, 2)) +
                                                ": it has to be UTF8"};
    }
    found_schema out;
    out.is_named = !about.is_null(0, 1);
    if (out.is_named && about.integer(0, 1) == 0) {
        return failure{errc::not_supported,
                       "this database user has no right to use the schema " + schema};
    }
    if (about.integer(0, 0) == 0) return out;
    db.add("SELECT version, usable_from FROM schema_version");
    auto found = db.run();
    if (!found) return std::move(found).error();
    const rows& it = found->front();
    if (it.size() != 1) return failure{errc::corrupt, "the schema's version is gone"};
    out.version = it.integer(0, 0);
    out.usable_from = it.integer(0, 1);
    return out;
}

failure mismatch(const found_schema& found) {
    const std::string ours = std::to_string(schema_version);
    if (found.version == 0) return {errc::schema_mismatch, "there is no orderproc schema yet"};
    const std::string is = "schema version " + std::to_string(found.version);
    return {errc::schema_mismatch,
            found.version < schema_version
                ? is + " is older than this library's " + ours + ": migrate it first"
                : is + " is too new for this library's " + ours + ": update orderproc"};
}

// In a transaction of the caller's. Others may use what is there: writers wait, and readers as long
// as a step needs their table for itself.
result<void> apply_steps(connection& db, const found_schema& found, const std::string& schema) {
    result<void> done;
    if (!found.is_named) done = db.execute("CREATE SCHEMA " + quoted_name(schema));
    if (found.version > 0) done = db.execute(take_write_lock);
    for (auto i = static_cast<std::size_t>(found.version); done && i < steps.size(); ++i) {
        done = db.execute(steps[i].sql);
        if (!done) break;
        done = db.execute("UPDATE schema_version SET version=" + std::to_string(i + 1) +
                          ", usable_from=" + std::to_string(steps[i].usable_from));
    }
    if (done && found.version == 0) done = db.execute(first_epoch_sql());
    return done;
}

}  // namespace

result<void> expect_schema(connection& db, const std::string& schema) {
    const auto found = look(db, schema);
    if (!found) return found.error();
    if (found->version < schema_version || found->usable_from > schema_version) {
        return mismatch(*found);
    }
    return {};
}

result<postgres_migration> migrate_schema(connection& db, const std::string& schema,
                                          const postgres_migrate_options& how) {
    // Of two processes that do this at the same time, the second one finds it done.
    const std::string begin = "BEGIN; SELECT pg_advisory_xact_lock(hashtext('orderproc'))";
    if (auto begun = db.execute(begin); !begun) return std::move(begun).error();
    const auto found = look(db, schema);
    if (!found) return found.error();
    if (found->version > schema_version) return mismatch(*found);
    if (found->version == 0 && !how.create) {
        return failure{errc::not_found, "there is no orderproc schema yet"};
    }
    postgres_migration out;
    out.from = static_cast<int>(found->version);
    out.to = schema_version;
    for (auto i = static_cast<std::size_t>(found->version); i < steps.size(); ++i) {
        out.steps.emplace_back(steps[i].what);
    }
    if (auto done = apply_steps(db, *found, schema); !done) return std::move(done).error();
    if (auto done = db.execute(how.dry_run ? "ROLLBACK" : "COMMIT"); !done) {
        return std::move(done).error();
    }
    return out;
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
