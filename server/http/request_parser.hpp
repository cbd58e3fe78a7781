#ifndef ORDERPROC_SERVER_HTTP_REQUEST_PARSER_HPP
#define ORDERPROC_SERVER_HTTP_REQUEST_PARSER_HPP

// Reads HTTP/1.0 and 1.1 requests (RFC 9112), refusing whatever two implementations might
// read differently.

#include "http/message.hpp"
#include "http/options.hpp"
#include "http/problem.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace orderproc::server::http {

class request_parser {
public:
    enum class state { need_more, header, complete, failed };

    // limits outlives it. With pauses it stops once for each request when the header is whole
    // and says state::header; what is left of the bytes, if only nothing, is to be fed then.
    explicit request_parser(const request_limits& limits, bool pauses = false);
    ~request_parser();

    // Reads on. bytes starts with what the last call left over; consumed is how much of it
    // was taken, which may be nothing before the header is whole.
    // REQUIRES: neither complete nor failed.
    state feed(std::string_view bytes, std::size_t& consumed);

    void reset() noexcept;  // for the next request

    bool header_done() const noexcept;
    // What the body may come to, in bytes. REQUIRES: header_done().
    std::size_t body_size_max() const noexcept;
    // Reads what is left of this request without keeping it, which value().body then lacks.
    // False: better not; the body is large or of unknown size, or may never come.
    bool skip_body() noexcept;
    bool skipping() const noexcept;

    // Does the client wait for 100 Continue? True once for each request.
    bool take_expectation() noexcept;
    bool keep_alive() const noexcept;  // REQUIRES: complete
    bool http_1_0() const noexcept;

    // Whole when complete, with the id left empty; when failed what is known so far.
    request& value() noexcept;

    // REQUIRES: failed.
    const problem_kind& fault() const noexcept;
    std::string_view fault_detail() const noexcept;

private:
    class impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace orderproc::server::http

#endif
