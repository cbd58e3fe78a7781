#include "core/integer_text.hpp"
#include "core/model_rules.hpp"

#include <orderproc/order_model.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace orderproc {
inline namespace v1 {

namespace {

constexpr std::uint8_t slot_max = 127;

failure invalid(std::string detail) {
    return {errc::invalid_argument, std::move(detail)};
}

// So that bytes sort as the integers do: the highest first, the negative ones below.
void append_sortable(std::int64_t value, std::string& out) {
    const std::uint64_t bits = static_cast<std::uint64_t>(value) ^ (std::uint64_t{1} << 63);
    for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(bits >> shift & 0xff);
}

result<void> check_user(const order_rules& rules, const order_content& value) {
    if (value.user.empty()) {
        if (rules.guests || rules.user == user_form::none) return {};
        return invalid("user is required");
    }
    if (rules.user == user_form::none) return invalid("user must be left out");
    if (rules.user == user_form::integer && detail::positive_integer(value.user) == 0) {
        return invalid("user must be an integer from 1 to 9223372036854775807");
    }
    return {};
}

result<void> check_items(const order_rules& rules, const order_content& value) {
    if (rules.items == items_form::item_ids && !value.lines.empty()) {
        return invalid("lines must be left out: this shop's orders have item_ids");
    }
    if (rules.items == items_form::lines && !value.item_ids.empty()) {
        return invalid("item_ids must be left out: this shop's orders have lines");
    }
    if (!rules.total) return {};
    for (std::size_t i = 0; i < value.lines.size(); ++i) {
        if (value.lines[i].unit_amount) continue;
        return invalid("lines[" + std::to_string(i) + "].unit_amount is required");
    }
    auto breach = detail::check_total(rules, value);
    return breach ? invalid("total_amount " + breach->detail) : result<void>();
}

result<void> check_attributes(const order_model& model, const order_content& value) {
    for (const order_attribute& it : value.attributes) {
        const attribute_rule* const rule = model.find(it.name);
        if (!rule)
            return invalid("attributes." + it.name + " is not an attribute of this shop's orders");
        if (auto breach = detail::check_attribute(*rule, it.value)) {
            return invalid("attributes." + it.name + " " + breach->detail);
        }
    }
    for (const attribute_rule* const rule : model.attributes()) {
        if (rule->required && !detail::find_attribute(value.attributes, rule->name)) {
            return invalid("attributes." + rule->name + " is required");
        }
    }
    return {};
}

result<void> check_content(const order_model& model, const order_content& value, bool edit) {
    if (auto ok = validate(value); !ok) return ok;
    const order_rules& rules = model.rules();
    if (auto ok = check_user(rules, value); !ok) return ok;
    if (auto ok = check_items(rules, value); !ok) return ok;
    if (!rules.tenants && !value.tenant.empty()) return invalid("tenant must be left out");
    if (rules.tenants && value.tenant.empty() && !edit) return invalid("tenant is required");
    if (value.attributes.empty() && rules.attributes.empty()) return {};
    return check_attributes(model, value);
}

}  // namespace

namespace detail {

std::optional<amount> total_of(const total_rule& rule, const order_content& value) {
    // Lines: at most 1,000 of 10^6 pieces of 2^53, which 128 bits hold.
    __extension__ using wide = __int128;
    wide sum = 0;
    for (const order_line& it : value.lines) {
        sum += wide{it.quantity} * it.unit_amount.value_or(amount{}).minor_units;
    }
    const auto add = [&](const std::vector<std::string>& names, int sign) {
        for (const std::string& name : names) {
            const order_attribute* const it = detail::find_attribute(value.attributes, name);
            const amount* const worth = it ? std::get_if<amount>(&it->value) : nullptr;
            if (worth) sum += sign * wide{worth->minor_units};
        }
    };
    add(rule.added, 1);
    add(rule.subtracted, -1);
    if (sum < 0 || sum > money::minor_units_max) return std::nullopt;
    return amount{static_cast<std::int64_t>(sum)};
}

std::optional<field_breach> check_total(const order_rules& rules, const order_content& value) {
    if (!rules.total) return std::nullopt;
    const total_rule& rule = *rules.total;
    const auto total = total_of(rule, value);
    if (total && total->minor_units == value.total_amount.minor_units) return std::nullopt;
    std::string text = "must be the sum of the lines";
    for (const std::string& it : rule.added) text += " + " + it;
    for (const std::string& it : rule.subtracted) text += " - " + it;
    if (total) {
        text += ", which is " + to_string(money{total->minor_units, value.total_amount.currency});
    }
    return field_breach{"wrong_total", std::move(text)};
}

result<void> validate_edit(const order_model& model, const order_content& value) {
    return check_content(model, value, true);
}

}  // namespace detail

struct order_model::impl {
    order_rules rules;
    std::vector<const attribute_rule*> by_name;
    bool indexed = false;
    bool unique = false;
    bool fixed = false;
};

namespace {

result<void> check_unique(const order_rules& rules, const attribute_rule& it) {
    if (it.unique == attribute_unique::no) return {};
    if (!it.indexed) return invalid(it.name + " is unique and has to be indexed");
    if (it.personal) return invalid(it.name + " is unique and cannot be personal");
    if (it.unique == attribute_unique::in_tenant && !rules.tenants) {
        return invalid(it.name + " is unique within its tenant, and there are no tenants");
    }
    return {};
}

result<void> check_bounds(const attribute_rule& it) {
    const bool is_text = it.type == attribute_type::text;
    const bool counts = it.type == attribute_type::integer || it.type == attribute_type::amount;
    const attribute_rule plain;
    const bool sized = it.size_min != plain.size_min || it.size_max != plain.size_max ||
                       it.characters != plain.characters;
    if (!is_text && sized) return invalid(it.name + " is no text and has no size or characters");
    if (!counts && (it.minimum != plain.minimum || it.maximum != plain.maximum)) {
        return invalid(it.name + " is neither an integer nor an amount and has no bounds");
    }
    if (it.size_min > it.size_max || it.size_max > order_attribute::text_size_max) {
        return invalid(it.name + ": its size has to be at most " +
                       std::to_string(order_attribute::text_size_max) +
                       ", and not less than the least");
    }
    if (is_text && it.indexed && it.size_max > attribute_rule::indexed_text_size_max) {
        return invalid(it.name + " is indexed, and its size has to be at most " +
                       std::to_string(attribute_rule::indexed_text_size_max));
    }
    if (it.minimum > it.maximum) return invalid(it.name + ": its minimum is above its maximum");
    return {};
}

result<void> check_choices(const attribute_rule& it) {
    if (it.type != attribute_type::choice) {
        if (it.choices.empty()) return {};
        return invalid(it.name + " is no choice and has no choices");
    }
    if (it.choices.empty() || it.choices.size() > attribute_rule::choices_max) {
        return invalid(it.name + " has to have 1 to " +
                       std::to_string(attribute_rule::choices_max) + " choices");
    }
    std::vector<std::string> sorted = it.choices;
    std::sort(sorted.begin(), sorted.end());
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) {
        return invalid(it.name + " has a choice twice");
    }
    attribute_rule as_text{it.name};
    as_text.size_max = attribute_rule::indexed_text_size_max;
    for (const std::string& choice : it.choices) {
        if (auto breach = detail::check_attribute(as_text, choice)) {
            return invalid(it.name + ": a choice " + breach->detail);
        }
    }
    return {};
}

result<void> check_default(const attribute_rule& it) {
    if (!it.default_value) return {};
    if (it.required) return invalid(it.name + " is required and has no default value");
    if (it.unique != attribute_unique::no) {
        return invalid(it.name + " is unique and has no default value");
    }
    if (auto breach = detail::check_attribute(it, *it.default_value)) {
        return invalid(it.name + ": its default value " + breach->detail);
    }
    return {};
}

result<void> check_rule(const order_rules& rules, const attribute_rule& it) {
    // The name's form is what orderproc::validate() says of every order; a sample tells.
    order_content sample;
    sample.item_ids = {1};
    sample.total_amount.currency = "USD";
    sample.attributes.push_back({it.name, std::int64_t{0}});
    if (!validate(sample)) {
        return invalid("the name of an attribute has to be [a-z][a-z0-9_]{0,31}");
    }
    if (it.slot > slot_max) return invalid(it.name + ": its slot has to be 1 to 127");
    if (it.personal && it.required) return invalid(it.name + " is required and cannot be personal");
    if (auto ok = check_unique(rules, it); !ok) return ok;
    if (auto ok = check_bounds(it); !ok) return ok;
    if (auto ok = check_choices(it); !ok) return ok;
    return check_default(it);
}

result<void> check_total(const order_rules& rules) {
    if (!rules.total) return {};
    if (rules.items != items_form::lines) return invalid("the total rule needs lines");
    std::vector<std::string> all = rules.total->added;
    all.insert(all.end(), rules.total->subtracted.begin(), rules.total->subtracted.end());
    std::sort(all.begin(), all.end());
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto it =
            std::find_if(rules.attributes.begin(), rules.attributes.end(),
                         [&](const attribute_rule& rule) { return rule.name == all[i]; });
        if (it == rules.attributes.end() || it->type != attribute_type::amount) {
            return invalid("the total rule names " + all[i] + ", which is no amount");
        }
        if (i > 0 && all[i - 1] == all[i])
            return invalid("the total rule names " + all[i] + " twice");
        if (it->personal) return invalid(all[i] + " is part of the total and cannot be personal");
        if (it->edits == attribute_edits::always) {
            return invalid(all[i] + " is part of the total and changes with it alone");
        }
    }
    return {};
}

