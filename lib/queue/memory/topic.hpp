#ifndef ORDERPROC_QUEUE_MEMORY_TOPIC_HPP
#define ORDERPROC_QUEUE_MEMORY_TOPIC_HPP

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {
namespace memory {

using topic_words = std::vector<std::string_view>;

// "" has no words, "a." has two.
inline topic_words split_topic(std::string_view topic) {
    topic_words out;
    if (topic.empty()) return out;
    for (;;) {
        const std::size_t dot = topic.find('.');
        out.push_back(topic.substr(0, dot));
        if (dot == topic.npos) return out;
        topic.remove_prefix(dot + 1);
    }
}

// As an AMQP 0-9-1 topic exchange: "*" is any one word, "#" any number of them.
inline bool topic_matches(std::span<const std::string_view> pattern,
                          std::span<const std::string_view> topic) {
    if (pattern.empty()) return topic.empty();
    const auto rest = pattern.subspan(1);
    if (pattern.front() == "#") {
        for (std::size_t taken = 0; taken <= topic.size(); ++taken) {
            if (topic_matches(rest, topic.subspan(taken))) return true;
        }
        return false;
    }
    return !topic.empty() && (pattern.front() == "*" || pattern.front() == topic.front()) &&
           topic_matches(rest, topic.subspan(1));
}

}  // namespace memory
}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
