#include "json_fields.hpp"

#include "core/integer_text.hpp"
#include "core/order_rules.hpp"
#include "json_integers.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

constexpr std::string_view whole_body = "#";
constexpr std::string_view item_ids_pointer = "#/item_ids";
constexpr std::string_view metadata_pointer = "#/metadata";
constexpr std::string_view annotations_pointer = "#/annotations";

using judging = order_judge;
constexpr auto any_model = field_form::always;
constexpr auto may_be = field_need::optional;
constexpr auto has_to_be = field_need::in_create_and_replacement;

constexpr order_field server_row(std::string_view name) {
    return {
        name, any_model, may_be, {nullptr, &judging::server_field_or_null, &judging::server_field}};
}

// Readers: of a new order, of all of one, of a patch, of an annotation.
constexpr order_field order_fields[] = {
    {"order_id",
     any_model,
     may_be,
     {&judging::order_id, &judging::server_field_or_null, &judging::server_field}},
    {"user_id",
     field_form::user,
     has_to_be,
     {&judging::user_id, &judging::user_id, &judging::user_id}},
    {"item_ids",
     field_form::item_ids,
     has_to_be,
     {&judging::item_ids, &judging::item_ids, &judging::item_ids}},
    {"total_amount",
     any_model,
     has_to_be,
     {&judging::total_amount, &judging::total_amount, &judging::total_amount}},
    {"currency",
     any_model,
     may_be,
     {&judging::currency, &judging::currency, &judging::patched_currency}},
    {"metadata",
     any_model,
     may_be,
     {&judging::metadata, &judging::metadata, &judging::merged_metadata}},
    {"annotations",
     any_model,
     may_be,
     {&judging::annotations, &judging::annotations, &judging::merged_annotations,
      &judging::merged_annotations}},
    {"not_before", any_model, may_be, {&judging::not_before}},
    {"lines", field_form::lines, has_to_be, {&judging::lines, &judging::lines, &judging::lines}},
    {"tenant",
     field_form::tenant,
     field_need::in_create,
     {&judging::tenant, &judging::server_field_or_null, &judging::server_field}},
    {"attributes",
     field_form::attributes,
     may_be,
     {&judging::attributes, &judging::attributes, &judging::attributes, &judging::attributes}},
    server_row("id"),
    server_row("status"),
    server_row("version"),
    server_row("attempts"),
    server_row("next_attempt_at"),
    server_row("last_error"),
    server_row("created_at"),
    server_row("updated_at"),
};
static_assert(std::size(order_fields) <= 32);  // see read()

std::string_view with_article(json_kind kind) noexcept {
    switch (kind) {
        case json_kind::none:
            return "nothing";
        case json_kind::null:
            return "null";
        case json_kind::boolean:
            return "a boolean";
        case json_kind::number:
            return "a number";
        case json_kind::string:
            return "a string";
        case json_kind::array:
            return "an array";
        case json_kind::object:
            return "an object";
    }
    return "nothing";
}

// The path to what stands at a place in a value, behind the path to the value itself. To the
// object that has it if it is a name.
std::string pointer_into(std::string pointer, std::string_view value, const char* where) {
    for (bool deeper = true; deeper;) {
        deeper = false;
        json_reader from(value, json_reader::depth_max);
        const json_kind kind = from.next();
        if (kind != json_kind::object && kind != json_kind::array) break;
        from.open();
        std::string_view name;
        for (std::size_t i = 0; kind == json_kind::object ? from.next_name(name) : from.next_item();
             ++i) {
            std::string step =
                kind == json_kind::object ? pointer_to(name).substr(1) : "/" + std::to_string(i);
            (void)from.next();
            const std::string_view member = from.raw();
            if (where < member.data() || where >= member.data() + member.size()) continue;
            pointer += step;
            value = member;
            deeper = true;
            break;
        }
    }
    return pointer;
}

}  // namespace

syntax_error syntax_of(const json_reader& from) {
    if (!from.failed()) return {};
    const json_fault fault = from.fault();
    return {fault.line, fault.column, fault.detail};
}

std::string pointer_to(std::string_view name) {
    constexpr std::string_view allowed = "-._~!$&'()*+,;=:@/?";
    constexpr std::string_view hex = "0123456789ABCDEF";
    std::string out = "#/";
    for (const char c : name) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '~') {
            out += "~0";
        } else if (c == '/') {
            out += "~1";
        } else if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                   allowed.find(c) != std::string_view::npos) {
            out += c;
        } else {
            out += '%';
            out += hex[byte >> 4];
            out += hex[byte & 15];
        }
    }
    return out;
}

