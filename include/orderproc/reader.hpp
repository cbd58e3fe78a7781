#ifndef ORDERPROC_READER_HPP
#define ORDERPROC_READER_HPP

// Reads orders beside the engine, on connections of its own. Calls block: an event loop uses
// read_pool.hpp.

#include <orderproc/repository.hpp>

#include <cstddef>
#include <memory>
#include <utility>

namespace orderproc {
inline namespace v1 {

// A bounded pool of reading connections, opened when first needed. Safe to use from any
// thread. A connection that answered errc::unavailable is closed, and a new one opened at the
// next use.
class ORDERPROC_EXPORT reader {
public:
    explicit reader(storage& orders, std::size_t connections_max = 4);  // orders outlives it
    ~reader();  // REQUIRES: nobody is reading

    // Calls read(repository_reader&) with a connection that nobody else uses meanwhile, and returns
    // its result<T>. Waits while all are taken. Keep it short: a long read transaction keeps
    // SQLite's log from shrinking.
    //
    // Within read(), use() may be called again as long as a connection is free. If all are taken,
    // the inner call returns errc::overloaded at once: it would wait for its own thread.
    template <class Read>
    auto use(Read&& read) -> decltype(read(std::declval<repository_reader&>())) {
        auto taken = take();
        if (!taken) return std::move(taken).error();
        lease held{*this, std::move(*taken)};
        auto answer = std::forward<Read>(read)(*held.connection);
        if (!answer && answer.error().code == errc::unavailable) held.connection.reset();
        return answer;
    }

private:
    struct lease {
        reader& owner;
        std::unique_ptr<repository_reader> connection;
        ~lease() { owner.give_back(std::move(connection)); }
    };
    result<std::unique_ptr<repository_reader>> take();
    void give_back(
        std::unique_ptr<repository_reader> connection) noexcept;  // nullptr: it was closed

    class ORDERPROC_HIDDEN impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace v1
}  // namespace orderproc

#endif
