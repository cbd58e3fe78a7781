#include "storage/postgres/epochs.hpp"
#include "storage/postgres/order_row.hpp"
#include "storage/postgres/repository.hpp"
#include "storage/postgres/settings.hpp"
#include "storage/postgres/small_rows.hpp"
#include "storage/postgres/statements.hpp"
#include "storage/postgres/totals.hpp"

#include <orderproc/codec.hpp>
#include <orderproc/postgres.hpp>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using namespace detail::postgres;

constexpr const char* rows_there =
    "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM journal), "
    "(SELECT count(*) FROM keys), (SELECT count(*) FROM tombstones), "
    "(SELECT count(*) FROM cursors), (SELECT count(*) FROM records)";
constexpr const char* orders_by_status = "SELECT status, count(*) FROM work GROUP BY status";
constexpr const char* sums_by_currency =
    "SELECT currency, count(*), sum(amount / 1000000000)::bigint, "
    "sum(amount % 1000000000)::bigint FROM orders GROUP BY currency";

class postgres_target final : public storage_target {
public:
    result<void> prepare(connection_settings settings, const std::string& schema);
    result<void> begin(const storage_totals& totals) override;
    result<void> add(const storage_part& part) override;
    result<storage_tally> count() override;
    result<void> commit() override;

private:
    void add_orders(const storage_part& part);
    void add_index(const storage_part& part);
    void add_entries(const storage_part& part);
    void add_keys(const storage_part& part);
    void add_rest(const storage_part& part);

    shared_state shared_;
    std::unique_ptr<connection> db_;
    storage_totals totals_;
    std::map<order_status, timestamp> due_from_;
};

result<void> postgres_target::prepare(connection_settings settings, const std::string& schema) {
    shared_.settings = std::move(settings);
    // The counts at the end read whole tables.
    shared_.settings.answer_timeout = std::max<std::chrono::milliseconds>(
        shared_.settings.answer_timeout, std::chrono::minutes(30));
    shared_.schema = schema;
    auto opened = connect(shared_);
    if (!opened) return std::move(opened).error();
    db_ = std::move(opened->db);
    return {};
}

result<void> postgres_target::begin(const storage_totals& totals) {
    totals_ = totals;
    questions about(*db_);
    add_begin(about);
    // Whoever reads the source may take longer than a write between its two parts, and other
    // writers do not end it for that: see give_up().
    about.tell(std::string("SET LOCAL application_name TO ") + patient_application);
    about.tell("SET LOCAL idle_in_transaction_session_timeout TO '10min'");
    about.ask("SELECT id FROM writes ORDER BY id DESC LIMIT 1", {},
              [](const rows& latest) -> result<void> {
                  if (latest.size() == 1 && latest.integer(0, 0) == 0) return {};
                  return failure{errc::already_exists, "the target is not empty"};
              });
    about.tell("DELETE FROM epochs");
    auto done = about.run();
    for (std::size_t i = 0; done && i < totals.epochs.size(); ++i) {
        db_->add(std::string("INSERT INTO epochs(id, epoch, first, timeline, lost) "
                             "VALUES($1::bigint, $2::bigint, $3::bigint, ") +
                     timeline_sql + ", 0)",
                 parameters::of(static_cast<std::int64_t>(i + 1), totals.epochs[i].epoch,
                                totals.epochs[i].first));
    }
    if (!done) return done;
    if (auto stored = db_->run(); !stored) return std::move(stored).error();
    return {};
}

result<void> postgres_target::add(const storage_part& part) {
    db_->discard();
    add_orders(part);
    add_index(part);
    add_entries(part);
    add_keys(part);
    add_rest(part);
    if (auto done = db_->run(); !done) return std::move(done).error();
    return {};
}

void postgres_target::add_orders(const storage_part& part) {
    if (part.orders.empty()) return;
    content_columns contents;
    work_columns work;
    for (const stored_order& it : part.orders) {
        contents.add(it);
        work.add(it);
        if (!it.due_at) continue;
        const auto known = due_from_.emplace(it.value.status, *it.due_at).first;
        known->second = std::min(known->second, *it.due_at);
    }
    db_->add(insert_orders, std::move(contents).take());
    db_->add(insert_work, std::move(work).take());
}

