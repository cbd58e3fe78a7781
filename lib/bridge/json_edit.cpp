#include "core/json_reader.hpp"
#include "core/order_rules.hpp"
#include "json_fields.hpp"
#include "json_integers.hpp"
#include "json_merge.hpp"

#include <orderproc/json.hpp>
#include <orderproc/timestamp.hpp>

#include <cstddef>
#include <utility>

namespace orderproc {
inline namespace v1 {
namespace detail {

namespace {

// What a patch of metadata may come to: with names that go (a name and null) and names that come
// it has to be larger than metadata itself.
constexpr std::size_t merge_patch_size_max = 4 * order::metadata_size_max;

// The text of a member. REQUIRES: the object has it.
std::string_view member_of(std::string_view object, std::string_view wanted) {
    json_reader from(object);
    (void)from.next();
    from.open();
    for (std::string_view name; from.next_name(name); from.skip()) {
        if (name != wanted) continue;
        (void)from.next();
        return from.raw();
    }
    return {};
}

// The same value, and for strings also the same time.
bool same_value(std::string_view ours, std::string_view theirs) {
    if (ours == theirs) return true;
    json_reader left(ours);
    json_reader right(theirs);
    const json_kind kind = left.next();
    if (kind != right.next()) return false;
    if (kind == json_kind::number) return same_integer(ours, theirs);
    if (kind != json_kind::string) return false;
    const std::string_view a = left.string();
    const std::string_view b = right.string();
    if (a == b) return true;
    const auto time = parse_timestamp(a);
    const auto other = parse_timestamp(b);
    return time && other && *time == *other;
}

}  // namespace

void order_judge::server_field() {
    needs_current_ = true;
    const std::string_view name = field_->name;
    if (from_.next() == json_kind::none) return;
    const std::string_view theirs = from_.raw();
    if (from_.failed() || !current_) return;
    if (shown_.empty()) shown_ = to_json(*current_, model_);
    if (same_value(member_of(shown_, name), theirs)) return;
    add(pointer_to(name), "read_only", "is set by the server alone");
}

void order_judge::server_field_or_null() {
    if (!is_left_out()) server_field();
}

void order_judge::merged_metadata() {
    const std::string_view into = current_ ? std::string_view(current_->metadata) : "";
    merge_object("#/metadata", into, out_.value.metadata);
}

void order_judge::merged_annotations() {
    annotations_seen_ = true;
    needs_current_ = true;
    const std::string_view into = current_ ? std::string_view(current_->annotations) : "";
    merge_object("#/annotations", into, out_.value.annotations);
}

void order_judge::merge_object(std::string_view pointer, std::string_view into, std::string& to) {
    if (is_left_out()) {
        to = "{}";
        return;
    }
    if (was_array(pointer)) return;
    if (!expect(json_kind::object, pointer)) return;
    const kept_json patch = from_.keep(merge_patch_size_max);
    if (from_.failed()) return;
    if (patch.breach != json_breach::none) return keep_object(patch, pointer, to);
    if (!current_) return;
    const std::string merged = merge_json(into, patch.text);
    json_reader whole(merged, metadata_levels);
    keep_object(whole.keep(order::metadata_size_max), pointer, to);
}

namespace {

parsed_edit parse_edit(std::string_view text, const order* current, const order_model& model,
                       body_form form) {
    parsed_edit out;
    json_reader reader(text);
    order_judge judge(reader, out, model, current, form);
    judge.read();
    out.needs_current = judge.needs_current();
    reader.finish();
    out.syntax = syntax_of(reader);
    if (reader.failed()) out.errors.clear();
    return out;
}

}  // namespace

}  // namespace detail

parsed_edit parse_replacement(std::string_view text, const order* current,
                              const order_model& model) {
    return detail::parse_edit(text, current, model, detail::body_form::replacement);
}

parsed_edit parse_merge_patch(std::string_view text, const order* current,
                              const order_model& model) {
    return detail::parse_edit(text, current, model, detail::body_form::patch);
}

parsed_annotation parse_annotation(std::string_view text, const order* current,
                                   const order_model& model) {
    parsed_order read;
    detail::json_reader reader(text);
    detail::order_judge judge(reader, read, model, current, detail::body_form::annotation);
    judge.read();
    reader.finish();
    parsed_annotation out;
    out.value = judge.take_annotation();
    out.needs_current = judge.needs_current();
    out.syntax = detail::syntax_of(reader);
    if (!reader.failed()) out.errors = std::move(read.errors);
    return out;
}

}  // namespace v1
}  // namespace orderproc
