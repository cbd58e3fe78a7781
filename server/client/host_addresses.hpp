#ifndef ORDERPROC_SERVER_CLIENT_HOST_ADDRESSES_HPP
#define ORDERPROC_SERVER_CLIENT_HOST_ADDRESSES_HPP

#include <boost/asio/ip/address.hpp>

#include <vector>

namespace orderproc::server {

using host_addresses = std::vector<boost::asio::ip::address>;

}  // namespace orderproc::server

#endif
