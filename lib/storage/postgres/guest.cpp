#include "storage/postgres/epochs.hpp"
#include "storage/postgres/repository.hpp"
#include "storage/postgres/schema.hpp"
#include "storage/postgres/settings.hpp"
#include "storage/postgres/writer.hpp"

#include <orderproc/postgres.hpp>

#include <libpq-fe.h>

#include <random>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using namespace detail::postgres;

// What the transaction is like before anything of ours: the server's clock, the isolation level,
// synchronous_commit, and the values of the settings in $1.
constexpr const char* host_state =
    "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint, "
    "current_setting('transaction_isolation'), current_setting('synchronous_commit'), "
    "(SELECT array_agg(current_setting(name) ORDER BY place) "
    "FROM unnest($1::text[]) WITH ORDINALITY t(name, place))";
// $1: names, $2: values; to the end of the transaction.
constexpr const char* set_locally =
    "SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) t(name, value)";
// $1: milliseconds. The host's own limit stays if it is shorter; 0 is none.
constexpr const char* limit_hanging =
    "SELECT set_config('idle_in_transaction_session_timeout', least($1::bigint, "
    "nullif((extract(epoch FROM current_setting('idle_in_transaction_session_timeout')::interval) "
    "* 1000)::bigint, 0))::text, true)";

// The host's connection, for the time of a call.
class loan {
public:
    explicit loan(connection& of) : of_(of), taken_(of.take()) {}
    ~loan() {
        if (taken_) of_.give_back();
    }
    loan(const loan&) = delete;
    loan& operator=(const loan&) = delete;
    const result<void>& taken() const noexcept { return taken_; }

private:
    connection& of_;
    result<void> taken_;
};

failure not_now(std::string text) {
    return {errc::invalid_argument, std::move(text)};
}

}  // namespace

class ORDERPROC_HIDDEN postgres_guest::impl {
public:
    impl(pg_conn* host, const postgres_options& options)
        : host_(host),
          clock_skew_max_(options.clock_skew_max),
          hang_max_(hang_max(options)),
          settings_(write_settings(options)),
          db_(connection::borrow(host, options.answer_timeout,
                                 std::to_string(std::random_device()()))),
          writes_(*db_, 0, shared_, true) {}

    result<void> expect(const std::string& schema);
    result<change_outcome> apply(const change& what, timestamp now);

private:
    struct state {
        timestamp clock;
        std::string isolation;
        std::string commits;
        array settings{element::text};
        epoch_state epochs;
    };

    parameters with_names(array&& values) const;
    array our_values() const;
    result<void> enter(timestamp now, state& before);
    result<change_outcome> write(const change& what, timestamp now);
    result<void> leave(state& before);
    void undo();

    pg_conn* const host_;
    const std::chrono::milliseconds clock_skew_max_;
    const std::chrono::milliseconds hang_max_;
    const std::vector<keyword> settings_;
    const std::unique_ptr<connection> db_;
    shared_state shared_;  // without a limit of clocks: enter() compares them
    writer writes_;
};

parameters postgres_guest::impl::with_names(array&& values) const {
    array names(element::text);
    for (const keyword& it : settings_) names.add(std::string_view(it.name));
    return parameters::of(std::move(names), std::move(values));
}

array postgres_guest::impl::our_values() const {
    array out(element::text);
    for (const keyword& it : settings_) out.add(std::string_view(it.value));
    return out;
}

result<void> postgres_guest::impl::expect(const std::string& schema) {
    if (PQtransactionStatus(host_) != PQTRANS_IDLE) return not_now("a transaction is open");
    const loan of(*db_);
    if (!of.taken()) return of.taken();
    questions begin(*db_);
    begin.tell("BEGIN");
    begin.tell(set_locally, with_names(our_values()));
    auto out = begin.run();
    if (out) out = expect_schema(*db_, schema);
    db_->roll_back();
    return out;
}

// Takes the write lock, and has our settings from here on.
result<void> postgres_guest::impl::enter(timestamp now, state& before) {
    questions about(*db_);
    about.tell("SAVEPOINT orderproc");
    array names(element::text);
    for (const keyword& it : settings_) names.add(std::string_view(it.name));
    about.ask(host_state, parameters::of(std::move(names)), [&before](const rows& found) {
        before.clock = found.time(0, 0);
        before.isolation = found.bytes(0, 1);
        before.commits = found.bytes(0, 2);
        for (const std::string_view it : found.texts(0, 3)) before.settings.add(it);
        return result<void>();
    });
    about.tell(set_locally, with_names(our_values()));
    about.tell(limit_hanging, parameters::of(std::int64_t{hang_max_.count()}));
    about.tell(take_write_lock);
    ask_epoch_state(about, before.epochs);
    if (auto done = about.run(); !done) return done;
    if (before.isolation != "read committed") {
        return not_now("the transaction is " + before.isolation + ": it has to be READ COMMITTED");
    }
    if (before.commits == "off") return not_synced();
    return compare_clocks(now, before.clock, clock_skew_max_);
}

result<change_outcome> postgres_guest::impl::write(const change& what, timestamp now) {
    change_outcome out;
    write_params params;
    params.now = now;
    params.writer = "guest";
    params.changes = {&what, 1};
    write_results results;
    results.changes = {&out, 1};
    if (auto done = writes_.write_within(params, results); !done) return std::move(done).error();
    return out;
}

result<void> postgres_guest::impl::leave(state& before) {
    questions end(*db_);
    end.tell(set_locally, with_names(std::move(before.settings)));
    end.tell("RELEASE SAVEPOINT orderproc");
    return end.run();
}

// The settings come back by it, too.
void postgres_guest::impl::undo() {
    if (db_->lost()) return;
    questions end(*db_);
    end.tell("ROLLBACK TO SAVEPOINT orderproc");
    end.tell("RELEASE SAVEPOINT orderproc");
    (void)end.run();
}

result<change_outcome> postgres_guest::impl::apply(const change& what, timestamp now) {
    const auto at = PQtransactionStatus(host_);
    if (at == PQTRANS_INERROR) return not_now("the transaction has failed: roll it back");
    if (at != PQTRANS_INTRANS) return not_now("no transaction is open");
    const loan of(*db_);
    if (!of.taken()) return of.taken().error();
    state before;
    auto done = enter(now, before);
    if (done && before.epochs.another_timeline) done = begin_epoch_within(*db_, before.epochs);
    auto out = done ? write(what, now) : result<change_outcome>(std::move(done).error());
    if (out) {
        done = leave(before);
        if (done) return out;
        out = std::move(done).error();
    }
    undo();
    return out;
}

postgres_guest::postgres_guest(std::unique_ptr<impl> it) noexcept : impl_(std::move(it)) {}

postgres_guest::~postgres_guest() = default;

result<std::unique_ptr<postgres_guest>> postgres_guest::open(pg_conn* host,
                                                             const postgres_options& options) {
    if (auto ok = check(options); !ok) return std::move(ok).error();
    auto it = std::make_unique<impl>(host, options);
    if (auto ready = it->expect(options.schema); !ready) return std::move(ready).error();
    return std::unique_ptr<postgres_guest>(new postgres_guest(std::move(it)));
}

result<change_outcome> postgres_guest::apply(const change& what, timestamp now) {
    if (auto ok = validate(what); !ok) return std::move(ok).error();
    return impl_->apply(what, now);
}

}  // namespace v1
}  // namespace orderproc
