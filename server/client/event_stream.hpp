#ifndef ORDERPROC_SERVER_CLIENT_EVENT_STREAM_HPP
#define ORDERPROC_SERVER_CLIENT_EVENT_STREAM_HPP

// Server-sent events as a client reads them (html.spec.whatwg.org, 9.2).

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace orderproc::server {

struct stream_event {
    std::string_view type;  // "message" if the stream does not say
    std::string_view data;  // its lines, with a line feed between them
};

// Reads the text of a stream in parts, cut anywhere. Bytes that are no UTF-8 stay as they are.
class event_stream_reader {
public:
    // False: that was enough.
    using event_sink = std::function<bool(const stream_event&)>;

    explicit event_stream_reader(std::size_t event_max = std::size_t{4} * 1024 * 1024)
        : event_max_(event_max) {}

    // Hands on what the part completes; the event is valid for the call. False: the sink had
    // enough, or a line or an event is larger than event_max. Only restart() is of use then.
    bool read(std::string_view part, const event_sink& sink);

    // The stream broke off, and another one comes: what was incomplete is no event.
    void restart() noexcept;

    // For Last-Event-ID; empty: none. Of the last event that was whole.
    const std::string& last_id() const noexcept { return last_id_; }
    // What the server asks to wait before it is asked again.
    std::chrono::milliseconds retry() const noexcept { return retry_; }

private:
    bool end_line(const event_sink& sink);
    void read_field(std::string_view name, std::string_view value);
    bool dispatch(const event_sink& sink);

    const std::size_t event_max_;
    std::string line_;
    std::string type_, data_, id_;
    std::string last_id_;
    std::chrono::milliseconds retry_{3000};
    bool first_line_ = true;  // it may begin with a byte order mark
    bool after_cr_ = false;   // a line feed now belongs to the line before
};

// What to wait before another try, after so many in a row that brought nothing: never less than
// what the server asks, longer each time, and by chance up to half as much more, so that those
// who lost a server together do not come back together.
std::chrono::milliseconds reconnection_pause(std::chrono::milliseconds retry, unsigned failures,
                                             std::uint64_t random) noexcept;

}  // namespace orderproc::server

#endif
