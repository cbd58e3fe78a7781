#include "core/flat_json.hpp"

#include "core/json_reader.hpp"

#include <orderproc/json_text.hpp>

#include <algorithm>
#include <charconv>

namespace orderproc {
inline namespace v1 {
namespace detail {

void flat_writer::begin(std::string_view name) {
    if (out_.size() > 1) out_ += ',';
    append_json_string(name, out_);
    out_ += ':';
}

void flat_writer::text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    begin(name);
    append_json_string(value, out_);
}

void flat_writer::optional_text(std::string_view name, const std::optional<std::string>& value) {
    if (!value) return;
    begin(name);
    append_json_string(*value, out_);
}

void flat_writer::number(std::string_view name, std::uint64_t value) {
    if (value == 0) return;
    begin(name);
    out_ += std::to_string(value);
}

void flat_writer::time(std::string_view name, const std::optional<timestamp>& value) {
    if (value) text(name, to_string(*value));
}

void flat_writer::texts(std::string_view name, const std::vector<std::string>& values) {
    if (values.empty()) return;
    begin(name);
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0) out_ += ',';
        append_json_string(values[i], out_);
    }
    out_ += ']';
}

std::string flat_writer::finish() && {
    out_ += '}';
    return std::move(out_);
}

std::optional<flat_reader> flat_reader::parse(std::string_view text) {
    flat_reader out;
    json_reader from(text);
    if (from.next() != json_kind::object) return std::nullopt;
    from.open();
    for (std::string_view name; from.next_name(name);) {
        member one;
        one.name = name;
        switch (from.next()) {
            case json_kind::string:
                one.text = from.string();
                break;
            case json_kind::number:
                one.is_number = true;
                one.text = from.number();
                break;
            case json_kind::array:
                from.open();
                while (from.next_item()) {
                    if (from.next() == json_kind::string) {
                        one.texts.emplace_back(from.string());
                    } else {
                        from.skip();
                    }
                }
                break;
            default:
                from.skip();
                continue;
        }
        out.members_.push_back(std::move(one));
    }
    from.finish();
    if (from.failed()) return std::nullopt;
    return out;
}

const flat_reader::member* flat_reader::find(std::string_view name) const {
    const auto at = std::find_if(members_.begin(), members_.end(),
                                 [&](const member& one) { return one.name == name; });
    return at == members_.end() ? nullptr : &*at;
}

std::string flat_reader::text(std::string_view name) const {
    return optional_text(name).value_or("");
}

std::optional<std::string> flat_reader::optional_text(std::string_view name) const {
    const member* const it = find(name);
    if (!it || it->is_number) return std::nullopt;
    return it->text;
}

std::uint64_t flat_reader::number(std::string_view name) const {
    const member* const it = find(name);
    std::uint64_t out = 0;
    if (!it || !it->is_number) return out;
    const char* const end = it->text.data() + it->text.size();
    const auto read = std::from_chars(it->text.data(), end, out);
    return read.ec == std::errc() && read.ptr == end ? out : 0;
}

std::optional<timestamp> flat_reader::time(std::string_view name) const {
    const auto written = optional_text(name);
    if (!written) return std::nullopt;
    const auto out = parse_timestamp(*written);
    return out ? std::optional<timestamp>(*out) : std::nullopt;
}

std::vector<std::string> flat_reader::texts(std::string_view name) const {
    const member* const it = find(name);
    return it ? it->texts : std::vector<std::string>();
}

}  // namespace detail
}  // namespace v1
}  // namespace orderproc
