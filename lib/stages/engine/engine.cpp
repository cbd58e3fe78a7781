#include "core/lower_into.hpp"
#include "stages/common/notifier.hpp"
#include "stages/engine/command_batch.hpp"
#include "stages/engine/commit_listeners.hpp"
#include "stages/engine/engine_queue.hpp"
#include "stages/engine/engine_writer.hpp"
#include "stages/engine/other_commits.hpp"
#include "stages/engine/present_model.hpp"

#include <orderproc/engine.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

// A writer's memory grows with its batches, and no storage gains from longer ones.
constexpr std::size_t batch_limit = 65'536;
constexpr std::chrono::milliseconds pause_min{10};
constexpr std::chrono::milliseconds pause_max{1000};

const engine_options& checked(const engine_options& options, const order_model& model,
                              const storage& orders) {
    const auto expect = [](bool holds, std::string rule) {
        if (!holds) throw std::invalid_argument("engine_options::" + rule);
    };
    if (model.has_indexes()) {
        auto ok = require(orders.info(), {capability::indexes}, "a model with indexes");
        if (!ok) throw std::invalid_argument(ok.error().detail);
    }
    if (options.stored_model) {
        auto ok = require(orders.info(), {capability::records}, "a stored model");
        if (!ok) throw std::invalid_argument(ok.error().detail);
        const model_record& it = *options.stored_model;
        const change_record sample{record_action::remove, it.collection, it.key, it.version};
        ok = validate(sample);
        if (!ok) throw std::invalid_argument("engine_options::stored_model: " + ok.error().detail);
        expect(it.version >= 1 && it.read, "stored_model: a version and a function that reads it");
    }
    const std::size_t writers_max = std::max<std::size_t>(orders.info().writers_max, 1);
    expect(options.queue_max >= 1, "queue_max: at least 1");
    expect(options.batch_max >= 1 && options.batch_max <= batch_limit, "batch_max: 1 to 65,536");
    expect(options.threads <= writers_max,
           "threads: the storage takes at most " + std::to_string(writers_max) + " writers");
    expect(options.keys_kept >= options.keys_kept.zero(), "keys_kept: not negative");
    return options;
}

// Its own owner until it was called.
class calling final : public completion {
public:
    explicit calling(std::function<void(change_outcome&)> what) : what_(std::move(what)) {}
    void complete(change_outcome& outcome) noexcept override {
        const std::unique_ptr<calling> ends(this);
        what_(outcome);
    }

private:
    std::function<void(change_outcome&)> what_;
};

// What another thread will say, or this one in the course of running the engine.
template <class T>
class awaited {
public:
    void set(T&& value) noexcept {
        // Notified under the lock: the one who waits destroys this as soon as it can.
        const std::lock_guard lock(mutex_);
        value_ = std::move(value);
        done_ = true;
        ready_.notify_one();
    }
    bool done() const noexcept {
        const std::lock_guard lock(mutex_);
        return done_;
    }
    T wait() {
        std::unique_lock lock(mutex_);
        ready_.wait(lock, [this] { return done_; });
        return std::move(value_);
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable ready_;
    bool done_ = false;
    T value_;
};

class waiter final : public completion {
public:
    void complete(change_outcome& outcome) noexcept override { answer.set(std::move(outcome)); }
    awaited<change_outcome> answer;
};

}  // namespace

class engine::impl {
public:
    impl(storage& orders, const status_machine& machine, const order_model& model,
         orderproc::runtime with, const engine_options& options)
        : machine_(machine),
          model_(model, orders, options.stored_model),
          with_(with),
          storage_(orders.info()),
          queue_(options.queue_max, options.batch_max, std::max<std::size_t>(options.threads, 1),
                 with.random) {
        const std::size_t writers = std::max<std::size_t>(options.threads, 1);
        for (std::size_t i = 0; i < writers; ++i) {
            writers_.emplace_back(orders, with, model_, listeners_, options);
        }
        if (options.threads == 0 && options.on_ready) ready_.emplace(options.on_ready);
        threads_.reserve(options.threads);
        try {
            if (options.watch_others) others_.emplace(orders, with, listeners_);
            for (std::size_t i = 0; i < options.threads; ++i) start_thread(i);
        } catch (...) {
            queue_.stop();  // or those that started would be joined for ever
            throw;
        }
    }

