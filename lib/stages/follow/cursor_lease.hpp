#ifndef ORDERPROC_STAGES_FOLLOW_CURSOR_LEASE_HPP
#define ORDERPROC_STAGES_FOLLOW_CURSOR_LEASE_HPP

#include "stages/follow/feed_mailbox.hpp"

#include <orderproc/engine.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace orderproc {
inline namespace v1 {
namespace detail {

struct cursor_terms {
    std::string name;
    std::string owner;  // empty: one is made up
    std::chrono::milliseconds lease{};
    std::chrono::milliseconds move_every{};  // at most, while it is held
};

// What the stage wants of its cursor.
struct cursor_wish {
    feed_position done;     // the cursor is to stand here
    bool stopping = false;  // do not take it…
    bool finished = false;  // …and let it go
};

// Who holds a named cursor, and where it stands. The holder leads: it alone handles entries. A
// holder whose lease has ended by the monotonic clock does not lead, whether or not it was told.
// Used on the stage's thread.
class ORDERPROC_EXPORT cursor_lease {
public:
    enum class change : std::uint8_t { none, won, lost };

    // The answers come to the mailbox.
    cursor_lease(engine& orders, std::shared_ptr<feed_mailbox> answers, cursor_terms terms);

    // What is wrong with the terms; nullptr: nothing.
    const char* refusal() const noexcept;
    void name_owner();  // before all that follows

    // Each says what becomes of leading.
    change on_moved(const cursor_outcome& outcome) noexcept;
    change expire(clock::instant now) noexcept;
    // Takes the cursor, renews its lease, moves it or lets it go, when it is time for that. If this
    // throws, nothing was submitted.
    void keep(const cursor_wish& wish, clock::instant now);
    // When to call keep() and expire() next.
    clock::instant due(const cursor_wish& wish, clock::instant now) const noexcept;

    bool leading() const noexcept { return leading_; }
    // While it leads: when the lease ends unless it is renewed before.
    clock::instant leads_until() const noexcept { return leads_until_; }
    // It will not move any more: the engine accepts nothing.
    bool engine_stopped() const noexcept { return engine_stopped_; }
    // Of a stage that is stopping: nothing is left to do.
    bool over() const noexcept { return !moving_ && (!leading_ || engine_stopped_); }
    const feed_position& stored() const noexcept { return stored_; }  // as answered last
    const cursor_terms& terms() const noexcept { return terms_; }

private:
    bool wants_move(const cursor_wish& wish, clock::instant now) const noexcept;

    engine& engine_;
    runtime with_;
    const std::shared_ptr<feed_mailbox> answers_;
    cursor_terms terms_;

    bool leading_ = false;
    bool engine_stopped_ = false;
    bool moving_ = false;      // a move is under way…
    bool letting_go_ = false;  // …which ends the lease
    bool let_go_ = false;
    feed_position stored_;
    clock::instant moved_at_;  // the latest move was submitted
    clock::instant leads_until_;
    clock::instant move_due_;  // not before: after a failure, or while another one leads
    std::uint32_t failures_ = 0;
    std::optional<timestamp> held_until_;  // by another owner, as told last…
    clock::instant held_since_;            // …and told first
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
