// An order that is made within the host's own PostgreSQL transaction: it exists exactly if the host
// commits. A shop turns carts into orders; the cart and its order change together or not at all.
//
// usage: 19_in_your_own_postgres postgresql://user@host/database
// The user may create schemas there; tables of carts and of orders are made if they are missing.

#include <orderproc/engine.hpp>
#include <orderproc/postgres.hpp>
#include <orderproc/reader.hpp>

#include <libpq-fe.h>

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

using namespace orderproc;

namespace {

using host_connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;

void run(PGconn* db, const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> done(PQexec(db, sql.c_str()), &PQclear);
    const auto status = PQresultStatus(done.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return;
    throw std::runtime_error(PQerrorMessage(db));
}

command order_of(const std::string& cart) {
    submit_order create;
    create.value.id = order_id::parse("ORD-" + cart).value();
    create.value.user = "7";
    create.value.item_ids = {1001, 1002};
    create.value.total_amount = {14999, "USD"};
    return {.what = std::move(create)};
}

// The host's own work: its tables, its transaction, and an order among it. The order comes last:
// from there on, nobody else can write orders until this transaction ends.
void check_out(PGconn* db, postgres_guest& guest, engine& orders, const std::string& cart,
               bool paid) {
    run(db, "BEGIN");
    run(db, "UPDATE carts SET state='ordered' WHERE id='" + cart + "'");
    const change create = lower(order_of(cart), orders.machine(), orders.runtime()).value();
    const auto made = guest.apply(create, orders.runtime().time.now());
    const bool commit = made && !made->ec && paid;
    run(db, commit ? "COMMIT" : "ROLLBACK");
    orders.wake();  // a worker of this process looks at once, others within 50 ms
}

bool sell(const std::string& url) {
    postgres_options database;
    database.connection = url;
    (void)migrate_postgres(database, {.create = true}).value();  // makes the tables of orders
    const auto stored = open_postgres(database).value();
    engine orders(*stored, status_machine::standard(), system_runtime());

    const host_connection db(PQconnectdb(url.c_str()), &PQfinish);
    run(db.get(), "CREATE TABLE IF NOT EXISTS carts(id text PRIMARY KEY, state text)");
    run(db.get(), "INSERT INTO carts VALUES('C1', 'open'), ('C2', 'open')");
    const auto guest = postgres_guest::open(db.get(), database).value();
    check_out(db.get(), *guest, orders, "C1", true);
    check_out(db.get(), *guest, orders, "C2", false);  // the payment fails: rolled back

    reader reads(*stored);
    const std::vector<std::string> ids{"ORD-C1", "ORD-C2"};
    const auto found = reads.use([&](repository_reader& from) { return from.load({.ids = ids}); });
    const auto& rows = found.value().orders;
    std::printf("ORD-C1 %s, ORD-C2 %s\n", rows[0] ? "exists" : "does not exist",
                rows[1] ? "exists" : "does not exist");
    return rows[0] && !rows[1];
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    try {
        return sell(argv[1]) ? 0 : 1;
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
}
