#include "storage/postgres/values.hpp"

#include <libpq-fe.h>

#include <charconv>
#include <cstring>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

constexpr std::size_t array_head = 20;  // dimensions, has NULLs, type; size and lower bound

void append_big_endian(std::uint64_t value, std::size_t size, std::string& out) {
    for (std::size_t i = size; i-- > 0;) out += static_cast<char>(value >> (8 * i));
}

std::uint64_t read_big_endian(std::string_view bytes) noexcept {
    std::uint64_t out = 0;
    for (const char c : bytes) out = out << 8 | static_cast<unsigned char>(c);
    return out;
}

std::int64_t read_integer(std::string_view bytes) noexcept {
    return static_cast<std::int64_t>(read_big_endian(bytes));
}

}  // namespace

array::array(element type) {
    append_big_endian(1, 4, bytes_);  // dimensions
    append_big_endian(1, 4, bytes_);  // may have NULLs
    append_big_endian(static_cast<std::uint64_t>(type), 4, bytes_);
    append_big_endian(0, 4, bytes_);  // the size: see take()
    append_big_endian(1, 4, bytes_);  // the index of the first
}

void array::begin_element(std::size_t size) {
    ++size_;
    append_big_endian(size, 4, bytes_);
}

void array::add(std::int64_t value) {
    begin_element(8);
    append_big_endian(static_cast<std::uint64_t>(value), 8, bytes_);
}

void array::add(bool value) {
    begin_element(1);
    bytes_ += value ? '\1' : '\0';
}

void array::add(std::string_view value) {
    begin_element(value.size());
    bytes_ += value;
}

void array::add_null() {
    begin_element(0xFFFFFFFF);
}

std::string array::take() && {
    std::string size;
    append_big_endian(size_, 4, size);
    bytes_.replace(12, 4, size);
    return std::move(bytes_);
}

void parameters::add(std::int64_t value) {
    std::string bytes;
    append_big_endian(static_cast<std::uint64_t>(value), 8, bytes);
    values_.emplace_back(std::move(bytes));
}

void parameters::add(std::string_view value) {
    values_.emplace_back(std::string(value));
}

void rows::clear::operator()(pg_result* it) const noexcept {
    PQclear(it);
}

int rows::size() const noexcept {
    return PQntuples(it_.get());
}

std::int64_t rows::affected() const noexcept {
    const std::string_view text = PQcmdTuples(it_.get());
    std::int64_t out = 0;
    std::from_chars(text.data(), text.data() + text.size(), out);
    return out;
}

std::string_view rows::tag() const noexcept {
    return PQcmdStatus(it_.get());
}

bool rows::is_null(int row, int column) const noexcept {
    return PQgetisnull(it_.get(), row, column) != 0;
}

std::string_view rows::bytes(int row, int column) const noexcept {
    return {PQgetvalue(it_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(it_.get(), row, column))};
}

std::int64_t rows::integer(int row, int column) const noexcept {
    return read_integer(bytes(row, column));
}

std::optional<timestamp> rows::time_if_any(int row, int column) const noexcept {
    if (is_null(row, column)) return std::nullopt;
    return time(row, column);
}

std::vector<std::string_view> rows::elements(int row, int column) const {
    std::vector<std::string_view> out;
    std::string_view rest = bytes(row, column);
    if (rest.size() < array_head) return out;  // an empty array has no dimension
    const auto size = read_big_endian(rest.substr(12, 4));
    rest.remove_prefix(array_head);
    for (std::uint64_t i = 0; i < size && rest.size() >= 4; ++i) {
        const auto length = read_big_endian(rest.substr(0, 4));
        rest.remove_prefix(4);
        if (length > rest.size()) return {};
        out.push_back(rest.substr(0, length));
        rest.remove_prefix(length);
    }
    return out;
}

std::vector<std::int64_t> rows::integers(int row, int column) const {
    std::vector<std::int64_t> out;
    for (const std::string_view it : elements(row, column)) out.push_back(read_integer(it));
    return out;
}

std::vector<std::string_view> rows::texts(int row, int column) const {
    return elements(row, column);
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