// Gives each attribute its slot. REQUIRES: no slot is above slot_max.
result<void> assign_slots(std::vector<attribute_rule>& all) {
    std::array<bool, slot_max + 1> taken{};
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].slot == 0) all[i].slot = static_cast<std::uint8_t>(i + 1);
        if (std::exchange(taken[all[i].slot], true)) {
            return invalid(all[i].name + ": its slot " + std::to_string(all[i].slot) + " is taken");
        }
    }
    return {};
}

}  // namespace

const order_model& order_model::standard() {
    static const order_model model = build({}).value();
    return model;
}

result<order_model> order_model::build(order_rules rules) {
    if (rules.attributes.size() > order_content::attributes_max) {
        return invalid("an order has at most " + std::to_string(order_content::attributes_max) +
                       " attributes");
    }
    if (rules.user == user_form::none && rules.guests) {
        return invalid("guests are users who are left out, and no order has a user");
    }
    for (const attribute_rule& it : rules.attributes) {
        if (auto ok = check_rule(rules, it); !ok) return std::move(ok).error();
    }
    if (auto ok = check_total(rules); !ok) return std::move(ok).error();
    if (auto ok = assign_slots(rules.attributes); !ok) return std::move(ok).error();
    auto table = std::make_unique<impl>();
    table->rules = std::move(rules);
    std::size_t indexed = 0;
    for (attribute_rule& it : table->rules.attributes) {
        if (it.type == attribute_type::amount) {
            it.minimum = std::max<std::int64_t>(it.minimum, 0);
            it.maximum = std::min(it.maximum, money::minor_units_max);
        }
        table->by_name.push_back(&it);
        indexed += it.indexed;
        table->unique |= it.unique != attribute_unique::no;
        table->fixed |= it.edits == attribute_edits::never;
    }
    table->indexed = indexed > 0 || table->rules.tenants;
    if (indexed > indexed_max) {
        return invalid("at most " + std::to_string(indexed_max) + " attributes can be indexed");
    }
    auto& names = table->by_name;
    std::sort(names.begin(), names.end(),
              [](const attribute_rule* a, const attribute_rule* b) { return a->name < b->name; });
    const auto twice = std::adjacent_find(
        names.begin(), names.end(),
        [](const attribute_rule* a, const attribute_rule* b) { return a->name == b->name; });
    if (twice != names.end()) return invalid("there are two attributes " + (*twice)->name);
    return order_model(std::move(table));
}

