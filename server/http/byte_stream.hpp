#ifndef ORDERPROC_SERVER_HTTP_BYTE_STREAM_HPP
#define ORDERPROC_SERVER_HTTP_BYTE_STREAM_HPP

// The bytes to and from the other end of one connection, whatever carries them. Servers and clients
// use it alike.

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <span>

namespace orderproc::server::http {

// Gets the results of read_some() and wait_writable(): each call of those leads to one call here,
// later, on the stream's thread. Must live as long as one of them is under way.
class byte_stream_user {
public:
    // So many bytes are in the buffer; asio::error::eof: there will be no more.
    virtual void on_read(boost::system::error_code ec, std::size_t size) noexcept = 0;
    virtual void on_writable(boost::system::error_code ec) noexcept = 0;

protected:
    ~byte_stream_user() = default;
};

// For one thread at a time. What is under way when it is cancelled or closed ends with
// asio::error::operation_aborted. It may be destroyed as soon as it is closed.
class byte_stream {
public:
    virtual ~byte_stream() = default;

    // Reads at least a byte into the buffer, which must stay. One at a time.
    virtual void read_some(boost::asio::mutable_buffer into, byte_stream_user& done) = 0;
    // As much as there is room for. asio::error::would_block: there is none; nothing was written,
    // and the same bytes must be given again. May be called on another thread, if nothing but a
    // read is under way and writes_beside_reads().
    virtual std::size_t write_some(std::span<const boost::asio::const_buffer> bytes,
                                   boost::system::error_code& ec) = 0;
    // Until there may be room. One at a time.
    virtual void wait_writable(byte_stream_user& done) = 0;

    virtual bool writes_beside_reads() const noexcept { return false; }
    // Nobody on the way can read or change the bytes.
    virtual bool secure() const noexcept { return false; }

    // Something has come that nobody has read yet, if only the end.
    virtual bool readable() noexcept = 0;
    // The other end has gone. One that shut down its sending side alone still reads.
    virtual bool was_reset() noexcept = 0;

    // Tells the other end that nothing more is written, once what was written has arrived. Returns
    // at once, and close() must not take it back.
    virtual void shutdown(boost::system::error_code& ec) noexcept = 0;
    virtual void cancel() noexcept = 0;
    virtual void close() noexcept = 0;
};

// Over TCP alone. The socket is open and connected.
std::unique_ptr<byte_stream> make_tcp_stream(boost::asio::ip::tcp::socket socket);

}  // namespace orderproc::server::http

#endif
