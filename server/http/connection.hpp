#ifndef ORDERPROC_SERVER_HTTP_CONNECTION_HPP
#define ORDERPROC_SERVER_HTTP_CONNECTION_HPP

// One client. Internal to the transport.

#include "http/answer.hpp"
#include "http/byte_stream.hpp"
#include "http/io_thread.hpp"
#include "http/request_parser.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace orderproc::server::http {

// At any time it reads, or writes, or waits for its session (and may write meanwhile what
// came before). Lives until it is closed and none of these is under way.
//
// An answer that only has to be made and sent is left to the thread that calls ready():
//
//              offer()          ready()                     all is sent
//   home ───────────► offered ─────────► elsewhere ──────────────────────► answered
//    ▲                   │                   │ the client has sent more         │ at the next read,
//    ├── the client ◄────┘                   ▼ meanwhile, say                   │ tick, drain
//    │   has sent more, or is gone         wanted                               │
//    │                                       │ ready() is done with it          │
//    ├────────────── resume() ◄──────────────┘                                  │
//    └──────────────────────────────────────────────────────────────────────────┘
//
// Meanwhile the next request is read ahead, so that nobody has to wake the thread for it.
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

    // Whose it is. offered: of the connection's thread and of ready(), whoever is first.
    enum class turn : std::uint8_t { home, offered, elsewhere, wanted, answered };

    void ready() noexcept override;
    void work_waits() noexcept override { home_.leave_loop(); }
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
    void offer();
    bool take_back() noexcept;
    void answer_elsewhere() noexcept;
    void finish();
    void go_on();
    void identify(request& it);
    void append_answer();
    void hand_over(bool chunked);
    void refuse(const problem_kind& kind, std::string_view detail);
    void answer_problem(const problem_kind& kind, std::string_view detail);
    void answer_refusal();
    boost::system::error_code send();
    bool flush();  // true: all is sent
    void write_rest();
    void write_on(boost::system::error_code ec);
    void read_more();
    void take_in(boost::system::error_code ec, std::size_t size);
    void take_early(boost::system::error_code ec, std::size_t size);
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
    date_cache date_;

    std::array<char, 40> id_{};  // of requests that bring none: a prefix, "-", a number
    std::size_t id_prefix_size_ = 0;
    std::uint64_t requests_ = 0;

    phase phase_ = phase::idle;
    bool reading_ = false;
    bool writing_ = false;
    bool waiting_ = false;         // for ready()
    bool giving_way_ = false;      // others are served first
    bool resume_due_ = false;      // ready, but what came before is still being written
    bool timed_out_ = false;       // the read was cancelled for it
    bool peer_ended_ = false;      // its side
    bool last_ = false;            // no request after this answer
    bool answer_follows_ = false;  // as the session said
    bool broken_ = false;          // there was no memory elsewhere
    bool close_due_ = false;       // it was not at home
    bool closed_ = false;
    bool handed_over_ = false;
    std::uint64_t deadline_ = 0;  // a tick; 0: none
    std::size_t lingered_ = 0;

    std::atomic<turn> turn_{turn::home};
    struct early_read {
        boost::system::error_code ec;
        std::size_t size = 0;
    };
    std::optional<early_read> early_;  // came while the answer was made elsewhere

    connection* next_ = nullptr;
    connection* previous_ = nullptr;
    connection* next_completed_ = nullptr;
};

}  // namespace orderproc::server::http

#endif