order_model::order_model(std::unique_ptr<const impl> table) noexcept : impl_(std::move(table)) {}
order_model::order_model(order_model&&) noexcept = default;
order_model& order_model::operator=(order_model&&) noexcept = default;
order_model::~order_model() = default;

const order_rules& order_model::rules() const noexcept {
    return impl_->rules;
}

std::span<const attribute_rule* const> order_model::attributes() const noexcept {
    return impl_->by_name;
}

const attribute_rule* order_model::find(std::string_view name) const noexcept {
    const auto& all = impl_->by_name;
    const auto at = std::lower_bound(
        all.begin(), all.end(), name,
        [](const attribute_rule* it, std::string_view wanted) { return it->name < wanted; });
    return at != all.end() && (*at)->name == name ? *at : nullptr;
}

bool order_model::has_indexes() const noexcept {
    return impl_->indexed;
}

bool order_model::has_unique() const noexcept {
    return impl_->unique;
}

bool order_model::has_fixed() const noexcept {
    return impl_->fixed;
}

void order_model::complete(order_content& value) const {
    for (const attribute_rule* const rule : impl_->by_name) {
        if (!rule->default_value || detail::find_attribute(value.attributes, rule->name)) continue;
        const auto at =
            std::find_if(value.attributes.begin(), value.attributes.end(),
                         [&](const order_attribute& it) { return it.name > rule->name; });
        value.attributes.insert(at, {rule->name, *rule->default_value});
    }
}

