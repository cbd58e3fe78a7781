#include "epochs.hpp"

#include <orderproc/adapter.hpp>

#include <sqlite3.h>

#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// A positive number to SQL.
std::uint64_t make_epoch() {
    std::uint64_t random = 0;
    while ((random >> 1) == 0) sqlite3_randomness(sizeof random, &random);
    return random >> 1;
}

std::vector<journal_epoch> read_epochs(connection& db, statement& all) {
    std::vector<journal_epoch> out;
    auto found = all.query();
    while (found.next()) {
        out.push_back({static_cast<std::uint64_t>(found.integer(0)),
                       static_cast<std::uint64_t>(found.integer(1))});
    }
    if (out.empty()) {
        if (db.ok()) db.fail(errc::corrupt, "the epochs of the journal are gone");
        out.assign(1, {});
    }
    return out;
}

result<feed_position> newest_position(connection& db) {
    feed_position out;
    {
        statement newest(db, "SELECT epoch, last_position FROM totals");
        auto found = newest.query();
        if (found.next()) {
            out = {static_cast<std::uint64_t>(found.integer(0)),
                   static_cast<std::uint64_t>(found.integer(1))};
        }
    }
    if (auto read = db.finish(); !read) return std::move(read).error();
    if (out.epoch == 0) return failure{errc::corrupt, "the totals are gone"};
    return out;
}

result<std::uint64_t> begin_epoch(connection& db, std::optional<std::uint64_t> wanted) {
    statement begin(db, "BEGIN IMMEDIATE");
    statement commit(db, "COMMIT");
    statement known(db, all_epochs);
    statement add(db, "INSERT INTO epochs(epoch, first) VALUES(?1, ?2)");
    statement use(db, "UPDATE totals SET epoch=?1");
    const std::uint64_t epoch = wanted.value_or(make_epoch());
    transaction all(db, begin);
    const auto newest = newest_position(db);
    if (!newest) return newest.error();
    auto epochs = read_epochs(db, known);
    if (auto added = add_epoch(epochs, epoch, newest->offset); !added) return added.error();
    add.run(epoch, epochs.back().first);
    use.run(epoch);
    if (auto done = all.commit(commit); !done) return std::move(done).error();
    return epoch;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
