// What an engine makes of a storage that tells of other processes' commits.

#include "engine_fixture.hpp"

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <utility>

using namespace orderproc;
using namespace orderproc::tests;

namespace {

// Its first watch fails, the next one cannot be made, and the one after it hears of a commit.
class failing_watches final : public storage {
public:
    storage_info info() const override { return inner_->info(); }
    result<std::unique_ptr<repository>> connect_writer() override {
        return inner_->connect_writer();
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return inner_->connect_reader();
    }
    result<std::unique_ptr<commit_watch>> watch() override {
        const int which = ++asked;
        if (which == 2) return failure{errc::unavailable, "not yet"};
        return std::make_unique<watch_of>(*this, which);
    }

    std::atomic<int> asked{0};
    std::promise<void> may_fail;

private:
    class watch_of final : public commit_watch {
    public:
        watch_of(failing_watches& of, int which) : of_(of), which_(which) {}
        result<bool> wait(std::chrono::milliseconds) override {
            if (which_ == 1) {
                of_.may_fail.get_future().wait();
                return failure{errc::unavailable, "the connection is lost"};
            }
            if (!std::exchange(told_, true)) return true;
            interrupted_.get_future().wait();
            return false;
        }
        void interrupt() noexcept override { interrupted_.set_value(); }

    private:
        failing_watches& of_;
        const int which_;
        bool told_ = false;
        std::promise<void> interrupted_;
    };

    std::unique_ptr<storage> inner_ = make_memory_storage(1);
};

class announcements final : public commit_listener {
public:
    void committed() noexcept override {
        if (++count == 2) second.set_value();
    }
    std::atomic<int> count{0};
    std::promise<void> second;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_watch_that_failed_is_built_anew) {
    failing_watches orders;
    announcements heard;
    {
        engine_options options;
        options.watch_others = true;
        engine it(orders, status_machine::standard(), system_runtime(), options);
        it.add_listener(heard);
        orders.may_fail.set_value();
        heard.second.get_future().wait();
        it.remove_listener(heard);
    }
    BOOST_TEST(orders.asked == 3);
}
