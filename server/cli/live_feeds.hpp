#ifndef ORDERPROC_SERVER_CLI_LIVE_FEEDS_HPP
#define ORDERPROC_SERVER_CLI_LIVE_FEEDS_HPP

// The live feed as a server has it: twice, for what a bound principal gets is less.

#include "api/api.hpp"

#include <orderproc/feed.hpp>
#include <orderproc/reader.hpp>

#include <cstddef>
#include <string>

namespace orderproc::server {

// The second costs nothing while nobody who is bound listens.
class live_feeds {
public:
    live_feeds(storage& orders, engine& writes, const std::string& event_source);
    std::size_t subscriptions() const noexcept {
        return all_.subscriptions() + bound_.subscriptions();
    }
    void add_to(api_parts& parts) noexcept;

private:
    reader all_reads_;
    reader bound_reads_;
    live_feed all_;
    live_feed bound_;
};

}  // namespace orderproc::server

#endif
