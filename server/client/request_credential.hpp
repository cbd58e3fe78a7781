#ifndef ORDERPROC_SERVER_CLIENT_REQUEST_CREDENTIAL_HPP
#define ORDERPROC_SERVER_CLIENT_REQUEST_CREDENTIAL_HPP

// How a server that we ask is told who we are.

#include "client/http_message.hpp"

#include <functional>
#include <string_view>

namespace orderproc::server {

struct request_credential {
    http_fields fields;  // sent with each request, such as Authorization
    // The fields that sign a request with this id and body; none: requests are not signed.
    std::function<result<http_fields>(std::string_view id, std::string_view body)> sign;

    bool empty() const noexcept { return fields.empty() && !sign; }
    // Call it when the body is there. id: what the receiver knows a repeated request by.
    // errc::unavailable: the request could not be signed.
    result<void> add_to(fetch_request& what, std::string_view id) const;
};

}  // namespace orderproc::server

#endif
