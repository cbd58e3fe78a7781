#include "core/json_reader.hpp"
#include "core/order_rules.hpp"
#include "json_fields.hpp"

#include <orderproc/json.hpp>

#include <string>

namespace orderproc {
inline namespace v1 {

namespace {

// Reads a string, or notes that the field is none.
bool read_string(detail::json_reader& from, std::string_view pointer, std::string& out,
                 std::vector<field_error>& errors) {
    if (from.next() == detail::json_kind::string) {
        out = from.string();
        return true;
    }
    from.skip();
    errors.push_back({std::string(pointer), "wrong_type", "must be a string"});
    return false;
}

void read_reason(detail::json_reader& from, parsed_transition& out) {
    if (from.next() == detail::json_kind::null) return from.skip();  // left out
    if (!read_string(from, "#/reason", out.reason, out.errors)) return;
    if (out.reason.size() > parsed_transition::reason_size_max) {
        out.errors.push_back({"#/reason", "too_large", "must be at most 1024 bytes"});
    }
    if (out.reason.find('\0') != std::string::npos) {
        out.errors.push_back({"#/reason", "unsupported_character",
                              std::string(detail::rule_of(detail::json_breach::character))});
    }
}

void read_members(detail::json_reader& from, parsed_transition& out) {
    bool has_event = false;
    from.open();
    for (std::string_view name; from.next_name(name);) {
        if (name == "event") {
            has_event = true;
            read_string(from, "#/event", out.event, out.errors);
        } else if (name == "reason") {
            read_reason(from, out);
        } else {
            if (out.errors.size() < parsed_order::errors_max) {
                out.errors.push_back(
                    {detail::pointer_to(name), "unknown_field", "is not a field of a transition"});
            }
            from.skip();
        }
    }
    if (!has_event) out.errors.push_back({"#/event", "required", "is missing"});
}

}  // namespace

parsed_transition parse_transition(std::string_view text) {
    parsed_transition out;
    detail::json_reader reader(text);
    if (reader.next() == detail::json_kind::object) {
        read_members(reader, out);
    } else {
        reader.skip();
        out.errors.push_back({"#", "wrong_type", "must be an object"});
    }
    reader.finish();
    out.syntax = detail::syntax_of(reader);
    if (reader.failed()) out.errors.clear();
    return out;
}

}  // namespace v1
}  // namespace orderproc
