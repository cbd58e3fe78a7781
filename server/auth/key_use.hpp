#ifndef ORDERPROC_SERVER_AUTH_KEY_USE_HPP
#define ORDERPROC_SERVER_AUTH_KEY_USE_HPP

// When keys were last used, as records beside those of the keys: so a use changes no key.

#include "auth/key_table.hpp"

#include <orderproc/record.hpp>
#include <orderproc/repository.hpp>
#include <orderproc/timestamp.hpp>

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace orderproc::server::auth {

inline constexpr std::string_view key_use_collection = "api_key_uses";

// What has to be written for the uses to be known: nothing for those of which a later one is, or
// the same. One that is refused was noted by another process meanwhile.
result<std::vector<change_record>> changes_of(std::span<const use_of_key> uses,
                                              repository_reader& from);
// By the id of the key. errc::corrupt: a record is not one of these.
result<std::map<std::string, timestamp>> list_uses(repository_reader& from);

}  // namespace orderproc::server::auth

#endif
