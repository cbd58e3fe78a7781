#include "queue/rabbitmq/consumer.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace orderproc::detail::rabbitmq {

namespace {

constexpr std::size_t reason_max = 1024;  // bytes of a header
// So many settled deliveries may stay behind one that is not, before it is worth to move the
// others.
constexpr std::size_t settled_min = 64;

using clock = std::chrono::steady_clock;

milliseconds until(clock::time_point when) {
    return std::max(milliseconds(0), std::chrono::duration_cast<milliseconds>(when - clock::now()));
}

}  // namespace

result<void> acknowledging_consumer::receive(std::size_t limit, milliseconds wait,
                                             std::vector<delivery>& out) {
    keep_poison_connection();
    if (!keep_payloads_) forget_payloads();
    if (auto done = read(limit, wait); !done) return done;
    std::size_t bytes = 0;
    for (; limit > 0 && ready_ > 0 && bytes < receive_bytes_max_; --limit) {
        held& it = held_[held_.size() - ready_];
        out.push_back({delivery_tag{it.tag}, it.body, it.redelivered});
        it.is = state::unacknowledged;
        bytes += it.body.payload.size();
        ready_bytes_ -= it.body.payload.size();
        --ready_;
    }
    return {};
}

void acknowledging_consumer::forget_payloads() noexcept {
    const auto from = std::lower_bound(
        held_.begin(), held_.end() - static_cast<std::ptrdiff_t>(ready_), kept_from_,
        [](const held& it, std::uint64_t tag) { return it.tag < tag; });
    for (auto it = from; it != held_.end() - static_cast<std::ptrdiff_t>(ready_); ++it) {
        // To assign what is empty would keep the memory.
        const auto payload = std::move(it->body.payload);
        const auto headers = std::move(it->body.headers);
    }
    kept_from_ = first_ready();
}

// Until as many or as long ones are ready as may be handed out, or what is there is read; waits for
// the first. At least one look at the connection, for the heartbeats. The prefetch bounds what it
// keeps.
result<void> acknowledging_consumer::read(std::size_t limit, milliseconds wait) {
    const auto end = clock::now() + wait;
    for (;;) {
        const milliseconds left = limit > 0 && ready_ > 0 ? milliseconds(0) : until(end);
        amqp_frame_t frame;
        const auto got = connection_->next(left, frame);
        if (!got) return got.error();
        if (*got) {
            if (auto done = handle(frame); !done) return done;
        } else if (left <= milliseconds(0)) {
            return {};
        }
        if (limit > 0 && (ready_ >= limit || ready_bytes_ >= receive_bytes_max_)) return {};
    }
}

result<void> acknowledging_consumer::handle(const amqp_frame_t& frame) {
    if (frame.frame_type == AMQP_FRAME_METHOD) {
        if (frame.payload.method.id != AMQP_BASIC_DELIVER_METHOD) return {};
        const auto* const it = static_cast<amqp_basic_deliver_t*>(frame.payload.method.decoded);
        if (it->delivery_tag != next_tag_) {
            return connection_->fail("a delivery out of its order");
        }
        next_redelivered_ = it->redelivered;
        incoming_.begin(view(it->routing_key));
        return {};
    }
    if (!incoming_.add(frame)) return connection_->fail("content that does not belong here");
    if (!incoming_.complete()) return {};
    const bool redelivered = next_redelivered_ || incoming_.counted();
    held_.push_back({next_tag_, state::ready, redelivered, incoming_.take()});
    ready_bytes_ += held_.back().body.payload.size();
    ++next_tag_;
    ++ready_;
    return {};
}

result<void> acknowledging_consumer::acknowledge(std::span<const acknowledgement> what) {
    if (connection_->failed()) return *connection_->failed();
    if (!begin_acknowledging(what)) return failure(errc::invalid_argument);
    if (auto done = put_aside(what); !done) {
        take_back(what);
        return done;
    }
    if (auto done = requeue(what); !done) return done;
    auto done = ack(what);
    forget_settled();
    return done;
}

// One that is not settled for long must not keep all that came after it: there are at most as many
// settled ones as others, and a few.
void acknowledging_consumer::forget_settled() {
    if (settled_ < settled_min || 2 * settled_ < held_.size()) return;
    std::erase_if(held_, [](const held& it) { return it.is == state::settled; });
    settled_ = 0;
}

