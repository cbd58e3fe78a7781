#ifndef ORDERPROC_TESTS_SERVER_ECHO_SERVICE_HPP
#define ORDERPROC_TESTS_SERVER_ECHO_SERVICE_HPP

// Answers with the body of the request; at /later and /elsewhere when the test says so, at the
// second from whichever thread; at paths that end with large with more than any socket buffers, and
// at those that end with held once the test lets it go on.

#include "http/service.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace orderproc::server::testing {

inline constexpr std::size_t large_size = 32 << 20;

class echo_service final : public http::service {
public:
    std::unique_ptr<http::session> open(http::exchange& by) override {
        return std::make_unique<echo_session>(*this, by);
    }

    // Waits until that many requests wait, then lets them go on, in this thread.
    void release(std::size_t count) {
        std::vector<http::exchange*> go;
        {
            std::unique_lock lock(mutex_);
            wait(lock, [&] { return waiting_.size() >= count; });
            go = std::exchange(waiting_, {});
        }
        for (http::exchange* it : go) it->ready();
    }
    void wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        wait(lock, [&] { return waiting_.size() >= count; });
    }
    // Waits until there was a session, and none is left.
    void wait_for_the_end() {
        std::unique_lock lock(mutex_);
        wait(lock, [&] { return opened_ && sessions_ == 0; });
    }
    // Waits until an answer is being made that is held.
    void wait_until_held() {
        std::unique_lock lock(mutex_);
        wait(lock, [&] { return held_; });
    }
    void let_go() {
        const std::lock_guard lock(mutex_);
        held_ = false;
        changed_.notify_all();
    }
    std::atomic<std::thread::id> answered_by;  // the latest

private:
    class echo_session final : public http::session {
    public:
        echo_session(echo_service& owner, http::exchange& by) : owner_(owner), by_(by) {
            const std::lock_guard lock(owner_.mutex_);
            ++owner_.sessions_;
            owner_.opened_ = true;
        }
        // Who sends X-Proven has proved to be that; of X-Bound the orders would be its own alone.
        bool admit(http::request& in, http::response&) noexcept override {
            in.principal = in.find("X-Proven");
            in.bound = !in.find("X-Bound").empty();
            return true;
        }
        ~echo_session() override {
            const std::lock_guard lock(owner_.mutex_);
            --owner_.sessions_;
            owner_.changed_.notify_all();
        }
        http::step begin(const http::request& in, http::response& out) noexcept override {
            const bool elsewhere = in.path.starts_with("/elsewhere");
            if (!in.path.starts_with("/later") && !elsewhere) return resume(in, out);
            const std::lock_guard lock(owner_.mutex_);
            owner_.waiting_.push_back(&by_);
            owner_.changed_.notify_all();
            return elsewhere ? http::step::answer_follows : http::step::waiting;
        }
        http::step resume(const http::request& in, http::response& out) noexcept override {
            const bool large = in.path.ends_with("large");
            if (in.path.ends_with("held")) owner_.hold();
            out.body = large ? std::string(large_size, 'x') : std::string(in.body);
            owner_.answered_by = std::this_thread::get_id();
            for (const http::field& it : in.fields) {
                if (it.name.starts_with("X-Echo")) out.add(it.name, it.value);
            }
            return http::step::answered;
        }

    private:
        echo_service& owner_;
        http::exchange& by_;
    };

    template <class Condition>
    void wait(std::unique_lock<std::mutex>& lock, Condition holds) {
        // Only a failing test waits for it.
        if (!changed_.wait_for(lock, std::chrono::seconds(60), holds)) {
            throw std::runtime_error("the server did not do it within a minute");
        }
    }

    void hold() {
        std::unique_lock lock(mutex_);
        held_ = true;
        changed_.notify_all();
        changed_.wait(lock, [&] { return !held_; });
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
    std::vector<http::exchange*> waiting_;
    std::size_t sessions_ = 0;
    bool opened_ = false;
};

}  // namespace orderproc::server::testing

#endif
