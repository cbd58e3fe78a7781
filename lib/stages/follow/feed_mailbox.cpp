#include "stages/follow/feed_mailbox.hpp"

#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

void feed_mailbox::complete(const cursor_outcome& outcome) noexcept {
    const auto self = std::move(kept);  // the stage may let go of everything else before we return
    leave([&](feed_mail& mail) { mail.moved = outcome; });
}

void feed_mailbox::committed() noexcept {
    leave([](feed_mail& mail) { mail.news = true; });
}

void feed_mailbox::try_again() noexcept {
    leave([](feed_mail& mail) { mail.again = true; });
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
