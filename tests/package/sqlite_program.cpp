// A stranger's program: creates an order in an SQLite file and reads it back.

#include <orderproc/engine.hpp>
#include <orderproc/json.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/sqlite.hpp>

#include <cstdio>
#include <string>

using namespace orderproc;

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("usage: shop FILE\n", stderr), 2;
    const auto orders = open_sqlite({.path = argv[1]}).value();
    engine writes(*orders, status_machine::standard(), system_runtime());

    submit_order submit;
    submit.value.user = "123";
    submit.value.item_ids = {1001, 1002, 1003};
    submit.value.total_amount = {14999, "USD"};
    // Durable when it returns.
    const change_outcome made = writes.execute({.what = std::move(submit)});
    if (made.ec) {
        return std::fprintf(stderr, "%s\n", failure(made.ec, made.detail).message().c_str()), 1;
    }

    const std::string id(made.after->id.view());
    reader reads(*orders);
    const auto found = reads.use([&](repository_reader& from) {
        return from.load({.ids = {&id, 1}});
    });
    const order& it = found.value().orders.at(0).value();
    std::printf("%s\n", to_json(it).c_str());
    return it.status == order_status("PENDING") ? 0 : 1;
}
