#ifndef ORDERPROC_SERVER_OBSERVE_STATS_SAMPLER_HPP
#define ORDERPROC_SERVER_OBSERVE_STATS_SAMPLER_HPP

// Samples for GET /stats, from the looks of storage_probe.

#include "api/stats_history.hpp"

#include <orderproc/repository.hpp>
#include <orderproc/status_machine.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace orderproc::server {

// Has no thread and asks for no count of its own: each look of the probe brings one, and with the
// first look of each step of the history it looks at entries of the journal as well, so it sees
// what all processes over the storage do. On one thread at a time.
class stats_sampler {
public:
    // So many entries at most, in parts that are spread over all entries of a step: neighbours in
    // the journal are often of one batch.
    static constexpr std::size_t entries_max = 256;
    static constexpr std::size_t parts = 16;

    // All of them outlive it.
    stats_sampler(const status_machine& machine, clock& time, stats_history& to);

    // Takes a sample if one is due. An error of the storage leaves a gap.
    void look(repository_reader& from, const statistics& counted) noexcept;

private:
    std::optional<double> failed_since(repository_reader& from);
    bool read_part(repository_reader& from, const feed_position& after, std::size_t most);
    bool fails(const journal_entry& it) const noexcept;
    bool completes(const journal_entry& it) const noexcept;

    const status_machine& machine_;
    clock& time_;
    stats_history& to_;
    std::optional<feed_position> seen_;  // the end of what was sampled
    // Of the sample under way.
    std::size_t looked_at_ = 0;
    std::size_t failed_ = 0;
    std::vector<std::chrono::milliseconds> created_to_done_;
};

}  // namespace orderproc::server

#endif
