#ifndef ORDERPROC_STORAGE_POSTGRES_VALUES_HPP
#define ORDERPROC_STORAGE_POSTGRES_VALUES_HPP

// Parameters and results in PostgreSQL's binary format
// (postgresql.org/docs/15/protocol-overview.html#PROTOCOL-FORMAT-CODES). The schema has five types
// of columns: bigint, boolean, text, bytea, and arrays of bigint and of text.

#include <orderproc/timestamp.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

enum class element : std::uint32_t { boolean = 16, bytes = 17, integer = 20, text = 25 };

// One array with a single dimension, an element at a time.
class array {
public:
    explicit array(element type);

    void add(std::int64_t value);  // of an array of integers
    void add(std::uint64_t value) { add(static_cast<std::int64_t>(value)); }
    void add(timestamp value) { add(std::int64_t{value.time_since_epoch().count()}); }
    void add(bool value);
    void add(std::string_view value);  // of an array of text or bytes
    template <class T>
    void add(const std::optional<T>& value) {
        value ? add(*value) : add_null();
    }
    void add_null();

    std::string take() &&;

private:
    void begin_element(std::size_t size);

    std::string bytes_;
    std::uint32_t size_ = 0;
};

// The parameters of one statement, in order.
class parameters {
public:
    template <class... Values>
    static parameters of(Values&&... values) {
        parameters out;
        (out.add(std::forward<Values>(values)), ...);
        return out;
    }

    void add(std::int64_t value);
    void add(std::uint64_t value) { add(static_cast<std::int64_t>(value)); }
    void add(timestamp value) { add(std::int64_t{value.time_since_epoch().count()}); }
    void add(std::string_view value);
    void add(array&& value) { values_.emplace_back(std::move(value).take()); }
    template <class T>
    void add(const std::optional<T>& value) {
        if (value) {
            add(*value);
        } else {
            values_.emplace_back(std::nullopt);
        }
    }

    std::span<const std::optional<std::string>> all() const noexcept { return values_; }

private:
    std::vector<std::optional<std::string>> values_;
};

// What a statement answered. Views live as long as it.
class rows {
public:
    explicit rows(pg_result* it) noexcept : it_(it) {}

    int size() const noexcept;
    std::int64_t affected() const noexcept;  // how many rows it inserted, updated or deleted
    std::string_view tag() const noexcept;   // "COMMIT"
    bool is_null(int row, int column) const noexcept;
    std::int64_t integer(int row, int column) const noexcept;  // a boolean: 0 or 1
    std::uint64_t natural(int row, int column) const noexcept {
        return static_cast<std::uint64_t>(integer(row, column));
    }
    timestamp time(int row, int column) const noexcept {
        return timestamp(std::chrono::milliseconds(integer(row, column)));
    }
    std::optional<timestamp> time_if_any(int row, int column) const noexcept;
    std::string_view bytes(int row, int column) const noexcept;  // also of text
    // The elements of an array without NULL; none if it is malformed.
    std::vector<std::int64_t> integers(int row, int column) const;
    std::vector<std::string_view> texts(int row, int column) const;

private:
    struct clear {
        void operator()(pg_result* it) const noexcept;
    };
    std::vector<std::string_view> elements(int row, int column) const;

    std::unique_ptr<pg_result, clear> it_;
};

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
