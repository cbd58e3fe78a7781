#ifndef ORDERPROC_TESTS_UNIT_SCRIPTED_BROKER_HPP
#define ORDERPROC_TESTS_UNIT_SCRIPTED_BROKER_HPP

// A broker that confirms, refuses, delivers and goes away when the test says so. One thread.

#include <orderproc/queue.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace shop_test {

using namespace orderproc;

class scripted_broker final : public broker {
public:
    broker_info info() const override { return {"scripted"}; }
    result<std::unique_ptr<publisher>> connect_publisher(const publisher_params& params) override;
    result<std::unique_ptr<consumer>> connect_consumer(const consumer_params& params) override;

    // What was submitted, over all connections: "A create".
    std::vector<std::string> texts() const {
        std::vector<std::string> out;
        for (const message& it : submitted) out.push_back(it.key + " " + it.topic.substr(6));
        return out;
    }
    // Of the present connection's undecided ones, from the first on.
    void decide(std::size_t count, error_code ec = {}) {
        for (; count > 0 && !undecided.empty(); --count) {
            decided.push_back({undecided.front(), ec});
            undecided.pop_front();
        }
    }
    // As says() has it.
    void decide_all() {
        while (!undecided.empty()) {
            const auto& what = submitted[submitted.size() - undecided.size()];
            decide(1, says ? says(what) : error_code());
        }
    }
    void decide_last(error_code ec = {}) {
        decided.push_back({undecided.back(), ec});
        undecided.pop_back();
    }
    void confirm_all() { decide(undecided.size()); }

    // What submit() answers to a message, and what becomes of it once it was taken.
    std::function<error_code(const message&)> takes, says;

    // A message arrives at the queue.
    void arrive(std::string topic, std::string key) {
        message it;
        it.id = "m" + std::to_string(++arrived);
        it.topic = std::move(topic);
        it.key = std::move(key);
        waiting.push_back(std::move(it));
    }

    bool away = false;                          // whoever uses it finds out
    bool confirms = true;                       // at once
    std::size_t publishers = 0, consumers = 0;  // connected so far
    publisher_params published_with;
    consumer_params consumed_with;
    std::vector<message> submitted;
    std::deque<publish_tag> undecided;
    std::vector<published> decided;
    std::deque<message> waiting;
    std::deque<std::pair<delivery_tag, message>> unacknowledged;
    std::vector<std::pair<std::string, acknowledgement>> acknowledged;  // by key
    std::size_t arrived = 0;
    std::size_t most_unacknowledged = 0;

private:
    class outlet;
    class inlet;
};

class scripted_broker::outlet final : public publisher {
public:
    outlet(scripted_broker& of, std::size_t window) : of_(of), window_(window) {
        of_.undecided.clear();
        of_.decided.clear();
    }
    result<publish_tag> submit(const message& what) override {
        if (of_.away) return failure{errc::unavailable, "gone"};
        if (of_.undecided.size() + of_.decided.size() >= window_) return errc::overloaded;
        if (const error_code ec = of_.takes ? of_.takes(what) : error_code()) return ec;
        of_.submitted.push_back(what);
        of_.undecided.push_back(publish_tag{++last_});
        return of_.undecided.back();
    }
    result<void> poll(std::chrono::milliseconds, std::vector<published>& out) override {
        if (of_.away) return failure{errc::unavailable, "gone"};
        if (of_.confirms) of_.decide_all();
        out.insert(out.end(), of_.decided.begin(), of_.decided.end());
        of_.decided.clear();
        return {};
    }

private:
    scripted_broker& of_;
    const std::size_t window_;
    std::uint64_t last_ = 0;
};

class scripted_broker::inlet final : public consumer {
public:
    explicit inlet(scripted_broker& of) : of_(of) {}
    ~inlet() override {
        for (auto& it : of_.unacknowledged) of_.waiting.push_front(std::move(it.second));
        of_.unacknowledged.clear();
    }
    result<void> receive(std::size_t limit, std::chrono::milliseconds,
                         std::vector<delivery>& out) override {
        if (of_.away) return failure{errc::unavailable, "gone"};
        while (limit-- > 0 && !of_.waiting.empty()) {
            of_.unacknowledged.emplace_back(delivery_tag{++last_}, of_.waiting.front());
            of_.waiting.pop_front();
            out.push_back(
                {of_.unacknowledged.back().first, of_.unacknowledged.back().second, false});
        }
        of_.most_unacknowledged = std::max(of_.most_unacknowledged, of_.unacknowledged.size());
        return {};
    }
    result<void> acknowledge(std::span<const acknowledgement> what) override {
        if (of_.away) return failure{errc::unavailable, "gone"};
        for (const acknowledgement& it : what) {
            const auto found = std::find_if(of_.unacknowledged.begin(), of_.unacknowledged.end(),
                                            [&](const auto& one) { return one.first == it.tag; });
            if (found == of_.unacknowledged.end()) return errc::invalid_argument;
            of_.acknowledged.emplace_back(found->second.key, it);
            of_.unacknowledged.erase(found);
        }
        return {};
    }

private:
    scripted_broker& of_;
    std::uint64_t last_ = 0;
};

inline result<std::unique_ptr<publisher>> scripted_broker::connect_publisher(
    const publisher_params& params) {
    if (away) return failure{errc::unavailable, "refused"};
    ++publishers;
    published_with = params;
    return std::make_unique<outlet>(*this, params.window);
}

inline result<std::unique_ptr<consumer>> scripted_broker::connect_consumer(
    const consumer_params& params) {
    if (away) return failure{errc::unavailable, "refused"};
    ++consumers;
    consumed_with = params;
    return std::make_unique<inlet>(*this);
}

}  // namespace shop_test

#endif
