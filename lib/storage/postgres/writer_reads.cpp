// The first round trip of a write.

#include "storage/postgres/epochs.hpp"
#include "storage/postgres/order_row.hpp"
#include "storage/postgres/statements.hpp"
#include "storage/postgres/totals.hpp"
#include "storage/postgres/writer.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

array bytes_of(const std::vector<std::string>& values) {
    array out(element::bytes);
    for (const std::string& it : values) out.add(std::string_view(it));
    return out;
}

digest digest_in(std::string_view bytes) {
    digest out{};
    const auto* const data = reinterpret_cast<const std::byte*>(bytes.data());
    std::copy_n(data, std::min(bytes.size(), out.size()), out.begin());
    return out;
}

result<void> read_orders(const rows& from, std::vector<stored_order>& out) {
    for (int i = 0; i < from.size(); ++i) {
        auto it = read_stored_order(from, i);
        if (!it) return std::move(it).error();
        out.push_back(std::move(*it));
    }
    return {};
}

result<void> read_keys(const rows& from, std::map<digest, plan::used_key>& out) {
    for (int i = 0; i < from.size(); ++i) {
        plan::used_key& key = out[digest_in(from.bytes(i, 0))];
        key.body = digest_in(from.bytes(i, 1));
        if (from.is_null(i, 2)) continue;
        auto answer = read_snapshot(from.bytes(i, 2));
        if (!answer) return std::move(answer).error();
        key.answer = std::move(*answer);
    }
    return {};
}

result<void> read_walk(const rows& from, std::uint64_t floor,
                       std::vector<plan::walked_entry>& out) {
    for (int i = 0; i < from.size(); ++i) {
        plan::walked_entry& it = out.emplace_back();
        it.position = from.natural(i, 0);
        if (it.position != ++floor) {
            return failure{errc::corrupt, "entry " + std::to_string(floor) + " is missing"};
        }
        it.number = from.integer(i, 1);
        it.version = order_version{from.natural(i, 2)};
        it.at = from.time(i, 3);
        it.id = from.bytes(i, 4);
        it.latest = order_version{from.natural(i, 5)};
        if (from.is_null(i, 6)) continue;
        order& current = it.current.emplace();
        auto id = order_id::parse(it.id);
        const auto status = read_status(from.bytes(i, 6));
        if (!status) return status.error();
        auto index =
            from.is_null(i, 9) ? result<std::vector<index_entry>>() : read_index(from.bytes(i, 9));
        if (!id || !index) {
            return failure{errc::corrupt,
                           "order number " + std::to_string(it.number) + " is malformed"};
        }
        current.number = it.number;
        current.id = std::move(*id);
        current.status = *status;
        current.version = order_version{from.natural(i, 7)};
        current.settled_at = from.time_if_any(i, 8);
        it.index = std::move(*index);
    }
    return {};
}

}  // namespace

result<plan::found_rows> writer::read(const write_params& params, access how) {
    const plan::read_set wanted = plan::reads_of(params);
    plan::found_rows found;
    questions about(db_);
    if (how == access::locked) add_begin(about);
    if (how == access::snapshot) add_snapshot(about);
    ask_totals(about, params, found);
    ask_orders(about, wanted, found);
    for (const plan::due_prefix& it : wanted.due) ask_due(about, params, it, found);
    if (!wanted.redacted.empty()) ask_redacted(about, wanted, found);
    ask_rest(about, wanted, found);
    oldest_key_.reset();
    if (params.forget_max > 0) {
        about.ask(oldest_key, {}, [this](const rows& oldest) {
            if (oldest.size() > 0) oldest_key_ = oldest.time(0, 0);
            return result<void>();
        });
    }
    if (auto done = about.run(); !done) return std::move(done).error();
    if (auto done = read_later(params, found); !done) return std::move(done).error();
    return found;
}

void writer::ask_totals(questions& about, const write_params& params, plan::found_rows& found) {
    about.ask(latest_totals, {}, [&, this](const rows& latest) -> result<void> {
        auto read = read_totals(latest);
        if (!read) return std::move(read).error();
        found.sums = std::move(*read);
        latest_id_ = latest.integer(0, 0);
        // The server's, as of the beginning of the transaction.
        return compare_clocks(params.now, latest.time(0, 11), shared_.clock_skew_max);
    });
    ask_epochs(about, found.epochs, &lost_);
}

void writer::ask_orders(questions& about, const plan::read_set& wanted, plan::found_rows& found) {
    if (!wanted.ids.empty()) {
        about.ask(orders_by_id, parameters::of(bytes_of(wanted.ids)),
                  [&](const rows& all) { return read_orders(all, found.orders); });
    }
    if (!wanted.new_ids.empty()) {
        about.ask(buried_ids, parameters::of(bytes_of(wanted.new_ids)), [&](const rows& all) {
            for (int i = 0; i < all.size(); ++i) found.buried.emplace_back(all.bytes(i, 0));
            return result<void>();
        });
    }
    if (wanted.keys.empty()) return;
    array keys(element::bytes);
    for (const digest& it : wanted.keys) keys.add(bytes_of(it));
    about.ask(used_keys, parameters::of(std::move(keys)),
              [&](const rows& all) { return read_keys(all, found.keys); });
}

