#ifndef ORDERPROC_TESTS_BENCHMARK_POSTGRES_BARE_HPP
#define ORDERPROC_TESTS_BENCHMARK_POSTGRES_BARE_HPP

// What a write of orders costs PostgreSQL at least: the same rows, indexes and lock as the
// storage's, in two round trips of libpq on one connection, and no rules, outcomes or encoding
// around them.

#include <libpq-fe.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

class bare_column {
public:
    bare_column() = default;
    explicit bare_column(std::uint32_t type) : type_(type) {}

    bare_column& add(std::int64_t value) {
        number(8);
        for (int shift = 56; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift);
        ++size_;
        return *this;
    }
    bare_column& add(std::string_view value) {
        number(static_cast<std::uint32_t>(value.size()));
        bytes_ += value;
        ++size_;
        return *this;
    }
    bare_column& add(bool value) {
        number(1);
        bytes_ += value ? '\1' : '\0';
        ++size_;
        return *this;
    }
    bare_column& add_null() {
        number(~std::uint32_t{0});
        ++size_;
        return *this;
    }
    // In PostgreSQL's binary format of an array.
    std::string array() const {
        bare_column head;
        for (const std::uint32_t it : {1U, 1U, type_, size_, 1U}) head.number(it);
        return head.bytes_ + bytes_;
    }

private:
    void number(std::uint32_t value) {
        for (int shift = 24; shift >= 0; shift -= 8) bytes_ += static_cast<char>(value >> shift);
    }
    std::uint32_t type_ = 0;
    std::uint32_t size_ = 0;
    std::string bytes_;
};

inline constexpr std::uint32_t bare_bool = 16, bare_bytes = 17, bare_integer = 20, bare_text = 25;

class bare_loop {
public:
    // The schema is one that the library has made. The snapshot stands for an encoded order.
    bare_loop(const std::string& url, const std::string& schema, std::string snapshot)
        : db_(PQconnectdb(url.c_str())), snapshot_(std::move(snapshot)) {
        run("SET search_path TO " + schema);
        for (const char* method : {"seqscan", "bitmapscan", "hashjoin", "mergejoin", "sort",
                                   "incremental_sort", "material", "memoize"}) {
            run(std::string("SET enable_") + method + " TO off");
        }
        run("SET plan_cache_mode TO force_generic_plan");
        run("SET jit TO off");
        PQenterPipelineMode(db_.get());
    }

    void create(int orders) {
        begin();
        bare_column ids(bare_bytes);
        std::vector<std::string> names;
        for (int i = 0; i < orders; ++i) {
            names.push_back(name_ + std::to_string(++made_));
            ids.add(std::string_view(names.back()));
        }
        ask("SELECT order_id FROM orders WHERE order_id = ANY($1::bytea[])", {ids.array()});
        ask("SELECT order_id FROM tombstones WHERE order_id = ANY($1::bytea[])", {ids.array()});
        read_totals();
        bare_column number(bare_integer), user(bare_bytes), empty(bare_bytes), amount(bare_integer),
            currency(bare_text), created(bare_integer), items(bare_text), metadata(bare_bytes),
            null_bytes(bare_bytes);
        work rows;
        entries made;
        for (int i = 0; i < orders; ++i) {
            ++number_;
            number.add(number_);
            user.add(std::string_view("1234567"));
            empty.add(std::string_view());
            amount.add(std::int64_t{14999});
            currency.add(std::string_view("USD"));
            created.add(now);
            items.add(std::string_view("{1001,1002,1003}"));
            metadata.add(std::string_view("{}"));
            null_bytes.add_null();
            rows.add(number_, "PENDING", 1, 0, now, false);
            made.add(++position_, number_, 1, "create", {}, "PENDING", snapshot_);
        }
        ask("INSERT INTO orders(number, order_id, user_id, tenant, amount, currency, created_at, "
            "item_ids, metadata, extra, index_entries) SELECT t.number, t.order_id, t.user_id, "
            "t.tenant, t.amount, t.currency, t.created_at, t.item_ids::bigint[], t.metadata, "
            "t.extra, t.index_entries FROM unnest($1::bigint[], $2::bytea[], $3::bytea[], "
            "$4::bytea[], $5::bigint[], $6::text[], $7::bigint[], $8::text[], $9::bytea[], "
            "$10::bytea[], $11::bytea[]) t(number, order_id, user_id, tenant, amount, currency, "
            "created_at, item_ids, metadata, extra, index_entries)",
            {number.array(), ids.array(), user.array(), empty.array(), amount.array(),
             currency.array(), created.array(), items.array(), metadata.array(), null_bytes.array(),
             null_bytes.array()});
        ask(insert_work, rows.take());
        commit(made);
    }