void postgres_target::add_index(const storage_part& part) {
    array slots(element::integer), values(element::bytes), numbers(element::integer),
        unique(element::boolean);
    bool any = false;
    for (const stored_order& of : part.orders) {
        for (const index_entry& it : of.index) {
            any = true;
            slots.add(std::int64_t{it.slot});
            values.add(std::string_view(it.value));
            numbers.add(of.value.number);
            unique.add(it.unique);
        }
    }
    if (!any) return;
    db_->add(insert_index, parameters::of(std::move(slots), std::move(values), std::move(numbers),
                                          std::move(unique)));
}

void postgres_target::add_entries(const storage_part& part) {
    if (part.entries.empty()) return;
    entry_rows out;
    std::string snapshot;
    for (const journal_entry& it : part.entries) {
        snapshot.clear();
        encode(it.after, snapshot);
        out.add({it.position.offset, it.after.number, it.version, it.event, it.from,
                 it.after.status, it.actor, it.reason, it.traceparent, it.at, snapshot});
    }
    db_->add(insert_entries, std::move(out).take());
}

void postgres_target::add_keys(const storage_part& part) {
    if (part.keys.empty()) return;
    key_rows out;
    for (const copied_key& it : part.keys) out.add(it.once, it.number, it.version, it.at);
    db_->add(insert_keys, std::move(out).take());
}

void postgres_target::add_rest(const storage_part& part) {
    if (!part.names.empty()) {
        array ids(element::bytes);
        array numbers(element::integer);
        for (const copied_name& it : part.names) {
            ids.add(std::string_view(it.id));
            numbers.add(it.number);
        }
        db_->add(bury, parameters::of(std::move(ids), std::move(numbers)));
    }
    for (const copied_cursor& it : part.cursors) {
        db_->add(set_cursor, cursor_row(it.name, it.it));
    }
    for (const copied_record& it : part.records) {
        db_->add(set_record, record_row(it.collection, it.it));
    }
}

result<storage_tally> postgres_target::count() {
    storage_tally out;
    questions about(*db_);
    about.ask(rows_there, {}, [&out](const rows& found) {
        int column = 0;
        for (std::uint64_t* it :
             {&out.orders, &out.entries, &out.keys, &out.names, &out.cursors, &out.records}) {
            *it = found.natural(0, column++);
        }
        return result<void>();
    });
    about.ask(orders_by_status, {}, [&out](const rows& found) -> result<void> {
        for (int i = 0; i < found.size(); ++i) {
            const auto status = read_status(found.bytes(i, 0));
            if (!status) return status.error();
            out.statuses[*status] = found.natural(i, 1);
        }
        return {};
    });
    about.ask(sums_by_currency, {}, [&out](const rows& found) {
        for (int i = 0; i < found.size(); ++i) {
            out.amounts[std::string(found.bytes(i, 0))] = {found.natural(i, 1), found.integer(i, 2),
                                                           found.integer(i, 3)};
        }
        return result<void>();
    });
    if (auto done = about.run(); !done) return std::move(done).error();
    return out;
}

result<void> postgres_target::commit() {
    detail::plan::totals sums;
    sums.stamp = totals_.stamp;
    sums.number = totals_.number;
    sums.position = totals_.position;
    sums.floor = totals_.floor;
    sums.record_version = totals_.record_version;
    sums.completed = totals_.completed;
    sums.processing_time = totals_.processing_time;
    for (const auto& [status, orders] : totals_.statuses) {
        sums.statuses[status].orders = static_cast<std::int64_t>(orders);
    }
    for (const auto& [status, at] : due_from_) sums.statuses[status].due_from = at;
    db_->discard();
    db_->add(insert_totals, totals_row(1, sums, "copy", 0, totals_.stamp));
    if (auto done = detail::postgres::commit(*db_); !done) return std::move(done).error();
    return {};
}

}  // namespace

result<std::unique_ptr<storage_target>> open_postgres_target(postgres_options options) {
    auto settings = settings_of(options);
    if (!settings) return std::move(settings).error();
    auto out = std::make_unique<postgres_target>();
    auto ready = out->prepare(std::move(*settings), options.schema);
    if (!ready) return std::move(ready).error();
    return out;
}

}  // namespace v1
}  // namespace orderproc
