// The attributes of an order: its model says which there are.

#include "json_fields.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::string_view attributes_pointer = "#/attributes";
constexpr std::string_view never_changes = "never changes: leave it out, or send it as it is";

bool before(const order_attribute& a, const order_attribute& b) noexcept {
    return a.name < b.name;
}

std::string pointer_of(const attribute_rule& rule) {
    return std::string(attributes_pointer) + '/' + rule.name;
}

}  // namespace

void order_judge::attributes() {
    const bool patches = form_ == body_form::patch || form_ == body_form::annotation;
    if (!patches && is_left_out()) return;
    if (was_array(attributes_pointer)) return;
    if (!expect(json_kind::object, attributes_pointer)) return;
    from_.open();
    for (std::string_view name; from_.next_name(name);) {
        if (const attribute_rule* const rule = model_.find(name)) {
            path_ = pointer_of(*rule);
            attribute(*rule);
            continue;
        }
        add(std::string(attributes_pointer) + pointer_to(name).substr(1), "unknown_field",
            "is not an attribute of an order");
        from_.skip();
    }
}

// One attribute, whose path is path_.
void order_judge::attribute(const attribute_rule& rule) {
    const bool patches = form_ == body_form::patch || form_ == body_form::annotation;
    if (!patches && is_left_out()) return;
    named_.push_back(&rule);
    if (form_ == body_form::annotation && rule.edits != attribute_edits::always) {
        add(path_, "read_only", "does not change in every status");
        return from_.skip();
    }
    if (is_left_out()) return remove_attribute(rule);
    if (rule.type == attribute_type::amount) {
        // An annotation knows no currency but the order's.
        if (form_ == body_form::annotation) needs_current_ = true;
        return leave_open({{}, {}, 0, &rule, 0}, path_);
    }
    attribute_value read;
    if (attribute_of_its_type(rule, read)) {
        put_attribute(rule, std::move(read), out_.errors.size());
    }
}

bool order_judge::attribute_of_its_type(const attribute_rule& rule, attribute_value& out) {
    switch (rule.type) {
        case attribute_type::integer:
            return integer(out.emplace<std::int64_t>(), path_, INT64_MIN);
        case attribute_type::time:
            return time(out.emplace<timestamp>(), path_);
        case attribute_type::boolean:
            if (!expect(json_kind::boolean, path_)) return false;
            out = from_.raw() == "true";
            return !from_.failed();
        case attribute_type::text:
        case attribute_type::choice:
        case attribute_type::amount:
            break;
    }
    if (!expect(json_kind::string, path_)) return false;
    out = std::string(from_.string());
    return !from_.failed();
}

// A default value stands for one that is taken away, too.
void order_judge::remove_attribute(const attribute_rule& rule) {
    if (rule.required) return add(path_, "required", "cannot be removed");
    if (!may_change(rule, nullptr, out_.errors.size())) return;
    if (rule.default_value) {
        given_.push_back({rule.name, *rule.default_value});
    } else {
        removed_.push_back(rule.name);
    }
}

// Whether an edit may give the attribute this value, or take it away.
bool order_judge::may_change(const attribute_rule& rule, const attribute_value* to,
                             std::size_t index) {
    if (form_ == body_form::create || rule.edits != attribute_edits::never || !current_) {
        return true;
    }
    const order_attribute* const was = find_attribute(current_->attributes, rule.name);
    if (was ? to && was->value == *to : !to) return true;
    add_at(index, pointer_of(rule), "read_only", never_changes);
    return false;
}

// index: where among the errors its own belongs.
void order_judge::put_attribute(const attribute_rule& rule, attribute_value value,
                                std::size_t index) {
    if (auto breach = check_attribute(rule, value)) {
        return add_at(index, pointer_of(rule), breach->code, breach->detail);
    }
    if (may_change(rule, &value, index)) given_.push_back({rule.name, std::move(value)});
}

// What the attributes are once all that the body says of them was read. What never changes stays
// if it is left out.
void order_judge::finish_attributes() {
    std::sort(given_.begin(), given_.end(), before);
    if (form_ == body_form::annotation) return;
    std::vector<order_attribute>& to = out_.value.attributes;
    if (form_ == body_form::replacement && current_) {
        for (const order_attribute& it : current_->attributes) {
            const attribute_rule* const rule = model_.find(it.name);
            if (!rule || rule->edits != attribute_edits::never) continue;
            if (!find_attribute(given_, it.name)) to.push_back(it);
        }
    } else if (form_ == body_form::patch) {
        std::erase_if(to, [&](const order_attribute& it) {
            return find_attribute(given_, it.name) ||
                   std::find(removed_.begin(), removed_.end(), it.name) != removed_.end();
        });
    }
    to.insert(to.end(), std::make_move_iterator(given_.begin()),
              std::make_move_iterator(given_.end()));
    std::sort(to.begin(), to.end(), before);
    model_.complete(out_.value);
    missing_attributes();
    keep_currency();
}

// What is named and not there has its error already.
void order_judge::missing_attributes() {
    if (!knows_all()) return;
    for (const attribute_rule* const rule : model_.attributes()) {
        if (!rule->required || find_attribute(out_.value.attributes, rule->name)) continue;
        if (std::find(named_.begin(), named_.end(), rule) != named_.end()) continue;
        add(pointer_of(*rule), "required", "is missing");
    }
}

// An amount that never changes would mean another sum in another currency.
void order_judge::keep_currency() {
    if (!current_ || out_.value.total_amount.currency == current_->total_amount.currency) return;
    for (const order_attribute& it : current_->attributes) {
        const attribute_rule* const rule = model_.find(it.name);
        if (!rule || rule->edits != attribute_edits::never) continue;
        if (!std::holds_alternative<amount>(it.value)) continue;
        return add("#/currency", "read_only",
                   "cannot change: attributes." + it.name + " is an amount that never changes");
    }
}

annotate_order order_judge::take_annotation() {
    annotate_order out;
    if (annotations_seen_) out.annotations = std::move(out_.value.annotations);
    out.attributes = std::move(given_);
    out.removed = std::move(removed_);
    return out;
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
