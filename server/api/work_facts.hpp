#ifndef ORDERPROC_SERVER_API_WORK_FACTS_HPP
#define ORDERPROC_SERVER_API_WORK_FACTS_HPP

// What the storage says of how work goes on now.

#include <orderproc/pause.hpp>
#include <orderproc/queries.hpp>
#include <orderproc/status_machine.hpp>
#include <orderproc/worker_record.hpp>

#include <cstdint>
#include <vector>

namespace orderproc::server {

// Costs the same at ten orders and ten million.
struct work_facts {
    timestamp read_at{};
    feed_position newest;  // what comes after it is not in what was read
    statistics counted;
    bool has_records = true;  // else there are neither pauses nor workers nor endpoints
    std::vector<work_pause> pauses;
    std::vector<worker_record> workers;  // those that are there, and some that are gone
};
result<work_facts> read_work_facts(repository_reader& from, timestamp now);

// How many orders have the status.
std::uint64_t orders_in(const statistics& counted, const order_status& status) noexcept;

// Nothing that the worker would work on may be claimed.
bool waits_for_resume(const worker_record& it, const std::vector<work_pause>& pauses,
                      const status_machine& machine);

}  // namespace orderproc::server

#endif
