#include "stages/read/read_lane.hpp"

#include <orderproc/read_pool.hpp>
#include <orderproc/reader.hpp>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

namespace {

failure thrown_failure(const char* what) noexcept {
    failure out{boost::system::errc::make_error_code(boost::system::errc::state_not_recoverable)};
    try {
        out.detail = what;
    } catch (const std::exception&) {  // without memory for the text, the code has to do
    }
    return out;
}

// The catch boundary: storages and reads are users' code, and memory can run out.
template <class Read>
auto guarded(Read&& read) noexcept -> decltype(read()) {
    try {
        return read();
    } catch (const std::exception& e) {
        return thrown_failure(e.what());
    } catch (...) {
        return thrown_failure("an exception that is no std::exception");
    }
}

}  // namespace

class read_pool::impl {
public:
    impl(storage& orders, read_pool_options options)
        : options_(options),
          merge_max_(std::max<std::size_t>(options.merge_max, 1)),
          loads_(options.queue_max),
          others_(options.queue_max),
          loading_(orders, 1),
          reading_(orders, options.threads) {
        asked_.reserve(merge_max_);
        groups_.reserve(merge_max_);
        ids_.reserve(merge_max_);
        if (options.threads > 0) start();
    }

    ~impl() {
        stop();
        while (detail::read_node* first = loads_.take(merge_max_)) {
            gather(first);
            for (load_completion* it : asked_) refuse(*it);
        }
        while (detail::read_node* first = others_.take(1)) {
            result<void> stopped = errc::stopped;
            as_read(*first).complete(stopped);
        }
    }

    impl(const impl&) = delete;
    impl& operator=(const impl&) = delete;

    result<void> push(std::string&& id, load_completion& done) {
        done.id_ = std::move(id);
        return loads_.push(done);
    }
    result<void> push(read_completion& done) { return others_.push(done); }
    bool remove(load_completion& it) noexcept { return loads_.remove(it); }
    bool remove(read_completion& it) noexcept { return others_.remove(it); }

    // Who comes while another one is at it is seen by that one: it looks once more.
    void load_waiting() {
        while (!loads_.empty() && !is_loading_.exchange(true)) {
            while (detail::read_node* const first = loads_.take(merge_max_)) load(first);
            is_loading_ = false;
        }
    }
    bool loads_when_called() const noexcept { return !options_.load_thread; }

    std::size_t run_once() {
        std::size_t done = 0;
        if (detail::read_node* const first = loads_.take(merge_max_)) done += load(first);
        if (detail::read_node* const one = others_.take(1)) {
            read(as_read(*one));
            ++done;
        }
        return done;
    }

private:
    // The reads of one id: all of them get the same answer.
    struct group {
        std::size_t first;  // its place in asked_
        std::size_t size;
    };

    static load_completion& as_load(detail::read_node& it) noexcept {
        return static_cast<load_completion&>(it);
    }
    static read_completion& as_read(detail::read_node& it) noexcept {
        return static_cast<read_completion&>(it);
    }

    void start();

    void stop() noexcept {
        loads_.stop();
        others_.stop();
        for (std::thread& it : threads_) it.join();
        threads_.clear();
    }

    void read(read_completion& it) noexcept {
        auto done = guarded([&] {
            return reading_.use(
                [&](repository_reader& from) -> result<void> { return it.read(from); });
        });
        it.complete(done);
    }

    std::size_t load(detail::read_node* first) noexcept {
        const std::size_t count = gather(first);
        auto loaded = load_from(ids_);
        const bool together = loaded || ids_.size() == 1 ||  // what is to be tried again is the
                              loaded.error().code == errc::unavailable;  // client's to try
        for (std::size_t i = 0; i < groups_.size(); ++i) {
            if (together) {
                answer(groups_[i], loaded, i);
            } else {
                auto alone = load_from({&ids_[i], 1});
                answer(groups_[i], alone, 0);
            }
        }
        return count;
    }

    // Takes the reads apart into groups, one for each id. Allocates nothing: all have room.
    std::size_t gather(detail::read_node* first) noexcept {
        asked_.clear();
        groups_.clear();
        ids_.clear();
        for (; first; first = first->next) asked_.push_back(&as_load(*first));
        if (asked_.size() > 1) {
            std::sort(asked_.begin(), asked_.end(),
                      [](const auto* a, const auto* b) { return a->id_ < b->id_; });
        }
        for (std::size_t i = 0; i < asked_.size(); ++i) {
            if (!ids_.empty() && ids_.back() == asked_[i]->id_) {
                ++groups_.back().size;
            } else {
                groups_.push_back({i, 1});
                ids_.push_back(std::move(asked_[i]->id_));
            }
        }
        return asked_.size();
    }

    result<loaded_orders> load_from(std::span<const std::string> ids) noexcept {
        return guarded([&] {
            return loading_.use([&](repository_reader& from) {
                load_params params;
                params.ids = ids;
                return from.load(params);
            });
        });
    }

    // What was asked may be gone, or be submitted again, once it is complete.
    void answer(const group& of, result<loaded_orders>& loaded, std::size_t at) noexcept {
        for (std::size_t i = 0; i < of.size; ++i) {
            const bool last = i + 1 == of.size;
            auto outcome = guarded([&]() -> result<loaded_order> {
                if (!loaded) return loaded.error();
                auto& found = loaded->orders.at(at);
                if (last) return loaded_order{std::move(found), loaded->newest};
                return loaded_order{found, loaded->newest};
            });
            asked_[of.first + i]->complete(outcome);
        }
    }

    static void refuse(load_completion& it) noexcept {
        result<loaded_order> stopped = errc::stopped;
        it.complete(stopped);
    }

    const read_pool_options options_;
    const std::size_t merge_max_;
    detail::read_lane loads_;
    detail::read_lane others_;
    reader loading_;
    reader reading_;

    std::atomic<bool> is_loading_{false};
    // Of the thread that loads, kept for their memory.
    std::vector<load_completion*> asked_;  // by id
    std::vector<group> groups_;
    std::vector<std::string> ids_;  // of the groups

    std::vector<std::thread> threads_;
};

// Not inline: a lambda of an inline function would be visible in a plugin that links this library.
void read_pool::impl::start() {
    try {
        if (options_.load_thread) {
            threads_.emplace_back([this] {
                while (detail::read_node* first = loads_.wait_and_take(merge_max_)) load(first);
            });
        }
        for (std::size_t i = 0; i < options_.threads; ++i) {
            threads_.emplace_back([this] {
                while (detail::read_node* one = others_.wait_and_take(1)) read(as_read(*one));
            });
        }
    } catch (...) {  // there is no memory, or no thread to be had
        stop();
        throw;
    }
}

read_pool::read_pool(storage& orders, read_pool_options options)
    : impl_(std::make_unique<impl>(orders, options)) {}

read_pool::~read_pool() = default;

result<void> read_pool::submit(std::string id, load_completion& done) {
    return impl_->push(std::move(id), done);
}

result<void> read_pool::submit(read_completion& done) {
    return impl_->push(done);
}

bool read_pool::cancel(load_completion& it) noexcept {
    return impl_->remove(it);
}

bool read_pool::cancel(read_completion& it) noexcept {
    return impl_->remove(it);
}

void read_pool::load_waiting() {
    impl_->load_waiting();
}

bool read_pool::loads_when_called() const noexcept {
    return impl_->loads_when_called();
}

std::size_t read_pool::run_once() {
    return impl_->run_once();
}

}  // namespace v1
}  // namespace orderproc
