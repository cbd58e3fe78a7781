#include "api/shared_facts.hpp"

namespace orderproc::server {

namespace {

// How long one look at dead letters may keep a thread of the read pool from others' requests.
constexpr std::chrono::milliseconds scan_max(100);

}  // namespace

shared_facts::shared_facts(engine& of, std::chrono::milliseconds max_age)
    : engine_(of), shared_(of.runtime().time, max_age) {}

std::optional<result<shared_facts::value>> shared_facts::get(repository_reader& from) {
    return shared_.get([&] {
        clock& time = engine_.runtime().time;
        const auto end = time.monotonic() + scan_max;
        return read_stored_facts(from, engine_.machine(), time.now(),
                                 [&] { return time.monotonic() >= end; });
    });
}

result<void> facts_read::read(repository_reader& from) {
    const auto needed = read_before(from);
    if (!needed) return needed.error();
    if (!*needed) return {};
    auto got = shared_.get(from);
    waits_ = !got;
    if (waits_) return {};
    if (!*got) return got->error();
    facts_ = **got;
    return {};
}

bool facts_read::follow(std::function<void(result<void>)> done) {
    if (!waits_) return false;
    // The request is kept until done was called.
    shared_.wait([this, done = std::move(done)](const result<shared_facts::value>& got) {
        if (got) facts_ = *got;
        done(got ? result<void>() : result<void>(got.error()));
    });
    return true;
}

}  // namespace orderproc::server
