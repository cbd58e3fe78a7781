#ifndef ORDERPROC_WEBHOOK_ENDPOINT_HPP
#define ORDERPROC_WEBHOOK_ENDPOINT_HPP

// Who is told of changes, and how: endpoints of others, their secrets, and what was tried to reach
// them. All of it is kept as records (record.hpp).

#include <orderproc/journal.hpp>
#include <orderproc/webhook_signature.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace orderproc {
inline namespace v1 {

// Keys of the host's that secrets are encrypted with: AES-256-GCM (NIST SP 800-38D), with a random
// nonce for each secret and bound to the endpoint's id, so that a stored secret counts for no other
// endpoint.
class ORDERPROC_EXPORT webhook_keys {
public:
    // One key a line: 32 bytes in base64. The first one encrypts, each decrypts: to change the key,
    // put a new one in front. Empty lines, and those that begin with "#", are skipped.
    // errc::invalid_argument, with the number of the line.
    static result<webhook_keys> parse(std::string_view text);
    // Secrets are stored as they are, for whoever reads the storage. Those that were encrypted
    // cannot be read.
    static webhook_keys none() { return {}; }

    // The secret as it is stored. errc::unavailable: OpenSSL failed.
    result<std::string> seal(const webhook_secret& it, std::string_view endpoint) const;
    // errc::not_found: encrypted with a key that is not among these, which the detail names by
    // the first 8 digits of its SHA-256; errc::corrupt: changed, or another endpoint's.
    result<webhook_secret> open(std::string_view sealed, std::string_view endpoint) const;
    // Whether seal() would encrypt it with the same key; one that is not may be sealed again.
    bool seals_alike(std::string_view sealed) const noexcept;

private:
    struct key {
        std::string id;
        std::string bytes;
    };
    std::vector<key> keys_;
};

enum class webhook_content : std::uint8_t {
    full,       // a CloudEvent with the order after the change: see cloud_event.hpp
    reference,  // ids, statuses and the version alone: nothing personal
};
ORDERPROC_EXPORT std::string_view name_of(webhook_content value) noexcept;  // "reference"

enum class webhook_state : std::uint8_t {
    active,
    paused,   // nothing is sent; events wait in the journal
    removed,  // nothing is sent, nor ever will be; what is stored of it is being deleted
};
ORDERPROC_EXPORT std::string_view name_of(webhook_state value) noexcept;  // "paused"

struct webhook_endpoint {
    static constexpr std::size_t url_size_max = 2048;
    static constexpr std::size_t description_size_max = 256;
    static constexpr std::size_t filters_max = 100;  // events, and as many statuses
    static constexpr std::size_t all_max = 100;      // endpoints that there may be…
    static constexpr std::size_t of_owner_max = 10;  // …and of one user or tenant

    struct sealed_secret {
        std::string text;                       // webhook_keys::seal()
        std::optional<timestamp> ends_at = {};  // of one that another has taken the place of
        friend bool operator==(const sealed_secret&, const sealed_secret&) = default;
    };

    std::string id;           // "wh_" and 16 letters or digits
    std::string url;          // whether it may be called is the host's to judge
    std::string description;  // for people
    // Which entries of the journal it is told of: those that match all that is given, as in
    // feed_filter. Empty: any.
    std::vector<std::string> events = {};
    std::vector<order_status> statuses = {};
    order_scope scope = {};
    webhook_content content = webhook_content::full;
    webhook_state state = webhook_state::active;
    std::string paused_why = {};  // for people; empty: somebody asked for it
    // What its creator was confined to: whoever is confined to the same manages it. An endpoint of
    // somebody confined is not told why something happened: reason and last_error are empty.
    order_scope owner = {};
    feed_position begins = {};                 // its first event comes after this position
    std::optional<timestamp> resumed_at = {};  // what had failed before is tried again at once
    std::vector<sealed_secret> secrets = {};   // newest first; each signs until its end
    timestamp created_at = {};
    std::string created_by = {};
    std::uint64_t version = 0;  // of its record

    friend bool operator==(const webhook_endpoint&, const webhook_endpoint&) = default;
};

// What makes no sense: errc::invalid_argument, with a detail that begins with the member's name.
// The URL is judged by its length alone, and by its characters: no space, no control character.
ORDERPROC_EXPORT result<void> validate(const webhook_endpoint& it);

// One try to deliver an event. Those that failed are kept for 7 days, but at most 10,000 of an
// endpoint; of those that succeeded, the last 100.
struct webhook_attempt {
    static constexpr std::size_t answer_size_max = 1024;

    std::string id;         // of the attempt
    std::string event;      // webhook-id: the same at each attempt
    std::string order;      // empty: it was a test
    feed_position at = {};  // the event's place in the journal
    order_version version{0};
    timestamp began_at = {};
    std::chrono::milliseconds took{0};
    unsigned status = 0;                    // of the answer; 0: there was none…
    std::string error = {};                 // …and why, or what was wrong with it
    std::string answer = {};                // the beginning of its body, if it failed
    std::uint32_t number = 1;               // of the event's attempts
    std::optional<timestamp> next_at = {};  // when it is tried again; none: it is not

    bool succeeded() const noexcept { return status / 100 == 2 && error.empty(); }
    friend bool operator==(const webhook_attempt&, const webhook_attempt&) = default;
};

}  // namespace v1
}  // namespace orderproc

#endif
