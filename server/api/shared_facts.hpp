#ifndef ORDERPROC_SERVER_API_SHARED_FACTS_HPP
#define ORDERPROC_SERVER_API_SHARED_FACTS_HPP

// What the storage says of how work goes on, read once for all who ask within a few seconds. It
// occupies one thread of the read pool at most, however many look on.

#include "api/checks.hpp"
#include "api/pending_read.hpp"
#include "api/shared_read.hpp"

#include <orderproc/engine.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace orderproc::server {

// T is what is read.
template <class T>
class shared_source {
public:
    using value = std::shared_ptr<const T>;
    using reading = std::function<result<T>(repository_reader&)>;

    // The clock outlives it.
    shared_source(clock& time, std::chrono::milliseconds max_age, reading read)
        : read_(std::move(read)), shared_(time, max_age) {}

    // As shared_read's.
    std::optional<result<value>> get(repository_reader& from) {
        return shared_.get([&] { return read_(from); });
    }
    void expire() { shared_.expire(); }
    void wait(typename shared_read<T>::waiter done) { shared_.wait(std::move(done)); }

private:
    const reading read_;
    shared_read<T> shared_;
};

// A request that is answered from what is shared. Another read may come before, which says whether
// it is needed.
template <class T>
class shared_source_read : public pending_read {
public:
    explicit shared_source_read(shared_source<T>& from) : shared_(from) {}

    result<void> read(repository_reader& from) final {
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

    bool follow(std::function<void(result<void>)> done) final {
        if (!waits_) return false;
        // The request is kept until done was called.
        shared_.wait(
            [this, done = std::move(done)](const result<typename shared_source<T>::value>& got) {
                if (got) facts_ = *got;
                done(got ? result<void>() : result<void>(got.error()));
            });
        return true;
    }

protected:
    // False: answer() needs no facts.
    virtual result<bool> read_before(repository_reader& /*from*/) { return true; }
    const T* facts() const noexcept { return facts_.get(); }  // none: not read

private:
    shared_source<T>& shared_;
    typename shared_source<T>::value facts_;
    bool waits_ = false;
};

using shared_facts = shared_source<stored_facts>;
using facts_read = shared_source_read<stored_facts>;
using shared_work = shared_source<work_facts>;

// The engine outlives what these return.
shared_facts share_facts(engine& of, std::chrono::milliseconds max_age);
shared_work share_work(engine& of, std::chrono::milliseconds max_age);

}  // namespace orderproc::server

#endif
