#ifndef ORDERPROC_TESTS_UNIT_SCRIPTED_STORAGE_HPP
#define ORDERPROC_TESTS_UNIT_SCRIPTED_STORAGE_HPP

// The memory adapter, made to fail and to wait as a test wants, with a record of what it saw.

#include <orderproc/command.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/testing/builders.hpp>
#include <orderproc/testing/fault_storage.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

inline std::ostream& boost_test_print_type(std::ostream& out, errc value) {
    return out << make_error_code(value);
}

}  // namespace v1
}  // namespace orderproc

namespace orderproc::tests {

using testing::fault;
using testing::fault_call;

struct seen_batch {
    std::string writer;
    std::uint64_t sequence = 0;
    std::vector<std::string> orders;
    std::size_t claims = 0;
};

// write_params::guard, kept.
struct seen_guard {
    std::string collection, key;
    std::uint64_t version = 0;  // of none: 0, and no names
    friend bool operator==(const seen_guard&, const seen_guard&) = default;
};

class scripted_storage final : public storage {
public:
    explicit scripted_storage(std::size_t writers_max = 1) : writers_max_(writers_max) {
        outer_.on_call([this](const testing::fault_site& at) { note(at); });
    }

    storage_info info() const override {
        return {"scripted", writers_max_, false, {}, capabilities};
    }
    capability_set capabilities{capability::epochs, capability::records, capability::purge};
    result<std::unique_ptr<repository>> connect_writer() override {
        return outer_.connect_writer();
    }
    result<std::unique_ptr<repository_reader>> connect_reader() override {
        return outer_.connect_reader();
    }

    // What becomes of the writes, connects and was_applied() to come; then all goes well.
    void next_writes(std::initializer_list<fault> faults) {
        for (const fault it : faults) outer_.next(fault_call::write, it);
    }
    void mute_next_write() {  // written, with a failure that has no code
        outer_.next(fault_call::write, fault::unknown_written, failure{});
    }
    void fail_connects(std::size_t times, errc code = errc::unavailable) {
        for (; times > 0; --times) {
            outer_.next(fault_call::connect, fault::unavailable, failure{code, "as told"});
        }
    }
    void throw_at_connect() { outer_.next(fault_call::connect, fault::throws); }
    void throw_a_number_at_connect() {
        const std::lock_guard lock(mutex_);
        throw_a_number_ = true;
    }
    void fail_reads(std::size_t times) {
        for (; times > 0; --times) outer_.next(fault_call::read, fault::unavailable);
    }
    void fail_asks(std::size_t times) {
        for (; times > 0; --times) outer_.next(fault_call::was_applied, fault::unavailable);
    }

    // Writes that carry the order, or connects ("connect"), wait in there until let go.
    void hold(std::string name) {
        const std::lock_guard lock(mutex_);
        held_ = std::move(name);
    }
    void let_go() {
        const std::lock_guard lock(mutex_);
        held_.clear();
        changed_.notify_all();
    }
    void wait_for_held(std::size_t count = 1) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return inside_ >= count; });
    }
    void wait_for_asks(std::size_t count) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return asks_ >= count; });
    }

    std::vector<seen_batch> batches() const {
        const std::lock_guard lock(mutex_);
        return batches_;
    }
    std::vector<seen_guard> guards() const {  // of all writes
        const std::lock_guard lock(mutex_);
        return guards_;
    }
    std::size_t connects() const { return outer_.calls(fault_call::connect); }
    std::size_t open_max() const { return outer_.open_max(); }
    std::size_t asks() const { return outer_.calls(fault_call::was_applied); }
    // As a reader finds it: all the orders, oldest first.
    std::vector<order> orders() {
        auto reading = inner_->connect_reader();
        list_params all;
        all.descending = false;
        all.limit = 100000;
        return (*reading)->list(all)->orders;
    }
    std::vector<journal_entry> journal(std::string_view id) {
        auto reading = inner_->connect_reader();
        history_params all;
        all.order = id;
        return (*reading)->history(all).value();
    }

private:
    void note(const testing::fault_site& at) {
        std::unique_lock lock(mutex_);
        if (at.call == fault_call::connect) {
            pass(lock, "connect");
            if (std::exchange(throw_a_number_, false)) throw 42;
        }
        if (at.call == fault_call::was_applied) {
            ++asks_;
            changed_.notify_all();
        }
        if (!at.write) return;
        const write_params& params = *at.write;
        seen_batch seen{std::string(params.writer), params.sequence, {}, params.claims.size()};
        for (const change& it : params.changes) seen.orders.push_back(it.order);
        batches_.push_back(std::move(seen));
        guards_.emplace_back();
        if (params.guard) {
            guards_.back() = {std::string(params.guard->collection), std::string(params.guard->key),
                              params.guard->version};
        }
        for (const change& it : params.changes) pass(lock, it.order);
    }
    void pass(std::unique_lock<std::mutex>& lock, std::string_view name) {
        if (held_ != name) return;
        ++inside_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return held_ != name; });
        --inside_;
    }

    const std::size_t writers_max_;
    std::unique_ptr<storage> inner_ = make_memory_storage();
    testing::fault_storage outer_{*inner_};
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::string held_;
    bool throw_a_number_ = false;
    std::size_t inside_ = 0, asks_ = 0;
    std::vector<seen_batch> batches_;
    std::vector<seen_guard> guards_;
};

inline command create(std::string_view id) {
    return testing::order_builder{}.id(id).submit();
}

inline command raise(std::string_view id, std::string_view event) {
    command out;
    out.what = raise_event{std::string(id), std::string(event), "because"};
    return out;
}

inline command with_key(command what, unsigned char key, unsigned char body = 0) {
    idempotency once;
    once.key.fill(std::byte{key});
    once.body.fill(std::byte{body});
    what.idempotency_key = once;
    return what;
}

}  // namespace orderproc::tests

#endif