order_judge::order_judge(json_reader& from, parsed_order& out, const order_model& model,
                         const order* current, body_form form)
    : from_(from), out_(out), model_(model), form_(form), current_(current) {
    out_.value.total_amount.currency = default_currency;
    // What never changes may be left out.
    needs_current_ =
        form == body_form::patch || (form == body_form::replacement && model.has_fixed());
    if (form != body_form::patch && form != body_form::annotation) return;
    currency_known_ = current != nullptr;
    if (current) static_cast<order_content&>(out_.value) = *current;
}

// Of the model's orders, in such a body.
bool order_judge::has(const order_field& field) const noexcept {
    if (!field.of(form_)) return false;
    switch (field.form) {
        case field_form::always:
        case field_form::user:
            return true;
        case field_form::item_ids:
            return model_.rules().items == items_form::item_ids;
        case field_form::lines:
            return model_.rules().items == items_form::lines;
        case field_form::tenant:
            return model_.rules().tenants;
        case field_form::attributes:
            return !model_.rules().attributes.empty();
    }
    return true;
}

bool order_judge::is_required(const order_field& field) const noexcept {
    const bool whole = form_ == body_form::create || form_ == body_form::replacement;
    const bool needs = field.need == field_need::in_create_and_replacement
                           ? whole
                           : field.need == field_need::in_create && form_ == body_form::create;
    if (!needs || !has(field)) return false;
    const order_rules& rules = model_.rules();
    return field.form != field_form::user || (rules.user != user_form::none && !rules.guests);
}

const order_field* order_judge::find(std::string_view name) const noexcept {
    const auto it = std::find_if(std::begin(order_fields), std::end(order_fields),
                                 [&](const order_field& field) { return field.name == name; });
    return it == std::end(order_fields) ? nullptr : it;
}

void order_judge::read() {
    if (!expect(json_kind::object, whole_body)) return;
    std::uint32_t seen = 0;
    from_.open();
    for (std::string_view name; from_.next_name(name);) {
        const order_field* const it = find(name);
        if (!it || !has(*it)) {
            unknown(name);
            from_.skip();
        } else {
            const std::uint32_t bit = std::uint32_t{1} << (it - order_fields);
            if ((seen & bit) != 0) return from_.refuse_name();
            seen |= bit;
            field_ = it;
            (this->*it->of(form_))();
        }
    }
    if (from_.failed()) return;
    judge_amounts();
    if (form_ == body_form::patch) expect_amounts_with_currency();
    missing(seen);
    if (model_.rules().attributes.empty() && model_.rules().items == items_form::item_ids) return;
    finish_attributes();
    judge_sum();
}

void order_judge::add_at(std::size_t index, std::string_view pointer, std::string_view code,
                         std::string_view detail) {
    auto& errors = out_.errors;
    ++noted_;
    if (index >= parsed_order::errors_max) return;
    if (errors.size() == parsed_order::errors_max) errors.pop_back();
    errors.insert(errors.begin() + static_cast<std::ptrdiff_t>(index),
                  {std::string(pointer), std::string(code), std::string(detail)});
}

void order_judge::add(std::string_view pointer, std::string_view code, std::string_view detail) {
    add_at(out_.errors.size(), pointer, code, detail);
}

// Whether the value that comes next is of that kind; if not, it is skipped.
bool order_judge::expect(json_kind wanted, std::string_view pointer) {
    const json_kind found = from_.next();
    if (found == wanted) return true;
    if (found != json_kind::none) {
        std::string detail("must be ");
        detail.append(with_article(wanted)).append(", not ").append(with_article(found));
        add(pointer, "wrong_type", detail);
        from_.skip();
    }
    return false;
}

bool order_judge::integer(std::int64_t& out, std::string_view pointer, std::int64_t least,
                          std::int64_t most) {
    if (!expect(json_kind::number, pointer)) return false;
    const std::string_view number = from_.number();
    if (from_.failed()) return false;
    std::int64_t read = 0;
    const integer_verdict verdict = parse_integer(number, read);
    if (verdict == integer_verdict::ok && read >= least && read <= most) {
        out = read;
        return true;
    }
    if (verdict == integer_verdict::fractional) {
        add(pointer, "not_an_integer", "must be an integer");
    } else {
        add(pointer, "out_of_range",
            "must be from " + std::to_string(least) + " to " + std::to_string(most));
    }
    return false;
}

// Whether the value that comes next is null, as programs send it for a field that is not set.
bool order_judge::is_left_out() {
    if (from_.next() != json_kind::null) return false;
    from_.skip();
    return true;
}

// Whether an object was an array, which is read then. PHP writes an object without members as [];
// any other array is an error.
bool order_judge::was_array(std::string_view pointer) {
    if (from_.next() != json_kind::array) return false;
    from_.open();
    bool empty = true;
    for (; from_.next_item(); from_.skip()) empty = false;
    if (!empty) add(pointer, "wrong_type", "must be an object, not an array");
    return true;
}

