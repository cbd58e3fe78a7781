#include "queue/rabbitmq/publisher.hpp"

#include <algorithm>

namespace orderproc::detail::rabbitmq {

result<publish_tag> confirmed_publisher::submit(const message& what) {
    if (connection_->failed()) return *connection_->failed();
    if (!fits(what, limits_)) return failure(errc::invalid_argument);
    if (undecided_ + decided_.size() >= window_) return failure(errc::overloaded);
    const auto may = may_send(wire_size(what));
    if (!may) return may.error();
    if (!*may) return failure(errc::overloaded);
    connection_->gather(true);
    const int status = amqp_basic_publish(
        connection_->handle(), connection::channel, bytes(exchange_), bytes(what.topic),
        what.must_route ? 1 : 0, 0, &outgoing_.properties_of(what), bytes(what.payload));
    if (auto done = connection_->wrote(status); !done) return std::move(done).error();
    sent& it = sent_.emplace_back();
    if (what.must_route) {
        it.must_route = true;
        it.id = what.id;
        it.topic = what.topic;
    }
    ++undecided_;
    return publish_tag{first_tag_ + sent_.size() - 1};
}

// Never sends to a broker that holds publishers up or does not take what it was sent, so that
// nothing waits in here; a message larger than the socket's buffer may, for as long as it is taken.
result<bool> confirmed_publisher::may_send(std::size_t size) {
    if (writable_ < size) {
        const connection::readiness is = connection_->look();
        if (is.readable) {
            if (auto done = read(milliseconds(0)); !done) return std::move(done).error();
        }
        writable_ = is.writable ? std::max(connection::writable_bytes, size) : 0;
    }
    if (connection_->blocked() || writable_ < size) return false;
    writable_ -= size;
    return true;
}

result<void> confirmed_publisher::poll(milliseconds wait, std::vector<published>& out) {
    connection_->gather(false);
    auto done = read(decided_.empty() ? wait : milliseconds(0));
    if (decided_.empty()) return done;
    out.insert(out.end(), decided_.begin(), decided_.end());
    decided_.clear();
    return {};  // a failure sticks: the next call tells it
}

// Everything that is there; waits for the first decision.
result<void> confirmed_publisher::read(milliseconds wait) {
    using clock = std::chrono::steady_clock;
    const auto until = clock::now() + wait;
    for (;;) {
        amqp_frame_t frame;
        const auto got = connection_->next(wait, frame);
        if (!got) return got.error();
        if (!*got) return {};
        if (auto done = handle(frame); !done) return done;
        wait = decided_.empty() ? std::chrono::duration_cast<milliseconds>(until - clock::now())
                                : milliseconds(0);
    }
}

result<void> confirmed_publisher::handle(const amqp_frame_t& frame) {
    if (frame.frame_type != AMQP_FRAME_METHOD) {
        if (!return_.add(frame)) return connection_->fail("content that does not belong here");
        if (return_.complete()) returned(return_.take());
        return {};
    }
    switch (frame.payload.method.id) {
        case AMQP_BASIC_ACK_METHOD: {
            const auto* const it = static_cast<amqp_basic_ack_t*>(frame.payload.method.decoded);
            return confirm(it->delivery_tag, it->multiple, {});
        }
        case AMQP_BASIC_NACK_METHOD: {
            const auto* const it = static_cast<amqp_basic_nack_t*>(frame.payload.method.decoded);
            return confirm(it->delivery_tag, it->multiple, errc::unavailable);
        }
        case AMQP_BASIC_RETURN_METHOD: {
            const auto* const it = static_cast<amqp_basic_return_t*>(frame.payload.method.decoded);
            return_.begin(view(it->routing_key));
            return {};
        }
        default:
            return {};
    }
}

result<void> confirmed_publisher::confirm(std::uint64_t tag, bool multiple, error_code ec) {
    const std::uint64_t end = first_tag_ + sent_.size();
    // Tag 0 would be all that the broker has: which of those on their way, only it could tell.
    if (tag == 0 || tag >= end) return connection_->fail("a confirm of what was not published");
    if (tag >= first_tag_) {
        const auto index = static_cast<std::size_t>(tag - first_tag_);
        for (std::size_t i = multiple ? 0 : index; i <= index; ++i) decide(i, ec);
    }
    while (!sent_.empty() && sent_.front().decided) {
        sent_.pop_front();
        ++first_tag_;
    }
    return {};
}

void confirmed_publisher::decide(std::size_t index, error_code ec) {
    sent& it = sent_[index];
    if (it.decided) return;
    it.decided = true;
    --undecided_;
    if (!ec && it.returned) ec = errc::not_found;
    decided_.push_back({publish_tag{first_tag_ + index}, ec});
}

void confirmed_publisher::returned(const message& what) {
    for (sent& it : sent_) {
        if (it.must_route && !it.decided && !it.returned && it.id == what.id &&
            it.topic == what.topic) {
            it.returned = true;
            return;
        }
    }
}

}  // namespace orderproc::detail::rabbitmq
