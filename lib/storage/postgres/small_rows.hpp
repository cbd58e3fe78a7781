#ifndef ORDERPROC_STORAGE_POSTGRES_SMALL_ROWS_HPP
#define ORDERPROC_STORAGE_POSTGRES_SMALL_ROWS_HPP

// Idempotency keys, cursors and records as rows.

#include "storage/postgres/order_row.hpp"

#include <orderproc/adapter.hpp>

#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

class key_rows {
public:
    void add(const idempotency& once, std::int64_t number, order_version version, timestamp at) {
        key_.add(bytes_of(once.key));
        body_.add(bytes_of(once.body));
        number_.add(number);
        version_.add(static_cast<std::uint64_t>(version));
        at_.add(at);
    }
    // key, body, number, version, at
    parameters take() && {
        return parameters::of(std::move(key_), std::move(body_), std::move(number_),
                              std::move(version_), std::move(at_));
    }

private:
    array key_{element::bytes}, body_{element::bytes}, number_{element::integer},
        version_{element::integer}, at_{element::integer};
};

// name, owner, epoch, position, expires_at, moved_at
inline parameters cursor_row(std::string_view name, const stored_cursor& it) {
    return parameters::of(name, std::string_view(it.owner), it.at.epoch, it.at.offset,
                          it.expires_at, it.moved_at);
}

// collection, key, value, version, due_at, about
inline parameters record_row(std::string_view collection, const record& it) {
    return parameters::of(collection, std::string_view(it.key), std::string_view(it.value),
                          it.version, it.due_at, std::string_view(it.order));
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
