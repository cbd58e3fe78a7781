#ifndef ORDERPROC_TESTS_INTEGRATION_POSTGRES_SUPPORT_HPP
#define ORDERPROC_TESTS_INTEGRATION_POSTGRES_SUPPORT_HPP

// What the tests of the PostgreSQL adapter share.

#include "postgres_node.hpp"

#include <orderproc/postgres.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/verify.hpp>

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postgres_support {

using namespace orderproc;
using namespace std::chrono_literals;

inline constexpr timestamp day_one{std::chrono::sys_days{std::chrono::year{2026} / 6 / 15}};

inline postgres_node& node() {
    static postgres_node it;
    return it;
}

inline std::string sql(const std::string& text) {
    return node().tell("sql " + text);
}

// Until the query answers this; for what the server does in its own time.
inline void wait_for(const std::string& query, const std::string& answer) {
    for (int tries = 0; tries < 6000; ++tries) {
        if (sql(query) == answer) return;
    }
    BOOST_FAIL(query << " does not become " << answer);
}

// A schema of the test's own.
struct shop {
    shop() {
        static int made = 0;
        schema = "test" + std::to_string(++made);
        (void)migrate_postgres(options(), {true}).value();
    }
    ~shop() { sql("DROP SCHEMA " + schema + " CASCADE"); }

    postgres_options options() const { return node().options(schema); }
    std::unique_ptr<storage> open() const { return std::move(open_postgres(options())).value(); }
    std::string table(std::string_view name) const { return schema + "." + std::string(name); }

    std::string schema;
};

inline std::unique_ptr<repository> writer_of(storage& from) {
    return std::move(from.connect_writer()).value();
}
inline std::unique_ptr<repository_reader> reader_of(storage& from) {
    return std::move(from.connect_reader()).value();
}

inline change create(std::string_view id) {
    change out;
    out.order = id;
    out.event = "create";
    out.action = create_order{testing::order_builder().id(id).status("PENDING").build(), true};
    return out;
}

struct written {
    result<void> call;
    std::vector<change_outcome> changes;
    std::vector<claim_outcome> claims;
};

inline written write(repository& to, std::uint64_t sequence, std::vector<change> changes,
                     std::vector<claim> claims = {}, timestamp now = day_one) {
    written out;
    out.changes.resize(changes.size());
    out.claims.resize(claims.size());
    write_params params{now, "test", sequence, changes, claims, {}};
    write_results results{out.changes, out.claims, {}};
    out.call = to.write(params, results);
    return out;
}

inline bool holds(repository_reader& in, const std::string& id) {
    const std::vector<std::string> ids{id};
    return in.load({ids, {}}).value().orders.front().has_value();
}

inline void check_whole(repository_reader& in) {
    const auto report = verify(in, status_machine::standard()).value();
    BOOST_TEST(!report.difference, report.difference.value_or(""));
}

}  // namespace postgres_support

#endif