void order_judge::unknown(std::string_view name) {
    const order_field* const it = find(name);
    const bool ours = it && !it->of(body_form::create);
    add(pointer_to(name), "unknown_field",
        ours ? "is set by the server alone" : "is not a field of an order");
}

void order_judge::order_id() {
    constexpr std::string_view pointer = "#/order_id";
    if (is_left_out()) return;
    if (!expect(json_kind::string, pointer)) return;
    const std::string_view text = from_.string();
    if (from_.failed()) return;
    auto id = v1::order_id::parse(text);
    const bool any = model_.rules().ids == id_form::any;
    if (id && (any || id->is_plain())) {
        out_.value.id = std::move(*id);
        return;
    }
    static_assert(order_id::size_max == 128 && order_id::encoded_size_max == 200);
    add(pointer, "invalid_order_id",
        any ? "must have 1 to 128 bytes, at most 200 when it is percent-encoded, without control "
              "characters, without a space or a \"~\" in front and a space behind, and not be "
              "\".\", "
              "\"..\", \"batch\" or \"status\""
            : "must be a letter or digit, then at most 63 more or any of . _ : -, and not "
              "\"batch\" "
              "or \"status\"");
}

void order_judge::user_id() {
    const order_rules& rules = model_.rules();
    if ((rules.guests || rules.user == user_form::none) && is_left_out()) {
        out_.value.user.clear();
        return;
    }
    if (rules.user != user_form::integer) return user_text();
    std::int64_t user = 0;
    if (integer(user, "#/user_id")) assign_integer(user, out_.value.user);
}

void order_judge::item_ids() {
    const std::size_t index = out_.errors.size();  // before those of the items
    if (!expect(json_kind::array, item_ids_pointer)) return;
    boost::container::small_vector<std::int64_t, 32> ids;
    std::size_t count = 0;
    from_.open();
    for (; from_.next_item(); ++count) {
        if (count >= order::items_max) {
            from_.skip();
            continue;
        }
        const std::size_t before = out_.errors.size();
        std::int64_t id = 0;
        if (integer(id, item_ids_pointer)) {
            ids.push_back(id);
        } else if (out_.errors.size() > before) {
            out_.errors.back().pointer.append(1, '/').append(std::to_string(count));
        }
    }
    out_.value.item_ids.assign(ids.begin(), ids.end());
    out_.value.lines.clear();  // which a patch may have found
    if (count == 0) add_at(index, item_ids_pointer, "too_few_items", "must have at least one item");
    if (count > order::items_max) {
        add_at(index, item_ids_pointer, "too_many_items",
               "must have at most " + std::to_string(order::items_max) + " items");
    }
}

void order_judge::metadata() {
    if (is_left_out() || was_array(metadata_pointer)) return;
    if (!expect(json_kind::object, metadata_pointer)) return;
    keep_object(from_.keep(order::metadata_size_max), metadata_pointer, out_.value.metadata);
}

void order_judge::annotations() {
    if (is_left_out() || was_array(annotations_pointer)) return;
    if (!expect(json_kind::object, annotations_pointer)) return;
    keep_object(from_.keep(order::metadata_size_max), annotations_pointer, out_.value.annotations);
}

void order_judge::keep_object(const kept_json& found, std::string_view pointer, std::string& to) {
    switch (found.breach) {
        case json_breach::none:
            to.assign(found.text);
            return;
        case json_breach::too_large:
            return add(pointer, "too_large", rule_of(found.breach));
        case json_breach::number:
            return add(pointer_into(std::string(pointer), found.text, found.where),
                       "unsupported_number", rule_of(found.breach));
        case json_breach::character:
            return add(pointer_into(std::string(pointer), found.text, found.where),
                       "unsupported_character", rule_of(found.breach));
    }
}

bool order_judge::time(timestamp& out, std::string_view pointer) {
    if (!expect(json_kind::string, pointer)) return false;
    const auto read = parse_timestamp(from_.string());
    if (read) {
        out = *read;
    } else if (!from_.failed()) {
        add(pointer, "wrong_type", "must be an RFC 3339 date-time");
    }
    return read.has_value();
}

void order_judge::not_before() {
    timestamp at;
    if (!is_left_out() && time(at, "#/not_before")) out_.value.not_before = at;
}

void order_judge::missing(std::uint32_t seen) {
    for (std::size_t i = 0; i < std::size(order_fields); ++i) {
        if ((seen >> i & 1) != 0 || !is_required(order_fields[i])) continue;
        add(pointer_to(order_fields[i].name), "required", "is missing");
    }
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
