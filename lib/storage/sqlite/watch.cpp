#include "watch.hpp"

#include "files.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::sqlite {

namespace {

class lock_file_watch final : public commit_watch {
public:
    lock_file_watch(descriptor events, descriptor interrupts) noexcept
        : events_(std::move(events)), interrupts_(std::move(interrupts)) {}

    result<bool> wait(std::chrono::milliseconds at_most) override {
        std::array<pollfd, 2> on{{{events_.get(), POLLIN, 0}, {interrupts_.get(), POLLIN, 0}}};
        constexpr std::int64_t longest = std::numeric_limits<int>::max();
        const auto time = std::clamp<std::int64_t>(at_most.count(), 0, longest);
        const int ready = ::poll(on.data(), on.size(), static_cast<int>(time));
        if (ready < 0 && errno != EINTR) return failed();
        if (ready <= 0 || on[1].revents != 0) return false;
        // All that came since: one commit or many, it is the same to the listener.
        alignas(inotify_event) std::array<char, 4096> buffer;
        while (::read(events_.get(), buffer.data(), buffer.size()) > 0) {
        }
        if (errno != EAGAIN && errno != EINTR) return failed();
        return true;
    }

    void interrupt() noexcept override {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto size = ::write(interrupts_.get(), &one, sizeof one);
    }

private:
    static failure failed() {
        return {errc::unavailable, std::string("inotify: ") + std::strerror(errno)};
    }

    const descriptor events_;
    const descriptor interrupts_;
};

}  // namespace

result<std::unique_ptr<commit_watch>> watch_lock_file(const std::string& path) {
    descriptor events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    descriptor interrupts(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (events.get() < 0 || interrupts.get() < 0 ||
        ::inotify_add_watch(events.get(), path.c_str(), IN_MODIFY) < 0) {
        return failure{errc::unavailable, path + ": " + std::strerror(errno)};
    }
    return std::make_unique<lock_file_watch>(std::move(events), std::move(interrupts));
}

}  // namespace detail::sqlite
}  // namespace v1
}  // namespace orderproc
