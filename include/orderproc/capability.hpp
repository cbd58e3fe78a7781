#ifndef ORDERPROC_CAPABILITY_HPP
#define ORDERPROC_CAPABILITY_HPP

// What a storage may leave out. Everything else that repository.hpp describes is for all storages.

#include <orderproc/config.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace orderproc {
inline namespace v1 {

// A new one gets its name in to_string() and, in the conformance kit, cases that need it.
enum class capability : std::uint8_t {
    epochs,     // repository::rotate_epoch()
    records,    // write_params::records, and the reads of records
    purge,      // write_params::purges
    id_lists,   // list_sort::order_id, and list_params::id_prefix
    due_lists,  // list_sort::due_at
    totals,     // list_params::count_max
    positions,  // repository_reader::find_position(), so what has changed since a time
    indexes,    // stored_order::index, list_params::index, and values that are unique
    redaction,  // redact_order
};

// "epochs"
ORDERPROC_EXPORT std::string_view to_string(capability it) noexcept;

class capability_set {
public:
    constexpr capability_set() noexcept = default;
    constexpr capability_set(std::initializer_list<capability> all) noexcept {
        for (const capability it : all) bits_ |= bit(it);
    }

    constexpr bool empty() const noexcept { return bits_ == 0; }
    constexpr bool has(capability it) const noexcept { return (bits_ & bit(it)) != 0; }
    // What is in this set and not in the other.
    constexpr capability_set without(const capability_set& other) const noexcept {
        capability_set out;
        out.bits_ = bits_ & ~other.bits_;
        return out;
    }
    friend bool operator==(const capability_set&, const capability_set&) = default;

private:
    static constexpr std::uint64_t bit(capability it) noexcept {
        return std::uint64_t{1} << static_cast<unsigned>(it);
    }

    std::uint64_t bits_ = 0;
};

// "epochs, records", in the order of the enumeration.
ORDERPROC_EXPORT std::string to_string(const capability_set& all);

}  // namespace v1
}  // namespace orderproc

#endif
