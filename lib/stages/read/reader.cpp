#include <orderproc/reader.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace orderproc {
inline namespace v1 {

class reader::impl {
public:
    impl(storage& orders, std::size_t connections_max)
        : orders_(orders), free_(std::max<std::size_t>(connections_max, 1)) {
        idle_.reserve(free_);
        holders_.reserve(free_);
    }

    result<std::unique_ptr<repository_reader>> take() {
        {
            std::unique_lock lock(mutex_);
            if (free_ == 0 && holds_one()) {
                return failure{errc::overloaded, "use() within use(): no connection is left"};
            }
            returned_.wait(lock, [this] { return free_ > 0; });
            --free_;
            holders_.push_back(std::this_thread::get_id());  // reserved
            if (!idle_.empty()) {
                auto connection = std::move(idle_.back());
                idle_.pop_back();
                return connection;
            }
        }
        // Connecting may take long, and must not keep the others from what they have.
        try {
            auto made = orders_.connect_reader();
            if (!made) give_back(nullptr);
            return made;
        } catch (...) {
            give_back(nullptr);
            throw;
        }
    }

    void give_back(std::unique_ptr<repository_reader> connection) noexcept {
        {
            const std::lock_guard lock(mutex_);
            ++free_;
            holders_.erase(std::find(holders_.begin(), holders_.end(), std::this_thread::get_id()));
            if (connection) idle_.push_back(std::move(connection));  // reserved
        }
        returned_.notify_one();
    }

private:
    // A thread that waited while it holds a connection could wait for ever: for itself, or for
    // another thread that does the same.
    bool holds_one() const noexcept {
        return std::find(holders_.begin(), holders_.end(), std::this_thread::get_id()) !=
               holders_.end();
    }

    storage& orders_;
    std::mutex mutex_;
    std::condition_variable returned_;
    std::size_t free_;  // places: idle connections and unopened ones
    std::vector<std::unique_ptr<repository_reader>> idle_;  // the one used last goes first
    std::vector<std::thread::id> holders_;                  // of the connections in use
};

reader::reader(storage& orders, std::size_t connections_max)
    : impl_(std::make_unique<impl>(orders, connections_max)) {}

reader::~reader() = default;

result<std::unique_ptr<repository_reader>> reader::take() {
    return impl_->take();
}

void reader::give_back(std::unique_ptr<repository_reader> connection) noexcept {
    impl_->give_back(std::move(connection));
}

}  // namespace v1
}  // namespace orderproc