    ~impl() {
        queue_.stop();
        if (!threads_.empty()) return;
        while (queue_.size() > 0 || !writers_.front().batch().empty()) (void)advance();
        if (ready_) ready_->close();
    }

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    result<void> submit(command&& what, completion& done) {
        change& lowered = detail::engine_queue::what(done);
        auto ok =
            detail::lower_into(lowered, std::move(what), machine_, with_, *model_.get().model);
        if (ok && std::holds_alternative<redact_order>(lowered.action)) {
            ok = require(storage_, {capability::redaction}, "a redaction");
        }
        if (!ok) return ok;
        return push(done, detail::engine_node::kind::command);
    }

    template <class... Args>
    result<void> push(Args&&... args) {
        auto queued = queue_.push(std::forward<Args>(args)...);
        if (queued && ready_) ready_->notify();
        return queued;
    }

    // For the host: not before it is time to ask again for a write in doubt.
    result<std::size_t> run_once() {
        if (ready_) ready_->begin();
        const bool early = doubt_pause_ && with_.time.monotonic() < ask_at_;
        auto carried = early ? result<std::size_t>(std::size_t{0}) : advance();
        if (ready_) (void)ready_->end();
        return carried;
    }

    clock::instant next_due() const noexcept {
        if (doubt_pause_) return ask_at_;
        if (queue_.size() > 0) return clock::instant::min();
        return writers_.front().tidy_due().value_or(clock::instant::max());
    }

    template <class T>
    T wait_for(awaited<T>& answer) {
        while (threads_.empty() && !answer.done()) (void)advance();
        return answer.wait();
    }

    const status_machine& machine_;
    detail::present_model model_;
    orderproc::runtime with_;
    const storage_info storage_;
    detail::commit_listeners listeners_;
    detail::engine_queue queue_;

private:
    // One batch, or one question after it.
    result<std::size_t> advance() {
        const std::lock_guard running(running_);
        detail::engine_writer& writer = writers_.front();
        const bool fresh = writer.batch().empty();
        if (fresh && !queue_.take(0, writer.batch())) {
            writer.tidy();
            return 0;
        }
        const std::size_t carried = writer.batch().size();
        const auto ok = writer.advance();
        set_pause(fresh, !writer.batch().empty());
        if (ok) return carried;
        try {
            return ok.error();
        } catch (const std::exception&) {  // no memory for its text
            return errc::unavailable;
        }
    }

    // In doubt: what became of it is asked at once, then ever more rarely.
    void set_pause(bool fresh, bool in_doubt) noexcept {
        if (!in_doubt) {
            doubt_pause_.reset();
            return;
        }
        const auto before = fresh ? std::chrono::milliseconds(0) : doubt_pause_.value_or(pause_min);
        ask_at_ = with_.time.monotonic() + before;
        doubt_pause_ = fresh ? pause_min : std::min(2 * before, pause_max);
    }

    void run(std::size_t index) noexcept {
        detail::engine_writer& writer = writers_[index];
        using waited = detail::engine_queue::waited;
        bool untidy = false;
        for (;;) {
            const auto rest = untidy ? std::optional(detail::tidy_pause) : std::nullopt;
            const waited got = queue_.wait_and_take(index, writer.batch(), rest);
            if (got == waited::drained) return;
            if (got == waited::taken) write(writer);
            untidy = queue_.size() == 0 && writer.tidy();
        }
    }

    void write(detail::engine_writer& writer) noexcept {
        (void)writer.advance();
        // In doubt: what became of it is asked at once, then ever more rarely.
        for (auto pause = pause_min; !writer.batch().empty();
             pause = std::min(2 * pause, pause_max)) {
            (void)writer.advance();
            if (!writer.batch().empty()) queue_.pause(pause, pause_min);
        }
    }

