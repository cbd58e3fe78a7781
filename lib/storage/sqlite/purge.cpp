#include "epochs.hpp"
#include "order_row.hpp"
#include "writer.hpp"

#include <optional>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

// An entry that the walk comes to, and what has become of its order since.
struct writer::passed_entry {
    std::int64_t position = 0;
    std::int64_t number = 0;
    order_version version{0};
    std::optional<order> current;  // as far as a purge needs it
    bool has_extra = false;        // current has what most orders do not have
};

purge_bounds writer::bounds_of(const purge_orders& what, const write_params& params) {
    std::vector<named_cursor> cursors;
    {
        auto found = cursors_.query();
        while (found.next()) {
            cursors.push_back({std::string(found.text(0)),
                               {static_cast<std::uint64_t>(found.integer(1)),
                                static_cast<std::uint64_t>(found.integer(2))},
                               found.time(3)});
        }
    }
    const auto epochs = read_epochs(db_, epochs_);
    return purge_bounds(what, params, cursors, epochs, static_cast<std::uint64_t>(sums_.floor),
                        static_cast<std::uint64_t>(sums_.position));
}

// All at once: a query must not go on over what is deleted meanwhile.
std::vector<writer::passed_entry> writer::passed(purge_bounds& bounds, std::size_t limit) {
    std::vector<passed_entry> out;
    auto row = walk_.query(sums_.floor, static_cast<std::int64_t>(limit));
    while (row.next() && bounds.passes(static_cast<std::uint64_t>(row.integer(0)), row.time(3))) {
        passed_entry& it = out.emplace_back();
        it.position = row.integer(0);
        it.number = row.integer(1);
        it.version = order_version{static_cast<std::uint64_t>(row.integer(2))};
        if (row.is_null(4)) continue;
        order& current = it.current.emplace();
        auto id = order_id::parse(row.text(4));
        if (!id) {
            db_.fail(errc::corrupt, "order number " + std::to_string(it.number) + " is malformed");
            return out;
        }
        current.id = std::move(*id);
        current.status = read_status(db_, row.text(5));
        current.version = order_version{static_cast<std::uint64_t>(row.integer(6))};
        current.settled_at = row.time_if_any(7);
        it.has_extra = row.integer(8) != 0;
    }
    return out;
}

purge_outcome writer::apply(const purge_orders& what, const write_params& params) {
    purge_outcome out;
    purge_bounds bounds = bounds_of(what, params);
    const auto entries = passed(bounds, what.limit + 1);
    for (const passed_entry& it : entries) {
        out.more = it.position - entries.front().position == static_cast<std::int64_t>(what.limit);
        if (out.more) break;
        sums_.floor = it.position;
        const order* const current = it.current ? &*it.current : nullptr;
        const order_version latest = current ? current->version : latest_version(it.number);
        if (ends_with(current, it.version, latest)) purge(it, out);
    }
    if (!entries.empty()) {
        dirty_ = true;
        set_floor_.run(sums_.floor);
    }
    if (!out.more) out.held_by = bounds.held_by();
    out.floor = {epoch_at(read_epochs(db_, epochs_), static_cast<std::uint64_t>(sums_.floor)),
                 static_cast<std::uint64_t>(sums_.floor)};
    return out;
}

// Of the entries of an order that is not there; 0: they went before, with its last one.
order_version writer::latest_version(std::int64_t number) {
    auto found = snapshots_.query(number);
    return order_version{found.next() ? static_cast<std::uint64_t>(found.integer(1)) : 0};
}

void writer::purge(const passed_entry& last, purge_outcome& out) {
    if (last.current) {
        records_.remove_of(last.current->id.view());
    } else {
        std::string id;
        {
            auto found = snapshots_.query(last.number);
            if (found.next()) id = read_snapshot(db_, found.text(2)).id.view();
        }
        records_.remove_of(id);
    }
    if (last.has_extra) {
        const auto current = find(last.number);
        if (current) index_.update(current->index, {}, last.number);
    }
    out.entries += static_cast<std::uint64_t>(remove_entries_.run(last.number, last.position));
    if (!last.current) return;  // deleted: its id is buried already
    remove_.run(last.number);
    bury(last.current->id.view(), last.number);
    count(last.current->status, -1);
    ++out.orders;
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
