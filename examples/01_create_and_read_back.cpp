// Creates an order in an SQLite file, lets a worker of this process complete it, and reads it
// back. The whole library at a glance: a storage, an engine that writes, a reader, a worker.

#include <orderproc/engine.hpp>
#include <orderproc/json.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/sqlite.hpp>
#include <orderproc/worker.hpp>

#include <chrono>
#include <cstdio>
#include <future>
#include <string>

using namespace orderproc;

int main(int argc, char** argv) {
    const std::string path = argc > 1 ? argv[1] : "example_01.db";
    const auto orders = open_sqlite({.path = path}).value();  // value() throws; check it instead

    // Your work on an order: any function. It may run more than once for one order, so it
    // passes on a key that stays the same (see job::idempotency_key for asynchronous work).
    std::promise<void> worked;
    const auto work = make_processor(
        [&](const order& it, std::stop_token) -> verdict {
            std::printf("working on %s\n", std::string(it.id.view()).c_str());
            worked.set_value();
            return advance{"complete"};
        },
        1);

    engine writes(*orders, status_machine::standard(), system_runtime());
    reader reads(*orders);
    worker works(writes, *work);
    works.start().value();

    submit_order submit;  // no id: the engine makes one
    submit.value.user = "123";
    submit.value.item_ids = {1001, 1002, 1003};
    submit.value.total_amount = {14999, "USD"};
    // Durable when it returns.
    const change_outcome made = writes.execute({.what = std::move(submit)});
    if (made.ec) {
        return std::fprintf(stderr, "%s\n", failure(made.ec, made.detail).message().c_str()), 1;
    }
    const std::string id(made.after->id.view());
    std::printf("%s\n", to_json(*made.after).c_str());

    worked.get_future().wait();
    works.stop(std::chrono::seconds(10));  // commits what was decided

    const auto found = reads.use([&](repository_reader& from) {
        return from.load({.ids = {&id, 1}});
    });
    const order& it = found.value().orders.at(0).value();
    std::printf("%s\n", to_json(it).c_str());
    return it.status == order_status("COMPLETED") ? 0 : 1;
}