    // Completes what it claimed the last time, and claims as many.
    int move(int orders) {
        begin();
        bare_column ids(bare_bytes);
        for (const auto& it : held_) ids.add(std::string_view(it.id));
        if (!held_.empty()) {
            ask("SELECT o.order_id, o.user_id, o.metadata, w.* FROM orders o JOIN work w "
                "ON w.number = o.number WHERE o.order_id = ANY($1::bytea[])",
                {ids.array()});
        }
        ask("SELECT due_at, number FROM work WHERE status = 'PENDING' AND due_at >= $1::bigint "
            "ORDER BY due_at, number LIMIT $2::bigint",
            {integer(due_from_), integer(orders + 1)});
        ask("SELECT o.order_id, o.number, w.due_at, o.user_id, o.metadata, w.* FROM (SELECT * FROM "
            "work WHERE status = 'PENDING' AND due_at >= $1::bigint ORDER BY due_at, number "
            "LIMIT $2::bigint) w JOIN orders o ON o.number = w.number",
            {integer(due_from_), integer(orders)});
        read_totals();
        work rows;
        entries made;
        for (const held& it : std::exchange(held_, {})) {
            rows.add(it.number, "COMPLETED", 3, 1, {}, false);
            made.add(++position_, it.number, 3, "complete", "PROCESSING", "COMPLETED", snapshot_);
        }
        for (int i = 0; i < PQntuples(last_.get()); ++i) {
            held_.push_back({text(i, 0), integer_at(i, 1)});
            due_from_ = integer_at(i, 2);
            rows.add(held_.back().number, "PROCESSING", 2, 1, now + 30'000, true);
            made.add(++position_, held_.back().number, 2, "start", "PENDING", "PROCESSING",
                     snapshot_);
        }
        ask("UPDATE work w SET status = t.status, version = t.version, attempts = t.attempts, "
            "updated_at = t.updated_at, next_attempt_at = t.next_attempt_at, "
            "first_claimed_at = t.first_claimed_at, settled_at = t.settled_at, lease = t.lease, "
            "leased = t.leased, due_at = t.due_at, span = t.span, "
            "expired_leases = t.expired_leases, worker_id = t.worker_id, "
            "last_error = t.last_error, traceparent = t.traceparent FROM unnest($1::bigint[], "
            "$2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], "
            "$8::bigint[], $9::bigint[], $10::boolean[], $11::bigint[], $12::bigint[], "
            "$13::bigint[], $14::bytea[], $15::bytea[], $16::bytea[]) t(number, status, version, "
            "attempts, updated_at, next_attempt_at, first_claimed_at, settled_at, lease, leased, "
            "due_at, span, expired_leases, worker_id, last_error, traceparent) "
            "WHERE w.number = t.number",
            rows.take());
        commit(made);
        return static_cast<int>(held_.size());
    }

private:
    using parameters = std::vector<std::string>;
    struct held {
        std::string id;
        std::int64_t number;
    };
    struct finish {
        void operator()(PGconn* it) const noexcept { PQfinish(it); }
        void operator()(PGresult* it) const noexcept { PQclear(it); }
    };
    static constexpr std::int64_t now = 1'790'000'000'000;

    struct work {
        bare_column number{bare_integer}, status{bare_text}, version{bare_integer},
            attempts{bare_integer}, updated{bare_integer}, none{bare_integer}, lease{bare_integer},
            leased{bare_bool}, due{bare_integer}, zero{bare_integer}, empty{bare_bytes};
        void add(std::int64_t which, std::string_view is, std::int64_t at_version,
                 std::int64_t tries, std::int64_t due_at, bool held) {
            number.add(which), status.add(is), version.add(at_version), attempts.add(tries);
            updated.add(now), none.add_null(), lease.add(at_version), leased.add(held);
            due_at > 0 ? due.add(due_at) : due.add_null();
            zero.add(std::int64_t{0}), empty.add(std::string_view());
        }
        parameters take() const {
            const std::string n = none.array(), z = zero.array(), e = empty.array();
            return {number.array(),
                    status.array(),
                    version.array(),
                    attempts.array(),
                    updated.array(),
                    n,
                    n,
                    n,
                    lease.array(),
                    leased.array(),
                    due.array(),
                    z,
                    z,
                    e,
                    e,
                    e};
        }
    };
    struct entries {
        bare_column position{bare_integer}, number{bare_integer}, version{bare_integer},
            event{bare_bytes}, from{bare_text}, status{bare_text}, empty{bare_bytes},
            snapshot{bare_bytes};
        void add(std::int64_t at, std::int64_t which, std::int64_t at_version,
                 std::string_view what, std::string_view before, std::string_view after,
                 std::string_view text) {
            position.add(at), number.add(which), version.add(at_version), event.add(what);
            before.empty() ? from.add_null() : from.add(before);
            status.add(after), empty.add(std::string_view()), snapshot.add(text);
        }
    };

    static constexpr const char* insert_work =
        "INSERT INTO work(number, status, version, attempts, updated_at, next_attempt_at, "
        "first_claimed_at, settled_at, lease, leased, due_at, span, expired_leases, worker_id, "
        "last_error, traceparent) SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], "
        "$4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], "
        "$10::boolean[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bytea[], "
        "$15::bytea[], $16::bytea[])";

    static std::string integer(std::int64_t value) {
        return bare_column(bare_integer).add(value).array().substr(24);
    }

    void begin() {
        ask("BEGIN", {});
        ask("SELECT 1 FROM write_lock WHERE id=1 FOR UPDATE", {});
        ask("SELECT id, number, position FROM writes ORDER BY id DESC LIMIT 1", {});
        totals_at_ = asked_ - 1;
    }

    void commit(const entries& made) {
        ask("INSERT INTO journal(position, number, version, event, from_status, status, actor, "
            "reason, traceparent, at, snapshot) SELECT t.position, t.number, t.version, t.event, "
            "t.from_status, t.status, t.actor, t.reason, t.traceparent, $11::bigint, t.snapshot "
            "FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::text[], "
            "$6::text[], $7::bytea[], $8::bytea[], $9::bytea[], $10::bytea[]) t(position, number, "
            "version, event, from_status, status, actor, reason, traceparent, snapshot)",
            {made.position.array(), made.number.array(), made.version.array(), made.event.array(),
             made.from.array(), made.status.array(), made.empty.array(), made.empty.array(),
             made.empty.array(), made.snapshot.array(), integer(now)});
        ask("INSERT INTO writes SELECT id + 1, stamp, $1::bigint, $2::bigint, floor, "
            "record_version, completed, processing_ms, statuses, orders, due_from, $3::bytea, "
            "id, $4::bigint FROM writes ORDER BY id DESC LIMIT 1",
            {integer(number_), integer(position_), name_, integer(now)});
        ask("COMMIT", {});
        flight();
    }

    void read_totals() {
        flight();
        number_ = totals_[0];
        position_ = totals_[1];
    }

    void ask(const std::string& sql, const parameters& with) {
        auto known = names_.find(sql);
        prepares_.push_back(known == names_.end());
        if (prepares_.back()) {
            known = names_.emplace(sql, "s" + std::to_string(names_.size())).first;
            PQsendPrepare(db_.get(), known->second.c_str(), sql.c_str(), 0, nullptr);
        }
        std::vector<const char*> values;
        std::vector<int> sizes;
        for (const std::string& it : with) {
            values.push_back(it.data());
            sizes.push_back(static_cast<int>(it.size()));
        }
        const std::vector<int> binary(with.size() + 1, 1);
        PQsendQueryPrepared(db_.get(), known->second.c_str(), static_cast<int>(with.size()),
                            values.data(), sizes.data(), binary.data(), 1);
        ++asked_;
    }

    // Keeps the last answer.
    void flight() {
        PQpipelineSync(db_.get());
        for (std::size_t i = 0; i < prepares_.size(); ++i) {
            if (prepares_[i]) answer();
            answer();
            if (i == totals_at_) totals_ = {integer_at(0, 1), integer_at(0, 2)};
        }
        std::unique_ptr<PGresult, finish>(PQgetResult(db_.get()));  // of the sync
        prepares_.clear();
        asked_ = 0;
        totals_at_ = ~std::size_t{0};
    }
    void answer() {
        last_.reset(PQgetResult(db_.get()));
        const auto status = PQresultStatus(last_.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            std::fprintf(stderr, "%s", PQerrorMessage(db_.get()));
            std::exit(1);
        }
        while (std::unique_ptr<PGresult, finish>(PQgetResult(db_.get()))) {
        }
    }
    void run(const std::string& sql) {
        last_.reset(PQexec(db_.get(), sql.c_str()));
        if (PQresultStatus(last_.get()) == PGRES_COMMAND_OK) return;
        std::fprintf(stderr, "%s", PQerrorMessage(db_.get()));
        std::exit(1);
    }
    std::string text(int row, int column) const {
        return {PQgetvalue(last_.get(), row, column),
                static_cast<std::size_t>(PQgetlength(last_.get(), row, column))};
    }
    std::int64_t integer_at(int row, int column) const {
        std::int64_t out = 0;
        for (const char c : text(row, column)) out = out << 8 | static_cast<unsigned char>(c);
        return out;
    }

    std::unique_ptr<PGconn, finish> db_;
    const std::string snapshot_;
    const std::string name_ = "bare-";
    std::unique_ptr<PGresult, finish> last_;
    std::map<std::string, std::string> names_;
    std::vector<bool> prepares_;
    std::size_t asked_ = 0;
    std::size_t totals_at_ = ~std::size_t{0};
    std::array<std::int64_t, 2> totals_{};
    std::int64_t number_ = 0;
    std::int64_t position_ = 0;
    std::int64_t due_from_ = 0;
    std::int64_t made_ = 0;
    std::vector<held> held_;
};

#endif
