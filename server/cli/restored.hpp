#ifndef ORDERPROC_SERVER_CLI_RESTORED_HPP
#define ORDERPROC_SERVER_CLI_RESTORED_HPP

// What has to be done with a storage that was put back to an earlier state, before it is used.

#include "cli/redactor.hpp"
#include "cli/stored_model.hpp"

#include <orderproc/repository.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>

namespace orderproc::server {

struct restore_wish {
    std::string actor;
    std::string source;                     // of the state, for people: "orders-2026.db"
    std::span<const std::string> redacted;  // orders that were redacted since
};

struct restore_tally {
    redaction_tally redactions;
    std::size_t keys = 0;      // that were disabled
    std::size_t webhooks = 0;  // that were paused
};

// Pauses all work, redacts again what was redacted since, disables all API keys, pauses all
// webhook endpoints, begins a new epoch of the journal, and writes an audit record. Repeated, it
// does what is left to do.
result<restore_tally> make_restored_safe(storage& of, const shop_model& shop,
                                         const restore_wish& what);

// Each order that was not settled, oldest first: it may have been settled since. How many.
result<std::uint64_t> each_unfinished(repository_reader& from, const status_machine& machine,
                                      const std::function<void(const order&)>& show);

}  // namespace orderproc::server

#endif
