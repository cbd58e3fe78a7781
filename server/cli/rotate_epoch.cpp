#include "cli/rotate_epoch.hpp"

#include "cli/settings.hpp"
#include "cli/storage_settings.hpp"

#include <orderproc/runtime.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <utility>

namespace orderproc::server {

result<std::uint64_t> begin_new_epoch(storage& orders, std::string_view by) {
    const auto can = require(orders.info(), {capability::epochs}, by);
    if (!can) return can.error();
    auto writer = orders.connect_writer();
    if (!writer) return std::move(writer).error();
    // Half of them: some storages keep numbers with a sign.
    const std::uint64_t epoch = (system_runtime().random.next() >> 1) | 1;
    if (auto done = (*writer)->rotate_epoch(epoch); !done) return std::move(done).error();
    return epoch;
}

namespace {

int rotate_epoch(const storage_settings& settings) {
    auto orders = settings.open();
    if (!orders) return fail(orders.error());
    print_remarks(**orders);
    const auto epoch = begin_new_epoch(**orders, "orderproc rotate-epoch");
    if (!epoch) return fail(epoch.error());
    std::printf("%s: epoch %llu of the journal has begun\n", (*orders)->info().name.c_str(),
                static_cast<unsigned long long>(*epoch));
    return close_storage(**orders, 0);
}

}  // namespace

void add_rotate_epoch(command_line to) {
    auto* command = to.app.add_subcommand(
        "rotate-epoch",
        "Begins a new epoch of the journal, after a whole machine was restored from a copy");
    const auto settings = std::make_shared<storage_settings>();
    settings->add_to(*command);
    command->callback(
        [&run = to.run, settings] { run = [settings] { return rotate_epoch(*settings); }; });
}

}  // namespace orderproc::server
