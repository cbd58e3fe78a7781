#include "storage/postgres/epochs.hpp"

#include "storage/postgres/transaction.hpp"

#include <orderproc/adapter.hpp>

#include <random>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

result<std::vector<journal_epoch>> read_epochs(const rows& all) {
    std::vector<journal_epoch> out;
    for (int i = 0; i < all.size(); ++i) out.push_back({all.natural(i, 0), all.natural(i, 1)});
    if (out.empty()) return failure{errc::corrupt, "the epochs of the journal are gone"};
    return out;
}

// A positive number to SQL.
std::uint64_t make_epoch() {
    std::random_device random;
    std::uint64_t out = 0;
    while (out == 0) out = (std::uint64_t{random()} << 32 | random()) >> 1;
    return out;
}

std::string first_epoch_sql() {
    return "INSERT INTO epochs VALUES (1, " + std::to_string(make_epoch()) + ", 1, " +
           timeline_sql + ", 0)";
}

std::uint64_t lost_in(const rows& all) {
    std::uint64_t out = 0;
    for (int i = 0; i < all.size(); ++i) out += all.natural(i, 2);
    return out;
}

result<void> begin_epoch(connection& db, const epoch_wish& wish) {
    std::vector<journal_epoch> chain;
    std::uint64_t newest = 0;
    bool another_timeline = false;
    questions about(db);
    add_begin(about);
    about.ask(all_epochs, {}, [&](const rows& found) -> result<void> {
        auto read = read_epochs(found);
        if (!read) return std::move(read).error();
        chain = std::move(*read);
        return {};
    });
    about.ask(std::string("SELECT position, ") + timeline_sql +
                  ", (SELECT timeline FROM epochs ORDER BY id DESC LIMIT 1) "
                  "FROM writes ORDER BY id DESC LIMIT 1",
              {}, [&](const rows& found) -> result<void> {
                  if (found.size() == 0) return failure{errc::corrupt, "the totals are gone"};
                  newest = found.natural(0, 0);
                  another_timeline = found.integer(0, 1) != found.integer(0, 2);
                  return {};
              });
    auto done = about.run();
    // Whoever lost entries on the same timeline finds no epoch that began behind what is left.
    const bool same_place = chain.size() > 1 && chain.back().first == newest + 1;
    const bool begins = wish.epoch || another_timeline || (wish.lost > 0 && !same_place);
    if (done && !begins && wish.lost == 0) {  // somebody else has done it
        db.roll_back();
        return {};
    }
    if (done && begins) done = add_epoch(chain, wish.epoch.value_or(make_epoch()), newest);
    if (!done) {
        give_up(db);
        return done;
    }
    if (begins) {
        db.add(std::string("INSERT INTO epochs SELECT id + 1, $1, $2, ") + timeline_sql +
                   ", 0 FROM epochs ORDER BY id DESC LIMIT 1",
               parameters::of(chain.back().epoch, chain.back().first));
    }
    if (wish.lost > 0) {
        db.add(
            "UPDATE epochs SET lost = greatest(lost, $1::bigint) "
            "WHERE id = (SELECT id FROM epochs ORDER BY id DESC LIMIT 1)",
            parameters::of(wish.lost));
    }
    if (auto committed = commit(db); !committed) return std::move(committed).error();
    return {};
}

result<void> forget_losses(connection& db) {
    questions about(db);
    add_begin(about);
    if (auto done = about.run(); !done) {
        give_up(db);
        return done;
    }
    db.add("UPDATE epochs SET lost = 0 WHERE lost > 0");
    if (auto committed = commit(db); !committed) return std::move(committed).error();
    return {};
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
