#include "processors/exec_processor.hpp"

#include "processors/child_process.hpp"

#include <orderproc/json.hpp>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <pthread.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <stop_token>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

namespace asio = boost::asio;

// Settings of ours may hold secrets, such as the broker's password; and the trace that we were
// started in is not the order's.
bool is_handed_on(std::string_view variable) {
    return !variable.starts_with("ORDERPROC_") && !variable.starts_with("TRACEPARENT=") &&
           !variable.starts_with("TRACESTATE=");
}

std::vector<std::string> inherited_environment() {
    std::vector<std::string> out;
    for (char** it = environ; *it; ++it) {
        if (is_handed_on(*it)) out.emplace_back(*it);
    }
    return out;
}

verdict judge(const child_end& end, const std::string& event) {
    if (!end.error.empty()) return retry_later{end.error, {}};
    if (end.signal == 0 && end.code == 0) return advance{event};
    std::string reason = end.signal != 0 ? "killed by signal " + std::to_string(end.signal)
                                         : "exit code " + std::to_string(end.code);
    if (!end.first_line.empty()) reason += ": " + end.first_line;
    if (end.signal != 0 || end.code == EX_TEMPFAIL) return retry_later{std::move(reason), {}};
    return give_up{std::move(reason)};
}

class exec_processor final : public processor {
public:
    exec_processor(exec_options options, std::string path)
        : options_(std::move(options)),
          path_(std::move(path)),
          inherited_(inherited_environment()),
          work_(asio::make_work_guard(context_)),
          thread_([this] {
              // Signals are the main thread's; a child that reads nothing is an error code.
              sigset_t all;
              sigfillset(&all);
              pthread_sigmask(SIG_BLOCK, &all, nullptr);
              context_.run();
          }) {}

    // Kills what still runs: the worker has released those orders, or lost them.
    ~exec_processor() override {
        asio::post(context_, [this] {
            stopped_ = true;
            waiting_.clear();
            for (const auto& it : running_) it->child.kill();
        });
        work_.reset();
        thread_.join();
    }

    // A process that was told to stop has its place until it is gone: a job started before then
    // would wait for the place while its time runs.
    std::size_t capacity() const noexcept override {
        return options_.processes_max - std::min(stopping_.load(), options_.processes_max);
    }

    void start(job work) override {
        auto it = std::make_shared<errand>(*this, std::move(work));
        asio::post(context_, [this, it = std::move(it)]() mutable { add(std::move(it)); });
    }

private:
    struct errand {
        errand(exec_processor& of, job it) : work(std::move(it)), child(of.context_) {}
        job work;
        child_process child;
        bool stopping = false;  // and counted as such
        std::optional<std::stop_callback<std::function<void()>>> on_stop;
    };
    using errand_pointer = std::shared_ptr<errand>;  // also the stop callback's

    void add(errand_pointer it) {
        if (stopped_ || it->work.stop().stop_requested()) return;
        if (running_.size() >= options_.processes_max) {
            waiting_.push_back(std::move(it));  // stopped jobs that are still being killed
            return;
        }
        run(it);
    }

    void run(const errand_pointer& it) {
        running_.insert(it);
        const std::weak_ptr<errand> weak = it;
        it->on_stop.emplace(it->work.stop(), [this, weak] {
            const auto known = weak.lock();
            if (!known) return;
            known->stopping = true;
            ++stopping_;
            asio::post(context_, [this, known] { known->child.stop(options_.grace); });
        });
        const child_command what{path_, options_.command, environment_of(it->work)};
        it->child.run(what, to_json(it->work.value(), *options_.model),
                      [this, it](const child_end& end) { finish(it, end); });
    }

    void finish(const errand_pointer& it, const child_end& end) {
        running_.erase(it);
        it->on_stop.reset();  // it has run by then, or never will
        if (it->stopping) --stopping_;
        std::move(it->work).finish(judge(end, options_.event));  // the worker looks for work again
        while (!waiting_.empty() && running_.size() < options_.processes_max) {
            const errand_pointer next = std::move(waiting_.front());
            waiting_.pop_front();
            add(next);
        }
    }

    std::vector<std::string> environment_of(const job& work) const {
        const auto variable = [](std::string_view name, std::string_view value) {
            return std::string(name).append(1, '=').append(value);
        };
        std::vector<std::string> out = inherited_;
        out.push_back(variable("ORDERPROC_ORDER_ID", work.value().id.view()));
        out.push_back(variable("ORDERPROC_STAGE", work.stage()));
        out.push_back(variable("ORDERPROC_ATTEMPT", std::to_string(work.attempt())));
        out.push_back(variable("ORDERPROC_IDEMPOTENCY_KEY", work.idempotency_key()));
        if (!work.traceparent().empty()) out.push_back(variable("TRACEPARENT", work.traceparent()));
        return out;
    }

    const exec_options options_;
    const std::string path_;
    const std::vector<std::string> inherited_;
    std::atomic<std::size_t> stopping_{0};  // processes that were told to stop and still run
    asio::io_context context_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    bool stopped_ = false;
    std::set<errand_pointer> running_;
    std::deque<errand_pointer> waiting_;
    std::thread thread_;
};

}  // namespace

result<std::unique_ptr<processor>> make_exec_processor(exec_options options) {
    if (options.command.empty() || options.processes_max == 0) {
        return failure{errc::invalid_argument, "exec: needs a program"};
    }
    auto path = find_program(options.command.front());
    if (!path) return std::move(path).error();
    return std::make_unique<exec_processor>(std::move(options), std::move(*path));
}

}  // namespace orderproc::server
