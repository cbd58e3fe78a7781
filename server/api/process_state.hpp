#ifndef ORDERPROC_SERVER_API_PROCESS_STATE_HPP
#define ORDERPROC_SERVER_API_PROCESS_STATE_HPP

// What this process knows of its broker and of its readers of the journal.

#include <orderproc/observer.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace orderproc::server {

struct broker_connection {
    std::string name;    // "relay"
    std::string broker;  // its name
    bool connected = false;
    std::string reason = {};  // when it is not
};

struct feed_progress {
    std::string cursor;
    bool leading = false;  // this process reads
    std::uint64_t behind = 0;
    std::chrono::milliseconds lag{0};
    feed_wait waits_for = feed_wait::nothing;
    std::chrono::milliseconds waited{0};
};

}  // namespace orderproc::server

#endif
