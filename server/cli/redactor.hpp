#ifndef ORDERPROC_SERVER_CLI_REDACTOR_HPP
#define ORDERPROC_SERVER_CLI_REDACTOR_HPP

#include "cli/redaction_log.hpp"
#include "cli/stored_model.hpp"

#include <orderproc/redact.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/runtime.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server {

// What became of orders that were to be redacted.
struct redaction_tally {
    std::uint64_t redacted = 0;
    std::uint64_t unchanged = 0;       // had nothing left to be taken out
    std::vector<std::string> open;     // are not settled, and were left as they are
    std::vector<std::string> missing;  // there never was such an order, or it was purged
};

// Redacts orders by writes of its own, beside a server that is running. For one thread.
class redactor {
public:
    // All must outlive it. audited: each redaction has an audit record. log: each is in it before
    // it is made; none: there is no log.
    redactor(repository& orders, const shop_model& shop, std::string actor, bool audited,
             redaction_log* log);

    // Each order, if it needs it.
    result<redaction_tally> redact(std::span<const std::string> ids);
    // Those within the scope: see redact_orders().
    result<redact_report> redact_all(const order_scope& whose,
                                     const std::function<void(const redact_report&)>& progress);

private:
    result<void> redact_one(const std::string& id, redaction_tally& out);
    result<change_outcome> write(command what);
    result<void> log_first(const std::string& id);
    result<void> note(const order& it);

    repository& orders_;
    const shop_model& shop_;
    const std::string actor_;
    const bool audited_;
    redaction_log* const log_;
    runtime with_ = system_runtime();
    std::string name_;
    std::uint64_t sequence_ = 0;
};

// What was taken out may still be in the storage's log, which readers keep from being emptied.
// False: it still is after some seconds.
result<bool> empty_log_of(repository& orders);

}  // namespace orderproc::server

#endif
