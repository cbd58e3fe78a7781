#include "model_reader.hpp"

#include "json_fields.hpp"
#include "model_words.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

std::string_view kind_name(json_kind kind) noexcept {
    switch (kind) {
        case json_kind::none:
            return "nothing";
        case json_kind::null:
            return "null";
        case json_kind::boolean:
            return "true or false";
        case json_kind::number:
            return "a number";
        case json_kind::string:
            return "a string";
        case json_kind::array:
            return "an array";
        case json_kind::object:
            return "an object";
    }
    return {};
}

}  // namespace

template <class ReadMember>
void model_reader::object(std::initializer_list<std::string_view> required,
                          const ReadMember& read_member) {
    if (!expect(json_kind::object)) return;
    std::vector<std::string_view> missing(required);
    const std::size_t size = path_.size();
    from_.open();
    for (std::string_view name; from_.next_name(name);) {
        path_ += pointer_to(name).substr(1);
        std::erase(missing, name);
        if (!read_member(name)) {
            add("unknown_field", "is not a field of a model");
            from_.skip();
        }
        path_.resize(size);
    }
    if (from_.failed()) return;
    for (const std::string_view name : missing) {
        path_ += pointer_to(name).substr(1);
        add("required", "is missing");
        path_.resize(size);
    }
}

template <class ReadItem>
void model_reader::array(std::size_t most, const ReadItem& read_item) {
    if (!expect(json_kind::array)) return;
    const std::size_t size = path_.size();
    std::size_t count = 0;
    from_.open();
    for (; from_.next_item(); ++count) {
        if (count >= most) {
            from_.skip();
            continue;
        }
        path_.append("/").append(std::to_string(count));
        read_item();
        path_.resize(size);
    }
    if (count > most) add("too_many", "must have at most " + std::to_string(most) + " items");
}

template <class Enum>
void model_reader::word(Enum& out) {
    std::string found;
    if (from_.next() != json_kind::string) return (void)expect(json_kind::string);
    text(found);
    const auto& words = words_of<Enum>;
    const auto at = std::find(words.begin(), words.end(), found);
    if (at != words.end()) {
        out = static_cast<Enum>(at - words.begin());
        return;
    }
    std::string detail = "must be one of";
    for (const std::string_view it : words) {
        detail.append(it == words.front() ? " \"" : ", \"").append(it).append("\"");
    }
    add("unknown_value", std::move(detail));
}

void model_reader::read(model_text& out) {
    object({}, [&](std::string_view name) {
        if (name == "orders") {
            orders(out.orders);
        } else if (name == "statuses") {
            statuses(out.statuses.emplace());
        } else {
            return false;
        }
        return true;
    });
}

void model_reader::orders(order_rules& out) {
    object({}, [&](std::string_view name) {
        if (name == "items") {
            word(out.items);
        } else if (name == "user") {
            word(out.user);
        } else if (name == "guests") {
            boolean(out.guests);
        } else if (name == "ids") {
            word(out.ids);
        } else if (name == "tenants") {
            boolean(out.tenants);
        } else if (name == "personal_metadata") {
            boolean(out.personal_metadata);
        } else if (name == "personal_annotations") {
            boolean(out.personal_annotations);
        } else if (name == "total") {
            total(out.total);
        } else if (name == "attributes") {
            array(order_content::attributes_max, [&] { attribute(out.attributes.emplace_back()); });
        } else {
            return false;
        }
        return true;
    });
}

void model_reader::total(std::optional<total_rule>& out) {
    total_rule& rule = out.emplace();
    object({}, [&](std::string_view name) {
        if (name == "added") {
            texts(order_content::attributes_max, rule.added);
        } else if (name == "subtracted") {
            texts(order_content::attributes_max, rule.subtracted);
        } else {
            return false;
        }
        return true;
    });
}

void model_reader::attribute(attribute_rule& out) {
    std::string_view default_text;  // its type may come later
    bool sized = false;
    const auto member = [&](std::string_view name) {
        if (name == "name") {
            text(out.name);
        } else if (name == "type") {
            word(out.type);
        } else if (name == "slot") {
            std::int64_t slot = 0;
            integer(slot, 1, 127);
            out.slot = static_cast<std::uint8_t>(slot);
        } else if (name == "required") {
            boolean(out.required);
        } else if (name == "default") {
            (void)from_.next();
            default_text = from_.raw();
        } else if (name == "edits") {
            word(out.edits);
        } else if (name == "personal") {
            boolean(out.personal);
        } else if (name == "indexed") {
            boolean(out.indexed);
        } else if (name == "unique") {
            word(out.unique);
        } else {
            sized = sized || name == "size_max";
            return attribute_bound(name, out);
        }
        return true;
    };
    object({"name", "type"}, member);
    if (!sized && out.type == attribute_type::text) out.size_max = default_size_max(out);
    if (!default_text.empty() && !from_.failed()) default_value(default_text, out);
}

bool model_reader::attribute_bound(std::string_view name, attribute_rule& out) {
    if (name == "size_min") {
        size(out.size_min, 0, order_attribute::text_size_max);
    } else if (name == "size_max") {
        size(out.size_max, 1, order_attribute::text_size_max);
    } else if (name == "characters") {
        word(out.characters);
    } else if (name == "minimum") {
        integer(out.minimum);
    } else if (name == "maximum") {
        integer(out.maximum);
    } else if (name == "choices") {
        texts(attribute_rule::choices_max, out.choices);
    } else {
        return false;
    }
    return true;
}

