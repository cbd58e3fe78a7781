#ifndef ORDERPROC_SERVER_API_WEBHOOK_BODY_HPP
#define ORDERPROC_SERVER_API_WEBHOOK_BODY_HPP

// What clients send about webhook endpoints, and what they are shown.

#include "api/json_body.hpp"

#include <orderproc/json.hpp>
#include <orderproc/status_machine.hpp>
#include <orderproc/webhook_store.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

inline constexpr std::chrono::hours webhook_overlap_default{24};
inline constexpr std::chrono::hours webhook_overlap_max{24 * 30};
inline constexpr std::size_t webhook_attempts_default = 100;
inline constexpr std::size_t webhook_attempts_max = 1000;

// Whether a URL may be called: errc::invalid_argument if not.
using url_judge = std::function<result<void>(std::string_view url)>;

// The members of an endpoint, each into `to`; null is as if it was never given. What is left out
// stays. since: only where it may be given.
body_faults read_webhook(std::string_view body, const status_machine& machine,
                         const url_judge& admits, webhook_draft& to,
                         std::optional<timestamp>* since);

struct rotation_body {
    std::chrono::seconds overlap = webhook_overlap_default;
};
body_faults read_rotation(std::string_view body, rotation_body& to);  // empty: the default

struct replay_body {
    std::string attempt;  // either this…
    std::optional<timestamp> since, until;
};
body_faults read_replay(std::string_view body, replay_body& to);

void write_webhook(const webhook_endpoint& it, std::string_view secret, std::string& out);
void write_attempt(const webhook_attempt& it, std::string& out);

}  // namespace orderproc::server

#endif
