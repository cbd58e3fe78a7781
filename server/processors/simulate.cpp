#include "processors/simulate.hpp"

#include "text/duration.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace orderproc::server {

namespace {

using std::chrono::milliseconds;
using steady = std::chrono::steady_clock;

constexpr std::int64_t delay_max_ms = 24 * 3'600'000;

struct plan {
    milliseconds takes{0};
    verdict says;
};

class simulation final : public processor {
public:
    simulation(simulation_options options, random_source& random)
        : options_(std::move(options)), random_(random), thread_([this] { run(); }) {}

    ~simulation() override {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    void start(job work) override {
        if (!options_.crash.empty() && work.value().id.view().starts_with(options_.crash)) {
            std::raise(SIGKILL);  // as the system does to who takes too much memory
        }
        plan next = plan_of(work.value());
        if (next.takes <= milliseconds::zero()) {
            std::move(work).finish(std::move(next.says));
            return;
        }
        bool earliest = false;
        {
            const std::lock_guard lock(mutex_);
            const auto at = waiting_.emplace(steady::now() + next.takes,
                                             std::pair(std::move(work), std::move(next.says)));
            earliest = at == waiting_.begin();
        }
        if (earliest) changed_.notify_one();
    }

private:
    double draw() { return static_cast<double>(random_.next() >> 11) / 9007199254740992.0; }

    verdict verdict_of(std::string_view outcome) const {
        if (outcome == "fail") return give_up{"simulated failure"};
        if (outcome == "retry") return retry_later{"simulated error", {}};
        return advance{options_.event};
    }

    plan plan_of(const order& value) {
        plan out{options_.takes, {}};
        if (options_.jitter > 0) {
            const double factor = 1 + options_.jitter * (2 * draw() - 1);
            out.takes = milliseconds(
                static_cast<std::int64_t>(static_cast<double>(out.takes.count()) * factor));
        }
        const double at = options_.fail + options_.retry > 0 ? draw() : 1;
        out.says = verdict_of(at < options_.fail                    ? "fail"
                              : at < options_.fail + options_.retry ? "retry"
                                                                    : "complete");
        if (value.metadata.find("simulate") != std::string::npos) ask(value.metadata, out);
        return out;
    }

    // What the order itself wants; what it says in any other form is not for us.
    void ask(const std::string& metadata, plan& out) const {
        boost::system::error_code ec;
        const auto parsed = boost::json::parse(metadata, ec);
        const auto* root = ec ? nullptr : parsed.if_object();
        const auto* wanted = root ? root->if_contains("simulate") : nullptr;
        const auto* says = wanted ? wanted->if_object() : nullptr;
        if (!says) return;
        if (const auto* delay = says->if_contains("delay_ms"); delay && delay->is_int64()) {
            out.takes = milliseconds(std::clamp<std::int64_t>(delay->get_int64(), 0, delay_max_ms));
        }
        const auto* outcome = says->if_contains("outcome");
        if (outcome && outcome->is_string()) {
            const boost::json::string& text = outcome->get_string();
            out.says = verdict_of({text.data(), text.size()});
        }
    }

    void run() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            if (waiting_.empty()) {
                changed_.wait(lock);
                continue;
            }
            const auto due = waiting_.begin()->first;
            if (steady::now() < due) {
                changed_.wait_until(lock, due);
                continue;
            }
            auto node = waiting_.extract(waiting_.begin());
            lock.unlock();
            std::move(node.mapped().first).finish(std::move(node.mapped().second));
            lock.lock();
        }
    }

    const simulation_options options_;
    random_source& random_;
    std::mutex mutex_;
    std::condition_variable changed_;
    // Bounded by the worker's in_flight_max.
    std::multimap<steady::time_point, std::pair<job, verdict>> waiting_;
    bool stopping_ = false;
    std::thread thread_;
};

// "fail=0.1"; false if it is none.
bool turn_knob(simulation_options& of, std::string_view text) {
    const std::size_t equals = std::min(text.find('='), text.size());
    const std::string_view name = text.substr(0, equals);
    const std::string_view value = text.substr(std::min(equals + 1, text.size()));
    if (name == "crash") {
        of.crash = value;
        return !value.empty();
    }
    double* const knob = name == "jitter"  ? &of.jitter
                         : name == "fail"  ? &of.fail
                         : name == "retry" ? &of.retry
                                           : nullptr;
    double number = -1;
    const auto [end, ec] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (!knob || ec != std::errc{} || end != value.data() + value.size()) return false;
    *knob = number;
    return number >= 0 && number <= 1;
}

}  // namespace

result<simulation_options> parse_simulation(std::string_view text) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto takes = parse_duration(text.substr(0, comma));
    if (!takes) return takes.error();
    simulation_options out;
    out.takes = *takes;
    text.remove_prefix(std::min(comma + 1, text.size()));
    while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        text.remove_prefix(std::min(one.size() + 1, text.size()));
        if (!turn_knob(out, one)) {
            return failure{errc::invalid_argument,
                           "\"" + std::string(one) +
                               "\" is none of jitter=, fail= and retry= with 0 to 1, or "
                               "crash=ORDER-ID-PREFIX"};
        }
    }
    if (out.fail + out.retry > 1) {
        return failure{errc::invalid_argument, "fail and retry together are more than 1"};
    }
    return out;
}

std::unique_ptr<processor> make_simulation(simulation_options options, random_source& random) {
    return std::make_unique<simulation>(std::move(options), random);
}

}  // namespace orderproc::server
