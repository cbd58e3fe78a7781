#include "auth/key_use.hpp"

#include "auth/audit.hpp"

#include <utility>

namespace orderproc::server::auth {

namespace {

constexpr std::size_t uses_page = 500;

}  // namespace

result<std::vector<change_record>> changes_of(std::span<const use_of_key> uses,
                                              repository_reader& from) {
    std::vector<change_record> out;
    for (const use_of_key& it : uses) {
        const auto found = from.find_record({key_use_collection, it.id});
        if (!found) return found.error();
        change_record one;
        one.collection = key_use_collection;
        one.key = it.id;
        one.value = orderproc::to_string(it.at);
        one.due_at = it.at + audit_kept;
        if (*found) {
            if ((*found)->value >= one.value) continue;  // times of this form sort as texts
            one.action = record_action::replace;
            one.version = (*found)->version;
        }
        out.push_back(std::move(one));
    }
    return out;
}

result<std::map<std::string, timestamp>> list_uses(repository_reader& from) {
    std::map<std::string, timestamp> out;
    std::string after;
    for (bool more = true; more;) {
        auto page = from.list_records({key_use_collection, {}, after, uses_page});
        if (!page) return std::move(page).error();
        for (const record& it : page->records) {
            const auto at = parse_timestamp(it.value);
            if (!at) return failure{errc::corrupt, "the record of the use of key " + it.key};
            out.emplace(it.key, *at);
        }
        more = page->more && !page->records.empty();
        if (more) after = page->records.back().key;
    }
    return out;
}

}  // namespace orderproc::server::auth
