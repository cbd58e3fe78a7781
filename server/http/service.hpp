#ifndef ORDERPROC_SERVER_HTTP_SERVICE_HPP
#define ORDERPROC_SERVER_HTTP_SERVICE_HPP

// What the transport needs from those who answer, and they from it.

#include "http/message.hpp"

#include <memory>

namespace orderproc::server::http {

// Given to a session, and lives as long as it.
class exchange {
public:
    // The answer can be finished: resume() is called soon, on the connection's thread, or, after
    // answer_follows, on this one and from within. To be called once for each step that waits.
    // Safe to call from any thread, also before that step was returned.
    virtual void ready() noexcept = 0;

    // service::work() is called soon, on a thread that may block. To be called on the connection's
    // thread, within begin() or resume().
    virtual void work_waits() noexcept {}

protected:
    ~exchange() = default;
};

// waiting: resume() is to be called after ready(). answer_follows: the same, and resume() will
// answer without blocking and without a stream, on whichever thread: the one that has the answer
// may send it, which saves a hand-over between threads.
enum class step { answered, waiting, answer_follows };

// Answers the requests of one connection, one at a time, on one thread at a time. No function
// throws: failures are reported as responses.
class session {
public:
    virtual ~session() = default;
    // Called for each request once its header is there and before its body is read: the body is
    // empty. May set in.principal, which has to stay valid until the request is answered. False:
    // out is the answer, begin() is not called, and refused() is.
    virtual bool admit(request& /*in*/, response& /*out*/) noexcept { return true; }
    // Fills in the empty answer, or says that it waits and calls ready() when resume() can. The
    // connection stays until then, even if its client has gone.
    virtual step begin(const request& in, response& out) noexcept = 0;
    // The same again: an answer may take several steps.
    virtual step resume(const request& in, response& out) noexcept = 0;
    // Called between a step that waits and resume() when the client has gone: nobody will read the
    // answer. What waits may be dropped; ready() is called all the same. resume() is not.
    virtual void abandon() noexcept {}
    // A request that the transport itself has answered; what is known of it. Fields may be
    // added.
    virtual void refused(const request& /*in*/, response& /*out*/) noexcept {}
};

// Safe to call from any thread; outlives the server.
class service {
public:
    virtual ~service() = default;
    virtual std::unique_ptr<session> open(exchange& by) = 0;  // one for each connection
    // After exchange::work_waits(). May block, but not until another thread that is in it is done.
    virtual void work() noexcept {}
    // A client that gets no session: it is one too many, and nothing of it was read. Fields may
    // be added.
    virtual void turned_away(response& /*out*/) const {}
};

}  // namespace orderproc::server::http

#endif
