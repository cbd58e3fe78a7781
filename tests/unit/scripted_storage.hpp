#ifndef ORDERPROC_TESTS_UNIT_SCRIPTED_STORAGE_HPP
#define ORDERPROC_TESTS_UNIT_SCRIPTED_STORAGE_HPP

// The memory adapter, made to fail and to wait as a test wants, with a record of what it saw.

#include <orderproc/command.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/repository.hpp>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <stdexcept>
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

enum class fate {
    applied,
    unavailable,  // nothing was written
    lost_before,  // nothing was written, and the caller cannot know
    lost_after,   // written, and the caller cannot know
    mute_after,   // written, with a failure that has no code
    throws_before,
    throws_after,
};

struct seen_batch {
    std::string writer;
    std::uint64_t sequence = 0;
    std::vector<std::string> orders;
    std::size_t claims = 0;
};

class scripted_storage final : public storage {
public:
    explicit scripted_storage(std::size_t writers_max = 1) : writers_max_(writers_max) {}

    storage_info info() const override { return {"scripted", writers_max_, false}; }
    result<std::unique_ptr<repository>> connect(connection_role role) override;

    // The fates of the writes, connects and was_applied() to come; then all goes well.
    void next_writes(std::initializer_list<fate> fates) {
        const std::lock_guard lock(mutex_);
        writes_.insert(writes_.end(), fates);
    }
    void fail_connects(std::size_t times, errc code = errc::unavailable) {
        const std::lock_guard lock(mutex_);
        connects_to_fail_ = times;
        connect_code_ = code;
    }
    void throw_at_connect() {
        const std::lock_guard lock(mutex_);
        throw_at_connect_ = true;
    }
    void fail_asks(std::size_t times) {
        const std::lock_guard lock(mutex_);
        asks_to_fail_ = times;
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
    std::size_t connects() const {
        const std::lock_guard lock(mutex_);
        return connects_;
    }
    std::size_t open_max() const {
        const std::lock_guard lock(mutex_);
        return open_max_;
    }
    std::size_t asks() const {
        const std::lock_guard lock(mutex_);
        return asks_;
    }
    // As a reader finds it: all the orders, oldest first.
    std::vector<order> orders() {
        auto reading = inner_->connect(connection_role::reader);
        list_params all;
        all.descending = false;
        all.limit = 100000;
        return (*reading)->list(all)->orders;
    }
    std::vector<journal_entry> journal(std::string_view id) {
        auto reading = inner_->connect(connection_role::reader);
        history_params all;
        all.order = id;
        return (*reading)->history(all).value();
    }

private:
    class connection;
    void pass(std::unique_lock<std::mutex>& lock, std::string_view name) {
        if (held_ != name) return;
        ++inside_;
        changed_.notify_all();
        changed_.wait(lock, [&] { return held_ != name; });
        --inside_;
    }

    const std::size_t writers_max_;
    std::unique_ptr<storage> inner_ = make_memory_storage();
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<fate> writes_;
    std::size_t connects_to_fail_ = 0;
    errc connect_code_ = errc::unavailable;
    bool throw_at_connect_ = false;
    std::size_t asks_to_fail_ = 0;
    std::string held_;
    std::size_t inside_ = 0;
    std::size_t connects_ = 0, open_ = 0, open_max_ = 0, asks_ = 0;
    std::vector<seen_batch> batches_;
};

class scripted_storage::connection final : public repository {
public:
    connection(scripted_storage& home, std::unique_ptr<repository> inner)
        : home_(home), inner_(std::move(inner)) {}
    ~connection() override {
        const std::lock_guard lock(home_.mutex_);
        --home_.open_;
    }

    result<void> write(const write_params& params, write_results& results) override {
        fate what = fate::applied;
        {
            std::unique_lock lock(home_.mutex_);
            seen_batch seen{std::string(params.writer), params.sequence, {}, params.claims.size()};
            for (const change& it : params.changes) seen.orders.push_back(it.order);
            home_.batches_.push_back(std::move(seen));
            if (!home_.writes_.empty()) {
                what = home_.writes_.front();
                home_.writes_.pop_front();
            }
            for (const change& it : params.changes) home_.pass(lock, it.order);
        }
        if (what == fate::unavailable) return failure{errc::unavailable, "as told"};
        if (what == fate::lost_before) return failure{errc::outcome_unknown, "as told"};
        if (what == fate::throws_before) throw std::runtime_error("as told");
        auto written = inner_->write(params, results);
        if (what == fate::lost_after) return failure{errc::outcome_unknown, "as told"};
        if (what == fate::mute_after) return failure{};
        if (what == fate::throws_after) throw 42;
        return written;
    }
    result<bool> was_applied(std::string_view writer, std::uint64_t sequence) override {
        {
            const std::lock_guard lock(home_.mutex_);
            ++home_.asks_;
            home_.changed_.notify_all();
            if (home_.asks_to_fail_ > 0) {
                --home_.asks_to_fail_;
                return failure{errc::unavailable, "as told"};
            }
        }
        return inner_->was_applied(writer, sequence);
    }
    result<loaded_orders> load(const load_params& params) override { return inner_->load(params); }
    result<order_page> list(const list_params& params) override { return inner_->list(params); }
    result<std::vector<journal_entry>> history(const history_params& params) override {
        return inner_->history(params);
    }
    result<feed_page> read_feed(const feed_params& params) override {
        return inner_->read_feed(params);
    }
    result<statistics> count() override { return inner_->count(); }
    result<std::optional<feed_position>> find_cursor(std::string_view name) override {
        return inner_->find_cursor(name);
    }
    result<std::vector<stored_cursor>> list_cursors() override { return inner_->list_cursors(); }

private:
    scripted_storage& home_;
    std::unique_ptr<repository> inner_;
};

inline result<std::unique_ptr<repository>> scripted_storage::connect(connection_role role) {
    std::unique_lock lock(mutex_);
    ++connects_;
    pass(lock, "connect");
    if (std::exchange(throw_at_connect_, false)) throw std::runtime_error("as told");
    if (connects_to_fail_ > 0) {
        --connects_to_fail_;
        return failure{connect_code_, "as told"};
    }
    auto inner = inner_->connect(role);
    if (!inner) return inner;
    open_max_ = std::max(open_max_, ++open_);
    return std::make_unique<connection>(*this, std::move(*inner));
}

inline command create(std::string_view id) {
    submit_order what;
    what.value.id = order_id::parse(id).value();
    what.value.user_id = 1;
    what.value.item_ids = {7};
    command out;
    out.what = std::move(what);
    return out;
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
    what.once = once;
    return what;
}

}  // namespace orderproc::tests

#endif
