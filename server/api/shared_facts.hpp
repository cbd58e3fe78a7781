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
#include <utility>

namespace orderproc::server {

class shared_facts {
public:
    using value = std::shared_ptr<const stored_facts>;

    // The engine outlives it.
    shared_facts(engine& of, std::chrono::milliseconds max_age);

    std::optional<result<value>> get(repository_reader& from);
    void expire() { shared_.expire(); }
    void wait(shared_read<stored_facts>::waiter done) { shared_.wait(std::move(done)); }

private:
    engine& engine_;
    shared_read<stored_facts> shared_;
};

// A request that is answered from the facts. Another read may come before, which says whether they
// are needed.
class facts_read : public pending_read {
public:
    explicit facts_read(shared_facts& from) : shared_(from) {}

    result<void> read(repository_reader& from) final;
    bool follow(std::function<void(result<void>)> done) final;

protected:
    // False: answer() needs no facts.
    virtual result<bool> read_before(repository_reader& /*from*/) { return true; }
    const stored_facts* facts() const noexcept { return facts_.get(); }  // none: not read

private:
    shared_facts& shared_;
    shared_facts::value facts_;
    bool waits_ = false;
};

}  // namespace orderproc::server

#endif
