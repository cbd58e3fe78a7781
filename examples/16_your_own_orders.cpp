// Orders of a shop of your own: lines with a SKU, guests, a reference that no two orders share, and
// a total that has to be right. The same as a file: docs/model.md.

#include <orderproc/engine.hpp>
#include <orderproc/json.hpp>
#include <orderproc/memory.hpp>
#include <orderproc/model_file.hpp>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

using namespace orderproc;

namespace {

int fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

result<order_model> make_shop() {
    order_rules rules;
    rules.items = items_form::lines;
    rules.user = user_form::text;
    rules.guests = true;
    rules.total = total_rule{{"shipping"}, {}};

    attribute_rule reference{"reference", attribute_type::text};
    reference.slot = 1;
    reference.edits = attribute_edits::never;
    reference.indexed = true;
    reference.unique = attribute_unique::everywhere;
    reference.size_max = 40;
    reference.characters = text_characters::token;

    attribute_rule shipping{"shipping", attribute_type::amount};
    shipping.slot = 2;

    attribute_rule tracking{"tracking", attribute_type::text};
    tracking.slot = 3;
    tracking.edits = attribute_edits::always;  // the parcel gets its number when it is on its way
    rules.attributes = {reference, shipping, tracking};
    return order_model::build(std::move(rules));
}

// From the body of a request: everything that is wrong with it comes back at once.
result<order_draft> read(std::string_view body, const order_model& shop) {
    parsed_order order = parse_order(body, shop);
    if (order.ok()) return std::move(order.value);
    std::string why = order.syntax.detail;
    for (const field_error& it : order.errors) why += it.pointer + " " + it.detail + "; ";
    return failure{errc::invalid_argument, std::move(why)};
}

// By the value of an indexed attribute.
result<std::vector<order>> find(storage& orders, const order_model& shop, std::string name,
                                std::string value) {
    auto reader = orders.connect_reader();
    if (!reader) return std::move(reader).error();
    const attribute_rule& rule = *shop.find(name);
    const std::string bytes = order_model::index_value(rule, std::move(value), "USD");
    list_params params;
    params.index = index_condition{rule.slot, bytes, bytes};
    auto page = (*reader)->list(params);
    if (!page) return std::move(page).error();
    return std::move(page->orders);
}

command submit(order_draft draft) {
    command out;
    out.what = submit_order{std::move(draft)};
    return out;
}

int run(const order_model& shop) {
    const auto orders = make_memory_storage();
    engine accepts(*orders, status_machine::standard(), shop, system_runtime());

    const auto wrong = read(R"({"lines":[{"sku":"TEE-S","quantity":2,"unit_amount":19.90}],
                                "total_amount":39.80,"attributes":{"reference":"no good"}})",
                            shop);
    std::printf("refused: %s\n", wrong.error().detail.c_str());

    auto draft = read(R"({"lines":[{"sku":"TEE-S","quantity":2,"unit_amount":19.90}],
                          "total_amount":44.70,
                          "attributes":{"reference":"R-1","shipping":4.90}})",
                      shop);
    if (!draft) return fail(draft.error().detail);
    const change_outcome first = accepts.execute(submit(*draft));
    if (first.ec) return fail(first.detail);

    const change_outcome second = accepts.execute(submit(*draft));
    if (second.ec != errc::attribute_taken) return fail("there are two orders R-1");
    std::printf("refused: %s\n", second.detail.c_str());

    annotate on_its_way{std::string(first.after->id.view()), {}};
    on_its_way.fields.attributes = {{"tracking", std::string("1Z-999")}};
    command note;
    note.what = std::move(on_its_way);
    if (const auto noted = accepts.execute(std::move(note)); noted.ec) return fail(noted.detail);

    const auto found = find(*orders, shop, "reference", "R-1");
    if (!found || found->size() != 1) return fail("R-1 cannot be found");
    std::printf("%s\n", to_json(found->front(), shop).c_str());
    return 0;
}

}  // namespace

int main() {
    const auto shop = make_shop();
    if (!shop) return fail(shop.error().detail);
    std::printf("%s\n", to_json(*shop, status_machine::standard()).c_str());
    return run(*shop);
}
