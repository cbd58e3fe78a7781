#ifndef ORDERPROC_SERVER_AUTH_SCOPE_HPP
#define ORDERPROC_SERVER_AUTH_SCOPE_HPP

// What somebody may do. Scopes are words in keys and in refusals, and bits here.

#include <orderproc/error.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::auth {

enum class scope : std::uint8_t {
    orders_read,   // read and list orders, their histories, events and the journal
    orders_write,  // create, edit and cancel orders
    read,          // statistics, reasons of the health checks
    webhooks,      // endpoints that are told of changes
    operate,       // retry orders, pause work
    erase,         // remove data for good
    metrics,       // scrape the metrics
};

std::string_view to_string(scope it) noexcept;  // "orders:read"
std::optional<scope> find_scope(std::string_view name) noexcept;
// All of them, separated by ", ".
std::string names_of_scopes();

class scope_set {
public:
    constexpr scope_set() noexcept = default;
    constexpr scope_set(std::initializer_list<scope> all) noexcept {
        for (const scope it : all) bits_ |= bit(it);
    }
    constexpr void add(scope it) noexcept { bits_ |= bit(it); }
    constexpr bool has(scope it) const noexcept { return (bits_ & bit(it)) != 0; }
    constexpr bool holds(const scope_set& all) const noexcept { return (all.bits_ & ~bits_) == 0; }
    constexpr bool meets(const scope_set& any) const noexcept { return (any.bits_ & bits_) != 0; }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    friend constexpr bool operator==(const scope_set&, const scope_set&) noexcept = default;

private:
    static constexpr std::uint8_t bit(scope it) noexcept {
        return static_cast<std::uint8_t>(1U << static_cast<unsigned>(it));
    }
    std::uint8_t bits_ = 0;
};

std::vector<scope> scopes_in(const scope_set& all);
std::string to_string(const scope_set& all, std::string_view between = " ");
// errc::invalid_argument: there is none, or one that is unknown.
result<scope_set> parse_scopes(std::span<const std::string> names);

// What a principal that is bound to a user or a tenant may hold at most: the other scopes show or
// change what belongs to everybody.
inline constexpr scope_set scopes_of_bound{scope::orders_read, scope::orders_write,
                                           scope::webhooks};
// What an event of a status machine may need.
inline constexpr scope_set scopes_of_events{scope::orders_write, scope::operate, scope::erase};
// What may be done from this machine while nobody has a credential.
inline constexpr scope_set scopes_without_key{scope::orders_read, scope::orders_write, scope::read,
                                              scope::operate, scope::metrics};

inline constexpr scope_set all_scopes{scope::orders_read, scope::orders_write, scope::read,
                                      scope::webhooks,    scope::operate,      scope::erase,
                                      scope::metrics};

}  // namespace orderproc::server::auth

#endif
