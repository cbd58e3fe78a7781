#ifndef ORDERPROC_STAGES_FOLLOW_FEED_MAILBOX_HPP
#define ORDERPROC_STAGES_FOLLOW_FEED_MAILBOX_HPP

#include "stages/common/mailbox.hpp"

#include <orderproc/engine.hpp>

#include <memory>
#include <optional>

namespace orderproc {
inline namespace v1 {
namespace detail {

struct feed_mail {
    std::optional<cursor_outcome> moved;
    bool news = false;   // somebody committed
    bool again = false;  // the host has done what an entry waits for
    std::optional<clock::instant> stop_at;
};

// What other threads have for a stage that follows the journal. A cursor move that is under way
// keeps it alive, so that it may outlive the stage.
class ORDERPROC_EXPORT feed_mailbox final : public mailbox<feed_mail>, public cursor_completion {
public:
    using mailbox::mailbox;

    void complete(const cursor_outcome& outcome) noexcept override;
    void committed() noexcept;
    void try_again() noexcept;

    std::shared_ptr<feed_mailbox> kept;  // while a move is under way
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