void writer::ask_redacted(questions& about, const plan::read_set& wanted, plan::found_rows& found) {
    about.ask(entries_of_orders, parameters::of(bytes_of(wanted.redacted)),
              [&](const rows& all) -> result<void> {
                  for (int i = 0; i < all.size(); ++i) {
                      auto it = read_snapshot(all.bytes(i, 1));
                      if (!it) return std::move(it).error();
                      found.entries[std::string(all.bytes(i, 0))].push_back(std::move(*it));
                  }
                  return {};
              });
    about.ask(records_about, parameters::of(bytes_of(wanted.redacted)), [&](const rows& all) {
        for (int i = 0; i < all.size(); ++i) {
            found.about[std::string(all.bytes(i, 0))].push_back(
                {std::string(all.bytes(i, 1)), std::string(all.bytes(i, 2))});
        }
        return result<void>();
    });
}

void writer::ask_due(questions& about, const write_params& params, const plan::due_prefix& wanted,
                     plan::found_rows& found) {
    const auto rows_max = static_cast<std::int64_t>(wanted.rows);
    auto& positions = found.due[wanted.status];
    about.ask(first_positions, parameters::of(wanted.status.view(), rows_max),
              [&positions](const rows& all) {
                  for (int i = 0; i < all.size(); ++i) {
                      positions.push_back({all.time(i, 0), all.integer(i, 1)});
                  }
                  return result<void>();
              });
    about.ask(first_due_orders, parameters::of(wanted.status.view(), rows_max, params.now),
              [&](const rows& all) { return read_orders(all, found.orders); });
}

void writer::ask_rest(questions& about, const plan::read_set& wanted, plan::found_rows& found) {
    const auto read_cursors = [&](const rows& all) {
        for (int i = 0; i < all.size(); ++i) {
            found.cursors.emplace(all.bytes(i, 0),
                                  stored_cursor{{all.natural(i, 2), all.natural(i, 3)},
                                                std::string(all.bytes(i, 1)),
                                                all.time(i, 4),
                                                all.time(i, 5)});
        }
        return result<void>();
    };
    if (wanted.all_cursors) {
        about.ask(all_cursors, {}, read_cursors);
    } else if (!wanted.cursors.empty()) {
        about.ask(cursors_by_name, parameters::of(bytes_of(wanted.cursors)), read_cursors);
    }
    if (wanted.records.empty()) return;
    array collections(element::bytes);
    array keys(element::bytes);
    for (const plan::record_name& it : wanted.records) {
        collections.add(std::string_view(it.collection));
        keys.add(std::string_view(it.key));
    }
    about.ask(records_by_name, parameters::of(std::move(collections), std::move(keys)),
              [&](const rows& all) {
                  for (int i = 0; i < all.size(); ++i) {
                      const plan::record_name name{std::string(all.bytes(i, 0)),
                                                   std::string(all.bytes(i, 1))};
                      found.records.emplace(
                          name, record{name.key, std::string(all.bytes(i, 2)), all.natural(i, 3),
                                       all.time_if_any(i, 4), std::string(all.bytes(i, 5))});
                  }
                  return result<void>();
              });
}

// What unique values, a worker's poll and a purge need beside, which depends on the rest.
result<void> writer::read_later(const write_params& params, plan::found_rows& found) {
    const plan::later_reads wanted = plan::later_reads_of(params, found);
    if (wanted.values.empty() && wanted.ranges.empty() && wanted.walk == 0) return {};
    found.ranges.resize(wanted.ranges.size());
    questions about(db_);
    if (!wanted.values.empty()) ask_holders(about, wanted, found);
    for (std::size_t i = 0; i < wanted.ranges.size(); ++i) {
        const due_range& range = wanted.ranges[i];
        about.ask(orders_behind,
                  parameters::of(range.status.view(), range.after.due_at, range.after.number,
                                 static_cast<std::int64_t>(range.limit)),
                  [&found, i](const rows& all) -> result<void> {
                      const std::size_t before = found.orders.size();
                      if (auto done = read_orders(all, found.orders); !done) return done;
                      for (std::size_t at = before; at < found.orders.size(); ++at) {
                          const stored_order& it = found.orders[at];
                          found.ranges[i].push_back({*it.due_at, it.value.number});
                      }
                      return {};
                  });
    }
    if (wanted.walk > 0) {
        about.ask(walk, parameters::of(found.sums.floor, static_cast<std::int64_t>(wanted.walk)),
                  [&](const rows& all) { return read_walk(all, found.sums.floor, found.walk); });
    }
    if (auto done = about.run(); !done) return done;
    const std::uint64_t there = found.sums.position - found.sums.floor;
    if (found.walk.size() < std::min<std::uint64_t>(wanted.walk, there)) {
        return failure{errc::corrupt, "the newest entries of the journal are missing"};
    }
    return {};
}

void writer::ask_holders(questions& about, const plan::later_reads& wanted,
                         plan::found_rows& found) {
    array slots(element::integer);
    array values(element::bytes);
    for (const plan::unique_value& it : wanted.values) {
        slots.add(std::int64_t{it.slot});
        values.add(std::string_view(it.value));
    }
    about.ask(holders_of_values, parameters::of(std::move(slots), std::move(values)),
              [&](const rows& all) -> result<void> {
                  const std::size_t before = found.orders.size();
                  if (auto done = read_orders(all, found.orders); !done) return done;
                  for (int i = 0; i < all.size(); ++i) {
                      const int at = stored_order_column_count;
                      const plan::unique_value value{static_cast<std::uint8_t>(all.integer(i, at)),
                                                     std::string(all.bytes(i, at + 1))};
                      const auto& holder = found.orders[before + static_cast<std::size_t>(i)];
                      found.holders[value] = holder.value.number;
                  }
                  return {};
              });
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
