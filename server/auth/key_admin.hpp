#ifndef ORDERPROC_SERVER_AUTH_KEY_ADMIN_HPP
#define ORDERPROC_SERVER_AUTH_KEY_ADMIN_HPP

// Making and ending keys. There is no way to it over HTTP: it takes the storage.

#include "auth/api_key.hpp"
#include "auth/audit.hpp"

#include <orderproc/repository.hpp>
#include <orderproc/runtime.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::auth {

struct key_admin_options {
    std::string actor;  // of the audit records: "cli:anna"
    // Keys that have not ended. The next one is refused.
    std::size_t keys_max = 10'000;
};

// For one thread. Every change writes its audit record in the same transaction. What has ended is
// kept as long as audit records are, so that its name is not given to somebody else.
class key_admin {
public:
    // The connection and what the runtime refers to outlive it.
    key_admin(repository& over, runtime with, key_admin_options options);

    struct made_key {
        std::string text;  // the only time that anybody sees it
        api_key key;
    };
    // wanted: without id, secret and times of its making. errc::invalid_argument: validate() says
    // so, or the name is taken; errc::overloaded: there are keys_max.
    result<made_key> create(api_key wanted, std::string_view environment);
    // By name, and then by when they were made.
    result<std::vector<api_key>> list();
    // When keys were last used, by id: those of which it is known.
    result<std::map<std::string, timestamp>> uses();
    // It stops at once. errc::not_found: there is no such key. Of one that was revoked, nothing
    // is changed.
    result<api_key> revoke(std::string_view id);
    // What counts as a key until now no longer does, until somebody enables it: after a restore,
    // which may have brought back keys that were revoked since. How many there were.
    result<std::size_t> disable_all();
    // Of one that is not disabled, nothing is changed. errc::not_found: there is no such key;
    // errc::invalid_argument: it was revoked.
    result<api_key> enable(std::string_view id);
    // Another key with the same name, rights and, from now on, the same life; the old one stops
    // after the overlap, if not before. errc::invalid_argument: it was revoked, or is disabled.
    result<made_key> rotate(std::string_view id, std::chrono::milliseconds overlap,
                            std::string_view environment);

private:
    struct stored_key {
        api_key key;
        std::uint64_t version = 0;
    };
    result<std::vector<stored_key>> read_all();
    result<stored_key> read_one(std::string_view id);
    result<void> room_for_another(const std::vector<stored_key>& all) const;
    made_key fresh(api_key wanted, std::string_view environment) const;
    result<void> commit(std::vector<change_record> changes, std::string action, std::string about);
    result<void> take_back(const std::vector<change_record>& changes,
                           const std::vector<record_outcome>& outcomes);
    result<std::vector<record_outcome>> write(const std::vector<change_record>& changes);
    change_record create_record(const api_key& it) const;
    change_record replace_record(const stored_key& it) const;

    repository& over_;
    const runtime with_;
    const key_admin_options options_;
    const std::string writer_;
    std::uint64_t sequence_ = 0;
};

}  // namespace orderproc::server::auth

#endif
