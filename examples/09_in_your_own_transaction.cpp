// An order that is made within the host's own SQLite transaction: it exists exactly if the host
// commits. A shop turns carts into orders; the cart and its order change together or not at all.

#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/sqlite.hpp>

#include <sqlite3.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

using namespace orderproc;

namespace {

void run(sqlite3* db, const std::string& sql) {
    if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error(sqlite3_errmsg(db));
    }
}

command order_of(const std::string& cart) {
    submit_order create;
    create.value.id = order_id::parse("ORD-" + cart).value();
    create.value.user = "7";
    create.value.item_ids = {1001, 1002};
    create.value.total_amount = {14999, "USD"};
    return {.what = std::move(create)};
}

// The host's own work: its tables, its transaction, and an order among it.
void check_out(sqlite3* db, sqlite_guest& guest, engine& orders, const std::string& cart,
               bool paid) {
    {
        const auto guard = guest.lock().value();
        run(db, "BEGIN IMMEDIATE");
        run(db, "UPDATE carts SET state='ordered' WHERE id='" + cart + "'");
        const change create = lower(order_of(cart), orders.machine(), orders.runtime()).value();
        const auto made = guest.apply(create, orders.runtime().time.now());
        const bool commit = made && !made->ec && paid;
        run(db, commit ? "COMMIT" : "ROLLBACK");
    }
    orders.wake();  // a worker of this process looks at once
}

}  // namespace

int main() {
    char folder[] = "/tmp/orderproc-example-XXXXXX";
    if (!mkdtemp(folder)) return 1;
    sqlite_options file;
    file.path = std::string(folder) + "/shop.db";

    const auto stored = open_sqlite(file).value();  // makes the tables of orders
    engine orders(*stored, status_machine::standard(), system_runtime());
    sqlite3* db = nullptr;
    if (sqlite3_open(file.path.c_str(), &db) != SQLITE_OK) return 1;
    const std::unique_ptr<sqlite3, decltype(&sqlite3_close)> closes(db, &sqlite3_close);
    run(db, "PRAGMA synchronous=FULL");
    const auto guest = sqlite_guest::open(db, file).value();
    {
        const auto guard = guest->lock().value();
        run(db, "CREATE TABLE carts(id TEXT PRIMARY KEY, state TEXT)");
        run(db, "INSERT INTO carts VALUES('C1', 'open'), ('C2', 'open')");
    }

    check_out(db, *guest, orders, "C1", true);
    check_out(db, *guest, orders, "C2", false);  // the payment fails: rolled back

    reader reads(*stored);
    const std::vector<std::string> ids{"ORD-C1", "ORD-C2"};
    const auto found = reads.use([&](repository_reader& from) { return from.load({.ids = ids}); });
    const auto& rows = found.value().orders;
    std::printf("ORD-C1 %s, ORD-C2 %s\n", rows[0] ? "exists" : "does not exist",
                rows[1] ? "exists" : "does not exist");
    return rows[0] && !rows[1] ? 0 : 1;
}
