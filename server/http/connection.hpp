#ifndef ORDERPROC_SERVER_HTTP_CONNECTION_HPP
#define ORDERPROC_SERVER_HTTP_CONNECTION_HPP

// One client. Internal to the transport.

#include "http/byte_stream.hpp"
#include "http/io_thread.hpp"
#include "http/request_parser.hpp"

#include <array>
#include <memory>
#include <string>

namespace orderproc::server::http {

// At any time it reads, or writes, or waits for its session (and may write meanwhile what
// came before). Lives until it is closed and none of these is under way.
class connection final : private exchange, private byte_stream_user {
public:
    connection(io_thread& home, std::unique_ptr<byte_stream> client,
               const boost::asio::ip::address& from);
    ~connection();

    void start();
    void resume();                        // after completed()
    void check_time(std::uint64_t tick);  // may end it, but never destroys it
    void drain();                         // closes it if it is idle
    void close() noexcept;                // drops it

    const boost::asio::ip::address& from() const noexcept { return from_; }
    bool handed_over() const noexcept { return handed_over_; }  // its client, to a stream

private:
    friend class io_thread;  // links it into its lists

    enum class phase : std::uint8_t { idle, header, body, answering, writing, lingering };

    void ready() noexcept override { home_.completed(*this); }
    void on_read(boost::system::error_code ec, std::size_t size) noexcept override;
    void on_writable(boost::system::error_code ec) noexcept override;

    template <class Step>
    void guarded(Step&& go) noexcept;
    void pump();
    void yield();
    bool advance();  // false: nothing more can be done now
    request_parser::state feed();
    void admit();
    void handle();
    void finish();
    void identify(request& it);
    void append_answer();
    void hand_over(bool chunked);
    void refuse(const problem_kind& kind, std::string_view detail);
    void answer_problem(const problem_kind& kind, std::string_view detail);
    void answer_refusal();
    bool flush();  // true: all is sent
    void write_rest();
    void write_on(boost::system::error_code ec);
    void read_more();
    void take_in(boost::system::error_code ec, std::size_t size);
    void linger();
    void set_phase(phase to);
    bool busy() const noexcept { return reading_ || writing_ || waiting_ || giving_way_; }

    io_thread& home_;
    std::unique_ptr<byte_stream> client_;  // none once it is handed over
    const boost::asio::ip::address from_;
    const address_bytes peer_;
    request_parser parser_;
    admission::ticket ticket_;
    std::unique_ptr<session> session_;
    response response_;

    std::unique_ptr<char[]> in_;
    std::size_t in_capacity_;
    std::size_t in_begin_ = 0, in_end_ = 0;
    std::string out_;
    std::size_t out_sent_ = 0;

    std::array<char, 40> id_{};  // of requests that bring none: a prefix, "-", a number
    std::size_t id_prefix_size_ = 0;
    std::uint64_t requests_ = 0;

    phase phase_ = phase::idle;
    bool reading_ = false;
    bool writing_ = false;
    bool waiting_ = false;     // for ready()
    bool giving_way_ = false;  // others are served first
    bool resume_due_ = false;  // ready, but what came before is still being written
    bool timed_out_ = false;   // the read was cancelled for it
    bool last_ = false;        // no request after this answer
    bool closed_ = false;
    bool handed_over_ = false;
    std::uint64_t deadline_ = 0;  // a tick; 0: none
    std::size_t lingered_ = 0;

    connection* next_ = nullptr;
    connection* previous_ = nullptr;
    connection* next_completed_ = nullptr;
};

}  // namespace orderproc::server::http

#endif
