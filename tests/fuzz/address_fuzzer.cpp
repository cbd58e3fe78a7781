// The verdict on addresses, as text and as bytes: that of IANA's registries, and the same for an
// IPv4 address wherever it stands within IPv6.

#include "address_registry.hpp"
#include "client/address_guard.hpp"
#include "fuzz.hpp"

#include <algorithm>
#include <array>
#include <string>

using namespace orderproc;
using namespace orderproc::server;
namespace ip = boost::asio::ip;

namespace {

void check(const ip::address& it) {
    static const testing::address_registry registry;
    const bool verdict = is_public(it);
    ORDERPROC_EXPECT(verdict == registry.is_public(it));
    ORDERPROC_EXPECT(admits({}, {it}, {}) == verdict);
    ORDERPROC_EXPECT(!admits({}, {it}, {it}));
    ORDERPROC_EXPECT(!admits({}, {it, ip::make_address("10.0.0.1")}, {}));
    if (!it.is_v4()) return;
    for (const char* around : {"::ffff:0:0", "64:ff9b::"}) {
        auto bytes = ip::make_address_v6(around).to_bytes();
        const auto four = it.to_v4().to_bytes();
        std::copy(four.begin(), four.end(), bytes.begin() + 12);
        ORDERPROC_EXPECT(is_public(ip::address_v6(bytes)) == verdict);
        ORDERPROC_EXPECT(!admits({}, {ip::address_v6(bytes)}, {it}));
    }
    for (const char* tunnel : {"::", "64:ff9b:1::", "2002::", "2001::"}) {
        auto bytes = ip::make_address_v6(tunnel).to_bytes();
        const auto four = it.to_v4().to_bytes();
        std::copy(four.begin(), four.end(), bytes.begin() + 12);
        ORDERPROC_EXPECT(!is_public(ip::address_v6(bytes)));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::array<unsigned char, 16> bytes{};
    std::copy_n(data, std::min(size, bytes.size()), bytes.begin());
    check(ip::address_v6(bytes));
    check(ip::address_v4({bytes[0], bytes[1], bytes[2], bytes[3]}));
    boost::system::error_code ec;
    const auto read = ip::make_address(std::string(fuzz::text_of(data, size)), ec);
    if (!ec) check(read);
    return 0;
}
