#ifndef ORDERPROC_SERVER_AUTH_KEY_TABLE_HPP
#define ORDERPROC_SERVER_AUTH_KEY_TABLE_HPP

// The keys of a storage in memory, so that a request asks no storage who it is from.

#include "auth/api_key.hpp"
#include "auth/principal.hpp"
#include "http/message.hpp"

#include <orderproc/repository.hpp>
#include <orderproc/runtime.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::auth {

// Why a key does not count. For the log alone: a client is not told.
enum class key_fault : std::uint8_t { none, malformed, unknown, wrong_secret, ended, network };
std::string_view name_of(key_fault it) noexcept;  // "wrong_secret"

struct key_verdict {
    principal_ptr who;  // none: the key does not count…
    key_fault fault = key_fault::none;
    std::string id;  // …and which one it would be, if it has an id
};

// A key counted in a request.
struct use_of_key {
    std::string id;
    timestamp at{};  // the minute's beginning
};

// What a look-up did: for tests, which see to it that a wrong key costs what a good one does.
struct key_steps {
    unsigned digests = 0;
    unsigned comparisons = 0;
};

// Safe to use from any thread.
class key_table {
public:
    // Beyond it without a successful refresh() nobody knows which keys still count.
    static constexpr std::chrono::seconds stale_after{10};

    explicit key_table(runtime with);  // what it refers to outlives the table

    // Reads all keys of the storage. What has not changed is not decoded again. Principals of keys
    // that have ended since are told so. A record that cannot be read is reported to the observer
    // and counts as a key that nobody can use. After a failure the table is as it was.
    result<void> refresh(repository_reader& from);

    // The table has not been read for stale_after, or never.
    bool stale() const noexcept;
    // There is, or was, a key: also one that has ended.
    bool any() const noexcept;
    // There is one that somebody can use now.
    bool usable() const;
    // Whoever asks without a key while there is none. It ends with the first key.
    principal_ptr keyless() const;

    // Notes that the key was used now, if it counts.
    key_verdict find(std::string_view text, const http::address_bytes& from,
                     key_steps* steps = nullptr) const;

    // Ids of the keys that were used since this was called last, and when: to the minute.
    std::vector<use_of_key> take_uses();

private:
    struct entry {
        std::uint64_t version = 0;
        bool readable = false;
        api_key key;
        http::address_ranges networks;
        principal_ptr who;
        // When it was used, in minutes since 1970; 0: not since take_uses().
        mutable std::atomic<std::int64_t> used{0};
    };
    using entries = std::map<std::string, std::shared_ptr<const entry>, std::less<>>;

    static principal_ptr make_keyless();
    std::shared_ptr<const entry> read_entry(const record& from, const entry* before);
    std::shared_ptr<const entries> current() const;

    const runtime with_;
    mutable std::mutex mutex_;
    principal_ptr keyless_;
    std::shared_ptr<const entries> entries_;
    // As the others, for those who need no more of a table: it has no key, it is up to date.
    std::atomic<bool> any_{false};
    std::atomic<clock::instant> refreshed_at_;
};

}  // namespace orderproc::server::auth

#endif
