#ifndef ORDERPROC_SERVER_HTTP_BODY_SOURCE_HPP
#define ORDERPROC_SERVER_HTTP_BODY_SOURCE_HPP

// Bodies that are made while they are sent, and whose end nobody knows yet.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::http {

// Bytes that never change, owned together with all others who send them.
struct piece {
    std::shared_ptr<const void> owner;  // none: they live for ever
    std::string_view bytes;
};

// Given to a source, and outlives it.
class stream_exchange {
public:
    // take() is called soon, on the connection's thread. Safe to call from any thread, also
    // within start().
    virtual void wake() noexcept = 0;

protected:
    ~stream_exchange() = default;
};

// Used on the connection's thread. Destroyed when the body is whole, its client gone or too
// slow, or the server stops.
class body_source {
public:
    enum class state { open, ended, failed };

    virtual ~body_source() = default;
    // Once, before all else. Not called when no body is wanted (HEAD).
    virtual void start(stream_exchange& by) = 0;
    // Appends what there is, about most bytes and most_pieces pieces of it. Called when what was
    // taken before is sent, until there is nothing; then after each wake(). ended: that was the
    // last; failed: the connection is to be dropped.
    virtual state take(std::vector<piece>& out, std::size_t most, std::size_t most_pieces) = 0;
    // Whether the client may no longer have what is still to come. Asked at least twice a second;
    // true breaks the body off.
    virtual bool over() const noexcept { return false; }
    // What to send between pieces at every heartbeat, so that whoever is in between sees life.
    virtual std::string_view heartbeat() const noexcept { return {}; }
};

}  // namespace orderproc::server::http

#endif
