#include "auth/audit.hpp"

#include "auth/api_key.hpp"

#include <boost/json.hpp>

#include <utility>

namespace orderproc::server::auth {

namespace {

namespace js = boost::json;

constexpr std::size_t audit_page = 500;
constexpr std::size_t suffix_size = 8;  // tells entries of the same millisecond apart
constexpr std::size_t mark_max = 64;

audit_entry read_entry(std::string_view text) {
    const js::value parsed = js::parse(text);
    const js::object& from = parsed.as_object();
    const auto text_of = [&](std::string_view name) {
        return std::string(from.at(name).as_string());
    };
    audit_entry out;
    out.at = parse_timestamp(text_of("at")).value();
    out.actor = text_of("actor");
    out.action = text_of("action");
    out.about = text_of("about");
    return out;
}

}  // namespace

change_record to_record(const audit_entry& it, std::string_view mark) {
    const std::string at = orderproc::to_string(it.at);
    const js::object value{
        {"at", at}, {"actor", it.actor}, {"action", it.action}, {"about", it.about}};
    change_record out;
    out.action = record_action::create;
    out.collection = audit_collection;
    out.key = at + "-" +
              (mark.empty() ? random_text(suffix_size) : std::string(mark.substr(0, mark_max)));
    out.value = js::serialize(value);
    out.due_at = it.at + audit_kept;
    return out;
}

result<std::vector<change_record>> expired_records(repository_reader& from,
                                                   std::string_view collection, timestamp now,
                                                   std::size_t most) {
    const auto page = from.list_due_records({collection, now, {}, most});
    if (!page) return page.error();
    std::vector<change_record> out;
    for (const record& it : page->records) {
        out.push_back(removal_of(collection, it.key, it.version));
    }
    return out;
}

result<std::vector<audit_entry>> list_audit(repository_reader& from) {
    std::vector<audit_entry> out;
    std::string after;
    for (bool more = true; more;) {
        const auto page = from.list_records({audit_collection, {}, after, audit_page});
        if (!page) return page.error();
        for (const record& it : page->records) {
            try {
                out.push_back(read_entry(it.value));
            } catch (const std::bad_alloc&) {
                throw;
            } catch (const std::exception& why) {
                return failure{errc::corrupt, "audit record " + it.key + ": " + why.what()};
            }
        }
        more = page->more && !page->records.empty();
        if (more) after = page->records.back().key;
    }
    return out;
}

}  // namespace orderproc::server::auth
