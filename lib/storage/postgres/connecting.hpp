#ifndef ORDERPROC_STORAGE_POSTGRES_CONNECTING_HPP
#define ORDERPROC_STORAGE_POSTGRES_CONNECTING_HPP

// From settings to a connection: to which of several hosts, and for how long to try.

#include "storage/postgres/connection.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

struct server_connection {
    std::unique_ptr<connection> db;
    std::int64_t timeline = 0;  // of its server
};

// Connects to the host that accepts writes. All hosts are tried at the same time. If several accept
// writes, because one of them was promoted while another one still runs, the one with the newest
// timeline is used.
//
// errc::unavailable: none of them accepts writes within connect_timeout, or none on the timeline
// that is known or a later one. A host that does not answer at all is not waited for when another
// one has answered.
result<server_connection> connect_to_primary(const connection_settings& settings,
                                             std::int64_t known_timeline = 0);

// The settings of each of the hosts, in order.
std::vector<connection_settings> settings_of_hosts(const connection_settings& all);

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc

#endif
