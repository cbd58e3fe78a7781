#ifndef ORDERPROC_SERVER_TLS_RECORD_SOURCE_HPP
#define ORDERPROC_SERVER_TLS_RECORD_SOURCE_HPP

// What of a write goes into which record.

#include <boost/asio/buffer.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace orderproc::server::tls {

// The bytes of a write, record by record.
class record_source {
public:
    static constexpr std::size_t record_max = 16 * 1024;  // RFC 8446, 5.1
    using room_for_one = std::array<char, record_max>;

    // room: where small buffers are gathered into one record. May be nullptr for a single buffer.
    record_source(std::span<const boost::asio::const_buffer> bytes, room_for_one* room) noexcept
        : left_(bytes), room_(room) {}

    // What goes into the next record, valid until the next call. Empty: that was all.
    boost::asio::const_buffer next() noexcept {
        skip_used_up();
        if (left_.empty()) return {};
        const boost::asio::const_buffer first = left_.front() + used_;
        if (left_.size() == 1 || first.size() >= record_max) {
            used_ += std::min(first.size(), record_max);
            return boost::asio::buffer(first, record_max);
        }
        std::size_t size = 0;
        while (size < record_max && !left_.empty()) {
            const std::size_t taken =
                boost::asio::buffer_copy(boost::asio::buffer(*room_) + size, left_.front() + used_);
            size += taken;
            used_ += taken;
            skip_used_up();
        }
        return boost::asio::buffer(room_->data(), size);
    }

private:
    void skip_used_up() noexcept {
        while (!left_.empty() && used_ == left_.front().size()) {
            left_ = left_.subspan(1);
            used_ = 0;
        }
    }

    std::span<const boost::asio::const_buffer> left_;
    room_for_one* const room_;
    std::size_t used_ = 0;  // of the first that is left
};

}  // namespace orderproc::server::tls

#endif
