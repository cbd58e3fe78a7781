#ifndef ORDERPROC_SERVER_API_PENDING_READ_HPP
#define ORDERPROC_SERVER_API_PENDING_READ_HPP

// A read that an answer waits for, other than that of one order by its id.

#include "http/message.hpp"

#include <orderproc/repository.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace orderproc::server {

// read() is called on a thread of the read pool, then follow() and answer() on the connection's
// thread.
class pending_read {
public:
    pending_read() = default;
    virtual ~pending_read() = default;
    pending_read(const pending_read&) = delete;
    pending_read& operator=(const pending_read&) = delete;

    virtual result<void> read(repository_reader& from) = 0;
    // Starts what follows from what was read, and calls done once, on any thread, when it has come
    // to its end: answer() waits for it. False: there is nothing.
    virtual bool follow(std::function<void(result<void>)> /*done*/) { return false; }
    virtual void answer(const http::request& in, http::response& out) = 0;
};

template <class Read, class Answer>
class read_and_answer final : public pending_read {
public:
    read_and_answer(Read how_to_read, Answer how_to_answer)
        : read_(std::move(how_to_read)), answer_(std::move(how_to_answer)) {}

    result<void> read(repository_reader& from) override {
        auto found = read_(from);
        if (!found) return std::move(found).error();
        found_.emplace(std::move(*found));
        return {};
    }
    void answer(const http::request& in, http::response& out) override {
        answer_(found_.value(), in, out);
    }

private:
    using value =
        typename decltype(std::declval<Read&>()(std::declval<repository_reader&>()))::value_type;
    Read read_;
    Answer answer_;
    std::optional<value> found_;
};

// read(repository_reader&) returns a result<T>; answer(T&, in, out) is called if it has a value.
// Both outlive the handler that makes them: they hold what they use by value.
template <class Read, class Answer>
std::unique_ptr<pending_read> read_then(Read read, Answer answer) {
    return std::make_unique<read_and_answer<Read, Answer>>(std::move(read), std::move(answer));
}

}  // namespace orderproc::server

#endif
