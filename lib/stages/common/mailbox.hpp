#ifndef ORDERPROC_STAGES_COMMON_MAILBOX_HPP
#define ORDERPROC_STAGES_COMMON_MAILBOX_HPP

#include "stages/common/notifier.hpp"

#include <orderproc/runtime.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

// What other threads have for a stage: they leave it here and wake the stage, which takes it on its
// own thread. Mail has what may be left, and stop_at, an optional point in time. Safe to use from
// any thread.
template <class Mail>
class mailbox {
public:
    explicit mailbox(std::function<void()> on_ready) : notifier(std::move(on_ready)) {}
    mailbox(const mailbox&) = delete;
    mailbox& operator=(const mailbox&) = delete;

    // When the stage has to be done. The earliest one counts.
    void stop_at(clock::instant deadline) noexcept {
        leave([deadline](Mail& mail) {
            mail.stop_at = mail.stop_at ? std::min(*mail.stop_at, deadline) : deadline;
        });
    }

    // All that was left since the last call, and stop_at.
    Mail take() noexcept {
        const std::lock_guard lock(mutex_);
        Mail out = std::exchange(mail_, Mail());
        mail_.stop_at = out.stop_at;
        return out;
    }

    detail::notifier notifier;

protected:
    ~mailbox() = default;

    // edit(mail) runs under the lock.
    template <class Edit>
    void leave(Edit edit) noexcept {
        {
            const std::lock_guard lock(mutex_);
            edit(mail_);
        }
        notifier.notify();
    }

private:
    std::mutex mutex_;
    Mail mail_;
};

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
