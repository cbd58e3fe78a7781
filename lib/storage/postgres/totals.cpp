#include "storage/postgres/totals.hpp"

#include "storage/postgres/order_row.hpp"

#include <chrono>
#include <cstddef>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

result<plan::totals> read_totals(const rows& latest) {
    if (latest.size() == 0) return failure{errc::corrupt, "the totals are gone"};
    result<plan::totals> out;
    out->stamp = latest.time(0, 1);
    out->number = latest.integer(0, 2);
    out->position = latest.natural(0, 3);
    out->floor = latest.natural(0, 4);
    out->record_version = latest.natural(0, 5);
    out->completed = latest.natural(0, 6);
    out->processing_time = std::chrono::milliseconds(latest.integer(0, 7));
    const auto statuses = latest.texts(0, 8);
    const auto orders = latest.integers(0, 9);
    const auto due_from = latest.integers(0, 10);
    if (orders.size() != statuses.size() || due_from.size() != statuses.size()) {
        return failure{errc::corrupt, "the totals are malformed"};
    }
    for (std::size_t i = 0; i < statuses.size(); ++i) {
        const auto status = read_status(statuses[i]);
        if (!status) return status.error();
        out->statuses[*status] = {orders[i], timestamp(std::chrono::milliseconds(due_from[i]))};
    }
    return out;
}

parameters totals_row(std::int64_t id, const plan::totals& sums, std::string_view writer,
                      std::uint64_t sequence, timestamp at) {
    array statuses(element::text), orders(element::integer), due_from(element::integer);
    for (const auto& [status, it] : sums.statuses) {
        statuses.add(status.view());
        orders.add(it.orders);
        due_from.add(it.due_from);
    }
    return parameters::of(id, sums.stamp, sums.number, sums.position, sums.floor,
                          sums.record_version, sums.completed,
                          std::int64_t{sums.processing_time.count()}, std::move(statuses),
                          std::move(orders), std::move(due_from), writer, sequence, at);
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
