#include "queue/memory/topic.hpp"

#include <orderproc/memory.hpp>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

using detail::memory::split_topic;
using detail::memory::topic_matches;
using detail::memory::topic_words;

// Its number is its place in the queue, also when it comes back.
struct queued {
    message body;
    bool redelivered = false;
};

using queued_by_number = std::map<std::uint64_t, queued>;

struct queue {
    std::size_t length_max = 0;
    std::set<std::string, std::less<>> topics;
    queued_by_number waiting;
    std::uint64_t last_number = 0;
    std::condition_variable arrived;

    bool takes(const topic_words& topic) const {
        return std::any_of(topics.begin(), topics.end(), [&](const std::string& it) {
            return topic_matches(split_topic(it), topic);
        });
    }
    void put(message what) {
        const std::uint64_t number = ++last_number;
        waiting.emplace(number, queued{std::move(what), false});
        arrive(length_max);
    }
    // Beyond most the oldest goes, too; 0: never.
    void put_aside(message what, std::size_t most) {
        put(std::move(what));
        arrive(most);
    }
    // Needs no memory.
    void put_back(queued_by_number::node_type what) noexcept {
        what.mapped().redelivered = true;
        waiting.insert(std::move(what));
        arrive(length_max);
    }

private:
    void arrive(std::size_t most) noexcept {
        if (most > 0 && waiting.size() > most) waiting.erase(waiting.begin());
        arrived.notify_all();  // some of them may not take it
    }
};

constexpr std::size_t short_text_max = 255;
constexpr std::size_t headers_max = 64 * 1024;
constexpr std::size_t header_extra = 6;  // as the seam counts

bool fits(const message& what) {
    std::size_t headers = 0;
    for (const auto& [name, value] : what.headers) {
        if (name.size() > short_text_max) return false;
        headers += name.size() + value.size() + header_extra;
    }
    return headers <= headers_max && what.id.size() <= short_text_max &&
           what.topic.size() <= short_text_max && what.key.size() <= short_text_max &&
           what.content_type.size() <= short_text_max;
}

class memory_broker final : public broker {
public:
    explicit memory_broker(std::size_t queue_max) : queue_max_(queue_max) {}

    broker_info info() const override { return {"memory"}; }
    result<std::unique_ptr<publisher>> connect_publisher(const publisher_params& params) override;
    result<std::unique_ptr<consumer>> connect_consumer(const consumer_params& params) override;

private:
    friend class memory_publisher;
    friend class memory_consumer;

    result<queue*> declare(const queue_declaration& what);
    // full: a queue that must not drop anything holds all it can.
    enum class routed : std::uint8_t { yes, nowhere, full };
    routed route(const message& what);

    const std::size_t queue_max_;
    std::mutex mutex_;
    std::map<std::string, queue, std::less<>> queues_;  // they never go away
};

class memory_publisher final : public publisher {
public:
    memory_publisher(memory_broker& of, std::size_t window) : of_(of), window_(window) {}

    result<publish_tag> submit(const message& what) override;
    result<void> poll(std::chrono::milliseconds wait, std::vector<published>& out) override;

private:
    memory_broker& of_;
    const std::size_t window_;
    std::uint64_t last_tag_ = 0;
    std::vector<published> decided_;
};

class memory_consumer final : public consumer {
public:
    memory_consumer(memory_broker& of, const consumer_params& params, queue& from, queue& poison)
        : of_(of),
          from_(from),
          poison_(poison),
          poison_name_(params.poison_queue),
          prefetch_(params.prefetch),
          receive_bytes_max_(params.receive_bytes_max) {}
    ~memory_consumer() override;

    result<void> receive(std::size_t limit, std::chrono::milliseconds wait,
                         std::vector<delivery>& out) override;
    result<void> acknowledge(std::span<const acknowledgement> what) override;

private:
    void acknowledge_one(const acknowledgement& what);

    memory_broker& of_;
    queue& from_;
    queue& poison_;
    const std::string poison_name_;
    const std::size_t prefetch_;
    const std::size_t receive_bytes_max_;
    std::uint64_t last_tag_ = 0;
    std::map<delivery_tag, queued_by_number::node_type> unacknowledged_;
};

result<queue*> memory_broker::declare(const queue_declaration& what) {
    if (what.name.empty() || what.name.size() > short_text_max) {
        return failure(errc::invalid_argument, "name of a queue");
    }
    const auto [it, made] = queues_.try_emplace(what.name);
    queue& found = it->second;
    if (made) found.length_max = what.length_max;
    if (found.length_max != what.length_max) {
        return failure(errc::schema_mismatch, "queue '" + what.name + "' has x-max-length " +
                                                  std::to_string(found.length_max) + ", not " +
                                                  std::to_string(what.length_max));
    }
    found.topics.insert(what.topics.begin(), what.topics.end());
    return &found;
}

