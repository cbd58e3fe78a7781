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
           timeline_sql + ")";
}

result<void> begin_epoch(connection& db, std::optional<std::uint64_t> wanted) {
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
    if (done && !wanted && !another_timeline) {  // somebody else has done it
        db.roll_back();
        return {};
    }
    if (done) done = add_epoch(chain, wanted.value_or(make_epoch()), newest);
    if (!done) {
        db.roll_back();
        return done;
    }
    db.add(std::string("INSERT INTO epochs SELECT id + 1, $1, $2, ") + timeline_sql +
               " FROM epochs ORDER BY id DESC LIMIT 1",
           parameters::of(chain.back().epoch, chain.back().first));
    if (auto committed = commit(db); !committed) return std::move(committed).error();
    return {};
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
