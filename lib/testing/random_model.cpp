#include "testing/random_model.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

class dice {
public:
    explicit dice(seeded_random& chance) : chance_(chance) {}
    std::uint64_t roll(std::uint64_t sides) { return chance_.next() % sides; }
    bool one_in(std::uint64_t sides) { return roll(sides) == 0; }

private:
    seeded_random& chance_;
};

attribute_rule random_rule(std::size_t index, bool tenants, dice& by) {
    constexpr attribute_type types[] = {attribute_type::text,   attribute_type::integer,
                                        attribute_type::amount, attribute_type::boolean,
                                        attribute_type::time,   attribute_type::choice};
    attribute_rule out{"a" + std::to_string(index), types[index % std::size(types)]};
    if (out.type == attribute_type::choice) out.choices = {"one", "two", "three"};
    if (index < order_model::indexed_max) out.indexed = !by.one_in(4);
    if (out.indexed && out.type == attribute_type::text) {
        out.size_max = attribute_rule::indexed_text_size_max;
    }
    if (by.one_in(2)) out.edits = attribute_edits::always;
    if (out.indexed && by.one_in(3)) {
        const bool within = tenants && by.one_in(2);
        out.unique = within ? attribute_unique::in_tenant : attribute_unique::everywhere;
    }
    out.required = by.one_in(6);
    const bool stays = out.required || out.unique != attribute_unique::no;
    out.personal = !stays && by.one_in(2);
    return out;
}

attribute_value random_value(const attribute_rule& rule, dice& by) {
    // Of those that are unique there are more.
    const std::uint64_t values = rule.unique == attribute_unique::no ? 4 : 30;
    const auto number = static_cast<std::int64_t>(by.roll(values)) - 2;
    switch (rule.type) {
        case attribute_type::text:
            return std::string(by.roll(values) + 1, 'x');
        case attribute_type::integer:
            return number * 1'000'000;
        case attribute_type::amount:
            return amount{(number + 2) * 99};
        case attribute_type::boolean:
            return by.one_in(2);
        case attribute_type::time:
            return timestamp(std::chrono::hours(number));
        case attribute_type::choice:
            return rule.choices[by.roll(rule.choices.size())];
    }
    return {};
}

}  // namespace

order_model random_model(seeded_random& chance) {
    dice by(chance);
    order_rules out;
    out.items = by.one_in(2) ? items_form::lines : items_form::item_ids;
    out.user = user_form::text;
    out.guests = by.one_in(2);
    out.ids = id_form::any;
    out.tenants = by.one_in(2);
    out.personal_metadata = !by.one_in(4);
    const std::size_t attributes = 6 + by.roll(6);
    for (std::size_t i = 0; i < attributes; ++i) {
        out.attributes.push_back(random_rule(i, out.tenants, by));
    }
    return order_model::build(std::move(out)).value();
}

order_content random_content(const order_model& model, seeded_random& chance) {
    dice by(chance);
    const order_rules& rules = model.rules();
    order_content out;
    if (!rules.guests || !by.one_in(4)) out.user = "u-" + std::to_string(by.roll(4));
    if (rules.tenants) out.tenant = by.one_in(3) ? "north" : "south";
    out.total_amount = {14999, "USD"};
    out.metadata = "{\"seen\":" + std::to_string(by.roll(100)) + "}";
    if (rules.items == items_form::lines) {
        out.lines = {{"SKU/1", 2, amount{150}, "a cup"}, {"2", 1, {}, {}}};
    } else {
        out.item_ids = {1001, 1002};
    }
    if (by.one_in(3)) out.annotations = "{\"note\":" + std::to_string(by.roll(9)) + "}";
    for (const attribute_rule* const rule : model.attributes()) {
        if (!rule->required && by.one_in(3)) continue;
        out.attributes.push_back({rule->name, random_value(*rule, by)});
    }
    return out;
}

annotate_order random_annotation(const order_model& model, seeded_random& chance) {
    dice by(chance);
    annotate_order out;
    if (by.one_in(2)) out.annotations = by.one_in(3) ? "" : "{\"later\":true}";
    for (const attribute_rule* const rule : model.attributes()) {
        if (rule->edits != attribute_edits::always || by.one_in(2)) continue;
        if (!rule->required && by.one_in(3)) {
            out.removed.push_back(rule->name);
        } else {
            out.attributes.push_back({rule->name, random_value(*rule, by)});
        }
    }
    return out;
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
