#include "testing/server_kit.hpp"

#include <chrono>
#include <iterator>
#include <thread>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

// Between two tries to connect, so that a server that starts is not kept busy by them.
constexpr milliseconds connect_pause{20};

std::chrono::steady_clock::time_point end_of_patience(bench& b) {
    return std::chrono::steady_clock::now() + b.harness().silence_max();
}

}  // namespace

void run(const server_entry& what, server_harness& harness) {
    server_under_test of{harness};
    judge(what.name, what.promise, of.storage_name, [&] { what.body(of); });
}

std::unique_ptr<storage> faulty_opening::open() {
    auto out = in_.open_with(what_);
    if (!out) throw case_skipped("the harness cannot arrange this fault of a connection");
    return out;
}

void connect_until_it_works(bench& b) {
    const auto until = end_of_patience(b);
    while (true) {
        const auto connected = b.connect_again();
        if (connected) return;
        const errc away = errc::unavailable;
        expect_equal("connecting while the server may be away", make_error_code(away),
                     connected.error().code);
        if (std::chrono::steady_clock::now() > until) {
            fail("the storage cannot be connected to any more: " + connected.error().message());
        }
        std::this_thread::sleep_for(connect_pause);
    }
}

bool resolve(bench& b, std::string_view writer, std::uint64_t sequence) {
    const auto until = end_of_patience(b);
    while (true) {
        const auto applied = b.writer().was_applied(writer, sequence);
        if (applied) return *applied;
        expect_equal("was_applied(), which cannot tell yet", make_error_code(errc::unavailable),
                     applied.error().code);
        if (std::chrono::steady_clock::now() > until) {
            fail("was_applied() cannot tell: " + applied.error().message());
        }
        connect_until_it_works(b);
    }
}

batch_outcome write_until_certain(bench& b, std::string_view writer, const batch& what) {
    const auto until = end_of_patience(b);
    batch_outcome out;
    while (true) {
        const auto answered = b.try_write(what, out);
        if (answered) return out;
        const bool unknown = answered.error().code == errc::outcome_unknown;
        if (!unknown && answered.error().code != errc::unavailable) {
            fail("write() failed: " + answered.error().message());
        }
        if (std::chrono::steady_clock::now() > until) {
            fail("nothing can be written any more: " + answered.error().message());
        }
        connect_until_it_works(b);
        if (unknown && resolve(b, writer, b.sequence())) return out;
    }
}

}  // namespace kit

std::span<const server_case> server_cases() {
    static const std::vector<server_case> all = [] {
        std::vector<server_case> out;
        for (auto part :
             {kit::server_answer_cases, kit::server_survival_cases, kit::server_snapshot_cases}) {
            auto cases = part();
            std::move(cases.begin(), cases.end(), std::back_inserter(out));
        }
        return out;
    }();
    return all;
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc
