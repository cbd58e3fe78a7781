#include "storage/postgres/watch.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail::postgres {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds poll_interval(80);
constexpr milliseconds reconnect_interval(1000);
// A server that does not answer this is gone, or as good as: others look for the next one when this
// has found it.
constexpr milliseconds answer_timeout(5000);

class writes_watch final : public commit_watch {
public:
    writes_watch(shared_state& shared, int interrupts) noexcept
        : shared_(shared), interrupts_(interrupts) {}
    ~writes_watch() override { ::close(interrupts_); }

    result<bool> wait(milliseconds at_most) override {
        const auto until =
            steady_clock::now() + std::min<milliseconds>(at_most, std::chrono::hours(24));
        while (true) {
            if (look()) return true;
            const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
            const milliseconds next = db_ ? poll_interval : reconnect_interval;
            if (rest(std::clamp(left, milliseconds(0), next))) return false;
            if (left <= milliseconds(0)) return false;
        }
    }

    void interrupt() noexcept override {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto size = ::write(interrupts_, &one, sizeof one);
    }

private:
    // Was there a write since the last look, or may there have been one? Have workers been told to
    // pause or to go on?
    bool look() {
        const bool connects = !db_;
        if (connects) {
            auto opened = connect(shared_);
            if (!opened) return false;
            db_ = std::move(opened->db);
            db_->answer_within(answer_timeout);
            timeline_ = opened->timeline;
        }
        db_->add(
            "SELECT id, position, (SELECT epoch FROM epochs ORDER BY id DESC LIMIT 1), "
            "(SELECT coalesce(sum(lost), 0)::bigint FROM epochs) "
            "FROM writes ORDER BY id DESC LIMIT 1");
        const auto found = db_->run();
        if (!found || found->front().size() == 0) {
            db_.reset();
            return false;
        }
        const rows& is = found->front();
        shared_.seen.saw(timeline_, {is.natural(0, 2), is.natural(0, 1)});
        const std::int64_t before = std::exchange(seen_, is.integer(0, 0));
        const std::int64_t lost_before = std::exchange(lost_, is.integer(0, 3));
        return connects || before != seen_ || lost_before != lost_;
    }

    // True: interrupted.
    bool rest(milliseconds time) const {
        pollfd on{interrupts_, POLLIN, 0};
        return ::poll(&on, 1, static_cast<int>(time.count())) > 0;
    }

    shared_state& shared_;
    const int interrupts_;
    std::unique_ptr<connection> db_;
    std::int64_t timeline_ = 0;
    std::int64_t seen_ = 0;
    std::int64_t lost_ = 0;
};

}  // namespace

result<std::unique_ptr<commit_watch>> watch_writes(shared_state& shared) {
    const int interrupts = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (interrupts < 0) return failure{errc::unavailable, std::strerror(errno)};
    return std::make_unique<writes_watch>(shared, interrupts);
}

}  // namespace detail::postgres
}  // namespace v1
}  // namespace orderproc