acknowledging_consumer::held* acknowledging_consumer::find(delivery_tag tag) noexcept {
    const auto wanted = static_cast<std::uint64_t>(tag);
    const auto found =
        std::lower_bound(held_.begin(), held_.end(), wanted,
                         [](const held& it, std::uint64_t one) { return it.tag < one; });
    return found == held_.end() || found->tag != wanted ? nullptr : &*found;
}

void acknowledging_consumer::mark_settled(held& it) noexcept {
    it.is = state::settled;
    const message gone = std::move(it.body);  // to assign an empty one would keep its memory
    ++settled_;
}

bool acknowledging_consumer::begin_acknowledging(std::span<const acknowledgement> what) {
    for (std::size_t i = 0; i < what.size(); ++i) {
        held* const it = find(what[i].tag);
        if (!it || it->is != state::unacknowledged) {
            take_back(what.first(i));
            return false;
        }
        it->is = state::settling;
    }
    return true;
}

void acknowledging_consumer::take_back(std::span<const acknowledgement> what) {
    for (const acknowledgement& it : what) at(it.tag).is = state::unacknowledged;
}

// Poison is safe in its queue before it is acknowledged here.
result<void> acknowledging_consumer::put_aside(std::span<const acknowledgement> what) {
    std::vector<message> all;
    for (const acknowledgement& it : what) {
        if (it.how != disposition::poison) continue;
        message& copy = all.emplace_back(at(it.tag).body);
        const std::array<std::pair<std::string, std::string>, 2> ours{
            {{std::string(poison_topic_header), copy.topic},
             {std::string(poison_reason_header), it.reason.substr(0, reason_max)}}};
        copy.headers.insert(copy.headers.end(), ours.begin(), ours.end());
        // Whoever made it may have had a larger frame for them than is left with ours.
        if (!fits(copy, {poison_headers_max, connection_->frame_bytes()})) {
            copy.headers.assign(ours.begin(), ours.end());
        }
        copy.topic = poison_queue_;  // the default exchange takes it for the name of a queue
        copy.must_route = true;
    }
    if (all.empty()) return {};
    if (!poison_) {
        auto made = connect_poison_();
        if (!made) return std::move(made).error();
        poison_ = std::move(*made);
    }
    auto done = publish_poison(all);
    if (!done) poison_.reset();
    return done;
}

result<void> acknowledging_consumer::publish_poison(const std::vector<message>& what) {
    const auto end = clock::now() + timeout_;
    std::vector<published> told;
    for (auto it = what.begin(); it != what.end() || told.size() < what.size();) {
        const bool more = it != what.end();
        if (more) {
            const auto tag = poison_->submit(*it);
            if (tag) {
                ++it;
                continue;
            }
            if (tag.error().code != make_error_code(errc::overloaded)) return tag.error();
        }
        if (until(end) <= milliseconds(0)) {
            return failure(errc::unavailable, "the poison queue does not confirm");
        }
        if (auto done = poison_->poll(until(end), told); !done) return done;
    }
    for (const published& it : told) {
        if (it.ec) return failure(errc::unavailable, "the poison queue refuses");
    }
    return {};
}

void acknowledging_consumer::keep_poison_connection() {
    std::vector<published> none;
    if (poison_ && !poison_->poll(milliseconds(0), none)) poison_.reset();
}

result<void> acknowledging_consumer::requeue(std::span<const acknowledgement> what) {
    for (const acknowledgement& it : what) {
        if (it.how != disposition::requeue) continue;
        const int status = amqp_basic_nack(connection_->handle(), connection::channel,
                                           static_cast<std::uint64_t>(it.tag), 0, 1);
        if (auto done = connection_->wrote(status); !done) return done;
        mark_settled(at(it.tag));
    }
    return {};
}

// One ack for all in front, up to the first that is not settled; one for each of the others.
result<void> acknowledging_consumer::ack(std::span<const acknowledgement> what) {
    const auto ack = [&](std::uint64_t tag, bool multiple) {
        return connection_->wrote(
            amqp_basic_ack(connection_->handle(), connection::channel, tag, multiple ? 1 : 0));
    };
    std::uint64_t last = 0;
    while (!held_.empty() && held_.front().is >= state::settling) {
        if (held_.front().is == state::settling) {
            last = held_.front().tag;
        } else {
            --settled_;
        }
        held_.pop_front();
    }
    if (last > 0) {
        if (auto done = ack(last, true); !done) return done;
    }
    for (const acknowledgement& it : what) {
        held* const found = find(it.tag);
        if (!found || found->is != state::settling) continue;
        if (auto done = ack(found->tag, false); !done) return done;
        mark_settled(*found);
    }
    return {};
}

}  // namespace orderproc::detail::rabbitmq
