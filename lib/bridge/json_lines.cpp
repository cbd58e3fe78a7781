// What is ordered and by whom, where the model has texts for it.

#include "json_fields.hpp"

#include <utility>
#include <variant>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::string_view lines_pointer = "#/lines";

attribute_rule text_of_size(std::size_t least, std::size_t most) {
    attribute_rule out;
    out.size_min = least;
    out.size_max = most;
    return out;
}

// Users, tenants and SKUs.
const attribute_rule& name_rule() {
    static_assert(order_content::user_size_max == order_line::sku_size_max);
    static_assert(order_content::tenant_size_max == order_line::sku_size_max);
    static const attribute_rule it = text_of_size(1, order_line::sku_size_max);
    return it;
}

const attribute_rule& title_rule() {
    static const attribute_rule it = text_of_size(0, order_line::name_size_max);
    return it;
}

}  // namespace

// Reads a text that keeps the rule.
bool order_judge::text(std::string& out, const attribute_rule& rule, std::string_view pointer) {
    if (!expect(json_kind::string, pointer)) return false;
    attribute_value read = std::string(from_.string());
    if (from_.failed()) return false;
    if (auto breach = check_attribute(rule, read)) {
        add(pointer, breach->code, breach->detail);
        return false;
    }
    out = std::get<std::string>(std::move(read));
    return true;
}

void order_judge::user_text() {
    constexpr std::string_view pointer = "#/user_id";
    if (model_.rules().user == user_form::text) {
        (void)text(out_.value.user, name_rule(), pointer);
    } else {
        add(pointer, "unknown_field", "must be left out: orders have no user");
        from_.skip();
    }
}

void order_judge::tenant() {
    (void)text(out_.value.tenant, name_rule(), "#/tenant");
}

void order_judge::lines() {
    const std::size_t index = out_.errors.size();  // before those of the lines
    lines_seen_ = true;
    if (!expect(json_kind::array, lines_pointer)) return;
    out_.value.item_ids.clear();  // which a patch may have found, as it may have found lines
    out_.value.lines.clear();
    std::size_t count = 0;
    from_.open();
    for (; from_.next_item(); ++count) {
        if (count < order::items_max) {
            line(count);
        } else {
            from_.skip();
        }
    }
    if (count == 0) add_at(index, lines_pointer, "too_few_items", "must have at least one line");
    if (count > order::items_max) {
        add_at(index, lines_pointer, "too_many_items",
               "must have at most " + std::to_string(order::items_max) + " lines");
    }
}

void order_judge::line(std::size_t index) {
    order_line& it = out_.value.lines.emplace_back();
    path_.assign(lines_pointer).append(1, '/').append(std::to_string(index));
    const std::size_t of_line = path_.size();
    if (!expect(json_kind::object, path_)) return;
    bool sku = false;
    bool quantity = false;
    bool unit_amount = false;
    from_.open();
    for (std::string_view name; from_.next_name(name);) {
        path_.resize(of_line);
        path_ += pointer_to(name).substr(1);
        if (name == "sku") {
            sku = true;
            (void)text(it.sku, name_rule(), path_);
        } else if (name == "quantity") {
            quantity = true;
            (void)integer(it.quantity, path_, 1, order_line::quantity_max);
        } else if (name == "unit_amount") {
            if (is_left_out()) continue;
            unit_amount = true;
            leave_open({{}, {}, 0, nullptr, index}, path_);
        } else if (name == "name") {
            if (!is_left_out()) (void)text(it.name, title_rule(), path_);
        } else {
            add(path_, "unknown_field", "is not a field of a line");
            from_.skip();
        }
    }
    path_.resize(of_line);
    const auto expect_member = [&](bool seen, std::string_view name) {
        if (!seen) add(path_ + std::string(name), "required", "is missing");
    };
    if (from_.failed()) return;
    expect_member(sku, "/sku");
    expect_member(quantity, "/quantity");
    expect_member(unit_amount || !model_.rules().total, "/unit_amount");
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
