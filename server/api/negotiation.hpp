#ifndef ORDERPROC_SERVER_API_NEGOTIATION_HPP
#define ORDERPROC_SERVER_API_NEGOTIATION_HPP

#include <string_view>

namespace orderproc::server {

// How much Accept (RFC 9110, 12.5.1) likes "type/subtype", from 0 (not at all) to 1000; the most
// specific of its ranges counts. Empty: everything alike.
unsigned quality_of(std::string_view accept, std::string_view type) noexcept;

// Does Accept-Encoding (RFC 9110, 12.5.3) name gzip? A client that says nothing gets what is
// not packed.
bool accepts_gzip(std::string_view accept_encoding) noexcept;

// Does a client that sends this rather have Prometheus' text than JSON?
bool prefers_prometheus(std::string_view accept) noexcept;

}  // namespace orderproc::server

#endif
