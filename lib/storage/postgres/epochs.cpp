#include "storage/postgres/epochs.hpp"

#include <orderproc/adapter.hpp>

#include <random>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

void ask_epochs(questions& to, std::vector<journal_epoch>& out, std::uint64_t* lost) {
    to.ask("SELECT epoch, first, lost FROM epochs ORDER BY id", {},
           [&out, lost](const rows& all) -> result<void> {
               if (lost) *lost = 0;
               for (int i = 0; i < all.size(); ++i) {
                   out.push_back({all.natural(i, 0), all.natural(i, 1)});
                   if (lost) *lost += all.natural(i, 2);
               }
               if (!out.empty()) return {};
               return failure{errc::corrupt, "the epochs of the journal are gone"};
           });
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

void ask_epoch_state(questions& to, epoch_state& out) {
    ask_epochs(to, out.chain);
    to.ask(std::string("SELECT position, ") + timeline_sql +
               ", (SELECT timeline FROM epochs ORDER BY id DESC LIMIT 1) "
               "FROM writes ORDER BY id DESC LIMIT 1",
           {}, [&out](const rows& found) -> result<void> {
               if (found.size() == 0) return failure{errc::corrupt, "the totals are gone"};
               out.newest = found.natural(0, 0);
               out.another_timeline = found.integer(0, 1) != found.integer(0, 2);
               return {};
           });
}

result<void> add_epoch_row(connection& to, epoch_state& known, std::uint64_t epoch) {
    if (auto added = add_epoch(known.chain, epoch, known.newest); !added) return added;
    to.add(std::string("INSERT INTO epochs SELECT id + 1, $1, $2, ") + timeline_sql +
               ", 0 FROM epochs ORDER BY id DESC LIMIT 1",
           parameters::of(known.chain.back().epoch, known.chain.back().first));
    return {};
}

result<void> begin_epoch_within(connection& db, epoch_state& known) {
    if (auto added = add_epoch_row(db, known, make_epoch()); !added) return added;
    if (auto done = db.run(); !done) return std::move(done).error();
    return {};
}

result<void> begin_epoch(connection& db, const epoch_wish& wish) {
    epoch_state known;
    questions about(db);
    add_begin(about);
    ask_epoch_state(about, known);
    auto done = about.run();
    // Whoever lost entries on the same timeline finds no epoch that began behind what is left.
    const bool same_place = known.chain.size() > 1 && known.chain.back().first == known.newest + 1;
    const bool begins = wish.epoch || known.another_timeline || (wish.lost > 0 && !same_place);
    if (done && !begins && wish.lost == 0) {  // somebody else has done it
        db.roll_back();
        return {};
    }
    if (done && begins) done = add_epoch_row(db, known, wish.epoch.value_or(make_epoch()));
    if (!done) {
        give_up(db);
        return done;
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
