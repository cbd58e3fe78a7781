#include "auth/strict_json.hpp"

#include <boost/json.hpp>
#include <boost/json/basic_parser_impl.hpp>

#include <cstdint>
#include <string>

namespace orderproc::server::auth {

namespace json = boost::json;

namespace {

// Counts the members of all objects as they stand in the text.
struct member_counter {
    static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
    static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

    using ec = json::error_code;
    bool on_document_begin(ec&) { return true; }
    bool on_document_end(ec&) { return true; }
    bool on_object_begin(ec&) { return true; }
    bool on_object_end(std::size_t size, ec&) {
        count += size;
        return true;
    }
    bool on_array_begin(ec&) { return true; }
    bool on_array_end(std::size_t, ec&) { return true; }
    bool on_key_part(json::string_view, std::size_t, ec&) { return true; }
    bool on_key(json::string_view, std::size_t, ec&) { return true; }
    bool on_string_part(json::string_view, std::size_t, ec&) { return true; }
    bool on_string(json::string_view, std::size_t, ec&) { return true; }
    bool on_number_part(json::string_view, ec&) { return true; }
    bool on_int64(std::int64_t, json::string_view, ec&) { return true; }
    bool on_uint64(std::uint64_t, json::string_view, ec&) { return true; }
    bool on_double(double, json::string_view, ec&) { return true; }
    bool on_bool(bool, ec&) { return true; }
    bool on_null(ec&) { return true; }
    bool on_comment_part(json::string_view, ec&) { return true; }
    bool on_comment(json::string_view, ec&) { return true; }

    std::size_t count = 0;
};

// Of what was read, where one of two members of the same name is left. Not deeper than
// json_depth_max, which bounds the recursion.
std::size_t members_of(const json::value& it) {
    std::size_t out = 0;
    if (const auto* object = it.if_object()) {
        out = object->size();
        for (const auto& member : *object) out += members_of(member.value());
    } else if (const auto* array = it.if_array()) {
        for (const json::value& one : *array) out += members_of(one);
    }
    return out;
}

}  // namespace

std::optional<json::value> parse_strictly(std::string_view text) {
    json::parse_options options;
    options.max_depth = json_depth_max;
    json::error_code ec;
    json::basic_parser<member_counter> counting(options);
    const std::size_t used = counting.write_some(false, text.data(), text.size(), ec);
    if (ec || used != text.size() || !counting.done()) return std::nullopt;
    json::value out = json::parse(text, ec, {}, options);
    if (ec || members_of(out) != counting.handler().count) return std::nullopt;
    return out;
}

}  // namespace orderproc::server::auth