result<void> order_model::validate(const order_content& value) const {
    return check_content(*this, value, false);
}

std::vector<index_entry> order_model::index_of(const order_content& value) const {
    std::vector<index_entry> out;
    if (!impl_->indexed) return out;
    if (impl_->rules.tenants) out.push_back({detail::tenant_slots, false, value.tenant});
    for (const order_attribute& it : value.attributes) {
        const attribute_rule* const rule = find(it.name);
        if (!rule || !rule->indexed) continue;
        std::string bytes = index_value(*rule, it.value, value.total_amount.currency);
        if (rule->unique == attribute_unique::in_tenant) {
            const auto slot = static_cast<std::uint8_t>(detail::tenant_slots + rule->slot);
            out.push_back({slot, true, value.tenant + '\0' + bytes});
        }
        out.push_back({rule->slot, rule->unique == attribute_unique::everywhere, std::move(bytes)});
    }
    std::sort(out.begin(), out.end());
    return out;
}

std::string order_model::index_value(const attribute_rule&, const attribute_value& value,
                                     currency_code currency) {
    if (const auto* text = std::get_if<std::string>(&value)) return *text;
    std::string out;
    if (const auto* truth = std::get_if<bool>(&value)) {
        out += *truth ? '\1' : '\0';
    } else if (const auto* time = std::get_if<timestamp>(&value)) {
        append_sortable(time->time_since_epoch().count(), out);
    } else if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        append_sortable(*integer, out);
    } else {
        out += currency.view();
        append_sortable(std::get<amount>(value).minor_units, out);
    }
    return out;
}

index_condition order_model::of_tenant(std::string_view tenant) {
    return {detail::tenant_slots, std::string(tenant), std::string(tenant)};
}

void order_model::redact(order_content& value) const {
    if (impl_->rules.personal_metadata) value.metadata = "{}";
    if (impl_->rules.personal_annotations) value.annotations.clear();
    std::erase_if(value.attributes, [&](const order_attribute& it) {
        const attribute_rule* const rule = find(it.name);
        return rule && rule->personal;
    });
}

}  // namespace v1
}  // namespace orderproc
