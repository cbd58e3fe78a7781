#ifndef ORDERPROC_TESTS_SERVER_ADDRESS_REGISTRY_HPP
#define ORDERPROC_TESTS_SERVER_ADDRESS_REGISTRY_HPP

// IANA's registries of special-purpose addresses, entry by entry as they are published
// (iana-ipv4-special-registry, iana-ipv6-special-registry, and the multicast blocks), read the slow
// way: bit by bit, the longest prefix decides.

#include <boost/asio/ip/address.hpp>

#include <string>
#include <vector>

namespace orderproc::server::testing {

enum class reach {
    global,      // "Globally Reachable: True", or not listed and allocated as unicast
    not_global,  // False or N/A
    embeds_v4,   // the last 32 bits are the address
    refused,     // True at IANA, and refused by us all the same
};

struct registry_entry {
    const char* first;
    unsigned bits;
    reach what;
};

inline const std::vector<registry_entry>& registry_v4() {
    static const std::vector<registry_entry> out{
        {"0.0.0.0", 0, reach::global},
        {"0.0.0.0", 8, reach::not_global},
        {"0.0.0.0", 32, reach::not_global},
        {"10.0.0.0", 8, reach::not_global},
        {"100.64.0.0", 10, reach::not_global},
        {"127.0.0.0", 8, reach::not_global},
        {"169.254.0.0", 16, reach::not_global},
        {"172.16.0.0", 12, reach::not_global},
        {"192.0.0.0", 24, reach::not_global},
        {"192.0.0.0", 29, reach::not_global},
        {"192.0.0.8", 32, reach::not_global},
        {"192.0.0.9", 32, reach::refused},
        {"192.0.0.10", 32, reach::refused},
        {"192.0.0.170", 32, reach::not_global},
        {"192.0.0.171", 32, reach::not_global},
        {"192.0.2.0", 24, reach::not_global},
        {"192.31.196.0", 24, reach::global},
        {"192.52.193.0", 24, reach::global},
        {"192.88.99.0", 24, reach::not_global},
        {"192.168.0.0", 16, reach::not_global},
        {"192.175.48.0", 24, reach::global},
        {"198.18.0.0", 15, reach::not_global},
        {"198.51.100.0", 24, reach::not_global},
        {"203.0.113.0", 24, reach::not_global},
        {"224.0.0.0", 4, reach::not_global},
        {"240.0.0.0", 4, reach::not_global},
        {"255.255.255.255", 32, reach::not_global},
    };
    return out;
}

inline const std::vector<registry_entry>& registry_v6() {
    static const std::vector<registry_entry> out{
        {"::", 0, reach::not_global},         {"2000::", 3, reach::global},
        {"::1", 128, reach::not_global},      {"::", 128, reach::not_global},
        {"::", 96, reach::not_global},        {"::ffff:0:0", 96, reach::embeds_v4},
        {"64:ff9b::", 96, reach::embeds_v4},  {"64:ff9b:1::", 48, reach::not_global},
        {"100::", 64, reach::not_global},     {"100:0:0:1::", 64, reach::not_global},
        {"2001::", 23, reach::not_global},    {"2001::", 32, reach::not_global},
        {"2001:1::1", 128, reach::refused},   {"2001:1::2", 128, reach::refused},
        {"2001:1::3", 128, reach::refused},   {"2001:2::", 48, reach::not_global},
        {"2001:3::", 32, reach::refused},     {"2001:4:112::", 48, reach::refused},
        {"2001:10::", 28, reach::not_global}, {"2001:20::", 28, reach::refused},
        {"2001:30::", 28, reach::refused},    {"2001:db8::", 32, reach::not_global},
        {"2002::", 16, reach::not_global},    {"2620:4f:8000::", 48, reach::global},
        {"3fff::", 20, reach::not_global},    {"5f00::", 16, reach::not_global},
        {"fc00::", 7, reach::not_global},     {"fe80::", 10, reach::not_global},
        {"fec0::", 10, reach::not_global},    {"ff00::", 8, reach::not_global},
    };
    return out;
}

using address_bits = std::vector<unsigned char>;  // one for each bit

inline address_bits bits_of(const boost::asio::ip::address& it) {
    address_bits out;
    const auto add = [&out](const auto& bytes) {
        for (const unsigned char byte : bytes) {
            for (int i = 7; i >= 0; --i) out.push_back(byte >> i & 1U);
        }
    };
    if (it.is_v4()) {
        add(it.to_v4().to_bytes());
    } else {
        add(it.to_v6().to_bytes());
    }
    return out;
}

// The registries, with their prefixes as bits.
class address_registry {
public:
    address_registry() : v4_(read(registry_v4())), v6_(read(registry_v6())) {}

    bool is_public(const boost::asio::ip::address& it) const {
        const address_bits bits = bits_of(it);
        if (it.is_v4()) return decide(v4_, bits) == reach::global;
        const reach found = decide(v6_, bits);
        if (found != reach::embeds_v4) return found == reach::global;
        return decide(v4_, {bits.end() - 32, bits.end()}) == reach::global;
    }

private:
    struct prefix {
        address_bits bits;
        reach what;
    };

    static std::vector<prefix> read(const std::vector<registry_entry>& entries) {
        std::vector<prefix> out;
        for (const registry_entry& it : entries) {
            address_bits bits = bits_of(boost::asio::ip::make_address(it.first));
            bits.resize(it.bits);
            out.push_back({std::move(bits), it.what});
        }
        return out;
    }
    static reach decide(const std::vector<prefix>& from, const address_bits& bits) {
        const prefix* longest = nullptr;
        for (const prefix& it : from) {
            if (longest && it.bits.size() < longest->bits.size()) continue;
            if (std::equal(it.bits.begin(), it.bits.end(), bits.begin())) longest = &it;
        }
        return longest->what;
    }

    std::vector<prefix> v4_, v6_;
};

}  // namespace orderproc::server::testing

#endif
