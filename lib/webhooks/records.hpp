#ifndef ORDERPROC_WEBHOOKS_RECORDS_HPP
#define ORDERPROC_WEBHOOKS_RECORDS_HPP

// What is stored of endpoints and deliveries, and where. Keys of what belongs to an endpoint begin
// with its id and "/".

#include <orderproc/record.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/webhook_endpoint.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

inline constexpr std::string_view webhook_collection = "webhooks";           // by id
inline constexpr std::string_view parked_collection = "webhook_parked";      // id/order number
inline constexpr std::string_view attempts_collection = "webhook_attempts";  // id/attempt; failed
inline constexpr std::string_view sent_collection = "webhook_sent";          // by id; the last 100
inline constexpr std::string_view tasks_collection = "webhook_tasks";        // id/task
inline constexpr std::size_t sent_kept = 100;
// What belongs to an endpoint, and goes when that does.
inline constexpr std::string_view collections_of_endpoints[] = {
    parked_collection, attempts_collection, sent_collection, tasks_collection};

std::string encode(const webhook_endpoint& it);
result<webhook_endpoint> decode_endpoint(const record& from);  // errc::corrupt

// Of an order that an event of failed: that event and the later ones of the order are parked, and
// go out in their order when it is due. They are in the journal; this says where to begin.
struct parked_record {
    std::string order;
    order_version next{0};        // the first version that is not delivered
    std::uint32_t attempts = 0;   // of that version, all of which failed
    timestamp failed_since = {};  // the first of all attempts that failed in a row
    timestamp failed_at = {};     // the latest one
    timestamp due_at = {};        // when the next one is to be made
    friend bool operator==(const parked_record&, const parked_record&) = default;
};
std::string parked_key(std::string_view endpoint, std::int64_t number);
// The order's number; nullopt: it is no such key.
std::optional<std::int64_t> number_in_key(std::string_view key, std::string_view endpoint);
std::string encode(const parked_record& it);
std::optional<parked_record> decode_parked(std::string_view value);

// Ids of attempts sort by time.
std::string attempt_id(timestamp at, std::string_view event);
std::string encode(const webhook_attempt& it);
std::optional<webhook_attempt> decode_attempt(std::string_view value);
// One a line, oldest first.
std::string encode_lines(const std::vector<webhook_attempt>& all);
std::vector<webhook_attempt> decode_lines(std::string_view value);

// What somebody asked the sender to do.
struct task_record {
    bool test = false;        // else a replay of what is…
    feed_position after;      // …behind this position (where it has got to)…
    std::uint64_t until = 0;  // …up to this offset
    timestamp at = {};
    friend bool operator==(const task_record&, const task_record&) = default;
};
std::string encode(const task_record& it);
std::optional<task_record> decode_task(std::string_view value);

change_record create_of(std::string_view collection, std::string key, std::string value);
change_record replace_of(std::string_view collection, std::string key, std::uint64_t version,
                         std::string value);

// Calls use(record) for each record whose key begins with the prefix, in the order of the keys,
// until it returns false.
result<void> for_records(repository_reader& from, std::string_view collection,
                         std::string_view prefix, const std::function<bool(const record&)>& use,
                         std::string after = {});

inline std::string prefix_of(std::string_view endpoint) {
    return std::string(endpoint) + "/";
}
inline constexpr std::string_view cursor_prefix = "webhook.";
inline std::string cursor_name(std::string_view endpoint) {
    return std::string(cursor_prefix).append(endpoint);
}
// Whose cursor it is; none: no endpoint's.
inline std::optional<std::string_view> endpoint_of_cursor(std::string_view name) {
    if (!name.starts_with(cursor_prefix)) return std::nullopt;
    const std::string_view id = name.substr(cursor_prefix.size());
    return id.starts_with("wh_") ? std::optional(id) : std::nullopt;
}
inline std::string event_id(const feed_position& at, std::string_view endpoint) {
    return to_string(at) + "." + std::string(endpoint);
}

// So many random characters of base 62. Empty: the system has no random numbers.
std::string random_letters(std::size_t count);

}  // namespace detail
}  // namespace v1
}  // namespace orderproc

#endif
