#ifndef ORDERPROC_STAGES_ENGINE_ENGINE_WRITER_HPP
#define ORDERPROC_STAGES_ENGINE_ENGINE_WRITER_HPP

// Gets one batch at a time committed and answered, whatever becomes of the connection.

#include "stages/engine/clock_check.hpp"
#include "stages/engine/commit_listeners.hpp"
#include "stages/engine/engine_queue.hpp"
#include "stages/engine/pause_gate.hpp"
#include "stages/engine/present_model.hpp"

#include <orderproc/engine.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

// How long housekeeping rests that a reader was in the way of.
inline constexpr std::chrono::milliseconds tidy_pause{5000};

// Used by one thread at a time.
class engine_writer {
public:
    engine_writer(storage& orders, runtime with, present_model& model, commit_listeners& listeners,
                  const engine_options& options);

    // To be filled by the caller when it is empty; advance() empties it by answering.
    engine_batch& batch() noexcept { return batch_; }

    // Writes the batch, or finds out what became of an earlier write of it. It is answered
    // when this returns, unless the outcome is still in doubt: then call again.
    // REQUIRES: a batch that is not empty.
    result<void> advance() noexcept;

    // To be called when nothing waits: the storage's housekeeping. True: call again in a while.
    bool tidy() noexcept;
    std::optional<clock::instant> tidy_due() const noexcept { return tidy_due_; }

private:
    result<void> try_to_finish();
    void load();
    result<void> load_claims();
    result<void> look_for_pauses() noexcept;
    claim_outcome* outcome_of_claim(std::size_t at) noexcept;
    void notice_pauses() noexcept;
    std::size_t size() const noexcept;  // of what is to be written
    result<void> connect();
    result<void> write();
    result<void> write_under_present_model();
    result<void> reload_model();
    void check_clock(timestamp now) noexcept;
    result<bool> resolve();
    result<void> fail_by_exception(const char* text) noexcept;

    void finish(const failure& why) noexcept;
    bool tell_observer() noexcept;
    void tell_of_key(const change_outcome& outcome) noexcept;
    void answer(const failure& why) noexcept;
    static void explain(change_outcome& refused, const change& what) noexcept;
    static change_outcome failed(const failure& why) noexcept;

    storage& orders_;
    runtime with_;
    present_model& model_;
    commit_listeners& listeners_;
    const std::size_t resolve_attempts_;
    const std::chrono::milliseconds keys_kept_;
    const std::string name_;  // this writer's, to the storage
    std::uint64_t sequence_;  // starts at random, should a name ever come up twice
    std::unique_ptr<repository> connection_;
    std::optional<clock::instant> tidy_due_;  // none: the storage has put nothing off

    clock_check clock_;
    pause_gate pauses_;
    engine_batch batch_;
    bool loaded_ = false;
    bool in_doubt_ = false;  // a write was begun, and nobody knows what became of it
    bool threw_ = false;     // it threw, and left no results
    std::size_t resolves_ = 0;
    std::chrono::steady_clock::duration write_time_{};

    // Of the batch, kept between batches for their memory.
    std::vector<change> changes_;
    std::vector<claim> claims_;
    // Of each claim of the batch: where it is in claims_, or not_claimed.
    static constexpr std::size_t not_claimed = static_cast<std::size_t>(-1);
    std::vector<std::size_t> claim_at_;
    error_code claims_failed_;  // the pauses cannot be read: what is not a claim goes on
    std::vector<change_outcome> change_outcomes_;
    std::vector<claim_outcome> claim_outcomes_;
    std::vector<commit_cursor> cursors_;
    std::vector<cursor_outcome> cursor_outcomes_;
    std::vector<change_record> records_;
    std::vector<record_outcome> record_outcomes_;
    std::vector<purge_orders> purges_;
    std::vector<purge_outcome> purge_outcomes_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
