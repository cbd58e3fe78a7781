#include <orderproc/testing/builders.hpp>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace testing {

namespace {

[[noreturn]] void refuse(const char* what, std::string_view text) {
    throw std::invalid_argument(std::string(what) + " \"" + std::string(text) + "\"");
}

command sent(command out, const sent_with& with) {
    if (!with.key.empty()) out.idempotency_key = idempotency_of(with.key, with.body);
    if (with.version) out.version = order_version{*with.version};
    out.scope = with.scope;
    out.actor = with.actor;
    out.traceparent = with.traceparent;
    return out;
}

}  // namespace

idempotency idempotency_of(std::string_view key, std::string_view body) {
    return {digest_of(key), digest_of(body)};
}

order_builder::order_builder() {
    value_.user = "1";
    value_.item_ids = {1};
    value_.total_amount = {100, "USD"};
}

order_builder& order_builder::id(std::string_view id) {
    auto parsed = order_id::parse(id);
    if (!parsed) refuse("not an order id:", id);
    value_.id = std::move(*parsed);
    return *this;
}
order_builder& order_builder::user(std::int64_t id) {
    value_.user = std::to_string(id);
    return *this;
}
order_builder& order_builder::user(std::string_view name) {
    value_.user = name;
    return *this;
}
order_builder& order_builder::items(std::initializer_list<std::int64_t> ids) {
    value_.item_ids = ids;
    value_.lines.clear();
    return *this;
}
order_builder& order_builder::lines(std::vector<order_line> lines) {
    value_.item_ids.clear();
    value_.lines = std::move(lines);
    return *this;
}
order_builder& order_builder::total(std::string_view amount, std::string_view currency) {
    if (parse_amount(amount, currency, value_.total_amount) != amount_error::none) {
        refuse("not an amount of its currency:", std::string(amount) + " " + std::string(currency));
    }
    return *this;
}
order_builder& order_builder::metadata(std::string_view json) {
    value_.metadata = json;
    return *this;
}
order_builder& order_builder::tenant(std::string_view name) {
    value_.tenant = name;
    return *this;
}
order_builder& order_builder::attribute(std::string_view name, attribute_value value) {
    auto& all = value_.attributes;
    const auto at = std::find_if(all.begin(), all.end(),
                                 [&](const order_attribute& it) { return it.name >= name; });
    if (at != all.end() && at->name == name) {
        at->value = std::move(value);
    } else {
        all.insert(at, {std::string(name), std::move(value)});
    }
    return *this;
}
order_builder& order_builder::annotations(std::string_view json) {
    value_.annotations = json;
    return *this;
}
order_builder& order_builder::status(std::string_view status) {
    const auto parsed = order_status::parse(status);
    if (!parsed) refuse("not a status:", status);
    value_.status = *parsed;
    return *this;
}

command order_builder::submit(const sent_with& with) const {
    command out;
    out.what = submit_order{draft()};
    return sent(std::move(out), with);
}

order_draft order_builder::draft() const {
    order_draft out;
    static_cast<order_content&>(out) = value_;
    out.id = value_.id;
    return out;
}

command raise(std::string_view order, std::string_view event, const sent_with& with) {
    command out;
    out.what = raise_event{std::string(order), std::string(event), {}};
    return sent(std::move(out), with);
}
command erase(std::string_view order, const sent_with& with) {
    command out;
    out.what = erase_order{std::string(order)};
    return sent(std::move(out), with);
}
command edit(std::string_view id, const order_content& fields, const sent_with& with) {
    command out;
    out.what = edit_fields{std::string(id), {fields, {}}};
    return sent(std::move(out), with);
}

}  // namespace testing
}  // namespace v1
}  // namespace orderproc
