#include "json_merge.hpp"

#include "core/json_reader.hpp"

#include <orderproc/json.hpp>

#include <map>
#include <vector>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

struct member {
    std::string name;
    std::string_view value;
};

// None for what is not an object.
std::vector<member> members_of(std::string_view text) {
    std::vector<member> out;
    json_reader from(text);
    if (from.next() != json_kind::object) return out;
    from.open();
    for (std::string_view name; from.next_name(name);) {
        std::string kept(name);
        (void)from.next();  // to the value, past the space before it
        out.push_back({std::move(kept), from.raw()});
    }
    return out;
}

bool is_object(std::string_view text) {
    return json_reader(text).next() == json_kind::object;
}

}  // namespace

std::string merge_json(std::string_view target, std::string_view patch) {
    constexpr std::string_view null = "null";
    if (!is_object(patch)) return std::string(patch);
    const std::vector<member> wanted = members_of(patch);
    std::map<std::string_view, std::string_view> left;
    for (const member& it : wanted) left.emplace(it.name, it.value);

    std::string out = "{";
    const auto add = [&](std::string_view name, std::string_view value) {
        if (out.size() > 1) out += ',';
        append_json_string(name, out);
        out.append(1, ':').append(value);
    };
    for (const member& it : members_of(target)) {
        const auto found = left.find(it.name);
        if (found == left.end()) {
            add(it.name, it.value);
            continue;
        }
        if (found->second != null) add(it.name, merge_json(it.value, found->second));
        left.erase(found);
    }
    for (const member& it : wanted) {
        if (it.value != null && left.contains(it.name)) add(it.name, merge_json({}, it.value));
    }
    return out += '}';
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
