#include "cli/record_write.hpp"

#include <orderproc/runtime.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace orderproc::server {

result<void> write_records(storage& orders, std::span<const change_record> what,
                           std::optional<record_guard> guard) {
    auto writer = orders.connect_writer();
    if (!writer) return std::move(writer).error();
    const runtime with = system_runtime();
    const std::string name = "records-" + std::to_string(with.random.next());
    write_params params;
    params.now = with.time.now();
    params.writer = name;
    params.sequence = 1;
    params.records = what;
    params.guard = guard;
    std::vector<record_outcome> outcomes(what.size());
    write_results results{};
    results.records = outcomes;
    if (auto ok = (*writer)->write(params, results); !ok) return ok;
    for (const record_outcome& it : outcomes) {
        if (it.ec) return failure{it.ec, "a record was changed by somebody else meanwhile"};
    }
    return {};
}

}  // namespace orderproc::server