result<std::unique_ptr<publisher>> memory_broker::connect_publisher(
    const publisher_params& params) {
    if (params.window == 0) return failure(errc::invalid_argument, "window");
    const std::lock_guard lock(mutex_);
    for (const queue_declaration& it : params.queues) {
        if (auto done = declare(it); !done) return std::move(done).error();
    }
    return std::make_unique<memory_publisher>(*this, params.window);
}

result<std::unique_ptr<consumer>> memory_broker::connect_consumer(const consumer_params& params) {
    if (params.prefetch == 0 || params.prefetch > 65535) {
        return failure(errc::invalid_argument, "prefetch");
    }
    if (params.receive_bytes_max == 0) {
        return failure(errc::invalid_argument, "receive_bytes_max");
    }
    const std::lock_guard lock(mutex_);
    auto from = declare({params.queue, params.topics, params.length_max});
    if (!from) return std::move(from).error();
    auto poison = *from;
    if (params.poison_queue != params.queue) {
        auto other = declare({params.poison_queue, {}, 0});
        if (!other) return std::move(other).error();
        poison = *other;
    }
    return std::make_unique<memory_consumer>(*this, params, **from, *poison);
}

memory_broker::routed memory_broker::route(const message& what) {
    const topic_words topic = split_topic(what.topic);
    std::vector<queue*> to;
    for (auto& [name, it] : queues_) {
        if (!it.takes(topic)) continue;
        if (it.length_max == 0 && it.waiting.size() >= queue_max_) return routed::full;
        to.push_back(&it);
    }
    for (queue* it : to) it->put(what);
    return to.empty() ? routed::nowhere : routed::yes;
}

result<publish_tag> memory_publisher::submit(const message& what) {
    if (!fits(what)) return failure(errc::invalid_argument);
    if (decided_.size() >= window_) return failure(errc::overloaded);
    memory_broker::routed how{};
    {
        const std::lock_guard lock(of_.mutex_);
        how = of_.route(what);
    }
    if (how == memory_broker::routed::full) return failure(errc::overloaded);
    published outcome{publish_tag{++last_tag_}, {}};
    if (how == memory_broker::routed::nowhere && what.must_route) outcome.ec = errc::not_found;
    decided_.push_back(outcome);
    return outcome.tag;
}

result<void> memory_publisher::poll(std::chrono::milliseconds wait, std::vector<published>& out) {
    if (decided_.empty()) std::this_thread::sleep_for(wait);  // nothing will come by itself
    out.insert(out.end(), decided_.begin(), decided_.end());
    decided_.clear();
    return {};
}

memory_consumer::~memory_consumer() {
    const std::lock_guard lock(of_.mutex_);
    for (auto& [tag, it] : unacknowledged_) from_.put_back(std::move(it));
}

result<void> memory_consumer::receive(std::size_t limit, std::chrono::milliseconds wait,
                                      std::vector<delivery>& out) {
    std::unique_lock lock(of_.mutex_);
    const auto may_take = [&] {
        return limit > 0 && unacknowledged_.size() < prefetch_ && !from_.waiting.empty();
    };
    from_.arrived.wait_for(lock, wait, may_take);
    for (std::size_t bytes = 0; may_take() && bytes < receive_bytes_max_; --limit) {
        // In this order nothing is lost if memory runs out on the way.
        const delivery_tag tag{last_tag_ + 1};
        const auto first = from_.waiting.begin();
        const auto place = unacknowledged_.try_emplace(tag).first;
        try {
            out.push_back({tag, first->second.body, first->second.redelivered});
        } catch (...) {
            unacknowledged_.erase(place);
            throw;
        }
        bytes += first->second.body.payload.size();
        place->second = from_.waiting.extract(first);
        ++last_tag_;
    }
    return {};
}

result<void> memory_consumer::acknowledge(std::span<const acknowledgement> what) {
    std::set<delivery_tag> tags;
    for (const acknowledgement& it : what) {
        if (!unacknowledged_.contains(it.tag) || !tags.insert(it.tag).second) {
            return failure(errc::invalid_argument);
        }
    }
    const std::lock_guard lock(of_.mutex_);
    for (const acknowledgement& it : what) acknowledge_one(it);
    return {};
}

void memory_consumer::acknowledge_one(const acknowledgement& what) {
    const auto settled = unacknowledged_.find(what.tag);
    if (what.how == disposition::requeue) from_.put_back(std::move(settled->second));
    if (what.how == disposition::poison) {
        message copy = settled->second.mapped().body;
        copy.headers.emplace_back(poison_topic_header, copy.topic);
        copy.headers.emplace_back(poison_reason_header, what.reason);
        copy.topic = poison_name_;
        poison_.put_aside(std::move(copy), of_.queue_max_);
    }
    unacknowledged_.erase(settled);
}

}  // namespace

std::unique_ptr<broker> make_memory_broker(std::size_t queue_max) {
    return std::make_unique<memory_broker>(queue_max);
}

}  // namespace v1
}  // namespace orderproc
