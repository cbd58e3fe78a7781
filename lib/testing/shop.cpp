#include "testing/shop.hpp"

#include "testing/listed.hpp"

#include <algorithm>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {
namespace kit {

namespace {

attribute_rule indexed(std::string name, attribute_type type) {
    attribute_rule out{std::move(name), type};
    out.indexed = true;
    if (type == attribute_type::text) out.size_max = attribute_rule::indexed_text_size_max;
    return out;
}

order_rules shop_rules() {
    attribute_rule channel = indexed("channel", attribute_type::choice);
    channel.choices = {"phone", "shop", "web"};
    attribute_rule reference = indexed("reference", attribute_type::text);
    reference.unique = attribute_unique::everywhere;
    attribute_rule code = indexed("code", attribute_type::text);
    code.unique = attribute_unique::in_tenant;
    code.edits = attribute_edits::always;
    attribute_rule email = indexed("email", attribute_type::text);
    email.personal = true;
    email.edits = attribute_edits::always;
    attribute_rule tracking{"tracking"};
    tracking.edits = attribute_edits::always;
    order_rules out;
    out.user = user_form::text;
    out.guests = true;
    out.tenants = true;
    out.attributes = {channel,
                      indexed("weight", attribute_type::integer),
                      indexed("fee", attribute_type::amount),
                      indexed("placed", attribute_type::time),
                      reference,
                      code,
                      email,
                      tracking,
                      {"gift", attribute_type::boolean}};
    return out;
}

// Of the order, by which the index finds it; none: it does not.
std::optional<std::string> value_of(const order& it, std::uint8_t slot) {
    for (const index_entry& entry : shop().index_of(it)) {
        if (entry.slot == slot) return entry.value;
    }
    return std::nullopt;
}

}  // namespace

const order_model& shop() {
    static const order_model model =
        value("order_model::build()", order_model::build(shop_rules()));
    return model;
}

const order_model& shop_without_indexes() {
    static const order_model model = [] {
        order_rules rules = shop_rules();
        for (attribute_rule& it : rules.attributes) {
            it.unique = attribute_unique::no;
            it.indexed = false;
        }
        return value("order_model::build()", order_model::build(std::move(rules)));
    }();
    return model;
}

order shop_order(std::string_view id, std::string_view user) {
    order out = sample(id);
    out.user = user;
    out.tenant = "north";
    return out;
}

order without(order it, std::string_view attribute) {
    std::erase_if(it.attributes, [&](const auto& had) { return had.name == attribute; });
    return it;
}

order with(order it, std::string_view attribute, attribute_value value) {
    it = without(std::move(it), attribute);
    auto& all = it.attributes;
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const auto& other) { return other.name > attribute; });
    all.insert(at, {std::string(attribute), std::move(value)});
    return it;
}

std::uint8_t slot_of(std::string_view attribute) {
    const attribute_rule* const rule = shop().find(attribute);
    expect(rule != nullptr, "the shop has no attribute " + std::string(attribute));
    return rule->slot;
}

list_params with_value(std::string_view attribute, const attribute_value& value) {
    list_params out = with_values(attribute, value, value);
    out.sort = list_sort::created_at;
    return out;
}

list_params with_values(std::string_view attribute, const attribute_value& from,
                        const attribute_value& to) {
    const auto bytes = [&](const attribute_value& it) {
        return order_model::index_value(*shop().find(attribute), it, "USD");
    };
    list_params out;
    out.sort = list_sort::index;
    out.index = {slot_of(attribute), bytes(from), bytes(to)};
    return out;
}

std::vector<order> found_by_value(std::vector<order> from, const list_params& params) {
    const index_condition& wanted = *params.index;
    std::erase_if(from, [&](const order& it) {
        const auto is = value_of(it, wanted.slot);
        return !is || *is < wanted.from || *is > wanted.to;
    });
    list_params rest = params;
    rest.sort = list_sort::created_at;
    rest.index.reset();
    from = by_definition(std::move(from), rest);
    if (params.sort != list_sort::index) return from;
    std::stable_sort(from.begin(), from.end(), [&](const order& a, const order& b) {
        const auto x = value_of(a, wanted.slot), y = value_of(b, wanted.slot);
        return params.descending ? *y < *x : *x < *y;
    });
    return from;
}

}  // namespace kit
}  // namespace testing
}  // namespace v1
}  // namespace orderproc
