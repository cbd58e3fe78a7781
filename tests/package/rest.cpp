// The library at rest, for `measure`: how many threads are there with nothing to do?

#include <orderproc/engine.hpp>
#include <orderproc/reader.hpp>
#include <orderproc/sqlite.hpp>
#include <orderproc/worker.hpp>

#include <cstdio>
#include <filesystem>
#include <iterator>

using namespace orderproc;

static long threads() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"),
                         std::filesystem::directory_iterator());
}

int main(int argc, char** argv) {
    const auto orders = open_sqlite({.path = argc > 1 ? argv[1] : "rest.db"}).value();
    const auto work = make_processor(
        [](const order&, std::stop_token) -> verdict { return advance{"complete"}; }, 1);
    const long before = threads();
    engine writes(*orders, status_machine::standard(), system_runtime());
    reader reads(*orders);
    const long engine_only = threads();
    worker works(writes, *work);
    works.start().value();
    std::printf(
        "%ld of the program with a processor of 1 thread; %ld with engine and reader; "
        "%ld with a worker\n",
        before, engine_only, threads());
    works.stop({});
}