// Of an attribute whose type is known by now.
void model_reader::default_value(std::string_view value, attribute_rule& out) {
    json_reader own(value, json_reader::depth_max);
    model_reader reader(own, errors_);
    reader.path_ = path_ + "/default";
    switch (out.type) {
        case attribute_type::text:
        case attribute_type::choice:
            return reader.text(std::get<std::string>(out.default_value.emplace(std::string())));
        case attribute_type::integer:
            return reader.integer(
                std::get<std::int64_t>(out.default_value.emplace(std::int64_t{0})));
        case attribute_type::amount:
            return reader.integer(std::get<amount>(out.default_value.emplace(amount{})).minor_units,
                                  0, money::minor_units_max);
        case attribute_type::boolean:
            return reader.boolean(std::get<bool>(out.default_value.emplace(false)));
        case attribute_type::time:
            break;
    }
    std::string written;
    reader.text(written);
    const auto time = parse_timestamp(written);
    if (time) {
        out.default_value = *time;
    } else if (!written.empty()) {
        reader.add("malformed", "must be a time such as 2026-01-31T12:00:00Z (RFC 3339)");
    }
}

void model_reader::statuses(machine_text& out) {
    object({"initial"}, [&](std::string_view name) {
        if (name == "initial") {
            status(out.initial);
        } else if (name == "transitions") {
            array(transitions_max, [&] { transition(out.transitions.emplace_back()); });
        } else if (name == "stages") {
            array(stages_max, [&] { stage(out.stages.emplace_back()); });
        } else {
            return false;
        }
        return true;
    });
}

void model_reader::transition(transition_text& out) {
    object({"from", "event", "to"}, [&](std::string_view name) {
        if (name == "from") {
            array(transitions_max, [&] { status(out.from.emplace_back()); });
            if (out.from.empty()) add("required", "must have at least one status");
        } else if (name == "event") {
            event(out.event);
        } else if (name == "to") {
            status(out.to);
        } else if (name == "open_to_clients") {
            boolean(out.open_to_clients);
        } else if (name == "scope") {
            scope(out.scope);
        } else {
            return false;
        }
        return true;
    });
}

void model_reader::stage(stage_text& out) {
    const auto member = [&](std::string_view name) {
        if (name == "waiting") {
            status(out.waiting);
        } else if (name == "start") {
            event(out.start);
        } else if (name == "active") {
            status(out.active);
        } else if (name == "release") {
            event(out.release);
        } else if (name == "fail") {
            event(out.fail);
        } else if (name == "failed") {
            status(out.failed);
        } else {
            return false;
        }
        return true;
    };
    object({"waiting", "start", "active", "release", "fail", "failed"}, member);
}

void model_reader::text(std::string& out) {
    if (expect(json_kind::string)) out = from_.string();
}

void model_reader::texts(std::size_t most, std::vector<std::string>& out) {
    array(most, [&] { text(out.emplace_back()); });
}

void model_reader::status(order_status& out) {
    if (!expect(json_kind::string)) return;
    const auto parsed = order_status::parse(from_.string());
    if (parsed) {
        out = *parsed;
    } else if (!from_.failed()) {
        add("malformed", "must be a status: [A-Z][A-Z0-9_]{0,22}");
    }
}

// The machine knows which names events have: it is asked about one that leads nowhere else.
void model_reader::event(std::string& out) {
    if (!expect(json_kind::string)) return;
    out = from_.string();
    const transition_rule alone{"A", out, "B"};
    if (!status_machine::build("A", {&alone, 1}, {}) && !from_.failed()) {
        add("malformed",
            "must be an event: [a-z][a-z0-9_]{0,31}, and none that orders have anyway");
    }
}

// So is it about names of scopes.
void model_reader::scope(std::string& out) {
    if (!expect(json_kind::string)) return;
    out = from_.string();
    const transition_rule alone{"A", "go", "B", true, out};
    const bool fits = !out.empty() && status_machine::build("A", {&alone, 1}, {}).has_value();
    if (!fits && !from_.failed()) add("malformed", "must be a scope: [a-z][a-z0-9_:.-]{0,31}");
}

void model_reader::boolean(bool& out) {
    if (expect(json_kind::boolean)) out = from_.raw() == "true";
}

void model_reader::integer(std::int64_t& out, std::int64_t low, std::int64_t high) {
    if (!expect(json_kind::number)) return;
    const std::string_view number = from_.number();
    if (from_.failed()) return;
    std::int64_t value = 0;
    const char* const end = number.data() + number.size();
    const auto [at, ec] = std::from_chars(number.data(), end, value);
    if (number.find_first_of(".eE") != number.npos) {
        add("not_an_integer", "must be an integer, without a fraction or an exponent");
    } else if (ec != std::errc() || at != end || value < low || value > high) {
        add("out_of_range", "must be from " + std::to_string(low) + " to " + std::to_string(high));
    } else {
        out = value;
    }
}

void model_reader::size(std::size_t& out, std::size_t low, std::size_t high) {
    auto value = static_cast<std::int64_t>(out);
    integer(value, static_cast<std::int64_t>(low), static_cast<std::int64_t>(high));
    out = static_cast<std::size_t>(value);
}

// Whether the value that comes next is of that kind; if not, it is skipped.
bool model_reader::expect(json_kind wanted) {
    const json_kind found = from_.next();
    if (found == wanted) return true;
    if (found == json_kind::none) return false;  // the reader has failed
    add("wrong_type",
        "must be " + std::string(kind_name(wanted)) + ", not " + std::string(kind_name(found)));
    from_.skip();
    return false;
}

void model_reader::add(std::string_view code, std::string detail) {
    if (errors_.size() >= parsed_order::errors_max) return;
    errors_.push_back({path_, std::string(code), std::move(detail)});
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
