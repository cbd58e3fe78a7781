#ifndef ORDERPROC_SERVER_CLI_PURGER_HPP
#define ORDERPROC_SERVER_CLI_PURGER_HPP

#include <orderproc/engine.hpp>
#include <orderproc/purge_preview.hpp>
#include <orderproc/repository.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace orderproc::server {

// What is younger is never purged, because idempotency keys are kept that long.
std::chrono::milliseconds purge_age_min();

struct purge_wish {
    timestamp before{};       // orders whose latest change is older
    bool failed_too = false;  // dead letters as well, which hold a purge back otherwise
};

struct purge_tally {
    std::uint64_t orders = 0;   // that went, without those that had been deleted
    std::uint64_t entries = 0;  // of the journal that went
    purge_preview end;          // why it stopped
};

// Purges in steps, each of which is a write of its own, so that no order waits for long. Before the
// first step and after the last one an audit record says so. For one thread, which waits.
class purger {
public:
    static constexpr std::size_t step = 500;  // entries

    // All outlive it. actor: of the audit records. REQUIRES: the engine has threads, and the
    // storage capability::purge.
    purger(storage& of, engine& by, std::string actor);

    // go_on: asked after each step, and may wait; false ends it.
    result<purge_tally> run(const purge_wish& what,
                            const std::function<bool(const purge_tally&)>& go_on);
    // What run() would do, without what is deleted of the journal. go_on as above.
    result<purge_tally> look(const purge_wish& what,
                             const std::function<bool(const purge_tally&)>& go_on);

private:
    result<purge_preview> look_on(repository_reader& from, const purge_wish& what,
                                  const feed_position& after) const;
    result<purge_outcome> take(const purge_preview& next);
    result<void> note(const purge_wish& what, const std::string& outcome);

    storage& storage_;
    engine& engine_;
    const std::string actor_;
};

// "cursor relay has not passed what is there since 2026-…", for people; empty: nothing.
std::string held_text(const purge_preview& end);

}  // namespace orderproc::server

#endif
