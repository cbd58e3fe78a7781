#include "api/shared_facts.hpp"

namespace orderproc::server {

namespace {

// How long one look at dead letters may keep a thread of the read pool from others' requests.
constexpr std::chrono::milliseconds scan_max(100);

}  // namespace

shared_facts share_facts(engine& of, std::chrono::milliseconds max_age) {
    return {of.runtime().time, max_age, [&of](repository_reader& from) {
                clock& time = of.runtime().time;
                const auto end = time.monotonic() + scan_max;
                return read_stored_facts(from, of.machine(), time.now(),
                                         [&] { return time.monotonic() >= end; });
            }};
}

shared_work share_work(engine& of, std::chrono::milliseconds max_age) {
    clock& time = of.runtime().time;
    return {time, max_age,
            [&time](repository_reader& from) { return read_work_facts(from, time.now()); }};
}

}  // namespace orderproc::server
