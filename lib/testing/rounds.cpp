#include "testing/rounds.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

constexpr std::string_view go_on = "go on";
constexpr std::string_view end_here = "end";

// At most this long a round goes on beside a worker that is held. Enough for the others' work on
// a busy machine; a storage that makes them wait costs it once in two rounds.
constexpr microseconds beside_min{10'000};

}  // namespace

void rounds::run() {
    if (count_ == 0) {
        one_after_the_other();
    } else if (count_ % 2 == 0) {
        all_together();
    } else {
        one_held();
    }
    ask_all(workers_, group_.size());
    wait_for_all();
    ++count_;
}

void rounds::one_after_the_other() {
    for (std::size_t who = 0; who < workers_; ++who) {
        const auto begin = std::chrono::steady_clock::now();
        ask(who);
        wait_for_all();
        const auto took = std::chrono::ceil<microseconds>(std::chrono::steady_clock::now() - begin);
        typical_ = who == 0 ? took : std::min(typical_, took);
    }
}

void rounds::all_together() {
    ask_all(0, group_.size());
    wait_for_all();
}

void rounds::one_held() {
    const std::size_t turn = count_ / 2;
    const std::size_t held = turn % workers_;
    ask(held);
    // Each round stops it at another place of its work: the first time after an eighth of it.
    const bool late = wait_for(held, held + 1, typical_ * (1 + turn % 7) / 8);
    const bool stopped = !late && group_.hold(held);
    ask_all(0, held);
    ask_all(held + 1, workers_);
    if (stopped) {
        const microseconds beside = std::max(beside_min, 4 * typical_);
        wait_for(0, held, beside);
        wait_for(held + 1, workers_, beside);
        ask_all(workers_, group_.size());
        wait_for(workers_, group_.size(), beside);
        group_.let_go(held);
    }
    wait_for_all();
}

void rounds::ask(std::size_t who) {
    asked_[who] = 1;
    group_.tell(who, go_on);
}

void rounds::ask_all(std::size_t first, std::size_t last) {
    for (std::size_t who = first; who < last; ++who) ask(who);
}

bool rounds::answered(std::size_t first, std::size_t last) const {
    return std::count(asked_.begin() + static_cast<std::ptrdiff_t>(first),
                      asked_.begin() + static_cast<std::ptrdiff_t>(last), 1) == 0;
}

void rounds::hear(const process_group::saying& what) {
    asked_[what.who] = 0;
    hear_(what.who, what.text);
}

bool rounds::wait_for(std::size_t first, std::size_t last, microseconds at_most) {
    const auto until = std::chrono::steady_clock::now() + at_most;
    while (!answered(first, last)) {
        const auto left = std::chrono::ceil<microseconds>(until - std::chrono::steady_clock::now());
        if (left <= microseconds(0)) return false;
        if (const auto said = group_.next(left)) hear(*said);
    }
    return true;
}

void rounds::wait_for_all() {
    while (!answered(0, group_.size())) {
        const auto said = group_.next();
        if (!said) fail("a process ended without an answer");
        hear(*said);
    }
}

void rounds::end() {
    for (std::size_t who = 0; who < group_.size(); ++who) group_.tell(who, end_here);
    while (group_.next()) {
    }
}

batch_outcome write_beside_others(bench& b, const batch& what) {
    constexpr int tries_max = 1000;
    batch_outcome out;
    for (int i = 0; i < tries_max; ++i) {
        const auto ok = b.try_write(what, out);
        if (ok) return out;
        if (ok.error().code != errc::unavailable) {
            fail("write() failed while other processes write: " + ok.error().message());
        }
        b.close_writer();
        b.open_writer();
    }
    fail("write() answers errc::unavailable " + show(tries_max) +
         " times in a row while other processes write");
}

void answer_rounds(channel& to_case, const std::function<std::string()>& work) {
    while (const auto told = to_case.receive()) {
        if (told->text == end_here) return;
        to_case.send(work());
    }
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