    void start_thread(std::size_t index);

    std::deque<detail::engine_writer> writers_;
    // Without threads: execute() may meet the host in run_once().
    std::mutex running_;
    std::optional<detail::notifier> ready_;
    // Without threads, while a write is in doubt: how long to wait after the next question, and
    // when that is.
    std::optional<std::chrono::milliseconds> doubt_pause_;
    clock::instant ask_at_;
    std::optional<detail::other_commits> others_;
    std::vector<std::jthread> threads_;  // the last member: joined before the rest goes
};

// Not inline: a lambda of an inline function would be visible in a plugin that links this library.
void engine::impl::start_thread(std::size_t index) {
    threads_.emplace_back([this, index] { run(index); });
}

engine::engine(storage& orders, const status_machine& machine, const order_model& model,
               orderproc::runtime with, engine_options options)
    : impl_(std::make_unique<impl>(orders, machine, model, with, checked(options, model, orders))) {
}

engine::engine(storage& orders, const status_machine& machine, orderproc::runtime with,
               engine_options options)
    : engine(orders, machine, order_model::standard(), with, std::move(options)) {}

engine::~engine() = default;

result<void> engine::submit(command what, completion& done) {
    return impl_->submit(std::move(what), done);
}

result<void> engine::submit(command what, std::function<void(change_outcome&)> done) {
    auto made = std::make_unique<calling>(std::move(done));
    auto queued = impl_->submit(std::move(what), *made);
    if (queued) (void)made.release();
    return queued;
}

result<void> engine::submit(change what, completion& done) {
    if (auto ok = validate(what); !ok) return ok;
    return impl_->push(done, std::move(what));
}

result<void> engine::submit(claim what, claim_completion& done) {
    return impl_->push(done, std::move(what));
}

result<void> engine::submit(commit_cursor what, cursor_completion& done) {
    return impl_->push(done, std::move(what));
}

result<void> engine::submit(change_record what, record_completion& done) {
    if (auto ok = require(impl_->storage_, {capability::records}, "a record"); !ok) return ok;
    if (auto ok = validate(what); !ok) return ok;
    return impl_->push(done, std::move(what));
}

result<void> engine::submit(purge_orders what, purge_completion& done) {
    if (auto ok = require(impl_->storage_, {capability::purge}, "a purge"); !ok) return ok;
    if (auto ok = validate(what); !ok) return ok;
    return impl_->push(done, std::move(what));
}

change_outcome engine::execute(command what) {
    waiter done;
    if (auto ok = impl_->submit(std::move(what), done); !ok) {
        return detail::refused(std::move(ok).error());
    }
    return impl_->wait_for(done.answer);
}

void engine::submit_all(std::vector<command> what,
                        std::function<void(std::vector<change_outcome>)> done) {
    detail::command_batch::run(
        std::move(what), std::move(done),
        [this](command&& one, completion& its) { return impl_->submit(std::move(one), its); });
}

std::vector<change_outcome> engine::execute_all(std::vector<command> what) {
    awaited<std::vector<change_outcome>> answer;
    submit_all(std::move(what),
               [&](std::vector<change_outcome> all) { answer.set(std::move(all)); });
    return impl_->wait_for(answer);
}

result<std::size_t> engine::run_once() {
    return impl_->run_once();
}

clock::instant engine::next_due() const noexcept {
    return impl_->next_due();
}

void engine::wake() noexcept {
    impl_->listeners_.announce();
}

void engine::add_listener(commit_listener& who) {
    impl_->listeners_.add(who);
}

void engine::remove_listener(commit_listener& who) noexcept {
    impl_->listeners_.remove(who);
}

void engine::stop() noexcept {
    impl_->queue_.stop();
}

const status_machine& engine::machine() const noexcept {
    return impl_->machine_;
}

const order_model& engine::model() const noexcept {
    return *impl_->model_.get().model;
}

runtime& engine::runtime() const noexcept {
    return impl_->with_;
}

std::size_t engine::queued() const noexcept {
    return impl_->queue_.size();
}

}  // namespace v1
}  // namespace orderproc
