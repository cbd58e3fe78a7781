#ifndef ORDERPROC_SERVER_CLI_REDACTION_FOLLOWER_HPP
#define ORDERPROC_SERVER_CLI_REDACTION_FOLLOWER_HPP

#include "cli/redaction_log.hpp"

#include <orderproc/follower.hpp>
#include <orderproc/reader.hpp>

#include <memory>
#include <string>

namespace orderproc::server {

// Adds every redaction of the journal to the log, whoever made it, moments later and at least once.
// A log that cannot be written to is tried again, and reported to the engine's observer. A purge
// waits for it, as for any cursor.
class redaction_follower {
public:
    static constexpr const char* cursor = "redaction-log";

    // path: of the log; empty: nullptr. The storage and the engine outlive it. The error is that of
    // redaction_log::open().
    static result<std::unique_ptr<redaction_follower>> start(storage& of, engine& orders,
                                                             const std::string& path);

private:
    redaction_follower(storage& of, engine& orders, redaction_log log);
    follow_answer handle(std::span<const journal_entry> entries);

    redaction_log log_;
    reader reads_;
    journal_follower follower_;
};

}  // namespace orderproc::server

#endif
